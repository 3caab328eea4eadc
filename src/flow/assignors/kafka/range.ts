/**
 * The `range` assignor of Kafka's Java client (RangeAssignor), its default: topic by topic, the sorted members take sorted partitions in runs.
 * With racks (KIP-881) they first take what lies in their rack, and of topics with as many partitions and the same members the
 * same partition numbers; what is left is dealt in runs as before.
 */
import type { Assignor, AssignorInput } from '../../../model/assignor.ts'
import {
  type Assigned,
  assignmentOf,
  compareMembers,
  compareSlots,
  Group,
  type GroupMember,
  racksDecide,
  racksMatch,
  type Slot
} from './group.ts'

/** What is left of one topic, and who may still take how much of it. */
class TopicShares {
  readonly slots: readonly Slot[]
  readonly members: readonly GroupMember[]
  readonly racksDecide: boolean
  #left: Set<Slot>
  #given: Map<GroupMember, number>
  #each: number
  /** Members that may still take one more than `#each`. */
  #extras: number
  #assigned: Assigned

  constructor(slots: readonly Slot[], members: GroupMember[], assigned: Assigned) {
    this.slots = slots
    this.members = members.sort(compareMembers)
    this.racksDecide = racksDecide(members, slots)
    this.#left = new Set(slots)
    this.#given = new Map(members.map(member => [member, 0]))
    this.#each = Math.floor(slots.length / members.length)
    this.#extras = slots.length % members.length
    this.#assigned = assigned
  }

  /** How many more this member may take now. */
  room(member: GroupMember): number {
    return Math.max(0, this.#each + (this.#extras > 0 ? 1 : 0) - this.#given.get(member)!)
  }

  give(member: GroupMember, slots: readonly Slot[]): void {
    const given = this.#given.get(member)! + slots.length
    this.#given.set(member, given)
    if (given > this.#each) this.#extras--
    for (const slot of slots) this.#left.delete(slot)
    this.#assigned.get(member.id)!.push(...slots)
  }

  /** Each member in turn takes as many as it may of those that suit it. */
  deal(suits: (member: GroupMember, slot: Slot) => boolean): void {
    for (const member of this.members) {
      if (this.#left.size === 0) return
      const room = this.room(member)
      const taken: Slot[] = []
      for (const slot of this.#left) {
        if (taken.length >= room) break
        if (suits(member, slot)) taken.push(slot)
      }
      if (taken.length > 0) this.give(member, taken)
    }
  }
}

export class RangeAssignor implements Assignor {
  readonly name = 'range'
  readonly rebalanceProtocol = 'eager'

  assign(input: AssignorInput) {
    const group = new Group(input)
    const assigned = group.nothing()
    const topics = [...group.topics].map(([topic, slots]) => new TopicShares(slots, group.subscribersOf(topic), assigned))
    const byRack = topics.some(topic => topic.racksDecide)
    if (byRack) for (const alike of copartitioned(topics)) dealInRacks(alike)
    for (const topic of topics) topic.deal(() => true)
    if (byRack) for (const slots of assigned.values()) slots.sort(compareSlots)
    return assignmentOf(assigned)
  }
}

/** Topics with the same members and as many partitions, together. */
function copartitioned(topics: readonly TopicShares[]): TopicShares[][] {
  const groups = new Map<string, TopicShares[]>()
  for (const topic of topics) {
    const key = JSON.stringify([topic.slots.length, ...topic.members.map(({ id }) => id)])
    const alike = groups.get(key)
    if (alike) alike.push(topic)
    else groups.set(key, [topic])
  }
  return [...groups.values()]
}

function dealInRacks(alike: readonly TopicShares[]): void {
  if (alike.length > 1) dealTogether(alike)
  else if (alike[0]!.racksDecide) alike[0]!.deal(racksMatch)
}

/** The same partition number of all these topics goes to one member, where one has its rack in all of them and room in all. */
function dealTogether(topics: readonly TopicShares[]): void {
  const first = topics[0]!
  // Members without any rack among them: nothing can be matched.
  if (first.members.every(member => member.rack === null)) return
  const remaining = new Set(first.members)
  for (let number = 0; number < first.slots.length && remaining.size > 0; number++) {
    const suits = (member: GroupMember) => topics.every(topic => racksMatch(member, topic.slots[number]!) && topic.room(member) > 0)
    const taker = [...remaining].find(suits)
    if (!taker) continue
    for (const topic of topics) topic.give(taker, [topic.slots[number]!])
    if (topics.every(topic => topic.room(taker) === 0)) remaining.delete(taker)
  }
}
