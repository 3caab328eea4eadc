/**
 * Who owned what before, as far as members can be believed (AbstractStickyAssignor.allSubscriptionsEqual): of two that claim one partition, the
 * one of the newer generation owns it; of the same generation, none does.
 */
import type { TopicPartition } from '../../../model/events.ts'
import type { Group, GroupMember, Slot } from './group.ts'

/** What a member owned last; a null generation: it did not say. */
export interface MemberData {
  partitions: readonly TopicPartition[]
  generation: number | null
}

/** Java's DEFAULT_GENERATION: none yet. */
export const NO_GENERATION = -1

export interface Claims {
  /** Without those that another one owns, and those that exist no more. An entry for each member, in the group's order. */
  readonly owned: ReadonlyMap<string, ReadonlySet<Slot>>
  /** Claimed by two in one generation: nobody's. */
  readonly disputed: ReadonlySet<Slot>
  /** The newest owner of each partition among members that are behind `newestGeneration`. */
  readonly previous: ReadonlyMap<Slot, { owner: string; generation: number }>
  readonly newestGeneration: number
}

/** `knownGeneration`: the newest that the assignor met before. */
export function claimsOf(group: Group, dataOf: (member: GroupMember) => MemberData, knownGeneration: number): Claims {
  const told = group.members.map(member => {
    const { partitions, generation } = dataOf(member)
    const slots = partitions.map(partition => group.find(partition)).filter(slot => slot !== undefined)
    return { member, slots, generation }
  })
  const newestGeneration = Math.max(knownGeneration, ...told.map(({ generation }) => generation ?? NO_GENERATION))
  const owned = new Map<string, Set<Slot>>()
  const disputed = new Set<Slot>()
  const ownerOf = new Map<Slot, GroupMember>()
  const previous = new Map<Slot, { owner: string; generation: number }>()
  for (const { member, slots, generation: said } of told) {
    const generation = said ?? NO_GENERATION
    const own = new Set<Slot>()
    owned.set(member.id, own)
    for (const slot of slots) {
      const other = ownerOf.get(slot)
      // Java asks the other one's subscription, not its user data, which is where a member of `sticky` says its generation.
      const otherGeneration = other ? Math.max(other.said.generationId, NO_GENERATION) : Number.NEGATIVE_INFINITY
      if (generation < otherGeneration) continue
      ownerOf.set(slot, member)
      if (other) owned.get(other.id)!.delete(slot)
      if (generation === otherGeneration) disputed.add(slot)
      else own.add(slot)
    }
    if (generation < newestGeneration)
      for (const slot of slots)
        if (generation > (previous.get(slot)?.generation ?? Number.NEGATIVE_INFINITY)) previous.set(slot, { owner: member.id, generation })
  }
  return { owned, disputed, previous, newestGeneration }
}
