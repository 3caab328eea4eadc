/**
 * Offsets that are committed in ZooKeeper have a copy in Kafka, and only the copy can carry metadata and leader epochs (a znode of the old
 * Scala consumer holds a number, nothing else).
 */
import type { CommittedOffset, OffsetToCommit } from '../flow/offset-store.ts'
import { keyOf, type Owned } from '../machines/consumer.ts'
import { type PlainError, plainError, SamsaError, UsageError } from '../model/errors.ts'
import type { KafkaOffsets } from './kafka-offsets.ts'

/** Where nothing is copied to Kafka there is no place for metadata. Throws UsageError, before anything is written. */
export function refuseMetadata(offsets: readonly OffsetToCommit[]): void {
  const carrier = offsets.find(({ metadata }) => metadata !== undefined && metadata !== '')
  if (!carrier) return
  const message =
    `The commit of ${keyOf(carrier)} carries metadata, and this group's offsets lie in ZooKeeper, which keeps none. ` +
    'Nothing was committed. Leave mirrorOffsets on: then the copy in Kafka carries it.'
  throw new UsageError('METADATA_UNSUPPORTED', message, { details: { topic: carrier.topic, partition: carrier.partition } })
}

/**
 * ZooKeeper's offsets with what the copy adds to them, and the copy alone where ZooKeeper has none (`stale`: one of an earlier topic, whose copy
 * says nothing either). Rejects when the copy cannot be read and an offset hangs on it; else that is only told.
 */
export async function withCopies(
  partitions: readonly Owned[],
  offsets: readonly (bigint | 'stale' | undefined)[],
  kafka: KafkaOffsets | undefined,
  onTrouble: (error: PlainError) => void
): Promise<ReadonlyMap<string, CommittedOffset>> {
  const copies = kafka ? await readCopies(kafka, partitions, offsets.includes(undefined), onTrouble) : new Map<string, CommittedOffset>()
  const out = new Map<string, CommittedOffset>()
  for (const [index, entry] of partitions.entries()) {
    const offset = offsets[index]
    if (offset === 'stale') continue
    const copy = copies.get(keyOf(entry))
    if (copy && (offset === undefined || copy.offset === offset)) out.set(keyOf(entry), copy)
    else if (offset !== undefined) out.set(keyOf(entry), { offset, leaderEpoch: -1, metadata: '' })
  }
  return out
}

async function readCopies(
  kafka: KafkaOffsets,
  partitions: readonly Owned[],
  needed: boolean,
  onTrouble: (error: PlainError) => void
): Promise<ReadonlyMap<string, CommittedOffset>> {
  try {
    return await kafka.fetch(partitions)
  } catch (error) {
    if (needed) throw error
    const { code, message, retriable } = plainError(error)
    const text = `Kafka's copy of committed offsets cannot be read (${code}), so their metadata is not known: ${message}`
    onTrouble(new SamsaError('MIRROR_FAILED', text, { retriable, cause: error }).toJSON())
    return new Map()
  }
}
