/**
 * The bytes of an outbox segment: frames `[mark 4][u32 meta length][u32 data length][u32 crc of lengths and meta][u32 crc of data][meta][data]`,
 * big endian, CRC-32C. What a frame says (meta) and the batch that it carries (data) have a checksum each: damage in a batch still tells
 * whose batch it was. Frames find themselves again behind damage by the segment's mark, so that a flipped bit costs one frame and not the rest. The mark
 * is a number by chance, and in the name of the file: what somebody published, and lies there too, cannot pass for a frame.
 */
import { Packr } from 'msgpackr/pack'
import { crc32c } from './crc32c.ts'
import { readMsgpack } from './msgpack.ts'

export const FRAME_HEAD_BYTES = 20
const META_LENGTH_AT = 4
const DATA_LENGTH_AT = 8
const META_CRC_AT = 12
const DATA_CRC_AT = 16
const META_BYTES_MAX = 1024 * 1024
const DATA_BYTES_MAX = 0x7fffffff
/** Longer than what is said of a batch, whatever its topic's name. */
const SHORT_META_BYTES = 1024
/** So many times a segment's own size is summed in search of long frames behind damage. */
const SEARCH_TIMES = 4

/** What a sealed batch is, beside its bytes. */
export interface BatchMeta {
  id: number
  topic: string
  /** Where it was put when it was sealed; one without a key (`free`) may go elsewhere until it has an identity. */
  partition: number
  free: boolean
  /** Batches of one list carry one number, and stay together; 0: none. */
  list: number
  count: number
  uncompressedBytes: number
  compression: string
  baseTimestamp: number
  maxTimestamp: number
}

/** What makes a broker recognise it: written before it is first sent. */
export interface AssignedIdentity {
  partition: number
  /** Decimal. */
  producerId: string
  producerEpoch: number
  sequence: number
  /** Grows from one assignment to the next: batches of a partition go again in the order of their identities. */
  order: number
}

/** Bytes in parts: a batch is written as a copy of its header, which changes when it is stamped, and the rest as it lies. */
export type Chunks = readonly Uint8Array[]

export type OutboxFrame =
  /** From now on it is the outbox's to deliver. */
  | { type: 'accepted'; batch: BatchMeta; bytes: Chunks }
  | { type: 'assigned'; id: number; identity: AssignedIdentity }
  /** Written, or refused for good and put aside: nothing more is to do. */
  | { type: 'done'; ids: number[] }
  /** One that was too large became several: in one frame, as half of it would lose or double messages. */
  | { type: 'split'; id: number; parts: { batch: BatchMeta; identity: AssignedIdentity | null; bytes: Chunks }[] }

/** What lies where a frame should. */
export type Damage =
  /** The last bytes of a segment are no whole frame: the process, or the machine, died as it wrote. */
  | { kind: 'torn'; at: number; bytes: number }
  /** Bytes changed. `frame`: what it was, if that much can be read. */
  | { kind: 'damaged'; at: number; bytes: number; frame: OutboxFrame['type'] | null; batch: BatchMeta | null }

type BatchTuple = [number, string, number, boolean, number, number, number, string, number, number]
type IdentityTuple = [number, string, number, number, number]
// As the recorder's: read back by the same reader, which takes small numbers in the form that Packr gives them beside records.
const packr = new Packr({ useRecords: true })

/** The chunks to write, in order; batches are not copied. `mark`: the segment's own, 32 bits by chance. */
export function encodeFrame(frame: OutboxFrame, mark: number): Uint8Array[] {
  const data = frame.type === 'accepted' ? frame.bytes : frame.type === 'split' ? frame.parts.flatMap(part => part.bytes) : []
  const meta = packr.pack(metaOf(frame))
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head.writeUInt32BE(mark, 0)
  head.writeUInt32BE(meta.length, META_LENGTH_AT)
  head.writeUInt32BE(bytesOf(data), DATA_LENGTH_AT)
  head.writeUInt32BE(metaCrc(head, meta), META_CRC_AT)
  head.writeUInt32BE(dataCrc(data), DATA_CRC_AT)
  return [head, meta, ...data]
}

export function bytesOf(chunks: Chunks): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0)
}

/** Every frame of a segment in order, and what is none. Never throws; nothing is allocated by a length that lies in the file. */
export function* readFrames(segment: Buffer, mark: number): Generator<{ frame: OutboxFrame } | { damage: Damage }> {
  const search = { bytesLeft: SEARCH_TIMES * segment.length }
  let at = 0
  while (at < segment.length) {
    const found = frameAt(segment, at, mark)
    if (found) {
      yield found.frame ? { frame: found.frame } : { damage: { kind: 'damaged', at, bytes: found.end - at, ...found.was! } }
      at = found.end
      continue
    }
    const next = nextFrame(segment, at + 1, mark, search)
    if (next < 0) {
      const bytes = segment.length - at
      yield {
        damage: isTorn(segment.subarray(at), mark) ? { kind: 'torn', at, bytes } : { kind: 'damaged', at, bytes, frame: null, batch: null }
      }
      return
    }
    yield { damage: { kind: 'damaged', at, bytes: next - at, frame: null, batch: null } }
    at = next
  }
}

interface Found {
  end: number
  frame?: OutboxFrame
  was?: { frame: OutboxFrame['type']; batch: BatchMeta | null }
}

/** The frame that begins here, its data damaged or not; undefined: none does. */
function frameAt(segment: Buffer, at: number, mark: number): Found | undefined {
  if (segment.length - at < FRAME_HEAD_BYTES || segment.readUInt32BE(at) !== mark) return undefined
  const metaLength = segment.readUInt32BE(at + META_LENGTH_AT)
  const dataLength = segment.readUInt32BE(at + DATA_LENGTH_AT)
  const metaAt = at + FRAME_HEAD_BYTES
  const dataAt = metaAt + metaLength
  const end = dataAt + dataLength
  if (metaLength > META_BYTES_MAX || dataLength > DATA_BYTES_MAX || end > segment.length) return undefined
  const meta = segment.subarray(metaAt, dataAt)
  if (metaCrc(segment.subarray(at, metaAt), meta) !== segment.readUInt32BE(at + META_CRC_AT)) return undefined
  const data = segment.subarray(dataAt, end)
  const frame = frameOf(meta, data)
  if (!frame) return undefined
  if (dataCrc([data]) === segment.readUInt32BE(at + DATA_CRC_AT)) return { end, frame }
  return { end, was: { frame: frame.type, batch: frame.type === 'accepted' ? frame.batch : null } }
}

/**
 * The last bytes are the beginning of a frame, as a write leaves them that was cut short. Any other bytes there were changed, and may have been a frame
 * that counted; so may one that is whole but for the length that it gives.
 */
function isTorn(rest: Buffer, mark: number): boolean {
  const begin = Buffer.alloc(4)
  begin.writeUInt32BE(mark)
  if (!rest.subarray(0, 4).equals(begin.subarray(0, rest.length))) return false
  if (rest.length < FRAME_HEAD_BYTES) return true
  const metaLength = rest.readUInt32BE(META_LENGTH_AT)
  const dataLength = rest.readUInt32BE(DATA_LENGTH_AT)
  const dataAt = FRAME_HEAD_BYTES + metaLength
  if (metaLength > META_BYTES_MAX || dataLength > DATA_BYTES_MAX || dataAt + dataLength <= rest.length) return false
  const isRight = (head: Buffer, end: number) => metaCrc(head, rest.subarray(FRAME_HEAD_BYTES, end)) === rest.readUInt32BE(META_CRC_AT)
  if (dataAt <= rest.length) return isRight(rest, dataAt)
  const end = rest.length - dataLength
  if (end < FRAME_HEAD_BYTES) return true
  const head = Buffer.from(rest.subarray(0, FRAME_HEAD_BYTES))
  head.writeUInt32BE(end - FRAME_HEAD_BYTES, META_LENGTH_AT)
  return !isRight(head, end)
}

/**
 * Behind damage anything may look like the head of a frame: what lies there is what somebody published, and may be a thousand heads of long ones, each
 * of which would be summed in vain. So the search for long ones has an end; short ones are always found.
 */
function nextFrame(segment: Buffer, from: number, mark: number, search: { bytesLeft: number }): number {
  const begin = Buffer.alloc(4)
  begin.writeUInt32BE(mark)
  for (let at = segment.indexOf(begin, from); at >= 0; at = segment.indexOf(begin, at + 1)) {
    if (segment.length - at < FRAME_HEAD_BYTES) return -1
    const metaLength = segment.readUInt32BE(at + META_LENGTH_AT)
    if (metaLength > SHORT_META_BYTES && metaLength <= META_BYTES_MAX && (search.bytesLeft -= metaLength) < 0) continue
    if (frameAt(segment, at, mark)) return at
  }
  return -1
}

function metaCrc(head: Uint8Array, meta: Uint8Array): number {
  return crc32c(meta, 0, meta.length, crc32c(head, META_LENGTH_AT, META_CRC_AT))
}

const dataCrc = (data: Chunks) => data.reduce((crc, chunk) => crc32c(chunk, 0, chunk.length, crc), 0)

const TYPES = ['accepted', 'assigned', 'done', 'split'] as const

function metaOf(frame: OutboxFrame): unknown[] {
  const type = TYPES.indexOf(frame.type)
  switch (frame.type) {
    case 'accepted':
      return [type, tupleOf(frame.batch)]
    case 'assigned':
      return [type, frame.id, identityTuple(frame.identity)]
    case 'done':
      return [type, frame.ids]
    case 'split':
      return [
        type,
        frame.id,
        frame.parts.map(part => [tupleOf(part.batch), part.identity && identityTuple(part.identity), bytesOf(part.bytes)])
      ]
  }
}

const tupleOf = (batch: BatchMeta): BatchTuple => {
  const { id, topic, partition, free, list, count, uncompressedBytes, compression, baseTimestamp, maxTimestamp } = batch
  return [id, topic, partition, free, list, count, uncompressedBytes, compression, baseTimestamp, maxTimestamp]
}

const identityTuple = ({ partition, producerId, producerEpoch, sequence, order }: AssignedIdentity): IdentityTuple => [
  ...([partition, producerId, producerEpoch] as const),
  ...([sequence, order] as const)
]

/** Checked field by field; undefined: the checksum is right and yet it is none of ours. */
function frameOf(meta: Uint8Array, data: Buffer): OutboxFrame | undefined {
  let tuple: unknown
  try {
    tuple = readMsgpack(meta)
  } catch {
    return undefined
  }
  if (!Array.isArray(tuple)) return undefined
  const [type, first, second] = tuple as unknown[]
  switch (TYPES[type as number]) {
    case 'accepted': {
      const batch = batchOf(first)
      return batch && { type: 'accepted', batch, bytes: [data] }
    }
    case 'assigned': {
      const identity = identityOf(second)
      return isId(first) && identity ? { type: 'assigned', id: first, identity } : undefined
    }
    case 'done':
      return Array.isArray(first) && first.every(isId) ? { type: 'done', ids: first } : undefined
    case 'split':
      return isId(first) && Array.isArray(second) ? splitOf(first, second, data) : undefined
    default:
      return undefined
  }
}

function splitOf(id: number, tuples: unknown[], data: Buffer): OutboxFrame | undefined {
  const parts: Extract<OutboxFrame, { type: 'split' }>['parts'] = []
  let at = 0
  for (const tuple of tuples) {
    if (!Array.isArray(tuple)) return undefined
    const batch = batchOf(tuple[0])
    const identity = tuple[1] === null ? null : identityOf(tuple[1])
    const length: unknown = tuple[2]
    if (!batch || identity === undefined || !isWhole(length) || at + length > data.length) return undefined
    parts.push({ batch, identity, bytes: [data.subarray(at, at + length)] })
    at += length
  }
  return at === data.length ? { type: 'split', id, parts } : undefined
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isId = (value: unknown): value is number => isWhole(value) && value > 0
const isText = (value: unknown): value is string => typeof value === 'string'

function batchOf(tuple: unknown): BatchMeta | undefined {
  if (!Array.isArray(tuple)) return undefined
  const [id, topic, partition, free, list, count, uncompressedBytes, compression, baseTimestamp, maxTimestamp] = tuple as unknown[]
  const numbers = [partition, list, count, uncompressedBytes, baseTimestamp, maxTimestamp]
  if (!isId(id) || !isText(topic) || !isText(compression) || typeof free !== 'boolean' || !numbers.every(isWhole)) return undefined
  const [of, listed, counted, plain, base, newest] = numbers as number[]
  return {
    ...{ id, topic, partition: of!, free, list: listed!, count: counted! },
    ...{ uncompressedBytes: plain!, compression, baseTimestamp: base!, maxTimestamp: newest! }
  }
}

function identityOf(tuple: unknown): AssignedIdentity | undefined {
  if (!Array.isArray(tuple)) return undefined
  const [partition, producerId, producerEpoch, sequence, order] = tuple as unknown[]
  if (!isWhole(partition) || !isWhole(producerEpoch) || !isWhole(sequence) || !isWhole(order)) return undefined
  if (!isText(producerId) || !/^\d{1,19}$/.test(producerId)) return undefined
  return { partition, producerId, producerEpoch, sequence, order }
}
