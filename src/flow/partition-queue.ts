/**
 * The batches of one partition: sealed ones in order, and flights, which carry a sequence. The machine `partition` decides when
 * something goes; this class knows what. It reports levels, once per answered round.
 *
 * Rules: at most `window` flights. A flight keeps its bytes and sequence over every repetition. After a refusal or a lost link nothing
 * new goes until all flights are answered, and the flights go again first, in order. Sequences begin at 0 for each epoch, and the epoch
 * is this partition's own (brokers keep producer state per partition), so a bump disturbs no other one (KIP-360). What has a newer
 * identity waits until all flights with an older one are settled: across two of them no broker keeps the order.
 */

import { asksAgain, mayBeDone, meaningOf } from '../model/error-classes.ts'
import type { PublishError } from '../model/errors.ts'
import { kafkaError } from '../model/kafka-errors.ts'
import { stamp } from '../wire/records/index.ts'
import type { PublishBatch } from './batch.ts'
import { refusedError, sequenceLostError, unfitError } from './publish-errors.ts'
import { type ProducerState, RecoveredFlights, type Verified } from './recovered.ts'
import { splitBatch } from './split-batch.ts'

export interface QueueEvents {
  /** Answers came and none was a refusal. */
  acked(queue: PartitionQueue): void
  /** All answers are in, and flights must go again. */
  refused(queue: PartitionQueue, reason: string, seek: boolean): void
  linkLost(queue: PartitionQueue, reason: string): void
  /** The batch has left this queue for good; its memory is free. */
  done(batch: PublishBatch): void
  /** One batch became several, which lie in this queue in its place. */
  split(queue: PartitionQueue, batch: PublishBatch, parts: readonly PublishBatch[]): void
  /** Where nothing is given up: it goes again with a new identity, although an earlier send may have been written. */
  mayDouble(queue: PartitionQueue, batch: PublishBatch, reason: string): void
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
/** Sequences are int32 and wrap to 0 (Kafka's DefaultRecordBatch.incrementSequence). */
const SEQUENCES = 0x80000000
const OUT_OF_ORDER = 45

type Identity = Pick<PublishBatch, 'producerId' | 'producerEpoch'>

/** Surely refused, and with time left. */
const canWait = (flight: PublishBatch, nowMs: number) => !flight.maybeWritten && !flight.onWire && flight.deadlineMs > nowMs

export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly path: string
  readonly sealed: PublishBatch[] = []
  readonly flights: PublishBatch[] = []
  /** Those among the flights that an earlier process left. */
  readonly recovered: RecoveredFlights
  /** The machine's term in which flights were last sent. */
  term = 0
  #events: QueueEvents
  #idempotent: boolean
  #givesUp: boolean
  #producerId = -1n
  #epoch = -1
  #nextSequence = 0
  #refusal: { reason: string; seek: boolean } | undefined
  #lost: string | undefined

  /** `givesUp`: a batch that may have been written, and whose sequence is of no use any more, ends as unknown (else it goes again). */
  constructor(options: { topic: string; partition: number; path: string; idempotent: boolean; givesUp: boolean; events: QueueEvents }) {
    this.topic = options.topic
    this.partition = options.partition
    this.path = options.path
    this.#idempotent = options.idempotent
    this.#givesUp = options.givesUp
    this.#events = options.events
    this.recovered = new RecoveredFlights(this.flights, {
      written: batch => this.#settle(batch, -1n, -1),
      mayDouble: (batch, reason) => this.#events.mayDouble(this, batch, reason)
    })
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
    for (const flight of [...this.flights]) {
      if (flying === window) return out
      if (this.#idempotent && flight.sequence < 0 && flight.maybeWritten && !flight.onWire) {
        this.#giveUp(flight) // its number was taken from it, and then the answer was lost
        if (this.#givesUp) continue
      }
      // Left by two processes: across two identities no broker keeps the order.
      if (flying > 0 && flight.sequence >= 0 && this.#isOtherThan(this.flights[0]!, flight)) return out
      flying++
      if (flight.onWire) continue
      if (flight.sequence < 0) {
        if (this.#hasOlderIdentity()) return out
        this.#assign(flight)
      }
      out.push(this.#send(flight))
    }
    if (this.#hasOlderIdentity()) return out
    while (flying < window && this.sealed.length > 0) {
      const batch = this.sealed.shift()!
      this.#assign(batch)
      this.flights.push(batch)
      out.push(this.#send(batch))
      flying++
    }
    return out
  }

  /** Says of the recovered flights what the leader of this term knows; undefined: it cannot say. */
  verify(term: number, producers: ReadonlyMap<bigint, ProducerState> | undefined, nowMs: number): Verified {
    if (term !== this.term) this.#beginTerm(term)
    return this.recovered.verify(producers, nowMs)
  }

  answered(batch: PublishBatch, attempt: number, answer: Answer): void {
    if (batch.settled) return
    // The broker has it, or had it already (DUPLICATE_SEQUENCE_NUMBER).
    if (answer.errorCode === 0 || meaningOf('Produce', answer.errorCode).class === 'none') {
      this.#remove(batch)
      this.recovered.acked(batch)
      this.#settle(batch, answer.errorCode === 0 ? answer.baseOffset : -1n, answer.logAppendTimeMs)
    } else if (attempt !== batch.attempt) {
      return // an older send was refused; the present one decides
    } else {
      batch.onWire = false
      if (mayBeDone('Produce', answer.errorCode)) batch.maybeWritten = true
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

  /** It cannot be written as a request at all: nothing of it left, and no repetition would help. */
  unfit(batch: PublishBatch, attempt: number, error: Error): void {
    if (batch.settled || attempt !== batch.attempt) return
    this.withdraw(batch, unfitError(this, batch, error), 'a batch could not be encoded')
  }

  /** It ends here, and was not sent with the number that it has, if it has one. */
  withdraw(batch: PublishBatch, error: PublishError, reason: string): void {
    if (batch.settled) return
    batch.onWire = false
    const waits = this.sealed.indexOf(batch)
    if (waits >= 0) this.sealed.splice(waits, 1)
    const index = this.#remove(batch)
    batch.failed(error)
    this.#events.done(batch)
    if (index < 0) return
    this.#renumber(index, false)
    this.#refusal ??= { reason, seek: false }
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

  /** Sealed batches whose deadline has passed. They were never written: certain failures. Rerouted ones may be older than those ahead. */
  takeExpiredSealed(nowMs: number): PublishBatch[] {
    const out = this.sealed.filter(batch => batch.deadlineMs <= nowMs)
    if (out.length > 0) this.sealed.splice(0, this.sealed.length, ...this.sealed.filter(batch => batch.deadlineMs > nowMs))
    return out
  }

  /**
   * Gives up flights: the partition has stopped waiting for those that are overdue, and for all ahead of one whose outcome is open.
   * Those behind that were surely refused and have time left wait once more, and get new numbers in a new epoch.
   */
  abandonFlights(nowMs: number): PublishBatch[] {
    let keep = this.flights.length
    while (keep > 0 && canWait(this.flights[keep - 1]!, nowMs)) keep--
    const waiting = this.flights.splice(keep)
    for (const flight of waiting) flight.sequence = -1
    this.sealed.unshift(...waiting)
    const out = [...this.recovered.takeHeld(), ...this.flights.splice(0)]
    this.#refusal = undefined
    this.#lost = undefined
    if (out.length + waiting.length > 0) this.#bumpEpoch()
    return out
  }

  takeAll(): PublishBatch[] {
    return [...this.abandonFlights(Number.POSITIVE_INFINITY), ...this.sealed.splice(0)]
  }

  #send(batch: PublishBatch): PublishBatch {
    batch.attempt++
    batch.onWire = true
    if (batch.group) batch.group.sent = true
    return batch
  }

  /** Identity and CRC are written once; repetitions send the very same bytes. */
  #assign(batch: PublishBatch): void {
    if (!this.#idempotent) return this.#identify(batch, -1n, -1, -1)
    this.#identify(batch, this.#producerId, this.#epoch, this.#nextSequence)
    this.#nextSequence = (this.#nextSequence + batch.count) % SEQUENCES
  }

  #identify(batch: PublishBatch, producerId: bigint, producerEpoch: number, sequence: number): void {
    Object.assign(batch, { producerId, producerEpoch, sequence })
    stamp(batch.sealed, { producerId, producerEpoch, baseSequence: sequence })
  }

  #hasOlderIdentity(): boolean {
    const { flights } = this
    const own = { producerId: this.#producerId, producerEpoch: this.#epoch }
    for (let i = 0; i < flights.length; i++) if (flights[i]!.sequence >= 0 && this.#isOtherThan(flights[i]!, own)) return true
    return false
  }

  #isOtherThan(a: Identity, b: Identity): boolean {
    return a.producerId !== b.producerId || a.producerEpoch !== b.producerEpoch
  }

  #settle(batch: PublishBatch, offset: bigint, logAppendTimeMs: number): void {
    batch.acked(this.partition, offset, logAppendTimeMs)
    this.#events.done(batch)
  }

  /** Where it was. */
  #remove(batch: PublishBatch): number {
    const index = this.flights.indexOf(batch)
    if (index >= 0) this.flights.splice(index, 1)
    return index
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
    const { class: errorClass, remedy } = meaningOf('Produce', answer.errorCode)
    const reason = `broker answered ${kafkaError(answer.errorCode).name}`
    if (answer.errorCode === OUT_OF_ORDER && this.recovered.stepOver(batch)) return
    if (remedy === 'renumber' || remedy === 'newIdentity') {
      // Behind a refused predecessor, or with a number that was given up: it was not written, and goes again in its turn.
      const behind = this.flights[0] !== batch || batch.sequence < 0
      if (!behind) this.#renumber(0, remedy === 'newIdentity')
    } else if (remedy === 'split' && batch.count > 1 && !batch.maybeWritten) {
      this.#split(batch)
    } else if (!asksAgain('Produce', answer.errorCode)) {
      this.#renumber(this.#settleRefused(batch, answer), false)
    }
    this.#refusal ??= { reason, seek: errorClass === 'refresh' }
  }

  /**
   * The broker has written nothing of it (it looks at sizes before it writes), so the parts take its place and its numbers, and what
   * flies behind it fits as it is.
   */
  #split(batch: PublishBatch): void {
    const parts = splitBatch(batch, this.partition)
    if (batch.sequence >= 0) {
      let sequence = batch.sequence
      for (const part of parts) {
        this.#identify(part, batch.producerId, batch.producerEpoch, sequence)
        sequence = (sequence + part.count) % SEQUENCES
      }
    }
    batch.settled = true
    this.flights.splice(this.flights.indexOf(batch), 1, ...parts)
    this.#events.split(this, batch, parts)
  }

  /** Where it was among the flights. */
  #settleRefused(batch: PublishBatch, answer: Answer): number {
    const index = this.#remove(batch)
    batch.failed(refusedError(this, batch, answer))
    this.#events.done(batch)
    return index
  }

  /** With an outbox nothing is: rather twice than not at all. */
  #giveUp(flight: PublishBatch): void {
    if (!this.#givesUp) {
      flight.sequence = -1
      flight.maybeWritten = false
      this.#events.mayDouble(this, flight, 'the broker has lost its sequence')
      return
    }
    this.#remove(flight)
    flight.failed(sequenceLostError(this))
    this.#events.done(flight)
  }

  /**
   * The flights behind a gap cannot be written with their numbers: they get new ones in a new epoch. Only what was surely not written
   * may be renumbered; a flight that an earlier send may have written would be doubled, so its outcome ends as unknown.
   */
  #renumber(from: number, identityIsStale: boolean): void {
    if (!this.#idempotent) return
    for (const flight of this.flights.slice(from)) {
      if (flight.maybeWritten) this.#giveUp(flight)
      else flight.sequence = -1
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
