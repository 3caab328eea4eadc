/**
 * Writes a record batch (magic 2): every record goes straight into one growing buffer that has room for the header in front,
 * so that sealing is filling in that header and nothing is copied again. No object, no bigint, no promise per record.
 */
import type { Compression } from '../../model/config.ts'
import { LimitError, UsageError } from '../../model/errors.ts'
import type { Headers } from '../../model/message.ts'
import { compress } from './compression.ts'
import { crc32c } from './crc32c.ts'
import { bytesOf, headersBytes, writeHeaders } from './headers.ts'
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_HEADER_BYTES,
  CODECS,
  COUNT_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LEADER_EPOCH_AT,
  LENGTH_AT,
  LOG_OVERHEAD,
  MAGIC_AT,
  MAX_BATCH_BYTES,
  MAX_TIMESTAMP_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT
} from './layout.ts'
import { varintBytes, varlongBytes, writeVarint, writeVarlong } from './varint.ts'

export interface BatchWriterOptions {
  /** Size of the first buffer. Default 1,024. */
  initialBytes?: number
  /** Memory to begin in, of a batch before: nobody else looks at it any more. */
  memory?: Buffer
  /** `wouldExceed` answers by it. A single record may be larger: it then has a batch of its own. */
  limitBytes: number
}

/** A batch whose records no longer change. Its identity and its CRC are still missing: `stamp` writes them. */
export interface SealedBatch {
  /** The whole batch, header included. */
  readonly buffer: Buffer
  readonly count: number
  /** As it travels. */
  readonly sizeBytes: number
  /** Before compression, header included. */
  readonly uncompressedBytes: number
  /** What the batch says: `none` also where compressing would have made it larger. */
  readonly compression: Compression
  /** Of the first record, ms. */
  readonly baseTimestamp: number
  readonly maxTimestamp: number
}

/** What makes a batch recognisable to a broker (KIP-98). Without an idempotent producer: -1n, -1, -1. */
export interface BatchIdentity {
  producerId: bigint
  producerEpoch: number
  baseSequence: number
}

/** The largest time that a JavaScript Date can hold, ms; also keeps every timestamp delta exact in a double. */
const MAX_TIMESTAMP = 8.64e15

/** Strings up to this length are taken for ASCII, and measured only where they turn out not to be: one native call, not two. */
const GUESS_UP_TO = 1024

const SHORT_TEXT = 24

/** Length 5, attributes 1, timestamp delta 9, offset delta 5, key length 5, value length 5: what a record needs at most beside its content. */
const RECORD_OVERHEAD_BYTES = 30

/** An upper bound of what a record takes in a batch, at most 30 bytes too high. Throws UsageError on what is not a record. */
export function recordSizeUpperBound(key: Uint8Array | string | null, value: Uint8Array | string | null, headers?: Headers): number {
  const content = Math.max(0, bytesOf(key, 'key')) + Math.max(0, bytesOf(value, 'value'))
  return RECORD_OVERHEAD_BYTES + content + (headers === undefined ? 1 : headersBytes(headers))
}

export class BatchWriter {
  readonly limitBytes: number
  /** Records so far. */
  count = 0
  /** Of the first record, ms. Meaningless while `count` is 0. */
  baseTimestamp = 0
  maxTimestamp = 0
  #buffer: Buffer | undefined
  #at = BATCH_HEADER_BYTES
  #initialBytes: number

  constructor(options: BatchWriterOptions) {
    this.limitBytes = options.limitBytes
    this.#initialBytes = Math.max(BATCH_HEADER_BYTES * 2, options.initialBytes ?? 1024)
    if (options.memory && options.memory.length > BATCH_HEADER_BYTES) this.#buffer = options.memory
  }

  /** The memory that a batch that was compressed has left, for the next one; undefined: it went with the batch. */
  get memory(): Buffer | undefined {
    return this.count === 0 ? this.#buffer : undefined
  }

  /** Bytes of the batch so far, header included, before compression. */
  get sizeBytes(): number {
    return this.#at
  }

  /** Would this record take the batch over `limitBytes`? Never for the first record of a batch. */
  wouldExceed(key: Uint8Array | string | null, value: Uint8Array | string | null, headers?: Headers): boolean {
    if (this.count === 0) return false
    const room = this.limitBytes - this.#at - RECORD_OVERHEAD_BYTES
    // No character takes more than three bytes, so most records need not be measured.
    const most = (key === null ? 0 : 3 * key.length) + (value === null ? 0 : 3 * value.length)
    if (headers === undefined && most < room) return false
    return this.#at + recordSizeUpperBound(key, value, headers) > this.limitBytes
  }

  /**
   * Adds a record and returns the bytes that it took. `timestampMs`: whole ms since the epoch, not negative.
   * The bytes are copied. Throws UsageError on a bad record and LimitError past Kafka's 2 GiB; the batch is then as it was.
   */
  append(timestampMs: number, key: Uint8Array | string | null, value: Uint8Array | string | null, headers: Headers | undefined): number {
    if (!(timestampMs >= 0 && timestampMs <= MAX_TIMESTAMP) || Math.floor(timestampMs) !== timestampMs)
      throw new UsageError('INVALID_TIMESTAMP', `A message's timestamp is ${timestampMs}; give whole milliseconds since the epoch.`)
    const keyBytes = guessBytes(key, 'key')
    const valueBytes = guessBytes(value, 'value')
    const headerBytes = headers === undefined ? 1 : headersBytes(headers)
    let end = this.#write(timestampMs, key, keyBytes, value, valueBytes, headers, headerBytes)
    if (end < 0) end = this.#write(timestampMs, key, bytesOf(key, 'key'), value, bytesOf(value, 'value'), headers, headerBytes)
    if (end < 0)
      throw new UsageError('INVALID_MESSAGE', 'A message changed while it was written (a getter among its headers?); give plain data.')
    const added = end - this.#at
    this.#at = end
    if (this.count++ === 0) this.baseTimestamp = this.maxTimestamp = timestampMs
    else if (timestampMs > this.maxTimestamp) this.maxTimestamp = timestampMs
    return added
  }

  /** Writes one record behind the last; returns its end, or -1 where a length was guessed wrong. Changes no state but the memory. */
  #write(
    timestampMs: number,
    key: Uint8Array | string | null,
    keyBytes: number,
    value: Uint8Array | string | null,
    valueBytes: number,
    headers: Headers | undefined,
    headerBytes: number
  ): number {
    const { count } = this
    const delta = count === 0 ? 0 : timestampMs - this.baseTimestamp
    let body = 5 + headerBytes
    if (keyBytes > 0) body += keyBytes
    if (valueBytes > 0) body += valueBytes
    // Beyond one byte each; the lengths of small things are told apart here because V8 has stopped inlining by now.
    if (delta !== 0) body += varlongBytes(delta) - 1
    if (count > 63) body += count < 8192 ? 1 : varintBytes(count) - 1
    if (keyBytes > 63) body += varintBytes(keyBytes) - 1
    if (valueBytes > 63) body += valueBytes < 8192 ? 1 : varintBytes(valueBytes) - 1
    const end = this.#at + body + (body < 64 ? 1 : body < 8192 ? 2 : varintBytes(body))
    const buffer = this.#room(end, key, value)
    let at = writeLength(buffer, this.#at, body)
    buffer[at++] = 0
    if (delta === 0) buffer[at++] = 0
    else at = writeVarlong(buffer, at, delta)
    at = writeLength(buffer, at, count)
    if (key === null) buffer[at++] = 1
    else at = writeContent(buffer, writeLength(buffer, at, keyBytes), key)
    if (value === null) buffer[at++] = 1
    else at = writeContent(buffer, writeLength(buffer, at, valueBytes), value)
    if (headers === undefined) buffer[at++] = 0
    else at = writeHeaders(buffer, at, headers)
    return at === end ? end : -1
  }

  /** The buffer, grown so that a record ending at `end` fits, and its short strings even if they are all three-byte characters. */
  #room(end: number, key: Uint8Array | string | null, value: Uint8Array | string | null): Buffer {
    let need = end
    if (typeof key === 'string' && key.length <= GUESS_UP_TO) need += 2 * key.length
    if (typeof value === 'string' && value.length <= GUESS_UP_TO) need += 2 * value.length
    if (this.#buffer !== undefined && need <= this.#buffer.length) return this.#buffer
    if (need > MAX_BATCH_BYTES)
      throw new LimitError('BATCH_TOO_LARGE', `A record batch of ${need} bytes does not fit Kafka's format (${MAX_BATCH_BYTES} at most).`)
    const wanted = this.#buffer === undefined ? this.#initialBytes : 2 * this.#buffer.length
    const grown = Buffer.allocUnsafe(Math.max(need, Math.min(wanted, MAX_BATCH_BYTES)))
    if (this.#buffer !== undefined) this.#buffer.copy(grown, 0, 0, this.#at)
    this.#buffer = grown
    return grown
  }

  /**
   * Ends the batch and begins the next one. Without compression its memory moves into the result; with it, the writer keeps it.
   * Compression is synchronous: a batch of the default 128 KiB takes 0.2–0.7 ms (gzip 2.5), less than the way to the thread pool and
   * back under load, and the order of batches needs no bookkeeping. Throws UsageError when empty, SamsaError without the codec.
   */
  seal(compression: Compression): SealedBatch {
    if (this.#buffer === undefined || this.count === 0) throw new UsageError('EMPTY_BATCH', 'A batch without records cannot be sealed.')
    const size = this.#at
    const plain = this.#buffer.subarray(0, size)
    const packed = compression === 'none' ? plain : compressBatch(compression, plain)
    const sealed = {
      buffer: packed,
      count: this.count,
      sizeBytes: packed.length,
      uncompressedBytes: size,
      // A batch that would not shrink travels as it is: readers go by the batch's own attributes.
      compression: packed === plain ? 'none' : compression,
      baseTimestamp: this.baseTimestamp,
      maxTimestamp: this.maxTimestamp
    } satisfies SealedBatch
    writeHeader(sealed)
    if (packed === plain) this.#buffer = undefined
    this.#at = BATCH_HEADER_BYTES
    this.count = 0
    return sealed
  }
}

function guessBytes(value: Uint8Array | string | null, what: string): number {
  return typeof value === 'string' && value.length <= GUESS_UP_TO ? value.length : bytesOf(value, what)
}

/** `writeVarint` of a number that is not negative, one or two bytes of it at once. */
function writeLength(buffer: Buffer, at: number, value: number): number {
  if (value < 64) {
    buffer[at] = value << 1
    return at + 1
  }
  if (value > 8191) return writeVarint(buffer, at, value)
  buffer[at] = (value << 1) | 128
  buffer[at + 1] = value >>> 6
  return at + 2
}

function writeContent(buffer: Buffer, at: number, content: Uint8Array | string): number {
  if (typeof content === 'string')
    return content.length <= SHORT_TEXT ? writeShortText(buffer, at, content) : at + buffer.write(content, at, 'utf8')
  buffer.set(content, at)
  return at + content.length
}

/** Character by character while it is ASCII: for short keys that is cheaper than the call into native code. */
function writeShortText(buffer: Buffer, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 127) return at + buffer.write(text, at, 'utf8')
    buffer[at + i] = code
  }
  return at + text.length
}

/** The compressed batch, or `plain` itself where that would not be smaller. */
function compressBatch(compression: Compression, plain: Buffer): Buffer {
  const records = compress(compression, plain.subarray(BATCH_HEADER_BYTES))
  if (records.length >= plain.length - BATCH_HEADER_BYTES) return plain
  const packed = Buffer.allocUnsafe(BATCH_HEADER_BYTES + records.length)
  packed.set(records, BATCH_HEADER_BYTES)
  return packed
}

/** All of the header but the CRC; identity is that of a producer without one. */
function writeHeader(batch: SealedBatch): void {
  const { buffer, count } = batch
  buffer.fill(0, 0, LENGTH_AT)
  buffer.writeInt32BE(buffer.length - LOG_OVERHEAD, LENGTH_AT)
  buffer.writeInt32BE(-1, LEADER_EPOCH_AT)
  buffer[MAGIC_AT] = 2
  buffer.writeUInt32BE(0, CRC_AT)
  buffer.writeInt16BE(CODECS.indexOf(batch.compression), ATTRIBUTES_AT)
  buffer.writeInt32BE(count - 1, LAST_OFFSET_DELTA_AT)
  writeInt64(buffer, BASE_TIMESTAMP_AT, batch.baseTimestamp)
  writeInt64(buffer, MAX_TIMESTAMP_AT, batch.maxTimestamp)
  buffer.fill(0xff, PRODUCER_ID_AT, COUNT_AT)
  buffer.writeInt32BE(count, COUNT_AT)
}

/** A whole number from 0 to 2^53. */
function writeInt64(buffer: Buffer, at: number, value: number): void {
  buffer.writeUInt32BE(Math.floor(value / 0x100000000), at)
  buffer.writeUInt32BE(value % 0x100000000, at + 4)
}

/**
 * Writes the producer's identity, then the CRC over all that it covers: the one pass over the bytes. May be done again with
 * another identity for a batch that was never sent; a batch that was sent never changes (a used sequence with other bytes is
 * answered as a success and loses them).
 */
export function stamp(batch: SealedBatch, identity: BatchIdentity): void {
  const { buffer } = batch
  buffer.writeBigInt64BE(identity.producerId, PRODUCER_ID_AT)
  buffer.writeInt16BE(identity.producerEpoch, PRODUCER_EPOCH_AT)
  buffer.writeInt32BE(identity.baseSequence, BASE_SEQUENCE_AT)
  buffer.writeUInt32BE(crc32c(buffer, ATTRIBUTES_AT, buffer.length), CRC_AT)
}
