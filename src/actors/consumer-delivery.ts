/**
 * Hands batches out: to listeners of `message.batch`, or to the one who iterates. Partitions take turns; of one partition a batch waits
 * until the handler of the one before has settled; acks may come later, until the credit is used.
 *
 *   offer(flow) → line → take() → listeners ─┬─ done ─────► next of this partition
 *                                            └─ threw ────► `handler.failed`: again after a pause | park | stop
 */
import { Bag } from '../flow/bag.ts'
import { plainError } from '../model/errors.ts'
import type { ConsumerEmitted } from '../model/events.ts'
import type { Message } from '../model/message.ts'
import type { Subscription } from '../model/subscription.ts'
import type { Timer, World } from '../model/world.ts'
import { Delivery, type Flow } from './consumer-flow.ts'
import type { Listeners } from './consumer-listeners.ts'

/** The longest that handing out goes on without letting timers and sockets have their turn. */
const SLICE_MS = 10
/** How often batches in hand are looked at is a part of `maxPollIntervalMs`, within these. */
const WATCH_LEAST_MS = 20
const WATCH_MOST_MS = 30_000
/** How soon it is looked again whether ownership is proven. */
const PROOF_LOOK_MS = 50

export interface DeliveryOptions {
  world: World
  subscription: Subscription
  listeners: Listeners
  retryBackoffMs: number
  retryBackoffMaxMs: number
  flows: () => Iterable<Flow>
  /** `world.monotonicMs()` up to which ownership is proven. A process that was frozen, or blocked, past it learns of its loss only later. */
  provenUntilMs: () => number
  /** Its bytes cannot be decoded: damage or a limit. */
  onDamaged: (flow: Flow, error: unknown) => void
  /** A handler threw and the policy is park or stop. */
  onPark: (flow: Flow, error: unknown) => void
  onStop: (error: unknown) => void
  /** The oldest batch in hand has not moved for `maxPollIntervalMs`. */
  onStuck: (flow: Flow, sinceMs: number) => void
  /** Nobody works any more on what was in hand of a stuck partition. */
  onFree: () => void
}

export class Deliveries {
  /** Counts what may have to interrupt an iteration: pauses, drains, losses, stalls. */
  interruptions = 0
  #options: DeliveryOptions
  #line: Flow[] = []
  #handOut = true
  #pumping = false
  #deferred = false
  #closed = false
  #puller: (() => void) | undefined
  #watchTimer: Timer | undefined
  #proofTimer: Timer | undefined
  #retryTimers = new Set<Timer>()
  /** Handed out and not done: somebody works on these. */
  #working = new Bag<Delivery>()
  /** Those of them that belong to stuck partitions. */
  #stuck = new Set<Delivery>()

  constructor(options: DeliveryOptions) {
    this.#options = options
  }

  /** It may have something to hand out. */
  offer(flow: Flow): void {
    if (flow.queued || flow.taken || !flow.hasWork || this.#closed) return
    flow.queued = true
    this.#line.push(flow)
    this.pump()
  }

  /** Stalled: nothing is handed out until this is true again. */
  setHandOut(handOut: boolean): void {
    if (handOut === this.#handOut) return
    this.#handOut = handOut
    this.interruptions++
    if (handOut) this.pump()
  }

  /** From now on batches are taken by `take`; `onReady` is called when there may be one. Returns what ends it. */
  attach(onReady: () => void): () => void {
    this.#puller = onReady
    return () => {
      this.#puller = undefined
    }
  }

  get attached(): boolean {
    return this.#puller !== undefined
  }

  /** The next batch, or undefined: none is ready. Must be followed by `done`. */
  take(): Delivery | undefined {
    while (this.#handOut && this.#line.length > 0 && !this.#closed && this.#proven()) {
      const flow = this.#line.shift()!
      flow.queued = false
      if (flow.taken || !flow.hasWork) continue
      const delivery = this.#next(flow)
      if (!delivery) continue
      flow.taken = true
      flow.inHand.add(delivery)
      this.#working.add(delivery)
      this.#watch()
      return delivery
    }
    return undefined
  }

  /** Nobody works on it any more (it may still be unacked). */
  done(delivery: Delivery): void {
    this.#workEnded(delivery)
    delivery.flow.taken = false
    this.offer(delivery.flow)
  }

  /** May the rest of a batch that somebody iterates over be handed out? Paused or stalled: later. Draining, lost or sought elsewhere: never. */
  standing(delivery: Delivery): 'goes on' | 'later' | 'never' {
    if (delivery.closed || delivery.flow.draining || delivery.flow.stopped) return 'never'
    return this.#handOut && !delivery.flow.paused && this.#proven() ? 'goes on' : 'later'
  }

  /** Takes back a batch that somebody iterates over, whatever is processed of it. `later`: its rest is handed out again. */
  putBack(delivery: Delivery, later: boolean): void {
    const { flow, entry, ledger } = delivery
    if (later && entry.processed < entry.messages.length && ledger === flow.ledger) flow.again = { entry, ledger, attempt: 0 }
    delivery.giveBack()
    this.done(delivery)
  }

  /** Hands out to listeners whatever there is, in slices of time. */
  pump(): void {
    if (this.#pumping || this.#deferred || this.#closed || this.#line.length === 0) return
    if (this.#puller) return this.#puller()
    if (!this.#options.listeners.has('message.batch')) return this.#reportUnheard()
    const { world } = this.#options
    const untilMs = world.monotonicMs() + SLICE_MS
    this.#pumping = true
    try {
      for (let delivery = this.take(); delivery; delivery = this.take()) {
        this.#deliver(delivery)
        if (world.monotonicMs() >= untilMs) {
          this.#deferred = true
          world.defer(() => {
            this.#deferred = false
            this.pump()
          })
          break
        }
      }
    } finally {
      this.#pumping = false
    }
  }

  close(): void {
    this.#closed = true
    this.#line = []
    const { world } = this.#options
    if (this.#watchTimer) world.clearTimer(this.#watchTimer)
    if (this.#proofTimer) world.clearTimer(this.#proofTimer)
    for (const timer of this.#retryTimers) world.clearTimer(timer)
    this.#retryTimers.clear()
    this.#puller?.()
  }

  /** False: nothing is handed out until the member has had its say, or the proof is there again. */
  #proven(): boolean {
    const { world, provenUntilMs } = this.#options
    const untilMs = provenUntilMs()
    if (untilMs === Number.POSITIVE_INFINITY || world.monotonicMs() < untilMs) return true
    this.#proofTimer ??= world.setTimer(() => {
      this.#proofTimer = undefined
      this.pump()
    }, PROOF_LOOK_MS)
    return false
  }

  #next(flow: Flow): Delivery | undefined {
    const { again } = flow
    if (again) {
      flow.again = undefined
      const rest = (again.entry.messages as readonly Message[]).slice(again.entry.processed)
      return new Delivery(flow, again.ledger, again.entry, rest, again.attempt)
    }
    try {
      const handed = flow.take(this.#options.subscription.batchMaxMessages)
      // All of it was nobody's: the position has moved, and there is credit again.
      if (!handed) return void flow.events.onSettled(flow)
      return new Delivery(flow, flow.ledger!, handed.entry, handed.messages, 0)
    } catch (error) {
      this.#options.onDamaged(flow, error)
      return undefined
    }
  }

  #deliver(delivery: Delivery): void {
    const pending = this.#options.listeners.deliver(delivery)
    if (pending === undefined) return this.done(delivery)
    pending.then(
      () => this.done(delivery),
      error => this.#failed(delivery, error)
    )
  }

  #failed(delivery: Delivery, error: unknown): void {
    const { subscription, listeners, onPark, onStop } = this.#options
    const { flow } = delivery
    this.#workEnded(delivery)
    if (this.#closed) return
    const over = delivery.closed || flow.stopped
    const policy = subscription.onHandlerError
    listeners.emit({ type: 'handler.failed', topic: flow.topic, partition: flow.partition, error: plainError(error), policy })
    // Acked before it threw, or the partition is on its way out: there is nothing to hand out again.
    delivery.giveBack()
    flow.taken = false
    if (over) return this.offer(flow)
    if (policy === 'park') onPark(flow, error)
    else if (policy === 'stop') onStop(error)
    else this.#retry(delivery)
  }

  /** Hands the rest of the batch out again after a pause; meanwhile nothing else of the partition is. */
  #retry({ flow, entry, ledger, attempt }: Delivery): void {
    const { world, retryBackoffMs, retryBackoffMaxMs } = this.#options
    const pauseMs = Math.min(retryBackoffMaxMs, retryBackoffMs * 2 ** Math.min(attempt, 20)) * (0.8 + 0.4 * world.random())
    flow.taken = true
    const timer = world.setTimer(() => {
      this.#retryTimers.delete(timer)
      flow.taken = false
      if (!flow.stopped && ledger === flow.ledger) flow.again = { entry, ledger, attempt: attempt + 1 }
      this.offer(flow)
    }, pauseMs)
    this.#retryTimers.add(timer)
  }

  #reportUnheard(): void {
    for (const flow of this.#line) {
      if (flow.unheard) continue
      flow.unheard = true
      this.#options.listeners.emit({ type: 'batch.unheard', topic: flow.topic, partition: flow.partition })
    }
  }

  /** While something is in hand: is it worked on? (KIP-62's `max.poll.interval.ms`, told, not punished.) */
  #watch(): void {
    if (this.#watchTimer || this.#closed) return
    const { world, subscription } = this.#options
    const everyMs = Math.min(WATCH_MOST_MS, Math.max(WATCH_LEAST_MS, subscription.maxPollIntervalMs / 4))
    this.#watchTimer = world.setTimer(() => {
      this.#watchTimer = undefined
      if (this.#look()) this.#watch()
    }, everyMs)
  }

  /** Tells of each batch that has not moved for too long. True: something is in hand. */
  #look(): boolean {
    const { world, subscription, listeners, flows } = this.#options
    const nowMs = world.monotonicMs()
    let some = false
    for (const flow of flows()) {
      const oldest = flow.inHand.size > 0 ? flow.ledger?.oldest : undefined
      if (!oldest) {
        flow.watched = undefined
        continue
      }
      some = true
      const { watched } = flow
      if (watched?.entry !== oldest || watched.processed !== oldest.processed)
        flow.watched = { entry: oldest, processed: oldest.processed, sinceMs: nowMs, told: false }
      else if (!watched.told && nowMs - watched.sinceMs >= subscription.maxPollIntervalMs) {
        watched.told = true
        const event: ConsumerEmitted = {
          type: 'consumer.stalled',
          topic: flow.topic,
          partition: flow.partition,
          sinceMs: Math.round(nowMs - watched.sinceMs)
        }
        listeners.emit(event)
        this.#stick(flow, event.sinceMs)
      }
    }
    return some
  }

  #stick(flow: Flow, sinceMs: number): void {
    for (const delivery of this.#working) if (delivery.flow === flow) this.#stuck.add(delivery)
    this.#options.onStuck(flow, sinceMs)
    if (this.#stuck.size === 0) this.#options.onFree()
  }

  #workEnded(delivery: Delivery): void {
    this.#working.delete(delivery)
    if (this.#stuck.delete(delivery) && this.#stuck.size === 0) this.#options.onFree()
  }
}
