/**
 * Message sets of the old formats (magic 0: Kafka 0.8–0.9, magic 1: 0.10), which brokers still answer with for logs written
 * then: read only. A message stands alone, or wraps a compressed set of messages of its own format, one level deep.
 */
import type { Compression } from '../../model/config.ts'
import { ProtocolError } from '../../model/errors.ts'
import type { Message } from '../../model/message.ts'
import { type BatchView, MadeRun, type MessageRun } from './batch-view.ts'
import { nodeZlib } from './codec.ts'
import { decompress } from './compression.ts'
import {
  CODECS,
  COMPRESSION_MASK,
  corruptBatch,
  DEFAULT_MAX_DECOMPRESSED_BYTES,
  type DecodeLimits,
  LENGTH_AT,
  LOG_APPEND_TIME_BIT,
  LOG_OVERHEAD,
  MAGIC_AT,
  type RecordOrigin
} from './layout.ts'
import { inspectMessage, messageToJSON } from './record.ts'

const CRC_AT = 12
const ATTRIBUTES_AT = 17
const TIMESTAMP_AT = 18

/** Offset, length, CRC, magic, attributes, (timestamp,) key length, value length. */
export function leastLegacyBytes(magic: number): number {
  return magic === 0 ? 26 : 34
}

/** One top-level message of format 0 or 1: alone, or the wrapper of a compressed set. */
export class LegacyMessageSet implements BatchView {
  readonly magic: 0 | 1
  readonly buffer: Buffer
  readonly producerId = -1n
  readonly producerEpoch = -1
  readonly baseSequence = -1
  readonly partitionLeaderEpoch = -1
  readonly isControl = false
  readonly isTransactional = false

  /** `buffer`: exactly one message with its offset and length, at least `leastLegacyBytes` long. */
  constructor(buffer: Buffer) {
    this.buffer = buffer
    this.magic = buffer[MAGIC_AT] === 0 ? 0 : 1
  }

  get baseOffset(): bigint {
    return this.lastOffset
  }
  get lastOffset(): bigint {
    return this.buffer.readBigInt64BE(0)
  }
  get nextOffset(): bigint {
    return this.lastOffset + 1n
  }
  get count(): number {
    return this.compression === 'none' ? 1 : -1
  }
  get timestampType(): 'create' | 'append' | 'none' {
    if (this.magic === 0) return 'none'
    return this.buffer[ATTRIBUTES_AT]! & LOG_APPEND_TIME_BIT ? 'append' : 'create'
  }
  get maxTimestamp(): bigint {
    return this.magic === 0 ? -1n : this.buffer.readBigInt64BE(TIMESTAMP_AT)
  }
  get compression(): Compression {
    const number = this.buffer[ATTRIBUTES_AT]! & COMPRESSION_MASK
    // Zstandard came with KIP-110, for format 2 only.
    const codec = number <= 3 ? CODECS[number] : undefined
    if (codec === undefined) throw corruptBatch(this.lastOffset, `its compression is ${number}; format ${this.magic} knows 0 to 3`)
    return codec
  }
  get sizeBytes(): number {
    return this.buffer.length
  }

  verify(): void {
    const said = this.buffer.readUInt32BE(CRC_AT)
    const is = nodeZlib().crc32(this.buffer.subarray(MAGIC_AT))
    if (said !== is) throw corruptBatch(this.lastOffset, `its CRC32 is ${is.toString(16)}, it says ${said.toString(16)}`)
    if (this.lastOffset < 0n) throw corruptBatch(this.lastOffset, 'its offset is negative')
  }

  controlMarker(): null {
    return null
  }

  open(origin: RecordOrigin, fromOffset: bigint, limits: DecodeLimits = {}): MessageRun {
    return new MadeRun(this.#messages(origin, fromOffset, limits))
  }

  #messages(origin: RecordOrigin, fromOffset: bigint, limits: DecodeLimits): Message[] {
    this.verify()
    if (this.lastOffset < fromOffset) return []
    const body = readBody(this)
    if (this.compression === 'none') return [new LegacyMessage(origin, this.lastOffset, this.maxTimestamp, body)]
    if (body.value === null) throw corruptBatch(this.lastOffset, 'it is a compressed set without content')
    return this.#unwrap(origin, fromOffset, this.#unpack(body.value, limits))
  }

  #unpack(packed: Buffer, limits: DecodeLimits): Buffer {
    try {
      return decompress(this.compression, packed, { limitBytes: limits.maxDecompressedBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES })
    } catch (error) {
      if (error instanceof ProtocolError) throw corruptBatch(this.lastOffset, error.message, error)
      throw error
    }
  }

  /** The messages inside. In format 1 their offsets count from the set's first (KIP-31), in format 0 they are absolute. */
  #unwrap(origin: RecordOrigin, fromOffset: bigint, plain: Buffer): Message[] {
    const inner = this.#innerMessages(plain)
    const last = inner.at(-1)
    if (last === undefined) throw corruptBatch(this.lastOffset, 'it is a compressed set without messages')
    const base = this.magic === 1 ? this.lastOffset - last.lastOffset : 0n
    const out: Message[] = []
    let before = -1n
    for (const message of inner) {
      const offset = base + message.lastOffset
      if (offset <= before || offset > this.lastOffset)
        throw corruptBatch(this.lastOffset, `a message in it has the offset ${offset}, after ${before}`)
      before = offset
      if (offset < fromOffset) continue
      const timestamp = this.timestampType === 'append' ? this.maxTimestamp : message.maxTimestamp
      out.push(new LegacyMessage(origin, offset, timestamp, readBody(message)))
    }
    return out
  }

  #innerMessages(plain: Buffer): LegacyMessageSet[] {
    const out: LegacyMessageSet[] = []
    const least = leastLegacyBytes(this.magic)
    for (let at = 0; at < plain.length; ) {
      const left = plain.length - at
      const bytes = left < least ? -1 : LOG_OVERHEAD + plain.readInt32BE(at + LENGTH_AT)
      if (bytes < least || bytes > left) throw corruptBatch(this.lastOffset, `a message in it says ${bytes} bytes; ${left} are left`)
      if (plain[at + MAGIC_AT] !== this.magic) throw corruptBatch(this.lastOffset, `a message in it has format ${plain[at + MAGIC_AT]}`)
      const message = new LegacyMessageSet(plain.subarray(at, at + bytes))
      message.verify()
      if (message.compression !== 'none') throw corruptBatch(this.lastOffset, 'a message in it is compressed again')
      out.push(message)
      at += bytes
    }
    return out
  }
}

interface Body {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

function readBody(message: LegacyMessageSet): Body {
  const { buffer } = message
  const keyAt = message.magic === 0 ? TIMESTAMP_AT : TIMESTAMP_AT + 8
  const keyBytes = buffer.readInt32BE(keyAt)
  const keyEnd = keyAt + 4 + Math.max(0, keyBytes)
  if (keyEnd + 4 > buffer.length) throw corruptBatch(message.lastOffset, `it says a key of ${keyBytes} bytes`)
  const valueBytes = buffer.readInt32BE(keyEnd)
  if (keyEnd + 4 + Math.max(0, valueBytes) !== buffer.length)
    throw corruptBatch(message.lastOffset, `it says a value of ${valueBytes} bytes`)
  return {
    key: keyBytes < 0 ? null : buffer.subarray(keyAt + 4, keyEnd),
    value: valueBytes < 0 ? null : buffer.subarray(keyEnd + 4)
  }
}

const NO_HEADERS: Readonly<Record<string, Buffer | null>> = Object.freeze(Object.create(null))
const NO_HEADER_LIST: Message['headerList'] = Object.freeze([])

/** A message of format 0 or 1. These formats have no headers. */
export class LegacyMessage implements Message {
  readonly #origin: RecordOrigin
  readonly offset: bigint
  readonly timestamp: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null

  constructor(origin: RecordOrigin, offset: bigint, timestamp: bigint, body: Body) {
    this.#origin = origin
    this.offset = offset
    this.timestamp = timestamp
    this.key = body.key
    this.value = body.value
  }

  get topic(): string {
    return this.#origin.topic
  }
  get partition(): number {
    return this.#origin.partition
  }
  get headers(): Readonly<Record<string, Buffer | null>> {
    return NO_HEADERS
  }
  get headerList(): Message['headerList'] {
    return NO_HEADER_LIST
  }

  toJSON(): Record<string, unknown> {
    return messageToJSON(this)
  }

  [Symbol.for('nodejs.util.inspect.custom')](): Record<string, unknown> {
    return inspectMessage(this)
  }
}
