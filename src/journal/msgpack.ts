/**
 * Reads the msgpack that `Packr` writes: data only, every length checked before anything is allocated, depth limited.
 * Of its own, as a library's reader compiles record shapes to code, has dozens of extension types, and is not made for hostile bytes.
 * Known beyond plain msgpack (https://github.com/msgpack/msgpack/blob/master/spec.md): Packr's records (extension 0x72, and then their
 * id as a one-byte value), undefined (extension 0), and integers beyond 64 bits (extension 0x42). A 64-bit integer is a bigint.
 */
import { ProtocolError } from '../model/errors.ts'

const MAX_DEPTH = 128
const MAX_BIGINT_BYTES = 1024
/** ASCII texts up to this length are read byte by byte, which is quicker than a call of the decoder. */
const SHORT_TEXT = 24
const RECORD = 0x72
const BIGINT = 0x42
const UNDEFINED = 0x00

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** The one value that `bytes` holds. Throws ProtocolError MSGPACK_INVALID. */
export function readMsgpack(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes)
  const value = reader.value(0)
  if (reader.position !== bytes.length) throw invalid(reader.position, 'bytes are left after the value')
  return value
}

const invalid = (position: number, why: string) =>
  new ProtocolError('MSGPACK_INVALID', `Not a recorded value: ${why} (byte ${position}).`, { details: { position } })

class Reader {
  position = 0
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #records = new Map<number, string[]>()

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw invalid(this.position, `nested deeper than ${MAX_DEPTH}`)
    const token = this.#bytes[this.#take(1)]!
    if (token < 0x40) return token
    if (token < 0x80) return this.#record(token, depth)
    if (token < 0x90) return this.#map(token & 0x0f, depth)
    if (token < 0xa0) return this.#array(token & 0x0f, depth)
    if (token < 0xc0) return this.#text(token & 0x1f)
    if (token >= 0xe0) return token - 0x100
    return this.#tagged(token, depth)
  }

  #tagged(token: number, depth: number): unknown {
    const view = this.#view
    switch (token) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc7:
        return this.#extension(view.getUint8(this.#take(1)))
      case 0xca:
        return view.getFloat32(this.#take(4))
      case 0xcb:
        return view.getFloat64(this.#take(8))
      case 0xcc:
        return view.getUint8(this.#take(1))
      case 0xcd:
        return view.getUint16(this.#take(2))
      case 0xce:
        return view.getUint32(this.#take(4))
      case 0xcf:
        return view.getBigUint64(this.#take(8))
      case 0xd0:
        return view.getInt8(this.#take(1))
      case 0xd1:
        return view.getInt16(this.#take(2))
      case 0xd2:
        return view.getInt32(this.#take(4))
      case 0xd3:
        return view.getBigInt64(this.#take(8))
      case 0xd4:
        return this.#bytes[this.position] === RECORD ? this.#defineRecord(depth) : this.#extension(1)
      case 0xd8:
        return this.#extension(16)
      case 0xd9:
        return this.#text(view.getUint8(this.#take(1)))
      case 0xda:
        return this.#text(view.getUint16(this.#take(2)))
      case 0xdb:
        return this.#text(view.getUint32(this.#take(4)))
      case 0xdc:
        return this.#array(view.getUint16(this.#take(2)), depth)
      case 0xdd:
        return this.#array(view.getUint32(this.#take(4)), depth)
      case 0xde:
        return this.#map(view.getUint16(this.#take(2)), depth)
      case 0xdf:
        return this.#map(view.getUint32(this.#take(4)), depth)
      default:
        throw invalid(this.position - 1, `type 0x${token.toString(16)} is never written`)
    }
  }

  /** Moves past `count` bytes that must be there; returns where they begin. */
  #take(count: number): number {
    const start = this.position
    if (count > this.#bytes.length - start) throw invalid(start, `${count} bytes are announced, ${this.#bytes.length - start} are left`)
    this.position = start + count
    return start
  }

  /** Each item takes at least one byte, so a count over what is left is a lie. */
  #fits(count: number): void {
    if (count > this.#bytes.length - this.position) throw invalid(this.position, `${count} items cannot lie in the bytes that are left`)
  }

  #text(length: number): string {
    const start = this.#take(length)
    const end = start + length
    if (length > SHORT_TEXT) return utf8.decode(this.#bytes.subarray(start, end))
    let text = ''
    for (let i = start; i < end; i++) {
      const byte = this.#bytes[i]!
      if (byte >= 0x80) return utf8.decode(this.#bytes.subarray(start, end))
      text += String.fromCharCode(byte)
    }
    return text
  }

  #array(length: number, depth: number): unknown[] {
    this.#fits(length)
    const out: unknown[] = []
    for (let i = 0; i < length; i++) out.push(this.value(depth + 1))
    return out
  }

  #map(length: number, depth: number): Record<string, unknown> {
    this.#fits(length * 2)
    const out: Record<string, unknown> = {}
    for (let i = 0; i < length; i++) {
      const key = this.value(depth + 1)
      set(out, typeof key === 'number' ? String(key) : this.#key(key), this.value(depth + 1))
    }
    return out
  }

  #key(key: unknown): string {
    if (typeof key !== 'string') throw invalid(this.position, 'a key is not a string')
    return key
  }

  #defineRecord(depth: number): Record<string, unknown> {
    this.#take(1)
    const id = this.#bytes[this.#take(1)]!
    const keys = this.value(depth + 1)
    if (!Array.isArray(keys)) throw invalid(this.position, 'a record without a list of keys')
    this.#records.set(
      id,
      keys.map(key => this.#key(key))
    )
    return this.#record(id, depth)
  }

  #record(id: number, depth: number): Record<string, unknown> {
    const keys = this.#records.get(id)
    // Packr writes small integers of 64 to 127 with a type byte, so a bare one can only be a record.
    if (!keys) throw invalid(this.position - 1, `record ${id} is not defined`)
    this.#fits(keys.length)
    const out: Record<string, unknown> = {}
    for (const key of keys) set(out, key, this.value(depth + 1))
    return out
  }

  #extension(length: number): undefined | bigint {
    const type = this.#bytes[this.#take(1)]!
    const start = this.#take(length)
    if (type === UNDEFINED && length === 1) return undefined
    if (type === BIGINT && length <= MAX_BIGINT_BYTES) {
      const hex = Buffer.from(this.#bytes.subarray(start, start + length)).toString('hex')
      return BigInt.asIntN(length * 8, BigInt(`0x${hex || '0'}`))
    }
    throw invalid(start, `extension ${type} is never written`)
  }
}

/** Defines, so that a key like `__proto__` is only a key. */
function set(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}
