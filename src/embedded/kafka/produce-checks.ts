/**
 * What a leader checks of a batch before it appends it (`ProduceRequest.validateRecords`, `UnifiedLog.analyzeAndValidateRecords`, `LogValidator`):
 * all of it or nothing is written.
 */
import { LimitError, ProtocolError } from '../../model/errors.ts'
import { RecordBatch } from '../../wire/records/batch-reader.ts'
import { crc32c } from '../../wire/records/crc32c.ts'
import {
  ATTRIBUTES_AT,
  BATCH_HEADER_BYTES,
  COMPRESSION_MASK,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LENGTH_AT,
  LOG_APPEND_TIME_BIT,
  LOG_OVERHEAD,
  MAGIC_AT,
  MAX_TIMESTAMP_AT
} from '../../wire/records/layout.ts'
import { ERROR, type ErrorName } from './errors.ts'
import { sequenceAfter } from './log/batch.ts'
import type { ProducedBatch } from './log/producers.ts'
import type { ClusterState } from './state.ts'

export interface CheckedBatch {
  /** Exactly one batch, that may be stamped. */
  readonly bytes: Buffer
  readonly batch: ProducedBatch
  /** Of `message.timestamp.type=LogAppendTime`; -1n: the producer's times stay. */
  readonly logAppendTimeMs: bigint
}

export interface RefusedBatch {
  readonly errorCode: number
  readonly message: string
  /** It was looked at by anyone, leader or not, and is no one's to append. */
  readonly early?: true
  readonly recordErrors: { batchIndex: number; batchIndexErrorMessage: string | null }[]
}

/** Codecs by their number in a batch: the highest is zstd, which came with Produce v7. */
const ZSTD = 4
const ZSTD_FROM_VERSION = 7
const LEAST_LEGACY_BYTES = 14
const NEVER = 2 ** 63

/** Of the `records` of one partition in a request of this version. */
export function checkBatch(records: Buffer, version: number, topic: string, state: ClusterState): CheckedBatch | RefusedBatch {
  const bytes = onlyBatch(records, version)
  if (!Buffer.isBuffer(bytes)) return { ...bytes, early: true }
  const batch = new RecordBatch(bytes)
  const refusedHeader = checkHeader(batch, topic, state)
  if (refusedHeader) return refusedHeader
  const refusedRecords = checkRecords(batch, topic, state)
  if (refusedRecords) return refusedRecords
  const own = ownMemory(bytes)
  const logAppendTimeMs = stampTime(own, topic, state)
  const delta = bytes.readInt32BE(LAST_OFFSET_DELTA_AT)
  const firstSequence = batch.baseSequence
  return {
    bytes: own,
    logAppendTimeMs,
    batch: {
      producerId: batch.producerId,
      producerEpoch: batch.producerEpoch,
      firstSequence,
      lastSequence: firstSequence < 0 ? -1 : sequenceAfter(firstSequence, delta),
      isTransactional: batch.isTransactional
    }
  }
}

/** There must be one batch of format 2; bytes behind it that are none are left out. */
function onlyBatch(records: Buffer, version: number): Buffer | RefusedBatch {
  if (records.length < LOG_OVERHEAD + LEAST_LEGACY_BYTES - 8)
    return refused('INVALID_RECORD', `Produce requests with version ${version} must have exactly one record batch per partition`)
  const size = LOG_OVERHEAD + records.readInt32BE(LENGTH_AT)
  if (size < LOG_OVERHEAD + LEAST_LEGACY_BYTES)
    return refused('CORRUPT_MESSAGE', `Record size ${size - LOG_OVERHEAD} is less than the minimum record overhead (${LEAST_LEGACY_BYTES})`)
  const magic = records.length > MAGIC_AT ? records.readInt8(MAGIC_AT) : -1
  if (magic < 0 || magic > 2) return refused('CORRUPT_MESSAGE', `Invalid magic found in record: ${magic}`)
  if (size > records.length)
    return refused('INVALID_RECORD', `Produce requests with version ${version} must have exactly one record batch per partition`)
  if (magic !== 2)
    return refused(
      'INVALID_RECORD',
      `Produce requests with version ${version} are only allowed to contain record batches with magic version 2`
    )
  if (size < BATCH_HEADER_BYTES) return refused('CORRUPT_MESSAGE', `Record batch is corrupt (the size ${size} is smaller than its header)`)
  if ((records.readInt16BE(ATTRIBUTES_AT) & COMPRESSION_MASK) === ZSTD && version < ZSTD_FROM_VERSION)
    return refused('UNSUPPORTED_COMPRESSION_TYPE', `Produce requests with version ${version} are not allowed to use ZStandard compression`)
  const rest = records.length - size
  if (rest >= LOG_OVERHEAD && LOG_OVERHEAD + records.readInt32BE(size + LENGTH_AT) <= rest)
    return refused('INVALID_RECORD', `Produce requests with version ${version} must have exactly one record batch per partition`)
  return records.subarray(0, size)
}

function checkHeader(batch: RecordBatch, topic: string, state: ClusterState): RefusedBatch | undefined {
  const { buffer } = batch
  const most = state.configs.topicNumber(topic, 'max.message.bytes')
  if (batch.baseOffset !== 0n)
    return refused(
      'INVALID_RECORD',
      `The baseOffset of the record batch in the append to ${topic} should be 0, but it is ${batch.baseOffset}`
    )
  if (buffer.length > most)
    return refused(
      'MESSAGE_TOO_LARGE',
      `The record batch size in the append to ${topic} is ${buffer.length} bytes which exceeds the maximum configured value of ${most}.`
    )
  if (buffer.readUInt32BE(CRC_AT) !== crc32c(buffer, ATTRIBUTES_AT, buffer.length))
    return refused('CORRUPT_MESSAGE', 'Record is corrupt (stored crc differs from the computed one)')
  const delta = buffer.readInt32BE(LAST_OFFSET_DELTA_AT)
  if (delta < 0) return refused('INVALID_RECORD', 'Batch has an invalid offset range')
  if (batch.count <= 0) return refused('INVALID_RECORD', `Invalid reported count for record batch: ${batch.count}`)
  if (batch.count !== delta + 1) return refused('INVALID_RECORD', `Inconsistent batch offset range with count of records ${batch.count}`)
  if (batch.isControl) return refused('INVALID_RECORD', 'Clients are not allowed to write control records')
  if (batch.producerId >= 0n && batch.baseSequence < 0)
    return refused('INVALID_RECORD', `Invalid sequence number ${batch.baseSequence} in record batch with producerId ${batch.producerId}`)
  if (batch.isTransactional && batch.producerId < 0n) return refused('INVALID_RECORD', 'A transactional batch without a producer id')
  return undefined
}

/** Each record can be read; with the keys and times that the topic wants. */
function checkRecords(batch: RecordBatch, topic: string, state: ClusterState): RefusedBatch | undefined {
  const { configs, world } = state
  let run: ReturnType<RecordBatch['open']>
  try {
    run = batch.open({ topic, partition: -1 }, 0n)
  } catch (error) {
    if (!(error instanceof ProtocolError || error instanceof LimitError)) throw error
    return refused(batch.compression === 'none' ? 'INVALID_RECORD' : 'CORRUPT_MESSAGE', error.message)
  }
  const compacted = configs.topic(topic, 'cleanup.policy').includes('compact')
  const createTime = configs.topic(topic, 'message.timestamp.type') === 'CreateTime'
  const before = createTime ? configs.topicNumber(topic, 'message.timestamp.before.max.ms') : NEVER
  const after = createTime ? configs.topicNumber(topic, 'message.timestamp.after.max.ms') : NEVER
  if (!compacted && before >= NEVER && after >= NEVER) return undefined
  const now = world.now()
  const messages = run.take(run.left)
  const collect = (bad: (message: (typeof messages)[number]) => boolean, why: string) =>
    messages.flatMap((message, batchIndex) => (bad(message) ? [{ batchIndex, batchIndexErrorMessage: why }] : []))
  const keyless = compacted ? collect(({ key }) => key === null, 'Compacted topic cannot accept message without key') : []
  if (keyless.length > 0) return refused('INVALID_RECORD', 'One or more records have been rejected', keyless)
  const timeless = collect(
    ({ timestamp }) => timestamp >= 0 && (Number(timestamp) - now > after || now - Number(timestamp) > before),
    'Timestamp is out of range'
  )
  return timeless.length > 0
    ? refused('INVALID_TIMESTAMP', 'One or more records have been rejected due to invalid timestamp', timeless)
    : undefined
}

/** A slice of a large frame, or of memory that many share, would keep all of it. */
function ownMemory(bytes: Buffer): Buffer {
  return bytes.buffer.byteLength <= 2 * bytes.length ? bytes : Buffer.from(bytes)
}

function stampTime(bytes: Buffer, topic: string, state: ClusterState): bigint {
  if (state.configs.topic(topic, 'message.timestamp.type') !== 'LogAppendTime') return -1n
  const now = BigInt(state.world.now())
  bytes.writeInt16BE(bytes.readInt16BE(ATTRIBUTES_AT) | LOG_APPEND_TIME_BIT, ATTRIBUTES_AT)
  bytes.writeBigInt64BE(now, MAX_TIMESTAMP_AT)
  bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_AT, bytes.length), CRC_AT)
  return now
}

export function refused(name: ErrorName, message: string, recordErrors: RefusedBatch['recordErrors'] = []): RefusedBatch {
  return { errorCode: ERROR[name], message, recordErrors }
}
