/**
 * ListOffsets: where a partition begins and ends, and where a time is.
 *
 * v0: a list of offsets. v2: isolation. v4: leader epochs. v7: the largest timestamp (KIP-734). v8 and v9: the local log's start, what lies in
 * tiered storage (KIP-405: none here). v11: what waits to be moved there.
 */

import type { Message } from '../../../model/message.ts'
import type { RequestOf, ResponseOf } from '../../../wire/apis.ts'
import { RecordBatch } from '../../../wire/records/batch-reader.ts'
import { ERROR } from '../errors.ts'
import type { StoredBatch } from '../log/batch.ts'
import type { ReplicaLog } from '../log/log.ts'
import type { Partition } from '../partition.ts'
import { type CoreHandler, leaderError, repeated } from './common.ts'

type Asked = RequestOf<'ListOffsets'>['topics'][number]['partitions'][number]
type Told = ResponseOf<'ListOffsets'>['topics'][number]['partitions'][number]

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6
/** The version from which a special time is known. */
const KNOWN_FROM: Record<number, number> = { [MAX_TIMESTAMP]: 7, [EARLIEST_LOCAL]: 8, [LATEST_TIERED]: 9, [EARLIEST_PENDING_UPLOAD]: 11 }
const READ_COMMITTED = 1
const EPOCHS_FROM = 4
/** Whoever asks as a broker, or to debug, sees the log to its end. */
const CONSUMER = -1

interface Found {
  offset: number
  timestamp: number
  leaderEpoch: number
}

const NOTHING: Found = { offset: -1, timestamp: -1, leaderEpoch: -1 }

export const listOffsets: CoreHandler<'ListOffsets'> = {
  api: 'ListOffsets',
  versions: [0, 11],
  handle({ topics, isolationLevel = 0, replicaId }, { version, broker, state }) {
    const twice = repeated(topics.flatMap(({ name, partitions }) => partitions.map(({ partitionIndex }) => `${name}/${partitionIndex}`)))
    const of = (name: string, asked: Asked): Told => {
      const partition = state.partition(name, asked.partitionIndex)
      const time = Number(asked.timestamp)
      if (twice.has(`${name}/${asked.partitionIndex}`)) return told(asked, NOTHING, ERROR.INVALID_REQUEST)
      if (time < 0 && time < EARLIEST && !(version >= (KNOWN_FROM[time] ?? 99))) return told(asked, NOTHING, ERROR.UNSUPPORTED_VERSION)
      const errorCode = leaderError(partition, broker, asked.currentLeaderEpoch)
      if (errorCode !== ERROR.NONE) return told(asked, NOTHING, errorCode)
      const end = endFor(partition!, replicaId, isolationLevel)
      if (version === 0) return { ...told(asked, NOTHING), oldStyleOffsets: oldStyle(partition!, time, end, asked.maxNumOffsets ?? 1) }
      const found = find(partition!, time, end)
      return told(asked, version < EPOCHS_FROM ? { ...found, leaderEpoch: -1 } : found)
    }
    const answers = topics.map(({ name, partitions }) => ({ name, partitions: partitions.map(asked => of(name, asked)) }))
    return { throttleTimeMs: 0, topics: answers }
  }
}

function told({ partitionIndex }: Asked, { offset, timestamp, leaderEpoch }: Found, errorCode: number = ERROR.NONE): Told {
  return { partitionIndex, errorCode, oldStyleOffsets: [], timestamp: BigInt(timestamp), offset: BigInt(offset), leaderEpoch }
}

function endFor(partition: Partition, replicaId: number, isolationLevel: number): number {
  if (replicaId !== CONSUMER) return partition.log!.endOffset
  return isolationLevel === READ_COMMITTED ? partition.lastStableOffset : partition.highWatermark
}

function find(partition: Partition, time: number, end: number): Found {
  const log = partition.log!
  switch (time) {
    case LATEST:
      return { offset: end, timestamp: -1, leaderEpoch: partition.leaderEpoch }
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { offset: log.logStartOffset, timestamp: -1, leaderEpoch: log.epochAt(log.logStartOffset) }
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return NOTHING
    case MAX_TIMESTAMP:
      return latestTime(log, end)
    default:
      return atTime(log, time, end)
  }
}

/** The first record of at least this time. */
function atTime(log: ReplicaLog, time: number, end: number): Found {
  for (const batch of log.batches) {
    if (batch.maxTimestamp < time) continue
    const found = firstIn(batch, message => Number(message.timestamp) >= time && Number(message.offset) >= log.logStartOffset)
    if (found) return found.offset < end ? found : NOTHING
  }
  return NOTHING
}

/** The record with the largest time, the earliest of several. */
function latestTime(log: ReplicaLog, end: number): Found {
  let best: StoredBatch | undefined
  for (const batch of log.batches) if (batch.baseOffset < end && batch.maxTimestamp > (best?.maxTimestamp ?? -1)) best = batch
  const found = best && firstIn(best, message => Number(message.timestamp) === best.maxTimestamp)
  return found && found.offset < end ? found : NOTHING
}

function firstIn(batch: StoredBatch, wanted: (message: Message) => boolean): Found | undefined {
  const { leaderEpoch } = batch
  if (batch.marker) return undefined
  const run = new RecordBatch(batch.bytes).open({ topic: '', partition: -1 }, 0n)
  const message = run.take(run.left).find(wanted)
  return message && { offset: Number(message.offset), timestamp: Number(message.timestamp), leaderEpoch }
}

/** Segments' starts that are not newer than the time; there is one segment here. The newest first. */
function oldStyle({ log }: Partition, time: number, end: number, most: number): bigint[] {
  const start = log!.logStartOffset
  const all = time === LATEST && end > start ? [end, start] : time === EARLIEST || time === LATEST ? [start] : []
  return all.slice(0, Math.max(0, most)).map(BigInt)
}
