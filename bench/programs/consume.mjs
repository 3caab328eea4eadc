// From message `warm` to message `warm + count` of a topic that is there. Closing is not measured. A timer of 10 ms runs along: how long is it starved?
import { cpuMs } from './common.mjs'

const TICK_MS = 10

export default async function consume(adapter, options) {
  let seen = 0
  let bytes = 0
  let cpu = 0
  let from = 0
  let last = performance.now()
  let starvedMs = 0
  setInterval(() => {
    const now = performance.now()
    if (seen >= options.warm) starvedMs = Math.max(starvedMs, now - last - TICK_MS)
    last = now
  }, TICK_MS)
  const end = options.warm + options.count
  const result = await new Promise((resolve, reject) => {
    const onValue = value => {
      bytes += value.length
      if (++seen === options.warm) {
        cpu = cpuMs()
        from = performance.now()
      } else if (seen === end) resolve({ wallMs: performance.now() - from, cpuMs: cpuMs() - cpu })
    }
    adapter.consumer({ ...options, group: `bench-${process.pid}-${Date.now()}`, onValue }).catch(reject)
  })
  starvedMs = Math.max(starvedMs, performance.now() - last - TICK_MS)
  if (bytes < end * options.recordBytes) throw new Error(`${bytes} bytes in ${end} messages of ${options.recordBytes}`)
  return { ...result, starvedMs }
}
