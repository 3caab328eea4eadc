/**
 * The state of one classic group (Kafka's `GroupMetadata`): members, their votes for a protocol, leader and generation. It knows nothing of time.
 */
import { ERROR } from '../errors.ts'
import {
  type ClassicMember,
  type ClassicSnapshot,
  type ClassicState,
  type JoinResult,
  joinError,
  type Protocol,
  syncError
} from './classic-types.ts'
import { subscribedTopics } from './subscription.ts'

/** Which states may lead where. */
const FROM: Record<ClassicState, readonly ClassicState[]> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead']
}

export class ClassicGroup {
  readonly type = 'classic'
  readonly id: string
  state: ClassicState = 'Empty'
  generationId = 0
  protocolType: string | null = null
  protocolName: string | null = null
  leaderId: string | null = null
  /** In the order in which they came. */
  readonly members = new Map<string, ClassicMember>()
  /** Member ids by group.instance.id. */
  readonly statics = new Map<string, string>()
  /** Were told their id and have not come again with it. */
  readonly pendingMembers = new Set<string>()
  /** Were told of this generation and have not sent SyncGroup. */
  readonly pendingSync = new Set<string>()
  /** Somebody came while the first rebalance was delayed. */
  newMemberAdded = false
  /** What the next coordinator will read. */
  durable: ClassicSnapshot | undefined
  /** It has been written down. */
  onStored: ((durable: ClassicSnapshot) => void) | undefined
  /** Topics that all members together are subscribed to; undefined: not known. */
  subscribed: ReadonlySet<string> | undefined

  constructor(id: string) {
    this.id = id
  }

  /** As the new coordinator finds it. */
  static read(id: string, durable: ClassicSnapshot | undefined): ClassicGroup {
    const group = new ClassicGroup(id)
    if (!durable) return group
    group.durable = durable
    group.generationId = durable.generationId
    group.protocolType = durable.protocolType
    group.protocolName = durable.protocolName
    group.leaderId = durable.leaderId
    for (const member of durable.members) group.add({ ...member, isNew: false, join: undefined, sync: undefined, timer: undefined })
    group.state = group.members.size > 0 ? 'Stable' : 'Empty'
    group.leaderId = durable.leaderId
    group.#learnSubscription()
    return group
  }

  is(...states: ClassicState[]): boolean {
    return states.includes(this.state)
  }

  transition(to: ClassicState): void {
    if (!FROM[to].includes(this.state)) throw new TypeError(`Group ${this.id} cannot go from ${this.state} to ${to}`)
    this.state = to
  }

  get canRebalance(): boolean {
    return FROM.PreparingRebalance.includes(this.state)
  }

  /** The longest of all members. */
  get rebalanceTimeoutMs(): number {
    return Math.max(0, ...[...this.members.values()].map(member => member.rebalanceTimeoutMs))
  }

  get awaitingJoin(): number {
    return [...this.members.values()].filter(({ join }) => join).length
  }

  get hasAllMembersJoined(): boolean {
    return this.pendingMembers.size === 0 && this.awaitingJoin === this.members.size
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId
  }

  add(member: ClassicMember): void {
    this.members.set(member.id, member)
    if (member.instanceId !== null) this.statics.set(member.instanceId, member.id)
    this.leaderId ??= member.id
    this.pendingMembers.delete(member.id)
  }

  remove(memberId: string): void {
    const member = this.members.get(memberId)
    this.members.delete(memberId)
    if (member?.instanceId != null && this.statics.get(member.instanceId) === memberId) this.statics.delete(member.instanceId)
    this.pendingMembers.delete(memberId)
    this.pendingSync.delete(memberId)
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value ?? null
  }

  /** A static member has come back under a new id: whoever waits under the old one is fenced. */
  replaceStatic(instanceId: string, oldId: string, newId: string): ClassicMember {
    const member = this.members.get(oldId)!
    this.#answerJoin(member, joinError(ERROR.FENCED_INSTANCE_ID, oldId))
    member.sync?.(syncError(ERROR.FENCED_INSTANCE_ID))
    member.sync = undefined
    const order = [...this.members.values()]
    this.members.clear()
    member.id = newId
    for (const each of order) this.members.set(each.id, each)
    this.statics.set(instanceId, newId)
    if (this.leaderId === oldId) this.leaderId = newId
    if (this.pendingSync.delete(oldId)) this.pendingSync.add(newId)
    return member
  }

  /** Do all members support one of these protocols? */
  supports(protocolType: string, protocols: readonly Protocol[]): boolean {
    if (this.is('Empty')) return protocolType !== '' && protocols.length > 0
    return this.protocolType === protocolType && protocols.some(({ name }) => this.#supportersOf(name) === this.members.size)
  }

  /** Each member votes for the first of its protocols that all support; the first with the most votes is taken. */
  selectProtocol(): string {
    const votes = new Map<string, number>()
    for (const { protocols } of this.members.values()) {
      const vote = protocols.find(({ name }) => this.#supportersOf(name) === this.members.size)
      if (vote) votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1)
    }
    let best: string | undefined
    for (const [name, count] of votes) if (best === undefined || count > votes.get(best)!) best = name
    if (best === undefined) throw new TypeError(`Group ${this.id} has no protocol that all members support`)
    return best
  }

  /** False: the leader has not joined again and nobody else has who could lead. A dynamic leader that is missing has been removed before. */
  electJoinedLeader(): boolean {
    if (this.leaderId === null) return false
    if (this.members.get(this.leaderId)?.join) return true
    const joined = [...this.members.values()].find(({ join }) => join)
    if (!joined) return false
    this.leaderId = joined.id
    return true
  }

  nextGeneration(): void {
    this.generationId++
    this.pendingSync.clear()
    if (this.members.size === 0) {
      this.protocolName = null
      this.transition('Empty')
    } else {
      this.protocolName = this.selectProtocol()
      this.transition('CompletingRebalance')
    }
    this.#learnSubscription()
  }

  /** Of the selected protocol, as its leader is told. */
  memberMetadata(): JoinResult['members'] {
    return [...this.members.values()].map(({ id, instanceId, protocols }) => ({
      memberId: id,
      groupInstanceId: instanceId,
      metadata: metadataOf(protocols, this.protocolName)
    }))
  }

  /** What a member is told of the generation that runs. */
  joined(memberId: string, tell: { members?: boolean; leader?: string; skipAssignment?: boolean } = {}): JoinResult {
    return {
      errorCode: ERROR.NONE,
      memberId,
      generationId: this.generationId,
      protocolType: this.protocolType,
      protocolName: this.protocolName,
      leader: tell.leader ?? this.leaderId ?? '',
      skipAssignment: tell.skipAssignment ?? false,
      members: (tell.members ?? this.isLeader(memberId)) ? this.memberMetadata() : []
    }
  }

  answerJoin(memberId: string, result: JoinResult): void {
    const member = this.members.get(memberId)
    if (member) this.#answerJoin(member, result)
  }

  /** Writes down what a new coordinator has to know. */
  store(): void {
    const { generationId, protocolType, protocolName, leaderId } = this
    const members = [...this.members.values()].map(({ isNew: _, join: __, sync: ___, timer: ____, ...kept }) => ({ ...kept }))
    this.durable = { generationId, protocolType, protocolName, leaderId, members }
    this.onStored?.(this.durable)
  }

  /** Whether offsets of this topic may not be deleted. */
  isSubscribedTo(topic: string): boolean {
    return !this.is('Empty') && (this.subscribed?.has(topic) ?? true)
  }

  #answerJoin(member: ClassicMember, result: JoinResult): void {
    const { join } = member
    member.join = undefined
    join?.(result)
  }

  #supportersOf(protocol: string): number {
    let count = 0
    for (const { protocols } of this.members.values()) if (protocols.some(({ name }) => name === protocol)) count++
    return count
  }

  #learnSubscription(): void {
    this.subscribed = undefined
    if (this.members.size === 0) this.subscribed = new Set()
    else if (this.protocolType === 'consumer')
      this.subscribed = subscribedTopics([...this.members.values()].map(({ protocols }) => metadataOf(protocols, this.protocolName)))
  }
}

export function metadataOf(protocols: readonly Protocol[], name: string | null): Buffer {
  return protocols.find(each => each.name === name)?.metadata ?? Buffer.alloc(0)
}

/** The same names with the same bytes, in the same order. */
export function sameProtocols(a: readonly Protocol[], b: readonly Protocol[]): boolean {
  return a.length === b.length && a.every(({ name, metadata }, i) => name === b[i]!.name && metadata.equals(b[i]!.metadata))
}
