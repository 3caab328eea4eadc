// One consuming process of `bench/starvation.ts`: `node starve.mjs <adapter> '<json options>'`. A timer of 10 ms runs along; whenever it comes late,
// it says by how much, how much of that this thread has computed (the rest it waited for a processor), and what the garbage collector did.
import { PerformanceObserver } from 'node:perf_hooks'

const [name, json] = process.argv.slice(2)
const options = JSON.parse(json)
const { TICK_MS = 10, TOLD_MS = 20 } = options
const threadMs = () => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

const stalls = []
const collections = []
new PerformanceObserver(list => {
  for (const { startTime, duration, detail } of list.getEntries()) collections.push({ startTime, duration, kind: detail.kind })
}).observe({ entryTypes: ['gc'] })

let counting = false
let last = performance.now()
let lastCpu = threadMs()
let longestMs = 0
let longestCpuMs = 0
const look = () => {
  const now = performance.now()
  const cpu = threadMs()
  const [lateMs, computedMs] = [now - last - TICK_MS, cpu - lastCpu]
  if (counting) {
    longestMs = Math.max(longestMs, lateMs)
    longestCpuMs = Math.max(longestCpuMs, computedMs - TICK_MS)
    if (lateMs >= TOLD_MS) stalls.push({ from: last, to: now, atMs: performance.timeOrigin + last, lateMs, computedMs })
  }
  last = now
  lastCpu = cpu
}
setInterval(look, TICK_MS)

if (name === 'idle') {
  counting = true
  process.stdin.resume()
  await new Promise(resolve => process.stdin.once('end', resolve))
} else {
  const adapter = await import(`../adapters/${name}.mjs`)
  const end = options.warm + options.count
  let seen = 0
  await new Promise((resolve, reject) => {
    const onValue = () => {
      if (++seen === options.warm) {
        counting = true
        last = performance.now()
        lastCpu = threadMs()
      } else if (seen === end) resolve()
    }
    adapter.consumer({ ...options, group: `starve-${process.pid}-${Date.now()}`, onValue }).catch(reject)
  })
  look()
  counting = false
}
// The observer hears of a collection a turn later.
await new Promise(resolve => setTimeout(resolve, 20))
for (const stall of stalls) {
  const within = collections.filter(({ startTime, duration }) => startTime < stall.to && startTime + duration > stall.from)
  stall.gcMs = within.reduce((sum, { duration }) => sum + duration, 0)
  stall.longestGcMs = Math.max(0, ...within.map(({ duration }) => duration))
}
const gcMs = collections.reduce((sum, { duration }) => sum + duration, 0)
const longestGcMs = Math.max(0, ...collections.map(({ duration }) => duration))
process.stdout.write(`RESULT ${JSON.stringify({ longestMs, longestCpuMs, gcMs, longestGcMs, stalls })}\n`, () => process.exit(0))
