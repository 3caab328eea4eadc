/**
 * A group as the assignors of this folder look at it: members and topics in the order in which Java walks its hash maps, and one object for each
 * partition that exists, so that sets and maps of partitions need no keys made of text.
 */
import type { AssignorInput, MemberAssignment, MemberToAssign } from '../../../model/assignor.ts'
import type { TopicPartition } from '../../../model/events.ts'
import { compareText } from '../assignment.ts'
import { JavaHashSet } from './java-order.ts'

/** A partition that exists. There is one object for each: compare by identity. */
export interface Slot extends TopicPartition {
  /** Racks of its replicas, as far as known. */
  readonly racks: ReadonlySet<string>
}

export interface GroupMember {
  readonly id: string
  readonly groupInstanceId: string | null
  /** null where unknown; Java takes an empty one as unknown. */
  readonly rack: string | null
  readonly topics: ReadonlySet<string>
  /** What it said. */
  readonly said: MemberToAssign
}

/** Lists are changed in place while an assignment grows. */
export type Assigned = Map<string, Slot[]>

export class Group {
  /** In the order of Java's `HashMap<String, Subscription>`. */
  readonly members: readonly GroupMember[]
  /** Subscribed and existing, in the order of the HashMap that `AbstractPartitionAssignor.assign` makes. */
  readonly topics: ReadonlyMap<string, readonly Slot[]>
  #byId: ReadonlyMap<string, GroupMember>
  #byNumber: ReadonlyMap<string, ReadonlyMap<number, Slot>>

  constructor({ topics, members }: AssignorInput) {
    this.#byId = new Map(members.map(said => [said.id, memberOf(said)]))
    this.members = [...JavaHashSet.ofTexts(this.#byId.keys())].map(id => this.member(id))
    const subscribed = JavaHashSet.ofTexts()
    for (const member of this.members) for (const topic of member.said.topics) subscribed.add(topic)
    const existing = JavaHashSet.ofTexts()
    for (const topic of subscribed) if ((topics.get(topic)?.length ?? 0) > 0) existing.add(topic)
    this.topics = new Map([...existing].map(topic => [topic, slotsOf(topic, topics)]))
    this.#byNumber = new Map([...this.topics].map(([topic, slots]) => [topic, new Map(slots.map(slot => [slot.partition, slot]))]))
  }

  member(id: string): GroupMember {
    return this.#byId.get(id)!
  }

  /** Undefined: there is no such partition, or nobody subscribes to its topic. */
  find({ topic, partition }: TopicPartition): Slot | undefined {
    return this.#byNumber.get(topic)?.get(partition)
  }

  subscribersOf(topic: string): GroupMember[] {
    return this.members.filter(member => member.topics.has(topic))
  }

  /** An empty list for each member. */
  nothing(): Assigned {
    return new Map(this.members.map(({ id }) => [id, []]))
  }
}

function memberOf(said: MemberToAssign): GroupMember {
  const { id, groupInstanceId, rackId, topics } = said
  return { id, groupInstanceId, rack: rackId || null, topics: new Set(topics), said }
}

function slotsOf(topic: string, topics: AssignorInput['topics']): Slot[] {
  const slots = topics.get(topic)!.map(({ partition, replicaRacks }) => ({
    topic,
    partition,
    racks: new Set(replicaRacks.filter(rack => rack !== null))
  }))
  return slots.sort((a, b) => a.partition - b.partition)
}

/** Static members first, by their names; then the others by their ids (`MemberInfo.compareTo`). */
export function compareMembers(a: GroupMember, b: GroupMember): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null) return compareText(a.groupInstanceId, b.groupInstanceId)
  if (a.groupInstanceId !== null) return -1
  return b.groupInstanceId !== null ? 1 : compareText(a.id, b.id)
}

export function compareSlots(a: Slot, b: Slot): number {
  return compareText(a.topic, b.topic) || a.partition - b.partition
}

/** As an assignor answers: no user data, a list for each member. */
export function assignmentOf(assigned: Assigned): Map<string, MemberAssignment> {
  const out = new Map<string, MemberAssignment>()
  for (const [id, slots] of assigned) out.set(id, { partitions: slots.map(({ topic, partition }) => ({ topic, partition })) })
  return out
}

/**
 * Racks decide only where members and replicas have some in common, and where not every partition can be had in every rack
 * (`AbstractPartitionAssignor.useRackAwareAssignment`, KIP-881).
 */
export function racksDecide(members: readonly GroupMember[], slots: readonly Slot[]): boolean {
  const memberRacks = new Set(members.map(member => member.rack))
  memberRacks.delete(null)
  if (memberRacks.size === 0) return false
  const replicaRacks = new Set(slots.flatMap(slot => [...slot.racks]))
  const common = [...replicaRacks].some(rack => memberRacks.has(rack))
  return common && slots.some(slot => slot.racks.size < replicaRacks.size)
}

/** May it have that partition, as far as racks go? A member without a rack may have any. */
export function racksMatch(member: GroupMember, slot: Slot): boolean {
  return member.rack === null || slot.racks.has(member.rack)
}
