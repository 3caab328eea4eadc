/**
 * Murmur2 as Kafka's Java client hashes keys (`Utils.murmur2`), and the partition that follows from it
 * (`BuiltInPartitioner.partitionForKey`): producers in both languages put a key into the same partition.
 */

const SEED = 0x9747b28c
const M = 0x5bd1e995

/** The hash as Java's signed int. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length
  let hash = SEED ^ length
  let at = 0
  for (const last = length - 4; at <= last; at += 4) {
    const k = Math.imul(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24), M)
    hash = Math.imul(hash, M) ^ Math.imul(k ^ (k >>> 24), M)
  }
  const rest = length - at
  if (rest === 3) hash ^= bytes[at + 2]! << 16
  if (rest >= 2) hash ^= bytes[at + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ bytes[at]!, M)
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}

/** The partition, of `partitions`, for a key's bytes: `toPositive(murmur2(key)) % partitions`. */
export function partitionForKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}
