/**
 * Writes into one growing buffer; large foreign bytes (record batches) are taken by reference, so that a Produce request copies nothing.
 * Every value is checked: what its type cannot hold is a Misfit, which `compile.ts` turns into a UsageError that names the field.
 */

/** From this size on bytes are not copied but put between two chunks. */
const BY_REFERENCE_BYTES = 1_024
/** What Kafka allows for any string, compact or not. */
export const STRING_MAX_BYTES = 0x7fff
const UUID = /^[A-Za-z0-9_-]{22}$/
const LEAST_INT64 = -(2n ** 63n)
const MOST_INT64 = 2n ** 63n - 1n

/** A value that cannot travel. On its way out each struct and array puts its step in front, so that `path` ends as the field's whole path. */
export class Misfit extends Error {
  readonly code: string
  path = ''

  constructor(code: string, reason: string) {
    super(reason)
    this.code = code
  }
}

function misfit(value: unknown, type: string): never {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : typeof value === 'object' ? typeof value : String(value)
  throw new Misfit('INVALID_FIELD', `is ${value === null ? 'null' : shown}, not ${type}`)
}

export class Writer {
  #buffer: Buffer
  #at = 0
  /** Where the present chunk begins in the buffer. */
  #chunkAt = 0
  #chunks: Uint8Array[] = []
  #chunkBytes = 0

  constructor(initialBytes = 256) {
    this.#buffer = Buffer.allocUnsafe(initialBytes)
  }

  /** Bytes written so far, by reference or not. */
  get bytes(): number {
    return this.#chunkBytes + this.#at - this.#chunkAt
  }

  // In all of these the room is made first: it may put another buffer in the place of this one.

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) misfit(value, 'an int8')
    const at = this.#room(1)
    this.#buffer[at] = value
  }

  bool(value: boolean): void {
    if (typeof value !== 'boolean') misfit(value, 'a boolean')
    this.int8(value ? 1 : 0)
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) misfit(value, 'an int16')
    this.#two(value)
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) misfit(value, 'a uint16')
    this.#two(value)
  }

  int32(value: number): void {
    if ((value | 0) !== value) misfit(value, 'an int32')
    this.#four(value)
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) misfit(value, 'a uint32')
    this.#four(value)
  }

  int64(value: bigint): void {
    if (typeof value !== 'bigint') misfit(value, 'a bigint')
    if (value < LEAST_INT64 || value > MOST_INT64) misfit(value, 'an int64')
    const at = this.#room(8)
    this.#buffer.writeBigInt64BE(value, at)
  }

  float64(value: number): void {
    if (typeof value !== 'number') misfit(value, 'a number')
    const at = this.#room(8)
    this.#buffer.writeDoubleBE(value, at)
  }

  uvarint(value: number): void {
    let at = this.#room(5)
    const from = at
    while (value > 0x7f) {
      this.#buffer[at++] = (value % 0x80) | 0x80
      value = Math.floor(value / 0x80)
    }
    this.#buffer[at++] = value
    this.#at -= 5 - (at - from)
  }

  /** URL-safe base64 of 16 bytes, without padding. */
  uuid(value: string): void {
    if (typeof value !== 'string' || !UUID.test(value)) misfit(value, "a uuid in Kafka's form, 22 characters of URL-safe base64")
    const at = this.#room(16)
    this.#buffer.write(value, at, 16, 'base64url')
  }

  string(value: string, compact: boolean): void {
    if (typeof value !== 'string') misfit(value, 'a string')
    const length = Buffer.byteLength(value)
    if (length > STRING_MAX_BYTES)
      throw new Misfit('STRING_TOO_LONG', `has ${length} bytes; Kafka takes strings of up to ${STRING_MAX_BYTES}`)
    if (compact) this.uvarint(length + 1)
    else this.#two(length)
    const at = this.#room(length)
    this.#buffer.write(value, at, length)
  }

  /** Copied when small, else by reference: do not change them until they are on the wire. */
  raw(value: Uint8Array): void {
    if (value.length < BY_REFERENCE_BYTES) {
      const at = this.#room(value.length)
      this.#buffer.set(value, at)
      return
    }
    this.#cut()
    this.#chunks.push(value)
    this.#chunkBytes += value.length
  }

  /** All chunks in order. The writer must not be used after it. */
  finish(): Uint8Array[] {
    this.#cut()
    return this.#chunks
  }

  #two(value: number): void {
    const at = this.#room(2)
    this.#buffer[at] = value >> 8
    this.#buffer[at + 1] = value
  }

  #four(value: number): void {
    const at = this.#room(4)
    this.#buffer[at] = value >> 24
    this.#buffer[at + 1] = value >> 16
    this.#buffer[at + 2] = value >> 8
    this.#buffer[at + 3] = value
  }

  #cut(): void {
    if (this.#at === this.#chunkAt) return
    this.#chunks.push(this.#buffer.subarray(this.#chunkAt, this.#at))
    this.#chunkBytes += this.#at - this.#chunkAt
    this.#chunkAt = this.#at
  }

  #room(bytes: number): number {
    const at = this.#at
    if (at + bytes > this.#buffer.length) return this.#grow(bytes)
    this.#at = at + bytes
    return at
  }

  /** A new buffer; only the open chunk moves, closed ones keep their memory. */
  #grow(bytes: number): number {
    const open = this.#at - this.#chunkAt
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, open + bytes + 64))
    this.#buffer.copy(grown, 0, this.#chunkAt, this.#at)
    this.#buffer = grown
    this.#chunkAt = 0
    this.#at = open + bytes
    return open
  }
}
