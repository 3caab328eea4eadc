// One message in flight: the next is sent when the last is acknowledged.
import { latencies, measured, values } from './common.mjs'

export default async function latency(adapter, options) {
  const pool = values(options)
  const producer = await adapter.producer({ ...options, lingerMs: 0 })
  for (let i = 0; i < options.warm; i++) await producer.sendOne(pool[i % pool.length])
  const took = new Float64Array(options.count)
  const result = await measured(async () => {
    for (let i = 0; i < options.count; i++) {
      const from = performance.now()
      await producer.sendOne(pool[i % pool.length])
      took[i] = performance.now() - from
    }
  })
  await producer.close()
  return { ...result, ...latencies(took) }
}
