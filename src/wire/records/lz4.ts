/**
 * LZ4 in its frame format (lz4_Frame_format.md), as Kafka's `Lz4BlockOutputStream` writes it, over a native block codec: own
 * framing is faster than the package's, takes blocks one by one under a limit, and writes only what Java reads.
 */
import { asBuffer, type Codec, corrupt, join, loadPackage, overLimit } from './codec.ts'
import { xxh32 } from './xxh32.ts'

interface Lz4Package {
  /** The block with its plain size (u32 LE) in front. */
  compressSync(input: Buffer): Buffer
  /** Takes the same; a size that is too large is only an upper bound. */
  uncompressSync(input: Uint8Array, dictionary?: Uint8Array): Buffer
}

const MAGIC = 0x184d2204
/** Magic; version 1, independent blocks; the largest block; header checksum. As Java: no sizes, no further checksums. */
const HEADER_BYTES = 7
/**
 * The largest blocks that the format has, by their number in the header. Of these the smallest that holds a whole batch: one block is unpacked into
 * one piece of memory, several have to be joined. (Java writes 64 KiB, franz-go 4 MiB; every client reads all of them.)
 */
const BLOCKS = [4, 5, 6, 7].map(number => ({ bytes: 1 << (8 + 2 * number), header: headerOf(number) }))
const STORED = 0x80000000
/** How far back a dependent block may point. */
const WINDOW_BYTES = 65_536
/** A byte of LZ4 makes 255 at most. */
const MOST_RATIO = 255

let loaded: Lz4Package | undefined

function native(): Lz4Package {
  loaded ??= loadPackage<Lz4Package>('lz4', 'lz4-napi')
  return loaded
}

function headerOf(blockNumber: number): Buffer {
  const header = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, blockNumber << 4, 0])
  header[6] = (xxh32(header, 4, 6) >>> 8) & 255
  return header
}

function compress(input: Uint8Array): Buffer {
  const bytes = asBuffer(input)
  const { bytes: blockBytes, header } = BLOCKS.find(block => bytes.length <= block.bytes) ?? BLOCKS[3]!
  const parts: Buffer[] = [header]
  let total = header.length
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const plain = bytes.subarray(at, at + blockBytes)
    const packed = native().compressSync(plain)
    const size = packed.length - 4
    if (size < plain.length) {
      // The plain size in front gives way to the block's own.
      packed.writeUInt32LE(size, 0)
      parts.push(packed)
      total += packed.length
    } else {
      const head = Buffer.allocUnsafe(4)
      head.writeUInt32LE((STORED | plain.length) >>> 0)
      parts.push(head, plain)
      total += 4 + plain.length
    }
  }
  parts.push(Buffer.alloc(4))
  return Buffer.concat(parts, total + 4)
}

interface FrameHeader {
  /** Of the first block. */
  at: number
  independent: boolean
  blockChecksums: boolean
  contentChecksum: boolean
  contentBytes: number | undefined
  maxBlockBytes: number
}

function readHeader(b: Buffer, at: number): FrameHeader {
  if (b.length - at < HEADER_BYTES || b.readUInt32LE(at) !== MAGIC) throw corrupt('lz4', 'no frame begins here')
  const flags = b[at + 4]!
  const blockSize = (b[at + 5]! >> 4) & 7
  if (flags >> 6 !== 1 || (flags & 0x03) !== 0) throw corrupt('lz4', `its frame flags are ${flags}`)
  if (blockSize < 4 || (b[at + 5]! & 0x8f) !== 0) throw corrupt('lz4', `its block descriptor is ${b[at + 5]}`)
  const sized = (flags & 0x08) !== 0
  const end = at + 6 + (sized ? 8 : 0)
  if (end >= b.length) throw corrupt('lz4', 'its header is cut off')
  // Kafka before 0.10 hashed the magic too (KIP-57); such frames are still in message sets of format 0.
  const sum = b[end]
  if (sum !== ((xxh32(b, at + 4, end) >>> 8) & 255) && sum !== ((xxh32(b, at, end) >>> 8) & 255))
    throw corrupt('lz4', 'the checksum of its header is wrong')
  return {
    at: end + 1,
    independent: (flags & 0x20) !== 0,
    blockChecksums: (flags & 0x10) !== 0,
    contentChecksum: (flags & 0x04) !== 0,
    contentBytes: sized ? b.readUInt32LE(at + 6) + b.readUInt32LE(at + 10) * 0x100000000 : undefined,
    maxBlockBytes: 1 << (8 + 2 * blockSize)
  }
}

function decompress(input: Uint8Array, limitBytes: number): Buffer {
  const b = asBuffer(input)
  const parts: Buffer[] = []
  let total = 0
  let at = 0
  do {
    const frame = readHeader(b, at)
    if (frame.contentBytes !== undefined && total + frame.contentBytes > limitBytes) throw overLimit('lz4', limitBytes)
    const plain = readFrame(b, frame, limitBytes - total, limitBytes)
    at = frame.at
    if (plain.length > 0) parts.push(plain)
    total += plain.length
  } while (at < b.length)
  return join(parts, total)
}

/** The content of one frame; moves `frame.at` past it. */
function readFrame(b: Buffer, frame: FrameHeader, leftBytes: number, limitBytes: number): Buffer {
  const parts: Buffer[] = []
  let total = 0
  let window: Buffer | undefined
  for (;;) {
    const head = word(b, frame)
    if (head === 0) break
    const size = head & 0x7fffffff
    const stored = head >= STORED
    if (size > frame.maxBlockBytes || size > b.length - frame.at) throw corrupt('lz4', `a block says that it has ${size} bytes`)
    if (stored && size > leftBytes - total) throw overLimit('lz4', limitBytes)
    const block = b.subarray(frame.at, frame.at + size)
    const [sizeAt, end] = [frame.at - 4, frame.at + size]
    frame.at = end
    if (frame.blockChecksums && word(b, frame) !== xxh32(block, 0, size)) throw corrupt('lz4', 'the checksum of a block is wrong')
    const plain = stored ? block : unpack(b, sizeAt, end, Math.min(frame.maxBlockBytes, size * MOST_RATIO), window)
    total += plain.length
    if (total > leftBytes) throw overLimit('lz4', limitBytes)
    parts.push(plain)
    if (!frame.independent) window = window ? Buffer.concat([window, plain]).subarray(-WINDOW_BYTES) : plain.subarray(-WINDOW_BYTES)
  }
  const content = join(parts.length > 0 ? parts : [Buffer.alloc(0)], total)
  if (frame.contentBytes !== undefined && frame.contentBytes !== total)
    throw corrupt('lz4', `it says ${frame.contentBytes} bytes and has ${total}`)
  if (frame.contentChecksum && word(b, frame) !== xxh32(content, 0, total)) throw corrupt('lz4', 'the checksum of its content is wrong')
  return content
}

/** The next u32 LE; moves past it. */
function word(b: Buffer, frame: FrameHeader): number {
  if (b.length - frame.at < 4) throw corrupt('lz4', 'it is cut off')
  const value = b.readUInt32LE(frame.at)
  frame.at += 4
  return value
}

/**
 * One block, behind its size at `sizeAt`. At most `mostBytes` are made: the package wants that bound in front of the block, where the size is, so it
 * stands there for the moment. (A copy for each block was a sixth of what consuming cost.)
 */
function unpack(b: Buffer, sizeAt: number, end: number, mostBytes: number, window: Buffer | undefined): Buffer {
  const size = b.readUInt32LE(sizeAt)
  b.writeUInt32LE(mostBytes, sizeAt)
  try {
    return native().uncompressSync(b.subarray(sizeAt, end), window)
  } catch (error) {
    throw corrupt('lz4', (error as Error).message, error)
  } finally {
    b.writeUInt32LE(size, sizeAt)
  }
}

export const lz4: Codec = { compress, decompress }
