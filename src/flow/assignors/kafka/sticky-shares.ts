/**
 * Who has what while the general sticky assignment is made, and whether a partition could still move to somebody who has less.
 */
import type { Assigned, Group, GroupMember, Slot } from './group.ts'

/** A topic that several members subscribe to. */
interface SharedTopic {
  slots: readonly Slot[]
  subscribers: readonly GroupMember[]
}

export class Shares {
  #slotsOf: Map<string, Set<Slot>>
  #ownerOf = new Map<Slot, string>()
  #shared: SharedTopic[]
  /** Null: not known since the last change. */
  #balanced: boolean | null = null
  /** The shared topic that last was out of balance: the first to ask. */
  #unbalanced = 0

  constructor(group: Group, shared: SharedTopic[]) {
    this.#slotsOf = new Map(group.members.map(({ id }) => [id, new Set()]))
    this.#shared = shared
  }

  count(id: string): number {
    return this.#slotsOf.get(id)!.size
  }

  ownerOf(slot: Slot): string | undefined {
    return this.#ownerOf.get(slot)
  }

  /** From its owner, if it has one; behind what that member has already. */
  give(slot: Slot, id: string): void {
    const owner = this.#ownerOf.get(slot)
    if (owner !== undefined) this.#slotsOf.get(owner)!.delete(slot)
    this.#slotsOf.get(id)!.add(slot)
    this.#ownerOf.set(slot, id)
    this.#balanced = null
  }

  /** Who has least; of equals the first by id. */
  poorest(members: readonly GroupMember[]): GroupMember | undefined {
    let poorest: GroupMember | undefined
    let least = Number.POSITIVE_INFINITY
    for (const member of members) {
      const count = this.count(member.id)
      if (count > least || (count === least && member.id > poorest!.id)) continue
      poorest = member
      least = count
    }
    return poorest
  }

  /** No partition could go to a subscriber that has at least two less than its owner. */
  isBalanced(): boolean {
    this.#balanced ??= !this.#isUnbalanced(this.#shared[this.#unbalanced]) && !this.#findUnbalanced()
    return this.#balanced
  }

  #findUnbalanced(): boolean {
    const at = this.#shared.findIndex(topic => this.#isUnbalanced(topic))
    if (at >= 0) this.#unbalanced = at
    return at >= 0
  }

  #isUnbalanced(topic: SharedTopic | undefined): boolean {
    if (!topic) return false
    const least = this.count(this.poorest(topic.subscribers)!.id)
    return topic.slots.some(slot => this.count(this.#ownerOf.get(slot)!) > least + 1)
  }

  /** The differences between each two members of shared topics, added up: 0 is perfect. */
  score(): number {
    const members = new Set(this.#shared.flatMap(topic => topic.subscribers))
    const counts = [...members].map(({ id }) => this.count(id)).sort((a, b) => a - b)
    // In sorted order each count is subtracted once for each larger one and added once for each smaller one.
    return counts.reduce((sum, count, at) => sum + count * (2 * at - counts.length + 1), 0)
  }

  copy(): Assigned {
    return new Map([...this.#slotsOf].map(([id, slots]) => [id, [...slots]]))
  }
}
