/**
 * The typed listeners of one consumer. One of `message.batch` that throws, or whose promise rejects, leaves its batch unacked;
 * any other that throws is told as `trouble` and harms nobody.
 */
import { plainError } from '../model/errors.ts'
import type { ConsumerEmitted } from '../model/events.ts'
import type { Delivery } from './consumer-flow.ts'

export type Listener = (event: never) => void | Promise<void>
type Call = (event: ConsumerEmitted) => unknown

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

export class Listeners {
  #byType = new Map<string, Set<{ call: Call }>>()
  #onListening: (type: string) => void

  /** `onListening`: called after a listener was added. */
  constructor(onListening: (type: string) => void) {
    this.#onListening = onListening
  }

  add(type: string, listener: Listener): () => void {
    const entry = { call: listener as Call }
    const set = this.#byType.get(type) ?? new Set()
    this.#byType.set(type, set)
    set.add(entry)
    this.#onListening(type)
    return () => void set.delete(entry)
  }

  /** Does somebody listen to exactly this type? (`*` looks on; it does not take batches.) */
  has(type: string): boolean {
    return (this.#byType.get(type)?.size ?? 0) > 0
  }

  emit(event: ConsumerEmitted): void {
    for (const entry of this.#of(event.type)) this.#call(entry, event)
  }

  /**
   * Undefined: every listener is through. A promise: settles when all are; rejects with the first error. Those of `*` only look on, and come
   * first: an ack of a handler may bring about what they must not hear of before the batch (a partition given back).
   */
  deliver(delivery: Delivery): Promise<unknown> | undefined {
    let pending: Promise<unknown>[] | undefined
    for (const entry of this.#byType.get('*') ?? []) this.#call(entry, delivery)
    for (const { call } of [...(this.#byType.get('message.batch') ?? [])]) {
      try {
        const result = call(delivery)
        if (isPromise(result)) (pending ??= []).push(result)
      } catch (error) {
        ;(pending ??= []).push(Promise.reject(error))
      }
    }
    return pending && (pending.length === 1 ? pending[0] : Promise.all(pending))
  }

  #call({ call }: { call: Call }, event: ConsumerEmitted): void {
    try {
      const result = call(event)
      if (isPromise(result)) result.then(undefined, error => this.#trouble(event.type, error))
    } catch (error) {
      this.#trouble(event.type, error)
    }
  }

  #of(type: string): { call: Call }[] {
    const own = this.#byType.get(type)
    const all = this.#byType.get('*')
    return [...(own ?? []), ...(all ?? [])]
  }

  #trouble(type: string, error: unknown): void {
    // A listener of trouble that throws is not told of itself.
    if (type !== 'trouble') this.emit({ type: 'trouble', where: `listener of ${type}`, error: plainError(error) })
  }
}
