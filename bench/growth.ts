/**
 * `npm run bench:growth [-- --brokers 1,3 --only consume,publish,start,hold --rounds 3 --write]`: what grows with the number of partitions,
 * topics and brokers, on real brokers: CPU per message and memory, the start and the end of a client, a consumer of a thousand partitions.
 * One process a run, the shapes in turns. `--write` puts the tables into docs/PERFORMANCE.md.
 */
import { parseArgs } from 'node:util'
import type { Cluster } from '../test/support/cluster.ts'
import { type Bench, growthCluster, makeTopics, prepare } from './growth/processes.ts'
import { median, table, writeSection } from './page.ts'

interface Shape {
  topics: string[]
  /** Of each topic. */
  partitions: number
}

interface Run {
  /** What of it is compared: `brokers topics partitions work`. */
  cell: string
  figures: Record<string, number>
}

const shapes: Shape[] = [
  { topics: ['six'], partitions: 6 },
  { topics: ['six-hundred'], partitions: 600 },
  { topics: Array.from({ length: 100 }, (_, i) => `of-a-hundred-${i}`), partitions: 6 },
  { topics: ['three-thousand'], partitions: 3_000 }
]
const largest = shapes.at(-1)!
const held: Shape = { topics: ['thousand'], partitions: 1_000 }

/** Warm-up takes more than one fetch of 50 MB, so that what is fetched ahead of the clock is no part that matters. */
const STORED = 2_500_000
const consuming = { warm: 500_000, count: 2_000_000 }
const lists = { warm: 100_000, count: 500_000, perList: 1_000 }
const keyed = { warm: 20_000, count: 200_000, atOnce: 10_000 }
/** The first commit, after five seconds, is over when the rest begins. */
const rest = { settleMs: 8_000, restMs: 10_000 }

const { values: flags } = parseArgs({
  options: {
    brokers: { type: 'string', default: '1,3' },
    only: { type: 'string', default: 'consume,publish,start,hold' },
    rounds: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false }
  }
})
const only = flags.only.split(',')
const counts = flags.brokers.split(',').map(Number)
const rounds = Array.from({ length: Number(flags.rounds) }, (_, i) => i + 1)
const runs: Run[] = []

const bench = await prepare()
try {
  for (const brokers of counts) {
    const cluster = await growthCluster(brokers)
    try {
      await measureAll(bench, cluster, brokers)
    } finally {
      await cluster.dispose()
    }
  }
} finally {
  bench.end()
}
const page = [curve(), starts(), holds()].filter(part => part !== '').join('\n\n')
console.log(`\n${page}`)
if (flags.write) writeSection('growth', page)

/** What is read goes first: what the publishing runs leave behind has batches of other sizes. */
async function measureAll(on: Bench, cluster: Cluster, brokers: number): Promise<void> {
  const urls = { zookeeper: `zookeeper://${cluster.zookeeper}`, kafka: `kafka://${cluster.bootstrap.join()}` }
  const run = async (shape: Shape, work: string, name: string, more: Record<string, unknown>, url = urls.zookeeper) => {
    const cell = `${brokers} ${shape.topics.length} ${shape.partitions} ${name}`
    try {
      const figures = await on.run<Record<string, number>>('growth/worker.mjs', work, JSON.stringify({ url, ...shape, ...more }))
      const perMessage = typeof more.count === 'number' ? `${((figures.cpuMs! * 1_000) / more.count).toFixed(2)} µs/message ` : ''
      console.log(`${cell.padEnd(34)} ${perMessage}${JSON.stringify(figures, (_, value) => (Number(value) ? Math.round(value) : value))}`)
      runs.push({ cell, figures })
    } catch (error) {
      console.error(`${cell}: not measured: ${(error as Error).message}`)
    }
  }
  const wanted = [...(only.includes('consume') || only.includes('publish') ? shapes : [largest]), held]
  for (const { topics, partitions } of wanted) await makeTopics(cluster, topics, partitions)
  await cluster.waitInSync()
  if (only.includes('consume')) {
    for (const shape of shapes) await run(shape, 'fill', 'fill', { count: STORED })
    for (const _ of rounds)
      for (const shape of shapes)
        for (const mode of ['message', 'batch']) await run(shape, 'consume', `consume by ${mode}`, { ...consuming, mode })
  }
  if (only.includes('hold')) {
    await run(held, 'fill', 'fill', { count: 10 * held.partitions })
    for (const round of rounds) {
      await run(held, 'hold', 'assigned', rest)
      await run(held, 'hold', 'zookeeper', { ...rest, group: `held-${round}`, membership: 'zookeeper' })
      await run(held, 'hold', 'classic', { ...rest, group: `held-classic-${round}`, membership: 'classic' }, urls.kafka)
    }
  }
  if (only.includes('publish'))
    for (const _ of rounds)
      for (const shape of shapes) {
        await run(shape, 'lists', 'lists', lists)
        await run(shape, 'keyed', 'keyed', keyed)
      }
  if (only.includes('start'))
    for (const _ of rounds)
      for (const [name, url] of Object.entries(urls)) await run(largest, 'start', `start over ${name}`, { topics: largest.topics }, url)
}

function of(cell: string, figure: string): number[] {
  return runs.filter(run => run.cell === cell).flatMap(({ figures }) => figures[figure] ?? [])
}

function whole(values: readonly number[]): string {
  return values.length > 0 ? Math.round(median(values)).toLocaleString('en') : 'not measured'
}

function curve(): string {
  const works: [name: string, count: number][] = [
    ['lists', lists.count],
    ['keyed', keyed.count],
    ['consume by message', consuming.count],
    ['consume by batch', consuming.count]
  ]
  if (!runs.some(({ cell }) => works.some(([name]) => cell.endsWith(name)))) return ''
  const cell = (shape: string, [name, count]: (typeof works)[number]) => {
    const costs = of(`${shape} ${name}`, 'cpuMs').map(ms => (ms * 1_000) / count)
    if (costs.length === 0) return 'not measured'
    const [least, most] = [Math.min(...costs), Math.max(...costs)]
    return `**${median(costs).toFixed(2)}** (${least.toFixed(2)}–${most.toFixed(2)}); ${whole(of(`${shape} ${name}`, 'rssMb'))} MB`
  }
  const rows = counts.flatMap(brokers =>
    shapes.map(({ topics, partitions }) => {
      const shape = `${brokers} ${topics.length} ${partitions}`
      return [String(brokers), `${topics.length} × ${partitions.toLocaleString('en')}`, ...works.map(work => cell(shape, work))]
    })
  )
  const head = [
    'brokers',
    'topics × partitions',
    'publish lists of 1,000',
    'publish with keys, a promise each',
    'consume by message',
    'by batch'
  ]
  return `CPU µs per message of 100 bytes, median (least–most) of ${rounds.length} runs, and peak memory of the process:\n\n${table(head, rows)}`
}

function starts(): string {
  if (!only.includes('start')) return ''
  const steps = ['importedMs', 'connectedMs', 'describedMs', 'publishedMs', 'closedMs', 'cpuMs', 'rssMb']
  const rows = counts.flatMap(brokers =>
    ['zookeeper', 'kafka'].map(url => {
      const cell = `${brokers} 1 ${largest.partitions} start over ${url}`
      return [String(brokers), `\`${url}://\``, ...steps.map(step => whole(of(cell, step)))]
    })
  )
  const head = ['brokers', 'through', 'imported', 'connected', 'described', 'published', 'closed', 'CPU', 'MB']
  return `A client's whole life beside a topic of 3,000 partitions, ms since its process began (connect, describe it, publish one message, close):\n\n${table(head, rows)}`
}

function holds(): string {
  if (!only.includes('hold')) return ''
  const steps = ['firstMs', 'allMs', 'startCpuMs', 'restCpuMs', 'closeMs', 'restRssMb', 'rssMb']
  const names = { assigned: 'partitions named', zookeeper: 'group in ZooKeeper', classic: 'classic group' }
  const rows = counts.flatMap(brokers =>
    Object.entries(names).map(([name, words]) => [
      String(brokers),
      words,
      ...steps.map(step => whole(of(`${brokers} 1 ${held.partitions} ${name}`, step)))
    ])
  )
  const restSeconds = rest.restMs / 1_000
  const head = [
    'brokers',
    'consumer',
    'first message',
    'of all',
    'CPU until then',
    `CPU in ${restSeconds} s at rest`,
    'close',
    'MB at rest',
    'MB at most'
  ]
  return `A consumer of ${held.partitions.toLocaleString('en')} partitions with ten messages each, ms since \`subscribe\`:\n\n${table(head, rows)}`
}
