/**
 * OffsetCommit, OffsetFetch, OffsetDelete and TxnOffsetCommit over the groups of a cluster (Kafka's `OffsetMetadataManager`).
 */
import { ERROR, KafkaFault } from '../errors.ts'
import type { ClassicCoordinator } from './classic-coordinator.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ConsumerCoordinator } from './consumer-coordinator.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { GroupHost, GroupOptions } from './host.ts'
import { type CommittedOffset, GroupOffsets } from './offsets.ts'
import type { GroupRecord } from './records.ts'

export type Group = ClassicGroup | ConsumerGroup

export interface Committer {
  groupId: string
  memberId: string
  instanceId: string | null
  /** Generation of a classic group, epoch of a member of the other kind; -1: none. */
  generationId: number
  /** Of the request: old ones hear other errors. */
  version: number
  /** Set: it waits for this producer's transaction. */
  producerId?: bigint
  producerEpoch?: number
}

export interface OffsetToCommit {
  topic: string
  partition: number
  offset: bigint
  leaderEpoch: number
  metadata: string | null
}

export type FetchedOffset = CommittedOffset | { errorCode: number } | undefined

export class OffsetKeeper {
  readonly offsets = new Map<string, GroupOffsets>()
  #groups: Map<string, Group>
  #host: GroupHost
  #options: GroupOptions
  #classic: ClassicCoordinator
  #consumer: ConsumerCoordinator
  #newGroup: (groupId: string) => ClassicGroup
  #onLess: (groupId: string) => void

  constructor(of: {
    groups: Map<string, Group>
    host: GroupHost
    options: GroupOptions
    classic: ClassicCoordinator
    consumer: ConsumerCoordinator
    /** Among the groups, from now on. */
    newGroup: (groupId: string) => ClassicGroup
    /** Offsets were deleted. */
    onLess: (groupId: string) => void
  }) {
    this.#groups = of.groups
    this.#host = of.host
    this.#options = of.options
    this.#classic = of.classic
    this.#consumer = of.consumer
    this.#newGroup = of.newGroup
    this.#onLess = of.onLess
  }

  /** Error codes, one for each. What is wrong with all of them is thrown (KafkaFault). */
  commit(who: Committer, commits: readonly OffsetToCommit[]): number[] {
    this.#check(who)
    const { groupId, producerId, producerEpoch = 0 } = who
    const committedAt = this.#host.world.now()
    const errors = commits.map(({ metadata }) =>
      (metadata ?? '').length > this.#options.offsetMetadataMaxBytes ? ERROR.OFFSET_METADATA_TOO_LARGE : ERROR.NONE
    )
    const named = commits
      .filter((_, i) => errors[i] === ERROR.NONE)
      .map(({ topic, partition, offset, leaderEpoch, metadata }) => ({
        topic,
        partition,
        offset,
        leaderEpoch,
        metadata: metadata ?? '',
        committedAt
      }))
    const records = named.map(({ topic, partition, ...value }): GroupRecord => ({ type: 'offset', groupId, topic, partition, value }))
    const failure = this.#journal(groupId, records, producerId === undefined ? undefined : { producerId, producerEpoch })
    if (failure !== ERROR.NONE) return errors.map(errorCode => errorCode || failure)
    const offsets = this.#of(groupId)
    for (const each of named) {
      if (producerId === undefined) offsets.commit(each)
      else offsets.commitPending(producerId, each)
    }
    return errors
  }

  /** Throws KafkaFault when this one may not know them. Unknown groups have none. */
  checkFetch(groupId: string, memberId: string | null, memberEpoch: number): void {
    const group = this.#groups.get(groupId)
    if (group?.type === 'consumer') this.#consumer.checkFetch(group, memberId, memberEpoch)
  }

  fetch(groupId: string, topic: string, partition: number, requireStable: boolean): FetchedOffset {
    const offsets = this.offsets.get(groupId)
    if (requireStable && offsets?.isPending(topic, partition)) return { errorCode: ERROR.UNSTABLE_OFFSET_COMMIT }
    return offsets?.get(topic, partition)
  }

  /** All that the group has an offset of. */
  partitions(groupId: string): Map<string, number[]> {
    return this.offsets.get(groupId)?.partitions() ?? new Map()
  }

  /** Error codes, one for each; or one for all, thrown. */
  delete(groupId: string, partitions: readonly { topic: string; partition: number }[]): number[] {
    const group = this.#groups.get(groupId)
    if (!group) throw new KafkaFault('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
    if (group.type === 'classic') {
      if (group.is('Dead')) throw new KafkaFault('GROUP_ID_NOT_FOUND', `Group ${groupId} is in dead state.`)
      if (!group.is('Empty') && group.protocolType !== 'consumer') throw new KafkaFault('NON_EMPTY_GROUP', `Group ${groupId} has members.`)
    }
    const errors = partitions.map(({ topic, partition }) => {
      if (group.isSubscribedTo(topic)) return ERROR.GROUP_SUBSCRIBED_TO_TOPIC
      this.#forget(groupId, topic, partition)
      return ERROR.NONE
    })
    this.#onLess(groupId)
    return errors
  }

  /** A topic is gone, and so are its offsets. */
  forgetTopic(topic: string): void {
    for (const [groupId, offsets] of this.offsets) {
      if (offsets.partitionsOf(topic).length === 0) continue
      this.#forget(groupId, topic)
      this.#onLess(groupId)
    }
  }

  /** A group is gone. */
  forgetGroup(groupId: string): void {
    for (const topic of this.partitions(groupId).keys()) this.#forget(groupId, topic)
    this.offsets.delete(groupId)
  }

  /** What was read back from the log. */
  restore({ groupId, topic, partition, value }: GroupRecord & { type: 'offset' }, producerId: bigint): void {
    const offsets = this.#of(groupId)
    if (!value) offsets.delete(topic, partition)
    else if (producerId < 0n) offsets.commit({ topic, partition, ...value })
    else offsets.commitPending(producerId, { topic, partition, ...value })
  }

  /** All committed offsets, to be written anew. Undefined: some wait for their transaction. */
  records(groupId: string): GroupRecord[] | undefined {
    const records: GroupRecord[] = []
    for (const [topic, partitions] of this.partitions(groupId))
      for (const partition of partitions) {
        if (this.offsets.get(groupId)!.isPending(topic, partition)) return undefined
        records.push({ type: 'offset', groupId, topic, partition, value: this.offsets.get(groupId)!.get(topic, partition)! })
      }
    return records
  }

  /** Transactions end on one partition of `__consumer_offsets`. */
  endTransaction(isIn: (groupId: string) => boolean, producerId: bigint, committed: boolean): void {
    for (const [groupId, offsets] of this.offsets)
      if (offsets.awaits(producerId) && isIn(groupId)) offsets.endTransaction(producerId, committed)
  }

  #check(who: Committer): void {
    const { groupId, memberId, instanceId, generationId, version } = who
    const transactional = who.producerId !== undefined
    const group = this.#groups.get(groupId) ?? this.#simple(who)
    if (group.type === 'classic') {
      const error = this.#classic.commitError(group, { memberId, instanceId, generationId }, transactional)
      if (error !== undefined) throw new KafkaFault(nameOf(error), 'The group does not take this commit.')
      return
    }
    try {
      this.#consumer.checkCommit(group, { memberId, instanceId, epoch: generationId, version }, transactional)
    } catch (error) {
      if (transactional && error instanceof KafkaFault && error.errorCode === ERROR.STALE_MEMBER_EPOCH)
        throw new KafkaFault('ILLEGAL_GENERATION', error.message)
      throw error
    }
  }

  /** A group that only commits: made by its first commit. */
  #simple({ groupId, generationId, version, producerId }: Committer): ClassicGroup {
    if (generationId >= 0)
      throw new KafkaFault(
        version >= 9 && producerId === undefined ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION',
        `Group ${groupId} not found.`
      )
    return this.#newGroup(groupId)
  }

  /** `partition` undefined: of all of them. */
  #forget(groupId: string, topic: string, partition?: number): void {
    const offsets = this.offsets.get(groupId)
    if (!offsets) return
    const held = partition !== undefined && (offsets.get(topic, partition) || offsets.isPending(topic, partition))
    const gone = partition === undefined ? offsets.partitionsOf(topic) : held ? [partition] : []
    if (gone.length === 0) return
    this.#journal(
      groupId,
      gone.map(each => ({ type: 'offset', groupId, topic, partition: each, value: null }))
    )
    offsets.delete(topic, partition)
  }

  /** An error code that a client of the coordinator knows (`maybeConvertOffsetCommitError`). */
  #journal(groupId: string, records: readonly GroupRecord[], producer?: { producerId: bigint; producerEpoch: number }): number {
    const errorCode = (records.length > 0 && this.#host.journal?.(groupId, records, producer)) || ERROR.NONE
    if (errorCode === ERROR.NOT_LEADER_OR_FOLLOWER || errorCode === ERROR.KAFKA_STORAGE_ERROR) return ERROR.NOT_COORDINATOR
    return errorCode === ERROR.NOT_ENOUGH_REPLICAS || errorCode === ERROR.UNKNOWN_TOPIC_OR_PARTITION
      ? ERROR.COORDINATOR_NOT_AVAILABLE
      : errorCode
  }

  #of(groupId: string): GroupOffsets {
    let offsets = this.offsets.get(groupId)
    if (!offsets) this.offsets.set(groupId, (offsets = new GroupOffsets()))
    return offsets
  }
}

const NAMES = [
  'COORDINATOR_NOT_AVAILABLE',
  'UNKNOWN_MEMBER_ID',
  'FENCED_INSTANCE_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS'
] as const

const nameOf = (code: number): (typeof NAMES)[number] => NAMES.find(name => ERROR[name] === code)!
