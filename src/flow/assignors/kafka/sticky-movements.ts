/**
 * Which partitions moved from whom to whom while an assignment is balanced (AbstractStickyAssignor.PartitionMovements): where one of a topic is
 * to go the way back that another one came, that other one goes back instead.
 */
import type { Slot } from './group.ts'
import { JavaHashSet, partitionHashCode } from './java-order.ts'

interface Movement {
  from: string
  to: string
}

const hashCodeOf = ({ topic, partition }: Slot) => partitionHashCode(topic, partition)

export class Movements {
  #of = new Map<Slot, Movement>()
  /** topic → from → to → what moved. */
  #byTopic = new Map<string, Map<string, Map<string, JavaHashSet<Slot>>>>()

  /** A partition that moved twice counts as moved once, from its first owner; one that came back has not moved. */
  note(slot: Slot, from: string, to: string): void {
    const before = this.#of.get(slot)
    if (before) this.#forget(slot, before)
    if (before?.from === to) return
    this.#remember(slot, { from: before?.from ?? from, to })
  }

  /** What to move instead of `slot`, from its owner to `to`. */
  actualFor(slot: Slot, owner: string, to: string): Slot {
    const from = this.#of.get(slot)?.from ?? owner
    for (const other of this.#byTopic.get(slot.topic)?.get(to)?.get(from) ?? []) return other
    return slot
  }

  #remember(slot: Slot, movement: Movement): void {
    this.#of.set(slot, movement)
    const byFrom = entry(this.#byTopic, slot.topic, () => new Map<string, Map<string, JavaHashSet<Slot>>>())
    const byTo = entry(byFrom, movement.from, () => new Map<string, JavaHashSet<Slot>>())
    entry(byTo, movement.to, () => new JavaHashSet(hashCodeOf)).add(slot)
  }

  #forget(slot: Slot, { from, to }: Movement): void {
    this.#of.delete(slot)
    const byTo = this.#byTopic.get(slot.topic)!.get(from)!
    const slots = byTo.get(to)!
    slots.delete(slot)
    // An empty table would keep its size, and with it another order than Java's new one.
    if (slots.size === 0) byTo.delete(to)
  }
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}
