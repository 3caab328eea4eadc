/**
 * `npm run bench:groups [-- --kinds zookeeper,classic,consumer --only first,second,silence,handover --rounds 10]`: what joining and leaving a
 * group costs, all members ours, on real brokers. Times are of one run on one machine: compare the kinds with each other.
 */
import { parseArgs } from 'node:util'
import { type Cluster as Client, connect, type SubscribeOptions } from '../src/index.ts'
import { type Cluster, startCluster } from '../test/support/cluster.ts'
import { until } from '../test/support/until.ts'
import { uniqueName } from '../test/support/use-cluster.ts'

type Kind = 'zookeeper' | 'classic' | 'consumer'
type Membership = NonNullable<SubscribeOptions['membership']>

const PARTITIONS = 6
const HAND_OVERS = 100
const EVERY_MS = 2

interface Place {
  cluster: Cluster
  url: string
}

/** One member, and what it has read: when, and what. */
class Member {
  readonly seen: { partition: number; value: string; atMs: number }[] = []
  readonly owned = new Set<number>()
  #client: Client
  #close: () => Promise<void>

  private constructor(client: Client, close: () => Promise<void>) {
    this.#client = client
    this.#close = close
  }

  /** A client of its own each: members of one process share nothing. */
  static async join(url: string, options: SubscribeOptions): Promise<Member> {
    const client = await connect(url)
    return Member.within(client, options)
  }

  static async within(client: Client, options: SubscribeOptions): Promise<Member> {
    const consumer = client.subscribe(options)
    const member = new Member(client, () => consumer.close())
    consumer.on('partition.assigned', ({ partitions }) => {
      for (const { partition } of partitions) member.owned.add(partition)
    })
    for (const type of ['partition.revoked', 'partition.lost'] as const)
      consumer.on(type, ({ partitions }) => {
        for (const { partition } of partitions) member.owned.delete(partition)
      })
    consumer.on('message.batch', ({ messages, partition, ack }) => {
      const atMs = performance.now()
      for (const { value } of messages) member.seen.push({ partition, value: String(value), atMs })
      ack()
    })
    await consumer.handle
    return member
  }

  leave(): Promise<void> {
    return this.#close()
  }

  async end(): Promise<void> {
    await this.#client.close()
  }
}

/** Writes a numbered message to each partition, again and again, until it is stopped; says how many. */
async function feed(url: string, topic: string): Promise<() => Promise<number>> {
  const client = await connect(url)
  let count = 0
  let going = true
  const done = (async () => {
    while (going) {
      const round = Array.from({ length: PARTITIONS }, (_, partition) =>
        client.topic(topic).publish({ partition, value: `${partition}:${count}` })
      )
      count++
      await Promise.all(round)
      await new Promise(resolve => setTimeout(resolve, EVERY_MS))
    }
  })()
  return async () => {
    going = false
    await done
    await client.close()
    return count * PARTITIONS
  }
}

async function fresh({ cluster }: Place): Promise<{ topic: string; group: string }> {
  const topic = uniqueName('bench')
  await cluster.createTopic(topic, { partitions: PARTITIONS, replicationFactor: 1 })
  return { topic, group: uniqueName('group') }
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
const spread = (values: number[]) =>
  `median ${median(values).toFixed(0)} ms (${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)})`

/** From SUBSCRIBE to the first message, for a first member and for one that joins it. */
async function firstMessages(place: Place, membership: Membership, rounds: number): Promise<{ first: number[]; second: number[] }> {
  const out = { first: [] as number[], second: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    const { topic, group } = await fresh(place)
    const stop = await feed(place.url, topic)
    const clients = [await connect(place.url), await connect(place.url)]
    for (const [index, client] of clients.entries()) {
      const from = performance.now()
      const member = await Member.within(client, { topic, group, membership, from: 'earliest' })
      await until('a message', () => member.seen.length > 0)
      out[index === 0 ? 'first' : 'second'].push(member.seen[0]!.atMs - from)
    }
    await stop()
    await Promise.all(clients.map(client => client.close()))
  }
  return out
}

/** The longest time without a message of a partition that stays where it is: while two others join, and while nobody does. */
async function silence(place: Place, membership: Membership): Promise<{ joining: number; quiet: number; kept: number }> {
  const { topic, group } = await fresh(place)
  const stop = await feed(place.url, topic)
  const first = await Member.join(place.url, { topic, group, membership, from: 'earliest' })
  await until('all owned', () => first.owned.size === PARTITIONS && first.seen.length > 1_000)
  const beforeMs = performance.now()
  await new Promise(resolve => setTimeout(resolve, 5_000))
  const fromMs = performance.now()
  const others = [await Member.join(place.url, { topic, group, membership, from: 'earliest' })]
  await until('two share', () => others[0]!.owned.size === PARTITIONS / 2, 60_000)
  others.push(await Member.join(place.url, { topic, group, membership, from: 'earliest' }))
  await until('three share', () => others[1]!.owned.size === PARTITIONS / 3, 60_000)
  const kept = [...first.owned]
  const toMs = performance.now()
  const longest = (from: number, to: number) =>
    Math.max(
      ...kept.map(partition => {
        const times = first.seen
          .filter(each => each.partition === partition && each.atMs >= from && each.atMs <= to)
          .map(({ atMs }) => atMs)
        return Math.max(...times.slice(1).map((time, index) => time - times[index]!))
      })
    )
  const result = { joining: longest(fromMs, toMs), quiet: longest(beforeMs, fromMs), kept: kept.length }
  await stop()
  await Promise.all([first, ...others].map(member => member.end()))
  return result
}

/** One of two members leaves and another one comes, again and again: what was delivered twice, and what not at all. */
async function handOvers(place: Place, membership: Membership): Promise<{ twice: number; lost: number; messages: number }> {
  const { topic, group } = await fresh(place)
  const stop = await feed(place.url, topic)
  const client = await connect(place.url)
  const all: Member[] = []
  const join = async () => {
    const member = await Member.within(client, { topic, group, membership, from: 'earliest' })
    all.push(member)
    await until('it owns', () => member.owned.size > 0, 60_000)
    return member
  }
  let [leaver, stayer] = [await join(), await join()]
  for (let round = 0; round < HAND_OVERS; round++) {
    await leaver.leave()
    ;[leaver, stayer] = [stayer, await join()]
  }
  const messages = await stop()
  const values = () => all.flatMap(({ seen }) => seen.map(({ value }) => value))
  await until('all is read', () => new Set(values()).size === messages, 60_000).catch(() => {})
  const read = values()
  const once = new Set(read).size
  await client.close()
  return { twice: read.length - once, lost: messages - once, messages }
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kinds: { type: 'string', default: 'zookeeper,classic,consumer' },
      only: { type: 'string', default: 'first,silence,handover' },
      rounds: { type: 'string', default: '10' }
    }
  })
  const kinds = values.kinds.split(',') as Kind[]
  const only = values.only.split(',')
  const withZooKeeper = kinds.some(kind => kind !== 'consumer') ? await startCluster({ brokers: 1, config: groupConfig }) : undefined
  const kraft = kinds.includes('consumer') ? await startCluster({ kafka: '4' }) : undefined
  try {
    for (const kind of kinds) {
      const cluster = (kind === 'consumer' ? kraft : withZooKeeper)!
      const url = kind === 'zookeeper' ? `zookeeper://${cluster.zookeeper}` : `kafka://${cluster.bootstrap.join(',')}`
      const place = { cluster, url }
      console.log(`\n${kind} (Kafka ${cluster.facts.kafka})`)
      if (only.includes('first') || only.includes('second')) {
        const { first, second } = await firstMessages(place, kind, Number(values.rounds))
        console.log(`  first member, SUBSCRIBE to first message   ${spread(first)}`)
        console.log(`  second member                              ${spread(second)}`)
      }
      if (only.includes('silence')) {
        const { joining, quiet, kept } = await silence(place, kind)
        console.log(
          `  longest silence of ${kept} partitions that stay   ${joining.toFixed(0)} ms while two join, ${quiet.toFixed(0)} ms while none does`
        )
      }
      if (only.includes('handover')) {
        const { twice, lost, messages } = await handOvers(place, kind)
        console.log(`  ${HAND_OVERS} graceful hand-overs, ${messages} messages   ${twice} delivered twice, ${lost} lost`)
      }
    }
  } finally {
    await withZooKeeper?.dispose()
    await kraft?.dispose()
  }
}

/** One broker holds all of it. */
const groupConfig = {
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'min.insync.replicas': '1'
}

await run()
