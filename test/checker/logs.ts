/**
 * The version order: what lies at which offset of each partition, as far as the history tells. Known from sends that are ok, from sends of
 * unknown outcome of which an ok poll has read something, and from all polls.
 */
import type { Findings } from './anomalies.ts'
import { incarnationOf } from './incarnations.ts'

/** Something lies there; which value, nobody told. */
export const UNTOLD = -1

/** What became of a value. */
export const SENT_OK = 1
export const SENT_UNKNOWN = 2
/** The publish certainly failed. */
export const SENT_FAILED = 4
/** Its transaction was aborted. */
export const ABORTED = 8
/** By a poll that is ok. */
export const READ = 16
/** By more than one operation: what then lies twice was asked for. */
export const SENT_AGAIN = 32

export class PartitionLog {
  readonly key: string
  readonly values = new Map<number, number>()
  /** Further values of an offset. */
  readonly conflicts = new Map<number, Set<number>>()
  #order: number[] | undefined

  constructor(key: string) {
    this.key = key
  }

  place(offset: number, id: number): void {
    const there = this.values.get(offset)
    if (there === undefined || (there === UNTOLD && id !== UNTOLD)) {
      if (there === undefined) this.#order = undefined
      this.values.set(offset, id)
    } else if (id !== UNTOLD && there !== id) {
      const others = this.conflicts.get(offset) ?? new Set()
      others.add(id)
      this.conflicts.set(offset, others)
    }
  }

  /** All offsets at which something lies, ascending. */
  get order(): readonly number[] {
    this.#order ??= [...this.values.keys()].sort((a, b) => a - b)
    return this.#order
  }

  /** Offsets of messages that lie between two offsets, neither included; at most `limit`. */
  between(low: number, high: number, limit: number): number[] {
    const { order } = this
    let [from, to] = [0, order.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (order[middle]! <= low) from = middle + 1
      else to = middle
    }
    const found = []
    for (let at = from; at < order.length && order[at]! < high && found.length < limit; at++) found.push(order[at]!)
    return found
  }
}

export class Logs {
  readonly #logs = new Map<string, PartitionLog>()
  readonly #ids = new Map<string, number>()
  readonly #texts: string[] = []
  readonly #flags: number[] = []
  /** Where each value was seen first: log and offset. */
  readonly #places: ({ log: PartitionLog; offset: number } | undefined)[] = []
  /** Values with more than one place: all of them, as `key@offset`. */
  readonly #doubled = new Map<number, Set<string>>()

  log(key: string): PartitionLog {
    let log = this.#logs.get(key)
    if (!log) this.#logs.set(key, (log = new PartitionLog(key)))
    return log
  }

  get all(): Iterable<PartitionLog> {
    return this.#logs.values()
  }

  get keys(): number {
    return this.#logs.size
  }

  /** The number of a value. */
  id(text: string): number {
    let id = this.#ids.get(text)
    if (id === undefined) {
      id = this.#texts.length
      this.#ids.set(text, id)
      this.#texts.push(text)
      this.#flags.push(0)
      this.#places.push(undefined)
    }
    return id
  }

  get size(): number {
    return this.#texts.length
  }

  text(id: number): string {
    return id === UNTOLD ? '(unknown)' : this.#texts[id]!
  }

  mark(id: number, flag: number): void {
    this.#flags[id]! |= flag
  }

  is(id: number, flags: number): boolean {
    return id !== UNTOLD && (this.#flags[id]! & flags) !== 0
  }

  /** Its transaction was aborted: who reads committed messages only does not see it. */
  isHidden(id: number): boolean {
    return this.is(id, ABORTED) && !this.is(id, SENT_OK | SENT_UNKNOWN)
  }

  placeOf(id: number): { log: PartitionLog; offset: number } | undefined {
    return this.#places[id]
  }

  place(key: string, offset: number, id: number): void {
    const log = this.log(key)
    log.place(offset, id)
    if (id === UNTOLD) return
    const first = this.#places[id]
    if (!first) this.#places[id] = { log, offset }
    else if (first.log !== log || first.offset !== offset) {
      const places = this.#doubled.get(id) ?? new Set([`${first.log.key}@${first.offset}`])
      places.add(`${key}@${offset}`)
      this.#doubled.set(id, places)
    }
  }

  /** Every place of a value, as `key@offset`. */
  placesOf(id: number): readonly string[] {
    const doubled = this.#doubled.get(id)
    if (doubled) return [...doubled]
    const first = this.#places[id]
    return first ? [`${first.log.key}@${first.offset}`] : []
  }

  finish(findings: Findings): void {
    for (const log of this.all)
      for (const [offset, others] of log.conflicts) {
        const values = [log.values.get(offset)!, ...others].map(id => this.text(id))
        findings.add('inconsistent-offsets', {
          what: `${log.key}@${offset} holds ${values.join(' and ')}`,
          key: log.key,
          value: values[0]!,
          offsets: [offset]
        })
      }
    for (const [id, places] of this.#doubled) {
      // Sent anew into the topic that was made after the one it lay in.
      if (new Set([...places].map(incarnationOf)).size === places.size) continue
      const again = this.is(id, SENT_AGAIN)
      findings.add(
        'duplicate',
        {
          what: `${this.text(id)} lies at ${[...places].join(' and ')}${again ? '; it was sent more than once' : ''}`,
          value: this.text(id)
        },
        { legal: again }
      )
    }
  }
}
