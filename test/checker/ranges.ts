/**
 * A set of offsets, kept as ranges: readers go forward, so that a million of them are a handful of ranges.
 */

export class Ranges {
  /** Sorted, apart: `#from[i]` … `#to[i]`, both in it. */
  #from: number[] = []
  #to: number[] = []

  get least(): number | undefined {
    return this.#from[0]
  }

  get most(): number | undefined {
    return this.#to.at(-1)
  }

  /** False: it was in it. */
  add(offset: number): boolean {
    const last = this.#to.length - 1
    // Nearly always: the next one.
    if (last >= 0 && offset === this.#to[last]! + 1) {
      this.#to[last] = offset
      return true
    }
    const at = this.#at(offset)
    if (at < this.#from.length && this.#from[at]! <= offset) return false
    const before = at > 0 && this.#to[at - 1]! === offset - 1
    const after = at < this.#from.length && this.#from[at]! === offset + 1
    if (before && after) {
      this.#to[at - 1] = this.#to[at]!
      this.#from.splice(at, 1)
      this.#to.splice(at, 1)
    } else if (before) this.#to[at - 1] = offset
    else if (after) this.#from[at] = offset
    else {
      this.#from.splice(at, 0, offset)
      this.#to.splice(at, 0, offset)
    }
    return true
  }

  has(offset: number): boolean {
    const at = this.#at(offset)
    return at < this.#from.length && this.#from[at]! <= offset
  }

  /** The first range that ends at or after an offset. */
  #at(offset: number): number {
    let [low, high] = [0, this.#to.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#to[middle]! < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}
