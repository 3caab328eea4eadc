/**
 * The order in which Java's hash tables are walked. Kafka's assignors decide ties by it, so members only agree with a Java leader if it
 * is the same here: by slot of the table, within a slot by age (java.util.HashMap).
 */
import { javaHashCode } from '../roundrobin.ts'

const FIRST_SLOTS = 16
/** A table doubles when more than this part of its slots is taken. */
const LOAD = 0.75
/** A chain that becomes longer doubles a small table too; in a larger one Java makes it a tree. */
const CHAIN_MOST = 8
/** `computeIfAbsent` counts otherwise. */
const CHAIN_MOST_COMPUTED = 7
const TREES_FROM_SLOTS = 64

/** `HashMap.hash`: high bits also matter in small tables. */
const spread = (hash: number) => hash ^ (hash >>> 16)

/** `TopicPartition.hashCode`. */
export const partitionHashCode = (topic: string, partition: number) => (Math.imul(31, (31 + partition) | 0) + javaHashCode(topic)) | 0

/**
 * A set that is walked as Java's HashSet, or the keys of its HashMap, with keys that are equal only if they are the same. One thing
 * differs: chains that Java makes trees (eight or nine keys of one slot among 64 or more) keep their order here.
 */
export class JavaHashSet<K> {
  #hashCodeOf: (key: K) => number
  #slots: (K[] | undefined)[] = new Array(FIRST_SLOTS)
  #keys = new Set<K>()

  constructor(hashCodeOf: (key: K) => number, keys: Iterable<K> = []) {
    this.#hashCodeOf = hashCodeOf
    for (const key of keys) this.add(key)
  }

  static ofTexts(texts: Iterable<string> = []): JavaHashSet<string> {
    return new JavaHashSet(javaHashCode, texts)
  }

  get size(): number {
    return this.#keys.size
  }

  /** As `HashMap.put` and `HashSet.add`: behind the others of its slot. */
  add(key: K): void {
    if (this.#keys.has(key)) return
    this.#keys.add(key)
    const chain = this.#chainOf(key)
    chain.push(key)
    this.#limit(chain, CHAIN_MOST)
    if (this.#isFull()) this.#grow()
  }

  /** As `HashMap.computeIfAbsent`: before the others of its slot; and a full table grows only at the next call. */
  computeIfAbsent(key: K): void {
    if (this.#isFull()) this.#grow()
    if (this.#keys.has(key)) return
    this.#keys.add(key)
    const chain = this.#chainOf(key)
    chain.unshift(key)
    this.#limit(chain, CHAIN_MOST_COMPUTED)
  }

  /** A table never becomes smaller. */
  delete(key: K): void {
    if (!this.#keys.delete(key)) return
    const chain = this.#chainOf(key)
    chain.splice(chain.indexOf(key), 1)
  }

  *[Symbol.iterator](): Generator<K, void> {
    for (const chain of this.#slots) if (chain) yield* chain
  }

  #isFull(): boolean {
    return this.#keys.size > this.#slots.length * LOAD
  }

  #chainOf(key: K): K[] {
    return (this.#slots[spread(this.#hashCodeOf(key)) & (this.#slots.length - 1)] ??= [])
  }

  #limit(chain: readonly K[], most: number): void {
    if (chain.length > most && this.#slots.length < TREES_FROM_SLOTS) this.#grow()
  }

  /** What shared a slot keeps its order, whichever of the two it goes to. */
  #grow(): void {
    const before = this.#slots
    this.#slots = new Array(before.length * 2)
    for (const chain of before) if (chain) for (const key of chain) this.#chainOf(key).push(key)
  }
}
