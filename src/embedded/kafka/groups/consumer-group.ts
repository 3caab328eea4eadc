/**
 * The state of one KIP-848 group (Kafka's `ConsumerGroup`): members with their epochs, the target assignment and who owns what. All of it is durable
 * but the timers.
 */
import type { Timer } from '../../../model/world.ts'
import { KafkaFault } from '../errors.ts'
import { ASSIGNORS, type AssignedMember } from './assignors/assignor.ts'
import type { Protocol } from './classic-types.ts'
import type { Client, GroupHost, TopicView } from './host.ts'
import { has, NO_PARTS, type Parts } from './parts.ts'
import type { Standing } from './reconcile.ts'
import { matcherOf } from './regex.ts'

export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable' | 'Dead'

/** Epochs with a meaning of their own. */
export const LEAVES = -1
export const STATIC_LEAVES = -2

export interface ConsumerMember extends Standing, Client {
  id: string
  instanceId: string | null
  rackId: string | null
  rebalanceTimeoutMs: number
  /** Sorted. */
  topics: readonly string[]
  /** null or '': none. */
  regex: string | null
  assignor: string | null
  session: Timer | undefined
  /** While it has partitions to give up. */
  rebalance: Timer | undefined
  /** Of a member that still speaks the classic protocol. */
  classic: ClassicFacet | null
}

/** How a member of the classic protocol is in a group of the new one (online migration, KIP-848). */
export interface ClassicFacet {
  readonly sessionTimeoutMs: number
  readonly protocols: readonly Protocol[]
  /** It was told to join again, or to sync: until when. */
  due: Timer | undefined
}

export class ConsumerGroup {
  readonly type = 'consumer'
  readonly id: string
  epoch = 0
  /** Of the target assignment. */
  assignmentEpoch = 0
  readonly members = new Map<string, ConsumerMember>()
  readonly statics = new Map<string, string>()
  /** By member. */
  target = new Map<string, Parts>()
  /** What topics were like when the epoch was last looked at. */
  #topicsSeen = ''
  #versionSeen = Number.NaN

  constructor(id: string) {
    this.id = id
  }

  get state(): ConsumerGroupState {
    if (this.members.size === 0) return 'Empty'
    if (this.epoch > this.assignmentEpoch) return 'Assigning'
    const settled = [...this.members.values()].every(({ state, epoch }) => state === 'STABLE' && epoch === this.assignmentEpoch)
    return settled ? 'Stable' : 'Reconciling'
  }

  member(memberId: string): ConsumerMember {
    const member = this.members.get(memberId)
    if (!member) throw new KafkaFault('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${this.id}.`)
    return member
  }

  staticMember(instanceId: string): ConsumerMember | undefined {
    const memberId = this.statics.get(instanceId)
    return memberId === undefined ? undefined : this.members.get(memberId)
  }

  put(member: ConsumerMember): void {
    this.members.set(member.id, member)
    if (member.instanceId !== null) this.statics.set(member.instanceId, member.id)
  }

  remove(member: ConsumerMember): void {
    this.members.delete(member.id)
    this.target.delete(member.id)
    if (member.instanceId !== null && this.statics.get(member.instanceId) === member.id) this.statics.delete(member.instanceId)
  }

  targetOf(memberId: string): Parts {
    return this.target.get(memberId) ?? NO_PARTS
  }

  isTaken(topicId: string, partition: number): boolean {
    for (const { assigned, revoking } of this.members.values())
      if (has(assigned, topicId, partition) || has(revoking, topicId, partition)) return true
    return false
  }

  /** Names of topics that a member reads, which exist. */
  topicsOf(member: ConsumerMember, host: GroupHost): TopicView[] {
    const names = new Set(member.topics)
    const matches = member.regex ? matcherOf(member.regex) : undefined
    if (matches) for (const name of host.topicNames()) if (matches(name)) names.add(name)
    return [...names].map(name => host.topic(name)).filter(topic => topic !== undefined)
  }

  isSubscribedTo(topic: string): boolean {
    return [...this.members.values()].some(({ topics, regex }) => topics.includes(topic) || (regex && matcherOf(regex)(topic)))
  }

  /** Have the topics that members are subscribed to changed since it was last asked? `resubscribed`: members, or what they read, are other ones. */
  topicsChanged(host: GroupHost, resubscribed: boolean): boolean {
    const version = host.topicsVersion()
    if (!resubscribed && version === this.#versionSeen) return false
    this.#versionSeen = version
    const views = new Map(
      [...this.members.values()].flatMap(member => this.topicsOf(member, host)).map(topic => [topic.id, topic.partitions])
    )
    const seen = [...views]
      .map(([id, partitions]) => `${id}:${partitions}`)
      .sort()
      .join()
    if (seen === this.#topicsSeen) return false
    this.#topicsSeen = seen
    return true
  }

  /** The assignor that most members ask for. */
  get assignor(): string {
    const votes = new Map<string, number>()
    for (const { assignor } of this.members.values()) if (assignor !== null) votes.set(assignor, (votes.get(assignor) ?? 0) + 1)
    let best: string | undefined
    for (const [name, count] of votes) if (best === undefined || count > votes.get(best)!) best = name
    return best ?? ASSIGNORS.keys().next().value!
  }

  /** A new target assignment, for the epoch that the group is in. */
  assign(host: GroupHost): void {
    const topics = new Map<string, number>()
    const members = [...this.members.values()]
      .map((member): AssignedMember => {
        const views = this.topicsOf(member, host)
        for (const { id, partitions } of views) topics.set(id, partitions)
        return {
          id: member.id,
          instanceId: member.instanceId,
          topics: new Set(views.map(({ id }) => id)),
          before: this.targetOf(member.id)
        }
      })
      .sort((a, b) => order(a.instanceId, b.instanceId) || compare(a.id, b.id))
    const sorted = new Map([...topics].sort(([a], [b]) => compare(a, b)))
    this.target = ASSIGNORS.get(this.assignor)!(members, sorted)
    this.assignmentEpoch = this.epoch
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
/** Static members first. */
const order = (a: string | null, b: string | null): number => (a === null ? (b === null ? 0 : 1) : b === null ? -1 : compare(a, b))
