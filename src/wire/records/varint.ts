/**
 * Zigzag varints as records use them (Kafka's `ByteUtils.writeVarint` and `writeVarlong`), without a bigint on the hot path.
 * Writers do not check room; the reader is a cursor whose owner checks once, at a record's end.
 */

/** Bytes of a zigzag varint of a signed 32-bit value. */
export function varintBytes(value: number): number {
  const z = (value << 1) ^ (value >> 31)
  if (z >= 0) {
    if (z < 0x80) return 1
    if (z < 0x4000) return 2
    if (z < 0x200000) return 3
    return z < 0x10000000 ? 4 : 5
  }
  return 5
}

/** Writes a signed 32-bit value and returns the position after it. */
export function writeVarint(buffer: Uint8Array, at: number, value: number): number {
  let z = (value << 1) ^ (value >> 31)
  while ((z & ~127) !== 0) {
    buffer[at++] = (z & 127) | 128
    z >>>= 7
  }
  buffer[at++] = z
  return at
}

/** Below this magnitude a value takes the 32-bit path. */
const SMALL = 0x40000000

/** Bytes of a zigzag varint of an integer of magnitude up to 2^53. */
export function varlongBytes(value: number): number {
  if (value < SMALL && value > -SMALL) return varintBytes(value)
  let rest = Math.floor((value < 0 ? -value - 1 : value) / 64)
  let bytes = 1
  for (; rest > 0; rest = Math.floor(rest / 128)) bytes++
  return bytes
}

/**
 * Writes an integer of magnitude up to 2^53 and returns the position after it. The zigzag form of a large value does not fit a
 * double, so the sign goes into the first byte's low bit beside six bits of the magnitude (-v - 1 for negative ones).
 */
export function writeVarlong(buffer: Uint8Array, at: number, value: number): number {
  if (value < SMALL && value > -SMALL) return writeVarint(buffer, at, value)
  const magnitude = value < 0 ? -value - 1 : value
  let byte = ((magnitude % 64) << 1) | (value < 0 ? 1 : 0)
  let rest = Math.floor(magnitude / 64)
  while (rest > 0) {
    buffer[at++] = byte | 128
    byte = rest % 128
    rest = Math.floor(rest / 128)
  }
  buffer[at++] = byte
  return at
}

/**
 * Walks varints in one buffer. It reads past `buffer`'s end as zeros and never goes on for more than ten bytes a value: whoever
 * walks compares `at` with the end that it must have reached, once per record, instead of at every byte.
 */
export class VarintCursor {
  buffer: Uint8Array
  at: number
  /** A value was longer than its type allows. Sticky: look at it where `at` is compared. */
  overlong = false

  constructor(buffer: Uint8Array, at: number) {
    this.buffer = buffer
    this.at = at
  }

  /** A signed 32-bit value. */
  varint(): number {
    const buffer = this.buffer
    let byte = buffer[this.at++]!
    if (byte < 128) return (byte >>> 1) ^ -(byte & 1)
    let z = byte & 127
    let shift = 7
    do {
      byte = buffer[this.at++]!
      z |= (byte & 127) << shift
      shift += 7
    } while (byte > 127 && shift < 35)
    if (byte > 127) this.overlong = true
    return (z >>> 1) ^ -(z & 1)
  }

  /** A signed 64-bit value, exact. */
  varlong(): bigint {
    const buffer = this.buffer
    let byte = buffer[this.at++]!
    if (byte < 128) return BigInt((byte >>> 1) ^ -(byte & 1))
    let z = BigInt(byte & 127)
    let shift = 7
    do {
      byte = buffer[this.at++] ?? 0
      z |= BigInt(byte & 127) << BigInt(shift)
      shift += 7
    } while (byte > 127 && shift < 70)
    if (byte > 127) this.overlong = true
    return BigInt.asIntN(64, (z >> 1n) ^ -(z & 1n))
  }

  /** Past a signed 64-bit value without making it. */
  skipVarlong(): void {
    const buffer = this.buffer
    const most = this.at + 10
    while (buffer[this.at++]! > 127) {
      if (this.at === most) {
        this.overlong = true
        return
      }
    }
  }
}
