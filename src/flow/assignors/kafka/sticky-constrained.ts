/**
 * The sticky assignment where all members subscribe to the same topics (AbstractStickyAssignor.ConstrainedAssignmentBuilder): everyone keeps
 * what it owned up to its share, the rest fills up those that have less, first within racks.
 */
import { type Assigned, compareSlots, type Group, type GroupMember, racksDecide, racksMatch, type Slot } from './group.ts'
import type { Claims } from './sticky-claims.ts'

export interface StickyAssignment {
  assigned: Assigned
  /** Given to another one than its owner: a cooperative group leaves these out until they are given back. */
  moving: ReadonlySet<Slot>
}

export function assignConstrained(group: Group, claims: Claims): StickyAssignment {
  return new ConstrainedAssignment(group, claims).build()
}

class ConstrainedAssignment {
  #group: Group
  #claims: Claims
  #slots: Slot[]
  #byRack: boolean
  #assigned: Assigned
  #moving = new Set<Slot>()
  /** Owned, and not kept: by whom it may have to be given back. */
  #released = new Map<Slot, string>()
  /** Everyone gets the least; `#expectedOver` members get one more. */
  #least: number
  #most: number
  #expectedOver: number
  #over = 0
  /** Members that have less than the least. */
  #under: string[] = []
  /** Members that have the least, and may get one more. */
  #atLeast: string[] = []

  constructor(group: Group, claims: Claims) {
    this.#group = group
    this.#claims = claims
    this.#slots = [...group.topics.values()].flat().sort(compareSlots)
    this.#byRack = racksDecide(group.members, this.#slots)
    this.#assigned = group.nothing()
    this.#least = Math.floor(this.#slots.length / group.members.length)
    this.#most = Math.ceil(this.#slots.length / group.members.length)
    this.#expectedOver = this.#slots.length % group.members.length
  }

  build(): StickyAssignment {
    for (const member of this.#group.members) this.#keepOwned(member)
    const kept = new Set([...this.#assigned.values()].flat())
    const free = this.#slots.filter(slot => !kept.has(slot))
    this.#under.sort()
    this.#atLeast.sort()
    this.#deal(this.#byRack ? this.#dealInRacks(free) : free)
    return { assigned: this.#assigned, moving: this.#moving }
  }

  #keepOwned(member: GroupMember): void {
    const keepable: Slot[] = []
    for (const slot of this.#claims.owned.get(member.id)!) {
      if (this.#byRack && !racksMatch(member, slot)) this.#released.set(slot, member.id)
      else if (!this.#claims.disputed.has(slot)) keepable.push(slot)
    }
    keepable.sort((a, b) => a.partition - b.partition || compareSlots(a, b))
    const kept = keepable.slice(0, this.#quotaOf(member.id, keepable.length))
    this.#assigned.get(member.id)!.push(...kept)
    for (const slot of keepable.slice(kept.length)) this.#released.set(slot, member.id)
  }

  /** How many of its own a member may keep; also lists it among those that may get more. */
  #quotaOf(id: string, owned: number): number {
    if (owned < this.#least) {
      this.#under.push(id)
      return owned
    }
    if (owned >= this.#most && this.#over < this.#expectedOver) {
      this.#countOver()
      return this.#most
    }
    if (this.#over < this.#expectedOver) this.#atLeast.push(id)
    return this.#least
  }

  /** Once enough members have one more, nobody else gets it. */
  #countOver(): void {
    this.#over++
    if (this.#over === this.#expectedOver) this.#atLeast = []
  }

  /** Gives what can be given within racks, in turns; answers with the rest. What few members have in their rack comes first. */
  #dealInRacks(free: readonly Slot[]): Slot[] {
    let turn = 0
    return this.#rarestFirst(free).filter(slot => {
      const at = this.#nextInRack(slot, this.#under, turn)
      if (at >= 0) turn = this.#giveToUnder(slot, at)
      return at < 0 && !this.#giveToAtLeast(slot)
    })
  }

  #rarestFirst(slots: readonly Slot[]): Slot[] {
    const membersIn = new Map<string, number>()
    for (const { rack } of this.#group.members) if (rack !== null) membersIn.set(rack, (membersIn.get(rack) ?? 0) + 1)
    const takers = new Map(slots.map(slot => [slot, [...slot.racks].reduce((sum, rack) => sum + (membersIn.get(rack) ?? 0), 0)]))
    return [...slots].sort((a, b) => takers.get(a)! - takers.get(b)!)
  }

  /** The next of `ids` from `first` on, round and round, whose rack has the partition; -1: none. Those without a rack take no part. */
  #nextInRack(slot: Slot, ids: readonly string[], first: number): number {
    for (let i = 0; i < ids.length; i++) {
      const at = (first + i) % ids.length
      const { rack } = this.#group.member(ids[at]!)
      if (rack !== null && slot.racks.has(rack)) return at
    }
    return -1
  }

  /** Answers whose turn it is next among those under the least. */
  #giveToUnder(slot: Slot, at: number): number {
    const id = this.#under[at]!
    const count = this.#give(slot, id)
    if (count < this.#least) at++
    else {
      this.#under.splice(at, 1)
      if (count < this.#most && this.#over < this.#expectedOver) this.#atLeast.push(id)
    }
    return this.#under.length === 0 ? 0 : at % this.#under.length
  }

  #giveToAtLeast(slot: Slot): boolean {
    const at = this.#nextInRack(slot, this.#atLeast, 0)
    if (at < 0) return false
    const [id] = this.#atLeast.splice(at, 1)
    this.#give(slot, id!)
    this.#countOver()
    return true
  }

  /** Deals the rest in turns: first to those under the least, then one more to those at the least, as they came there. */
  #deal(free: readonly Slot[]): void {
    let turn = 0
    for (const slot of free) {
      if (turn >= this.#under.length) turn = 0
      const id = this.#under[turn++] ?? this.#atLeast.shift()!
      if (this.#give(slot, id) !== this.#least) continue
      this.#under.splice(--turn, 1)
      this.#atLeast.push(id)
    }
  }

  /** Answers how many that member has now. */
  #give(slot: Slot, id: string): number {
    const owner = this.#released.get(slot)
    if ((owner !== undefined && owner !== id) || this.#claims.disputed.has(slot)) this.#moving.add(slot)
    return this.#assigned.get(id)!.push(slot)
  }
}
