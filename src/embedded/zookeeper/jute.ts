/**
 * Jute, ZooKeeper's encoding: big-endian numbers, lengths of 4 bytes (-1: null). Every length is checked against what is there before anything is
 * made by it.
 */
import { ZkFault } from './faults.ts'

export class JuteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  int(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }

  long(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8))
  }

  bool(): boolean {
    return this.#bytes[this.#take(1)] !== 0
  }

  /** A copy; null where it is null. */
  buffer(): Buffer | null {
    const length = this.int()
    if (length < 0) return null
    const at = this.#take(length)
    return Buffer.from(this.#bytes.subarray(at, at + length))
  }

  string(): string {
    return this.buffer()?.toString('utf8') ?? ''
  }

  vector<T>(read: () => T): T[] {
    const count = this.int()
    // Each has at least one byte.
    if (count > this.remaining) throw new ZkFault('MARSHALLING_ERROR')
    return Array.from({ length: Math.max(0, count) }, read)
  }

  #take(length: number): number {
    if (length > this.remaining) throw new ZkFault('MARSHALLING_ERROR')
    const at = this.#at
    this.#at += length
    return at
  }
}

export class JuteWriter {
  #chunks: Buffer[] = []

  int(value: number): this {
    const bytes = Buffer.allocUnsafe(4)
    bytes.writeInt32BE(value)
    return this.#add(bytes)
  }

  long(value: bigint): this {
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeBigInt64BE(BigInt.asIntN(64, value))
    return this.#add(bytes)
  }

  bool(value: boolean): this {
    return this.#add(Buffer.from([value ? 1 : 0]))
  }

  buffer(value: Buffer | null): this {
    return value === null ? this.int(-1) : this.int(value.length).#add(value)
  }

  string(value: string): this {
    return this.buffer(Buffer.from(value, 'utf8'))
  }

  vector<T>(values: readonly T[], write: (value: T) => void): this {
    this.int(values.length)
    for (const value of values) write(value)
    return this
  }

  /** Bytes that are encoded already. */
  raw(bytes: Buffer): this {
    return this.#add(bytes)
  }

  /** All of it, without a length before it. */
  bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /** As it goes into a socket, its length first. */
  frame(): Buffer {
    const body = this.bytes()
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(body.length)
    return Buffer.concat([length, body])
  }

  #add(bytes: Buffer): this {
    this.#chunks.push(bytes)
    return this
  }
}
