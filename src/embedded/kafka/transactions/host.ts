/**
 * What the transactions' coordinator needs of its cluster: clock and timers, who coordinates which name, producer ids, and a way to write markers.
 */
import type { World } from '../../../model/world.ts'
import type { Place } from '../groups/host.ts'
import type { TopicPartition, Transaction } from './transaction.ts'

export interface Marker {
  producerId: bigint
  producerEpoch: number
  commit: boolean
  coordinatorEpoch: number
}

export interface TransactionHost {
  readonly world: World
  /** Of `__transaction_state`, by the hash of the transactional id. */
  placeOf(transactionalId: string): Place
  nextProducerId(): bigint
  /** Ends a transaction on one partition; for `__consumer_offsets` with what groups have pending there. An error code. */
  appendMarker(at: TopicPartition, marker: Marker): number
  /** Writes down what is durable. */
  journal?(transaction: Transaction): void
}

export interface TransactionOptions {
  /** `transaction.max.timeout.ms`. */
  maxTimeoutMs: number
  /** How long it takes until markers are written: the window of CONCURRENT_TRANSACTIONS. 0: the next turn of the loop. */
  markerDelayMs: number
  /** Until a marker that could not be written is tried again. */
  markerRetryMs: number
  /** How long a new coordinator reads (COORDINATOR_LOAD_IN_PROGRESS). */
  loadMs: number
}

export const TRANSACTION_DEFAULTS: TransactionOptions = { maxTimeoutMs: 900_000, markerDelayMs: 0, markerRetryMs: 100, loadMs: 0 }
