/**
 * Where things lie in a record batch (magic 2) and in a message of the old sets (magic 0 and 1), in bytes from its start,
 * and the limits that every reader here shares. Source: Kafka's `DefaultRecordBatch` and `LegacyRecord`.
 */

import type { Compression } from '../../model/config.ts'
import { ProtocolError } from '../../model/errors.ts'

/** Common to all formats: offset int64, then the length of what follows it; the format's number is always byte 16. */
export const LENGTH_AT = 8
export const LOG_OVERHEAD = 12
export const MAGIC_AT = 16

export const LEADER_EPOCH_AT = 12
export const CRC_AT = 17
/** The CRC covers everything from here to the end, so the producer's identity too, but not base offset and leader epoch. */
export const ATTRIBUTES_AT = 21
export const LAST_OFFSET_DELTA_AT = 23
export const BASE_TIMESTAMP_AT = 27
export const MAX_TIMESTAMP_AT = 35
export const PRODUCER_ID_AT = 43
export const PRODUCER_EPOCH_AT = 51
export const BASE_SEQUENCE_AT = 53
export const COUNT_AT = 57
export const BATCH_HEADER_BYTES = 61

export const COMPRESSION_MASK = 0x07
export const LOG_APPEND_TIME_BIT = 0x08
export const TRANSACTIONAL_BIT = 0x10
export const CONTROL_BIT = 0x20

/** Length, attributes, timestamp, offset, key length, value length, header count: a byte each at least. */
export const LEAST_RECORD_BYTES = 7

/** A batch's length is an int32. */
export const MAX_BATCH_BYTES = 0x7fffffff

/** Default of `maxDecompressedBytes`. */
export const DEFAULT_MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024

/** Codecs by their number in the attributes. */
export const CODECS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** Limits of decoding. */
export interface DecodeLimits {
  /** Largest decompressed batch. Default 128 MiB. */
  maxDecompressedBytes?: number
}

/** Whose records these are: shared by all messages of a batch. */
export interface RecordOrigin {
  readonly topic: string
  readonly partition: number
}

/** The error for a batch whose bytes are not what the format says. `offset`: where the batch is in its partition. */
export function corruptBatch(offset: bigint, why: string, cause?: unknown): ProtocolError {
  return new ProtocolError(
    'CORRUPT_BATCH',
    `The record batch at offset ${offset} is damaged: ${why}. Nothing of it was delivered. Fetch it again; if it stays so, ` +
      'the log on that broker is damaged: read the partition from another replica, or seek past the batch.',
    { cause, details: { baseOffset: String(offset) } }
  )
}
