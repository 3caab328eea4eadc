/**
 * The log of one replica, in memory: batches in the order of their offsets, the epochs of their leaders, and what they say of producers.
 */
import type { StoredBatch } from './batch.ts'
import { type AbortedTransaction, ProducerStates } from './producers.ts'

/** From `startOffset` on, until the next one, batches are of the leader of this epoch. */
export interface EpochStart {
  readonly epoch: number
  readonly startOffset: number
}

export interface LogRead {
  /** Whole batches but for the last, which ends where the limit does (as a slice of a file would). */
  readonly chunks: Buffer[]
  readonly bytes: number
  /** One past the last offset of the batches read. */
  readonly nextOffset: number
}

export class ReplicaLog {
  readonly batches: StoredBatch[] = []
  readonly producers = new ProducerStates()
  epochs: EpochStart[] = []
  logStartOffset = 0
  /** Of the next record. */
  endOffset = 0
  sizeBytes = 0

  append(batch: StoredBatch): void {
    this.batches.push(batch)
    this.endOffset = batch.lastOffset + 1
    this.sizeBytes += batch.bytes.length
    this.beginEpoch(batch.leaderEpoch, batch.baseOffset)
    this.producers.append(batch)
  }

  /** A leader of this epoch writes from here on (`LeaderEpochFileCache.assign`). */
  beginEpoch(epoch: number, startOffset: number): void {
    if ((this.epochs.at(-1)?.epoch ?? -1) >= epoch) return
    while (this.epochs.length > 0 && this.epochs.at(-1)!.startOffset >= startOffset) this.epochs.pop()
    this.epochs.push({ epoch, startOffset })
  }

  get latestEpoch(): number {
    return this.epochs.at(-1)?.epoch ?? -1
  }

  /** Of the batch at this offset, or of the next one. */
  epochAt(offset: number): number {
    return this.epochs.findLast(({ startOffset }) => startOffset <= offset)?.epoch ?? -1
  }

  /** The largest epoch up to this one, and where it ends; -1 and -1 where the log cannot say (`LeaderEpochFileCache.endOffsetFor`). */
  endOfEpoch(epoch: number): { epoch: number; endOffset: number } {
    if (epoch < 0) return { epoch: -1, endOffset: -1 }
    if (epoch === this.latestEpoch) return { epoch, endOffset: this.endOffset }
    const next = this.epochs.find(each => each.epoch > epoch)
    if (!next) return { epoch: -1, endOffset: -1 }
    const floor = this.epochs.findLast(each => each.epoch <= epoch)
    return { epoch: floor?.epoch ?? epoch, endOffset: next.startOffset }
  }

  /** The index of the first batch that ends at this offset or later. */
  indexOf(offset: number): number {
    let low = 0
    let high = this.batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.batches[middle]!.lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /**
   * Batches from the one that holds `from` on, of those that begin before `before`. `leastOne`: the first one whole, even if it is larger than
   * `maxBytes`; without it nothing at all then.
   */
  read(from: number, before: number, maxBytes: number, leastOne: boolean): LogRead {
    const chunks: Buffer[] = []
    let bytes = 0
    let nextOffset = from
    const first = this.indexOf(from)
    for (let i = first; i < this.batches.length; i++) {
      const batch = this.batches[i]!
      if (batch.baseOffset >= before) break
      const room = maxBytes - bytes
      if (batch.bytes.length > room && !(leastOne && i === first)) {
        if (chunks.length === 0 || room <= 0) break
        chunks.push(batch.bytes.subarray(0, room))
        bytes += room
        break
      }
      chunks.push(batch.bytes)
      bytes += batch.bytes.length
      nextOffset = batch.lastOffset + 1
    }
    return { chunks, bytes, nextOffset }
  }

  /** Bytes of the batches that `read` could give, up to `most`. */
  bytesFrom(from: number, before: number, most: number): number {
    let bytes = 0
    for (let i = this.indexOf(from); i < this.batches.length && bytes < most; i++) {
      if (this.batches[i]!.baseOffset >= before) break
      bytes += this.batches[i]!.bytes.length
    }
    return Math.min(bytes, most)
  }

  abortedIn(from: number, before: number): AbortedTransaction[] {
    return this.producers.abortedIn(from, before)
  }

  /** Drops what lies at this offset and behind it. */
  truncateTo(offset: number): void {
    if (offset >= this.endOffset) return
    const keep = this.indexOf(offset)
    this.endOffset = Math.min(offset, this.batches[keep]?.baseOffset ?? offset)
    this.batches.length = keep
    this.logStartOffset = Math.min(this.logStartOffset, this.endOffset)
    this.epochs = this.epochs.filter(({ startOffset }) => startOffset < this.endOffset)
    this.#rebuild()
  }

  /** The log begins here from now on; batches that end before are gone. */
  moveStart(offset: number): void {
    if (offset <= this.logStartOffset) return
    this.logStartOffset = offset
    const gone = this.indexOf(offset)
    if (gone > 0) for (const batch of this.batches.splice(0, gone)) this.sizeBytes -= batch.bytes.length
    if (this.endOffset < offset) this.endOffset = offset
    const first = this.epochs.findLastIndex(({ startOffset }) => startOffset <= offset)
    if (first >= 0) this.epochs = [{ epoch: this.epochs[first]!.epoch, startOffset: offset }, ...this.epochs.slice(first + 1)]
    this.producers.forgetBefore(offset)
  }

  /** Where the log begins when only what is young enough, and no more bytes than these, are kept; -1: without a limit. */
  retained({ now, ageMs, bytes }: { now: number; ageMs: number; bytes: number }): number {
    let left = this.sizeBytes
    for (const batch of this.batches) {
      const old = ageMs >= 0 && now - (batch.maxTimestamp < 0 ? batch.appendedAt : batch.maxTimestamp) > ageMs
      if (!old && (bytes < 0 || left <= bytes)) return Math.max(batch.baseOffset, this.logStartOffset)
      left -= batch.bytes.length
    }
    return this.endOffset
  }

  /** Becomes what the leader's log is, as a follower does: drops what the leader has not, takes what it has. True: something changed. */
  follow(leader: ReplicaLog): boolean {
    const had = this.endOffset
    if (this.endOffset < leader.logStartOffset) this.#restart(leader.logStartOffset)
    let agreed = this.batches.length
    while (agreed > 0 && !leader.#has(this.batches[agreed - 1]!)) agreed--
    if (agreed < this.batches.length) this.truncateTo(this.batches[agreed]!.baseOffset)
    else if (this.endOffset > leader.endOffset) this.truncateTo(leader.endOffset)
    const truncated = this.endOffset < had
    const from = this.endOffset
    for (let i = leader.indexOf(from); i < leader.batches.length; i++) this.append(leader.batches[i]!)
    this.moveStart(leader.logStartOffset)
    const last = leader.epochs.at(-1)
    if (last) this.beginEpoch(last.epoch, last.startOffset)
    return truncated || this.endOffset > from
  }

  #has(batch: StoredBatch): boolean {
    if (batch.lastOffset < this.logStartOffset) return true
    const mine = this.batches[this.indexOf(batch.lastOffset)]
    return (
      mine === batch || (mine?.baseOffset === batch.baseOffset && mine.leaderEpoch === batch.leaderEpoch && mine.bytes.equals(batch.bytes))
    )
  }

  #restart(offset: number): void {
    this.batches.length = 0
    this.epochs = []
    this.endOffset = offset
    this.logStartOffset = offset
    this.#rebuild()
  }

  /** Producers as the batches that are left tell them. */
  #rebuild(): void {
    this.producers.clear()
    this.sizeBytes = 0
    for (const batch of this.batches) {
      this.producers.append(batch)
      this.sizeBytes += batch.bytes.length
    }
  }
}
