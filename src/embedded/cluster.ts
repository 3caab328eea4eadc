/**
 * An embedded cluster: brokers and their ZooKeeper in this process, each a real server on a loopback port of its own, and the faults that can befall them.
 */
import { SamsaError, UsageError } from '../model/errors.ts'
import type { World } from '../model/world.ts'
import type { ApiName } from '../wire/apis.ts'
import { forgetTopics } from './controller.ts'
import { Broker } from './kafka/broker.ts'
import type { ControlHandler } from './kafka/control.ts'
import { KafkaFault } from './kafka/errors.ts'
import type { Partition } from './kafka/partition.ts'
import { ClusterState } from './kafka/state.ts'
import { brokerPorts, checkOptions, DEFAULT_BROKERS, EMBEDDED_CONFIG, type EmbeddedOptions } from './options.ts'
import { Registration } from './registration.ts'
import type { Saved } from './saved.ts'
import { Storage } from './storage.ts'
import { EmbeddedZooKeeper } from './zookeeper/server.ts'

/** What outlives the process. */
interface Kept {
  storage: Storage | undefined
  troubles: unknown[]
  /** Of a process before. */
  saved: Saved | undefined
}

interface Member {
  broker: Broker
  registration: Registration | undefined
}

export class EmbeddedCluster implements AsyncDisposable {
  readonly world: World
  readonly state: ClusterState
  /** Null: the cluster does without. */
  readonly zookeeper: EmbeddedZooKeeper | null
  /** What could not be written into its directory. */
  readonly troubles: unknown[]
  #members = new Map<number, Member>()
  #storage: Storage | undefined
  #cleaner: object | undefined
  #sessionTimeoutMs: number

  private constructor(world: World, options: EmbeddedOptions, zookeeper: EmbeddedZooKeeper | null, kept: Kept) {
    this.#storage = kept.storage
    this.troubles = kept.troubles
    this.world = world
    this.zookeeper = zookeeper
    this.#sessionTimeoutMs = options.brokerSessionTimeoutMs ?? 0
    this.state = new ClusterState({
      world,
      config: { ...EMBEDDED_CONFIG, ...options.config },
      ...(kept.saved ? { clusterId: kept.saved.clusterId, firstProducerId: BigInt(kept.saved.producerIds) } : {}),
      ...(options.users ? { users: options.users } : {}),
      governed: zookeeper ? 'elsewhere' : 'here'
    })
  }

  /** Resolves when every broker listens, leads its share, and the topics are there. Throws UsageError; rejects when a port is taken. */
  static async start(world: World, options: EmbeddedOptions = {}): Promise<EmbeddedCluster> {
    const { zookeeper = true, racks, profile, maxVersions } = options
    const troubles: unknown[] = []
    const storage = options.directory === undefined ? undefined : new Storage(world, options.directory, error => troubles.push(error))
    const saved = await storage?.load()
    const brokers = options.brokers ?? saved?.ports.brokers.length ?? DEFAULT_BROKERS
    checkOptions({ ...options, brokers })
    checkReplicas(saved, brokers)
    const ports = { ...portsOf(saved, brokers), ...options.ports }
    const listed = brokerPorts(ports.brokers, brokers)
    const tree = zookeeper ? await storage?.zookeeperTree() : undefined
    const at = { ...(ports.zookeeper ? { port: ports.zookeeper } : {}), ...(tree ? { snapshot: tree } : {}) }
    const server = zookeeper ? await EmbeddedZooKeeper.start({ world, ...at }) : null
    const cluster = new EmbeddedCluster(world, options, server, { storage, troubles, saved })
    // What the state knows is written there anew.
    if (server && saved) forgetTopics(server)
    try {
      for (let id = 1; id <= brokers; id++) {
        const more = { ...(profile ? { profile } : {}), ...(maxVersions ? { maxVersions } : {}) }
        const at = { port: listed?.[id - 1] ?? 0, rack: racks?.[id - 1] ?? null }
        const broker = await Broker.start({ world, state: cluster.state, id, ...at, ...more })
        const registration = server ? new Registration({ world, state: cluster.state, zookeeper: server, brokerId: id }) : undefined
        cluster.#members.set(id, { broker, registration })
        registration?.begin()
      }
      // The controller hears of the others by its watch.
      while (cluster.state.aliveIds.length < brokers) await new Promise<void>(resolve => world.defer(resolve))
      if (saved) await storage!.restore(cluster.state, saved)
      for (const [name, spec] of Object.entries(options.topics ?? {}))
        if (!cluster.state.topic(name)) cluster.createTopic(name, typeof spec === 'number' ? { partitions: spec } : spec)
      const taken = {
        brokers: cluster.brokers.map(({ port }) => port),
        zookeeper: server ? Number(server.address.split(':')[1]) : undefined
      }
      storage?.follow(cluster.state, server, taken)
      cluster.#clean()
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  /** As clients name it: by its ZooKeeper, or by its brokers where there is none. */
  get url(): string {
    return this.zookeeper ? `zookeeper://${this.zookeeper.addresses}` : `kafka://${this.bootstrap.join(',')}`
  }

  /** `host:port` of every broker, running or not. */
  get bootstrap(): string[] {
    return this.brokers.map(({ address }) => address)
  }

  get brokers(): Broker[] {
    return [...this.#members.values()].map(({ broker }) => broker)
  }

  /** Throws SamsaError NO_SUCH_BROKER. */
  broker(id: number): Broker {
    return this.#member(id).broker
  }

  /** The broker that is controller now; undefined: there is none. */
  get controller(): Broker | undefined {
    return this.#members.get(this.state.controllerId)?.broker
  }

  /** The broker that leads a partition now; undefined: nobody does. */
  leaderOf(topic: string, partition: number): Broker | undefined {
    return this.#members.get(this.partition(topic, partition).leader)?.broker
  }

  /** Throws SamsaError NO_SUCH_PARTITION. */
  partition(topic: string, partition: number): Partition {
    const found = this.state.partition(topic, partition)
    if (found) return found
    throw new SamsaError('NO_SUCH_PARTITION', `There is no partition ${partition} of ${topic} in the embedded cluster.`)
  }

  /** Default: one partition, on as many brokers as there are, three at most. Throws UsageError, with the name of what a broker would answer as its code. */
  createTopic(
    name: string,
    {
      partitions = 1,
      replicationFactor,
      config
    }: { partitions?: number; replicationFactor?: number; config?: Readonly<Record<string, string>> } = {}
  ): void {
    const width = replicationFactor ?? Math.min(3, this.state.aliveIds.length)
    try {
      this.state.createTopic({ name, partitions, replicationFactor: width, ...(config ? { configs: config } : {}) })
    } catch (error) {
      if (!(error instanceof KafkaFault)) throw error
      throw new UsageError(error.errorName, `embedded cluster, topic ${name}: ${error.message}`, { cause: error, details: { topic: name } })
    }
  }

  // Faults

  /** As `kill -9`. Its partitions are led by others when its session is over (`brokerSessionTimeoutMs`). */
  kill(id: number): void {
    const { broker, registration } = this.#member(id)
    if (!broker.running) return
    broker.kill()
    registration?.end(this.#sessionTimeoutMs)
  }

  /** With the logs that it had, on the same port or another (0: any free one). */
  async restart(id: number, { port }: { port?: number } = {}): Promise<void> {
    const { broker, registration } = this.#member(id)
    this.kill(id)
    registration?.end(0)
    await broker.restart(port)
    registration?.begin()
  }

  /** As `kill -STOP` and `kill -CONT`: its session goes on for so long as ZooKeeper would have it. */
  freeze(id: number): void {
    this.#member(id).broker.freeze()
  }

  thaw(id: number): void {
    this.#member(id).broker.thaw()
  }

  /** A broker's session with ZooKeeper is over, though it lives: it registers anew, and who was controller may be no more. */
  expireBroker(id: number): void {
    const sessionId = this.#member(id).registration?.sessionId
    if (sessionId !== undefined) this.zookeeper!.expire(sessionId)
  }

  /** Another broker becomes the controller (`to`: this one); with ZooKeeper by its node there. */
  moveController(to?: number): void {
    const next = to ?? this.state.aliveIds.find(id => id !== this.state.controllerId)
    if (next === undefined) return
    const { registration } = this.#member(next)
    if (registration) registration.takeOver()
    else this.state.setController(next)
  }

  /** Another leader, in a new epoch. Throws UsageError when it is not in sync and `unclean` is not given: with it, what the others have more is lost. */
  moveLeader(topic: string, partition: number, to: number, { unclean = false }: { unclean?: boolean } = {}): void {
    this.#member(to)
    const of = this.partition(topic, partition)
    const problem = of.replicas.includes(to)
      ? of.isr.includes(to) || unclean
        ? undefined
        : 'is not in sync; give { unclean: true }'
      : 'has no replica'
    if (problem)
      throw new UsageError('CANNOT_LEAD', `Broker ${to} cannot lead ${topic}-${partition}: it ${problem}.`, {
        details: { topic, partition, broker: to }
      })
    of.elect(to, { unclean })
  }

  /** A broker's disk is full: it leads nothing any more and follows nobody; what only it has is without a leader. Until `freeDisk`. */
  fillDisk(id: number): void {
    this.#member(id)
    for (const partition of this.#partitionsOf(id)) {
      partition.hold(id)
      const next = partition.isr.find(each => each !== id && this.state.isAlive(each))
      if (partition.leader === id) partition.elect(next ?? -1)
      if (next !== undefined) partition.shrink(id)
    }
  }

  freeDisk(id: number): void {
    this.#member(id)
    for (const partition of this.#partitionsOf(id)) {
      partition.hold(id, false)
      if (partition.leader < 0 && partition.isr.includes(id) && this.state.isAlive(id)) partition.elect(id)
    }
  }

  /** Brokers forget the sequences of producers without a transaction under way (of a topic, or all), as after `producer.id.expiration.ms`. */
  expireProducers(topic?: string): void {
    for (const partition of this.state.partitions())
      if (topic === undefined || partition.topic === topic) for (const log of partition.logs.values()) log.producers.expire()
  }

  /** Asks `handler` at each request of an API ('*': any) to any broker, or one, before it is handled. The answer takes it away again. */
  control<N extends ApiName>(api: N | '*', handler: ControlHandler<N>, options: { broker?: number; times?: number } = {}): () => void {
    const { broker, ...rest } = options
    const brokers = broker === undefined ? this.brokers : [this.broker(broker)]
    let left = rest.times ?? Number.POSITIVE_INFINITY
    // `times` counts over all brokers.
    const counted: ControlHandler<N> = async request => {
      if (left <= 0) return undefined
      const verdict = await handler(request)
      if (verdict) left--
      return verdict
    }
    const removers = brokers.map(each => each.control(api, counted))
    return () => {
      for (const remove of removers) remove()
    }
  }

  /** Ends everything: ports are closed, timers gone. */
  async stop(): Promise<void> {
    if (this.#cleaner) this.world.clearTimer(this.#cleaner)
    const written = this.#storage?.close()
    for (const { broker, registration } of this.#members.values()) {
      registration?.end(0)
      broker.kill()
    }
    await written
    this.state.close()
    this.zookeeper?.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Retention, as often as `log.retention.check.interval.ms` says. */
  #clean(): void {
    this.#cleaner = this.world.setTimer(() => {
      this.state.applyRetention()
      this.#clean()
    }, this.state.configs.brokerNumber('log.retention.check.interval.ms'))
  }

  #partitionsOf(id: number): Partition[] {
    return [...this.state.partitions()].filter(({ replicas }) => replicas.includes(id))
  }

  #member(id: number): Member {
    const member = this.#members.get(id)
    if (member) return member
    const known = [...this.#members.keys()].join(', ')
    throw new SamsaError('NO_SUCH_BROKER', `There is no broker ${id} in the embedded cluster; it has ${known}.`)
  }
}

/** Those of the process before, where it had as many brokers. */
function portsOf(saved: Saved | undefined, brokers: number): NonNullable<EmbeddedOptions['ports']> {
  if (saved?.ports.brokers.length !== brokers) return {}
  return { brokers: saved.ports.brokers, ...(saved.ports.zookeeper === undefined ? {} : { zookeeper: saved.ports.zookeeper }) }
}

/** What only a broker has that is not there would be lost. Throws UsageError. */
function checkReplicas(saved: Saved | undefined, brokers: number): void {
  let needed = 0
  for (const { partitions } of saved?.topics ?? []) for (const { replicas } of partitions) needed = Math.max(needed, ...replicas)
  if (needed > brokers)
    throw new UsageError(
      'INVALID_OPTION',
      `embedded cluster, brokers: the directory has logs of broker ${needed}; give at least ${needed}.`,
      {
        details: { option: 'brokers' }
      }
    )
}
