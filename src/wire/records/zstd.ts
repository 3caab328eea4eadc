/**
 * Zstandard: Node's own from 22.15 on, else @toondepauw/node-zstd. Before either sees a byte, the frames are walked (RFC 8878)
 * for what they can unpack to, because the package for older Nodes takes no limit.
 */
import * as zlib from 'node:zlib'
import { asBuffer, type Codec, corrupt, firstChunkBytes, loadPackage, overLimit } from './codec.ts'

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

/** What the frames say about what they hold. */
interface FrameFacts {
  /** The sum of the content sizes, where every frame gives one. */
  contentBytes: number | undefined
  /** More cannot come out, whatever the frames say. */
  mostBytes: number
  /** Less cannot come out: the raw and run-length blocks. */
  leastBytes: number
  windowBytes: number
}

function decompress(input: Uint8Array, limitBytes: number): Buffer {
  const bytes = asBuffer(input)
  const facts = walkFrames(bytes)
  if (Math.max(facts.contentBytes ?? 0, facts.leastBytes) > limitBytes || facts.windowBytes > Math.max(limitBytes, COMMON_WINDOW_BYTES))
    throw overLimit('zstd', limitBytes)
  if (facts.contentBytes === 0 || facts.mostBytes === 0) return Buffer.alloc(0)
  const node = nodeZstd()
  try {
    if (node === undefined) return throughPackage(bytes, facts, limitBytes)
    const chunkSize = firstChunkBytes(Math.min(facts.contentBytes ?? facts.mostBytes, facts.mostBytes))
    return node.zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, limitBytes), chunkSize })
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (code === 'ERR_BUFFER_TOO_LARGE') throw overLimit('zstd', limitBytes)
    if (code === 'DECOMPRESSION_LIMIT' || code === 'COMPRESSION_UNAVAILABLE') throw error
    throw corrupt('zstd', (error as Error).message, error)
  }
}

/** Without a limit of its own, so only where the blocks cannot make more than is allowed. */
function throughPackage(bytes: Buffer, facts: FrameFacts, limitBytes: number): Buffer {
  if (facts.mostBytes > limitBytes) throw overLimit('zstd', limitBytes)
  return new (zstdPackage().Decoder)().decodeSync(bytes)
}

function compress(input: Uint8Array): Buffer {
  const node = nodeZstd()
  if (node !== undefined) return node.zstdCompressSync(input, { params: { [LEVEL_PARAMETER]: LEVEL } })
  return new (zstdPackage().Encoder)(LEVEL).encodeSync(asBuffer(input))
}

function nodeZstd(): NodeZstd | undefined {
  const found = zlib as unknown as Partial<NodeZstd>
  return found.zstdCompressSync && found.zstdDecompressSync ? (found as NodeZstd) : undefined
}

function zstdPackage(): ZstdPackage {
  return loadPackage<ZstdPackage>('zstd', '@toondepauw/node-zstd')
}

/** Walks frame and block headers. Throws CORRUPT_COMPRESSION where they do not fit the bytes that are there. */
export function walkFrames(b: Buffer): FrameFacts {
  const facts: FrameFacts = { contentBytes: 0, mostBytes: 0, leastBytes: 0, windowBytes: 0 }
  let at = 0
  while (at < b.length) {
    if (b.length - at < 8) throw corrupt('zstd', 'a frame is cut off')
    const magic = b.readUInt32LE(at)
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      at += 8 + b.readUInt32LE(at + 4)
      if (at > b.length) throw corrupt('zstd', 'a skippable frame is cut off')
    } else if (magic === MAGIC) at = walkFrame(b, at + 4, facts)
    else throw corrupt('zstd', 'no frame begins here')
  }
  return facts
}

/** One frame from behind its magic; returns its end. */
function walkFrame(b: Buffer, at: number, facts: FrameFacts): number {
  const descriptor = b[at++]!
  const singleSegment = (descriptor & 0x20) !== 0
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!
  if (descriptor & 0x08) throw corrupt('zstd', 'a reserved bit of its header is set')
  if (at + (singleSegment ? 0 : 1) + dictionaryBytes + sizeBytes > b.length) throw corrupt('zstd', 'a frame header is cut off')
  const windowByte = singleSegment ? 0 : b[at++]!
  at += dictionaryBytes
  const content = contentSize(b, at, sizeBytes)
  at += sizeBytes
  const base = 2 ** (10 + (windowByte >> 3))
  const window = singleSegment ? content! : base + (base / 8) * (windowByte & 7)
  facts.windowBytes = Math.max(facts.windowBytes, window)
  facts.contentBytes = facts.contentBytes === undefined || content === undefined ? undefined : facts.contentBytes + content
  at = walkBlocks(b, at, Math.min(window, MOST_BLOCK_BYTES), facts)
  if ((descriptor & 0x04) !== 0) at += 4
  if (at > b.length) throw corrupt('zstd', 'its checksum is cut off')
  return at
}

function contentSize(b: Buffer, at: number, bytes: number): number | undefined {
  if (bytes === 0) return undefined
  if (bytes === 1) return b[at]!
  if (bytes === 2) return b.readUInt16LE(at) + 256
  if (bytes === 4) return b.readUInt32LE(at)
  return b.readUInt32LE(at) + b.readUInt32LE(at + 4) * 0x100000000
}

/** Raw and run-length blocks tell what they make; a compressed one makes one block's most. */
function walkBlocks(b: Buffer, at: number, mostBlockBytes: number, facts: FrameFacts): number {
  for (;;) {
    if (b.length - at < 3) throw corrupt('zstd', 'a block is cut off')
    const head = b.readUIntLE(at, 3)
    const kind = (head >> 1) & 3
    const size = head >> 3
    if (kind === 3 || size > MOST_BLOCK_BYTES) throw corrupt('zstd', `a block says kind ${kind} and ${size} bytes`)
    at += 3 + (kind === 1 ? 1 : size)
    if (at > b.length) throw corrupt('zstd', 'a block is cut off')
    facts.mostBytes += kind === 2 ? mostBlockBytes : size
    facts.leastBytes += kind === 2 ? 0 : size
    if (head & 1) return at
  }
}

export const zstd: Codec = { compress, decompress }
