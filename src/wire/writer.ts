/**
 * Writes into one growing buffer; large foreign bytes (record batches) are taken by reference, so that a Produce request copies nothing.
 */
import { LimitError } from '../model/errors.ts'

/** From this size on bytes are not copied but put between two chunks. */
const BY_REFERENCE_BYTES = 1_024

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

  int8(value: number): void {
    const at = this.#room(1)
    this.#buffer[at] = value & 0xff
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  int16(value: number): void {
    const at = this.#room(2)
    this.#buffer.writeInt16BE(value, at)
  }

  uint16(value: number): void {
    const at = this.#room(2)
    this.#buffer.writeUInt16BE(value, at)
  }

  int32(value: number): void {
    const at = this.#room(4)
    this.#buffer.writeInt32BE(value, at)
  }

  uint32(value: number): void {
    const at = this.#room(4)
    this.#buffer.writeUInt32BE(value, at)
  }

  int64(value: bigint): void {
    const at = this.#room(8)
    this.#buffer.writeBigInt64BE(value, at)
  }

  float64(value: number): void {
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

  uuid(value: string): void {
    const at = this.#room(16)
    if (this.#buffer.write(value, at, 16, 'base64url') !== 16 || value.length !== 22)
      throw new TypeError(`"${value}" is not a uuid in Kafka's base64 form`)
  }

  string(value: string, compact: boolean): void {
    const length = Buffer.byteLength(value)
    if (!compact && length > 0x7fff) throw new LimitError('STRING_TOO_LONG', `A string of ${length} bytes; the protocol holds 32,767 here.`)
    if (compact) this.uvarint(length + 1)
    else this.int16(length)
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

  #cut(): void {
    if (this.#at === this.#chunkAt) return
    this.#chunks.push(this.#buffer.subarray(this.#chunkAt, this.#at))
    this.#chunkBytes += this.#at - this.#chunkAt
    this.#chunkAt = this.#at
  }

  /** Where the next bytes go. It may replace the buffer: take the place first, then write. */
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
