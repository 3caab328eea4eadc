/**
 * The sticky assignment where members subscribe to different topics (AbstractStickyAssignor.GeneralAssignmentBuilder): everyone keeps what it
 * owned, the rest goes to those that have least, first within racks; then partitions move one by one as long as that makes the
 * shares more equal. If it did not, nothing moves.
 */
import { compareText } from '../assignment.ts'
import { type Assigned, type Group, type GroupMember, racksDecide, racksMatch, type Slot } from './group.ts'
import type { Claims } from './sticky-claims.ts'
import { Movements } from './sticky-movements.ts'
import { Shares } from './sticky-shares.ts'

/** Times that all partitions are gone through; a handful is what any group needed. Java has no limit, and nobody has proven that it needs none. */
const PASSES_MAX = 100

export function assignGeneral(group: Group, claims: Claims): Assigned {
  return new GeneralAssignment(group, claims).build()
}

class GeneralAssignment {
  #group: Group
  #claims: Claims
  /** At least one for each topic. */
  #subscribers: ReadonlyMap<string, readonly GroupMember[]>
  /** All partitions; those of topics with few subscribers first. */
  #slots: readonly Slot[]
  #byRack: boolean
  #shares: Shares
  #movements = new Movements()

  constructor(group: Group, claims: Claims) {
    this.#group = group
    this.#claims = claims
    this.#subscribers = new Map([...group.topics.keys()].map(topic => [topic, group.subscribersOf(topic)]))
    const order = (a: string, b: string) => this.#subscribersOf(a).length - this.#subscribersOf(b).length || compareText(a, b)
    const topics = [...group.topics.keys()].sort(order)
    this.#slots = topics.flatMap(topic => group.topics.get(topic)!)
    this.#byRack = racksDecide(group.members, this.#slots)
    const shared = topics.filter(topic => this.#isShared(topic))
    this.#shares = new Shares(
      group,
      shared.map(topic => ({ slots: group.topics.get(topic)!, subscribers: this.#subscribersOf(topic) }))
    )
  }

  build(): Assigned {
    const revoked = this.#keepOwned()
    const free = this.#slots.filter(slot => this.#shares.ownerOf(slot) === undefined)
    const isFirst = free.length === this.#slots.length
    for (const slot of this.#byRack ? free.filter(slot => !this.#giveInRack(slot)) : free) this.#giveToPoorest(slot)
    const before = this.#shares.copy()
    const scoreBefore = this.#shares.score()
    const movable = (slot: Slot) => this.#isShared(slot.topic)
    // What nobody owned yet moves first, so that as little as possible changes hands.
    if (!revoked) this.#rebalance(free.filter(movable))
    const moved = this.#rebalance(this.#slots.filter(movable))
    const inVain = !isFirst && moved && this.#shares.score() >= scoreBefore
    return inVain ? before : this.#shares.copy()
  }

  #subscribersOf(topic: string): readonly GroupMember[] {
    return this.#subscribers.get(topic)!
  }

  #isShared(topic: string): boolean {
    return this.#subscribersOf(topic).length > 1
  }

  /** Answers whether somebody may not keep what it owned. */
  #keepOwned(): boolean {
    let revoked = false
    for (const member of this.#group.members)
      for (const slot of this.#claims.owned.get(member.id)!) {
        if (member.topics.has(slot.topic) && (!this.#byRack || racksMatch(member, slot))) this.#shares.give(slot, member.id)
        else revoked = true
      }
    return revoked
  }

  #giveInRack(slot: Slot): boolean {
    const taker = this.#shares.poorest(this.#subscribersOf(slot.topic).filter(member => racksMatch(member, slot)))
    if (taker) this.#shares.give(slot, taker.id)
    return taker !== undefined
  }

  #giveToPoorest(slot: Slot): void {
    this.#shares.give(slot, this.#shares.poorest(this.#subscribersOf(slot.topic))!.id)
  }

  /** Moves partitions to members that have less until none can or all is balanced; answers whether one moved. */
  #rebalance(slots: readonly Slot[]): boolean {
    let moved = false
    for (let again = true, pass = 0; again && pass < PASSES_MAX; pass++) {
      again = false
      for (const slot of slots) {
        if (this.#shares.isBalanced()) break
        const taker = this.#takerOf(slot)
        if (taker === undefined) continue
        this.#move(slot, taker)
        again = moved = true
      }
    }
    return moved
  }

  /** Who should have it instead: its owner before the last one if that has less, else who has least. */
  #takerOf(slot: Slot): string | undefined {
    const count = this.#shares.count(this.#shares.ownerOf(slot)!)
    const previous = this.#claims.previous.get(slot)?.owner
    const mayReturn = previous !== undefined && this.#group.member(previous).topics.has(slot.topic)
    if (mayReturn && count > this.#shares.count(previous) + 1) return previous
    const poorest = this.#shares.poorest(this.#subscribersOf(slot.topic))!.id
    return count > this.#shares.count(poorest) + 1 ? poorest : undefined
  }

  #move(slot: Slot, taker: string): void {
    const actual = this.#movements.actualFor(slot, this.#shares.ownerOf(slot)!, taker)
    this.#movements.note(actual, this.#shares.ownerOf(actual)!, taker)
    this.#shares.give(actual, taker)
  }
}
