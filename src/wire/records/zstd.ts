/**
 * Zstandard: Node's own from 22.15 on, else @toondepauw/node-zstd. Before either sees a byte, the frames are walked (RFC 8878)
 * for what they can unpack to, because the package for older Nodes takes no limit.
 */
import { SamsaError } from '../../model/errors.ts'
import { asBuffer, type Codec, corrupt, firstChunkBytes, loadPackage, nodeZlib, overLimit } from './codec.ts'

interface ZstdPackage {
  Encoder: new (level: number) => { encodeSync(input: Buffer): Buffer }
  Decoder: new () => { decodeSync(input: Buffer): Buffer }
}

interface NodeZstd {
  zstdCompressSync(input: Uint8Array, options: { params: Record<number, number> }): Buffer
  zstdDecompressSync(input: Uint8Array, options: { maxOutputLength: number; chunkSize: number }): Buffer
}

const LEVEL = 3
/** ZSTD_c_compressionLevel. */
const LEVEL_PARAMETER = 100
const MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const MOST_BLOCK_BYTES = 131_072
/** What every decoder must be able to take (RFC 8878, 3.1.1.1.2); larger windows only as far as the limit goes. */
const COMMON_WINDOW_BYTES = 8 * 1024 * 1024

/** What a frame says about what it holds. */
interface Frame {
  start: number
  end: number
  /** Where it says so. */
  contentBytes: number | undefined
  windowBytes: number
  /** Less cannot come out: the raw and run-length blocks. */
  leastBytes: number
  /** More cannot come out, whatever the frame says. */
  mostBytes: number
}

function decompress(input: Uint8Array, limitBytes: number): Buffer {
  const bytes = asBuffer(input)
  const frames = walkFrames(bytes)
  let least = 0
  for (const frame of frames) {
    least += Math.max(frame.contentBytes ?? 0, frame.leastBytes)
    if (least > limitBytes || frame.windowBytes > Math.max(limitBytes, COMMON_WINDOW_BYTES)) throw overLimit('zstd', limitBytes)
  }
  const parts: Buffer[] = []
  let total = 0
  // Frame by frame: Node's function ends at the end of the first, without a word.
  for (const frame of frames) {
    const part = unpack(bytes.subarray(frame.start, frame.end), frame, limitBytes - total, limitBytes)
    total += part.length
    parts.push(part)
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, total)
}

function unpack(bytes: Buffer, frame: Frame, leftBytes: number, limitBytes: number): Buffer {
  if (frame.contentBytes === 0 || frame.mostBytes === 0) return Buffer.alloc(0)
  const node = nodeZstd()
  try {
    if (node === undefined) return throughPackage(bytes, frame, leftBytes, limitBytes)
    const chunkSize = firstChunkBytes(Math.min(frame.contentBytes ?? frame.mostBytes, frame.mostBytes))
    if (leftBytes > 0) return node.zstdDecompressSync(bytes, { maxOutputLength: leftBytes, chunkSize })
  } catch (error) {
    if (error instanceof SamsaError) throw error
    if ((error as { code?: unknown }).code !== 'ERR_BUFFER_TOO_LARGE') throw corrupt('zstd', (error as Error).message, error)
  }
  throw overLimit('zstd', limitBytes)
}

/**
 * The package has no limit of its own, so it gets only what cannot make much more than is allowed: of frames without a content
 * size the blocks tell an upper bound, which is a block (128 KiB) too high, and no smaller than the window that is common.
 */
function throughPackage(bytes: Buffer, frame: Frame, leftBytes: number, limitBytes: number): Buffer {
  if (frame.mostBytes > Math.max(leftBytes + MOST_BLOCK_BYTES, COMMON_WINDOW_BYTES)) throw overLimit('zstd', limitBytes)
  const plain = new (zstdPackage().Decoder)().decodeSync(bytes)
  if (plain.length > leftBytes) throw overLimit('zstd', limitBytes)
  return plain
}

function compress(input: Uint8Array): Buffer {
  const node = nodeZstd()
  if (node !== undefined) return node.zstdCompressSync(input, { params: { [LEVEL_PARAMETER]: LEVEL } })
  return new (zstdPackage().Encoder)(LEVEL).encodeSync(asBuffer(input))
}

function nodeZstd(): NodeZstd | undefined {
  const found = nodeZlib() as unknown as Partial<NodeZstd>
  return found.zstdCompressSync && found.zstdDecompressSync ? (found as NodeZstd) : undefined
}

function zstdPackage(): ZstdPackage {
  return loadPackage<ZstdPackage>('zstd', '@toondepauw/node-zstd')
}

/** Walks frame and block headers; skippable frames are left out. Throws CORRUPT_COMPRESSION where they do not fit the bytes that are there. */
function walkFrames(b: Buffer): Frame[] {
  const frames: Frame[] = []
  let at = 0
  do {
    if (b.length - at < 8) throw corrupt('zstd', 'a frame is cut off')
    const magic = b.readUInt32LE(at)
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) at += 8 + b.readUInt32LE(at + 4)
    else if (magic === MAGIC) {
      const frame = walkFrame(b, at)
      frames.push(frame)
      at = frame.end
    } else throw corrupt('zstd', 'no frame begins here')
    if (at > b.length) throw corrupt('zstd', 'a frame is cut off')
  } while (at < b.length)
  return frames
}

function walkFrame(b: Buffer, start: number): Frame {
  const descriptor = b[start + 4]!
  const singleSegment = (descriptor & 0x20) !== 0
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  const windowAt = start + 5
  const contentAt = windowAt + (singleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!
  if (descriptor & 0x08) throw corrupt('zstd', 'a reserved bit of its header is set')
  if (contentAt + sizeBytes > b.length) throw corrupt('zstd', 'a frame header is cut off')
  const contentBytes = contentSize(b, contentAt, sizeBytes)
  const base = 2 ** (10 + (b[windowAt]! >> 3))
  const windowBytes = singleSegment ? contentBytes! : base + (base / 8) * (b[windowAt]! & 7)
  const frame: Frame = { start, end: contentAt + sizeBytes, contentBytes, windowBytes, leastBytes: 0, mostBytes: 0 }
  walkBlocks(b, frame)
  if ((descriptor & 0x04) !== 0) frame.end += 4
  return frame
}

function contentSize(b: Buffer, at: number, bytes: number): number | undefined {
  if (bytes === 0) return undefined
  if (bytes === 1) return b[at]!
  if (bytes === 2) return b.readUInt16LE(at) + 256
  if (bytes === 4) return b.readUInt32LE(at)
  return b.readUInt32LE(at) + b.readUInt32LE(at + 4) * 0x100000000
}

/** Moves the frame's end past its blocks. Raw and run-length ones tell what they make; a compressed one makes one block's most. */
function walkBlocks(b: Buffer, frame: Frame): void {
  const mostOfOne = Math.min(frame.windowBytes, MOST_BLOCK_BYTES)
  for (let last = false; !last; ) {
    if (b.length - frame.end < 3) throw corrupt('zstd', 'a block is cut off')
    const head = b.readUIntLE(frame.end, 3)
    const kind = (head >> 1) & 3
    const size = head >> 3
    if (kind === 3 || size > MOST_BLOCK_BYTES) throw corrupt('zstd', `a block says kind ${kind} and ${size} bytes`)
    frame.end += 3 + (kind === 1 ? 1 : size)
    if (frame.end > b.length) throw corrupt('zstd', 'a block is cut off')
    frame.mostBytes += kind === 2 ? mostOfOne : size
    frame.leastBytes += kind === 2 ? 0 : size
    last = (head & 1) === 1
  }
}

export const zstd: Codec = { compress, decompress }
