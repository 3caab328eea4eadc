/**
 * CRC-32C (Castagnoli), the checksum of a record batch: slicing-by-16 in JavaScript for short runs, the prebuilt native
 * function of @node-rs/crc32 for long ones. Measured: the call into native code costs as much as about 500 bytes in JavaScript.
 */
import { createRequire } from 'node:module'

/** From here on native code is faster. */
const NATIVE_FROM_BYTES = 512
const POLYNOMIAL = 0x82f63b78
const SLICES = 16

/** 16 tables of 256 in a row: `tables[256 * k + b]` is the CRC of byte b followed by k zero bytes. */
const tables = makeTables()

type NativeCrc = (input: Uint8Array) => number

/** Undefined until the first long run; null where the platform has no prebuilt binding. */
let native: NativeCrc | null | undefined

function makeTables(): Int32Array {
  const out = new Int32Array(256 * SLICES)
  for (let b = 0; b < 256; b++) {
    let c = b
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ POLYNOMIAL : c >>> 1
    out[b] = c
  }
  for (let i = 256; i < out.length; i++) {
    const before = out[i - 256]!
    out[i] = (before >>> 8) ^ out[before & 255]!
  }
  return out
}

function loadNative(): NativeCrc | null {
  try {
    const binding = createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: NativeCrc }
    return binding.crc32c(Buffer.from('123456789')) === 0xe3069283 ? binding.crc32c : null
  } catch {
    // No binding for this platform: the same result, slower.
    return null
  }
}

/** CRC-32C of `buffer[start, end)` as an unsigned number. */
export function crc32c(buffer: Uint8Array, start: number, end: number): number {
  if (end - start >= NATIVE_FROM_BYTES) {
    if (native === undefined) native = loadNative()
    if (native !== null) return native(buffer.subarray(start, end))
  }
  return crc32cInJs(buffer, start, end)
}

/** The same without native code. */
export function crc32cInJs(b: Uint8Array, start: number, end: number): number {
  const t = tables
  let c = -1
  let i = start
  for (const last = end - 16; i <= last; i += 16) {
    c ^= b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24)
    c =
      t[3840 + (c & 255)]! ^
      t[3584 + ((c >>> 8) & 255)]! ^
      t[3328 + ((c >>> 16) & 255)]! ^
      t[3072 + (c >>> 24)]! ^
      t[2816 + b[i + 4]!]! ^
      t[2560 + b[i + 5]!]! ^
      t[2304 + b[i + 6]!]! ^
      t[2048 + b[i + 7]!]! ^
      t[1792 + b[i + 8]!]! ^
      t[1536 + b[i + 9]!]! ^
      t[1280 + b[i + 10]!]! ^
      t[1024 + b[i + 11]!]! ^
      t[768 + b[i + 12]!]! ^
      t[512 + b[i + 13]!]! ^
      t[256 + b[i + 14]!]! ^
      t[b[i + 15]!]!
  }
  for (; i < end; i++) c = (c >>> 8) ^ t[(c ^ b[i]!) & 255]!
  return ~c >>> 0
}
