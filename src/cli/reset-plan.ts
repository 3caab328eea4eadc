/**
 * What `samsa groups reset` would write, computed from what is known of each partition and nothing else: the rules of Kafka's own
 * kafka-consumer-groups.sh (ConsumerGroupCommand), with the reason where the outcome is not the number that was asked for.
 */
import { SamsaError } from '../model/errors.ts'
import type { ResetTarget } from './reset-target.ts'

/** A partition as it is. */
export interface ResetInput {
  topic: string
  partition: number
  /** The committed next offset; null: nothing is committed. */
  current: bigint | null
  /** Where the log begins and ends now. */
  earliest: bigint
  latest: bigint
  /** Of `time`: the offset of the first message at or after it; null: there is none, or it was not asked for. */
  atTime: bigint | null
}

export interface PlannedReset {
  topic: string
  partition: number
  current: bigint | null
  new: bigint
  /** Why it is not what was asked for; null: it is. */
  note: string | null
}

/** Throws SamsaError NO_OFFSET when one cannot be shifted because nothing is committed. */
export function planReset(target: ResetTarget, partitions: readonly ResetInput[]): PlannedReset[] {
  if (target.to === 'shift') refuseUncommitted(partitions)
  return partitions.map(input => {
    const { topic, partition, current } = input
    return { topic, partition, current, ...within(input, wanted(target, input)) }
  })
}

interface Wanted {
  offset: bigint
  note: string | null
}

function wanted(target: ResetTarget, { topic, partition, current, earliest, latest, atTime }: ResetInput): Wanted {
  const exactly = (offset: bigint): Wanted => ({ offset, note: null })
  switch (target.to) {
    case 'earliest':
      return exactly(earliest)
    case 'latest':
      return exactly(latest)
    case 'current':
      return current === null ? { offset: latest, note: 'nothing is committed: the end' } : exactly(current)
    case 'offset':
      return exactly(target.offset)
    case 'shift':
      return exactly(current! + target.by)
    case 'time':
      return atTime === null ? { offset: latest, note: 'no message is as new: the end' } : exactly(atTime)
    case 'file':
      return exactly(target.offsets.get(`${topic}/${partition}`)!)
  }
}

/** No consumer can begin outside the log. */
function within({ earliest, latest }: ResetInput, { offset, note }: Wanted): { new: bigint; note: string | null } {
  if (offset > latest) return { new: latest, note: `${offset} is past the end` }
  if (offset < earliest) return { new: earliest, note: `${offset} is before the beginning` }
  return { new: offset, note }
}

function refuseUncommitted(partitions: readonly ResetInput[]): void {
  const none = partitions.filter(({ current }) => current === null).map(({ topic, partition }) => `${topic}/${partition}`)
  if (none.length === 0) return
  throw new SamsaError(
    'NO_OFFSET',
    `Nothing is committed of ${none.slice(0, 5).join(', ')}${none.length > 5 ? ` and ${none.length - 5} more` : ''}, so it cannot be shifted. Leave it out, or give --to-earliest, --to-latest or --to-offset.`
  )
}
