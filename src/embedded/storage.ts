/**
 * What outlives the process, in a directory: `cluster.json` (topics, configurations, ports), a log per partition (batches one behind the other, as they
 * lie in memory), and the ZooKeeper's tree. Logs are appended to as they grow; what is cut off by a crash is left out when they are read.
 */
import { SamsaError } from '../model/errors.ts'
import type { Files, World } from '../model/world.ts'
import { readStored, type StoredBatch } from './kafka/log/batch.ts'
import type { Partition } from './kafka/partition.ts'
import type { ClusterEvent, ClusterState } from './kafka/state.ts'
import type { EmbeddedZooKeeper } from './zookeeper/server.ts'

interface SavedTopic {
  name: string
  id: string
  configs: Record<string, string>
  partitions: { replicas: number[]; leaderEpoch: number; logStartOffset: number }[]
}

export interface Saved {
  format: 1
  clusterId: string
  /** Of the brokers, in order, and of the ZooKeeper: clients find what they knew. */
  ports: { brokers: number[]; zookeeper: number | undefined }
  topics: SavedTopic[]
}

/** Offset, length; CRC and the rest are the readers' matter. */
const BATCH_PREFIX_BYTES = 12
/** Of the tree and of cluster.json: changes come in bursts. */
const SAVE_AFTER_MS = 50

export class Storage {
  #world: World
  #files: Files
  #folder: string
  #state: ClusterState | undefined
  #zookeeper: EmbeddedZooKeeper | null = null
  #zxid = -1n
  #ports: Saved['ports'] = { brokers: [], zookeeper: undefined }
  /** Of each log: where what is written begins and ends. */
  #written = new Map<string, { from: number; to: number }>()
  /** Batches that wait to be appended, by file. */
  #pending = new Map<string, StoredBatch[]>()
  #queue: Promise<void> = Promise.resolve()
  #timer: object | undefined
  #failed: (error: unknown) => void
  #unobserve: (() => void) | undefined
  #dirty = false
  #closed = false

  /** `failed` hears of what could not be written. */
  constructor(world: World, folder: string, failed: (error: unknown) => void) {
    this.#world = world
    this.#files = world.files
    this.#folder = folder
    this.#failed = failed
  }

  /** What a process before has left; undefined: nothing. Throws SamsaError BAD_DIRECTORY. */
  async load(): Promise<Saved | undefined> {
    await this.#files.makeDirectory(this.#folder, { mode: 0o700 })
    const bytes = await this.#read('cluster.json')
    if (!bytes) return undefined
    try {
      const saved = JSON.parse(String(bytes)) as Saved
      if (saved.format === 1 && typeof saved.clusterId === 'string' && Array.isArray(saved.topics)) return saved
    } catch {
      // Told below.
    }
    throw new SamsaError(
      'BAD_DIRECTORY',
      `${this.#folder}/cluster.json is not what an embedded cluster has written; name another directory, or remove it.`
    )
  }

  zookeeperTree(): Promise<Buffer | undefined> {
    return this.#read('zookeeper.tree')
  }

  /** Makes the topics again, with their logs on every replica. */
  async restore(state: ClusterState, { topics }: Saved): Promise<void> {
    for (const { name, id, configs, partitions } of topics) {
      const topic = state.createTopic({ name, id, configs, assignments: partitions.map(({ replicas }) => replicas) })
      for (const partition of topic.partitions) await this.#restoreLog(partition, partitions[partition.index]!)
    }
  }

  /** From now on what changes is written down. */
  follow(state: ClusterState, zookeeper: EmbeddedZooKeeper | null, ports: Saved['ports']): void {
    this.#state = state
    this.#zookeeper = zookeeper
    this.#ports = ports
    for (const partition of state.partitions()) this.#grow(partition)
    this.#unobserve = state.observe(event => this.#heard(event))
    this.#beat()
    this.#save()
  }

  /** What is so at the call is what is written: the brokers may end in the same turn. Resolves when it is. */
  async close(): Promise<void> {
    this.#closed = true
    this.#unobserve?.()
    if (this.#timer) this.#world.clearTimer(this.#timer)
    if (this.#state) this.#write()
    await this.#queue
  }

  #heard(event: ClusterEvent): void {
    if (event.type === 'log-changed') {
      if (event.brokerId === event.partition.leader) this.#grow(event.partition)
    } else if (event.type === 'topic-deleted') {
      for (const { topic, index } of event.topic.partitions) {
        this.#written.delete(fileOf(topic, index))
        this.#pending.delete(fileOf(topic, index))
        this.#later(() => this.#files.remove(this.#path(fileOf(topic, index))))
      }
      this.#save()
    } else if (event.type !== 'broker-up' && event.type !== 'broker-down' && event.type !== 'controller-changed') this.#save()
  }

  /** Appends what is new in the leader's log; where it was cut (at either end) the file is written anew. */
  #grow(partition: Partition): void {
    const { log } = partition
    if (!log || partition.deleted) return
    const name = fileOf(partition.topic, partition.index)
    const before = this.#written.get(name)
    const from = log.batches[0]?.baseOffset ?? log.endOffset
    const whole = before === undefined || before.to > log.endOffset || before.from !== from
    const batches = whole ? log.batches : log.batches.filter(({ baseOffset }) => baseOffset >= before.to)
    this.#written.set(name, { from, to: log.endOffset })
    if (!whole && batches.length === 0) return
    if (whole) {
      this.#pending.delete(name)
      const bytes = Buffer.concat(batches.map(batch => batch.bytes))
      this.#later(() => this.#replace(name, bytes))
      this.#save()
    } else this.#append(name, batches)
  }

  /** What comes while others are being written goes together. */
  #append(name: string, batches: readonly StoredBatch[]): void {
    const pending = this.#pending.get(name)
    if (pending) {
      pending.push(...batches)
      return
    }
    const mine = [...batches]
    this.#pending.set(name, mine)
    this.#later(async () => {
      if (this.#pending.get(name) !== mine) return
      this.#pending.delete(name)
      await this.#files.append(this.#path(name), Buffer.concat(mine.map(({ bytes }) => bytes)))
    })
  }

  async #restoreLog(partition: Partition, { leaderEpoch, logStartOffset }: SavedTopic['partitions'][number]): Promise<void> {
    const bytes = (await this.#read(fileOf(partition.topic, partition.index))) ?? Buffer.alloc(0)
    const now = this.#world.now()
    partition.leaderEpoch = Math.max(partition.leaderEpoch, leaderEpoch)
    for (const batch of wholeBatches(bytes)) {
      const stored = readStored(batch, now)
      for (const log of partition.logs.values()) if (stored.baseOffset >= log.endOffset) log.append(stored)
    }
    for (const log of partition.logs.values()) {
      log.beginEpoch(partition.leaderEpoch, log.endOffset)
      if (logStartOffset > 0) log.moveStart(Math.min(logStartOffset, log.endOffset))
    }
    partition.replicate()
  }

  /** The tree has no events of its own: its zxid tells that it has changed. */
  #beat(): void {
    if (this.#closed || !this.#zookeeper) return
    this.#timer = this.#world.setTimer(() => {
      if (this.#zookeeper!.core.tree.zxid !== this.#zxid) this.#save()
      this.#beat()
    }, SAVE_AFTER_MS)
  }

  /** Once for all that changes in this turn. */
  #save(): void {
    if (this.#dirty) return
    this.#dirty = true
    this.#world.defer(() => {
      this.#dirty = false
      if (!this.#closed) this.#write()
    })
  }

  #write(): void {
    const state = this.#state!
    const zookeeper = this.#zookeeper
    const topics = [...state.topics.values()].map(topic => topicOf(state, topic))
    const saved: Saved = { format: 1, clusterId: state.clusterId, ports: this.#ports, topics }
    const bytes = Buffer.from(JSON.stringify(saved))
    this.#later(() => this.#replace('cluster.json', bytes))
    if (!zookeeper || zookeeper.core.tree.zxid === this.#zxid) return
    this.#zxid = zookeeper.core.tree.zxid
    const tree = zookeeper.snapshot()
    this.#later(() => this.#replace('zookeeper.tree', tree))
  }

  /** One after the other, in the order of the changes. */
  #later(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work).catch(error => this.#failed(error))
  }

  async #replace(name: string, bytes: Buffer): Promise<void> {
    await this.#files.write(this.#path(`${name}.new`), bytes, { mode: 0o600 })
    await this.#files.rename(this.#path(`${name}.new`), this.#path(name))
  }

  async #read(name: string): Promise<Buffer | undefined> {
    try {
      return await this.#files.read(this.#path(name))
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return undefined
      throw error
    }
  }

  #path(name: string): string {
    return `${this.#folder}/${name}`
  }
}

const fileOf = (topic: string, partition: number) => `${topic}-${partition}.log`

function topicOf(state: ClusterState, topic: { name: string; id: string; partitions: Partition[] }): SavedTopic {
  const { name, id } = topic
  const partitions = topic.partitions.map(({ replicas, leaderEpoch, logStartOffset }) => ({ replicas, leaderEpoch, logStartOffset }))
  return { name, id, configs: Object.fromEntries(state.configs.given('topic', name)), partitions }
}

/** What lies whole in a file; the process may have died in the middle of the last one. */
function* wholeBatches(bytes: Buffer): Generator<Buffer, void, void> {
  for (let at = 0; at + BATCH_PREFIX_BYTES <= bytes.length; ) {
    const end = at + BATCH_PREFIX_BYTES + bytes.readInt32BE(at + 8)
    if (end <= at + BATCH_PREFIX_BYTES || end > bytes.length) return
    yield bytes.subarray(at, end)
    at = end
  }
}
