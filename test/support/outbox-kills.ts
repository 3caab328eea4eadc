/**
 * `samsa produce --outbox` fed with numbered lines and killed, again and again, while leaders die too; then the log is compared with what was accepted.
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cluster } from './cluster.ts'
import { Running } from './samsa-command.ts'
import { uniqueName } from './use-cluster.ts'
import { VirtualWorld } from './virtual-world.ts'

export interface OutboxKills {
  url: string
  topic: string
  directory: string
  kills: number
  /** In [0, 1). */
  random: () => number
  /** Has a leader die, and come back before the next one does; called for every third publisher or so. */
  killLeader: () => Promise<void>
  /** Every value in the log, per partition, in order. */
  readAll: () => Promise<string[][]>
}

export interface KillFigures {
  kills: number
  leaderKills: number
  accepted: number
  /** Accepted, and not in the log. */
  lost: string[]
  /** In the log more than once. */
  doubled: string[]
  /** Of one key, and not in the order in which they were accepted. */
  disordered: string[]
  /** Not accepted when the publisher died, and in the log all the same. */
  unasked: number
  /** Publishers that left something for the next. */
  recoveries: number
  maybeDoubled: string[]
}

const KEYS = 11
const ACCEPTED_WITHIN_MS = 30_000

export async function killPublishers(of: OutboxKills): Promise<KillFigures> {
  const accepted = new Set<string>()
  const figures = { kills: 0, leaderKills: 0, recoveries: 0, maybeDoubled: [] as string[] }
  let next = 0
  let leaderDies: Promise<void> = Promise.resolve()
  let dying = false
  const note = (notes: string) => {
    if (/delivered first/.test(notes)) figures.recoveries++
    figures.maybeDoubled.push(...notes.split('\n').filter(line => line.includes('may be doubled')))
  }
  while (figures.kills < of.kills) {
    const publisher = start(of, ['--echo', 'accepted'])
    const feeding = feed(publisher, () => line(next++))
    await echoed(publisher, 1 + Math.floor(of.random() * 400))
    if (!dying && of.random() < 0.35) {
      dying = true
      figures.leaderKills++
      leaderDies = of.killLeader().finally(() => {
        dying = false
      })
      if (of.random() < 0.5) await echoed(publisher, publisher.text.split('\n').length + Math.floor(of.random() * 300))
    }
    publisher.child.kill('SIGKILL')
    figures.kills++
    await feeding
    const { lines, notes } = await publisher.ended
    for (const one of lines) accepted.add(one)
    note(notes)
  }
  await leaderDies
  const last = start(of, [])
  last.child.stdin!.end()
  const { code, notes } = await last.ended
  if (code !== 0) throw new Error(`what was left could not be delivered: exit code ${code}\n${notes}`)
  note(notes)
  return { ...figures, accepted: accepted.size, ...judge(accepted, await of.readAll()) }
}

const line = (number: number) => `key${number % KEYS}:${String(number).padStart(9, '0')}`

function start({ url, topic, directory }: OutboxKills, more: string[]): Running {
  return new Running(['produce', topic, '-K', ':', '--cluster', url, '--outbox', directory, '--connect-timeout', '30s', ...more])
}

/** Until it dies. */
async function feed({ child }: Running, next: () => string): Promise<void> {
  const gone = once(child, 'exit')
  const stdin = child.stdin!
  while (child.exitCode === null && child.signalCode === null && stdin.writable) {
    const chunk = Array.from({ length: 10 }, next).join('\n')
    if (!stdin.write(`${chunk}\n`)) await Promise.race([once(stdin, 'drain').catch(() => {}), gone])
    // A source of some 5,000 lines a second: the log must be read whole in the end.
    else await new Promise(resolve => setTimeout(resolve, 2))
  }
}

async function echoed(publisher: Running, count: number): Promise<void> {
  const { child } = publisher
  const limit = AbortSignal.timeout(ACCEPTED_WITHIN_MS)
  const gone = once(child, 'exit').then(() => {
    throw new Error(`the publisher ended by itself:\n${publisher.notes}`)
  })
  const enough = async () => {
    while (publisher.text.split('\n').length <= count) await once(child.stdout!, 'data', { signal: limit })
  }
  await Promise.race([enough(), gone]).catch(error => {
    throw new Error(`${publisher.text.split('\n').length - 1} of ${count} lines were accepted: ${error.message}\n${publisher.notes}`)
  })
  gone.catch(() => {})
}

function judge(accepted: ReadonlySet<string>, log: readonly string[][]) {
  const seen = new Map<string, number>()
  for (const value of log.flat()) seen.set(value, (seen.get(value) ?? 0) + 1)
  const textOf = (text: string) => text.slice(text.indexOf(':') + 1)
  const values = new Set([...accepted].map(textOf))
  const disordered = log.flatMap(partition => {
    const last = new Map<number, number>()
    return partition.filter(value => {
      const key = Number(value) % KEYS
      const late = values.has(value) && Number(value) < (last.get(key) ?? -1)
      last.set(key, Math.max(last.get(key) ?? -1, Number(value)))
      return late
    })
  })
  return {
    lost: [...values].filter(value => !seen.has(value)),
    doubled: [...seen].filter(([, times]) => times > 1).map(([value]) => value),
    disordered,
    unasked: [...seen.keys()].filter(value => !values.has(value)).length
  }
}

/** The same on real brokers: leaders die by SIGKILL, and the log is read by Java's consumer. */
export async function killOnKafka(cluster: Cluster, kills: number, seed: number): Promise<KillFigures> {
  const topic = uniqueName('outbox')
  const partitions = 4
  await cluster.createTopic(topic, { partitions, replicationFactor: 3, config: { 'min.insync.replicas': '2' } })
  const directory = await mkdtemp(join(tmpdir(), 'samsa-outbox-'))
  const { random } = new VirtualWorld({ seed }).world
  try {
    return await killPublishers({
      ...{ url: `zookeeper://${cluster.zookeeper}`, topic, directory: join(directory, 'outbox'), kills, random },
      killLeader: async () => {
        const partition = Math.floor(random() * partitions)
        const leader = cluster.broker(await cluster.waitForLeader(topic, partition))
        await leader.kill()
        await cluster.waitForLeader(topic, partition, id => id !== leader.id)
        await leader.start()
        const ids = cluster.brokers.map(({ id }) => id)
        for (let one = 0; one < partitions; one++) await cluster.waitForIsr(topic, one, ids, 60_000)
      },
      readAll: () =>
        Promise.all(
          Array.from(
            { length: partitions },
            async (_, partition) => (await cluster.tool.consume(topic, { partition, values: true, limitMs: 120_000 })).values
          )
        )
    })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
