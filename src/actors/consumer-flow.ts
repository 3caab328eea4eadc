/**
 * One consumed partition as the consumer's plane holds it (`Flow`), and one batch of it in somebody's hand (`Delivery`).
 * A delivery is in hand until it is completely acked or given back; a flow is drained when nothing of it is in hand.
 */
import { Bag } from '../flow/bag.ts'
import { FetchPartition, type FetchPartitionOptions } from '../flow/fetch-partition.ts'
import type { Fetcher } from '../flow/fetcher.ts'
import { indexOfOffset, type Ledger, type LedgerEntry } from '../flow/ledger.ts'
import type { PositionReason } from '../machines/consumed-partition.ts'
import type { Owned } from '../machines/consumer.ts'
import { type PlainError, UsageError } from '../model/errors.ts'
import type { ConsumerEmitted } from '../model/events.ts'
import type { Message } from '../model/message.ts'
import type { ResetPolicy } from '../model/subscription.ts'

/** Where a partition begins that was just assigned: its machine is born with this. */
export interface Claim extends Owned {
  /** Decimal; null: to be looked up, by `target` or by the reset policy. */
  offset: string | null
  /** Leader epoch of the message before it; null: not known. */
  offsetEpoch: number | null
  why: PositionReason
  target: ResetPolicy | null
  /** Of the topic in which `offset` is a place; null: not known. */
  topicId: string | null
  /** What is committed, where `offset` is another place. */
  committed: string | null
  paused: boolean
}

type MessageBatch = Extract<ConsumerEmitted, { type: 'message.batch' }>

/** What a handler that failed left undone, to be handed out again. */
export interface Again {
  entry: LedgerEntry
  ledger: Ledger
  attempt: number
}

/** The signal of the batches of one run; made when it is first looked at. */
class Interruption {
  #controller: AbortController | undefined
  #reason: Error | undefined

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#reason) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  abort(reason: Error): void {
    this.#reason ??= reason
    this.#controller?.abort(reason)
  }
}

/** Called when batches are acked: credit has returned, the position has moved. */
export interface FlowEvents {
  onSettled(flow: Flow): void
}

export class Flow extends FetchPartition {
  /** Path of its machine. */
  readonly path: string
  readonly epoch: number
  readonly inHand = new Bag<Delivery>()
  /** Somebody works on a batch of it: the next one waits, so that handlers of one partition never overlap. */
  taken = false
  /** It stands in the line of those that have something to hand out. */
  queued = false
  draining = false
  /** `world.monotonicMs()` up to which its drain may take. */
  drainUntilMs = 0
  /** What its machine is born with; until then it can be changed. */
  claim: Claim | undefined
  /** Numbers the user's seeks: the last one counts. */
  seeks = 0
  /** Sought elsewhere, and not there yet. */
  seeking = false
  /** Its topic is another one: what was handed out was of the old one. */
  recreated = false
  /** Why it is parked. */
  parked: PlainError | undefined
  /** Told that nobody listens. */
  unheard = false
  again: Again | undefined
  /** The loop that it is in. */
  fetcher: Fetcher | undefined
  /** For `consumer.stalled`: where the oldest batch in hand stood, and since when. */
  watched: { entry: LedgerEntry; processed: number; sinceMs: number; told: boolean } | undefined
  readonly events: FlowEvents
  /** Shared by all batches that are handed out between two jumps. */
  interruption = new Interruption()

  constructor(path: string, epoch: number, options: FetchPartitionOptions, events: FlowEvents) {
    super(options)
    this.path = path
    this.epoch = epoch
    this.events = events
  }

  get hasWork(): boolean {
    return this.again !== undefined ? !this.stopped && !this.paused : this.ready
  }

  /** What is in hand does not count any more, and nothing is handed out. */
  abort(reason: Error): void {
    this.stopped = true
    this.again = undefined
    for (const delivery of this.inHand) delivery.void()
    this.inHand.clear()
    this.interruption.abort(reason)
  }

  /** The same until `begin`: it goes on somewhere else. What was processed until now still counts until then. */
  sever(reason: Error): void {
    this.abort(reason)
    this.drop()
    this.seeks++
    this.seeking = true
    this.parked = undefined
    this.interruption = new Interruption()
  }

  override begin(offset: bigint, committed?: bigint, epoch?: number): void {
    super.begin(offset, committed, epoch)
    this.again = undefined
    this.parked = undefined
    this.seeking = false
    this.recreated = false
    this.stopped = false
  }
}

export class Delivery implements MessageBatch {
  readonly type = 'message.batch'
  readonly topic: string
  readonly partition: number
  readonly messages: readonly Message[]
  readonly flow: Flow
  readonly entry: LedgerEntry
  readonly ledger: Ledger
  /** How often it was handed out before. */
  readonly attempt: number
  /** Given back, completely acked, or void: its acks do not count any more. */
  closed = false
  readonly #interruption: Interruption

  constructor(flow: Flow, ledger: Ledger, entry: LedgerEntry, messages: readonly Message[], attempt: number) {
    this.topic = flow.topic
    this.partition = flow.partition
    this.messages = messages
    this.flow = flow
    this.ledger = ledger
    this.entry = entry
    this.attempt = attempt
    this.#interruption = flow.interruption
  }

  /** A function of its own, so that it may be passed on; made when it is asked for: one held by each delivery kept all their messages from dying young. */
  get ack(): (upTo?: Message) => void {
    return upTo => this.#acknowledge(upTo)
  }

  get signal(): AbortSignal {
    return this.#interruption.signal
  }

  /** Ends it, done or not. Those who iterate count `entry.processed` up themselves. */
  giveBack(): void {
    if (this.closed) return
    this.#close()
    this.ledger.settle(this.entry)
    this.flow.events.onSettled(this.flow)
  }

  void(): void {
    this.closed = true
  }

  #acknowledge(upTo: Message | undefined): void {
    if (this.closed) return
    const index = upTo === undefined ? this.entry.messages.length - 1 : this.#indexOf(upTo)
    if (!this.ledger.acknowledge(this.entry, index)) return
    this.#close()
    this.flow.events.onSettled(this.flow)
  }

  #indexOf(upTo: Message): number {
    const index = upTo.topic === this.topic && upTo.partition === this.partition ? indexOfOffset(this.entry.messages, upTo.offset) : -1
    if (index < 0 || this.entry.messages[index]!.offset !== upTo.offset)
      throw new UsageError(
        'NOT_IN_BATCH',
        `Message ${upTo.topic}/${upTo.partition}@${upTo.offset} is not in this batch of ${this.topic}/${this.partition}.`
      )
    return index
  }

  #close(): void {
    this.closed = true
    this.flow.inHand.delete(this)
  }
}
