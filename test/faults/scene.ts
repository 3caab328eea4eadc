/**
 * The ground of the embedded scenarios: a cluster, a publisher and two members in a World of virtual time, where everything, the moment of the fault
 * included, comes from the seed. The figures are those of the real runs, in virtual time.
 */
import { type Cluster, connect, type Message, type SubscribeOptions } from '../../src/index.ts'
import { type EmbeddedCluster, startCluster } from '../../src/testing.ts'
import { History } from '../checker/record.ts'
import { SimWorld } from '../sim/sim-world.ts'
import type { Seen } from './party.ts'

export const TOPIC = 'orders'
export const SIM_GROUP = 'workers'
const PARTITIONS = 6
const KEYS = 200
const PUBLISH_EACH_MS = 40
const LOOK_EACH_MS = 20
const LIMIT_MS = 120_000
/** As the real brokers of the table have it. */
export const BROKER_SESSION_MS = 4_000
const TOPIC_CONFIG = { 'min.insync.replicas': '2' }

export interface SimMember {
  name: string
  client: Cluster
  owned: Set<string>
  /** When it was given partitions. */
  assignedMs: number[]
  /** The work on the next batch takes so long. */
  holdMs: number
  unwatch: () => void
  close(): Promise<void>
}

export interface SceneOptions {
  /** Default classic. */
  group?: SubscribeOptions['membership']
  subscribe?: Partial<SubscribeOptions>
  /** Publishes have 3 s, and not two minutes. */
  hurried?: boolean
}

export class Scene {
  readonly sim: SimWorld
  readonly history: History
  readonly members: SimMember[] = []
  readonly acks: Seen[] = []
  readonly reads: Seen[] = []
  readonly unread = new Set<string>()
  /** Values that lay in a topic that was deleted. */
  readonly gone = new Set<string>()
  kafka!: EmbeddedCluster
  publisher!: Cluster
  #subscribe: SubscribeOptions
  #hurried: boolean
  #clients = new Set<Cluster>()
  #publishing: Promise<void> = Promise.resolve()
  #stopped = false
  #paused = false
  #sent = 0
  #publishers = 0
  #joined = 0
  #seen = new Set<string>()
  #underWay = new Set<Promise<void>>()

  constructor(seed: number, { group: membership = 'classic', subscribe = {}, hurried = false }: SceneOptions = {}) {
    this.#hurried = hurried
    this.sim = new SimWorld(seed)
    this.history = new History(() => this.sim.nowMs)
    this.#subscribe = {
      ...{ topic: TOPIC, group: SIM_GROUP, membership, from: 'earliest', autoCommitIntervalMs: 500 },
      ...{ groupSessionTimeoutMs: 6_000, heartbeatIntervalMs: 500 },
      ...subscribe
    }
  }

  async start(): Promise<void> {
    this.kafka = await startCluster({
      ...{ brokers: 3, world: this.sim.world, brokerSessionTimeoutMs: BROKER_SESSION_MS },
      topics: { [TOPIC]: { partitions: PARTITIONS, replicationFactor: 3, config: TOPIC_CONFIG } }
    })
    await this.publish()
    await this.join()
    await this.join()
  }

  get partitions(): number {
    return this.kafka.state.topicPartitions(TOPIC) ?? 0
  }

  async open(clientId: string): Promise<Cluster> {
    const client = await connect(this.kafka.url, {
      ...{
        world: this.sim.world,
        clientId,
        sessionTimeoutMs: 4_000,
        requestTimeoutMs: this.#hurried ? 2_000 : 5_000,
        metadataMaxAgeMs: 3_000
      },
      publish: { deliveryTimeoutMs: this.#hurried ? 3_000 : 120_000 }
    })
    this.#clients.add(client)
    return client
  }

  /** Begins to publish, by a client of its own. */
  async publish(): Promise<void> {
    const name = `publisher-${++this.#publishers}`
    this.publisher = await this.open(name)
    this.#stopped = false
    this.#publishing = this.#publish(name, this.publisher)
  }

  async #publish(name: string, client: Cluster): Promise<void> {
    while (!this.#stopped && this.publisher === client) {
      if (!this.#paused) {
        const one = this.#one(name, client, this.#sent++)
        this.#underWay.add(one)
        one.finally(() => this.#underWay.delete(one))
      }
      await this.sim.sleep(PUBLISH_EACH_MS)
    }
  }

  async #one(name: string, client: Cluster, number: number): Promise<void> {
    const value = `message ${number}`
    try {
      const { partition } = await this.history.publish(client.topic(TOPIC), { key: `k${number % KEYS}`, value }, name)
      this.acks.push({ atMs: this.sim.nowMs, partition })
      if (!this.#seen.has(value) && !this.gone.has(value)) this.unread.add(value)
    } catch {
      // What became of it is in the history.
    }
  }

  /** Nothing is published meanwhile, and nothing is under way. */
  async whilePaused(body: () => Promise<void>): Promise<void> {
    this.#paused = true
    await this.until('no publish under way', () => this.#underWay.size === 0)
    await body()
    this.#paused = false
  }

  /** The process of the publisher is dead: its promises are never settled. */
  killPublisher(): void {
    const client = this.publisher
    client.actor.stop()
    this.#clients.delete(client)
    this.history.crash(`publisher-${this.#publishers}`)
    this.#underWay.clear()
  }

  async join(): Promise<SimMember> {
    const name = `member-${++this.#joined}`
    const client = await this.open(name)
    const consumer = client.subscribe(this.#subscribe)
    const unwatch = this.history.watchConsumer(consumer, name, { group: SIM_GROUP })
    const member: SimMember = {
      ...{ name, client, owned: new Set<string>(), assignedMs: [], holdMs: 0, unwatch },
      close: async () => {
        this.#leave(member)
        await consumer.close()
      }
    }
    consumer.on('message.batch', ({ messages, ack }) => this.#handed(member, messages, ack))
    consumer.on('partition.assigned', ({ partitions }) => {
      for (const { topic, partition } of partitions) member.owned.add(`${topic}/${partition}`)
      member.assignedMs.push(this.sim.nowMs)
    })
    const taken = ({ partitions }: { partitions: readonly { topic: string; partition: number }[] }) => {
      for (const { topic, partition } of partitions) member.owned.delete(`${topic}/${partition}`)
    }
    consumer.on('partition.revoked', taken)
    consumer.on('partition.lost', taken)
    this.members.push(member)
    return member
  }

  /** Its process is dead. */
  killMember(member: SimMember): void {
    this.#leave(member)
    member.unwatch()
    this.history.crash(member.name)
    member.client.actor.stop()
    this.#clients.delete(member.client)
  }

  #leave(member: SimMember): void {
    this.members.splice(this.members.indexOf(member), 1)
  }

  #handed(member: SimMember, messages: readonly Message[], ack: () => void): Promise<void> | void {
    for (const { value, partition } of messages) {
      this.reads.push({ atMs: this.sim.nowMs, partition })
      this.#seen.add(String(value))
      this.unread.delete(String(value))
    }
    const { holdMs } = member
    member.holdMs = 0
    if (holdMs > 0) return this.sim.sleep(holdMs).then(() => ack())
    ack()
  }

  /** Until every partition is written and read from now on, and owned by one. */
  async flowing(): Promise<void> {
    const [acks, reads] = [this.acks.length, this.reads.length]
    const all = (seen: readonly Seen[], from: number) => new Set(seen.slice(from).map(({ partition }) => partition)).size >= this.partitions
    const owned = () => this.members.reduce((sum, member) => sum + member.owned.size, 0) === this.partitions
    const flows = () => this.partitions > 0 && all(this.acks, acks) && all(this.reads, reads) && owned()
    await this.until('the flow', flows).catch(error => {
      const left = (seen: readonly Seen[], from: number) => {
        const there = new Set(seen.slice(from).map(({ partition }) => partition))
        return Array.from({ length: this.partitions }, (_, partition) => partition).filter(partition => !there.has(partition))
      }
      const owned = this.members.map(member => [...member.owned].join(' ')).join('; ')
      throw new Error(
        `${(error as Error).message}: no ack of ${left(this.acks, acks)}, no record of ${left(this.reads, reads)}; owned: ${owned}`
      )
    })
  }

  async until(what: string, test: () => boolean, limitMs = LIMIT_MS): Promise<void> {
    const lastMs = this.sim.nowMs + limitMs
    while (!test()) {
      if (this.sim.nowMs > lastMs) throw new Error(`waited ${limitMs} ms of virtual time in vain for ${what}`)
      await this.sim.sleep(LOOK_EACH_MS)
    }
  }

  /** Publishing ends, everything is read, and all close. */
  async finish(): Promise<void> {
    this.#stopped = true
    await this.#publishing
    await this.until('all publishes to end', () => this.#underWay.size === 0)
    const missing = () => [...this.unread].filter(value => !this.gone.has(value))
    await this.until('everything acked to be read', () => missing().length === 0).catch(error => {
      throw new Error(`${(error as Error).message}: ${missing().slice(0, 5).join(', ')} (${missing().length})`)
    })
    await Promise.all([...this.#clients].map(client => client.close()))
    for (const broker of this.kafka.brokers) if (broker.troubles.length > 0) throw broker.troubles[0]
    await this.kafka.stop()
  }

  /** Lets time pass until a promise is settled. */
  async wait<T>(promise: Promise<T>, limitMs = LIMIT_MS * 5): Promise<T> {
    let end: { value: T } | { error: unknown } | undefined
    promise.then(
      value => {
        end = { value }
      },
      (error: unknown) => {
        end = { error }
      }
    )
    await this.sim.run(() => end !== undefined, limitMs)
    if (!end) throw new Error(`${limitMs} ms of virtual time have passed in vain`)
    if ('error' in end) throw end.error
    return end.value
  }
}
