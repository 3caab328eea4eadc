/**
 * SyncGroup, Heartbeat and LeaveGroup of classic groups, and what of their members may commit (`GroupCoordinator`); JoinGroup is beside it.
 */
import type { World } from '../../../model/world.ts'
import { ERROR } from '../errors.ts'
import type { ClassicGroup } from './classic-group.ts'
import { Joins } from './classic-join.ts'
import { Rebalances } from './classic-rebalance.ts'
import {
  type JoinRequest,
  type JoinResult,
  joinError,
  type MemberIdentity,
  type SyncRequest,
  type SyncResult,
  syncError
} from './classic-types.ts'
import type { GroupOptions } from './host.ts'

export class ClassicCoordinator {
  readonly rebalances: Rebalances
  #joins: Joins
  #options: GroupOptions

  constructor(world: World, options: GroupOptions) {
    this.#options = options
    this.rebalances = new Rebalances(world, () => options.initialRebalanceDelayMs)
    this.#joins = new Joins(world, this.rebalances, () => options.maxSize)
  }

  sessionTimeoutError(sessionTimeoutMs: number): number {
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#options
    return sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs ? ERROR.INVALID_SESSION_TIMEOUT : ERROR.NONE
  }

  /** Undefined: there is no such group, and only new members make one. */
  join(group: ClassicGroup | undefined, request: JoinRequest): Promise<JoinResult> {
    return new Promise(resolve => {
      if (group) this.#joins.join(group, request, resolve)
      else resolve(joinError(ERROR.UNKNOWN_MEMBER_ID, request.memberId))
    })
  }

  sync(group: ClassicGroup | undefined, request: SyncRequest): Promise<SyncResult> {
    return new Promise(resolve => {
      const error = group ? this.#syncError(group, request) : ERROR.UNKNOWN_MEMBER_ID
      if (error !== undefined) resolve(syncError(error))
      else this.#sync(group!, request, resolve)
    })
  }

  heartbeat(group: ClassicGroup | undefined, memberId: string, instanceId: string | null, generationId: number): number {
    if (!group) return ERROR.UNKNOWN_MEMBER_ID
    if (group.is('Dead')) return ERROR.COORDINATOR_NOT_AVAILABLE
    const error = this.#joins.identityError(group, memberId, instanceId)
    if (error !== undefined) return error
    if (generationId !== group.generationId) return ERROR.ILLEGAL_GENERATION
    if (group.is('Empty')) return ERROR.UNKNOWN_MEMBER_ID
    this.rebalances.heard(group, group.members.get(memberId)!)
    return group.is('PreparingRebalance') ? ERROR.REBALANCE_IN_PROGRESS : ERROR.NONE
  }

  /** An error code for each. */
  leave(group: ClassicGroup | undefined, leaving: readonly MemberIdentity[]): number[] {
    return leaving.map(identity => (group ? this.#leave(group, identity) : ERROR.UNKNOWN_MEMBER_ID))
  }

  /** May this one commit offsets? Undefined: yes. */
  commitError(group: ClassicGroup, who: MemberIdentity & { generationId: number }, transactional: boolean): number | undefined {
    const { memberId, instanceId, generationId } = who
    if (group.is('Dead')) return ERROR.COORDINATOR_NOT_AVAILABLE
    if (generationId < 0 && group.is('Empty')) return undefined
    if (generationId >= 0 || memberId !== '' || instanceId !== null) {
      const error = this.#joins.identityError(group, memberId, instanceId)
      if (error !== undefined) return error
      if (generationId !== group.generationId) return ERROR.ILLEGAL_GENERATION
    } else if (!transactional) return ERROR.UNKNOWN_MEMBER_ID
    if (transactional) return undefined
    if (group.is('CompletingRebalance')) return ERROR.REBALANCE_IN_PROGRESS
    const member = group.members.get(memberId)
    if (member) this.rebalances.heard(group, member)
    return undefined
  }

  /** A new coordinator has read the group: its members' sessions begin anew. */
  loaded(group: ClassicGroup): void {
    if (group.members.size > this.#options.maxSize) this.rebalances.prepare(group)
    for (const member of group.members.values()) this.rebalances.heard(group, member)
  }

  #syncError(group: ClassicGroup, request: SyncRequest): number | undefined {
    const { memberId, instanceId, generationId, protocolType, protocolName } = request
    if (group.is('Dead')) return ERROR.COORDINATOR_NOT_AVAILABLE
    const error = this.#joins.identityError(group, memberId, instanceId)
    if (error !== undefined) return error
    if (generationId !== group.generationId) return ERROR.ILLEGAL_GENERATION
    if (protocolType !== null && protocolType !== group.protocolType) return ERROR.INCONSISTENT_GROUP_PROTOCOL
    if (protocolName !== null && protocolName !== group.protocolName) return ERROR.INCONSISTENT_GROUP_PROTOCOL
    if (group.is('Empty')) return ERROR.UNKNOWN_MEMBER_ID
    return group.is('PreparingRebalance') ? ERROR.REBALANCE_IN_PROGRESS : undefined
  }

  #sync(group: ClassicGroup, { memberId, assignments }: SyncRequest, told: (result: SyncResult) => void): void {
    const member = group.members.get(memberId)!
    this.rebalances.synced(group, memberId)
    if (group.is('Stable')) {
      const { protocolType, protocolName } = group
      told({ errorCode: ERROR.NONE, protocolType, protocolName, assignment: member.assignment })
      this.rebalances.heard(group, member)
      return
    }
    member.sync?.(syncError(ERROR.REBALANCE_IN_PROGRESS))
    member.sync = told
    if (!group.isLeader(memberId)) return
    this.rebalances.assign(group, new Map(assignments.map(each => [each.memberId, Buffer.from(each.assignment)])))
  }

  #leave(group: ClassicGroup, { memberId, instanceId }: MemberIdentity): number {
    if (group.is('Dead')) return ERROR.COORDINATOR_NOT_AVAILABLE
    if (memberId !== '' && group.pendingMembers.has(memberId)) {
      this.rebalances.removePending(group, memberId)
      return ERROR.NONE
    }
    const id = memberId === '' && instanceId !== null ? group.statics.get(instanceId) : memberId
    if (id === undefined) return ERROR.UNKNOWN_MEMBER_ID
    const error = this.#joins.identityError(group, id, instanceId)
    if (error !== undefined) return error
    this.rebalances.remove(group, group.members.get(id)!)
    return ERROR.NONE
  }
}
