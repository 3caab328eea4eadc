/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), slicing by eight. Frames of a recording are a few KB: about 1 GB/s is plenty,
 * and a recording can be read where no native library is installed.
 */

const TABLES = makeTables()

function makeTables(): Uint32Array[] {
  const first = new Uint32Array(256)
  for (let n = 0; n < 256; n++) {
    let c = n
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1
    first[n] = c >>> 0
  }
  const tables = [first]
  for (let t = 1; t < 8; t++) {
    const previous = tables[t - 1]!
    tables.push(previous.map(c => (c >>> 8) ^ first[c & 0xff]!))
  }
  return tables
}

/** The checksum of `bytes` from `start` to `end`, as an unsigned 32-bit number; `before`: that of what lies in front of them. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, before = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array
  ]
  let crc = ~before
  let i = start
  for (; i + 8 <= end; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    crc =
      t7[crc & 0xff]! ^
      t6[(crc >>> 8) & 0xff]! ^
      t5[(crc >>> 16) & 0xff]! ^
      t4[crc >>> 24]! ^
      t3[bytes[i + 4]!]! ^
      t2[bytes[i + 5]!]! ^
      t1[bytes[i + 6]!]! ^
      t0[bytes[i + 7]!]!
  }
  for (; i < end; i++) crc = t0[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
