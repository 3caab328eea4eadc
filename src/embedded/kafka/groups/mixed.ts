/**
 * Members of the classic protocol in groups of the new one, and groups on their way between the two (KIP-848's online migration): each JoinGroup is
 * answered at once, with the member's epoch as its generation, and SyncGroup brings what the server has assigned.
 */
import { ERROR, KafkaFault } from '../errors.ts'
import { ClassicGroup } from './classic-group.ts'
import {
  type ClassicMember,
  type JoinRequest,
  type JoinResult,
  joinError,
  type MemberIdentity,
  type Protocol,
  type SyncRequest,
  type SyncResult,
  syncError
} from './classic-types.ts'
import { type ConsumerCoordinator, fresh } from './consumer-coordinator.ts'
import { ConsumerGroup, type ConsumerMember } from './consumer-group.ts'
import { type GroupHost, randomUuid } from './host.ts'
import { each, has, NO_PARTS, type Parts, parts } from './parts.ts'
import { readAssignment, readSubscription, versionOf, writeAssignment } from './subscription.ts'

const PROTOCOL_TYPE = 'consumer'

export class MixedGroups {
  #host: GroupHost
  #consumer: ConsumerCoordinator

  constructor(host: GroupHost, consumer: ConsumerCoordinator) {
    this.#host = host
    this.#consumer = consumer
  }

  join(group: ConsumerGroup, request: JoinRequest): JoinResult {
    try {
      return { ...joinError(ERROR.NONE, request.memberId), protocolType: PROTOCOL_TYPE, ...this.#join(group, request) }
    } catch (fault) {
      if (!(fault instanceof KafkaFault)) throw fault
      return joinError(fault.errorCode, fault instanceof MemberIdRequired ? fault.memberId : request.memberId)
    }
  }

  sync(group: ConsumerGroup, request: SyncRequest): SyncResult {
    try {
      return { errorCode: ERROR.NONE, protocolType: PROTOCOL_TYPE, ...this.#sync(group, request) }
    } catch (fault) {
      if (!(fault instanceof KafkaFault)) throw fault
      return syncError(fault.errorCode)
    }
  }

  #join(group: ConsumerGroup, request: JoinRequest): Pick<JoinResult, 'memberId' | 'generationId' | 'protocolName'> {
    const { instanceId, protocolType, protocols, rebalanceTimeoutMs, sessionTimeoutMs, clientId, clientHost } = request
    if (protocolType !== PROTOCOL_TYPE || protocols.length === 0 || !sharesProtocol(group, request.memberId, protocols))
      throw new KafkaFault('INCONSISTENT_GROUP_PROTOCOL', `The member's protocols are not those of group ${group.id}.`)
    const subscription = readSubscription(protocols[0]!.metadata)
    if (!subscription) throw new KafkaFault('INCONSISTENT_GROUP_PROTOCOL', 'The subscription cannot be read.')
    const before = this.#memberFor(group, request)
    const member: ConsumerMember = {
      ...before,
      ...{ clientId, clientHost, rebalanceTimeoutMs, regex: null },
      rackId: subscription.rackId || null,
      topics: [...new Set(subscription.topics)].sort(),
      classic: { sessionTimeoutMs, protocols, due: undefined }
    }
    this.#stop(before)
    this.#consumer.settle(group, before, member, this.#partsOf(subscription.ownedPartitions))
    this.#await(group, member)
    if (instanceId !== null) group.statics.set(instanceId, member.id)
    return { memberId: member.id, generationId: member.epoch, protocolName: protocols[0]!.name }
  }

  #sync(group: ConsumerGroup, request: SyncRequest): Pick<SyncResult, 'assignment' | 'protocolName'> {
    const { protocolType, protocolName } = request
    const member = this.#check(group, request, request.generationId)
    const { protocols } = member.classic!
    if ((protocolType !== null && protocolType !== PROTOCOL_TYPE) || (protocolName !== null && protocolName !== protocols[0]!.name))
      throw new KafkaFault('INCONSISTENT_GROUP_PROTOCOL', 'The protocol is not the one that the member has joined with.')
    if (group.epoch > member.epoch && member.state !== 'UNREVOKED_PARTITIONS') {
      this.#await(group, member)
      throw new KafkaFault('REBALANCE_IN_PROGRESS', `Group ${group.id} is in a newer epoch.`)
    }
    this.#stop(member)
    this.#consumer.session(group, member)
    return { assignment: this.#assignmentOf(member, member.assigned), protocolName: protocols[0]!.name }
  }

  /** An error code. */
  heartbeat(group: ConsumerGroup, identity: MemberIdentity & { generationId: number }): number {
    try {
      const member = this.#check(group, identity, identity.generationId)
      this.#consumer.session(group, member)
      const free = member.state === 'UNRELEASED_PARTITIONS' && !waits(group, member)
      if (member.epoch >= group.epoch && member.state !== 'UNREVOKED_PARTITIONS' && !free) return ERROR.NONE
      if (!member.classic!.due) this.#await(group, member)
      return ERROR.REBALANCE_IN_PROGRESS
    } catch (fault) {
      if (fault instanceof KafkaFault) return fault.errorCode
      throw fault
    }
  }

  /** LeaveGroup also takes members of the new protocol out, as administrators do. An error code for each. */
  leave(group: ConsumerGroup, leaving: readonly MemberIdentity[]): number[] {
    return leaving.map(identity => {
      const memberId = identity.memberId || (identity.instanceId === null ? '' : (group.statics.get(identity.instanceId) ?? ''))
      try {
        this.#consumer.fence(group, this.#identified(group, { ...identity, memberId }))
        return ERROR.NONE
      } catch (fault) {
        if (fault instanceof KafkaFault) return fault.errorCode
        throw fault
      }
    })
  }

  /** A classic group of consumers, as one of the new protocol. Undefined: it cannot be one. Those who wait in the old one are not told. */
  upgraded(from: ClassicGroup): ConsumerGroup | undefined {
    if (from.protocolType !== PROTOCOL_TYPE) return undefined
    const group = new ConsumerGroup(from.id)
    group.epoch = group.assignmentEpoch = from.generationId
    for (const old of from.members.values()) {
      const { id, instanceId, clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols } = old
      const subscription = readSubscription(protocols[0]!.metadata)
      const assignment = readAssignment(old.assignment)
      if (!subscription || !assignment) return undefined
      const assigned = this.#partsOf(assignment.assignedPartitions)
      group.put({
        ...fresh(id, { instanceId, clientId, clientHost }),
        ...{ rebalanceTimeoutMs, rackId: subscription.rackId || null, topics: [...new Set(subscription.topics)].sort() },
        ...{ epoch: from.generationId, previousEpoch: from.generationId, assigned },
        classic: { sessionTimeoutMs, protocols, due: undefined }
      })
      group.target.set(id, assigned)
    }
    return group
  }

  /** The same back: nobody of the new protocol is in it any more. */
  downgraded(from: ConsumerGroup): ClassicGroup {
    const group = new ClassicGroup(from.id)
    group.protocolType = PROTOCOL_TYPE
    for (const { id, instanceId, clientId, clientHost, rebalanceTimeoutMs, classic, ...member } of from.members.values()) {
      const { sessionTimeoutMs, protocols } = classic!
      const old: ClassicMember = {
        ...{ id, instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols, isNew: false },
        ...{ join: undefined, sync: undefined, timer: undefined },
        assignment: this.#assignmentOf({ classic }, member.assigned)
      }
      group.add(old)
    }
    group.protocolName = group.selectProtocol()
    group.generationId = from.epoch
    group.state = 'Stable'
    return group
  }

  #memberFor(group: ConsumerGroup, request: JoinRequest): ConsumerMember {
    const { memberId, instanceId, clientId, requireKnownMemberId } = request
    const existing = instanceId === null ? group.members.get(memberId) : group.staticMember(instanceId)
    if (memberId === '') {
      const newId = `${instanceId ?? clientId}-${randomUuid(this.#host.world)}`
      if (instanceId === null && requireKnownMemberId) throw new MemberIdRequired(newId)
      return existing ? this.#consumer.replace(group, existing, newId) : fresh(newId, request)
    }
    if (instanceId === null) return existing ?? fresh(memberId, request)
    if (!existing) throw new KafkaFault('UNKNOWN_MEMBER_ID', `Instance id ${instanceId} is unknown.`)
    return this.#identified(group, request)
  }

  #identified(group: ConsumerGroup, { memberId, instanceId }: MemberIdentity): ConsumerMember {
    const current = instanceId === null ? undefined : group.staticMember(instanceId)
    if (current && current.id !== memberId) throw new KafkaFault('FENCED_INSTANCE_ID', `${instanceId} is member ${current.id}.`)
    return group.member(memberId)
  }

  #check(group: ConsumerGroup, identity: MemberIdentity, generationId: number): ConsumerMember {
    const member = this.#identified(group, identity)
    if (!member.classic) throw new KafkaFault('UNKNOWN_MEMBER_ID', `Member ${member.id} does not use the classic protocol.`)
    if (generationId !== member.epoch) throw new KafkaFault('ILLEGAL_GENERATION', `Member ${member.id} is in epoch ${member.epoch}.`)
    return member
  }

  /** It has to join again, or to sync, in its rebalance timeout. */
  #await(group: ConsumerGroup, member: ConsumerMember): void {
    this.#stop(member)
    member.classic!.due = this.#host.world.setTimer(() => this.#consumer.expire(group, member.id), member.rebalanceTimeoutMs)
  }

  #stop({ classic }: ConsumerMember): void {
    if (classic?.due) this.#host.world.clearTimer(classic.due)
    if (classic) classic.due = undefined
  }

  #assignmentOf({ classic }: Pick<ConsumerMember, 'classic'>, assigned: Parts): Buffer {
    const named = [...assigned].flatMap(([topicId, partitions]) => {
      const topic = this.#host.topicById(topicId)
      return topic ? [{ topic: topic.name, partitions: [...partitions] }] : []
    })
    return writeAssignment(named, versionOf(classic!.protocols[0]!.metadata))
  }

  #partsOf(named: readonly { topic: string; partitions: readonly number[] }[]): Parts {
    if (named.length === 0) return NO_PARTS
    return parts(
      named.flatMap(({ topic, partitions }) => {
        const id = this.#host.topic(topic)?.id
        return id === undefined ? [] : partitions.map(partition => [id, partition] as const)
      })
    )
  }
}

/** MEMBER_ID_REQUIRED, with the id that is required. */
class MemberIdRequired extends KafkaFault {
  readonly memberId: string

  constructor(memberId: string) {
    super('MEMBER_ID_REQUIRED', 'The group member needs to have a valid member id before actually entering a consumer group.')
    this.memberId = memberId
  }
}

/** Are there protocols that all classic members have, this one too? */
function sharesProtocol(group: ConsumerGroup, memberId: string, protocols: readonly Protocol[]): boolean {
  const others = [...group.members.values()].filter(({ id, classic }) => classic && id !== memberId)
  return protocols.some(({ name }) => others.every(({ classic }) => classic!.protocols.some(protocol => protocol.name === name)))
}

/** Is something that it is to have still in other hands? */
function waits(group: ConsumerGroup, member: ConsumerMember): boolean {
  for (const [topicId, partition] of each(group.targetOf(member.id)))
    if (!has(member.assigned, topicId, partition) && group.isTaken(topicId, partition)) return true
  return false
}
