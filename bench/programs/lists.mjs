// Bulk: lists of messages, a few lists at a time.
import { measured, values } from './common.mjs'

export default async function lists(adapter, options) {
  const pool = values(options)
  const producer = await adapter.producer(options)
  const send = async count => {
    let next = 0
    const lane = async () => {
      while (next < count) {
        const list = new Array(Math.min(options.perList, count - next))
        for (let i = 0; i < list.length; i++) list[i] = pool[next++ % pool.length]
        await producer.sendList(list)
      }
    }
    await Promise.all(Array.from({ length: options.lanes }, lane))
  }
  await send(options.warm)
  const result = await measured(() => send(options.count))
  await producer.close()
  return result
}
