/**
 * All that the brokers of one cluster share, apart from the wire: who is there, topics and their partitions, configurations, who coordinates what.
 * A real cluster keeps this by ZooKeeper and by replication; here it is one object, so that a fault is a method.
 */
import type { World } from '../../model/world.ts'
import type { BrokerNode, ClusterEvent, ClusterStateOptions, Topic, TransactionDoor } from './cluster-types.ts'
import { type ConfigResource, Configs } from './configs.ts'
import { ERROR, KafkaFault } from './errors.ts'
import { type CoordinatorKind, INTERNAL, internalTopic, isInternal, javaHash } from './internal-topics.ts'
import type { MarkerOf } from './log/batch.ts'
import { Partition, type PartitionHost } from './partition.ts'
import { assign, badName, checkAssignments, checkRoom, checkTopicName, type NewTopic, placed } from './topics.ts'

/** `ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`. */
const PRODUCER_IDS = 1_000n

export class ClusterState implements PartitionHost {
  readonly world: World
  readonly clusterId: string
  readonly brokers = new Map<number, BrokerNode>()
  readonly topics = new Map<string, Topic>()
  readonly configs: Configs
  readonly leaderDelayMs: number
  readonly users: Readonly<Record<string, string>> | undefined
  /** -1: none. */
  controllerId = -1
  transactionDoor: TransactionDoor | undefined
  /** Of a cluster that outlives its process: resolves when what is so now will be so then. Answers wait for it. */
  written: (() => Promise<void>) | undefined
  #byId = new Map<string, Topic>()
  #governed: 'here' | 'elsewhere'
  #listeners = new Set<(event: ClusterEvent) => void>()
  #parts = new Map<unknown, unknown>()
  #nextProducerId: bigint
  /** Counts every change of topics or their sizes. */
  topicsVersion = 0
  #created = 0
  /** Of all topics. */
  #partitions = 0

  constructor(options: ClusterStateOptions) {
    this.world = options.world
    this.clusterId = options.clusterId ?? this.#newId()
    this.configs = new Configs(options.config ?? {})
    this.leaderDelayMs = options.leaderDelayMs ?? 0
    this.users = options.users
    this.#nextProducerId = options.firstProducerId ?? 0n
    this.#governed = options.governed ?? 'here'
  }

  /** Hears of every change, in order, within the call that made it. The answer ends it. */
  observe(listener: (event: ClusterEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** What else belongs to the cluster (coordinators), made when first asked for. */
  part<T>(key: new (state: ClusterState) => T): T {
    if (!this.#parts.has(key)) this.#parts.set(key, new key(this))
    return this.#parts.get(key) as T
  }

  // Brokers

  /** A broker's process has started to listen. */
  processStarted(node: Pick<BrokerNode, 'id' | 'host' | 'port' | 'rack'>): void {
    const before = this.brokers.get(node.id)
    this.brokers.set(node.id, Object.assign(before ?? { registered: false }, node, { running: true, held: false }) as BrokerNode)
    if (this.#governed === 'here') this.brokerUp(node.id)
    // Nobody has missed it: it follows again all the same, or writes would wait for it.
    if (before?.registered) this.#followAgain(node.id)
  }

  processEnded(brokerId: number): void {
    const node = this.brokers.get(brokerId)
    if (!node?.running) return
    node.running = false
    if (this.#governed === 'here') this.brokerDown(brokerId)
  }

  /** A broker that a fault has cut off from the others: it follows nobody, until it is let go. */
  holdBroker(brokerId: number, held = true): void {
    const node = this.brokers.get(brokerId)
    if (!node || node.held === held) return
    node.held = held
    if (!held) this.#followAgain(brokerId)
  }

  #followAgain(brokerId: number): void {
    for (const partition of this.partitions()) if (partition.replicas.includes(brokerId)) partition.replicate()
  }

  /** The controller's work when a broker has registered itself. */
  brokerUp(brokerId: number): void {
    const node = this.brokers.get(brokerId)
    if (!node || node.registered) return
    node.registered = true
    this.#tell({ type: 'broker-up', brokerId })
    if (this.controllerId < 0 && this.#governed === 'here') this.setController(brokerId)
    for (const partition of this.partitions()) partition.brokerUp(brokerId, { unclean: this.#unclean(partition.topic) })
  }

  /** The controller's work when a broker's registration is gone. */
  brokerDown(brokerId: number): void {
    const node = this.brokers.get(brokerId)
    if (!node?.registered) return
    node.registered = false
    this.#tell({ type: 'broker-down', brokerId })
    if (this.controllerId === brokerId && this.#governed === 'here') this.setController(this.aliveIds[0] ?? -1)
    for (const partition of this.partitions()) partition.brokerDown(brokerId, { unclean: this.#unclean(partition.topic) })
  }

  setController(brokerId: number): void {
    if (this.controllerId === brokerId) return
    this.controllerId = brokerId
    this.#tell({ type: 'controller-changed', brokerId })
  }

  /** Registered brokers, by id. */
  get aliveIds(): number[] {
    return [...this.brokers.values()]
      .filter(({ registered }) => registered)
      .map(({ id }) => id)
      .sort((a, b) => a - b)
  }

  get aliveNodes(): BrokerNode[] {
    return this.aliveIds.map(id => this.brokers.get(id)!)
  }

  isAlive(brokerId: number): boolean {
    return this.brokers.get(brokerId)?.registered ?? false
  }

  follows(brokerId: number): boolean {
    const node = this.brokers.get(brokerId)
    return node?.running === true && node.registered && !node.held
  }

  get replicaLagMs(): number {
    return this.configs.brokerNumber('replica.lag.time.max.ms')
  }

  minInSync(topic: string): number {
    return this.configs.topicNumber(topic, 'min.insync.replicas')
  }

  // Topics

  /** Throws KafkaFault, as a broker would answer. `validateOnly`: nothing is made. */
  createTopic(spec: NewTopic, options: { validateOnly?: boolean } = {}): Topic {
    checkTopicName(spec.name, this.topics.keys())
    if (this.topics.has(spec.name)) throw new KafkaFault('TOPIC_ALREADY_EXISTS', `Topic '${spec.name}' already exists.`)
    const replicas = placed(spec, { alive: this.aliveIds, configs: this.configs, from: this.#created, there: this.#partitions })
    const config = this.configs.checkTopic(spec.configs ?? {})
    const topic: Topic = {
      name: spec.name,
      id: spec.id ?? this.#newId(),
      internal: isInternal(spec.name),
      partitions: [],
      leadersFrom: this.world.monotonicMs() + this.leaderDelayMs
    }
    for (const [index, ids] of replicas.entries()) topic.partitions.push(new Partition(this, topic, index, ids))
    if (options.validateOnly) return topic
    this.#created++
    this.#partitions += topic.partitions.length
    this.topics.set(topic.name, topic)
    this.#byId.set(topic.id, topic)
    this.topicsVersion++
    this.configs.setTopic(topic.name, config)
    this.#tell({ type: 'topic-created', topic })
    return topic
  }

  deleteTopic(name: string): void {
    const topic = this.topics.get(name)
    if (!topic) throw new KafkaFault('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')
    this.topics.delete(name)
    this.#byId.delete(topic.id)
    this.configs.forgetTopic(name)
    this.#partitions -= topic.partitions.length
    this.topicsVersion++
    for (const partition of topic.partitions) partition.close()
    this.#tell({ type: 'topic-deleted', topic })
  }

  /** Throws KafkaFault. `count`: all of them, the old ones too. */
  addPartitions(name: string, count: number, assignments: readonly number[][] | null, options: { validateOnly?: boolean } = {}): void {
    const topic = this.topics.get(name)
    if (!topic) throw new KafkaFault('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${name}' does not exist.`)
    const there = topic.partitions.length
    if (count < there)
      throw new KafkaFault('INVALID_PARTITIONS', `Topic currently has ${there} partitions, which is higher than the requested ${count}.`)
    if (count === there) throw new KafkaFault('INVALID_PARTITIONS', `Topic already has ${there} partitions.`)
    checkRoom(count - there, this.#partitions)
    const width = topic.partitions[0]!.replicas.length
    if (assignments) checkAssignments(assignments, this.aliveIds, { count: count - there, width })
    const replicas = assignments ?? assign(this.aliveIds, count - there, width, there + topic.partitions[0]!.replicas[0]!)
    if (options.validateOnly) return
    for (const ids of replicas) topic.partitions.push(new Partition(this, topic, topic.partitions.length, ids))
    this.#partitions += replicas.length
    this.topicsVersion++
    this.#tell({ type: 'partitions-added', topic })
  }

  topic(name: string): Topic | undefined {
    return this.topics.get(name)
  }

  topicById(id: string): Topic | undefined {
    return this.#byId.get(id)
  }

  nameIsValid(topic: string): boolean {
    return badName(topic) === undefined
  }

  partition(topic: string, index: number): Partition | undefined {
    return this.topics.get(topic)?.partitions[index]
  }

  /** How many a topic has; undefined: there is no such topic. */
  topicPartitions(topic: string): number | undefined {
    return this.topics.get(topic)?.partitions.length
  }

  /** What is too old, or too much, by the topics' retention is deleted: as a log cleaner's round does it. */
  applyRetention(): void {
    const now = this.world.now()
    for (const partition of this.partitions()) {
      const of = (name: string) => this.configs.topicNumber(partition.topic, name)
      if (!this.configs.topic(partition.topic, 'cleanup.policy').includes('delete')) continue
      const keep = partition.log?.retained({ now, ageMs: of('retention.ms'), bytes: of('retention.bytes') }) ?? 0
      if (keep > partition.logStartOffset) partition.deleteBefore(Math.min(keep, partition.highWatermark))
    }
  }

  *partitions(): Generator<Partition, void, void> {
    for (const topic of this.topics.values()) yield* topic.partitions
  }

  // Coordinators and transactions

  /**
   * Who coordinates this group or transactional id: the leader of the partition of the internal topic that its name falls on, as in Kafka. The topic
   * is made when it is first asked for. -1: nobody at the moment.
   */
  coordinatorOf(kind: CoordinatorKind, key: string): number {
    return this.coordinatorPartition(kind, key)?.leader ?? -1
  }

  coordinatorPartition(kind: CoordinatorKind, key: string): Partition | undefined {
    const alive = this.aliveIds.length
    const topic = this.topics.get(INTERNAL[kind]) ?? (alive > 0 ? this.createTopic(internalTopic(kind, this.configs, alive)) : undefined)
    return topic?.partitions[javaHash(key) % topic.partitions.length]
  }

  /** Ends a transaction on one partition. Answers with an error code. */
  appendMarker(topic: string, index: number, marker: MarkerOf): number {
    return this.partition(topic, index)?.appendMarker(marker).errorCode ?? ERROR.UNKNOWN_TOPIC_OR_PARTITION
  }

  nextProducerId(): bigint {
    const id = this.#nextProducerId++
    if (id % PRODUCER_IDS === 0n) this.#tell({ type: 'producer-ids' })
    return id
  }

  /** Producer ids are taken in blocks, so that they need not be written down one by one: from here on none is taken yet. */
  get producerIdsEnd(): bigint {
    return ((this.#nextProducerId + PRODUCER_IDS - 1n) / PRODUCER_IDS) * PRODUCER_IDS
  }

  /** This one, and all before it, were given out already. */
  passProducerId(last: bigint): void {
    if (last >= this.#nextProducerId) this.#nextProducerId = last + 1n
  }

  /** Nothing happens by itself any more: timers end. */
  close(): void {
    for (const partition of this.partitions()) partition.close()
    for (const part of this.#parts.values()) (part as { close?(): void }).close?.()
  }

  partitionChanged(partition: Partition): void {
    this.#tell({ type: 'partition-changed', partition })
  }

  logChanged(partition: Partition, brokerId: number): void {
    if (this.#listeners.size > 0) this.#tell({ type: 'log-changed', partition, brokerId })
  }

  configChanged(resource: ConfigResource, name: string): void {
    this.#tell({ type: 'config-changed', resource, name })
    // What was held up by `min.insync.replicas` may go on.
    for (const partition of this.partitions()) if (resource === 'broker' || partition.topic === name) partition.replicate()
  }

  #unclean(topic: string): boolean {
    return this.configs.topic(topic, 'unclean.leader.election.enable') === 'true'
  }

  #tell(event: ClusterEvent): void {
    for (const listener of [...this.#listeners]) listener(event)
  }

  /** Kafka gives out none that begins with a dash: tools would take it for an option. */
  #newId(): string {
    for (;;) {
      const id = this.world.randomBytes(16).toString('base64url')
      if (!id.startsWith('-')) return id
    }
  }
}
