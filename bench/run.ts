/**
 * `npm run bench [-- --only P1,C1m --clients samsa,kafkajs --rounds 3 --before <dist> --profile]`: this package beside its peers on one
 * real broker with its data in memory. Clients take turns (A B C A B C), one process a run, a topic of its own for each produce run,
 * whose end offsets must be what was acked. CPU per message comes first: on a machine with other work it is what stays comparable.
 */
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Cluster, startCluster } from '../test/support/cluster.ts'
import { cacheFolder } from '../test/support/maven.ts'
import { keepBuild, nodeBinary, peersFolder } from './peers.ts'
import { selfTimes } from './self-times.ts'

interface Workload {
  what: string
  worker: 'lists' | 'singles' | 'consume'
  count: number
  warm: number
  clients: string[]
  /** More for the worker and its adapter. */
  more: Record<string, string | number>
}

interface Run {
  workload: string
  client: string
  usPerMessage: number
  perSecond: number
  rssMb: number
}

const everyone = ['samsa', 'kafkajs', 'platformatic', 'raw']
const workloads: Record<string, Workload> = {
  P1: {
    what: 'publish, lists of 1,000',
    worker: 'lists',
    count: 1_000_000,
    warm: 100_000,
    clients: everyone,
    more: { perList: 1_000, lanes: 5 }
  },
  P1b: {
    what: 'publish, lists of 2,000',
    worker: 'lists',
    count: 1_000_000,
    warm: 100_000,
    clients: everyone,
    more: { perList: 2_000, lanes: 5 }
  },
  P1s: {
    what: 'publish, a promise each, 10,000 at a time',
    worker: 'singles',
    count: 500_000,
    warm: 50_000,
    clients: ['samsa', 'platformatic', 'raw'],
    more: { atOnce: 10_000 }
  },
  P4: {
    what: '50,000 promises at once',
    worker: 'singles',
    count: 50_000,
    warm: 1_000,
    clients: ['samsa', 'platformatic', 'raw'],
    more: { atOnce: 50_000 }
  },
  C1m: {
    what: 'consume, by message',
    worker: 'consume',
    count: 1_000_000,
    warm: 100_000,
    clients: everyone,
    more: { mode: 'message' }
  },
  C1b: {
    what: 'consume, by batch',
    worker: 'consume',
    count: 1_000_000,
    warm: 100_000,
    clients: ['samsa', 'kafkajs'],
    more: { mode: 'batch' }
  }
}

const RECORD_BYTES = 100
const PARTITIONS = 6
const STORED = 'bench-stored'
/** Beyond warm-up and measure: what comes in one fetch more must not be missing. */
const STORED_COUNT = 1_300_000
const RUN_LIMIT_MS = 120_000
const root = fileURLToPath(new URL('..', import.meta.url))

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: 'P1,P4,C1m,C1b' },
    clients: { type: 'string', default: everyone.join() },
    rounds: { type: 'string', default: '3' },
    /** The dist of an older build (with its package.json and node_modules beside it), measured as `before`. */
    before: { type: 'string' },
    profile: { type: 'boolean', default: false }
  }
})

const node = await nodeBinary('24')
const peers = await peersFolder()
execFileSync('npm', ['run', 'build', '--silent'], { cwd: root, stdio: 'inherit' })
const builds: Record<string, string> = { samsa: keepBuild(root, 'samsa'), ...(flags.before ? { before: flags.before } : {}) }
const profiles = join(cacheFolder(), 'bench', `profiles-${process.pid}`)
if (flags.profile) mkdirSync(profiles, { recursive: true })

const cluster = await startCluster({
  brokers: 1,
  config: {
    'num.partitions': String(PARTITIONS),
    'message.max.bytes': '10485760',
    'log.segment.bytes': '268435456',
    'log.cleaner.enable': 'false',
    'socket.send.buffer.bytes': '1048576',
    'socket.receive.buffer.bytes': '1048576'
  }
})
try {
  const runs = await measureAll(cluster)
  report(runs)
  if (flags.profile) for (const file of readdirSync(profiles)) console.log(`\n${file}\n${selfTimes(join(profiles, file), 25)}`)
} finally {
  await cluster.dispose()
  rmSync(dirname(builds.samsa!), { recursive: true, force: true })
}

async function measureAll(on: Cluster): Promise<Run[]> {
  const runs: Run[] = []
  const names = flags.only.split(',')
  if (names.some(name => workloads[name]!.worker === 'consume')) await store(on)
  for (const name of names) {
    const workload = workloads[name]!
    const clients = workload.clients.filter(client => flags.clients.split(',').includes(client))
    if (flags.before && clients.includes('samsa')) clients.splice(clients.indexOf('samsa') + 1, 0, 'before')
    for (let round = 1; round <= Number(flags.rounds); round++)
      for (const client of clients) {
        const run = await measure(on, name, client, `${name}-${client}-${round}`)
        if (!run) continue
        runs.push(run)
        console.log(
          `${name} ${round} ${client.padEnd(13)} ${run.usPerMessage.toFixed(2)} µs/message  ${Math.round(run.perSecond / 1000)}k/s  ${Math.round(run.rssMb)} MB`
        )
      }
  }
  return runs
}

/** One process. A client that fails is told, and left out of the table. */
async function measure(on: Cluster, name: string, client: string, topic: string): Promise<Run | undefined> {
  const workload = workloads[name]!
  const consumes = workload.worker === 'consume'
  if (!consumes) await on.createTopic(topic, { partitions: PARTITIONS })
  const outcome = await worker(on, workload, client, consumes ? STORED : topic, topic).catch((error: Error) => error)
  if (outcome instanceof Error) {
    console.error(`${name} ${client}: ${outcome.message}`)
    return undefined
  }
  if (!consumes) {
    const ends = await on.tool.offsets(topic)
    const stored = Object.values(ends).reduce((sum, end) => sum + end, 0)
    if (stored !== workload.warm + workload.count)
      throw new Error(`${client} has acked ${workload.warm + workload.count}, the topic has ${stored}`)
    await on.tool.deleteTopics(topic)
  }
  return {
    workload: name,
    client: client === 'before' ? 'samsa before' : `${client} ${outcome.version}`,
    usPerMessage: (outcome.cpuMs * 1000) / workload.count,
    perSecond: (workload.count * 1000) / outcome.wallMs,
    rssMb: outcome.rssMb
  }
}

function worker(
  on: Cluster,
  { worker: kind, count, warm, more }: Pick<Workload, 'worker' | 'count' | 'warm' | 'more'>,
  client: string,
  topic: string,
  profileName: string
): Promise<{ version: string; wallMs: number; cpuMs: number; rssMb: number }> {
  const options = {
    ...{ topic, partitions: PARTITIONS, brokers: on.bootstrap, zookeeper: on.zookeeper },
    ...{ recordBytes: RECORD_BYTES, count, warm },
    ...more
  }
  const profile =
    flags.profile && client !== 'raw' ? ['--cpu-prof', '--cpu-prof-dir', profiles, `--cpu-prof-name=${profileName}.cpuprofile`] : []
  const adapter = client === 'before' ? 'samsa' : client
  const args = [...profile, join(root, 'bench', 'worker.mjs'), kind, adapter, JSON.stringify(options)]
  const env = { ...process.env, BENCH_PEERS: peers, SAMSA_DIST: builds[client] ?? '' }
  return new Promise((resolve, reject) => {
    execFile(node, args, { env, timeout: RUN_LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      const line = stdout.split('\n').find(each => each.startsWith('RESULT '))
      if (line) resolve(JSON.parse(line.slice(7)))
      else reject(new Error(`${error?.killed ? `not ready in ${RUN_LIMIT_MS / 1000} s` : 'failed'}: ${stderr.trim().slice(0, 600)}`))
    })
  })
}

/** The topic that is consumed, written by the floor, in batches of about 100 KB. */
async function store(on: Cluster): Promise<void> {
  await on.createTopic(STORED, { partitions: PARTITIONS })
  await worker(on, { ...workloads.P1!, warm: 1_000, count: STORED_COUNT - 1_000 }, 'raw', STORED, STORED)
}

function report(runs: Run[]): void {
  const median = (list: number[]) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)]!
  console.log(`\nMedians of ${flags.rounds} rounds, ${RECORD_BYTES} bytes a message, CPU µs per message (k messages/s; peak MB)\n`)
  for (const name of new Set(runs.map(run => run.workload))) {
    console.log(`${name}: ${workloads[name]!.what}`)
    const of = runs.filter(run => run.workload === name)
    for (const client of new Set(of.map(run => run.client))) {
      const mine = of.filter(run => run.client === client)
      const [cpu, rate, rss] = [mine.map(run => run.usPerMessage), mine.map(run => run.perSecond / 1000), mine.map(run => run.rssMb)]
      console.log(`  ${client.padEnd(22)} ${median(cpu).toFixed(2)} (${Math.round(median(rate))}; ${Math.round(median(rss))})`)
    }
  }
}
