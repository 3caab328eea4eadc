/**
 * A cursor over one contiguous buffer. Every read is checked against the end, every length before anything is made by it; what is wrong
 * is a ProtocolError, never a RangeError. Bytes and records are slices of the buffer, not copies.
 */
import { ProtocolError } from '../model/errors.ts'

const UUID_BYTES = 16
/** Tagged fields of one struct; Kafka's own have a handful. */
const TAGS_MAX = 1_000
/** Elements of an array whose elements take no bytes at all: nothing else bounds their number. */
const EMPTY_ELEMENTS_MAX = 1_000
/**
 * What the arrays of one message may take in memory, roughly: a frame of tiny elements becomes objects of fifty times its size.
 * Metadata of two million partitions stays below it.
 */
const MADE_MAX_BYTES = 512 * 1024 * 1024
/** Kafka refuses longer strings, compact or not (`MessageGenerator`: "string field had invalid length"). */
const STRING_MAX_BYTES = 0x7fff

export class Reader {
  readonly buffer: Buffer
  at: number
  readonly end: number
  /** What arrays have taken so far. */
  #madeBytes = 0

  constructor(buffer: Buffer, at = 0, end = buffer.length) {
    this.buffer = buffer
    this.at = at
    this.end = end
  }

  get remaining(): number {
    return this.end - this.at
  }

  /** Moves past `bytes` and returns where they begin. */
  take(bytes: number): number {
    const at = this.at
    if (bytes < 0) throw new ProtocolError('NEGATIVE_LENGTH', `A length of ${bytes} at byte ${at}.`)
    if (bytes > this.end - at) throw new ProtocolError('TRUNCATED', `${bytes} bytes are due at byte ${at}, ${this.end - at} are left.`)
    this.at = at + bytes
    return at
  }

  int8(): number {
    return (this.buffer[this.take(1)]! << 24) >> 24
  }

  /** Java writes 1 and reads anything but 0 as true. */
  bool(): boolean {
    return this.buffer[this.take(1)] !== 0
  }

  int16(): number {
    return (this.uint16() << 16) >> 16
  }

  uint16(): number {
    const at = this.take(2)
    return (this.buffer[at]! << 8) | this.buffer[at + 1]!
  }

  int32(): number {
    const at = this.take(4)
    const { buffer } = this
    return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  int64(): bigint {
    return this.buffer.readBigInt64BE(this.take(8))
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8))
  }

  /** At most five bytes, 32 bits. */
  uvarint(): number {
    const { buffer, end } = this
    // Nearly always one byte.
    if (this.at < end && buffer[this.at]! < 0x80) return buffer[this.at++]!
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.at >= end) throw new ProtocolError('TRUNCATED', `A varint is cut at byte ${this.at}.`)
      const byte = buffer[this.at++]!
      if (shift === 28 && byte > 0x0f) break
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new ProtocolError('VARINT_TOO_LONG', `A varint of more than 32 bits ends at byte ${this.at}.`)
  }

  /** Kafka's form: URL-safe base64 without padding. */
  uuid(): string {
    const at = this.take(UUID_BYTES)
    return this.buffer.toString('base64url', at, at + UUID_BYTES)
  }

  string(bytes: number): string {
    if (bytes > STRING_MAX_BYTES) throw new ProtocolError('STRING_TOO_LONG', `A string of ${bytes} bytes at byte ${this.at}.`)
    const at = this.take(bytes)
    return this.buffer.toString('utf8', at, at + bytes)
  }

  bytes(length: number): Buffer {
    const at = this.take(length)
    return this.buffer.subarray(at, at + length)
  }

  /**
   * An array's count, or -1 for null. Checked against what is left (each element takes at least `elementBytes` of it), and against what
   * the message may take in memory (each element takes about `madeBytes` of that).
   */
  count(compact: boolean, elementBytes: number, madeBytes = 0): number {
    const count = compact ? this.uvarint() - 1 : this.int32()
    if (count < -1) throw new ProtocolError('NEGATIVE_LENGTH', `An array of ${count} elements at byte ${this.at}.`)
    if (elementBytes === 0 ? count > EMPTY_ELEMENTS_MAX : count * elementBytes > this.remaining)
      throw new ProtocolError('ARRAY_TOO_LONG', `An array of ${count} elements at byte ${this.at}, where ${this.remaining} bytes are left.`)
    if (count > 0) this.#madeBytes += count * madeBytes
    if (this.#madeBytes > MADE_MAX_BYTES)
      throw new ProtocolError('MESSAGE_TOO_LARGE', `With an array of ${count} elements at byte ${this.at} it would take too much memory.`)
    return count
  }

  /** A length of a string (`int16` where not compact) or of bytes (`int32`); -1 for null. */
  length(compact: boolean, wide: boolean): number {
    const length = compact ? this.uvarint() - 1 : wide ? this.int32() : this.int16()
    if (length < -1) throw new ProtocolError('NEGATIVE_LENGTH', `A length of ${length} at byte ${this.at}.`)
    return length
  }

  /** The tagged section of a struct. `read` gets a reader of just that field; unknown tags are skipped. Tags ascend, none twice. */
  tags(read: (tag: number, reader: Reader) => boolean): void {
    const count = this.uvarint()
    if (count > TAGS_MAX) throw new ProtocolError('TAG_FLOOD', `${count} tagged fields in one struct.`)
    let last = -1
    for (let i = 0; i < count; i++) {
      const tag = this.uvarint()
      if (tag <= last) throw new ProtocolError('TAG_ORDER', `Tag ${tag} follows tag ${last}.`)
      last = tag
      const size = this.uvarint()
      const at = this.take(size)
      const field = new Reader(this.buffer, at, at + size)
      field.#madeBytes = this.#madeBytes
      const known = read(tag, field)
      this.#madeBytes = field.#madeBytes
      if (known && field.remaining > 0) throw new ProtocolError('TAG_SIZE', `Tag ${tag} has ${field.remaining} bytes too many.`)
    }
  }
}
