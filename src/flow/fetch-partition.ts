/**
 * The data of one consumed partition: where to fetch next, what is buffered, what is handed out and processed.
 * Credit is counted in fetched bytes that are not yet processed; above it the partition is left out of fetches.
 *
 *   processed (ledger) ≤ handed out ≤ verified and buffered ≤ fetchOffset
 *
 * `generation` numbers the runs of fetching without a jump: an answer that was asked for in an older one is dropped.
 */
import { LimitError } from '../model/errors.ts'
import type { Message } from '../model/message.ts'
import { readBatches } from '../wire/records/batch-reader.ts'
import { type DecodeLimits, LENGTH_AT, LOG_OVERHEAD } from '../wire/records/layout.ts'
import { EpochTrail, NO_EPOCH } from './epoch-trail.ts'
import { type AbortedTransaction, AbortedTransactions } from './fetch-aborted.ts'
import { FetchBuffer } from './fetch-buffer.ts'
import { Ledger, type LedgerEntry } from './ledger.ts'

export interface FetchPartitionOptions {
  topic: string
  partition: number
  /** Fetched and not processed, above which it rests. */
  creditBytes: number
  /** Most of this partition in one fetch. */
  fetchMaxBytes: number
  /** What that may grow to for a batch that is larger. */
  growToBytes: number
  limits: DecodeLimits
}

export interface HandedOut {
  messages: Message[]
  entry: LedgerEntry
}

export class FetchPartition {
  readonly topic: string
  readonly partition: number
  /** Undefined until the position is known. */
  ledger: Ledger | undefined
  fetchOffset = -1n
  generation = 0
  /** The machine's: what the fetch loop reports carries it. */
  term = 0
  leaderEpoch = NO_EPOCH
  topicId: string | null = null
  maxBytes: number
  /** May be read from a replica that its leader prefers for our rack. */
  nearby = true
  /** It is read from a follower, which need not know the newest epoch yet: only leaders are asked to compare. */
  fromFollower = false
  paused = false
  /** Drained, parked or lost: neither fetched nor handed out any more. */
  stopped = false
  /** The last fetch of it failed. The first good one is told. */
  troubled = false
  /** Where the log begins and ends for readers, as the last answer said; -1n: not known. Transactions that are open end it earlier. */
  logStartOffset = -1n
  highWatermark = -1n
  lastStableOffset = -1n
  #options: FetchPartitionOptions
  #buffer: FetchBuffer
  #epochs = new EpochTrail()
  /** Next offset to hand out. */
  #handedOut = -1n

  constructor(options: FetchPartitionOptions) {
    this.#options = options
    this.topic = options.topic
    this.partition = options.partition
    this.maxBytes = options.fetchMaxBytes
    this.#buffer = new FetchBuffer({ topic: options.topic, partition: options.partition }, options.limits)
  }

  /** Begins at this offset; what was buffered of another place is dropped. `epoch`: of the leader under which that was the position; -1: not known. */
  begin(offset: bigint, committed?: bigint, epoch: number = NO_EPOCH): void {
    this.drop()
    this.ledger = new Ledger(offset, committed)
    this.#handedOut = offset
    this.fetchOffset = offset
    this.#epochs.begin(offset, epoch)
  }

  /** Goes on at a later offset: what was handed out before still counts, and what is between is nobody's any more. */
  skipTo(offset: bigint, epoch: number = NO_EPOCH): void {
    this.drop()
    this.ledger!.skipTo(offset)
    this.#handedOut = offset
    this.fetchOffset = offset
    this.#epochs.begin(offset, epoch)
  }

  /** The next offset to hand out. */
  get handedOut(): bigint {
    return this.#handedOut
  }

  /** The leader epoch of what is before `fetchOffset`; -1: not known. */
  get lastEpoch(): number {
    return this.#epochs.last
  }

  /** The leader epoch of the last message before this position, to be committed with it; undefined: not known. */
  epochAt(position: bigint): number | undefined {
    const epoch = this.#epochs.at(position)
    return epoch >= 0 ? epoch : undefined
  }

  /** Bytes that are fetched and not processed. */
  get usedBytes(): number {
    return this.#buffer.bytes + (this.ledger?.unprocessedBytes ?? 0)
  }

  get outOfCredit(): boolean {
    return this.usedBytes >= this.#options.creditBytes
  }

  /** It should be in the next fetch. */
  get wants(): boolean {
    return !this.stopped && !this.paused && this.ledger !== undefined && !this.outOfCredit
  }

  /** Something can be handed out now. */
  get ready(): boolean {
    return !this.stopped && !this.paused && this.#buffer.hasMessages
  }

  get hasUnverified(): boolean {
    return this.#buffer.hasUnverified
  }

  see(ends: { logStartOffset: bigint; highWatermark: bigint; lastStableOffset: bigint }): void {
    this.logStartOffset = ends.logStartOffset
    this.highWatermark = ends.highWatermark
    this.lastStableOffset = ends.lastStableOffset
  }

  /**
   * Takes the records of a good answer: reads headers, moves `fetchOffset`, leaves the rest to `verifyNext`. Throws ProtocolError at a
   * header that cannot be (what came before it is kept), LimitError when a batch is larger than we would ever ask for.
   */
  accept(records: Buffer, aborted: readonly AbortedTransaction[] | null): void {
    if (records.length === 0) return
    const filter = aborted && aborted.length > 0 ? new AbortedTransactions(aborted) : undefined
    let batches = 0
    for (const batch of readBatches(ownMemory(records))) {
      batches++
      // The batches before the one that holds the offset asked for are none of ours.
      if (batch.nextOffset <= this.fetchOffset) continue
      this.#buffer.add(batch, filter)
      this.fetchOffset = batch.nextOffset
      this.#epochs.note(batch.baseOffset, batch.partitionLeaderEpoch, this.leaderEpoch)
    }
    if (batches > 0) this.maxBytes = this.#options.fetchMaxBytes
    else this.#grow(records)
  }

  /** Checks the next buffered batch. Throws ProtocolError CORRUPT_BATCH: call `refetch` then. */
  verifyNext(): void {
    const skipTo = this.#buffer.verifyNext()
    if (skipTo === undefined) return
    this.ledger!.skipTo(skipTo)
    if (skipTo > this.#handedOut) this.#handedOut = skipTo
  }

  /** Hands out up to `most` messages; undefined when there is nothing. Throws what decoding throws: call `refetchAll` then. */
  take(most: number): HandedOut | undefined {
    for (;;) {
      const taken = this.#buffer.take(most, this.#handedOut)
      if (!taken) return undefined
      this.#handedOut = taken.nextOffset
      if (taken.messages.length > 0)
        return { messages: taken.messages, entry: this.ledger!.handOut(taken.messages, taken.nextOffset, taken.bytes) }
      this.ledger!.skipTo(taken.nextOffset)
    }
  }

  /** Fetches again what is not verified. */
  refetch(): void {
    this.#buffer.dropUnverified()
    this.generation++
    this.fetchOffset = this.#buffer.readyEnd ?? this.#handedOut
    this.#epochs.cut(this.fetchOffset)
  }

  /** Fetches again everything that is not handed out. */
  refetchAll(): void {
    this.drop()
    this.fetchOffset = this.#handedOut
    this.#epochs.cut(this.fetchOffset)
  }

  /**
   * A leader has said that its newest epoch not above `lastEpoch` is `epoch`, ending at `endOffset`. Returns where its log parts from what
   * was read; undefined: nowhere. What was only buffered beyond that is dropped; what was handed out is for the caller to decide.
   */
  compare(epoch: number, endOffset: bigint): bigint | undefined {
    const parting = this.#epochs.parting(epoch, endOffset)
    if (parting < this.#handedOut) return parting
    const parted = parting < this.fetchOffset
    if (parted) this.refetchAll()
    // From here on ours is what the leader has before this position.
    if (this.#epochs.last > epoch) this.#epochs.begin(this.fetchOffset, epoch)
    return parted ? parting : undefined
  }

  /** Drops what is buffered and what is on its way. */
  drop(): void {
    this.#buffer.clear()
    this.generation++
  }

  #grow(records: Buffer): void {
    const { growToBytes } = this.#options
    const needed = records.length >= LOG_OVERHEAD ? LOG_OVERHEAD + records.readInt32BE(LENGTH_AT) : this.maxBytes * 2
    if (needed > growToBytes)
      throw new LimitError(
        'MESSAGE_TOO_LARGE',
        `The batch at offset ${this.fetchOffset} of ${this.topic}/${this.partition} has ${needed} bytes; maxFrameBytes allows ${growToBytes}. ` +
          'Raise maxFrameBytes, or seek past it.',
        { details: { topic: this.topic, partition: this.partition, bytes: needed, limitBytes: growToBytes } }
      )
    this.maxBytes = Math.max(needed, Math.min(this.maxBytes * 2, growToBytes))
  }
}

/**
 * A slice that is small beside the response it lies in is copied, so that one slow partition does not hold a whole response of 50 MiB.
 * (Copying costs about a tenth of checking the CRC.)
 */
function ownMemory(records: Buffer): Buffer {
  return records.length * 2 < records.buffer.byteLength ? Buffer.from(records) : records
}
