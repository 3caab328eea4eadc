/**
 * A record batch as it lies in a log: its bytes, and what the log asks of it again and again. The offset and the leader's epoch are stamped where
 * they lie; the CRC does not cover them.
 */
import { RecordBatch } from '../../../wire/records/batch-reader.ts'
import { crc32c } from '../../../wire/records/crc32c.ts'
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_HEADER_BYTES,
  CONTROL_BIT,
  COUNT_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LEADER_EPOCH_AT,
  LENGTH_AT,
  LOG_OVERHEAD,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  TRANSACTIONAL_BIT
} from '../../../wire/records/layout.ts'

export interface StoredBatch {
  readonly bytes: Buffer
  readonly baseOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
  /** Milliseconds; -1: none. */
  readonly maxTimestamp: number
  /** When the leader took it. */
  readonly appendedAt: number
  /** -1n: not idempotent. */
  readonly producerId: bigint
  readonly producerEpoch: number
  /** -1: not idempotent, or a marker. */
  readonly firstSequence: number
  readonly lastSequence: number
  readonly isTransactional: boolean
  /** Of a control batch. */
  readonly marker: Marker | null
}

/** The end of a transaction on one partition. */
export interface Marker {
  readonly commit: boolean
  readonly coordinatorEpoch: number
}

export interface MarkerOf extends Marker {
  readonly producerId: bigint
  readonly producerEpoch: number
}

const SEQUENCES = 2 ** 31
/**
 * A marker is one record without compression, headers or deltas, so that its fields have their places: behind the batch's header length,
 * attributes, two deltas and the key's length a byte each, then the key (version, type), the value's length and the value (version, epoch).
 */
const MARKER_RECORD = [32, 0, 0, 0, 8, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0]
const MARKER_TYPE_AT = BATCH_HEADER_BYTES + 7
const MARKER_EPOCH_AT = BATCH_HEADER_BYTES + 12

/** The sequence number `by` records later: after 2^31 - 1 comes 0. */
export function sequenceAfter(sequence: number, by: number): number {
  return (sequence + by) % SEQUENCES
}

/** Stamps a batch with its place in the log. The bytes are the log's from now on. */
export function storeBatch(bytes: Buffer, baseOffset: number, leaderEpoch: number, appendedAt: number): StoredBatch {
  bytes.writeBigInt64BE(BigInt(baseOffset), 0)
  bytes.writeInt32BE(leaderEpoch, LEADER_EPOCH_AT)
  return readStored(bytes, appendedAt)
}

/** A batch that was stamped before: also one that comes back from a file. */
export function readStored(bytes: Buffer, appendedAt: number): StoredBatch {
  const batch = new RecordBatch(bytes)
  const baseOffset = Number(batch.baseOffset)
  const delta = bytes.readInt32BE(LAST_OFFSET_DELTA_AT)
  const firstSequence = bytes.readInt32BE(BASE_SEQUENCE_AT)
  return {
    bytes,
    baseOffset,
    lastOffset: baseOffset + delta,
    leaderEpoch: batch.partitionLeaderEpoch,
    maxTimestamp: Number(batch.maxTimestamp),
    appendedAt,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    firstSequence,
    lastSequence: firstSequence < 0 ? -1 : sequenceAfter(firstSequence, delta),
    isTransactional: batch.isTransactional,
    marker: batch.isControl ? { commit: bytes[MARKER_TYPE_AT + 1] === 1, coordinatorEpoch: bytes.readInt32BE(MARKER_EPOCH_AT) } : null
  }
}

/** The control batch that ends a transaction (`MemoryRecords.withEndTransactionMarker`). */
export function markerBatch({ commit, coordinatorEpoch, producerId, producerEpoch }: MarkerOf, timestampMs: number): Buffer {
  const bytes = Buffer.alloc(BATCH_HEADER_BYTES + MARKER_RECORD.length)
  bytes.writeInt32BE(bytes.length - LOG_OVERHEAD, LENGTH_AT)
  bytes[MAGIC_AT] = 2
  bytes.writeInt16BE(TRANSACTIONAL_BIT | CONTROL_BIT, ATTRIBUTES_AT)
  bytes.writeBigInt64BE(BigInt(timestampMs), BASE_TIMESTAMP_AT)
  bytes.writeBigInt64BE(BigInt(timestampMs), MAX_TIMESTAMP_AT)
  bytes.writeBigInt64BE(producerId, PRODUCER_ID_AT)
  bytes.writeInt16BE(producerEpoch, PRODUCER_EPOCH_AT)
  bytes.writeInt32BE(-1, BASE_SEQUENCE_AT)
  bytes.writeInt32BE(1, COUNT_AT)
  bytes.set(MARKER_RECORD, BATCH_HEADER_BYTES)
  bytes.writeInt16BE(commit ? 1 : 0, MARKER_TYPE_AT)
  bytes.writeInt32BE(coordinatorEpoch, MARKER_EPOCH_AT)
  bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_AT, bytes.length), CRC_AT)
  return bytes
}
