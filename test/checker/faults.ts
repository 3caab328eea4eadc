/**
 * Was the run worth anything? A green one counts only if faults fired, operations overlapped them, and both ok and unknown outcomes occurred.
 */
import type { Operation } from './operation.ts'

export class FaultCheck {
  fired = 0
  /** Operations that ended while something was wrong, or were under way when it began. */
  overlapped = 0
  readonly #active = new Map<string, number>()
  readonly #underWay = new Set<string>()
  #ok = 0
  #unknown = 0

  add(operation: Operation): void {
    const { f, type, process } = operation
    if (f === 'fault') return this.#fault(operation.value)
    if (f !== 'send' && f !== 'poll' && f !== 'txn') return
    if (type === 'invoke') {
      this.#underWay.add(process)
      return
    }
    this.#underWay.delete(process)
    if (this.#active.size > 0) this.overlapped++
    if (type === 'ok') this.#ok++
    if (type === 'info') this.#unknown++
  }

  #fault({ name, phase }: { name: string; phase?: 'begin' | 'end' }): void {
    const open = this.#active.get(name) ?? 0
    if (phase === 'end') {
      if (open > 1) this.#active.set(name, open - 1)
      else this.#active.delete(name)
      return
    }
    this.fired++
    this.overlapped += this.#underWay.size
    if (phase === 'begin') this.#active.set(name, open + 1)
  }

  /** What was missing for the run to prove anything. */
  missing(): string[] {
    return [
      ...(this.fired === 0 ? ['no fault fired'] : []),
      ...(this.fired > 0 && this.overlapped === 0 ? ['no operation overlapped a fault'] : []),
      ...(this.#ok === 0 ? ['no operation was ok'] : []),
      ...(this.#unknown === 0 ? ['no outcome was unknown'] : [])
    ]
  }
}
