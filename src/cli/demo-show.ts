/**
 * What the demo shows: an embedded cluster, a publisher, consumers of one group, and a count of every message, so that at the end nobody has to
 * believe that nothing was lost.
 */
import type { Cluster, Consumer } from '../index.ts'
import type { World } from '../model/world.ts'
import type { EmbeddedCluster } from '../testing.ts'

export const TOPIC = 'example'
const GROUP = 'workers'
const PARTITIONS = 6
const TICK_MS = 10
/** A publisher that is this far ahead of its acks waits for them. */
const MOST_OUTSTANDING = 20_000
const LAST_MESSAGES_MS = 30_000

interface Reader {
  name: string
  client: Cluster
  consumer: Consumer
  read: number
  owned: Set<number>
  /** Ends when its messages do. */
  done: Promise<void>
  sessionId: bigint | undefined
}

export interface Counts {
  published: number
  acked: number
  failed: number
  consumed: number
  /** Delivered at least once, and more than once. */
  distinct: number
  twice: number
}

export class Show {
  readonly kafka: EmbeddedCluster
  readonly readers: Reader[] = []
  readonly counts: Counts = { published: 0, acked: 0, failed: 0, consumed: 0, distinct: 0, twice: 0 }
  #connect: (clientId: string) => Promise<Cluster>
  #world: World
  #say: (what: string) => void
  #publisher: Cluster | undefined
  #publisherSession: bigint | undefined
  /** By number of the message: how often it was delivered, up to 255. */
  #seen = new Uint8Array(1 << 16)
  #ended = new AbortController()
  #changed: (() => void)[] = []

  constructor(options: {
    kafka: EmbeddedCluster
    world: World
    say: (what: string) => void
    connect: (clientId: string) => Promise<Cluster>
  }) {
    this.kafka = options.kafka
    this.#world = options.world
    this.#say = options.say
    this.#connect = options.connect
  }

  /** Connects the publisher and the first consumers. */
  async begin(consumers: number): Promise<void> {
    this.kafka.createTopic(TOPIC, {
      partitions: PARTITIONS,
      config: { 'min.insync.replicas': String(Math.min(2, this.kafka.brokers.length)) }
    })
    const { client, sessionId } = await this.#open('publisher')
    this.#publisher = client
    this.#publisherSession = sessionId
    this.#tell(client)
    for (let i = 0; i < consumers; i++) await this.addConsumer()
  }

  /** Publishes so many messages at this rate. Resolves when each is acked, or has failed; early when `stop` is aborted. */
  async publish(count: number, perSecond: number, stop: AbortSignal): Promise<void> {
    const topic = this.#publisher!.topic(TOPIC)
    const { counts } = this
    const first = counts.published
    const startMs = this.#world.monotonicMs()
    while (counts.published - first < count && !stop.aborted) {
      const dueByNow = ((this.#world.monotonicMs() - startMs) * perSecond) / 1_000
      while (counts.published - first < Math.min(count, dueByNow) && this.#outstanding < MOST_OUTSTANDING) {
        topic.publish(String(counts.published++)).then(
          () => this.#count('acked'),
          () => this.#count('failed')
        )
      }
      await this.#pause(TICK_MS)
    }
    await this.#until(() => this.#outstanding === 0, LAST_MESSAGES_MS)
  }

  /** Waits until everything that was acked has been consumed; false: it was not in time. */
  drained(): Promise<boolean> {
    return this.#until(() => this.counts.distinct >= this.counts.acked, LAST_MESSAGES_MS)
  }

  /** Kills the broker that leads most (the controller first, where they are alike); answers with its id. */
  kill(): number | undefined {
    const running = this.kafka.brokers.filter(broker => broker.running)
    if (running.length < 2) {
      this.#say('one broker is left; it is spared')
      return undefined
    }
    const leads = (id: number) => this.kafka.state.topic(TOPIC)!.partitions.filter(({ leader }) => leader === id).length
    const [victim] = running.sort((a, b) => leads(b.id) - leads(a.id))
    this.#say(`killing broker ${victim!.id}, the leader of ${leads(victim!.id)} partitions`)
    this.kafka.kill(victim!.id)
    return victim!.id
  }

  async restart(id: number): Promise<void> {
    if (this.#ended.signal.aborted || this.kafka.broker(id).running) return
    this.#say(`starting broker ${id} again`)
    await this.kafka.restart(id)
  }

  async addConsumer(): Promise<void> {
    const name = `consumer ${String.fromCharCode(65 + (this.readers.length % 26))}`
    const { client, sessionId } = await this.#open(name)
    // Who loses its session repeats what it had not committed: not much.
    const consumer = client
      .topic(TOPIC)
      .subscribe({ group: GROUP, from: 'earliest', autoCommitIntervalMs: 200, signal: this.#ended.signal })
    const reader: Reader = { name, client, consumer, read: 0, owned: new Set(), done: Promise.resolve(), sessionId }
    consumer.on('partition.assigned', ({ partitions }) => {
      for (const { partition } of partitions) reader.owned.add(partition)
      this.#say(`${name} owns partitions ${numbers(reader.owned)}`)
    })
    for (const event of ['partition.revoked', 'partition.lost'] as const)
      consumer.on(event, ({ partitions }) => {
        for (const { partition } of partitions) reader.owned.delete(partition)
        this.#say(
          `${name} ${event === 'partition.lost' ? 'has lost' : 'gives up'} partitions ${numbers(partitions.map(each => each.partition))}`
        )
      })
    reader.done = this.#read(reader)
    this.readers.push(reader)
    this.#say(`${name} joins the group`)
  }

  /** Ends a ZooKeeper session, as if its owner had been silent for too long: the publisher's, or the first consumer's. */
  expire(whose: 'publisher' | 'consumer'): void {
    const sessionId = whose === 'publisher' ? this.#publisherSession : this.readers[0]?.sessionId
    const name = whose === 'publisher' ? 'the publisher' : this.readers[0]?.name
    if (sessionId === undefined || !this.kafka.zookeeper?.sessionIds.includes(sessionId)) {
      this.#say(`the ZooKeeper session of ${name} is over already`)
      return
    }
    this.#say(`expiring the ZooKeeper session of ${name}`)
    this.kafka.zookeeper.expire(sessionId)
  }

  async end(): Promise<void> {
    this.#ended.abort()
    await Promise.all(this.readers.map(({ done }) => done))
    await Promise.all([...this.readers.map(({ client }) => client.close()), this.#publisher?.close()])
    await this.kafka.stop()
  }

  async #read(reader: Reader): Promise<void> {
    try {
      for await (const message of reader.consumer) {
        reader.read++
        this.#saw(Number(String(message.value)))
      }
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#say(`${reader.name} ends: ${(error as Error).message}`)
    }
  }

  #saw(number: number): void {
    if (number >= this.#seen.length) {
      const more = new Uint8Array(2 ** Math.ceil(Math.log2(number + 1)))
      more.set(this.#seen)
      this.#seen = more
    }
    const times = this.#seen[number]!
    if (times === 0) this.counts.distinct++
    if (times === 1) this.counts.twice++
    if (times < 255) this.#seen[number] = times + 1
    this.#count('consumed')
  }

  #count(what: 'acked' | 'failed' | 'consumed'): void {
    this.counts[what]++
    for (const look of this.#changed) look()
  }

  get #outstanding(): number {
    return this.counts.published - this.counts.acked - this.counts.failed
  }

  /** A client, and its session among those of the embedded ZooKeeper. */
  async #open(clientId: string): Promise<{ client: Cluster; sessionId: bigint | undefined }> {
    const before = new Set(this.kafka.zookeeper?.sessionIds)
    const client = await this.#connect(clientId)
    return { client, sessionId: this.kafka.zookeeper?.sessionIds.find(id => !before.has(id)) }
  }

  #tell(client: Cluster): void {
    client.on('brokers', ({ appeared, disappeared }) => {
      for (const id of appeared) this.#say(`ZooKeeper: broker ${id} is there`)
      for (const id of disappeared) this.#say(`ZooKeeper: broker ${id} is gone`)
    })
    client.on('leader.changed', ({ partition, leader, leaderEpoch }) => {
      if (leaderEpoch > 0)
        this.#say(`partition ${partition} is led by ${leader === null ? 'nobody' : `broker ${leader}`} (epoch ${leaderEpoch})`)
    })
    client.on('publish.retrying', ({ partition, reason, attempt }) => {
      if (attempt === 1) this.#say(`publishes to partition ${partition} wait: ${reason}`)
    })
    client.on('registry.state', ({ state, reason }) => {
      if (reason) this.#say(`the publisher's registry is ${state}: ${reason}`)
    })
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => void this.#world.setTimer(resolve, ms))
  }

  #until(done: () => boolean, limitMs: number): Promise<boolean> {
    return new Promise(resolve => {
      const end = (result: boolean) => {
        this.#world.clearTimer(timer)
        this.#changed = this.#changed.filter(each => each !== look)
        resolve(result)
      }
      const look = () => {
        if (done()) end(true)
      }
      const timer = this.#world.setTimer(() => end(done()), limitMs)
      this.#changed.push(look)
      look()
    })
  }
}

export const numbers = (partitions: Iterable<number>): string => [...partitions].sort((a, b) => a - b).join(', ') || 'none'
