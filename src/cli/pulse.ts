/**
 * When to look again: after a pause, at once when something is said to have changed, and never more often than a least gap.
 */
import type { Timer, World } from '../model/world.ts'

export class Pulse {
  readonly #world: World
  readonly #leastMs: number
  #lastMs = Number.NEGATIVE_INFINITY
  #poked = false
  #wake: (() => void) | undefined
  #over = false

  constructor(world: World, leastMs: number) {
    this.#world = world
    this.#leastMs = leastMs
  }

  /** Something has changed. */
  poke(): void {
    this.#poked = true
    this.#wake?.()
  }

  /** Nobody wants to look any more. */
  end(): void {
    this.#over = true
    this.#wake?.()
  }

  /** False: it has ended. Counts from when the last wait was over. */
  async next(everyMs: number): Promise<boolean> {
    const dueMs = () => this.#lastMs + (this.#poked ? Math.min(this.#leastMs, everyMs) : everyMs)
    while (!this.#over && this.#world.monotonicMs() < dueMs()) await this.#sleep(dueMs() - this.#world.monotonicMs())
    this.#poked = false
    this.#lastMs = this.#world.monotonicMs()
    return !this.#over
  }

  #sleep(ms: number): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        this.#world.clearTimer(timer)
        this.#wake = undefined
        resolve()
      }
      const timer: Timer = this.#world.setTimer(done, ms)
      this.#wake = done
    })
  }
}
