/**
 * One partition as the whole cluster sees it: replicas with a log each, who is in sync, who leads in which epoch, and how far all agree. Followers
 * follow at once, unless a fault holds them back. Time passes only through the World.
 */
import type { World } from '../../model/world.ts'
import { ERROR } from './errors.ts'
import { type MarkerOf, markerBatch, type StoredBatch, storeBatch } from './log/batch.ts'
import { ReplicaLog } from './log/log.ts'
import type { AppendedBatch, ProducedBatch } from './log/producers.ts'

/** What a partition asks of its cluster. */
export interface PartitionHost {
  readonly world: World
  /** Is this broker's process alive, and not held back by a fault? */
  follows(brokerId: number): boolean
  isAlive(brokerId: number): boolean
  /** `replica.lag.time.max.ms`. */
  readonly replicaLagMs: number
  /** `min.insync.replicas`. */
  minInSync(topic: string): number
  /** Leader, epoch or ISR have changed. */
  partitionChanged(partition: Partition): void
  /** A replica's log has more, or less, than before. */
  logChanged(partition: Partition, brokerId: number): void
}

export interface Appended {
  errorCode: number
  message?: string
  baseOffset: number
  /** One past the batch: where the high watermark must be for acks=all. */
  endOffset: number
  /** Of a duplicate: its last record's time, which the answer shows in place of the log's. */
  duplicateTime?: number
}

export class Partition {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  /** Preferred leader first. */
  replicas: number[]
  isr: number[]
  /** -1: none. */
  leader: number
  leaderEpoch = 0
  /** Counts every change of leader or ISR: `zkVersion` of the state's znode. */
  version = 0
  highWatermark = 0
  readonly logs = new Map<number, ReplicaLog>()
  deleted = false
  #host: PartitionHost
  #held = new Set<number>()
  #waiting = new Set<() => void>()
  #lag: { timer: object; endOffset: number } | undefined

  constructor(host: PartitionHost, topic: { name: string; id: string }, index: number, replicas: readonly number[]) {
    this.#host = host
    this.topic = topic.name
    this.topicId = topic.id
    this.index = index
    this.replicas = [...replicas]
    const alive = this.replicas.filter(id => host.isAlive(id))
    this.isr = alive.length > 0 ? alive : this.replicas.slice(0, 1)
    this.leader = alive[0] ?? -1
    for (const id of this.replicas) this.logs.set(id, new ReplicaLog())
    this.logs.get(this.leader)?.beginEpoch(0, 0)
  }

  /** The leader's; undefined while there is none. */
  get log(): ReplicaLog | undefined {
    return this.logs.get(this.leader)
  }

  get logStartOffset(): number {
    return this.log?.logStartOffset ?? 0
  }

  /** Below it every transaction is decided. */
  get lastStableOffset(): number {
    return Math.min(this.highWatermark, this.log?.producers.firstUnstable(this.highWatermark) ?? this.highWatermark)
  }

  /** Replicas without a living broker. */
  get offlineReplicas(): number[] {
    return this.replicas.filter(id => !this.#host.isAlive(id))
  }

  /** Fewer are in sync than it takes to write with acks=all; as long as that is so, the high watermark stands still (KAFKA-15583). */
  get isUnderMinIsr(): boolean {
    return this.isr.length < Math.min(this.#host.minInSync(this.topic), this.replicas.length)
  }

  /** A batch that was checked. An idempotent one is compared with what its producer wrote before; a duplicate is answered with its first place. */
  append(bytes: Buffer, batch: ProducedBatch): Appended {
    const log = this.log
    if (!log) return failed(ERROR.NOT_LEADER_OR_FOLLOWER)
    const found = batch.producerId < 0n ? undefined : log.producers.check(batch)
    if (found && 'duplicate' in found) return duplicateOf(found.duplicate)
    if (found) return failed(found.errorCode, found.message)
    return this.#append(log, storeBatch(bytes, log.endOffset, this.leaderEpoch, this.#host.world.now()))
  }

  /** The end of a transaction, written as with acks=all. */
  appendMarker(marker: MarkerOf): Appended {
    const log = this.log
    if (!log) return failed(ERROR.NOT_LEADER_OR_FOLLOWER)
    if (this.isUnderMinIsr) return failed(ERROR.NOT_ENOUGH_REPLICAS)
    const found = log.producers.checkMarker(marker.producerId, marker.producerEpoch, marker)
    if (found && 'errorCode' in found) return failed(found.errorCode, found.message)
    const now = this.#host.world.now()
    return this.#append(log, storeBatch(markerBatch(marker, now), log.endOffset, this.leaderEpoch, now))
  }

  #append(log: ReplicaLog, batch: StoredBatch): Appended {
    log.append(batch)
    this.#host.logChanged(this, this.leader)
    this.replicate()
    this.#wake()
    return { errorCode: ERROR.NONE, baseOffset: batch.baseOffset, endOffset: log.endOffset }
  }

  /** All followers that can follow do; the high watermark and the ISR follow from that. */
  replicate(): void {
    const { log } = this
    if (!log || !this.#host.isAlive(this.leader)) return
    let isr = this.isr
    for (const id of this.replicas) {
      if (id === this.leader || !this.#follows(id)) continue
      if (this.logs.get(id)!.follow(log)) this.#host.logChanged(this, id)
      if (!isr.includes(id)) isr = this.replicas.filter(each => each === id || isr.includes(each))
    }
    if (isr !== this.isr) this.#change({ isr })
    this.#advance(log)
  }

  /** A follower stops following (a fault), or goes on. */
  hold(brokerId: number, held = true): void {
    if (held) this.#held.add(brokerId)
    else this.#held.delete(brokerId)
    this.replicate()
  }

  /**
   * A new leader, in a new epoch. Who is not in the ISR may only be elected unclean: what the others have beyond it is lost. Undefined: whoever
   * Kafka would choose, or none when nobody can.
   */
  elect(leader = this.#candidate(), options: { unclean?: boolean } = {}): void {
    const unclean = leader >= 0 && !this.isr.includes(leader)
    if (unclean && !options.unclean) throw new RangeError(`broker ${leader} is not in the ISR of ${this.topic}-${this.index}`)
    const alive = this.isr.filter(id => id === leader || this.#host.isAlive(id))
    this.leader = leader
    this.leaderEpoch++
    const log = this.log
    if (log) {
      log.beginEpoch(this.leaderEpoch, log.endOffset)
      this.highWatermark = Math.max(Math.min(this.highWatermark, log.endOffset), log.logStartOffset)
    }
    this.#change({ isr: leader < 0 ? this.isr : unclean ? [leader] : alive })
    this.replicate()
    this.#wake()
  }

  /** As a controller does when a broker is gone: out of the ISR, and another leader if it led. */
  brokerDown(brokerId: number, options: { unclean: boolean }): void {
    if (!this.replicas.includes(brokerId)) return
    if (this.leader !== brokerId) {
      this.shrink(brokerId)
      return
    }
    const candidate = this.#candidate()
    if (candidate >= 0 || !options.unclean) this.elect(candidate)
    else this.elect(this.replicas.find(id => this.#host.isAlive(id)) ?? -1, { unclean: true })
  }

  /** It leads again if nobody does and it was in sync, else it follows. */
  brokerUp(brokerId: number, options: { unclean: boolean }): void {
    if (!this.replicas.includes(brokerId)) return
    if (this.leader >= 0) this.replicate()
    else if (this.isr.includes(brokerId) || options.unclean) this.elect(brokerId, options)
  }

  /** Out of the ISR, unless it is the last one in it. */
  shrink(...brokerIds: number[]): void {
    const isr = this.isr.filter(id => id === this.leader || !brokerIds.includes(id))
    if (isr.length === 0 || isr.length === this.isr.length) return
    this.#change({ isr })
    if (this.log) this.#advance(this.log)
  }

  /** Records before this offset are deleted, on every replica that is there. */
  deleteBefore(offset: number): void {
    this.log?.moveStart(offset)
    this.#host.logChanged(this, this.leader)
    this.replicate()
    this.#wake()
  }

  /** The smallest start of all living replicas' logs. */
  get lowWatermark(): number {
    const starts = this.replicas.filter(id => this.#host.isAlive(id)).map(id => this.logs.get(id)!.logStartOffset)
    return starts.length === 0 ? this.logStartOffset : Math.min(...starts)
  }

  /** Called when anything that a waiting request may wait for has changed. The answer ends it. */
  onChange(callback: () => void): () => void {
    this.#waiting.add(callback)
    return () => void this.#waiting.delete(callback)
  }

  /** Its topic is gone: whoever waits hears of it. */
  close(): void {
    this.deleted = true
    this.leader = -1
    if (this.#lag) this.#host.world.clearTimer(this.#lag.timer)
    this.#lag = undefined
    this.#wake()
  }

  #follows(id: number): boolean {
    return !this.#held.has(id) && this.#host.follows(id)
  }

  #candidate(): number {
    return this.replicas.find(id => this.isr.includes(id) && this.#host.isAlive(id)) ?? -1
  }

  #change({ isr }: { isr: number[] }): void {
    this.isr = isr
    this.version++
    this.#host.partitionChanged(this)
  }

  #advance(log: ReplicaLog): void {
    const before = this.highWatermark
    const agreed = this.isUnderMinIsr ? before : Math.min(...this.isr.map(id => this.logs.get(id)!.endOffset))
    this.highWatermark = Math.max(before, Math.min(agreed, log.endOffset), log.logStartOffset)
    if (this.highWatermark < log.endOffset) this.#watchLag(log.endOffset)
    if (this.highWatermark > before) this.#wake()
  }

  /** Who has not come up to where the leader is now when the time is over leaves the ISR. */
  #watchLag(endOffset: number): void {
    const { world, replicaLagMs } = this.#host
    this.#lag ??= {
      endOffset,
      timer: world.setTimer(() => {
        const { endOffset: due } = this.#lag!
        this.#lag = undefined
        const slow = this.isr.filter(id => this.logs.get(id)!.endOffset < due)
        if (slow.length > 0) this.shrink(...slow)
        const log = this.log
        if (log && this.highWatermark < log.endOffset) this.#watchLag(log.endOffset)
      }, replicaLagMs)
    }
  }

  #wake(): void {
    for (const callback of [...this.#waiting]) callback()
  }
}

function duplicateOf({ baseOffset, lastOffset, timestamp }: AppendedBatch): Appended {
  return { errorCode: ERROR.NONE, baseOffset, endOffset: lastOffset + 1, duplicateTime: timestamp }
}

function failed(errorCode: number, message?: string): Appended {
  return { errorCode, baseOffset: -1, endOffset: -1, ...(message === undefined ? {} : { message }) }
}
