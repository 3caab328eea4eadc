/**
 * Where a consumer's processed offsets are committed. The member that owns the partitions provides it; a stale epoch is refused.
 */
export interface OffsetToCommit {
  topic: string
  partition: number
  /** The **next** offset to read. */
  offset: bigint
  /** Id of the topic in which it is a place: where the broker takes ids, a topic that was made again is not committed to. */
  topicId?: string | null
  /** Of the last processed message's batch (KIP-320); told to Kafka where it is known. */
  leaderEpoch?: number
  /** Up to the user; Kafka keeps it with the offset (`offset.metadata.max.bytes`, 4,096 by default), ZooKeeper does not: there the copy has it. */
  metadata?: string
}

/** What is committed of a partition. */
export interface CommittedOffset {
  offset: bigint
  /** -1: not known. */
  leaderEpoch: number
  /** Empty when there is none. */
  metadata: string
}

export interface OffsetStore {
  /**
   * Commits for the assignment with this epoch. Resolves with what was written, partition by partition; an entry with `error` was not.
   * Never throws for one partition's trouble; rejects (GroupError STALE_EPOCH, NOT_OWNER, SUSPENDED) when nothing may be committed at all.
   */
  commit(epoch: number, offsets: readonly OffsetToCommit[]): Promise<{ topic: string; partition: number; offset: bigint; error?: Error }[]>
  /** What is committed, by `topic/partition`; one that is not there has nothing. Rejects with SamsaError. */
  fetch(partitions: readonly { topic: string; partition: number }[]): Promise<ReadonlyMap<string, CommittedOffset>>
}
