/**
 * When to ask the brokers again: one question at a time, wishes in a burst are one, a pause between two, longer ones after failures.
 */
import type { Timer, World } from '../../model/world.ts'

export interface QuestionClockOptions {
  /** Least time between two questions, and the first pause after a failure. */
  backoffMs: number
  /** Longest pause. */
  backoffMaxMs: number
}

/** A burst of wishes (a broker dies: all its partitions seek their leader) is one question. */
const burstMs = 5

export class QuestionClock {
  readonly #world: World
  readonly #options: QuestionClockOptions
  readonly #ask: () => void
  #timer: Timer | undefined
  #dueMs = Number.POSITIVE_INFINITY
  #askedAtMs = Number.NEGATIVE_INFINITY
  #asking = false
  #failures = 0
  #stopped = false

  /** `ask` is called when a question is due; `settle` or `fail` answers it, and not before that it is called again. */
  constructor(world: World, options: QuestionClockOptions, ask: () => void) {
    this.#world = world
    this.#options = options
    this.#ask = ask
  }

  /** Something is wanted now. `fresh`: it was never asked for, and need not keep the distance to the last question. */
  want(fresh = false): void {
    const distanceMs = fresh ? 0 : this.#askedAtMs + this.#options.backoffMs - this.#world.monotonicMs()
    // The pause after a failure is not cut short: that is what it is for.
    if (this.#failures === 0) this.within(Math.max(burstMs, distanceMs))
  }

  /** Ask in so long, or earlier when that is arranged already. */
  within(delayMs: number): void {
    if (this.#stopped || this.#asking) return
    const dueMs = this.#world.monotonicMs() + delayMs
    if (this.#timer && this.#dueMs <= dueMs) return
    if (this.#timer) this.#world.clearTimer(this.#timer)
    this.#dueMs = dueMs
    this.#timer = this.#world.setTimer(() => {
      this.#timer = undefined
      this.#asking = true
      this.#askedAtMs = this.#world.monotonicMs()
      this.#ask()
    }, delayMs)
  }

  /** The question was answered; arrange the next one after this. */
  settle(): void {
    this.#asking = false
    this.#failures = 0
  }

  /** It was not: asked again after a pause, which is returned. */
  fail(): number {
    this.#asking = false
    this.#failures++
    const pauseMs = this.pauseMs(this.#failures)
    this.within(pauseMs)
    return pauseMs
  }

  /** The pause before attempt number `attempt`: doubles, within 20 % of jitter (Kafka's `ExponentialBackoff`). */
  pauseMs(attempt: number): number {
    const { backoffMs, backoffMaxMs } = this.#options
    return Math.min(backoffMaxMs, backoffMs * 2 ** Math.min(attempt - 1, 20)) * (0.8 + 0.4 * this.#world.random())
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer) this.#world.clearTimer(this.#timer)
    this.#timer = undefined
  }
}
