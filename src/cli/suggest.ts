/**
 * What somebody may have meant: the nearest of the known words, by edit distance with transpositions.
 */

function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j]!, before[j - 2]! + 1)
    }
    before = last
    last = row
  }
  return last[b.length]!
}

/** The nearest word, if one is near enough to be meant: about a third of its letters may differ, or it begins as given. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const word = given.slice(0, 64).toLowerCase()
  if (word === '') return undefined
  const ranked = known
    .map(name => ({ name, far: name.startsWith(word) ? 0.5 : distance(word, name) }))
    .sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
  const best = ranked[0]
  return best && best.far <= Math.max(1, Math.floor(Math.max(word.length, best.name.length) / 3)) ? best.name : undefined
}
