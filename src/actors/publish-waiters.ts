/**
 * Publishes that wait: for their topic to be known, or for memory. In order per cause, each at most `maxBlockMs`, and not too many.
 */
import type { Delivery } from '../flow/batch.ts'
import { PublishError } from '../model/errors.ts'
import type { ClusterEmitted } from '../model/events.ts'
import type { Timer, World } from '../model/world.ts'
import type { CheckedMessages } from './outgoing.ts'

export interface Waiter {
  topic: string
  /** In memory of their own. */
  messages: CheckedMessages
  /** When they were published. */
  nowMs: number
  sizeUpperBound: number
  delivery: Delivery
}

interface Waiting extends Waiter {
  deadlineMs: number
}

/** More than this many do not wait: they fail at once. */
const WAITERS_MAX = 100_000

export interface PublishWaitersOptions {
  world: World
  maxBlockMs: number
  /** What they wait for is room in it. */
  outbox: boolean
  emit: (event: ClusterEmitted) => void
  bufferedBytes: () => number
  /** Some have given up waiting. */
  dropped: () => void
}

export class PublishWaiters {
  #options: PublishWaitersOptions
  /** By topic, in order. */
  #waiting = new Map<string, Waiting[]>()
  #count = 0
  #timer: Timer | undefined
  #admitting = false

  constructor(options: PublishWaitersOptions) {
    this.#options = options
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** Somebody waits for this topic: who comes later waits behind. */
  holds(topic: string): boolean {
    return this.#waiting.has(topic)
  }

  add(waiter: Waiter): void {
    const { world, maxBlockMs, emit, bufferedBytes } = this.#options
    if (this.#count >= WAITERS_MAX) {
      const what = `${WAITERS_MAX} publishes wait already; slow down, or raise publish.bufferMemoryBytes.`
      waiter.delivery.failed(new PublishError('BUFFER_FULL', what, 'failed', { retriable: true }))
      return
    }
    const deadlineMs = world.monotonicMs() + maxBlockMs
    const list = this.#waiting.get(waiter.topic)
    if (list) list.push({ ...waiter, deadlineMs })
    else this.#waiting.set(waiter.topic, [{ ...waiter, deadlineMs }])
    this.#count++
    this.#arm(deadlineMs)
    if (this.#count === 1) emit({ type: 'publish.blocked', bufferedBytes: bufferedBytes() })
  }

  /** Lets in those whose time has come, each topic's in order. */
  admit(may: (topic: string) => boolean, enter: (waiter: Waiter) => void): void {
    if (this.#admitting || this.#count === 0) return
    this.#admitting = true
    for (const [topic, list] of [...this.#waiting]) {
      let entered = 0
      while (entered < list.length && may(topic)) {
        this.#count--
        enter(list[entered++]!)
      }
      list.splice(0, entered)
      if (list.length === 0) this.#waiting.delete(topic)
    }
    this.#admitting = false
    this.#noteIfEmpty()
  }

  #noteIfEmpty(): void {
    if (this.#count === 0) this.#options.emit({ type: 'publish.unblocked', bufferedBytes: this.#options.bufferedBytes() })
  }

  fail(topic: string, error: PublishError): void {
    this.#drop(topic, Number.POSITIVE_INFINITY, () => error)
  }

  close(error: PublishError): void {
    if (this.#timer !== undefined) this.#options.world.clearTimer(this.#timer)
    this.#timer = undefined
    for (const topic of [...this.#waiting.keys()]) this.fail(topic, error)
  }

  /** Deadlines ascend within a topic: those that have passed are at the head. */
  #drop(topic: string, nowMs: number, error: (waiter: Waiting) => PublishError): void {
    const list = this.#waiting.get(topic) ?? []
    const late = list.findIndex(waiter => waiter.deadlineMs > nowMs)
    const dropped = list.splice(0, late < 0 ? list.length : late)
    if (list.length === 0) this.#waiting.delete(topic)
    this.#count -= dropped.length
    if (dropped.length === 0) return
    for (const waiter of dropped) waiter.delivery.failed(error(waiter))
    this.#noteIfEmpty()
    this.#options.dropped()
  }

  #arm(deadlineMs: number): void {
    const { world } = this.#options
    this.#timer ??= world.setTimer(() => this.#onTimer(), Math.max(1, deadlineMs - world.monotonicMs()))
  }

  #onTimer(): void {
    const { world, maxBlockMs, outbox } = this.#options
    this.#timer = undefined
    const now = world.monotonicMs()
    for (const topic of [...this.#waiting.keys()])
      this.#drop(topic, now, () => {
        const what = outbox
          ? `There was no room in the outbox (outboxMaxBytes), or topic ${topic} was not known, for ${maxBlockMs} ms (publish.maxBlockMs): it was not accepted.`
          : `Neither memory nor topic ${topic} was to be had within ${maxBlockMs} ms (publish.maxBlockMs).`
        return new PublishError(outbox ? 'OUTBOX_FULL' : 'BLOCKED_TIMEOUT', what, 'failed', { retriable: true, details: { topic } })
      })
    let earliest = Number.POSITIVE_INFINITY
    for (const list of this.#waiting.values()) earliest = Math.min(earliest, list[0]!.deadlineMs)
    if (earliest !== Number.POSITIVE_INFINITY) this.#arm(earliest)
  }
}
