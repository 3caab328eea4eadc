/**
 * Walks the `records` of one partition in a Fetch response: one contiguous buffer of batches, of any format, one behind the
 * other. Looks at lengths and headers only; a batch's records are touched when it is decoded.
 */
import type { Compression } from '../../model/config.ts'
import { ProtocolError } from '../../model/errors.ts'
import type { Message } from '../../model/message.ts'
import { type BatchView, type ControlMarker, MadeRun, type MessageRun } from './batch-view.ts'
import { overLimit } from './codec.ts'
import { decompress } from './compression.ts'
import { crc32c } from './crc32c.ts'
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_HEADER_BYTES,
  CODECS,
  COMPRESSION_MASK,
  CONTROL_BIT,
  COUNT_AT,
  CRC_AT,
  corruptBatch,
  DEFAULT_MAX_DECOMPRESSED_BYTES,
  type DecodeLimits,
  LAST_OFFSET_DELTA_AT,
  LEADER_EPOCH_AT,
  LEAST_RECORD_BYTES,
  LENGTH_AT,
  LOG_APPEND_TIME_BIT,
  LOG_OVERHEAD,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  type RecordOrigin,
  TRANSACTIONAL_BIT
} from './layout.ts'
import { LegacyMessageSet, leastLegacyBytes } from './message-set.ts'
import { checkRecords } from './record.ts'

/**
 * The batches of `records`, in order. A broker cuts off the last batch where its limit of bytes ends, so an incomplete one at
 * the end is normal and left out; with bytes but no batch at all the fetch limit is smaller than the first batch (only brokers
 * before 0.10.1 do that). Throws ProtocolError CORRUPT_BATCH at the first batch that cannot be, after those before it.
 */
export function* readBatches(records: Buffer): Generator<BatchView, void, void> {
  let at = 0
  while (records.length - at > MAGIC_AT) {
    const sizeBytes = LOG_OVERHEAD + records.readInt32BE(at + LENGTH_AT)
    const magic = records[at + MAGIC_AT]!
    const least = magic === 2 ? BATCH_HEADER_BYTES : leastLegacyBytes(magic)
    if (magic > 2) throw corruptBatch(records.readBigInt64BE(at), `its format is ${magic}; formats 0, 1 and 2 exist`)
    if (sizeBytes < least)
      throw corruptBatch(records.readBigInt64BE(at), `it says that it has ${sizeBytes} bytes; format ${magic} has ${least} at least`)
    if (sizeBytes > records.length - at) return
    const bytes = records.subarray(at, at + sizeBytes)
    yield magic === 2 ? new RecordBatch(bytes) : new LegacyMessageSet(bytes)
    at += sizeBytes
  }
}

/** All messages of a batch from `fromOffset` on: see `BatchView.open`. */
export function decodeRecords(batch: BatchView, origin: RecordOrigin, fromOffset: bigint, limits: DecodeLimits = {}): Message[] {
  const run = batch.open(origin, fromOffset, limits)
  return run.take(run.left)
}

/** A batch of format 2 (since Kafka 0.11). Its fields are read where they lie. */
export class RecordBatch implements BatchView {
  readonly magic = 2
  /** From its base offset to its last byte. */
  readonly buffer: Buffer
  #verified = false

  /** `buffer`: exactly one batch, at least a header long. */
  constructor(buffer: Buffer) {
    this.buffer = buffer
  }

  get baseOffset(): bigint {
    return this.buffer.readBigInt64BE(0)
  }
  get lastOffset(): bigint {
    return this.baseOffset + BigInt(this.buffer.readInt32BE(LAST_OFFSET_DELTA_AT))
  }
  get nextOffset(): bigint {
    return this.lastOffset + 1n
  }
  get count(): number {
    return this.buffer.readInt32BE(COUNT_AT)
  }
  get producerId(): bigint {
    return this.buffer.readBigInt64BE(PRODUCER_ID_AT)
  }
  get producerEpoch(): number {
    return this.buffer.readInt16BE(PRODUCER_EPOCH_AT)
  }
  get baseSequence(): number {
    return this.buffer.readInt32BE(BASE_SEQUENCE_AT)
  }
  get partitionLeaderEpoch(): number {
    return this.buffer.readInt32BE(LEADER_EPOCH_AT)
  }
  get isControl(): boolean {
    return (this.#attributes & CONTROL_BIT) !== 0
  }
  get isTransactional(): boolean {
    return (this.#attributes & TRANSACTIONAL_BIT) !== 0
  }
  get timestampType(): 'create' | 'append' {
    return this.#attributes & LOG_APPEND_TIME_BIT ? 'append' : 'create'
  }
  get maxTimestamp(): bigint {
    return this.buffer.readBigInt64BE(MAX_TIMESTAMP_AT)
  }
  /** Throws ProtocolError for a codec that does not exist. */
  get compression(): Compression {
    const number = this.#attributes & COMPRESSION_MASK
    const codec = CODECS[number]
    if (codec === undefined) throw corruptBatch(this.baseOffset, `its compression is ${number}; Kafka knows 0 to ${CODECS.length - 1}`)
    return codec
  }
  get sizeBytes(): number {
    return this.buffer.length
  }
  get #attributes(): number {
    return this.buffer.readInt16BE(ATTRIBUTES_AT)
  }

  verify(): void {
    if (this.#verified) return
    const { buffer } = this
    const said = buffer.readUInt32BE(CRC_AT)
    const is = crc32c(buffer, ATTRIBUTES_AT, buffer.length)
    if (said !== is) throw corruptBatch(this.baseOffset, `its CRC32C is ${is.toString(16)}, its header says ${said.toString(16)}`)
    const { count } = this
    const lastDelta = buffer.readInt32BE(LAST_OFFSET_DELTA_AT)
    // Compaction leaves gaps, and an empty batch that keeps a producer's last sequence: fewer records than offsets is fine.
    if (count < 0 || lastDelta < 0 || count - 1 > lastDelta)
      throw corruptBatch(this.baseOffset, `it says ${count} records with ${lastDelta} as the last relative offset`)
    if (this.baseOffset < 0n) throw corruptBatch(this.baseOffset, 'its base offset is negative')
    this.#verified = true
  }

  open(origin: RecordOrigin, fromOffset: bigint, limits: DecodeLimits = {}): MessageRun {
    this.verify()
    if (this.isControl) return new MadeRun([])
    const skip = fromOffset - this.baseOffset
    if (skip > BigInt(this.buffer.readInt32BE(LAST_OFFSET_DELTA_AT))) return new MadeRun([])
    return this.#records(origin, skip > 0n ? Number(skip) : 0, limits)
  }

  controlMarker(limits: DecodeLimits = {}): ControlMarker | null {
    if (!this.isControl) return null
    this.verify()
    const key = this.#records({ topic: '', partition: -1 }, 0, limits).take(1)[0]?.key
    // ControlRecordType.parse: version int16, type int16; later versions may only add behind them.
    if (!key || key.length < 4) throw corruptBatch(this.baseOffset, 'it is a control batch without a marker')
    const typeNumber = key.readInt16BE(2)
    return { type: typeNumber === 0 ? 'abort' : typeNumber === 1 ? 'commit' : 'other', typeNumber }
  }

  #records(origin: RecordOrigin, fromDelta: number, limits: DecodeLimits): MessageRun {
    const { compression, count } = this
    let { buffer } = this
    let start = BATCH_HEADER_BYTES
    if (compression !== 'none' && count > 0) {
      buffer = this.#unpack(compression, limits.maxDecompressedBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES)
      start = 0
    }
    // An emptied batch may still name its codec; what little lies behind the header is then no record.
    const end = count === 0 && compression !== 'none' ? start : buffer.length
    return checkRecords(
      {
        topic: origin.topic,
        partition: origin.partition,
        buffer,
        start,
        end,
        count,
        baseOffset: this.baseOffset,
        lastOffsetDelta: this.buffer.readInt32BE(LAST_OFFSET_DELTA_AT),
        baseTimestamp: this.buffer.readBigInt64BE(BASE_TIMESTAMP_AT),
        appendTimestamp: this.timestampType === 'append' ? this.maxTimestamp : null
      },
      fromDelta
    )
  }

  #unpack(compression: Compression, limitBytes: number): Buffer {
    const { count, baseOffset } = this
    // Refused by its count before anything is unpacked: that many records do not fit the limit.
    if (count * LEAST_RECORD_BYTES > limitBytes) throw overLimit(compression, limitBytes)
    try {
      return decompress(compression, this.buffer.subarray(BATCH_HEADER_BYTES), { limitBytes })
    } catch (error) {
      if (error instanceof ProtocolError) throw corruptBatch(baseOffset, error.message, error)
      throw error
    }
  }
}
