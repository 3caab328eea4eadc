/**
 * Publishes that wait: for their topic to be known, or for memory. In order per cause, each at most `maxBlockMs`, and not too many.
 */
import type { PlainMessage } from '../flow/accumulator.ts'
import type { Delivery } from '../flow/batch.ts'
import { PublishError } from '../model/errors.ts'
import type { ClusterEmitted } from '../model/events.ts'
import type { OutgoingMessage } from '../model/message.ts'
import type { Timer, World } from '../model/world.ts'

export interface Waiter {
  topic: string
  list: { plain: PlainMessage[]; originals: readonly OutgoingMessage[] }
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
  emit: (event: ClusterEmitted) => void
  bufferedBytes: () => number
}

export class PublishWaiters {
  #options: PublishWaitersOptions
  #waiting: Waiting[] = []
  #timer: Timer | undefined
  #admitting = false

  constructor(options: PublishWaitersOptions) {
    this.#options = options
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  add(waiter: Waiter): void {
    const { world, maxBlockMs, emit, bufferedBytes } = this.#options
    if (this.#waiting.length >= WAITERS_MAX) {
      waiter.delivery.failed(
        new PublishError('BUFFER_FULL', `${WAITERS_MAX} publishes wait already; slow down, or raise publish.bufferMemoryBytes.`, 'failed', {
          retriable: true
        })
      )
      return
    }
    if (this.#waiting.length === 0) emit({ type: 'publish.blocked', bufferedBytes: bufferedBytes() })
    this.#waiting.push({ ...waiter, deadlineMs: world.monotonicMs() + maxBlockMs })
    this.#arm()
  }

  /** Lets in those whose time has come. One that must go on waiting holds back only those of its own topic. */
  admit(may: (topic: string) => boolean, enter: (waiter: Waiter) => void): void {
    if (this.#admitting || this.#waiting.length === 0) return
    this.#admitting = true
    const held = new Set<string>()
    const still: Waiting[] = []
    const before = this.#waiting
    this.#waiting = []
    for (const waiter of before) {
      if (!held.has(waiter.topic) && may(waiter.topic)) enter(waiter)
      else {
        held.add(waiter.topic)
        still.push(waiter)
      }
    }
    this.#waiting = [...still, ...this.#waiting]
    this.#admitting = false
    if (this.#waiting.length === 0 && before.length > 0)
      this.#options.emit({ type: 'publish.unblocked', bufferedBytes: this.#options.bufferedBytes() })
  }

  fail(topic: string, error: PublishError): void {
    this.#take(
      waiter => waiter.topic === topic,
      () => error
    )
  }

  close(error: PublishError): void {
    if (this.#timer !== undefined) this.#options.world.clearTimer(this.#timer)
    this.#timer = undefined
    this.#take(
      () => true,
      () => error
    )
  }

  #take(which: (waiter: Waiting) => boolean, error: (waiter: Waiting) => PublishError): void {
    const taken = this.#waiting.filter(which)
    this.#waiting = this.#waiting.filter(waiter => !which(waiter))
    for (const waiter of taken) waiter.delivery.failed(error(waiter))
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#waiting.length === 0) return
    const { world, maxBlockMs } = this.#options
    this.#timer = world.setTimer(
      () => {
        this.#timer = undefined
        const now = world.monotonicMs()
        this.#take(
          waiter => waiter.deadlineMs <= now,
          waiter =>
            new PublishError(
              'BLOCKED_TIMEOUT',
              `Neither memory nor topic ${waiter.topic} was to be had within ${maxBlockMs} ms (publish.maxBlockMs).`,
              'failed',
              {
                retriable: true,
                details: { topic: waiter.topic }
              }
            )
        )
        this.#arm()
      },
      Math.max(1, this.#waiting[0]!.deadlineMs - world.monotonicMs())
    )
  }
}
