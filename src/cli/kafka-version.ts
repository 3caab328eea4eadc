/**
 * Which Kafka a broker is, as its APIs betray (a broker does not tell its version). A guess: the first release with that range.
 */

/** Highest version of Fetch, and the releases that have it (Kafka's FetchRequest.json and release notes). */
const BY_FETCH: readonly (readonly [fetch: number, release: string])[] = [
  [18, '4.1 or newer'],
  [17, '3.9'],
  [16, '3.7 or 3.8'],
  [15, '3.5 or 3.6'],
  [13, '3.1 to 3.4'],
  [12, '2.7 to 3.0'],
  [11, '2.3 to 2.6'],
  [10, '2.1 or 2.2'],
  [8, '2.0'],
  [7, '1.1'],
  [6, '1.0'],
  [5, '0.11'],
  [3, '0.10.1 or 0.10.2'],
  [2, '0.10.0'],
  [0, '0.9 or older']
]

export function guessKafkaVersion(apis: Readonly<Record<string, { min: number; max: number }>>): string {
  const fetch = apis.Fetch
  if (!fetch) return 'unknown'
  // 4.0 dropped the versions of Fetch before 4 (KIP-896) and added none.
  if (fetch.min >= 4 && fetch.max === 17) return '4.0'
  return BY_FETCH.find(([least]) => fetch.max >= least)?.[1] ?? 'unknown'
}
