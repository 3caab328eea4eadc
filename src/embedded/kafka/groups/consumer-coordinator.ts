/**
 * ConsumerGroupHeartbeat: joining, staying and leaving a KIP-848 group (Kafka's `GroupMetadataManager`). Answers are thrown as KafkaFault where they
 * are errors.
 */
import { KafkaFault } from '../errors.ts'
import { ASSIGNORS } from './assignors/assignor.ts'
import { type ConsumerGroup, type ConsumerMember, LEAVES, STATIC_LEAVES } from './consumer-group.ts'
import { type Client, type GroupHost, type GroupOptions, randomUuid } from './host.ts'
import { isSubset, NO_PARTS, type Parts, same } from './parts.ts'
import { checkEpoch, reconcile } from './reconcile.ts'
import { matcherOf } from './regex.ts'

export interface ConsumerHeartbeat extends Client {
  groupId: string
  memberId: string
  memberEpoch: number
  instanceId: string | null
  rackId: string | null
  /** -1: as before. */
  rebalanceTimeoutMs: number
  /** Of all these, null: as before. */
  topics: readonly string[] | null
  regex: string | null
  assignor: string | null
  owned: Parts | null
  /** From version 1 on members choose their ids. */
  requireMemberId: boolean
}

export interface ConsumerBeat {
  memberId: string
  memberEpoch: number
  heartbeatIntervalMs: number
  /** null: as before. */
  assignment: Parts | null
}

/** OffsetCommit's version that knows epochs of members. */
const EPOCHS_KNOWN_FROM = 9

export class ConsumerCoordinator {
  #host: GroupHost
  #options: GroupOptions
  #onFenced: (group: ConsumerGroup) => void

  /** `onFenced`: a member is gone. */
  constructor(host: GroupHost, options: GroupOptions, onFenced: (group: ConsumerGroup) => void = () => {}) {
    this.#host = host
    this.#options = options
    this.#onFenced = onFenced
  }

  /** What is wrong with the request itself is thrown. */
  check(request: ConsumerHeartbeat): void {
    const { memberEpoch: epoch, topics, regex, assignor } = request
    notEmpty(request.groupId, 'GroupId')
    notEmpty(request.instanceId, 'InstanceId')
    notEmpty(request.rackId, 'RackId')
    if (epoch > 0 || epoch === LEAVES || epoch === STATIC_LEAVES || request.requireMemberId) notEmpty(request.memberId, 'MemberId')
    if (epoch === 0) {
      if (request.rebalanceTimeoutMs === -1) throw invalid('RebalanceTimeoutMs must be provided in first request.')
      if (request.owned === null || request.owned.size > 0) throw invalid('TopicPartitions must be empty when (re-)joining.')
      if ((topics === null || topics.length === 0) && !regex)
        throw invalid('Either SubscribedTopicNames or SubscribedTopicRegex must be set in first request.')
    } else if (epoch === STATIC_LEAVES) {
      if (request.instanceId === null) throw invalid("InstanceId can't be null.")
    } else if (epoch < STATIC_LEAVES) throw invalid('MemberEpoch is invalid.')
    if (assignor !== null && !ASSIGNORS.has(assignor))
      throw new KafkaFault(
        'UNSUPPORTED_ASSIGNOR',
        `ServerAssignor ${assignor} is not supported. Supported assignors: ${[...ASSIGNORS.keys()].join(', ')}.`
      )
    if (regex) matcherOf(regex)
  }

  /** The group is there, the request was checked. */
  heartbeat(group: ConsumerGroup, request: ConsumerHeartbeat): ConsumerBeat {
    if (request.memberEpoch < 0) return this.#leave(group, request)
    const { members } = group
    if (members.size >= this.#options.consumerMaxSize && !members.has(request.memberId))
      throw new KafkaFault(
        'GROUP_MAX_SIZE_REACHED',
        `The consumer group has reached its maximum capacity of ${this.#options.consumerMaxSize} members.`
      )
    const before = this.#memberFor(group, request)
    if (before.classic?.due) this.#host.world.clearTimer(before.classic.due)
    const member = this.#updated(before, request)
    this.settle(group, before, member, request.owned)
    const isFull =
      request.memberEpoch === 0 || (request.rebalanceTimeoutMs !== -1 && (request.topics || request.regex) && request.owned !== null)
    return {
      memberId: member.id,
      memberEpoch: member.epoch,
      heartbeatIntervalMs: this.#options.consumerHeartbeatIntervalMs,
      assignment: isFull || !same(before.assigned, member.assigned) ? member.assigned : null
    }
  }

  /** A member is what it is now, and was `before`: the group goes on from there. */
  settle(group: ConsumerGroup, before: ConsumerMember, member: ConsumerMember, owned: Parts | null): void {
    const isNew = group.members.get(member.id) !== before
    const subscribed = isNew || before.regex !== member.regex || !sameTopics(before.topics, member.topics)
    group.put(member)
    // Both are asked: the second remembers what it saw.
    const topicsChanged = group.topicsChanged(this.#host, subscribed)
    if (subscribed || topicsChanged) this.bump(group)
    if (group.epoch > group.assignmentEpoch) group.assign(this.#host)
    this.#reconcile(group, member, owned)
    this.session(group, member)
  }

  /** Who may not commit, or fetch, offsets is told so (KafkaFault). */
  checkCommit(
    group: ConsumerGroup,
    who: { memberId: string; instanceId: string | null; epoch: number; version: number },
    transactional: boolean
  ): void {
    if (who.epoch < 0 && group.members.size === 0) return
    if (transactional && who.epoch < 0 && who.memberId === '' && who.instanceId === null) return
    const member = this.#checkStanding(group, who.memberId, who.epoch)
    if (!transactional && !member.classic && who.version < EPOCHS_KNOWN_FROM)
      throw new KafkaFault('UNSUPPORTED_VERSION', `OffsetCommit version ${who.version} is too old for a member of the consumer protocol.`)
  }

  checkFetch(group: ConsumerGroup, memberId: string | null, epoch: number): void {
    if (memberId === null && epoch < 0) return
    this.#checkStanding(group, memberId ?? '', epoch)
  }

  /** A new coordinator has read the group: sessions begin anew. */
  loaded(group: ConsumerGroup): void {
    for (const member of group.members.values()) {
      this.session(group, member)
      this.#rebalance(group, member)
    }
  }

  unload(group: ConsumerGroup): void {
    for (const member of group.members.values()) this.#forget(member)
  }

  #checkStanding(group: ConsumerGroup, memberId: string, epoch: number): ConsumerMember {
    const member = group.member(memberId)
    if (epoch !== member.epoch)
      throw new KafkaFault(
        member.classic ? 'ILLEGAL_GENERATION' : 'STALE_MEMBER_EPOCH',
        `The received member epoch ${epoch} does not match the expected member epoch ${member.epoch}.`
      )
    return member
  }

  #memberFor(group: ConsumerGroup, request: ConsumerHeartbeat): ConsumerMember {
    const { memberEpoch, instanceId } = request
    const memberId = request.memberId === '' ? randomUuid(this.#host.world) : request.memberId
    const existing = instanceId === null ? group.members.get(memberId) : group.staticMember(instanceId)
    if (memberEpoch > 0 || instanceId === null) {
      if (memberEpoch === 0 && !existing) return fresh(memberId, request)
      const member = instanceId === null ? group.member(memberId) : this.#staticOf(group, request)
      checkEpoch(member, memberEpoch, request.owned !== null && isSubset(request.owned, member.assigned))
      return member
    }
    if (!existing) return fresh(memberId, request)
    if (existing.epoch !== STATIC_LEAVES && !existing.classic)
      throw new KafkaFault(
        'UNRELEASED_INSTANCE_ID',
        `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ${existing.id} member.`
      )
    return this.replace(group, existing, memberId)
  }

  /** A static member has come back, maybe under another id: it gets what it had. */
  replace(group: ConsumerGroup, existing: ConsumerMember, memberId: string): ConsumerMember {
    const target = group.targetOf(existing.id)
    this.#forget(existing)
    group.remove(existing)
    const member: ConsumerMember = { ...existing, id: memberId, epoch: 0, previousEpoch: 0 }
    group.put(member)
    group.target.set(memberId, target)
    return member
  }

  #updated(before: ConsumerMember, request: ConsumerHeartbeat): ConsumerMember {
    const { clientId, clientHost, rackId, rebalanceTimeoutMs, topics, regex, assignor } = request
    return {
      ...before,
      ...{ clientId, clientHost },
      rackId: rackId ?? before.rackId,
      rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? before.rebalanceTimeoutMs : rebalanceTimeoutMs,
      topics: topics === null ? before.topics : [...new Set(topics)].sort(),
      regex: regex ?? before.regex,
      assignor: assignor ?? before.assignor,
      classic: null
    }
  }

  #reconcile(group: ConsumerGroup, member: ConsumerMember, owned: Parts | null): void {
    const after = reconcile(member, {
      epoch: group.assignmentEpoch,
      target: group.targetOf(member.id),
      owned,
      isTaken: (topicId, partition) => group.isTaken(topicId, partition)
    })
    if (after === member) return
    const { state, epoch, previousEpoch, assigned, revoking } = after
    Object.assign(member, { state, epoch, previousEpoch, assigned, revoking })
    this.#rebalance(group, member)
  }

  #leave(group: ConsumerGroup, { memberId, memberEpoch, instanceId, ...request }: ConsumerHeartbeat): ConsumerBeat {
    const member = instanceId === null ? group.member(memberId) : this.#staticOf(group, { memberId, instanceId, ...request })
    if (memberEpoch === STATIC_LEAVES) {
      member.epoch = STATIC_LEAVES
      member.revoking = NO_PARTS
      this.#stop(member, 'rebalance')
    } else this.fence(group, member)
    return { memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: null }
  }

  #staticOf(group: ConsumerGroup, { memberId, instanceId }: Pick<ConsumerHeartbeat, 'memberId' | 'instanceId'>): ConsumerMember {
    const member = group.staticMember(instanceId!)
    if (!member) throw new KafkaFault('UNKNOWN_MEMBER_ID', `Instance id ${instanceId} is unknown.`)
    if (member.id !== memberId)
      throw new KafkaFault(
        'FENCED_INSTANCE_ID',
        `Static member ${memberId} with instance id ${instanceId} was fenced by member ${member.id}.`
      )
    return member
  }

  /** Out of the group; the others get its partitions when they next say something. */
  fence(group: ConsumerGroup, member: ConsumerMember): void {
    this.#forget(member)
    group.remove(member)
    group.topicsChanged(this.#host, true)
    this.bump(group)
    this.#onFenced(group)
  }

  /** A new assignment is made when a member next says something. */
  bump(group: ConsumerGroup): void {
    group.epoch++
    this.#host.journal?.(group.id, [{ type: 'epoch', groupId: group.id, value: group.epoch }])
  }

  /** It was heard of. */
  session(group: ConsumerGroup, member: ConsumerMember): void {
    this.#stop(member, 'session')
    const timeoutMs = member.classic?.sessionTimeoutMs ?? this.#options.consumerSessionTimeoutMs
    member.session = this.#host.world.setTimer(() => this.expire(group, member.id), timeoutMs)
  }

  /** It has so long to give up what it must. */
  #rebalance(group: ConsumerGroup, member: ConsumerMember): void {
    this.#stop(member, 'rebalance')
    // Members of the classic protocol have their own way of being late.
    if (member.state !== 'UNREVOKED_PARTITIONS' || member.classic) return
    const { epoch } = member
    member.rebalance = this.#host.world.setTimer(() => {
      if (group.members.get(member.id)?.epoch === epoch) this.expire(group, member.id)
    }, member.rebalanceTimeoutMs)
  }

  /** It is fenced, if it is still there. */
  expire(group: ConsumerGroup, memberId: string): void {
    const member = group.members.get(memberId)
    if (member) this.fence(group, member)
  }

  #forget(member: ConsumerMember): void {
    this.#stop(member, 'session')
    this.#stop(member, 'rebalance')
    if (member.classic?.due) this.#host.world.clearTimer(member.classic.due)
  }

  #stop(member: ConsumerMember, which: 'session' | 'rebalance'): void {
    const timer = member[which]
    if (timer) this.#host.world.clearTimer(timer)
    member[which] = undefined
  }
}

export function fresh(id: string, { instanceId, clientId, clientHost }: Client & { instanceId: string | null }): ConsumerMember {
  return {
    ...{ id, instanceId, clientId, clientHost, rackId: null, rebalanceTimeoutMs: -1, topics: [], regex: null, assignor: null },
    ...{ state: 'STABLE', epoch: 0, previousEpoch: 0, assigned: NO_PARTS, revoking: NO_PARTS, session: undefined, rebalance: undefined },
    classic: null
  }
}

const sameTopics = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((topic, i) => topic === b[i])

const invalid = (message: string) => new KafkaFault('INVALID_REQUEST', message)

function notEmpty(value: string | null, name: string): void {
  if (value !== null && value.trim() === '') throw invalid(`${name} can't be empty.`)
}
