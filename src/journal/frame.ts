/**
 * The bytes of a recording: magic, then frames `[u32 length][u32 crc32c][msgpack]`, big endian, the first of them the header.
 * The length counts the msgpack bytes and the checksum covers them. A bad frame ends the recording: what follows it cannot be trusted.
 * The layout of an entry is the tuple type below; a later version of the format gets another number in the header.
 */

export const MAGIC = Uint8Array.from([0x53, 0x41, 0x4d, 0x53, 0x41, 0x4a, 0x52, 0x0a])
export const FORMAT = 1
export const FRAME_HEAD_BYTES = 8

/** First frame of a recording. */
export interface RecordingHeader {
  format: number
  /** When it was exported, by the recorder's clock. */
  exportedAt: number
  /** machine id -> fingerprint (`machineVersion`) at the time of the recording. */
  machines: Record<string, string>
  /** Whose it is: one cluster of one process. */
  instance?: string
  /** What had to make room: these frames came before the first one kept. */
  droppedFrames: number
}

/** An input. */
export const EVENT = 0
/** An actor begins. A life is one run of an actor: a successor of the same path is another life. */
export const BIRTH = 1
/** The state of a living actor before the next entry; takes no sequence number. */
export const CHECKPOINT = 2
export const END = 3
/** An input that could not be kept: the state is unknown until this life's next checkpoint. */
export const GAP = 4

/** Times are ms after the frame's time and may be negative: a wall clock can go back. */
export type RawEntry =
  | [kind: typeof EVENT, life: number, dt: number, event: { type: string }]
  | [kind: typeof BIRTH, life: number, dt: number, path: string, machine: string, value: unknown, context: unknown]
  | [kind: typeof CHECKPOINT, life: number, dt: number, path: string, machine: string, value: unknown, context: unknown]
  | [kind: typeof END, life: number, dt: number]
  | [kind: typeof GAP, life: number, dt: number, type: string, bytes: number]

/** `sequence` is that of the first entry; each entry but a checkpoint takes the next one. */
export type RawFrame = [sequence: number, time: number, entries: RawEntry[]]
