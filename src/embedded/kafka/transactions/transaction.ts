/**
 * The state of one transactional id (Kafka's `TransactionMetadata`): who may write, which transaction runs, and how epochs go on. It knows nothing of
 * time or partitions of others.
 */
import { KafkaFault } from '../errors.ts'

export type TransactionState =
  | 'Empty'
  | 'Ongoing'
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'CompleteCommit'
  | 'CompleteAbort'
  | 'Dead'
  | 'PrepareEpochFence'

export const TRANSACTION_STATES: readonly TransactionState[] = [
  ...(['Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort', 'Dead', 'PrepareEpochFence'] as const)
]

export interface ProducerIdentity {
  producerId: bigint
  producerEpoch: number
}

export interface TopicPartition {
  topic: string
  partition: number
}

const NO_EPOCH = -1
/** The last epoch of a producer id: the one after it is kept for fencing. */
export const EPOCH_MAX = 0x7fff - 1

export class Transaction {
  readonly id: string
  producerId: bigint
  /** That it had before it got another one. -1n: none. */
  previousProducerId = -1n
  /** That it gets when the transaction has ended, since epochs are used up. -1n: the same. */
  nextProducerId = -1n
  epoch = NO_EPOCH
  /** The one before, of which a repeated request may still come. */
  lastEpoch = NO_EPOCH
  timeoutMs: number
  state: TransactionState = 'Empty'
  /** By topic, sorted by nothing but when they came. */
  #partitions = new Map<string, Set<number>>()
  /** Wall clock, ms; -1: none has begun. */
  startedAt = -1
  /** The transaction ended as version 2 of transactions says: each end raises the epoch (KIP-890). */
  endedWithBump = false

  constructor(id: string, producerId: bigint, timeoutMs: number) {
    this.id = id
    this.producerId = producerId
    this.timeoutMs = timeoutMs
  }

  get identity(): ProducerIdentity {
    return { producerId: this.producerId, producerEpoch: this.epoch }
  }

  get isEpochExhausted(): boolean {
    return this.epoch >= EPOCH_MAX
  }

  get isPrepared(): boolean {
    return this.state === 'PrepareCommit' || this.state === 'PrepareAbort'
  }

  get partitions(): TopicPartition[] {
    return [...this.#partitions].flatMap(([topic, partitions]) => [...partitions].map(partition => ({ topic, partition })))
  }

  has(topic: string, partition: number): boolean {
    return this.#partitions.get(topic)?.has(partition) ?? false
  }

  /** The marker of this one is written, or will never be. */
  settle(topic: string, partition: number): void {
    const partitions = this.#partitions.get(topic)
    partitions?.delete(partition)
    if (partitions?.size === 0) this.#partitions.delete(topic)
  }

  /**
   * A producer begins, or comes back after an error with the identity that it had (KIP-360). `newProducerId`: for when epochs are used up.
   * Throws PRODUCER_FENCED.
   */
  begin(expected: ProducerIdentity | undefined, timeoutMs: number, newProducerId: () => bigint): void {
    if (this.isEpochExhausted && (expected === undefined || expected.producerEpoch === this.epoch)) {
      this.previousProducerId = this.producerId
      this.lastEpoch = expected === undefined ? NO_EPOCH : this.epoch
      this.producerId = newProducerId()
      this.epoch = 0
    } else if (expected === undefined) {
      this.lastEpoch = NO_EPOCH
      this.epoch++
    } else if (this.epoch === NO_EPOCH || expected.producerEpoch === this.epoch) {
      this.lastEpoch = this.epoch
      this.epoch++
    } else if (expected.producerEpoch !== this.lastEpoch) throw fenced(this, expected.producerEpoch)
    this.state = 'Empty'
    this.timeoutMs = timeoutMs
    this.startedAt = -1
    this.#partitions.clear()
  }

  /** Could this identity be one that it had? A new transactional id takes any. */
  accepts({ producerId, producerEpoch }: ProducerIdentity): boolean {
    return (
      this.epoch === NO_EPOCH || producerId === this.producerId || (producerId === this.previousProducerId && producerEpoch >= EPOCH_MAX)
    )
  }

  /** Is this the producer of now? Throws INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED. */
  check({ producerId, producerEpoch }: ProducerIdentity): void {
    if (producerId !== this.producerId) throw mapping()
    if (producerEpoch !== this.epoch) throw fenced(this, producerEpoch)
  }

  add(partitions: readonly TopicPartition[], now: number): void {
    if (this.state !== 'Ongoing') this.startedAt = now
    this.state = 'Ongoing'
    for (const { topic, partition } of partitions) {
      const there = this.#partitions.get(topic)
      if (there) there.add(partition)
      else this.#partitions.set(topic, new Set([partition]))
    }
  }

  /** Nobody who has this epoch may go on; what runs is about to be aborted. */
  fence(): void {
    this.epoch = Math.min(this.epoch + 1, 0x7fff)
    this.lastEpoch = NO_EPOCH
  }

  /** `bump`: version 2 of transactions. */
  prepare(commit: boolean, bump: boolean, newProducerId: () => bigint): void {
    this.state = commit ? 'PrepareCommit' : 'PrepareAbort'
    this.endedWithBump = bump
    if (!bump) return
    if (this.isEpochExhausted) this.nextProducerId = newProducerId()
    this.lastEpoch = this.epoch
    this.epoch++
  }

  /** All markers are written. */
  complete(): void {
    this.state = this.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort'
    this.#partitions.clear()
    if (this.nextProducerId < 0n) return
    this.previousProducerId = this.producerId
    this.lastEpoch = this.epoch
    this.producerId = this.nextProducerId
    this.epoch = 0
    this.nextProducerId = -1n
  }

  /** Has this request come before, and only its answer was lost? */
  isRepeatedEnd({ producerId, producerEpoch }: ProducerIdentity): boolean {
    if (!this.endedWithBump) return false
    if (producerId === this.producerId && this.epoch === producerEpoch + 1) return true
    return this.state.startsWith('Complete') && producerId === this.previousProducerId && producerEpoch >= EPOCH_MAX && this.epoch === 0
  }
}

export function mapping(): KafkaFault {
  return new KafkaFault(
    'INVALID_PRODUCER_ID_MAPPING',
    'The producer attempted to use a producer id which is not currently assigned to its transactional id.'
  )
}

function fenced({ id, epoch }: Transaction, asked: number): KafkaFault {
  return new KafkaFault('PRODUCER_FENCED', `There is a newer producer with the transactional id ${id}: epoch ${asked}, not ${epoch}.`)
}
