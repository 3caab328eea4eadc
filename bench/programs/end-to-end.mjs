// A thousand messages a second from a producer to a consumer of the same process; each carries the time at which it was sent.
import { cpuMs, latencies, sleep } from './common.mjs'

export default async function endToEnd(adapter, options) {
  const { rate, warmSeconds, seconds, recordBytes } = options
  const took = []
  let sinceMs = 0
  let sent = 0
  let seen = 0
  const onValue = value => {
    seen++
    const at = value.readDoubleLE(0)
    if (sinceMs > 0 && at > sinceMs) took.push(performance.now() - at)
  }
  const message = () => {
    const value = Buffer.alloc(recordBytes)
    value.writeDoubleLE(performance.now(), 0)
    sent++
    return value
  }
  const producer = await adapter.producer({ ...options, lingerMs: 0 })
  adapter.consumer({ ...options, mode: 'message', group: `bench-${process.pid}-${Date.now()}`, onValue }).catch(error => {
    throw error
  })
  while (seen === 0) {
    await producer.sendOne(message())
    await sleep(20)
  }
  const total = sent + (warmSeconds + seconds) * rate
  const from = performance.now()
  const before = sent
  let cpu = 0
  await new Promise(resolve => {
    const pace = setInterval(() => {
      const now = performance.now()
      if (sinceMs === 0 && now - from > warmSeconds * 1_000) {
        sinceMs = now
        cpu = cpuMs()
      }
      for (const due = Math.min(total, before + Math.floor(((now - from) * rate) / 1_000)); sent < due; ) void producer.sendOne(message())
      if (sent < total) return
      clearInterval(pace)
      resolve()
    }, 1)
  })
  for (const until = performance.now() + 5_000; seen < sent && performance.now() < until; ) await sleep(5)
  if (seen < sent) throw new Error(`${sent} messages were sent, ${seen} came`)
  return { cpuMs: cpuMs() - cpu, messages: took.length, ...latencies(took) }
}
