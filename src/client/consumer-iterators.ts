/**
 * The two iterators of a consumer. They take batches from the plane when they are asked, so nothing waits in a queue of theirs:
 * a partition that is taken away only ever waits for the message, or the batch, in hand.
 *
 * The hot path of `next()` is a compare, a counter and an already resolved promise. The rest (a new batch, waiting, the end, and the
 * pause that lets timers and sockets have their turn) is in `#refill`.
 */
import type { Deliveries } from '../actors/consumer-delivery.ts'
import type { Delivery } from '../actors/consumer-flow.ts'
import type { PlaneHandle } from '../actors/consumer-handle.ts'
import type { ConsumerPlane } from '../actors/consumer-plane.ts'
import { type PlainError, SamsaError, UsageError } from '../model/errors.ts'
import type { ConsumerEmitted } from '../model/events.ts'
import type { Message } from '../model/message.ts'
import type { World } from '../model/world.ts'

/** A batch in a loop over `batches()`. */
export type MessageBatch = Omit<Extract<ConsumerEmitted, { type: 'message.batch' }>, 'type'>

/** The longest that a loop goes on without letting timers and sockets have their turn. */
const SLICE_MS = 10
/** The clock is looked at every so many messages (a power of two). */
const LOOK_EVERY = 64

const DONE = { value: undefined, done: true } as const

/** What both share: attaching to the plane, waiting for a batch, the end. */
class Source {
  readonly world: World
  plane: ConsumerPlane | undefined
  #handle: Promise<PlaneHandle>
  #close: () => Promise<void>
  #wake: (() => void) | undefined
  #detach: (() => void)[] = []
  #parked: PlainError | undefined
  #sinceMs = 0
  #over = false

  constructor(handle: Promise<PlaneHandle>, world: World, close: () => Promise<void>) {
    this.#handle = handle
    this.world = world
    this.#close = close
  }

  get deliveries(): Deliveries {
    return this.plane!.deliveries
  }

  /** This turn of the event loop has lasted long enough. */
  get tired(): boolean {
    return this.world.monotonicMs() - this.#sinceMs >= SLICE_MS
  }

  rest(): Promise<void> {
    return new Promise(resolve =>
      this.world.defer(() => {
        this.#sinceMs = this.world.monotonicMs()
        resolve()
      })
    )
  }

  /** The next batch; undefined: the consumer has ended. Rejects with what ended it. */
  async take(): Promise<Delivery | undefined> {
    if (this.#over) return undefined
    if (!this.plane) await this.#attach()
    for (;;) {
      if (this.#parked) return this.#fail(this.#parked)
      const delivery = this.plane!.ended ? undefined : this.deliveries.take()
      if (delivery) return delivery
      if (this.plane!.ended) return this.#ended()
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
      this.#sinceMs = this.world.monotonicMs()
    }
  }

  async #attach(): Promise<void> {
    const { plane } = await this.#handle
    if (plane.deliveries.attached)
      throw new UsageError('ALREADY_ITERATED', 'Somebody iterates over this consumer already; subscribe once more for a second loop.')
    this.plane = plane
    this.#sinceMs = this.world.monotonicMs()
    const wake = () => {
      this.#wake?.()
      this.#wake = undefined
    }
    // Nobody would ever learn of a parked partition that has no listener: then it ends the loop.
    const look = plane.listeners.add('*', (event: ConsumerEmitted) => {
      if (event.type === 'partition.parked' && (this.#parked = plane.unheardParking)) wake()
    })
    this.#parked = plane.unheardParking
    this.#detach = [plane.deliveries.attach(wake), look]
  }

  #ended(): undefined {
    const error = this.plane!.endError
    this.#release()
    if (error) throw errorOf(error)
    return undefined
  }

  async #fail(error: PlainError): Promise<never> {
    await this.close().catch(() => {})
    throw errorOf(error)
  }

  /** Leaving the loop: nothing is taken any more, and the consumer closes gracefully. */
  async close(): Promise<void> {
    if (this.#over) return
    this.#release()
    await this.#close()
  }

  #release(): void {
    this.#over = true
    for (const detach of this.#detach) detach()
    this.#detach = []
  }
}

const errorOf = ({ code, message, retriable, details }: PlainError) => new SamsaError(code, message, { retriable, details })

export class MessageIterator implements AsyncIterableIterator<Message> {
  #source: Source
  #delivery: Delivery | undefined
  #messages: readonly Message[] = []
  #at = 0
  /** A message was given out and the next was not asked for yet. */
  #inHand = false
  #interruptions = 0
  /** A refill that somebody waits for: calls that come meanwhile wait behind it. */
  #pending: Promise<IteratorResult<Message>> | undefined
  #clear = (): void => {
    this.#pending = undefined
  }

  constructor(handle: Promise<PlaneHandle>, world: World, close: () => Promise<void>) {
    this.#source = new Source(handle, world, close)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Message>> {
    const delivery = this.#delivery
    if (delivery !== undefined && this.#pending === undefined) {
      if (this.#inHand) delivery.entry.processed++
      const at = this.#at
      if (
        at < this.#messages.length &&
        this.#interruptions === this.#source.deliveries.interruptions &&
        (at % LOOK_EVERY !== 0 || !this.#source.tired)
      ) {
        this.#at = at + 1
        this.#inHand = true
        return Promise.resolve({ value: this.#messages[at]!, done: false })
      }
      this.#inHand = false
    }
    return this.#later()
  }

  /** Break or throw: the message in hand does not count. */
  async return(): Promise<IteratorResult<Message>> {
    this.#giveBack(false)
    await this.#source.close()
    return DONE
  }

  async throw(error: unknown): Promise<IteratorResult<Message>> {
    await this.return()
    throw error
  }

  #later(): Promise<IteratorResult<Message>> {
    const before = this.#pending
    const result: Promise<IteratorResult<Message>> = before
      ? before.then(
          () => this.next(),
          () => this.next()
        )
      : this.#refill()
    if (before) return result
    this.#pending = result
    result.then(this.#clear, this.#clear)
    return result
  }

  async #refill(): Promise<IteratorResult<Message>> {
    if (this.#delivery && this.#source.tired) await this.#source.rest()
    if (!this.#mayGoOn()) {
      const delivery = await this.#source.take()
      if (!delivery) return DONE
      this.#delivery = delivery
      this.#messages = delivery.messages
      this.#at = 0
    }
    this.#inHand = true
    return { value: this.#messages[this.#at++]!, done: false }
  }

  /** The batch in hand has more, and it may be handed out. Else it is given back. */
  #mayGoOn(): boolean {
    const delivery = this.#delivery
    if (!delivery) return false
    this.#interruptions = this.#source.deliveries.interruptions
    const standing = this.#source.deliveries.standing(delivery)
    if (standing === 'goes on' && this.#at < this.#messages.length) return true
    this.#giveBack(standing === 'later')
    return false
  }

  #giveBack(later: boolean): void {
    const delivery = this.#delivery
    if (!delivery) return
    this.#delivery = undefined
    this.#inHand = false
    this.#source.deliveries.putBack(delivery, later)
  }
}

export class BatchIterator implements AsyncIterableIterator<MessageBatch> {
  #source: Source
  #delivery: Delivery | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(handle: Promise<PlaneHandle>, world: World, close: () => Promise<void>) {
    this.#source = new Source(handle, world, close)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<MessageBatch>> {
    const result = this.#last.then(() => this.#next())
    this.#last = result.catch(() => {})
    return result
  }

  /** Break or throw: the batch in hand does not count, but for what was acked of it. */
  async return(): Promise<IteratorResult<MessageBatch>> {
    this.#giveBack()
    await this.#source.close()
    return DONE
  }

  async throw(error: unknown): Promise<IteratorResult<MessageBatch>> {
    await this.return()
    throw error
  }

  async #next(): Promise<IteratorResult<MessageBatch>> {
    this.#delivery?.ack()
    this.#giveBack()
    if (this.#source.plane && this.#source.tired) await this.#source.rest()
    const delivery = await this.#source.take()
    if (!delivery) return DONE
    this.#delivery = delivery
    return { value: delivery, done: false }
  }

  #giveBack(): void {
    const delivery = this.#delivery
    this.#delivery = undefined
    if (delivery) this.#source.deliveries.putBack(delivery, false)
  }
}
