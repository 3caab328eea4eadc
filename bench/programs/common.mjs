// What the workloads share. CPU is user + system of all threads of this process.

/** The messages: the lines of a file that clients of all languages read. */
export const values = options =>
  process
    .getBuiltinModule('fs')
    .readFileSync(options.payload)
    .toString('latin1')
    .trimEnd()
    .split('\n')
    .map(line => Buffer.from(line, 'latin1'))

export const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

export async function measured(work) {
  const cpu = cpuMs()
  const from = performance.now()
  await work()
  return { wallMs: performance.now() - from, cpuMs: cpuMs() - cpu }
}

export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

/** Percentiles, ms. */
export function latencies(list) {
  const sorted = Float64Array.from(list).sort()
  const at = part => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
  return { p50Ms: at(0.5), p99Ms: at(0.99) }
}
