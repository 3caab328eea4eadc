/**
 * A World without time: a clock that goes to the next timer when it is told to, timers in order of (due, sequence), chance from a
 * seed. What is not given (dialling, files) throws. `clock` is the same for XState's `after`.
 */
import { randomBytes } from 'node:crypto'
import type { Timer, World } from '../../src/model/world.ts'

interface Entry {
  dueMs: number
  sequence: number
  callback: () => void
}

export class VirtualWorld {
  nowMs = 1_000_000
  readonly world: World
  readonly clock: { setTimeout: (callback: () => void, delayMs: number) => unknown; clearTimeout: (timer: unknown) => void }
  #timers = new Set<Entry>()
  #sequence = 0
  #chance: number

  constructor(options: { seed?: number; world?: Partial<World> } = {}) {
    this.#chance = options.seed ?? 1
    const refuse = (what: string) => () => {
      throw new Error(`this virtual world has no ${what}`)
    }
    this.world = {
      now: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      setTimer: (callback, delayMs) => this.#add(callback, delayMs),
      clearTimer: timer => void this.#timers.delete(timer as unknown as Entry),
      defer: callback => void this.#add(callback, 0),
      random: () => this.#random(),
      randomBytes,
      resolve: refuse('names'),
      dial: refuse('network'),
      listen: refuse('network'),
      files: {
        ...{ read: refuse('files'), write: refuse('files'), append: refuse('files') },
        ...{ rename: refuse('files'), remove: refuse('files'), makeDirectory: refuse('files') },
        ...{ list: refuse('files'), size: refuse('files'), create: refuse('files'), syncDirectory: refuse('files'), lock: refuse('files') }
      },
      hostname: () => 'virtual',
      ...options.world
    } as World
    this.clock = {
      setTimeout: (callback, delayMs) => this.#add(callback, delayMs),
      clearTimeout: timer => void this.#timers.delete(timer as Entry)
    }
  }

  /** Timers that wait. */
  get timers(): number {
    return this.#timers.size
  }

  /** Runs the next `ms` in order; promises settle after each callback. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms
    for (;;) {
      await settled()
      const next = this.#next(untilMs)
      if (!next) break
      this.nowMs = Math.max(this.nowMs, next.dueMs)
      this.#timers.delete(next)
      next.callback()
    }
    this.nowMs = untilMs
  }

  #next(untilMs: number): Entry | undefined {
    let next: Entry | undefined
    for (const entry of this.#timers) {
      if (entry.dueMs > untilMs) continue
      if (!next || entry.dueMs < next.dueMs || (entry.dueMs === next.dueMs && entry.sequence < next.sequence)) next = entry
    }
    return next
  }

  #add(callback: () => void, delayMs: number): Timer {
    const entry: Entry = { dueMs: this.nowMs + Math.max(0, delayMs), sequence: this.#sequence++, callback }
    this.#timers.add(entry)
    return entry
  }

  /** mulberry32. */
  #random(): number {
    this.#chance = (this.#chance + 0x6d2b79f5) | 0
    let t = Math.imul(this.#chance ^ (this.#chance >>> 15), 1 | this.#chance)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Promises, and what they lead to, have run. */
export const settled = () => new Promise<void>(resolve => setImmediate(resolve))
