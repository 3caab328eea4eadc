/**
 * Runs inputs of one target in this process and judges each: a typed refusal or a reading to the end, in time, within its memory.
 * Input `i` under a seed is always the same bytes, so a finding is repeated by its number.
 */
import { Random } from '../wire/random-message.ts'
import { takenSince, takeReading } from './meter.ts'
import { mutated } from './mutate.ts'
import { edited, NONE, type Seed } from './seed.ts'
import { isTyped, type Target } from './target.ts'

/** One input may take so much of a processor; what takes longer for good is for the parent process to notice. */
export const INPUT_LIMIT_MS = 2_000
const DEFAULT_FIXED_BYTES = 1024 * 1024
const DEFAULT_TIMES_INPUT = 64
/** Valid inputs are made anew for each so many hostile ones. */
const POOL_EVERY = 2_000
const MINIMISE_TRIES = 300
/** Whoever finds so many of one target has enough to read. */
const MOST_FINDINGS = 5

export interface Finding {
  target: string
  seed: number
  /** Number of the input; -1: one of the cuts, which go before the first. */
  input: number
  kind: 'untyped' | 'slow' | 'memory' | 'hang' | 'crash'
  what: string
  /** As small as it could be made. */
  hex: string
}

export interface Tally {
  /** Hostile ones; `cuts` go besides. */
  inputs: number
  cuts: number
  /** Read to the end, though changed. */
  taken: number
  refused: number
  slowestMs: number
  mostBytes: number
  findings: Finding[]
}

export const emptyTally = (): Tally => ({ inputs: 0, cuts: 0, taken: 0, refused: 0, slowestMs: 0, mostBytes: 0, findings: [] })

export class Fuzzer {
  readonly tally = emptyTally()
  readonly #target: Target
  readonly #seed: number
  #pool: Seed[] = []
  #block = -1

  constructor(target: Target, seed: number) {
    this.#target = target
    this.#seed = seed
  }

  /**
   * Valid inputs are read to the end, or they would test nothing; cut, with their lengths made right and without, they do no harm. At every byte, or
   * at `most` places of each.
   */
  cuts(most: number, before: (input: number) => void = () => {}): void {
    for (const seed of this.#poolOf(0)) {
      if (this.#enough) return
      before(-1)
      const whole = this.#judge(seed.bytes, -1)
      if (whole === 'refused' && !seed.hostile)
        this.#find(-1, 'untyped', `the valid input "${seed.what}" was not read: ${whole}`, seed.bytes)
      const step = Math.ceil(seed.bytes.length / most)
      for (let at = 0; at < seed.bytes.length && !this.#enough; at += step) {
        before(-1)
        this.#judge(seed.bytes.subarray(0, at), -1)
        const made = edited(seed, [{ from: at, to: seed.bytes.length, bytes: NONE }], true)
        seed.repair?.(made)
        this.#judge(made, -1)
      }
    }
  }

  run(from: number, inputs: number, before: (input: number) => void = () => {}): void {
    for (let input = from; input < from + inputs && !this.#enough; input++) {
      before(input)
      this.#judge(this.inputOf(input), input)
    }
  }

  get #enough(): boolean {
    return this.tally.findings.length >= MOST_FINDINGS
  }

  inputOf(input: number): Buffer {
    const pool = this.#poolOf(Math.floor(input / POOL_EVERY))
    return mutated(pool, new Random(`${this.#seed}/${this.#target.name}/${input}`))
  }

  #poolOf(block: number): Seed[] {
    if (block !== this.#block) this.#pool = this.#target.pool(new Random(`${this.#seed}/${this.#target.name}/pool ${block}`))
    this.#block = block
    return this.#pool
  }

  #judge(bytes: Buffer, input: number): 'taken' | 'refused' | Finding['kind'] {
    const { tally } = this
    const { error, ms, takenBytes } = this.#read(bytes, input)
    if (input < 0) tally.cuts++
    else tally.inputs++
    tally.slowestMs = Math.max(tally.slowestMs, ms)
    tally.mostBytes = Math.max(tally.mostBytes, takenBytes)
    const kind = this.#verdict(bytes, error, ms, takenBytes)
    if (kind === 'taken' || kind === 'refused') tally[kind] += input < 0 ? 0 : 1
    else {
      const what = kind === 'untyped' ? this.#stackOf(bytes, input) : kind === 'slow' ? `${Math.round(ms)} ms` : `${takenBytes} bytes`
      this.#find(
        input,
        kind,
        `${what} for an input of ${bytes.length} bytes`,
        kind === 'slow' ? bytes : this.#minimised(bytes, input, kind, error)
      )
    }
    return kind
  }

  #verdict(bytes: Buffer, error: unknown, ms: number, takenBytes: number): 'taken' | 'refused' | 'untyped' | 'slow' | 'memory' {
    const { fixedBytes = DEFAULT_FIXED_BYTES, timesInput = DEFAULT_TIMES_INPUT } = this.#target
    if (error !== undefined && !isTyped(error)) return 'untyped'
    if (ms > INPUT_LIMIT_MS) return 'slow'
    if (takenBytes > fixedBytes + timesInput * bytes.length) return 'memory'
    return error === undefined ? 'taken' : 'refused'
  }

  #read(bytes: Buffer, input: number, stackTraceLimit = 0): { error: unknown; ms: number; takenBytes: number } {
    const random = new Random(`${this.#seed}/${this.#target.name}/${input}/reading`)
    // In memory of its own: who reads past its end finds nothing, and a native reader that writes into it changes no seed.
    const own = Buffer.from(new Uint8Array(bytes).buffer)
    const limitBefore = Error.stackTraceLimit
    Error.stackTraceLimit = stackTraceLimit
    const before = takeReading()
    const started = process.cpuUsage()
    let error: unknown
    try {
      this.#target.read(own, random)
      if (own.compare(bytes) !== 0) error = new Error('the input was changed by who read it')
    } catch (thrown) {
      error = thrown ?? new Error('nothing was thrown')
    }
    // What the processor did, not what the clock says: this machine may have other work.
    const { user, system } = process.cpuUsage(started)
    Error.stackTraceLimit = limitBefore
    return { error, ms: (user + system) / 1_000, takenBytes: takenSince(before) }
  }

  /** Nearly every input ends in an error, and where that one came from costs more than all the rest: it is asked for a second time. */
  #stackOf(bytes: Buffer, input: number): string {
    const { error } = this.#read(bytes, input, 12)
    return String((error as Error | undefined)?.stack ?? error)
  }

  #find(input: number, kind: Finding['kind'], what: string, bytes: Buffer): void {
    this.tally.findings.push({ target: this.#target.name, seed: this.#seed, input, kind, what, hex: bytes.toString('hex') })
  }

  /** Leaves out pieces, ever smaller ones, while the same goes wrong. */
  #minimised(bytes: Buffer, input: number, kind: string, error: unknown): Buffer {
    const sameAs = (tried: Buffer) => {
      const again = this.#read(tried, input)
      const same = !(error instanceof Error) || (again.error as Error | undefined)?.constructor === error.constructor
      return same && this.#verdict(tried, again.error, again.ms, again.takenBytes) === kind
    }
    let best = bytes
    let tries = 0
    for (let piece = Math.ceil(best.length / 2); piece >= 1 && tries < MINIMISE_TRIES; piece = piece === 1 ? 0 : Math.ceil(piece / 2))
      for (let at = 0; at < best.length && tries < MINIMISE_TRIES; ) {
        const tried = Buffer.concat([best.subarray(0, at), best.subarray(at + piece)])
        tries++
        if (tried.length < best.length && sameAs(tried)) best = tried
        else at += piece
      }
    return best
  }
}
