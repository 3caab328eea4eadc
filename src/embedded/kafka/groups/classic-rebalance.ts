/**
 * How a classic group gets from one generation to the next, and whom it loses by the way: the delayed operations of Kafka's GroupCoordinator
 * (joins, syncs, sessions) as timers of the World.
 */
import type { Timer, World } from '../../../model/world.ts'
import { ERROR } from '../errors.ts'
import type { ClassicGroup } from './classic-group.ts'
import { type ClassicMember, joinError, NO_BYTES, syncError } from './classic-types.ts'

/** A new member's first JoinGroup may wait this long: it does not heartbeat yet (`NewMemberJoinTimeoutMs`). */
const NEW_MEMBER_MS = 5 * 60_000

interface Waits {
  /** Until all have joined, or the time is over. */
  join: Timer | undefined
  /** The first members wait for more of them: how long at most. Undefined: this is not the first rebalance. */
  initialMs: number | undefined
  sync: Timer | undefined
  pendingMembers: Map<string, Timer>
}

export class Rebalances {
  #world: World
  #initialDelayMs: () => number
  #waits = new WeakMap<ClassicGroup, Waits>()

  constructor(world: World, initialDelayMs: () => number) {
    this.#world = world
    this.#initialDelayMs = initialDelayMs
  }

  maybePrepare(group: ClassicGroup): void {
    if (group.canRebalance) this.prepare(group)
  }

  prepare(group: ClassicGroup): void {
    if (group.is('CompletingRebalance')) this.failSyncs(group, ERROR.REBALANCE_IN_PROGRESS)
    this.#stopSync(group)
    const waits = this.#of(group)
    const first = group.is('Empty')
    group.transition('PreparingRebalance')
    this.#stop(waits, 'join')
    if (first) this.#delayFirst(group, waits, this.#initialDelayMs(), Math.max(group.rebalanceTimeoutMs - this.#initialDelayMs(), 0))
    else {
      waits.initialMs = undefined
      waits.join = this.#world.setTimer(() => this.#complete(group), group.rebalanceTimeoutMs)
      this.tryComplete(group)
    }
  }

  /** All have joined: no reason to wait longer. Not in the first rebalance, which waits for others. */
  tryComplete(group: ClassicGroup): void {
    if (group.is('PreparingRebalance') && this.#of(group).initialMs === undefined && group.hasAllMembersJoined) this.#complete(group)
  }

  /** The session of a member begins anew. */
  heard(group: ClassicGroup, member: ClassicMember, timeoutMs = member.sessionTimeoutMs): void {
    this.#forget(member)
    member.timer = this.#world.setTimer(() => this.#sessionEnds(group, member), timeoutMs)
  }

  heardNew(group: ClassicGroup, member: ClassicMember): void {
    this.heard(group, member, NEW_MEMBER_MS)
  }

  addPending(group: ClassicGroup, memberId: string, timeoutMs: number): void {
    group.pendingMembers.add(memberId)
    const { pendingMembers } = this.#of(group)
    pendingMembers.set(
      memberId,
      this.#world.setTimer(() => {
        pendingMembers.delete(memberId)
        if (group.pendingMembers.has(memberId)) this.removePending(group, memberId)
      }, timeoutMs)
    )
  }

  /** It has come again, or is gone. */
  removePending(group: ClassicGroup, memberId: string): void {
    this.forgetPending(group, memberId)
    group.pendingMembers.delete(memberId)
    this.tryComplete(group)
  }

  forgetPending(group: ClassicGroup, memberId: string): void {
    const { pendingMembers } = this.#of(group)
    const timer = pendingMembers.get(memberId)
    if (timer) this.#world.clearTimer(timer)
    pendingMembers.delete(memberId)
  }

  /** A member leaves, or its session is over. */
  remove(group: ClassicGroup, member: ClassicMember): void {
    group.answerJoin(member.id, joinError(ERROR.UNKNOWN_MEMBER_ID, ''))
    this.#drop(group, member)
    if (group.is('Stable', 'CompletingRebalance')) this.maybePrepare(group)
    else this.tryComplete(group)
  }

  /** It has sent SyncGroup. */
  synced(group: ClassicGroup, memberId: string): void {
    group.pendingSync.delete(memberId)
    if (group.pendingSync.size === 0) this.#stop(this.#of(group), 'sync')
  }

  /** The leader's assignments are there. */
  assign(group: ClassicGroup, assignments: ReadonlyMap<string, Buffer>): void {
    for (const member of group.members.values()) member.assignment = assignments.get(member.id) ?? NO_BYTES
    group.store()
    group.transition('Stable')
    const { protocolType, protocolName } = group
    for (const member of [...group.members.values()])
      this.#answerSync(group, member, { errorCode: ERROR.NONE, protocolType, protocolName, assignment: member.assignment })
  }

  failSyncs(group: ClassicGroup, errorCode: number): void {
    for (const member of [...group.members.values()]) {
      member.assignment = NO_BYTES
      this.#answerSync(group, member, syncError(errorCode))
    }
  }

  /** Another broker coordinates the group from now on, or it is no classic one any more: whoever waits is told so. */
  unload(group: ClassicGroup, errorCode: number = ERROR.NOT_COORDINATOR): void {
    group.state = 'Dead'
    const waits = this.#of(group)
    this.#stop(waits, 'join')
    this.#stop(waits, 'sync')
    for (const memberId of [...waits.pendingMembers.keys()]) this.forgetPending(group, memberId)
    for (const member of group.members.values()) {
      this.#forget(member)
      group.answerJoin(member.id, joinError(errorCode, member.id))
      member.sync?.(syncError(errorCode))
      member.sync = undefined
    }
  }

  /** The first members wait a while for more, and again when more have come, as long as their rebalance timeout allows. */
  #delayFirst(group: ClassicGroup, waits: Waits, delayMs: number, remainingMs: number): void {
    waits.initialMs = remainingMs
    waits.join = this.#world.setTimer(() => {
      if (group.newMemberAdded && remainingMs > 0) {
        group.newMemberAdded = false
        const nextMs = Math.min(this.#initialDelayMs(), remainingMs)
        this.#delayFirst(group, waits, nextMs, nextMs === 0 ? 0 : remainingMs - nextMs)
      } else this.#complete(group)
    }, delayMs)
  }

  #complete(group: ClassicGroup): void {
    const waits = this.#of(group)
    this.#stop(waits, 'join')
    waits.initialMs = undefined
    if (group.is('Dead')) return
    for (const member of [...group.members.values()]) if (!member.join && member.instanceId === null) this.#drop(group, member)
    if (!group.electJoinedLeader() && group.members.size > 0) {
      // Nobody has come, and static members are not forgotten so soon: wait once more.
      waits.join = this.#world.setTimer(() => this.#complete(group), group.rebalanceTimeoutMs)
      return
    }
    group.nextGeneration()
    if (group.is('Empty')) {
      group.store()
      return
    }
    for (const member of [...group.members.values()]) {
      group.answerJoin(member.id, group.joined(member.id))
      this.heard(group, member)
      member.isNew = false
      group.pendingSync.add(member.id)
    }
    const { generationId } = group
    waits.sync = this.#world.setTimer(() => this.#syncsEnd(group, generationId), group.rebalanceTimeoutMs)
  }

  /** Who has not sent SyncGroup by now is out. */
  #syncsEnd(group: ClassicGroup, generationId: number): void {
    this.#of(group).sync = undefined
    if (generationId !== group.generationId || !group.is('CompletingRebalance', 'Stable') || group.pendingSync.size === 0) return
    for (const memberId of [...group.pendingSync]) {
      const member = group.members.get(memberId)
      if (member) this.#drop(group, member)
    }
    this.prepare(group)
  }

  #sessionEnds(group: ClassicGroup, member: ClassicMember): void {
    member.timer = undefined
    if (group.is('Dead') || group.members.get(member.id) !== member) return
    // Who waits for us need not heartbeat; new members have their own time.
    if (!member.isNew && (member.join || member.sync)) return
    this.remove(group, member)
  }

  #answerSync(group: ClassicGroup, member: ClassicMember, result: Parameters<NonNullable<ClassicMember['sync']>>[0]): void {
    const { sync } = member
    if (!sync) return
    member.sync = undefined
    sync(result)
    this.heard(group, member)
  }

  #drop(group: ClassicGroup, member: ClassicMember): void {
    group.remove(member.id)
    this.#forget(member)
    member.sync?.(syncError(ERROR.UNKNOWN_MEMBER_ID))
    member.sync = undefined
  }

  #forget(member: ClassicMember): void {
    if (member.timer) this.#world.clearTimer(member.timer)
    member.timer = undefined
  }

  #stopSync(group: ClassicGroup): void {
    group.pendingSync.clear()
    this.#stop(this.#of(group), 'sync')
  }

  #stop(waits: Waits, which: 'join' | 'sync'): void {
    const timer = waits[which]
    if (timer) this.#world.clearTimer(timer)
    waits[which] = undefined
  }

  #of(group: ClassicGroup): Waits {
    let waits = this.#waits.get(group)
    if (!waits) {
      waits = { join: undefined, initialMs: undefined, sync: undefined, pendingMembers: new Map() }
      this.#waits.set(group, waits)
    }
    return waits
  }
}
