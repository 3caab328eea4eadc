/**
 * Which partition a message goes to. Keys: murmur2 as Java's default partitioner, so that all clients agree. No key: wherever there is
 * a leader and the least is waiting, whole batches at a time (KIP-794's idea: stickiness fills batches, load spreads them).
 */
import { partitionForKey } from '../wire/records/index.ts'
import type { TopicPlane } from './topic-plane.ts'

const CANDIDATES = 8

export function partitionOfKey(key: string | Uint8Array, partitions: number): number {
  return partitionForKey(typeof key === 'string' ? Buffer.from(key, 'utf8') : key, partitions)
}

/**
 * A partition for an unkeyed batch: in turn over those that are available, of the next few the one with the least waiting.
 * With none available: undefined.
 */
export function pickAvailable(plane: TopicPlane, except?: number): number | undefined {
  const { available } = plane
  let best: number | undefined
  let least = Number.POSITIVE_INFINITY
  const tries = Math.min(available.length, CANDIDATES)
  for (let i = 0; i < tries; i++) {
    const partition = available[(plane.turn + i) % available.length]!
    if (partition === except) continue
    const waiting = plane.queues.get(partition)?.pendingBytes ?? 0
    if (waiting >= least) continue
    best = partition
    least = waiting
    if (waiting === 0) break
  }
  if (best !== undefined) plane.turn = (available.indexOf(best) + 1) % available.length
  return best
}
