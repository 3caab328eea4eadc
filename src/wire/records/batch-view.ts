/**
 * What the rest of samsa sees of a fetched batch, whatever its format: where it is, who wrote it, whether it is whole,
 * and its messages. `RecordBatch` (magic 2) and `LegacyMessage` (magic 0 and 1) implement it.
 */
import type { Compression } from '../../model/config.ts'
import type { Message } from '../../model/message.ts'
import type { DecodeLimits, RecordOrigin } from './layout.ts'

/** The end of a transaction (KIP-98), or a control record that is none of a client's business (`other`). */
export interface ControlMarker {
  readonly type: 'commit' | 'abort' | 'other'
  /** Kafka's number (`ControlRecordType`): 0 abort, 1 commit, 2 and up the cluster's own. */
  readonly typeNumber: number
}

/**
 * The messages of a checked batch, made when they are taken: partitions take turns, and what waits for its turn would outlive every young
 * generation of the garbage collector.
 */
export interface MessageRun {
  /** Not taken yet. */
  readonly left: number
  /** The next ones, `most` of them or all that are left. */
  take(most: number): Message[]
}

/** Messages that are there already. */
export class MadeRun implements MessageRun {
  #messages: readonly Message[]
  #at = 0

  constructor(messages: readonly Message[]) {
    this.#messages = messages
  }

  get left(): number {
    return this.#messages.length - this.#at
  }

  take(most: number): Message[] {
    const from = this.#at
    this.#at = Math.min(from + most, this.#messages.length)
    return this.#messages.slice(from, this.#at)
  }
}

export interface BatchView {
  readonly magic: 0 | 1 | 2
  /** Of its first record. Of a compressed v0/v1 message set only `lastOffset` is known before decoding: then the same as that. */
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  /** Where to fetch next: one past the last offset, also where compaction has removed the last records. */
  readonly nextOffset: bigint
  /** Records, before any is decoded; -1 for a compressed v0/v1 message set. */
  readonly count: number
  /** -1n: not idempotent, not transactional. */
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly partitionLeaderEpoch: number
  /** Holds a marker (`controlMarker`), no message. */
  readonly isControl: boolean
  readonly isTransactional: boolean
  /** Whose clock: the producer's, the broker's, or `none` (format v0). */
  readonly timestampType: 'create' | 'append' | 'none'
  /** Milliseconds since the epoch; -1n: none. */
  readonly maxTimestamp: bigint
  readonly compression: Compression
  /** As it lies in the response. */
  readonly sizeBytes: number
  /** Checks the CRC, once. Throws ProtocolError CORRUPT_BATCH. `open` and `controlMarker` do it themselves. */
  verify(): void
  /**
   * The messages from `fromOffset` on (a broker answers with the whole batch that holds the offset asked for). Every record is
   * checked before the first is given out. Empty for a control batch. Throws ProtocolError, or LimitError for a batch that is too large unpacked.
   */
  open(origin: RecordOrigin, fromOffset: bigint, limits?: DecodeLimits): MessageRun
  /** The marker of a control batch, else null. Throws as `open`. */
  controlMarker(limits?: DecodeLimits): ControlMarker | null
}
