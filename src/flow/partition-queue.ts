/**
 * The batches of one partition: sealed ones in order, and flights, which carry a sequence. The machine `partition` decides when
 * something goes; this class knows what. It reports levels, once per answered round.
 *
 * Rules: at most `window` flights. A flight keeps its bytes and sequence over every repetition. After a refusal or a lost link nothing
 * new goes until all flights are answered, and the flights go again first, in order. Sequences begin at 0 for each epoch, and the epoch
 * is this partition's own (brokers keep producer state per partition), so a bump disturbs no other one (KIP-360).
 */
import { BrokerError, PublishError } from '../model/errors.ts'
import { kafkaError } from '../model/kafka-errors.ts'
import { stamp } from '../wire/records/index.ts'
import type { PublishBatch } from './batch.ts'

export interface QueueEvents {
  /** Answers came and none was a refusal. */
  acked(queue: PartitionQueue): void
  /** All answers are in, and flights must go again. */
  refused(queue: PartitionQueue, reason: string, seek: boolean): void
  linkLost(queue: PartitionQueue, reason: string): void
  /** The batch has left this queue for good; its memory is free. */
  done(batch: PublishBatch): void
  /** This partition has used up its epochs: a new producer id is needed. */
  needIdentity(): void
}

export interface Answer {
  errorCode: number
  errorMessage: string | null
  baseOffset: bigint
  logAppendTimeMs: number
}

const EPOCH_MAX = 32_766
const DUPLICATE_SEQUENCE = 46
const OUT_OF_ORDER = 45
const UNKNOWN_PRODUCER = 59
const STALE_EPOCHS = new Set([47, 90])
/** Answers after which the broker may still have written the batch (timed out, or fewer replicas than asked for). */
const OPEN_ANSWERS = new Set([-1, 7, 20])

export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly path: string
  readonly sealed: PublishBatch[] = []
  readonly flights: PublishBatch[] = []
  /** The machine's term in which flights were last sent. */
  term = 0
  #events: QueueEvents
  #idempotent: boolean
  #producerId = -1n
  #epoch = -1
  #nextSequence = 0
  #refusal: { reason: string; seek: boolean } | undefined
  #lost: string | undefined

  constructor(options: { topic: string; partition: number; path: string; idempotent: boolean; events: QueueEvents }) {
    this.topic = options.topic
    this.partition = options.partition
    this.path = options.path
    this.#idempotent = options.idempotent
    this.#events = options.events
  }

  get levels(): { inFlight: number; queued: number } {
    return { inFlight: this.flights.length, queued: this.sealed.length }
  }

  get isEmpty(): boolean {
    return this.flights.length === 0 && this.sealed.length === 0
  }

  /** Bytes that wait or fly: unkeyed messages prefer the partition with the least. */
  get pendingBytes(): number {
    let bytes = 0
    for (const batch of this.flights) bytes += batch.sealed.buffer.length
    for (const batch of this.sealed) bytes += batch.sealed.buffer.length
    return bytes
  }

  /** A new identity from the registry of producer ids. Flights that may have been written keep theirs. */
  setIdentity(producerId: bigint, epoch: number): void {
    if (producerId === this.#producerId) return
    this.#producerId = producerId
    this.#epoch = epoch
    this.#nextSequence = 0
  }

  /** Hands out, in order, what may be sent now; the caller puts it on a wire and answers each with `answered` or `lost`. */
  take(term: number, window: number): PublishBatch[] {
    if (term !== this.term) this.#beginTerm(term)
    if (this.#refusal || this.#lost !== undefined) return []
    if (this.#idempotent && this.#producerId < 0n) return []
    const out: PublishBatch[] = []
    let flying = 0
    for (const flight of this.flights) {
      if (flying === window) return out
      flying++
      if (flight.onWire) continue
      if (flight.sequence < 0) this.#assign(flight)
      out.push(this.#send(flight))
    }
    while (flying < window && this.sealed.length > 0) {
      const batch = this.sealed.shift()!
      this.#assign(batch)
      this.flights.push(batch)
      out.push(this.#send(batch))
      flying++
    }
    return out
  }

  answered(batch: PublishBatch, attempt: number, answer: Answer): void {
    if (batch.settled) return
    if (answer.errorCode === 0 || answer.errorCode === DUPLICATE_SEQUENCE) {
      this.#remove(batch)
      batch.acked(this.partition, answer.errorCode === 0 ? answer.baseOffset : -1n, answer.logAppendTimeMs)
      this.#events.done(batch)
    } else if (attempt !== batch.attempt) {
      return // an older send was refused; the present one decides
    } else {
      batch.onWire = false
      if (OPEN_ANSWERS.has(answer.errorCode)) batch.maybeWritten = true
      this.#refuse(batch, answer)
    }
    this.#report()
  }

  /** The connection ended before the answer: whether it was written is unknown. */
  lost(batch: PublishBatch, attempt: number, reason: string): void {
    if (batch.settled) return
    batch.maybeWritten = true
    if (attempt !== batch.attempt) return
    batch.onWire = false
    this.#lost ??= reason
    this.#report()
  }

  /** It was never put on a wire after all. */
  unsent(batch: PublishBatch, attempt: number, reason: string): void {
    if (batch.settled || attempt !== batch.attempt) return
    batch.onWire = false
    this.#lost ??= reason
    this.#report()
  }

  /** Takes out the sealed batches that may go elsewhere, in order. */
  takeMovable(): PublishBatch[] {
    const out: PublishBatch[] = []
    for (let i = 0; i < this.sealed.length; ) {
      if (this.sealed[i]!.movable) out.push(...this.sealed.splice(i, 1))
      else i++
    }
    return out
  }

  /** Sealed batches whose deadline has passed. They were never sent: certain failures. */
  takeExpiredSealed(nowMs: number): PublishBatch[] {
    const out: PublishBatch[] = []
    while (this.sealed.length > 0 && this.sealed[0]!.deadlineMs <= nowMs) out.push(this.sealed.shift()!)
    return out
  }

  /** Gives up all flights: the partition has stopped waiting for them. What was never sent gets new numbers in a new epoch. */
  abandonFlights(): PublishBatch[] {
    const out = this.flights.splice(0)
    this.#refusal = undefined
    this.#lost = undefined
    if (out.length > 0) this.#bumpEpoch()
    return out
  }

  takeAll(): PublishBatch[] {
    return [...this.abandonFlights(), ...this.sealed.splice(0)]
  }

  #send(batch: PublishBatch): PublishBatch {
    batch.attempt++
    batch.onWire = true
    if (batch.group) batch.group.sent = true
    return batch
  }

  /** Identity and CRC are written once; repetitions send the very same bytes. */
  #assign(batch: PublishBatch): void {
    batch.producerId = this.#idempotent ? this.#producerId : -1n
    batch.producerEpoch = this.#idempotent ? this.#epoch : -1
    batch.sequence = this.#idempotent ? this.#nextSequence : -1
    stamp(batch.sealed, { producerId: batch.producerId, producerEpoch: batch.producerEpoch, baseSequence: batch.sequence })
    // Sequences are int32 and wrap to 0 (Kafka's DefaultRecordBatch.incrementSequence).
    this.#nextSequence = (this.#nextSequence + batch.count) % 0x80000000
  }

  #remove(batch: PublishBatch): void {
    const index = this.flights.indexOf(batch)
    if (index >= 0) this.flights.splice(index, 1)
  }

  /**
   * Another leader, or another connection. With idempotence the flights go again at once, whatever the old connection still says:
   * the broker knows their sequences. Without it they must first be answered or lost, or they would be written twice for sure.
   */
  #beginTerm(term: number): void {
    this.term = term
    this.#refusal = undefined
    this.#lost = undefined
    if (!this.#idempotent) return
    for (const flight of this.flights) {
      if (!flight.onWire) continue
      flight.maybeWritten = true
      flight.onWire = false
      flight.attempt++ // what the old connection still says of it is stale, unless it is an ack
    }
  }

  #refuse(batch: PublishBatch, answer: Answer): void {
    const error = kafkaError(answer.errorCode)
    const reason = `broker answered ${error.name}`
    const sequenceTrouble = answer.errorCode === OUT_OF_ORDER || answer.errorCode === UNKNOWN_PRODUCER || STALE_EPOCHS.has(answer.errorCode)
    if (sequenceTrouble) {
      // Behind a refused predecessor, or with a number that was given up: it was not written, and goes again in its turn.
      const behind = this.flights[0] !== batch || batch.sequence < 0
      if (!behind) this.#renumber(STALE_EPOCHS.has(answer.errorCode))
    } else if (error.class !== 'retry' && error.class !== 'refresh' && error.class !== 'unknown') {
      this.#settleRefused(batch, answer)
      this.#renumber(false)
    }
    this.#refusal ??= { reason, seek: error.class === 'refresh' }
  }

  #settleRefused(batch: PublishBatch, answer: Answer): void {
    const error = kafkaError(answer.errorCode)
    this.#remove(batch)
    const cause = new BrokerError(error.name, `${this.topic}/${this.partition}: ${answer.errorMessage ?? error.message}`, {
      kafka: { code: error.code, name: error.name }
    })
    const outcome = batch.maybeWritten ? 'unknown' : 'failed'
    batch.failed(
      new PublishError(
        error.name,
        `The broker refused the batch for ${this.topic}/${this.partition}: ${answer.errorMessage ?? error.message}`,
        outcome,
        {
          cause,
          kafka: { code: error.code, name: error.name },
          details: { topic: this.topic, partition: this.partition }
        }
      )
    )
    this.#events.done(batch)
  }

  /**
   * The flights behind a gap cannot be written with their numbers: they get new ones in a new epoch. Only what was surely not written
   * may be renumbered; a flight that an earlier send may have written would be doubled, so its outcome ends as unknown.
   */
  #renumber(identityIsStale: boolean): void {
    if (!this.#idempotent) return
    for (const flight of [...this.flights]) {
      flight.sequence = -1
      if (!flight.maybeWritten) continue
      this.#remove(flight)
      const what = `The broker has lost the sequence of ${this.topic}/${this.partition}; whether an earlier send of this batch was written cannot be told any more.`
      flight.failed(new PublishError('OUTCOME_UNKNOWN', what, 'unknown', { details: { topic: this.topic, partition: this.partition } }))
      this.#events.done(flight)
    }
    if (identityIsStale) this.#epoch = EPOCH_MAX
    this.#bumpEpoch()
  }

  #bumpEpoch(): void {
    if (!this.#idempotent || this.#producerId < 0n) return
    this.#nextSequence = 0
    if (this.#epoch < EPOCH_MAX) {
      this.#epoch++
      return
    }
    this.#producerId = -1n
    this.#events.needIdentity()
  }

  /** Tells the machine once all that is on a wire is answered; acks alone are told at once, so that the window is kept full. */
  #report(): void {
    const waiting = this.flights.some(flight => flight.onWire)
    if (this.#lost === undefined && !this.#refusal) this.#events.acked(this)
    else if (waiting) return
    else if (this.#lost !== undefined) this.#events.linkLost(this, this.#lost)
    else this.#events.refused(this, this.#refusal!.reason, this.#refusal!.seek)
  }
}
