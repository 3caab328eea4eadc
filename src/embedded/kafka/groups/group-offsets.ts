/**
 * OffsetCommit, OffsetFetch, OffsetDelete and TxnOffsetCommit over the groups of a cluster (Kafka's `OffsetMetadataManager`).
 */
import { ERROR, KafkaFault } from '../errors.ts'
import type { ClassicCoordinator } from './classic-coordinator.ts'
import { ClassicGroup } from './classic-group.ts'
import type { ConsumerCoordinator } from './consumer-coordinator.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { GroupHost, GroupOptions } from './host.ts'
import { type CommittedOffset, GroupOffsets } from './offsets.ts'

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

  constructor(of: {
    groups: Map<string, Group>
    host: GroupHost
    options: GroupOptions
    classic: ClassicCoordinator
    consumer: ConsumerCoordinator
  }) {
    this.#groups = of.groups
    this.#host = of.host
    this.#options = of.options
    this.#classic = of.classic
    this.#consumer = of.consumer
  }

  /** Error codes, one for each. What is wrong with all of them is thrown (KafkaFault). */
  commit(who: Committer, commits: readonly OffsetToCommit[]): number[] {
    this.#check(who)
    const offsets = this.#of(who.groupId)
    const committedAt = this.#host.world.now()
    return commits.map(({ topic, partition, offset, leaderEpoch, metadata }) => {
      const text = metadata ?? ''
      if (text.length > this.#options.offsetMetadataMaxBytes) return ERROR.OFFSET_METADATA_TOO_LARGE
      const named = { topic, partition, offset, leaderEpoch, metadata: text, committedAt }
      if (who.producerId === undefined) offsets.commit(named)
      else offsets.commitPending(who.producerId, named)
      return ERROR.NONE
    })
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
    return partitions.map(({ topic, partition }) => {
      if (group.isSubscribedTo(topic)) return ERROR.GROUP_SUBSCRIBED_TO_TOPIC
      this.offsets.get(groupId)?.delete(topic, partition)
      return ERROR.NONE
    })
  }

  /** A topic is gone, and so are its offsets. */
  forgetTopic(topic: string): void {
    for (const offsets of this.offsets.values()) offsets.delete(topic)
  }

  /** Transactions end on one partition of `__consumer_offsets`. */
  endTransaction(isIn: (groupId: string) => boolean, producerId: bigint, committed: boolean): void {
    for (const [groupId, offsets] of this.offsets) if (isIn(groupId)) offsets.endTransaction(producerId, committed)
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
    const group = new ClassicGroup(groupId)
    this.#groups.set(groupId, group)
    return group
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
