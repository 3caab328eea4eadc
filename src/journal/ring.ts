/**
 * The ring of segments that a recorder writes into. When the oldest segment has to make room, the states that its actors had at its
 * end become the base, from which a replay of what is left begins. States are kept by reference, so that costs no encoding.
 *
 *   frame ─► newest segment … oldest segment ─► dropped
 *                                    └─ states at its end ─► base
 */

/** One run of one actor. */
export interface Life {
  readonly id: number
  readonly path: string
  readonly machine: string
  /** The actor itself, while it runs and where it is known. */
  self: object | undefined
  value: unknown
  context: unknown
  ended: boolean
  /** Number of the newest segment that it has an entry in. */
  touchedIn: number
  /** Between `event` and `state`. */
  inTransition: boolean
  /** Segments that were closed in the middle of its transition: their states are still to come. */
  late: LifeState[] | undefined
  /** After a gap: the next `state` writes a checkpoint. */
  wantsCheckpoint: boolean
  /** The life of the same path before this one, while it has not ended. */
  older: Life | undefined
}

/** Where a life stands at the end of a segment. */
export interface LifeState {
  readonly life: Life
  value: unknown
  context: unknown
  readonly ended: boolean
}

interface Segment {
  readonly number: number
  /** Sequence number of the first entry. */
  readonly sequence: number
  readonly frames: Uint8Array[]
  bytes: number
  touched: Life[]
  /** Filled when the segment is closed. */
  states: LifeState[]
}

const SEGMENTS = 16

export class Ring {
  frames = 0
  bytes = 0
  droppedFrames = 0
  readonly #maxBytes: number
  readonly #base = new Map<Life, LifeState>()
  readonly #segments: Segment[] = []
  #newest: Segment

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#newest = this.#open(0, 0)
  }

  /** An entry of this life goes into the next frame. */
  touch(life: Life): void {
    if (life.touchedIn === this.#newest.number) return
    life.touchedIn = this.#newest.number
    this.#newest.touched.push(life)
  }

  /** `nextSequence`: of the first entry after this frame. */
  append(frame: Uint8Array, nextSequence: number): void {
    const segment = this.#newest
    segment.frames.push(frame)
    segment.bytes += frame.length
    this.frames++
    this.bytes += frame.length
    if (segment.bytes < this.#maxBytes / SEGMENTS) return
    close(segment)
    this.#newest = this.#open(segment.number + 1, nextSequence)
    while (this.bytes > this.#maxBytes && this.#segments.length > 1) this.#dropOldest()
  }

  /** Sequence number of the first entry that is kept. */
  get firstSequence(): number {
    return this.#segments[0]!.sequence
  }

  /** The lives that began before that entry, as they were then. */
  get base(): LifeState[] {
    return [...this.#base.values()]
  }

  get kept(): Uint8Array[] {
    return this.#segments.flatMap(({ frames }) => frames)
  }

  #open(number: number, sequence: number): Segment {
    const segment: Segment = { number, sequence, frames: [], bytes: 0, touched: [], states: [] }
    this.#segments.push(segment)
    return segment
  }

  #dropOldest(): void {
    const oldest = this.#segments.shift() as Segment
    for (const state of oldest.states) {
      if (state.ended) this.#base.delete(state.life)
      else this.#base.set(state.life, state)
    }
    this.frames -= oldest.frames.length
    this.droppedFrames += oldest.frames.length
    this.bytes -= oldest.bytes
  }
}

/** Notes where every life that the segment touches stands at its end. */
function close(segment: Segment): void {
  segment.states = segment.touched.map(life => {
    const state: LifeState = { life, value: life.value, context: life.context, ended: life.ended }
    if (life.inTransition) (life.late ??= []).push(state)
    return state
  })
  segment.touched = []
}
