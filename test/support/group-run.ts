/**
 * A group under test while numbered messages are published all the while: who joins, what was published and delivered, what was lost, and
 * what came twice and by which right. Ends with every client's recording folded and compared.
 */
import assert from 'node:assert/strict'
import { type ClusterOptions, connect, type RecordMetadata, type SubscribeOptions } from '../../src/index.ts'
import type { Cluster } from './cluster.ts'
import { assertClientReplays, instanceOfClient } from './connected.ts'
import { Gathered } from './gathered.ts'
import { Member, MemberProcess, optionsOf, type Where } from './group-member.ts'
import { ScalaMember, type ScalaMemberOptions } from './scala-member.ts'
import { until } from './until.ts'
import { uniqueName } from './use-cluster.ts'
import { ZooKeeperProxy } from './zookeeper-proxy.ts'

/** What every kind of member has: the records it was given, in order. */
export interface Reader {
  readonly records: readonly { topic: string; partition: number; offset: number; value: string | null }[]
}

/** Where a record lies. */
export const placeOf = ({ topic, partition, offset }: { topic: string; partition: number; offset: number | bigint }) =>
  `${topic}/${partition}/${offset}`

/** Publishes `m0`, `m1` … one after the other, with a key of its own each, over its topics in turn. */
export class Numbered {
  /** Place of each message that is acked. */
  readonly places = new Map<string, string>()
  #topics: readonly string[]
  #stopped = false
  #running: Promise<void>
  #held: { reached(): void; released: Promise<void> } | undefined
  #acks = new Gathered<RecordMetadata>()

  constructor(where: Where, topics: readonly string[]) {
    this.#topics = topics
    this.#running = this.#run(where)
    // Told by `stop`; a wait in between has its own deadline.
    this.#running.catch(() => {})
  }

  async #run(where: Where): Promise<void> {
    const client = await connect({ ...optionsOf(where), recorderMaxBytes: 0 })
    try {
      for (let number = 0; !this.#stopped; number++) {
        if (this.#held) {
          this.#held.reached()
          await this.#held.released
        }
        const topic = this.#topics[number % this.#topics.length]!
        const place = await client.topic(topic).publish({ key: `k${number}`, value: `m${number}` })
        this.places.set(`m${number}`, placeOf(place))
        this.#acks.add(place)
      }
    } finally {
      await client.close()
    }
  }

  /** Until so many more than now are acked. */
  async more(count: number, limitMs = 60_000): Promise<void> {
    await this.#acks.count(this.#acks.all.length + count, limitMs)
  }

  /** Resolves when nothing is under way; nothing is published until `body` is over. */
  async whileHeld<T>(body: () => Promise<T>): Promise<T> {
    let release = () => {}
    const reached = new Promise<void>(resolve => {
      this.#held = {
        reached: resolve,
        released: new Promise(settle => {
          release = settle
        })
      }
    })
    try {
      await Promise.race([reached, this.#running])
      return await body()
    } finally {
      this.#held = undefined
      release()
    }
  }

  /** Rejects when a publish has failed. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }
}

export class GroupRun implements AsyncDisposable {
  readonly cluster: Cluster
  readonly topics: string[]
  /** How its members find the cluster. */
  readonly where: Where
  readonly group = uniqueName('group')
  readonly readers: Reader[] = []
  /** With `publish`. */
  stream: Numbered | undefined
  #ours = new Set<Member>()
  #others = new Set<{ close(): Promise<void> }>()
  #proxies: ZooKeeperProxy[] = []

  /** Makes its topics: so many partitions each. `where`: how members find the cluster; default by ZooKeeper, where it has one. */
  static async start(
    cluster: Cluster,
    partitions: readonly number[],
    config: Record<string, string> = {},
    where: Where = cluster.facts.zookeeper ?? { brokers: cluster.bootstrap.join(',') }
  ): Promise<GroupRun> {
    const name = uniqueName('run')
    const topics = partitions.map((_, index) => `${name}-${index}`)
    await cluster.createTopics(Object.fromEntries(topics.map((topic, index) => [topic, { partitions: partitions[index]!, config }])))
    return new GroupRun(cluster, topics, where)
  }

  private constructor(cluster: Cluster, topics: string[], where: Where) {
    this.cluster = cluster
    this.topics = topics
    this.where = where
  }

  get topic(): string {
    return this.topics[0]!
  }

  /** A member of ours in this process. */
  async join(subscribe: Partial<SubscribeOptions> = {}, options: Partial<ClusterOptions> = {}): Promise<Member> {
    const member = await Member.start(this.where, this.#subscribed(subscribe), options)
    this.#ours.add(member)
    this.readers.push(member)
    return member
  }

  /** One in a process of its own, that can be killed. */
  spawn(subscribe: Partial<SubscribeOptions> = {}, options: Partial<ClusterOptions> = {}): MemberProcess {
    const member = MemberProcess.start(this.where, this.#subscribed(subscribe), options)
    this.#others.add(member)
    this.readers.push(member)
    return member
  }

  async joinScala(options: Partial<ScalaMemberOptions> = {}): Promise<ScalaMember> {
    const { group, topics } = this
    const source = options.whitelist === undefined ? { topics: Object.fromEntries(topics.map(topic => [topic, 1])) } : {}
    const member = await ScalaMember.start({ zookeeper: this.cluster.zookeeper, group, autoCommitIntervalMs: 300, ...source, ...options })
    this.#others.add(member)
    this.readers.push(member)
    return member
  }

  /** A member of another kind, which was started on its own. */
  adopt<T extends Reader & { close(): Promise<void> }>(member: T): T {
    this.#others.add(member)
    this.readers.push(member)
    return member
  }

  #subscribed(subscribe: Partial<SubscribeOptions>): SubscribeOptions {
    const source = subscribe.pattern === undefined && subscribe.topic === undefined ? { topics: this.topics } : {}
    return { group: this.group, ...source, ...subscribe }
  }

  /** ZooKeeper through a proxy, for one member: `join({}, { zookeeper: url })`. */
  async proxy(): Promise<{ proxy: ZooKeeperProxy; url: string }> {
    const { zookeeper } = this.cluster
    const [address = '', chroot = ''] = [zookeeper.slice(0, zookeeper.indexOf('/')), zookeeper.slice(zookeeper.indexOf('/'))]
    const proxy = await ZooKeeperProxy.start(Number(address.split(':')[1]))
    this.#proxies.push(proxy)
    return { proxy, url: `127.0.0.1:${proxy.port}${chroot}` }
  }

  /** Begins to publish, until `allDelivered`. */
  publish(topics: readonly string[] = this.topics): Numbered {
    this.stream = new Numbered(this.where, topics)
    return this.stream
  }

  /** A member leaves in order, after its recording was folded. */
  async leave(member: { close(): Promise<void> }): Promise<void> {
    this.#others.delete(member)
    if (this.#ours.delete(member as Member)) await checkReplay(member as Member)
    await member.close()
  }

  /** A member whose process was killed. */
  forget(member: { close(): Promise<void> }): void {
    this.#others.delete(member)
  }

  /** Stops publishing and waits until every message was delivered; what came more than once, and how often too often, comes back. */
  async allDelivered(limitMs = 30_000): Promise<Map<string, number>> {
    await this.stream!.stop()
    await this.caughtUp(limitMs)
    return this.repeated()
  }

  /** Until all that is acked was delivered. */
  async caughtUp(limitMs = 30_000): Promise<void> {
    const published = this.stream!.places
    const missing = () => {
      const seen = new Set(this.readers.flatMap(({ records }) => records.map(placeOf)))
      return [...published.values()].filter(place => !seen.has(place))
    }
    await until('every message is delivered', () => missing().length === 0, limitMs).catch(() => {
      assert.deepEqual(missing().slice(0, 10), [], `${missing().length} of ${published.size} messages were not delivered`)
    })
  }

  /** How many times too often each record that came more than once has come. */
  repeated(): Map<string, number> {
    const times = new Map<string, number>()
    for (const record of this.readers.flatMap(({ records }) => records)) times.set(placeOf(record), (times.get(placeOf(record)) ?? 0) + 1)
    return new Map([...times].filter(([, count]) => count > 1).map(([place, count]) => [place, count - 1]))
  }

  /** Committed next offsets in Kafka, by `topic/partition`. */
  async committedInKafka(): Promise<Map<string, number>> {
    const offsets = Object.entries(await this.cluster.tool.groupOffsets(this.group))
    return new Map(
      offsets.flatMap(([topic, all]) => Object.entries(all).map(([partition, next]) => [`${topic}/${partition}`, next] as const))
    )
  }

  /** Committed next offsets in ZooKeeper, by `topic/partition`. */
  async committed(): Promise<Map<string, number>> {
    const nodes = await this.cluster.tool.znodes(`/consumers/${this.group}/offsets`)
    return new Map(
      Object.entries(nodes).flatMap(([path, { data }]) => {
        const match = /\/offsets\/([^/]+\/\d+)$/.exec(path)
        return match && data ? [[match[1]!, Number(data)] as const] : []
      })
    )
  }

  /** Thread ids by `topic/partition`. */
  async owners(): Promise<Map<string, string>> {
    const nodes = await this.cluster.tool.znodes(`/consumers/${this.group}/owners`)
    return new Map(
      Object.entries(nodes).flatMap(([path, { data }]) => {
        const match = /\/owners\/([^/]+\/\d+)$/.exec(path)
        return match ? [[match[1]!, String(data)] as const] : []
      })
    )
  }

  /** Folds every recording, and ends whatever still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const member of this.#ours) await checkReplay(member)
    } finally {
      await this.stream?.stop().catch(() => {})
      await Promise.all([...this.#ours, ...this.#others].map(member => member.close()))
      await Promise.all(this.#proxies.map(proxy => proxy.close()))
    }
  }
}

async function checkReplay({ client }: Member): Promise<void> {
  await assertClientReplays({ client, events: new Gathered(), instance: instanceOfClient(client) })
}

/** What a member was given and had not committed: what may come again when it is gone without a word. */
export function uncommitted(reader: Reader, committed: ReadonlyMap<string, number>): Set<string> {
  return new Set(
    reader.records.filter(({ topic, partition, offset }) => offset >= (committed.get(`${topic}/${partition}`) ?? 0)).map(placeOf)
  )
}

/** Offsets of each partition come one after the other, without a step back, inside one assignment. */
export function assertInOrder(reader: Reader): void {
  const last = new Map<string, number>()
  for (const record of reader.records) {
    const key = `${record.topic}/${record.partition}`
    assert.ok(record.offset > (last.get(key) ?? -1), `${placeOf(record)} after ${last.get(key)}`)
    last.set(key, record.offset)
  }
}
