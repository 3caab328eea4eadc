/**
 * One codec alone: streams as several writers frame them, with their headers' checksums made right around the damage. Never more comes out
 * than the limit.
 */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import type { Compression } from '../../../src/model/config.ts'
import { LimitError } from '../../../src/model/errors.ts'
import { compress, decompress } from '../../../src/wire/records/index.ts'
import { xxh32 } from '../../../src/wire/records/xxh32.ts'
import type { Random } from '../../wire/random-message.ts'
import type { Field, Seed } from '../seed.ts'
import type { Target } from '../target.ts'

type Codec = Exclude<Compression, 'none'>
const LIMIT_BYTES = 256 * 1024
const require = createRequire(import.meta.url)
const native = () => ({
  lz4: require('lz4-napi') as { compressSync(data: Buffer, dictionary?: Buffer): Buffer },
  snappy: require('snappy') as { compressSync(data: Buffer): Buffer }
})

function plainOf(random: Random): Buffer {
  const size = random.pick([0, 1, 20, 20, 300, 300, 300, 3_000, 3_000, 70_000])
  if (random.chance(0.3)) return Buffer.alloc(size)
  if (random.chance(0.2)) return random.bytes(Math.min(size, 500))
  return Buffer.from(`{"id":${random.between(0, 999)},"kind":"view"}\n`.repeat(Math.ceil(size / 22))).subarray(0, size)
}

const SEEDS: Record<Codec, (random: Random) => Seed> = { gzip: gzipSeed, snappy: snappySeed, lz4: lz4Seed, zstd: zstdSeed }

function gzipSeed(random: Random): Seed {
  const plain = plainOf(random)
  if (random.chance(0.3)) {
    // Two members; stored, not packed.
    const bytes = Buffer.concat([gzipSync(plain, { level: 0 }), gzipSync(plain)])
    return { what: 'gzip, two members', bytes, fields: trailer(bytes) }
  }
  const bytes = gzipSync(plain, { level: random.pick([1, 6, 9]) })
  return { what: 'gzip', bytes, fields: [{ at: 3, bytes: 1, kind: 'int8' }, ...trailer(bytes)] }
}

function trailer(bytes: Buffer): Field[] {
  return [
    { at: bytes.length - 8, bytes: 4, kind: 'uint32le' },
    { at: bytes.length - 4, bytes: 4, kind: 'uint32le' }
  ]
}

function snappySeed(random: Random): Seed {
  if (random.chance(0.3)) {
    const bytes = native().snappy.compressSync(plainOf(random))
    return { what: 'a raw block', bytes, fields: [{ at: 0, bytes: varintBytes(bytes, 0), kind: 'uvarint' }] }
  }
  const streams = Array.from({ length: random.between(1, 2) }, () => Buffer.from(compress('snappy', plainOf(random))))
  const bytes = Buffer.concat(streams)
  const fields: Field[] = []
  for (let at = 0; at < bytes.length; ) {
    while (bytes[at] === 0x82) at += 16
    if (at >= bytes.length) break
    const length = bytes.readInt32BE(at)
    fields.push({ at, bytes: 4, kind: 'int32', covers: [at + 4, at + 4 + length] })
    fields.push({ at: at + 4, bytes: varintBytes(bytes, at + 4), kind: 'uvarint' })
    at += 4 + length
  }
  return { what: 'xerial frames', bytes, fields }
}

function varintBytes(bytes: Buffer, at: number): number {
  let end = at
  while (end < bytes.length && bytes[end]! > 127) end++
  return Math.max(1, end - at + 1)
}

/** Frames of other writers: dependent blocks, sizes, checksums of blocks and of the content. */
function lz4Seed(random: Random): Seed {
  const plain = plainOf(random)
  const [dependent, blockSums, sized, contentSum] = Array.from({ length: 4 }, () => random.chance(0.4)) as boolean[]
  const flags = 0x40 | (dependent ? 0 : 0x20) | (blockSums ? 0x10 : 0) | (sized ? 0x08 : 0) | (contentSum ? 0x04 : 0)
  const size = Buffer.alloc(sized ? 8 : 0)
  if (sized) size.writeUInt32LE(plain.length)
  const parts: Buffer[] = [Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, 0x40]), size, Buffer.from([0])]
  const fields: Field[] = [
    { at: 4, bytes: 1, kind: 'int8' },
    { at: 5, bytes: 1, kind: 'int8' }
  ]
  if (sized) fields.push({ at: 6, bytes: 4, kind: 'uint32le' }, { at: 10, bytes: 4, kind: 'uint32le' })
  let at = 7 + size.length
  for (let from = 0; from < plain.length; from += 20_000) {
    const window = dependent && from > 0 ? plain.subarray(Math.max(0, from - 65_536), from) : undefined
    const block = native()
      .lz4.compressSync(plain.subarray(from, from + 20_000), window)
      .subarray(4)
    fields.push({ at, bytes: 4, kind: 'uint32le', covers: [at + 4, at + 4 + block.length] })
    parts.push(word(block.length), block, ...(blockSums ? [word(xxh32(block, 0, block.length))] : []))
    at += 4 + block.length + (blockSums ? 4 : 0)
  }
  parts.push(word(0), ...(contentSum ? [word(xxh32(plain, 0, plain.length))] : []))
  const bytes = Buffer.concat(parts)
  repairLz4(bytes)
  return { what: `lz4, flags ${flags}`, bytes, fields, repair: repairLz4 }
}

function word(value: number): Buffer {
  const out = Buffer.alloc(4)
  out.writeUInt32LE(value >>> 0)
  return out
}

/** The header's checksum, and those of the blocks as far as their sizes lead. */
function repairLz4(bytes: Buffer): void {
  const flags = bytes[4] ?? 0
  const headerEnd = 6 + (flags & 0x08 ? 8 : 0)
  if (bytes.length <= headerEnd) return
  bytes[headerEnd] = (xxh32(bytes, 4, headerEnd) >>> 8) & 255
  if (!(flags & 0x10)) return
  for (let at = headerEnd + 1; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32LE(at) & 0x7fffffff
    if (size === 0 || at + 8 + size > bytes.length) return
    bytes.writeUInt32LE(xxh32(bytes, at + 4, at + 4 + size), at + 4 + size)
    at += 8 + size
  }
}

function zstdSeed(random: Random): Seed {
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])
  const frame = () => (random.chance(0.3) ? runLengths(random) : Buffer.from(compress('zstd', plainOf(random))))
  const parts = random.chance(0.3) ? [frame(), skippable, frame()] : [frame()]
  const bytes = Buffer.concat(parts)
  return { what: 'zstd', bytes, fields: zstdFields(bytes) }
}

/** A frame of run-length and raw blocks without a content size. */
function runLengths(random: Random): Buffer {
  const blocks = Array.from({ length: random.between(1, 4) }, (_, i, last = false) => {
    const raw = random.chance(0.5)
    const size = random.between(0, raw ? 40 : 4_000)
    const head = Buffer.alloc(3)
    head.writeUIntLE((size << 3) | (raw ? 0 : 2) | Number(last), 0, 3)
    return { head, body: raw ? random.bytes(size) : Buffer.from([i]) }
  })
  blocks.at(-1)!.head[0]! |= 1
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38]), ...blocks.flatMap(({ head, body }) => [head, body])])
}

/** Of the first frame. */
function zstdFields(bytes: Buffer): Field[] {
  const descriptor = bytes[4]!
  const single = (descriptor & 0x20) !== 0
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  const contentAt = 5 + (single ? 0 : 1)
  const kinds = { 1: 'int8', 2: 'uint16le', 4: 'uint32le', 8: 'int64' } as const
  const fields: Field[] = [{ at: 4, bytes: 1, kind: 'int8' }]
  if (!single) fields.push({ at: 5, bytes: 1, kind: 'int8' })
  if (sizeBytes > 0) fields.push({ at: contentAt, bytes: sizeBytes, kind: kinds[sizeBytes as 1 | 2 | 4 | 8] })
  for (let at = contentAt + sizeBytes, last = false; !last && at + 3 <= bytes.length; ) {
    const head = bytes.readUIntLE(at, 3)
    fields.push({ at, bytes: 3, kind: 'uint24le' })
    at += 3 + (((head >> 1) & 3) === 1 ? 1 : head >> 3)
    last = (head & 1) === 1
  }
  return fields
}

export function compressionOf(codec: Codec): Target {
  return {
    name: `compression:${codec}`,
    // The limit twice over, a codec's own window, and what it believes of a size before it sees that it is a lie.
    fixedBytes: 12 * 1024 * 1024,
    timesInput: 16,
    pool: random => Array.from({ length: 12 }, () => SEEDS[codec](random)),
    read(bytes, random) {
      const plain = decompress(codec, bytes, { limitBytes: LIMIT_BYTES })
      assert.ok(plain.length <= LIMIT_BYTES)
      if (plain.length === 0 || random.chance(0.8)) return
      const limitBytes = random.between(0, plain.length - 1)
      assert.throws(() => decompress(codec, bytes, { limitBytes }), LimitError)
    }
  }
}
