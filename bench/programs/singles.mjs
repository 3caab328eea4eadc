// Each message has a promise of its own, `atOnce` of them at a time.
import { measured, values } from './common.mjs'

export default async function singles(adapter, options) {
  const pool = values(options)
  const producer = await adapter.producer(options)
  const all = async count => {
    for (let next = 0; next < count; ) {
      const promises = new Array(Math.min(options.atOnce, count - next))
      for (let i = 0; i < promises.length; i++) promises[i] = producer.sendOne(pool[next++ % pool.length])
      await Promise.all(promises)
    }
  }
  await all(options.warm)
  const result = await measured(() => all(options.count))
  await producer.close()
  return result
}
