/**
 * Reads a recording: bytes in, checked entries out. Nothing in them is trusted: lengths are checked before anything is allocated, a frame
 * must match its checksum and its shape, and what is decoded is data only. The first bad frame ends the recording, and the result says so.
 */
import { ProtocolError, plainError } from '../model/errors.ts'
import { crc32c } from './crc32c.ts'
import { BIRTH, CHECKPOINT, END, EVENT, FORMAT, FRAME_HEAD_BYTES, GAP, MAGIC, type RecordingHeader } from './frame.ts'
import { readMsgpack } from './msgpack.ts'

/** `sequence` orders all entries of a cluster; a checkpoint has that of the next entry. `time`: ms, the recorder's clock. */
export type Entry = { sequence: number; time: number; life: number } & (
  | { kind: 'event'; event: { type: string } }
  | { kind: 'birth' | 'checkpoint'; path: string; machine: string; value: unknown; context: unknown }
  | { kind: 'end' }
  | { kind: 'gap'; type: string; bytes: number }
)

export interface Recording {
  header: RecordingHeader
  entries: Entry[]
  /** Frames that were read, the header not counted. */
  frames: number
  /** Where and why reading ended before the end of the bytes; null: all were read. */
  torn: { atByte: number; reason: string } | null
}

/** Throws ProtocolError RECORDING_INVALID when it is not a recording at all; anything bad further on is cut off and told in `torn`. */
export function decodeRecording(bytes: Uint8Array): Recording {
  if (bytes.length < MAGIC.length || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw new ProtocolError('RECORDING_INVALID', 'This is not a recording of samsa: it does not begin with the mark of one.')
  const first = readFrame(bytes, MAGIC.length)
  if ('reason' in first) throw new ProtocolError('RECORDING_INVALID', `The header of this recording cannot be read: ${first.reason}.`)
  const recording: Recording = { header: checkHeader(first.content), entries: [], frames: 0, torn: null }
  let at = first.end
  while (at < bytes.length) {
    const frame = readFrame(bytes, at)
    const reason = 'reason' in frame ? frame.reason : appendEntries(recording.entries, frame.content)
    if ('reason' in frame || reason !== null) {
      recording.torn = { atByte: at, reason: String(reason) }
      break
    }
    recording.frames++
    at = frame.end
  }
  return recording
}

function readFrame(bytes: Uint8Array, at: number): { content: unknown; end: number } | { reason: string } {
  if (bytes.length - at < FRAME_HEAD_BYTES) return { reason: 'a frame is cut short' }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(at)
  const start = at + FRAME_HEAD_BYTES
  if (length === 0 || length > bytes.length - start)
    return { reason: `a frame announces ${length} bytes, ${bytes.length - start} are left` }
  const end = start + length
  if (crc32c(bytes, start, end) !== view.getUint32(at + 4)) return { reason: 'a frame does not match its checksum' }
  try {
    return { content: readMsgpack(bytes.subarray(start, end)), end }
  } catch (error) {
    return { reason: plainError(error).message }
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string'
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

function checkHeader(content: unknown): RecordingHeader {
  if (!isRecord(content)) throw new ProtocolError('RECORDING_INVALID', 'The header of this recording is not one.')
  const { format, exportedAt, machines, droppedFrames, instance = '' } = content
  if (format !== FORMAT)
    throw new ProtocolError(
      'RECORDING_FORMAT',
      `This recording has format ${isCount(format) ? format : 'unknown'}; this version of samsa reads ${FORMAT}. Use the version that wrote it.`
    )
  if (!isTime(exportedAt) || !isCount(droppedFrames) || !isRecord(machines) || !Object.values(machines).every(isText) || !isText(instance))
    throw new ProtocolError('RECORDING_INVALID', 'The header of this recording lacks a field or has one of the wrong type.')
  return { format: FORMAT, exportedAt, machines: machines as Record<string, string>, droppedFrames, instance }
}

/** Adds the entries of one frame, all or none. Returns what is wrong, or null. */
function appendEntries(entries: Entry[], content: unknown): string | null {
  if (!Array.isArray(content) || content.length !== 3) return 'a frame is not [sequence, time, entries]'
  const [first, time, raw] = content as unknown[]
  if (!isCount(first) || !isTime(time) || !Array.isArray(raw)) return 'a frame is not [sequence, time, entries]'
  const last = entries.at(-1)
  if (last && first !== (last.kind === 'checkpoint' ? last.sequence : last.sequence + 1))
    return 'the sequence is broken: a frame is missing'
  const added: Entry[] = []
  let sequence = first
  for (const item of raw) {
    const entry = checkEntry(item, sequence, time)
    if (!entry) return 'an entry has an unknown shape'
    added.push(entry)
    if (entry.kind !== 'checkpoint') sequence++
  }
  for (const entry of added) entries.push(entry)
  return null
}

/** By index: destructuring a list costs more than all the rest. */
function checkEntry(raw: unknown, sequence: number, time: number): Entry | undefined {
  if (!Array.isArray(raw)) return undefined
  const items = raw as unknown[]
  const kind = items[0]
  const life = items[1]
  const dt = items[2]
  const a = items[3]
  const b = items[4]
  if (!isCount(life) || !isTime(dt)) return undefined
  const at = time + dt
  if (kind === EVENT && items.length === 4 && isRecord(a) && isText(a.type))
    return { sequence, time: at, life, kind: 'event', event: a as { type: string } }
  if ((kind === BIRTH || kind === CHECKPOINT) && items.length === 7 && isText(a) && isText(b))
    return {
      sequence,
      time: at,
      life,
      kind: kind === BIRTH ? 'birth' : 'checkpoint',
      path: a,
      machine: b,
      value: items[5],
      context: items[6]
    }
  if (kind === END && items.length === 3) return { sequence, time: at, life, kind: 'end' }
  if (kind === GAP && items.length === 5 && isText(a) && isCount(b)) return { sequence, time: at, life, kind: 'gap', type: a, bytes: b }
  return undefined
}
