/**
 * Sends: what was written, by whom, with which outcome, in which order. Finds `nonmonotonic-send` and, at the end, `G1a`.
 */
import type { Findings } from './anomalies.ts'
import type { Dependencies } from './dependencies.ts'
import { ABORTED, type Logs, READ, SENT_AGAIN, SENT_FAILED, SENT_OK, SENT_UNKNOWN } from './logs.ts'
import type { Entry, Operation, Step } from './operation.ts'

type Writing = Extract<Operation, { f: 'send' | 'poll' | 'txn' }>
type Send = { key: string; offset: number | null; id: number }

/** Acked sends of one incarnation of a producer to one key: when each was asked for, and where it lies. */
interface Order {
  process: string
  key: string
  asked: number[]
  offsets: number[]
  operations: number[]
}

export class Sends {
  acked = 0
  failed = 0
  unknown = 0
  readonly #logs: Logs
  readonly #dependencies: Dependencies
  /** When a value was asked to be sent; until the outcome is known. */
  readonly #asked = new Map<number, number>()
  readonly #orders = new Map<string, Order>()
  readonly #incarnations = new Map<string, number>()
  /** Operations of unknown outcome whose offsets are told: they count when one of their values was read. */
  readonly #open: { sends: Send[]; index: number }[] = []

  constructor(logs: Logs, dependencies: Dependencies) {
    this.#logs = logs
    this.#dependencies = dependencies
  }

  add(operation: Operation): void {
    if (operation.f === 'crash' || operation.f === 'close')
      this.#incarnations.set(operation.process, (this.#incarnations.get(operation.process) ?? 0) + 1)
    if (operation.f !== 'send' && operation.f !== 'txn') return
    const sends = this.#sendsOf(operation.value)
    if (sends.length === 0) return
    if (operation.type === 'invoke') this.#invoked(sends, operation.index)
    else this.#completed(operation as Writing, sends)
  }

  #sendsOf(steps: readonly Step[]): Send[] {
    const sends = []
    for (const step of steps) {
      if (step[0] !== 'send') continue
      const [offset, value] = step[2] as Entry
      // Nobody could tell a message without a value from another.
      if (value !== undefined && value !== null) sends.push({ key: step[1], offset, id: this.#logs.id(value) })
    }
    return sends
  }

  #invoked(sends: readonly Send[], index: number): void {
    for (const { id } of sends) this.#asked.set(id, index)
  }

  #completed(operation: Writing, sends: Send[]): void {
    const { type, f, index } = operation
    for (const { id } of sends) {
      if (this.#logs.is(id, SENT_OK | SENT_UNKNOWN)) this.#logs.mark(id, SENT_AGAIN)
    }
    if (type === 'fail') {
      this.failed++
      for (const { id } of sends) this.#logs.mark(id, f === 'txn' ? ABORTED : SENT_FAILED)
    } else if (type === 'info') {
      this.unknown++
      for (const { id } of sends) this.#logs.mark(id, SENT_UNKNOWN)
      this.#open.push({ sends, index })
    } else {
      this.acked++
      this.#written(sends, index)
      for (const { id } of sends) this.#logs.mark(id, SENT_OK)
      for (const send of sends) this.#ordered(operation.process, send, index)
    }
    for (const { id } of sends) this.#asked.delete(id)
  }

  #written(sends: readonly Send[], index: number): void {
    for (const { key, offset, id } of sends) {
      if (offset !== null) this.#logs.place(key, offset, id)
      this.#dependencies.writes(id, index)
    }
  }

  #ordered(process: string, { key, offset, id }: Send, index: number): void {
    if (offset === null) return
    const name = `${process}\u0000${this.#incarnations.get(process) ?? 0}\u0000${key}`
    let order = this.#orders.get(name)
    if (!order) this.#orders.set(name, (order = { process, key, asked: [], offsets: [], operations: [] }))
    order.asked.push(this.#asked.get(id) ?? index)
    order.offsets.push(offset)
    order.operations.push(index)
  }

  /** Before the others: what of the unknown was written after all. */
  settle(): void {
    for (const { sends, index } of this.#open) if (sends.some(({ id }) => this.#logs.is(id, READ))) this.#written(sends, index)
  }

  finish(findings: Findings): void {
    for (const order of this.#orders.values()) this.#checkOrder(order, findings)
    for (let id = 0; id < this.#logs.size; id++) {
      if (!this.#logs.is(id, READ) || !this.#logs.is(id, SENT_FAILED | ABORTED) || this.#logs.is(id, SENT_OK | SENT_UNKNOWN)) continue
      const aborted = this.#logs.is(id, ABORTED)
      const value = this.#logs.text(id)
      const why = aborted ? 'its transaction was aborted' : 'its publish failed'
      // A publish that failed was certainly not written, in every mode; what was aborted is hidden from read_committed alone.
      findings.add(
        'G1a',
        { what: `${value} was read at ${this.#logs.placesOf(id).join(' and ')}, but ${why}`, value },
        { legal: aborted && findings.mode !== 'read_committed' }
      )
    }
  }

  #checkOrder({ process, key, asked, offsets, operations }: Order, findings: Findings): void {
    const turns = asked.map((_, at) => at)
    if (asked.some((index, at) => at > 0 && index < asked[at - 1]!)) turns.sort((a, b) => asked[a]! - asked[b]! || a - b)
    for (let at = 1; at < turns.length; at++) {
      const [before, after] = [turns[at - 1]!, turns[at]!]
      // Equal ones are another anomaly: two values at one offset.
      if (offsets[after]! >= offsets[before]!) continue
      findings.add('nonmonotonic-send', {
        what: `${process} sent to ${key}@${offsets[after]} after ${key}@${offsets[before]}`,
        key,
        process,
        offsets: [offsets[before]!, offsets[after]!],
        operations: [operations[before]!, operations[after]!]
      })
    }
  }
}
