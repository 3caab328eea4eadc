/**
 * Sets of partitions by topic id, as members of KIP-848's groups own, give up and are to get them. Values are not changed once made.
 */
export type Parts = ReadonlyMap<string, readonly number[]>

export const NO_PARTS: Parts = new Map()

export type WireParts = { topicId: string; partitions: number[] }[]

/** Sorted and each once, so that what is equal looks equal. */
export function parts(entries: Iterable<readonly [topicId: string, partition: number]>): Parts {
  const sets = new Map<string, Set<number>>()
  for (const [topicId, partition] of entries) {
    let set = sets.get(topicId)
    if (!set) sets.set(topicId, (set = new Set()))
    set.add(partition)
  }
  const sorted = [...sets].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return new Map(sorted.map(([topicId, set]) => [topicId, [...set].sort((a, b) => a - b)]))
}

export function* each(of: Parts): Generator<[topicId: string, partition: number], void, void> {
  for (const [topicId, partitions] of of) for (const partition of partitions) yield [topicId, partition]
}

/** They are sorted: a member may name very many. */
export function has(of: Parts, topicId: string, partition: number): boolean {
  const partitions = of.get(topicId) ?? []
  let [low, high] = [0, partitions.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (partitions[middle]! < partition) low = middle + 1
    else high = middle
  }
  return partitions[low] === partition
}

export const filter = (of: Parts, keep: (topicId: string, partition: number) => boolean): Parts =>
  parts([...each(of)].filter(([topicId, partition]) => keep(topicId, partition)))

export const both = (a: Parts, b: Parts): Parts => filter(a, (topicId, partition) => has(b, topicId, partition))
export const without = (a: Parts, b: Parts): Parts => filter(a, (topicId, partition) => !has(b, topicId, partition))
export const together = (a: Parts, b: Parts): Parts => parts([...each(a), ...each(b)])

export const count = (of: Parts): number => [...of.values()].reduce((sum, { length }) => sum + length, 0)
export const isSubset = (a: Parts, of: Parts): boolean => count(without(a, of)) === 0
export const same = (a: Parts, b: Parts): boolean => count(a) === count(b) && isSubset(a, b)

export const fromWire = (wire: readonly { topicId: string; partitions: readonly number[] }[]): Parts =>
  parts(wire.flatMap(({ topicId, partitions }) => partitions.map(partition => [topicId, partition] as const)))

export const toWire = (of: Parts): WireParts => [...of].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions] }))
