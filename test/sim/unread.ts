/**
 * What was acked and has not been read by everybody who should: the end of a run waits for it.
 */
import type { Message } from '../../src/index.ts'

export class Unread {
  #seen: Map<string, Set<string>>
  #missing: Map<string, Set<string>>
  #gone = new Set<string>()

  constructor(readers: readonly string[]) {
    this.#seen = new Map(readers.map(name => [name, new Set<string>()]))
    this.#missing = new Map(readers.map(name => [name, new Set<string>()]))
  }

  /** `by`: only these readers need to read them. */
  acked(values: readonly string[], by: readonly string[] = [...this.#missing.keys()]): void {
    for (const name of by)
      for (const value of values) if (!this.#gone.has(value) && !this.#seen.get(name)?.has(value)) this.#missing.get(name)?.add(value)
  }

  read(by: string, messages: Iterable<Message>): void {
    for (const { value } of messages) {
      this.#seen.get(by)!.add(String(value))
      this.#missing.get(by)!.delete(String(value))
    }
  }

  /** They lay in a topic that was deleted. */
  gone(values: Iterable<string>): void {
    for (const value of values) {
      this.#gone.add(value)
      for (const missing of this.#missing.values()) missing.delete(value)
    }
  }

  get none(): boolean {
    for (const missing of this.#missing.values()) if (missing.size > 0) return false
    return true
  }

  told(): string[] {
    return [...this.#missing].flatMap(([name, missing]) =>
      missing.size === 0 ? [] : [`acked, and the ${name} has not read it: ${[...missing].slice(0, 5).join(', ')} (${missing.size})`]
    )
  }
}
