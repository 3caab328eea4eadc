/**
 * A World's timers as XState wants a clock: what `after` in a statechart waits by.
 */
import type { Timer, World } from '../model/world.ts'

export function clockOf(world: World) {
  return {
    setTimeout: (callback: (...args: unknown[]) => void, delayMs: number) => world.setTimer(callback, delayMs),
    clearTimeout: (timer: unknown) => world.clearTimer(timer as Timer)
  }
}
