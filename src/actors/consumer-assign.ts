/**
 * A manual assignment that changes while it runs: the member is told what should be owned, and lets go of and claims the difference.
 */
import { keyOf } from '../machines/consumer.ts'
import { SamsaError, UsageError } from '../model/errors.ts'
import type { TopicPartition } from '../model/positions.ts'
import { manualPartitions } from '../model/subscription.ts'
import type { ConsumerPlane } from './consumer-plane.ts'
import { tell } from './instance.ts'

/** See ConsumerHandle. */
export async function assignManually(plane: ConsumerPlane, wanted: readonly (TopicPartition & { offset?: bigint })[]): Promise<void> {
  const { instance, path, subscription, positions, starts } = plane
  if (!subscription.partitions)
    throw new UsageError(
      'NOT_MANUAL',
      'This consumer reads topics, whose partitions are assigned to it. Subscribe with `partitions` to assign them by hand.'
    )
  const partitions = manualPartitions(wanted)
  const owned = new Set(
    positions
      .assignment()
      .filter(entry => positions.keeps(entry))
      .map(keyOf)
  )
  const given = wanted.filter((entry): entry is TopicPartition & { offset: bigint } => entry.offset !== undefined)
  for (const entry of given) if (!owned.has(keyOf(entry))) starts.give(entry, entry.offset)
  const number = ++starts.assigns
  const list = partitions.map(({ topic, partition }) => ({ topic, partition }))
  if (!tell(instance, `${path}/member`, { type: 'ASSIGN', partitions: list } as { type: string }))
    throw new SamsaError('NOT_STARTED', 'The consumer has not started yet, or is closing; nothing was assigned.', { retriable: true })
  const staying = given.filter(entry => owned.has(keyOf(entry)))
  const seeking = positions.seek(staying.map(({ topic, partition, offset }) => ({ topic, partition, to: offset })))
  const keys = new Set(list.map(keyOf))
  const assigned = positions.until('The assignment', () => {
    if (plane.ended) throw new SamsaError('CONSUMER_CLOSED', 'The consumer was closed before the assignment was as asked for.')
    const now = positions.assignment().map(keyOf)
    // A later assignment took over: that counts.
    return starts.assigns !== number || (now.length === keys.size && now.every(key => keys.has(key)))
  })
  await Promise.all([seeking, assigned])
}
