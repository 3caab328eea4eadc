/**
 * A read-only Map that always shows the present: it looks each time, and holds nothing.
 */
export class LiveMap<K, V> implements ReadonlyMap<K, V> {
  #read: () => ReadonlyMap<K, V>

  constructor(read: () => ReadonlyMap<K, V>) {
    this.#read = read
  }

  get size(): number {
    return this.#read().size
  }

  get(key: K): V | undefined {
    return this.#read().get(key)
  }

  has(key: K): boolean {
    return this.#read().has(key)
  }

  forEach(callback: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this.#read()) callback(value, key, this)
  }

  keys(): MapIterator<K> {
    return this.#read().keys()
  }

  values(): MapIterator<V> {
    return this.#read().values()
  }

  entries(): MapIterator<[K, V]> {
    return this.#read().entries()
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries()
  }
}
