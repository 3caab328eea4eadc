/**
 * Waiting for what another process does: asked again and again until it is so, with a deadline. For states inside this process,
 * wait for the event instead.
 */
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Answers with the first value of `probe` that is not undefined or false. A probe that throws counts as "not yet"; the last error is
 * told when the deadline passes.
 */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  limitMs = 30_000
): Promise<T> {
  const deadline = Date.now() + limitMs
  let last: unknown
  for (;;) {
    try {
      const value = await probe()
      if (value !== undefined && value !== false) return value
      last = undefined
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error(`waited ${limitMs / 1000} s in vain for: ${what}`, { cause: last })
    await delay(50)
  }
}
