/**
 * Flights that an earlier process left, with the identity under which they may have been sent. Before one of them goes again, the leader is asked
 * for the last sequence that it has of each producer (DescribeProducers, KIP-664):
 *
 *   up to it       written, but perhaps on this leader only: the newest of them goes again, and its ack (which waits for the replicas, for a repetition
 *                  too) settles those before it. Until then they are held here, and a new leader is asked anew
 *   behind it      not written: sent with the same identity, so that nothing that is still under way can double them
 *   behind a gap   (a batch between was damaged on disk) not written, and not to be written with that sequence: a new identity
 *
 * A broker that cannot say (before 2.8) is tried from the oldest on: one that is older than the five that it remembers is answered OUT_OF_ORDER, and counts
 * as written as soon as a later one is acked; if none is, they get new identities, and perhaps are doubled, which is told.
 */
import type { PublishBatch } from './batch.ts'

/** What a leader knows of a producer. */
export interface ProducerState {
  producerEpoch: number
  /** -1: none. */
  lastSequence: number
}

export interface RecoveredEvents {
  /** It was written, by the process before. */
  written(batch: PublishBatch): void
  /** It goes again although it may have been written. */
  mayDouble(batch: PublishBatch, reason: string): void
}

/** How many batches. */
export interface Verified {
  written: number
  again: number
  renewed: number
}

/** Sequences are int32 and wrap to 0. */
const SEQUENCES = 0x80000000
/** `producer.id.expiration.ms`: for so long a broker remembers a producer, counted from its newest record. */
const REMEMBERED_MS = 86_400_000

const after = (sequence: number, count: number) => (sequence + count) % SEQUENCES
/** Whether a batch ends at or before this sequence, on a circle. */
const isWithin = (batch: PublishBatch, lastSequence: number) =>
  (lastSequence - after(batch.sequence, batch.count - 1) + SEQUENCES) % SEQUENCES < SEQUENCES / 2

const sameIdentity = (a: PublishBatch, b: PublishBatch) => a.producerId === b.producerId && a.producerEpoch === b.producerEpoch

export class RecoveredFlights {
  readonly #flights: PublishBatch[]
  readonly #events: RecoveredEvents
  /** Written, unless this leader is lost before its followers have them. */
  readonly #held: PublishBatch[] = []
  #unverified = false
  #walking = false

  /** `flights`: the queue's own, in which they lie. */
  constructor(flights: PublishBatch[], events: RecoveredEvents) {
    this.#flights = flights
    this.#events = events
  }

  /** The leader is to be asked before anything is sent. */
  get unverified(): boolean {
    return this.#unverified || this.#held.length > 0
  }

  add(batch: PublishBatch): void {
    this.#unverified = true
    this.#flights.push(batch)
  }

  /** All that is held, given back. */
  takeHeld(): PublishBatch[] {
    return this.#held.splice(0)
  }

  /** `producers`: what the leader knows, by producer id; undefined: it cannot say. */
  verify(producers: ReadonlyMap<bigint, ProducerState> | undefined, nowMs: number): Verified {
    this.#flights.unshift(...this.takeHeld())
    this.#unverified = false
    this.#walking = producers === undefined
    const verified = { written: 0, again: 0, renewed: 0 }
    const left = this.#flights.filter(flight => flight.recovered && flight.sequence >= 0)
    while (left.length > 0) {
      const next = left.findIndex(flight => !sameIdentity(flight, left[0]!))
      const flights = left.splice(0, next < 0 ? left.length : next)
      if (producers) this.#judge(flights, producers.get(flights[0]!.producerId), nowMs, verified)
      else verified.again += flights.length
    }
    return verified
  }

  /** One of them was acked: so were those before it. */
  acked(batch: PublishBatch): void {
    if (!batch.recovered) return
    for (const held of this.#held.filter(one => sameIdentity(one, batch))) {
      this.#held.splice(this.#held.indexOf(held), 1)
      if (held !== batch) this.#events.written(held) // else an older connection has answered after all
    }
  }

  /** The broker answered OUT_OF_ORDER. True: it is older than what the broker remembers, or will turn out not to be. */
  stepOver(batch: PublishBatch): boolean {
    if (!this.#walking || !batch.recovered || batch.sequence < 0 || this.#flights[0] !== batch) return false
    this.#flights.shift()
    this.#held.push(batch)
    if (this.#flights.some(flight => flight.recovered && flight.sequence >= 0 && sameIdentity(flight, batch))) return true
    const held = this.takeHeld()
    this.#flights.unshift(...held)
    for (const one of held) this.#renew(one, 'the broker does not say whether it has it')
    return true
  }

  /** Flights of one identity, and what the leader knows of that producer. */
  #judge(flights: PublishBatch[], state: ProducerState | undefined, nowMs: number, verified: Verified): void {
    const { producerEpoch } = flights[0]!
    if (!state || state.lastSequence < 0) {
      const newestMs = Math.max(...flights.map(flight => flight.sealed.maxTimestamp))
      if (newestMs + REMEMBERED_MS < nowMs)
        for (const flight of flights) this.#events.mayDouble(flight, 'the broker does not know its producer any more')
    }
    if (!state || state.lastSequence < 0 || state.producerEpoch < producerEpoch) {
      verified.again += flights.length
      return
    }
    if (state.producerEpoch > producerEpoch) {
      // A later epoch was begun only when everything of this one was acked.
      verified.written += flights.length
      for (const flight of flights) this.#settle(flight)
      return
    }
    const written = flights.filter(flight => isWithin(flight, state.lastSequence))
    for (const flight of written.slice(0, -1)) this.#hold(flight)
    verified.written += written.length
    let expected = after(state.lastSequence, 1)
    for (const flight of flights.slice(written.length)) {
      flight.maybeWritten = false
      if (flight.sequence === expected) {
        expected = after(expected, flight.count)
        verified.again++
      } else {
        flight.sequence = -1 // and so do those behind it: sequences only grow
        verified.renewed++
      }
    }
  }

  #hold(flight: PublishBatch): void {
    this.#flights.splice(this.#flights.indexOf(flight), 1)
    this.#held.push(flight)
  }

  #settle(flight: PublishBatch): void {
    this.#flights.splice(this.#flights.indexOf(flight), 1)
    this.#events.written(flight)
  }

  #renew(flight: PublishBatch, reason: string): void {
    flight.sequence = -1
    flight.maybeWritten = false
    this.#events.mayDouble(flight, reason)
  }
}
