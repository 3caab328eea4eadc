/**
 * The recorder: every actor's inputs, by actor path, with birth and time, in a bounded ring in memory.
 * Replaying a recording through the pure machines gives any moment back (`replay.ts`). An input costs about a microsecond: events are
 * kept by reference (they are immutable) and encoded in batches, and a state is never encoded before somebody exports.
 *
 *   event ─► pending (at most BATCH) ─► frame ─► newest segment … oldest segment ─► dropped
 *                                                                     └─ the states at its end become the base, where a replay begins
 */
import { Packr } from 'msgpackr/pack'
import { LimitError, type SamsaError } from '../model/errors.ts'
import { crc32c } from './crc32c.ts'
import {
  BIRTH,
  CHECKPOINT,
  END,
  EVENT,
  FORMAT,
  FRAME_HEAD_BYTES,
  GAP,
  MAGIC,
  type RawEntry,
  type RawFrame,
  type RecordingHeader
} from './frame.ts'
import { type Life, type LifeState, Ring } from './ring.ts'
import { sanitise } from './sanitise.ts'

export interface RecorderStats {
  /** Kept now, and their size. */
  frames: number
  bytes: number
  droppedFrames: number
  /** All inputs, births and ends ever recorded. */
  entries: number
  /** Inputs over `maxEventBytes`, replaced by a gap and a checkpoint. A test expects none. */
  gaps: number
}

/**
 * What `bind` tells. `self` is the actor itself, where the caller has it: it tells two lives of one path apart
 * (a successor may be born before the end of its predecessor).
 */
export interface Recorder {
  /** An actor begins: its machine's id, and its initial state. */
  birth(path: string, machine: string, value: unknown, context: unknown, self?: object): void
  /** An input of a running actor, before the transition. */
  event(path: string, event: { type: string }, self?: object): void
  /** What the actor has become by it, after the transition. Kept by reference: snapshots of machines are immutable. */
  state(path: string, value: unknown, context: unknown, self?: object): void
  /** The actor stopped, ended or died. */
  end(path: string, self?: object): void
  /** The whole ring as one recording (`decodeRecording`). */
  export(): Uint8Array
  /**
   * Has every frame from now on told to a second keeper. One at a time.
   */
  follow(keeper: Keeper): Followed
  readonly stats: RecorderStats
}

/** Keeps frames elsewhere, beside the ring. */
export interface Keeper {
  frame(frame: Uint8Array): void
  /** Something waits to become a frame: `flush` makes it one. */
  waiting(): void
}

export interface Followed {
  /**
   * What a file must begin with so that it is a recording by itself: the header, and all living actors as they are. Right after a `flush` only. Undefined
   * while one of them is in the middle of a transition.
   */
  begin(): Uint8Array[] | undefined
  flush(): void
}

export interface RecorderOptions {
  /** Size of the ring. 0: nothing is recorded. */
  maxBytes: number
  /** Wall clock, ms. */
  now: () => number
  /** Largest single input, encoded. Default 65,536. A larger one is replaced by a gap and a checkpoint, and told to `onTrouble`. */
  maxEventBytes?: number
  /** Which cluster it is, for the header. */
  instance?: string
  /** Fingerprints of the machines (`machineVersion`) for the header, asked for at export. */
  versions?: () => Record<string, string>
  /** Told of what could not be kept. May be called within a transition: do little. */
  onTrouble?: (error: SamsaError) => void
}

interface Gap {
  life: Life
  type: string
  bytes: number
}

/** Numbers stay exact; only plain data gets here (`sanitise`), so no hook of a value is ever called. */
const PACKING = { useBigIntExtension: true, useToJSON: false }
const BATCH = 64
const CHECKPOINTS_PER_FRAME = 256

/** A recorder with a ring of `maxBytes`; with 0 one that does nothing. */
export function createRecorder(options: RecorderOptions): Recorder {
  return options.maxBytes > 0 ? new RingRecorder(options) : silentRecorder(options)
}

function silentRecorder(options: RecorderOptions): Recorder {
  const nothing = () => {}
  return {
    birth: nothing,
    event: nothing,
    state: nothing,
    end: nothing,
    export: () => concat([MAGIC, encodeFrame(new Packr(PACKING), header(options, 0))]),
    follow: () => ({ begin: () => undefined, flush: nothing }),
    stats: { frames: 0, bytes: 0, droppedFrames: 0, entries: 0, gaps: 0 }
  }
}

class RingRecorder implements Recorder {
  readonly #options: RecorderOptions
  readonly #maxEventBytes: number
  readonly #ring: Ring
  readonly #packr = new Packr(PACKING)
  readonly #lives = new Map<string, Life>()
  /** Not yet encoded, with absolute times, and the lives that they are of. */
  #pending: RawEntry[] = []
  #pendingLives: Life[] = []
  #lastLife = 0
  #entries = 0
  #gaps = 0
  /** Of the first pending entry. */
  #sequence = 0
  #keeper: Keeper | undefined

  constructor(options: RecorderOptions) {
    this.#options = options
    this.#maxEventBytes = options.maxEventBytes ?? 65_536
    this.#ring = new Ring(options.maxBytes)
  }

  get stats(): RecorderStats {
    const { frames, bytes, droppedFrames } = this.#ring
    return { frames, bytes, droppedFrames, entries: this.#entries, gaps: this.#gaps }
  }

  birth(path: string, machine: string, value: unknown, context: unknown, self?: object): void {
    const older = this.#lives.get(path)
    const life: Life = {
      id: ++this.#lastLife,
      path,
      machine,
      self,
      value,
      context,
      ended: false,
      touchedIn: -1,
      inTransition: false,
      late: undefined,
      wantsCheckpoint: false,
      older
    }
    this.#lives.set(path, life)
    this.#push(life, [BIRTH, life.id, this.#options.now(), path, machine, value, context])
  }

  event(path: string, event: { type: string }, self?: object): void {
    const life = this.#find(path, self)
    if (!life) return
    this.#push(life, [EVENT, life.id, this.#options.now(), event])
    life.inTransition = true
  }

  state(path: string, value: unknown, context: unknown, self?: object): void {
    const life = this.#find(path, self)
    if (!life) return
    life.value = value
    life.context = context
    life.inTransition = false
    if (life.late) {
      for (const state of life.late) {
        state.value = value
        state.context = context
      }
      life.late = undefined
    }
    if (life.wantsCheckpoint) this.#checkpoint(life)
  }

  end(path: string, self?: object): void {
    const life = this.#find(path, self)
    if (!life) return
    this.#push(life, [END, life.id, this.#options.now()])
    life.ended = true
    // Its segment keeps the life for a while; it must not keep the actor.
    life.self = undefined
    this.#forget(life)
  }

  export(): Uint8Array {
    this.#flush()
    const ring = this.#ring
    const frames = [MAGIC, encodeFrame(this.#packr, header(this.#options, ring.droppedFrames))]
    return concat([...frames, ...this.#checkpoints(ring.base, ring.firstSequence), ...ring.kept])
  }

  follow(keeper: Keeper): Followed {
    this.#keeper = keeper
    return { begin: () => this.#begin(), flush: () => this.#flush() }
  }

  #begin(): Uint8Array[] | undefined {
    const living: Life[] = []
    for (let life of this.#lives.values()) for (; life; life = life.older as Life) living.push(life)
    if (living.some(life => life.inTransition || life.wantsCheckpoint)) return undefined
    const start = concat([MAGIC, encodeFrame(this.#packr, header(this.#options, 0))])
    return [
      start,
      ...this.#checkpoints(
        living.map(life => ({ life, value: life.value, context: life.context, ended: false })),
        this.#sequence
      )
    ]
  }

  #checkpoints(states: readonly LifeState[], sequence: number): Uint8Array[] {
    const time = this.#options.now()
    const frames: Uint8Array[] = []
    for (let i = 0; i < states.length; i += CHECKPOINTS_PER_FRAME) {
      const entries = states.slice(i, i + CHECKPOINTS_PER_FRAME).map(checkpointOf)
      frames.push(encodeFrame(this.#packr, [sequence, time, entries] satisfies RawFrame))
    }
    return frames
  }

  /** The life of that path; with `self` the one that is this actor. Undefined: it was born before this recorder, or has ended. */
  #find(path: string, self: object | undefined): Life | undefined {
    let life = this.#lives.get(path)
    if (self !== undefined) while (life && life.self !== self) life = life.older
    return life
  }

  #forget(life: Life): void {
    const newest = this.#lives.get(life.path)
    if (newest === life) {
      if (life.older) this.#lives.set(life.path, life.older)
      else this.#lives.delete(life.path)
      return
    }
    for (let other = newest; other; other = other.older) if (other.older === life) other.older = life.older
  }

  #push(life: Life, entry: RawEntry): void {
    if (this.#pending.length >= BATCH) this.#flush()
    if (this.#pending.length === 0) this.#keeper?.waiting()
    this.#pending.push(entry)
    this.#pendingLives.push(life)
    if (entry[0] !== CHECKPOINT) this.#entries++
    this.#ring.touch(life)
  }

  #checkpoint(life: Life): void {
    life.wantsCheckpoint = false
    this.#push(life, [CHECKPOINT, life.id, this.#options.now(), life.path, life.machine, life.value, life.context])
  }

  /** Makes one frame of what is pending. */
  #flush(): void {
    const entries = this.#pending
    const lives = this.#pendingLives
    if (entries.length === 0) return
    this.#pending = []
    this.#pendingLives = []
    const sequence = this.#sequence
    const time = entries[0]![2]
    for (const entry of entries) {
      if (entry[0] !== CHECKPOINT) this.#sequence++
      entry[2] -= time
      if (entry[0] === EVENT) entry[3] = sanitise(entry[3]) as { type: string }
      else if (entry.length === 7) entry[6] = sanitise(entry[6])
    }
    let frame = encodeFrame(this.#packr, [sequence, time, entries] satisfies RawFrame)
    const gaps = frame.length > this.#maxEventBytes ? this.#replaceOversize(entries, lives) : []
    if (gaps.length > 0) frame = encodeFrame(this.#packr, [sequence, time, entries] satisfies RawFrame)
    this.#ring.append(frame, this.#sequence)
    this.#keeper?.frame(frame)
    if (gaps.length === 0) return
    for (const life of new Set(gaps.map(gap => gap.life))) {
      if (life.ended) continue
      if (life.inTransition) life.wantsCheckpoint = true
      else this.#checkpoint(life)
    }
    this.#flush()
    // Last, as whoever is told may send events that are recorded in turn.
    for (const gap of gaps) this.#options.onTrouble?.(tooLarge(gap, this.#maxEventBytes))
  }

  /** Puts a gap where an input is too large. The state of these lives has to be written down for it. */
  #replaceOversize(entries: RawEntry[], lives: Life[]): Gap[] {
    const gaps: Gap[] = []
    for (const [index, entry] of entries.entries()) {
      if (entry[0] !== EVENT) continue
      const bytes = this.#packr.pack(entry).length
      if (bytes <= this.#maxEventBytes) continue
      const life = lives[index] as Life
      const { type } = entry[3]
      entries[index] = [GAP, life.id, entry[2], type, bytes]
      gaps.push({ life, type, bytes })
    }
    this.#gaps += gaps.length
    return gaps
  }
}

const tooLarge = ({ life, type, bytes }: Gap, maxEventBytes: number) =>
  new LimitError(
    'RECORDER_EVENT_TOO_LARGE',
    `Event ${type} of ${life.path} takes ${bytes} bytes in the recording; at most ${maxEventBytes} are kept. ` +
      'A checkpoint stands in for it, so that replays are exact again from there. Events should carry no payload.',
    { details: { path: life.path, event: type, bytes } }
  )

const checkpointOf = ({ life, value, context }: LifeState): RawEntry => [
  CHECKPOINT,
  life.id,
  0,
  life.path,
  life.machine,
  value,
  sanitise(context)
]

function header(options: RecorderOptions, droppedFrames: number): RecordingHeader {
  return {
    format: FORMAT,
    exportedAt: options.now(),
    machines: options.versions?.() ?? {},
    droppedFrames,
    instance: options.instance ?? ''
  }
}

function encodeFrame(packr: Packr, content: unknown): Uint8Array {
  const body = packr.pack(content)
  const frame = Buffer.allocUnsafeSlow(FRAME_HEAD_BYTES + body.length)
  frame.writeUInt32BE(body.length, 0)
  frame.writeUInt32BE(crc32c(body), 4)
  body.copy(frame, FRAME_HEAD_BYTES)
  return frame
}

function concat(parts: Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}
