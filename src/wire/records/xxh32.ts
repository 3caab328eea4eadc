/**
 * xxHash, 32 bits, seed 0: the checksum of LZ4 frames (header, blocks, content).
 */

const P1 = 0x9e3779b1 | 0
const P2 = 0x85ebca77 | 0
const P3 = 0xc2b2ae3d | 0
const P4 = 0x27d4eb2f
const P5 = 0x165667b1

function word(b: Uint8Array, at: number): number {
  return b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function round(lane: number, input: number): number {
  return Math.imul(rotate((lane + Math.imul(input, P2)) | 0, 13), P1)
}

/** xxHash32 of `b[start, end)` as an unsigned number. */
export function xxh32(b: Uint8Array, start: number, end: number): number {
  let at = start
  let hash = P5
  if (end - start >= 16) {
    let v1 = (P1 + P2) | 0
    let v2 = P2
    let v3 = 0
    let v4 = -P1 | 0
    for (const last = end - 16; at <= last; at += 16) {
      v1 = round(v1, word(b, at))
      v2 = round(v2, word(b, at + 4))
      v3 = round(v3, word(b, at + 8))
      v4 = round(v4, word(b, at + 12))
    }
    hash = (rotate(v1, 1) + rotate(v2, 7) + rotate(v3, 12) + rotate(v4, 18)) | 0
  }
  hash = (hash + (end - start)) | 0
  for (; at <= end - 4; at += 4) hash = Math.imul(rotate((hash + Math.imul(word(b, at), P3)) | 0, 17), P4)
  for (; at < end; at++) hash = Math.imul(rotate((hash + Math.imul(b[at]!, P5)) | 0, 11), P1)
  hash = Math.imul(hash ^ (hash >>> 15), P2)
  hash = Math.imul(hash ^ (hash >>> 13), P3)
  return (hash ^ (hash >>> 16)) >>> 0
}
