/**
 * Snappy as Kafka uses it. Java frames it by xerial's `SnappyOutputStream` (a header, then chunks of [int32 length][raw block]);
 * other clients send one raw block. Both are read, the first is written.
 */
import { asBuffer, type Codec, corrupt, join, loadPackage, overLimit } from './codec.ts'

interface SnappyPackage {
  compressSync(input: Uint8Array, options: { copyOutputData: boolean }): Buffer
  uncompressSync(input: Uint8Array, options: { asBuffer: boolean; copyOutputData: boolean }): Buffer
}

/** `0x82 SNAPPY 0x00`, version 1, lowest compatible version 1. */
const HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00, 0, 0, 0, 1, 0, 0, 0, 1])
const MAGIC_BYTES = 8
/** Snappy's own window: larger chunks compress no better. */
const CHUNK_BYTES = 65_536
/** The densest element makes 64 bytes from 3. */
const MOST_RATIO = 22

let loaded: SnappyPackage | undefined

function native(): SnappyPackage {
  loaded ??= loadPackage<SnappyPackage>('snappy', 'snappy')
  return loaded
}

function compress(input: Uint8Array): Buffer {
  const parts: Buffer[] = [HEADER]
  let total = HEADER.length
  for (let at = 0; at < input.length; at += CHUNK_BYTES) {
    // copyOutputData: without it each result is an external buffer, four times slower.
    const block = native().compressSync(input.subarray(at, at + CHUNK_BYTES), { copyOutputData: true })
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
    total += 4 + block.length
  }
  return Buffer.concat(parts, total)
}

function decompress(input: Uint8Array, limitBytes: number): Buffer {
  const bytes = asBuffer(input)
  const blocks = startsFrame(bytes, 0) ? blocksOf(bytes) : [bytes]
  let total = 0
  for (const block of blocks) total += plainBytes(block)
  if (total > limitBytes) throw overLimit('snappy', limitBytes)
  const parts = blocks.map(unpack)
  return join(parts, total)
}

function startsFrame(bytes: Buffer, at: number): boolean {
  return bytes.length - at >= HEADER.length && bytes.compare(HEADER, 0, MAGIC_BYTES, at, at + MAGIC_BYTES) === 0
}

/** The raw blocks of a framed stream. Streams may follow each other, each with its header. */
function blocksOf(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = []
  let at = 0
  while (at < bytes.length) {
    if (startsFrame(bytes, at)) {
      at += HEADER.length
      continue
    }
    if (bytes.length - at < 4) throw corrupt('snappy', 'a chunk has no length')
    const length = bytes.readInt32BE(at)
    at += 4
    if (length <= 0 || length > bytes.length - at) throw corrupt('snappy', `a chunk says ${length} bytes, ${bytes.length - at} are left`)
    blocks.push(bytes.subarray(at, at + length))
    at += length
  }
  return blocks
}

/** What a raw block says that it unpacks to (a varint in front), refused where so few bytes cannot make so many. */
function plainBytes(block: Buffer): number {
  let size = 0
  for (let i = 0, scale = 1; ; i++, scale *= 128) {
    const byte = block[i]
    if (byte === undefined || i > 4) throw corrupt('snappy', 'a block has no size')
    size += (byte & 127) * scale
    if (byte < 128) break
  }
  if (size > block.length * MOST_RATIO) throw corrupt('snappy', `a block of ${block.length} bytes says that it unpacks to ${size}`)
  return size
}

function unpack(block: Buffer): Buffer {
  const snappy = native()
  try {
    return snappy.uncompressSync(block, { asBuffer: true, copyOutputData: true })
  } catch (error) {
    throw corrupt('snappy', (error as Error).message, error)
  }
}

export const snappy: Codec = { compress, decompress }
