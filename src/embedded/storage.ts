/**
 * What outlives the process, in a directory: `cluster.json` (topics, configurations, ports), a log per partition (batches one behind the other, as they
 * lie in memory), and the ZooKeeper's tree. Logs are appended to as they grow, and no request is answered
 * before what it has changed is written; what is cut off by a crash is left out when they are read.
 */
import { SamsaError } from '../model/errors.ts'
import type { Files, World } from '../model/world.ts'
import type { ClusterEvent } from './kafka/cluster-types.ts'
import { readStored, type StoredBatch } from './kafka/log/batch.ts'
import type { Partition } from './kafka/partition.ts'
import type { ClusterState } from './kafka/state.ts'
import { readSaved, type Saved, type SavedPartition, savedTopic, wholeBatches } from './saved.ts'
import type { EmbeddedZooKeeper } from './zookeeper/server.ts'

/** Of the tree and of cluster.json: changes come in bursts. */
const SAVE_AFTER_MS = 50

/** What of a log lies in its file. */
interface Written {
  /** Where the file begins. */
  from: number
  /** Its last batch; undefined: it is empty. */
  last: StoredBatch | undefined
  logStartOffset: number
}

export class Storage {
  #world: World
  #files: Files
  #folder: string
  #state: ClusterState | undefined
  #zookeeper: EmbeddedZooKeeper | null = null
  #zxid = -1n
  #ports: Saved['ports'] = { brokers: [], zookeeper: undefined }
  /** By file. */
  #written = new Map<string, Written>()
  /** Batches that wait to be appended, by file. */
  #pending = new Map<string, StoredBatch[]>()
  #queue: Promise<void> = Promise.resolve()
  #timer: object | undefined
  #failed: (error: unknown) => void
  /** How many writes have failed. */
  #failures = 0
  /** Whose files lack something, since writing failed. */
  #behind = new Set<Partition>()
  #unobserve: (() => void) | undefined
  /** It is to be written in this turn. */
  #dirty = false
  /** It could not be written. */
  #stale = false
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
    const saved = readSaved(bytes)
    if (saved) return saved
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
    state.written = () => this.#flush()
    this.#beat()
    this.#save()
  }

  /** What is so at the call is what is written: the brokers may end in the same turn. Resolves when it is. */
  async close(): Promise<void> {
    if (this.#state && !this.#closed) this.#write()
    this.#closed = true
    this.#unobserve?.()
    if (this.#timer) this.#world.clearTimer(this.#timer)
    await this.#queue
  }

  /** All that is so at the call is in the files. Throws SamsaError NOT_WRITTEN. */
  async #flush(): Promise<void> {
    const failures = this.#failures
    for (const partition of this.#behind) this.#grow(partition)
    if ((this.#dirty || this.#stale) && !this.#closed) this.#write()
    await this.#queue
    if (this.#failures > failures)
      throw new SamsaError('NOT_WRITTEN', `${this.#folder} could not be written to; \`troubles\` of the cluster says why.`)
  }

  #heard(event: ClusterEvent): void {
    if (event.type === 'log-changed') {
      if (event.brokerId === event.partition.leader) this.#grow(event.partition)
    } else if (event.type === 'topic-deleted') {
      for (const { topic, index } of event.topic.partitions) {
        const name = fileOf(topic, index)
        this.#written.delete(name)
        this.#pending.delete(name)
        this.#later(() => this.#files.remove(this.#path(name)))
      }
      this.#save()
    } else if (event.type !== 'broker-up' && event.type !== 'broker-down' && event.type !== 'controller-changed') this.#save()
  }

  /** Appends what is new in the leader's log; where it was cut, at either end, the file is written anew. */
  #grow(partition: Partition): void {
    const { log } = partition
    if (!log || partition.deleted) {
      this.#behind.delete(partition)
      return
    }
    const { batches, logStartOffset } = log
    const name = fileOf(partition.topic, partition.index)
    const from = batches[0]?.baseOffset ?? log.endOffset
    const before = this.#written.get(name)
    const there = before?.from === from ? countUpTo(batches, before.last) : undefined
    this.#written.set(name, { from, last: batches.at(-1), logStartOffset })
    this.#behind.delete(partition)
    if (logStartOffset !== before?.logStartOffset) this.#save()
    if (there === undefined) {
      this.#pending.delete(name)
      const bytes = Buffer.concat(batches.map(batch => batch.bytes))
      this.#later(() => this.#replace(name, bytes), partition)
    } else if (there < batches.length) this.#append(partition, batches.slice(there))
  }

  /** What comes while others are being written goes together. */
  #append(partition: Partition, batches: readonly StoredBatch[]): void {
    const name = fileOf(partition.topic, partition.index)
    const pending = this.#pending.get(name)
    if (pending) {
      for (const batch of batches) pending.push(batch)
      return
    }
    const mine = [...batches]
    this.#pending.set(name, mine)
    this.#later(async () => {
      if (this.#pending.get(name) !== mine) return
      this.#pending.delete(name)
      await this.#files.append(this.#path(name), Buffer.concat(mine.map(({ bytes }) => bytes)))
    }, partition)
  }

  async #restoreLog(partition: Partition, { leaderEpoch, logStartOffset }: SavedPartition): Promise<void> {
    const bytes = (await this.#read(fileOf(partition.topic, partition.index))) ?? Buffer.alloc(0)
    const now = this.#world.now()
    partition.leaderEpoch = Math.max(partition.leaderEpoch, leaderEpoch)
    for (const batch of wholeBatches(bytes)) {
      const stored = readStored(batch, now)
      for (const log of partition.logs.values()) if (stored.baseOffset >= log.endOffset) log.append(stored)
    }
    for (const log of partition.logs.values()) log.moveStart(Math.min(logStartOffset, log.endOffset))
    // As after any start: whoever leads does it in a new epoch.
    partition.elect(partition.leader)
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
      if (this.#dirty && !this.#closed) this.#write()
    })
  }

  #write(): void {
    this.#dirty = false
    this.#stale = false
    const state = this.#state!
    const zookeeper = this.#zookeeper
    const topics = [...state.topics.values()].map(topic => savedTopic(state, topic))
    const producerIds = String(state.producerIdsEnd)
    const saved: Saved = { format: 1, clusterId: state.clusterId, ports: this.#ports, producerIds, topics }
    const bytes = Buffer.from(JSON.stringify(saved))
    this.#later(() => this.#replace('cluster.json', bytes))
    if (!zookeeper || zookeeper.core.tree.zxid === this.#zxid) return
    this.#zxid = zookeeper.core.tree.zxid
    const tree = zookeeper.snapshot()
    this.#later(() => this.#replace('zookeeper.tree', tree))
  }

  /** One after the other, in the order of the changes. What could not be written is tried again before the next answer, a log as a whole. */
  #later(work: () => Promise<void>, log?: Partition): void {
    this.#queue = this.#queue.then(work).catch(error => {
      this.#failures++
      this.#failed(error)
      if (log) {
        this.#written.delete(fileOf(log.topic, log.index))
        this.#behind.add(log)
      } else {
        this.#stale = true
        this.#zxid = -1n
      }
    })
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

/** How many batches there are up to this one; undefined: it is not among them any more. */
function countUpTo(batches: readonly StoredBatch[], last: StoredBatch | undefined): number | undefined {
  if (!last) return 0
  for (let at = batches.length - 1; at >= 0 && batches[at]!.baseOffset >= last.baseOffset; at--) if (batches[at] === last) return at + 1
  return undefined
}
