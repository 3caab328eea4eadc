/**
 * `npm run bench:starvation [-- --rounds 5 --clients samsa,raw --write]`: how long a timer of 10 ms is starved while a backlog of 10^6 messages
 * is consumed, beside the bare loop and beside a process that does nothing at the same time on the same machine.
 */
import { parseArgs } from 'node:util'
import { growthCluster, makeTopics, prepare } from './growth/processes.ts'
import { median, table, writeSection } from './page.ts'

interface Stall {
  /** Epoch, ms. */
  atMs: number
  /** Beyond the 10 ms. */
  lateMs: number
  /** CPU of the thread meanwhile. */
  computedMs: number
  /** Of garbage collections that touch it, and the longest of them. */
  gcMs: number
  longestGcMs: number
}

interface Starved {
  longestMs: number
  /** The most that the thread computed between two turns of the timer, beyond 10 ms. */
  longestCpuMs: number
  gcMs: number
  longestGcMs: number
  stalls: Stall[]
}

const TOPIC = 'backlog'
const PARTITIONS = 6
const RECORD_BYTES = 100
const WARM = 100_000
const COUNT = 1_000_000
const LIMIT_MS = 50

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    clients: { type: 'string', default: 'samsa,raw' },
    write: { type: 'boolean', default: false }
  }
})
const cases = [
  { client: 'samsa', mode: 'message' },
  { client: 'samsa', mode: 'batch' },
  { client: 'raw', mode: 'message' }
].filter(({ client }) => flags.clients.split(',').includes(client))

const found = new Map<string, { starved: Starved; idle: Starved }[]>()
const bench = await prepare()
const cluster = await growthCluster(1)
try {
  await makeTopics(cluster, [TOPIC], PARTITIONS)
  await cluster.waitInSync()
  const where = { zookeeper: cluster.zookeeper, brokers: cluster.bootstrap, topic: TOPIC, partitions: PARTITIONS }
  const fill = { url: `zookeeper://${cluster.zookeeper}`, topics: [TOPIC], partitions: PARTITIONS, count: WARM + COUNT + 200_000 }
  await bench.run('growth/worker.mjs', 'fill', JSON.stringify(fill))
  for (let round = 1; round <= Number(flags.rounds); round++)
    for (const { client, mode } of cases) {
      const options = { ...where, mode, warm: WARM, count: COUNT, recordBytes: RECORD_BYTES }
      const beside = bench.beside<Starved>('growth/starve.mjs', 'idle', '{}')
      const starved = await bench.run<Starved>('growth/starve.mjs', client, JSON.stringify(options))
      const idle = await beside.stop()
      const name = `${client}, by ${mode}`
      found.set(name, [...(found.get(name) ?? []), { starved, idle }])
      told(name, starved, idle)
    }
} finally {
  await cluster.dispose()
  bench.end()
}
const page = report()
console.log(`\n${page}`)
if (flags.write) writeSection('starvation', page)

/** Each stall beyond the limit, with what it was made of. */
function told(name: string, starved: Starved, idle: Starved): void {
  const ms = (value: number) => `${value.toFixed(0)} ms`
  console.log(
    `${name.padEnd(20)} late ${ms(starved.longestMs)}, computed ${ms(starved.longestCpuMs)}; idle beside it ${ms(idle.longestMs)}`
  )
  for (const { atMs, lateMs, computedMs, gcMs, longestGcMs } of starved.stalls.filter(stall => stall.lateMs >= LIMIT_MS)) {
    const same = idle.stalls.filter(stall => stall.atMs < atMs + lateMs && stall.atMs + stall.lateMs > atMs)
    const besideMs = Math.max(0, ...same.map(stall => stall.lateMs))
    console.log(
      `  late ${ms(lateMs)}: computed ${ms(computedMs)}, collecting ${ms(gcMs)} (longest ${ms(longestGcMs)}); idle process then ${ms(besideMs)}`
    )
  }
}

function report(): string {
  const range = (values: number[]) =>
    `${Math.round(median(values))} (${Math.round(Math.min(...values))}–${Math.round(Math.max(...values))})`
  const rows = [...found].map(([name, all]) => [
    name,
    range(all.map(({ starved }) => starved.longestMs)),
    range(all.map(({ starved }) => starved.longestCpuMs)),
    range(all.map(({ starved }) => starved.longestGcMs)),
    range(all.map(({ idle }) => idle.longestMs))
  ])
  const head = ['', 'timer late', 'of that computed', 'longest collection', 'the same timer in an idle process']
  return `The longest of each of ${flags.rounds} runs, ms, median (least–most):\n\n${table(head, rows)}`
}
