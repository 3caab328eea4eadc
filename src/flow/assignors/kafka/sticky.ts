/**
 * The `sticky` and `cooperative-sticky` assignors of Kafka's Java client (StickyAssignor, CooperativeStickyAssignor, as of 3.9.1): shares as
 * equal as can be, and of all such assignments one that leaves as much as possible where it was.
 *
 * They answer what Java answers, also where that is not the best: with racks and different subscriptions a cooperative group may move
 * a partition to and fro for many rounds. They differ only where Java's answer would be none: a claim to a partition that does not exist
 * (Java gives others of that topic to two members), a member without topics (Java may give it some), and a former owner that does not
 * subscribe any more, or has all that it can have (Java gives it the partition, or throws).
 */
import type { Assignor, AssignorInput } from '../../../model/assignor.ts'
import type { TopicPartition } from '../../../model/events.ts'
import { type Assigned, assignmentOf, Group, type GroupMember, type Slot } from './group.ts'
import { claimsOf, type MemberData, NO_GENERATION } from './sticky-claims.ts'
import { assignConstrained } from './sticky-constrained.ts'
import { assignGeneral } from './sticky-general.ts'
import { decodeGeneration, decodeStickyUserData, encodeGeneration, encodeStickyUserData } from './sticky-user-data.ts'

/** What both share. `moving`: what changes hands; null: not known. */
class StickyLogic {
  /** The newest generation that any assignment of this consumer has met, as in Java. */
  #newestGeneration = NO_GENERATION

  assign(group: Group, dataOf: (member: GroupMember) => MemberData): { assigned: Assigned; moving: ReadonlySet<Slot> | null } {
    const claims = claimsOf(group, dataOf, this.#newestGeneration)
    this.#newestGeneration = claims.newestGeneration
    if (group.members.length === 0) return { assigned: new Map(), moving: null }
    return subscribeAlike(group) ? assignConstrained(group, claims) : { assigned: assignGeneral(group, claims), moving: null }
  }
}

function subscribeAlike({ members }: Group): boolean {
  const first = members[0]!.topics
  return members.every(({ topics }) => topics.size === first.size && [...topics].every(topic => first.has(topic)))
}

/** Eager: everything is given back before, and remembered in the user data. */
export class StickyAssignor implements Assignor {
  readonly name = 'sticky'
  readonly rebalanceProtocol = 'eager'
  #logic = new StickyLogic()
  #last: { partitions: readonly TopicPartition[]; generation: number } | null = null

  userData(): Uint8Array | null {
    return this.#last && encodeStickyUserData(this.#last.partitions, this.#last.generation)
  }

  assign(input: AssignorInput) {
    const { assigned } = this.#logic.assign(new Group(input), ({ said }) => decodeStickyUserData(said.userData))
    return assignmentOf(assigned)
  }

  onAssignment(assigned: readonly TopicPartition[], _userData: Uint8Array | null, generation: number): void {
    this.#last = { partitions: assigned, generation }
  }
}

/** Cooperative: what changes hands is given to nobody until its owner has given it back. */
export class CooperativeStickyAssignor implements Assignor {
  readonly name = 'cooperative-sticky'
  readonly rebalanceProtocol = 'cooperative'
  #logic = new StickyLogic()
  #generation = NO_GENERATION

  userData(): Uint8Array {
    return encodeGeneration(this.#generation)
  }

  assign(input: AssignorInput) {
    const group = new Group(input)
    const { assigned, moving } = this.#logic.assign(group, cooperativeData)
    const withheld = moving ?? changingHands(group, assigned)
    for (const [id, slots] of assigned)
      assigned.set(
        id,
        slots.filter(slot => !withheld.has(slot))
      )
    return assignmentOf(assigned)
  }

  onAssignment(_assigned: readonly TopicPartition[], _userData: Uint8Array | null, generation: number): void {
    this.#generation = generation
  }
}

/** Subscriptions from version 2 on carry the generation themselves. */
function cooperativeData({ said }: GroupMember): MemberData {
  const generation = said.generationId >= 0 ? said.generationId : decodeGeneration(said.userData)
  return { partitions: said.ownedPartitions, generation }
}

/** Given to a member that does not own it, while one that does loses it. */
function changingHands(group: Group, assigned: Assigned): Set<Slot> {
  const ownedBy = new Map(group.members.map(({ id, said }) => [id, new Set(said.ownedPartitions.map(partition => group.find(partition)))]))
  const lost = new Set<Slot | undefined>()
  for (const [id, owned] of ownedBy) {
    const kept = new Set(assigned.get(id))
    for (const slot of owned) if (slot && !kept.has(slot)) lost.add(slot)
  }
  const out = new Set<Slot>()
  for (const [id, slots] of assigned) for (const slot of slots) if (lost.has(slot) && !ownedBy.get(id)!.has(slot)) out.add(slot)
  return out
}
