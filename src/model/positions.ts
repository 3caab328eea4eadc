/**
 * Where a consumer stands in its partitions: what its user asks for, orders, and is told.
 */
import type { Message } from './message.ts'

export type TopicPartition = { topic: string; partition: number }

/**
 * Where a seek goes: an offset (the next message handed out has it, or the first one after it), the first or behind the last message there
 * is, what is committed (without a commit: by the subscription's `from`), or the first message at or after a time (else the end).
 */
export type SeekTarget = bigint | 'beginning' | 'end' | 'committed' | Date

/** One partition, several, or (without `partition` and `partitions`) every one that is owned. */
export type SeekPosition = { topic: string; partition: number; to: SeekTarget } | { partitions?: readonly TopicPartition[]; to: SeekTarget }

/** An offset to be committed: the **next** one to read. A message stands for the offset after it. */
export type OffsetCommit =
  | {
      topic: string
      partition: number
      /** At least 0n. */
      offset: bigint
      /** Up to the user, at most 4,096 characters by the broker's default (`offset.metadata.max.bytes`). */
      metadata?: string
      /** Of the last processed message's batch (KIP-320). Default: what the consumer knows of it. */
      leaderEpoch?: number
    }
  | Message

/** The next offset to process. */
export type Position = TopicPartition & { offset: bigint }

export type CommittedPosition = TopicPartition & {
  /** The next offset to read. */
  offset: bigint
  /** -1: it was committed without one. */
  leaderEpoch: number
  /** Empty: none. */
  metadata: string
}

export type PartitionLag = TopicPartition & {
  /** The next offset to process. */
  position: bigint
  /** Where the partition ends for this consumer: the high watermark; under `read_committed` the last stable offset. */
  end: bigint
  /** What is between them, 0n at least. Offsets, not messages: compaction and transactions leave holes. */
  lag: bigint
}

export type PositionEmitted =
  | {
      type: 'partition.position'
      topic: string
      partition: number
      offset: string
      why: 'committed' | 'reset' | 'carried' | 'given' | 'sought' | 'truncated'
    }
  /** Every `lagIntervalMs` while somebody listens for it: of every partition that is owned, located, and whose end is known. */
  | { type: 'partition.lag'; partitions: PartitionLag[] }
  /**
   * A topic was deleted and made again under the same name: positions in the old one mean nothing. Its partitions begin anew by `from`; with
   * `latest` at the beginning, because the new topic is younger than the subscription.
   */
  | { type: 'topic.recreated'; topic: string; oldId: string; newId: string }
  | { type: 'committed'; offsets: { topic: string; partition: number; offset: string; metadata?: string }[] }
  /** A commit before partitions are given back did not go through, and there is time to try it again. */
  | { type: 'commit.retrying'; partitions: TopicPartition[]; reason: string; attempt: number; delayMs: number }
