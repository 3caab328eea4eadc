/**
 * A few things in no order, put in and taken out all the time. Not a Set: V8 makes a new table every few additions, and tables know their successor,
 * so that one dead table in old space keeps all later ones alive, and whatever lay in them, until the next full collection (measured: every
 * consumed message survived into old space).
 */
export class Bag<T> implements Iterable<T> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  /** Must not be in it. */
  add(item: T): void {
    this.#items.push(item)
  }

  /** False: it was not in it. Looks from the newest on. */
  delete(item: T): boolean {
    const items = this.#items
    const at = items.lastIndexOf(item)
    if (at < 0) return false
    const last = items.pop()!
    if (at < items.length) items[at] = last
    return true
  }

  clear(): void {
    this.#items.length = 0
  }

  /** Of what is in it now; it may change meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    return [...this.#items][Symbol.iterator]()
  }
}
