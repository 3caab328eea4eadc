/**
 * All groups of one cluster, and which broker may speak for which of them. Brokers share this object; who is asked is named by its id, and answers
 * as that broker would.
 */
import { ERROR, KafkaFault } from '../errors.ts'
import { ClassicCoordinator } from './classic-coordinator.ts'
import { ClassicGroup } from './classic-group.ts'
import {
  type JoinRequest,
  type JoinResult,
  joinError,
  type MemberIdentity,
  type SyncRequest,
  type SyncResult,
  syncError
} from './classic-types.ts'
import { type ConsumerBeat, ConsumerCoordinator, type ConsumerHeartbeat } from './consumer-coordinator.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { type Group, OffsetKeeper } from './group-offsets.ts'
import { GROUP_DEFAULTS, type GroupHost, type GroupOptions, type Place } from './host.ts'
import { MixedGroups } from './mixed.ts'
import { coordinatorFault, Placement } from './placement.ts'
import type { GroupRecord } from './records.ts'

export class GroupCoordinator {
  /** May be changed while it runs. */
  readonly options: GroupOptions
  readonly keeper: OffsetKeeper
  readonly groups = new Map<string, Group>()
  readonly placement: Placement
  #host: GroupHost
  #classic: ClassicCoordinator
  #consumer: ConsumerCoordinator
  #mixed: MixedGroups

  constructor(host: GroupHost, options: Partial<GroupOptions> = {}) {
    this.#host = host
    this.options = { ...GROUP_DEFAULTS, ...options }
    this.#classic = new ClassicCoordinator(host.world, this.options)
    this.#consumer = new ConsumerCoordinator(host, this.options, group => this.#downgrade(group))
    this.#mixed = new MixedGroups(host, this.#consumer)
    const newGroup = (groupId: string) => this.#track(new ClassicGroup(groupId))
    this.keeper = new OffsetKeeper({
      groups: this.groups,
      host,
      options: this.options,
      classic: this.#classic,
      consumer: this.#consumer,
      newGroup,
      onLess: groupId => this.#forgetIdle(groupId)
    })
    this.placement = new Placement({
      world: host.world,
      placeOf: groupId => host.placeOf(groupId),
      loadMs: () => this.options.loadMs,
      unload: partition => this.#unload(partition),
      load: partition => this.#load(partition)
    })
  }

  /** May this broker answer for this group? An error code. */
  check(brokerId: number, groupId: string, { emptyId = false } = {}): number {
    return groupId === '' && !emptyId ? ERROR.INVALID_GROUP_ID : this.placement.check(brokerId, groupId)
  }

  /** Somebody leads this partition of `__consumer_offsets` now, or nobody. */
  follow(place: Place): void {
    this.placement.follow(place)
  }

  async join(brokerId: number, request: JoinRequest): Promise<JoinResult> {
    const { groupId, memberId, sessionTimeoutMs } = request
    const error = this.check(brokerId, groupId) || this.#classic.sessionTimeoutError(sessionTimeoutMs)
    if (error) return joinError(error, memberId)
    const group = this.groups.get(groupId)
    if (group?.type === 'consumer' && group.members.size > 0) return this.#mixed.join(group, request)
    if (group?.type === 'classic' || memberId !== '') return this.#classic.join(group?.type === 'classic' ? group : undefined, request)
    return this.#classic.join(this.#track(new ClassicGroup(groupId)), request)
  }

  async sync(brokerId: number, request: SyncRequest): Promise<SyncResult> {
    const error = this.check(brokerId, request.groupId)
    // A coordinator that reads has lost what it was about to tell: members begin again.
    if (error) return syncError(error === ERROR.COORDINATOR_LOAD_IN_PROGRESS ? ERROR.REBALANCE_IN_PROGRESS : error)
    const group = this.groups.get(request.groupId)
    return group?.type === 'consumer' ? this.#mixed.sync(group, request) : this.#classic.sync(group, request)
  }

  heartbeat(brokerId: number, groupId: string, member: MemberIdentity & { generationId: number }): number {
    const error = this.check(brokerId, groupId)
    if (error) return error === ERROR.COORDINATOR_LOAD_IN_PROGRESS ? ERROR.NONE : error
    const group = this.groups.get(groupId)
    if (group?.type === 'consumer') return this.#mixed.heartbeat(group, member)
    return this.#classic.heartbeat(group, member.memberId, member.instanceId, member.generationId)
  }

  leave(brokerId: number, groupId: string, members: readonly MemberIdentity[]): { errorCode: number; members: number[] } {
    const errorCode = this.check(brokerId, groupId)
    if (errorCode) return { errorCode, members: [] }
    const group = this.groups.get(groupId)
    return { errorCode, members: group?.type === 'consumer' ? this.#mixed.leave(group, members) : this.#classic.leave(group, members) }
  }

  /** Throws KafkaFault. */
  consumerHeartbeat(brokerId: number, request: ConsumerHeartbeat): ConsumerBeat {
    this.#consumer.check(request)
    const error = this.check(brokerId, request.groupId)
    if (error) throw coordinatorFault(error)
    return this.#consumer.heartbeat(this.#consumerGroup(request), request)
  }

  /** Undefined: there is none. */
  group(groupId: string): Group | undefined {
    const group = this.groups.get(groupId)
    return group?.type === 'classic' && group.is('Dead') ? undefined : group
  }

  /** Of those that this broker coordinates, by name. */
  list(brokerId: number): Group[] {
    return [...this.groups.values()]
      .filter(({ id }) => this.placement.check(brokerId, id) === ERROR.NONE)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** An error code. */
  delete(brokerId: number, groupId: string): number {
    const error = this.check(brokerId, groupId, { emptyId: true })
    if (error) return error
    const group = this.group(groupId)
    if (!group) return ERROR.GROUP_ID_NOT_FOUND
    if (group.state !== 'Empty') return ERROR.NON_EMPTY_GROUP
    this.#delete(group)
    return ERROR.NONE
  }

  // Faults

  /** All members have to join again, or are assigned anew. False: there is no such group, or nobody in it. */
  rebalance(groupId: string): boolean {
    const group = this.group(groupId)
    if (!group || group.members.size === 0) return false
    if (group.type === 'classic') this.#classic.rebalances.maybePrepare(group)
    else this.#consumer.bump(group)
    return true
  }

  /** As if the member's session were over. False: it is not there. */
  expel(groupId: string, memberId: string): boolean {
    const group = this.group(groupId)
    if (!group?.members.has(memberId)) return false
    if (group.type === 'classic') this.#classic.rebalances.remove(group, group.members.get(memberId)!)
    else this.#consumer.expire(group, memberId)
    return true
  }

  /** The group's coordinator reads its partition anew, for so long. */
  reload(groupId: string, loadMs: number): void {
    const place = this.#host.placeOf(groupId)
    this.follow(place)
    this.placement.reload(place.partition, loadMs)
  }

  /** A marker was appended to a partition of `__consumer_offsets`. */
  transactionEnded(partition: number, producerId: bigint, committed: boolean): void {
    this.keeper.endTransaction(groupId => this.#host.placeOf(groupId).partition === partition, producerId, committed)
  }

  /** What was read back from the log, before anybody asks. `producerId`: it waits for this one's transaction; -1n: it counts. */
  restore(record: GroupRecord, producerId: bigint): void {
    const { groupId } = record
    if (record.type === 'offset') {
      if (!this.groups.has(groupId)) this.#track(new ClassicGroup(groupId))
      this.keeper.restore(record, producerId)
    } else if (record.type === 'epoch' && record.value !== null) {
      const group = new ConsumerGroup(groupId)
      group.epoch = group.assignmentEpoch = record.value
      this.groups.set(groupId, group)
    } else if (record.type === 'group' && record.value) this.#track(ClassicGroup.read(groupId, record.value))
    else if (this.groups.get(groupId)?.type === (record.type === 'group' ? 'classic' : 'consumer')) this.groups.delete(groupId)
  }

  /** All is read back: of what is left, groups that have nothing are none. */
  restored(): void {
    for (const { id } of [...this.groups.values()].filter(group => this.#hasNothing(group))) {
      this.groups.delete(id)
      this.keeper.offsets.delete(id)
    }
  }

  /** All that counts of one partition, to be written anew. Undefined: some of it waits for a transaction. */
  records(partition: number): GroupRecord[] | undefined {
    const records: GroupRecord[] = []
    for (const group of this.#of(partition)) {
      if (group.type === 'classic' && group.durable) records.push({ type: 'group', groupId: group.id, value: group.durable })
      if (group.type === 'consumer') records.push({ type: 'epoch', groupId: group.id, value: group.epoch })
      const offsets = this.keeper.records(group.id)
      if (!offsets) return undefined
      records.push(...offsets)
    }
    return records
  }

  /** All timers end. */
  close(): void {
    this.placement.close()
    for (const group of this.groups.values()) this.#stop(group)
  }

  /** The first member makes the group, also out of a classic one that nobody is in any more. */
  #consumerGroup({ groupId, memberEpoch }: ConsumerHeartbeat): ConsumerGroup {
    const group = this.group(groupId)
    if (group?.type === 'consumer') return group
    if (memberEpoch !== 0)
      throw new KafkaFault('GROUP_ID_NOT_FOUND', `Group ${groupId} ${group ? 'is not a consumer group' : 'not found'}.`)
    const made = group && group.state !== 'Empty' ? this.#upgraded(group) : new ConsumerGroup(groupId)
    if (!made) throw new KafkaFault('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a consumer group.`)
    if (group) this.#drop(group)
    this.groups.set(groupId, made)
    this.#consumer.loaded(made)
    return made
  }

  #upgraded(group: ClassicGroup): ConsumerGroup | undefined {
    const { migrationPolicy, consumerMaxSize } = this.options
    const allowed = migrationPolicy === 'bidirectional' || migrationPolicy === 'upgrade'
    return allowed && group.members.size <= consumerMaxSize ? this.#mixed.upgraded(group) : undefined
  }

  /** A group that only members of the classic protocol are left in is theirs again. */
  #downgrade(group: ConsumerGroup): void {
    const { migrationPolicy } = this.options
    if (migrationPolicy !== 'bidirectional' && migrationPolicy !== 'downgrade') return
    const members = [...group.members.values()]
    if (members.length === 0 || members.length > this.options.maxSize || !members.every(({ classic }) => classic)) return
    const classic = this.#track(this.#mixed.downgraded(group))
    this.#consumer.unload(group)
    this.#forgetEpoch(group)
    classic.store()
    this.#classic.loaded(classic)
    this.#classic.rebalances.maybePrepare(classic)
  }

  /** A classic group that nobody is in and that has no offsets any more is none (`GroupMetadataManager.cleanupGroupMetadata`). */
  #forgetIdle(groupId: string): void {
    const group = this.group(groupId)
    const isEmpty = this.keeper.offsets.get(groupId)?.isEmpty ?? true
    if (group?.type === 'classic' && group.is('Empty') && isEmpty) this.#delete(group)
  }

  #delete(group: Group): void {
    if (group.type === 'classic') this.#drop(group)
    else this.#forgetEpoch(group)
    this.groups.delete(group.id)
    this.keeper.forgetGroup(group.id)
  }

  #hasNothing(group: Group): boolean {
    return group.type === 'classic' && !group.durable && (this.keeper.offsets.get(group.id)?.isEmpty ?? true)
  }

  /** Its members are told to join again, in what comes after it. */
  #drop(group: ClassicGroup): void {
    this.#classic.rebalances.unload(group, ERROR.REBALANCE_IN_PROGRESS)
    if (group.durable) this.#host.journal?.(group.id, [{ type: 'group', groupId: group.id, value: null }])
  }

  #forgetEpoch({ id: groupId }: ConsumerGroup): void {
    this.#host.journal?.(groupId, [{ type: 'epoch', groupId, value: null }])
  }

  #track(group: ClassicGroup): ClassicGroup {
    this.groups.set(group.id, group)
    group.onStored = value => void this.#host.journal?.(group.id, [{ type: 'group', groupId: group.id, value }])
    return group
  }

  #stop(group: Group): void {
    if (group.type === 'consumer') this.#consumer.unload(group)
    else this.#classic.rebalances.unload(group)
  }

  #unload(partition: number): void {
    for (const group of this.#of(partition)) this.#stop(group)
  }

  /** What was written down is what there is. */
  #load(partition: number): void {
    for (const group of this.#of(partition)) {
      if (group.type === 'consumer') {
        this.#consumer.loaded(group)
        continue
      }
      if (this.#hasNothing(group)) {
        this.groups.delete(group.id)
        continue
      }
      const read = this.#track(ClassicGroup.read(group.id, group.durable))
      this.#classic.loaded(read)
    }
  }

  #of(partition: number): Group[] {
    return [...this.groups.values()].filter(({ id }) => this.#host.placeOf(id).partition === partition)
  }
}
