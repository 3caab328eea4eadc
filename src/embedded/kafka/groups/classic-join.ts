/**
 * JoinGroup of classic groups: who is let in, under which id, and what it means for the others (`GroupCoordinator.handleJoinGroup`).
 */
import type { World } from '../../../model/world.ts'
import { ERROR } from '../errors.ts'
import { type ClassicGroup, sameProtocols } from './classic-group.ts'
import type { Rebalances } from './classic-rebalance.ts'
import { type ClassicMember, type JoinRequest, type JoinResult, joinError, NO_BYTES } from './classic-types.ts'
import { randomUuid } from './host.ts'

type Told = (result: JoinResult) => void

export class Joins {
  #world: World
  #rebalances: Rebalances
  #maxSize: () => number

  constructor(world: World, rebalances: Rebalances, maxSize: () => number) {
    this.#world = world
    this.#rebalances = rebalances
    this.#maxSize = maxSize
  }

  join(group: ClassicGroup, request: JoinRequest, told: Told): void {
    const { memberId } = request
    if (!this.#hasRoom(group, memberId)) {
      group.remove(memberId)
      return told(joinError(ERROR.GROUP_MAX_SIZE_REACHED, ''))
    }
    if (group.is('Dead')) told(joinError(ERROR.COORDINATOR_NOT_AVAILABLE, memberId))
    else if (!group.supports(request.protocolType, request.protocols)) told(joinError(ERROR.INCONSISTENT_GROUP_PROTOCOL, memberId))
    else if (memberId === '') this.#joinNew(group, request, told)
    else this.#joinAgain(group, request, told)
    this.#rebalances.tryComplete(group)
  }

  /** Is this member who it says? Undefined: it is. */
  identityError(group: ClassicGroup, memberId: string, instanceId: string | null): number | undefined {
    if (instanceId !== null) {
      const current = group.statics.get(instanceId)
      if (current === undefined) return ERROR.UNKNOWN_MEMBER_ID
      if (current !== memberId) return ERROR.FENCED_INSTANCE_ID
    }
    return group.members.has(memberId) ? undefined : ERROR.UNKNOWN_MEMBER_ID
  }

  #hasRoom(group: ClassicGroup, memberId: string): boolean {
    const max = this.#maxSize()
    if (group.is('Empty', 'Dead')) return true
    if (group.is('PreparingRebalance')) return group.members.get(memberId)?.join !== undefined || group.awaitingJoin < max
    return group.members.has(memberId) || group.members.size < max
  }

  #joinNew(group: ClassicGroup, request: JoinRequest, told: Told): void {
    const { instanceId, clientId, sessionTimeoutMs } = request
    const memberId = `${instanceId ?? clientId}-${randomUuid(this.#world)}`
    const before = instanceId === null ? undefined : group.statics.get(instanceId)
    if (before !== undefined) this.#replace(group, request, before, memberId, told)
    else if (instanceId === null && request.requireKnownMemberId) {
      this.#rebalances.addPending(group, memberId, sessionTimeoutMs)
      told(joinError(ERROR.MEMBER_ID_REQUIRED, memberId))
    } else this.#add(group, request, memberId, told)
  }

  #joinAgain(group: ClassicGroup, request: JoinRequest, told: Told): void {
    const { memberId, instanceId, protocols } = request
    if (group.pendingMembers.has(memberId)) {
      this.#rebalances.forgetPending(group, memberId)
      return this.#add(group, request, memberId, told)
    }
    const error = this.identityError(group, memberId, instanceId)
    if (error !== undefined) return told(joinError(error, memberId))
    const member = group.members.get(memberId)!
    const same = sameProtocols(member.protocols, protocols)
    if (group.is('Empty')) told(joinError(ERROR.UNKNOWN_MEMBER_ID, memberId))
    else if (group.is('PreparingRebalance') || !same || (group.is('Stable') && group.isLeader(memberId))) {
      this.#update(member, request, told)
      this.#rebalances.maybePrepare(group)
    } else told(group.joined(memberId))
  }

  #add(group: ClassicGroup, request: JoinRequest, memberId: string, told: Told): void {
    const { instanceId, clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocolType, protocols } = request
    const member: ClassicMember = {
      ...{ id: memberId, instanceId, clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols },
      ...{ assignment: NO_BYTES, isNew: true, join: told, sync: undefined, timer: undefined }
    }
    if (group.is('PreparingRebalance') && group.generationId === 0) group.newMemberAdded = true
    if (group.members.size === 0) group.protocolType = protocolType
    group.add(member)
    this.#rebalances.heardNew(group, member)
    this.#rebalances.maybePrepare(group)
  }

  #update(member: ClassicMember, request: JoinRequest, told: Told): void {
    // An earlier JoinGroup of the same member has lost its connection: Kafka forgets it, we end it.
    member.join?.(joinError(ERROR.REBALANCE_IN_PROGRESS, member.id))
    member.protocols = request.protocols
    member.sessionTimeoutMs = request.sessionTimeoutMs
    member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
    member.join = told
  }

  /** A static member that has lost its id, as after a restart: no rebalance, unless the choice of protocol changes. */
  #replace(group: ClassicGroup, request: JoinRequest, oldId: string, newId: string, told: Told): void {
    const leaderBefore = group.leaderId ?? ''
    const member = group.replaceStatic(request.instanceId!, oldId, newId)
    this.#rebalances.heard(group, member)
    this.#update(member, request, told)
    if (group.is('CompletingRebalance')) this.#rebalances.prepare(group)
    if (!group.is('Stable')) return
    if (group.selectProtocol() !== group.protocolName) return this.#rebalances.maybePrepare(group)
    group.store()
    const skipAssignment = request.supportSkippingAssignment && group.isLeader(newId)
    group.answerJoin(
      newId,
      request.supportSkippingAssignment
        ? group.joined(newId, { skipAssignment })
        : group.joined(newId, { members: false, leader: leaderBefore })
    )
  }
}
