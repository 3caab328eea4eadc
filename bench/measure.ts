/**
 * One run: a process of its own, checked, and turned into figures.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../test/support/cluster.ts'
import { cacheFolder } from '../test/support/maven.ts'
import type { Runner } from './peers.ts'
import { type Workload, workloads } from './workloads.ts'

export interface Place {
  cluster: Cluster
  runners: ReadonlyMap<string, Runner>
  /** Where CPU profiles go, if they are wanted. */
  profiles: string | undefined
}

type Raw = { version: string } & Record<string, number>

const PARTITIONS = 6
const RUN_LIMIT_MS = 150_000
/** Beyond warm-up and measure: what comes in one fetch more must not be missing. */
const STORED = {
  'stored-100': { count: 1_700_000, recordBytes: 100, perList: 1_000 },
  'stored-1000-lz4': { count: 450_000, recordBytes: 1_000, perList: 100, compression: 'lz4' as const }
}
const written = new Set<string>()

export async function measure(
  place: Place,
  name: string,
  client: string,
  round: number
): Promise<{ version: string; figures: Record<string, number> }> {
  const workload = workloads[name]!
  const runner = place.runners.get(client)!
  const warm = Math.max(workload.warm, workload.warm > 0 ? (runner.warmAtLeast?.(workload.count) ?? 0) : 0)
  const topic = workload.stored ?? `${name}-${client}-${round}`.toLowerCase()
  if (!workload.stored) await place.cluster.createTopic(topic, { partitions: PARTITIONS })
  const from = performance.now()
  const raw = await besideTicks(place, workload, topic, () =>
    run(place, runner, workload.work, options(place.cluster, { ...workload, warm }, topic, runner), `${name}-${client}-${round}`)
  )
  const totalMs = performance.now() - from
  if (['lists', 'singles', 'latency'].includes(workload.work)) await checkEnds(place.cluster, topic, warm + workload.count, client)
  if (!workload.stored) await place.cluster.tool.deleteTopics(topic)
  const { version, wallMs = Number.NaN, cpuMs = Number.NaN, ...rest } = raw
  const count = rest.messages ?? workload.count
  return {
    version: String(version),
    figures: { ...rest, totalMs, usPerMessage: (cpuMs * 1_000) / count, kPerSecond: count / wallMs }
  }
}

/** What was acked is what the topic has. */
async function checkEnds(cluster: Cluster, topic: string, expected: number, client: string): Promise<void> {
  const ends = await cluster.tool.offsets(topic)
  const stored = Object.values(ends).reduce((sum, end) => sum + end, 0)
  if (stored !== expected) throw new Error(`${client} has acked ${expected}, the topic has ${stored}`)
}

function options(cluster: Cluster, workload: Workload & { warm: number }, topic: string, runner: Runner): Record<string, unknown> {
  const { count, warm, recordBytes, compression, more, work } = workload
  return {
    ...{ topic, partitions: PARTITIONS, brokers: cluster.bootstrap, zookeeper: cluster.zookeeper, payload: payload(recordBytes) },
    ...{ count, warm, recordBytes, ...(compression ? { compression } : {}), ...(work === 'start' ? { cold: true } : {}) },
    ...more,
    ...runner.more
  }
}

function run(place: Place, runner: Runner, work: string, given: Record<string, unknown>, profileName: string): Promise<Raw> {
  const profile =
    place.profiles && runner.adapter && runner.adapter !== 'raw'
      ? ['--cpu-prof', '--cpu-prof-dir', place.profiles, `--cpu-prof-name=${profileName}.cpuprofile`]
      : []
  const args = runner.adapter
    ? [...profile, ...runner.args, work, runner.adapter, JSON.stringify(given)]
    : [...runner.args, work, ...Object.entries(given).map(([name, value]) => `${name}=${String(value)}`)]
  const env = { ...process.env, ...runner.environment }
  return new Promise((resolve, reject) => {
    const limits = { env, timeout: RUN_LIMIT_MS, killSignal: 'SIGKILL' as const, maxBuffer: 16 << 20 }
    execFile(runner.command, args, limits, (error, stdout, stderr) => {
      const line = stdout.split('\n').find(each => each.startsWith('RESULT '))
      if (line) return resolve(JSON.parse(line.slice(7)) as Raw)
      reject(new Error(`${error?.killed ? `not ready in ${RUN_LIMIT_MS / 1_000} s` : 'failed'}: ${stderr.trim().slice(0, 600)}`))
    })
  })
}

/** For members of a group somebody writes to each partition all the while. */
async function besideTicks<T>(place: Place, workload: Workload, topic: string, body: () => Promise<T>): Promise<T> {
  if (workload.work !== 'group') return body()
  const runner = place.runners.get('samsa')
  if (!runner) throw new Error('what is measured here needs samsa among the clients: it writes what they read')
  const given = JSON.stringify(options(place.cluster, workload, topic, runner))
  const ticker = execFile(runner.command, [...runner.args, 'tick', 'samsa', given], { env: { ...process.env, ...runner.environment } })
  try {
    await new Promise<void>((resolve, reject) => {
      ticker.stdout!.once('data', () => resolve())
      ticker.once('exit', code => reject(new Error(`who writes has ended with ${code}`)))
    })
    return await body()
  } finally {
    ticker.kill('SIGKILL')
  }
}

/** The topic that is consumed: written once, in batches of about 100 KB, by the floor; what is compressed by samsa. */
export async function store(place: Place, topic: keyof typeof STORED): Promise<void> {
  if (written.has(topic)) return
  written.add(topic)
  const { count, ...more } = STORED[topic]
  const runner = place.runners.get('compression' in more ? 'samsa' : 'raw') ?? place.runners.get('samsa')
  if (!runner) throw new Error('samsa must be among the clients: it writes what is consumed')
  await place.cluster.createTopic(topic, { partitions: PARTITIONS })
  const workload: Workload = { ...workloads.P1!, ...more, warm: 1_000, count: count - 1_000, more: { perList: more.perList, lanes: 5 } }
  await run(place, runner, 'lists', options(place.cluster, workload, topic, { ...runner, more: {} }), topic)
}

/** A file with a thousand messages, the same in each run; those of 1 KB are JSON, so that there is something to compress. */
function payload(recordBytes: number): string {
  let state = 0x9e3779b9
  const random = (below: number) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
  const letters = () => Array.from({ length: recordBytes }, () => String.fromCharCode(65 + random(26))).join('')
  const names = ['amber', 'birch', 'cedar', 'damson', 'elder', 'fir', 'gorse', 'hazel']
  const document = () => {
    const order = {
      id: random(1e9),
      customer: `${names[random(8)]}-${random(1e6)}`,
      at: 1_700_000_000_000 + random(1e9),
      lines: [] as object[]
    }
    while (JSON.stringify(order).length < recordBytes)
      order.lines.push({ article: random(1e8).toString(36), count: random(10), price: random(1e5) / 100, colour: names[random(8)] })
    return JSON.stringify(order).slice(0, recordBytes)
  }
  const folder = join(cacheFolder(), 'bench')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `payload-${recordBytes}.txt`)
  writeFileSync(file, `${Array.from({ length: 1_000 }, recordBytes < 1_000 ? letters : document).join('\n')}\n`)
  return file
}
