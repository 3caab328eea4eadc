/**
 * Writes the markers of transactions that are decided, to one partition after the other, until all have theirs. A partition without a leader is tried
 * again; one that is gone, or where somebody newer has written, needs none.
 */
import type { Timer } from '../../../model/world.ts'
import { ERROR } from '../errors.ts'
import type { TransactionHost, TransactionOptions } from './host.ts'
import type { Transaction } from './transaction.ts'

const RETRIED: readonly number[] = [
  ERROR.NOT_LEADER_OR_FOLLOWER,
  ERROR.LEADER_NOT_AVAILABLE,
  ERROR.NOT_ENOUGH_REPLICAS,
  ERROR.KAFKA_STORAGE_ERROR,
  ERROR.COORDINATOR_LOAD_IN_PROGRESS
]

interface Due {
  /** Undefined: in the next turn of the loop. */
  timer: Timer | undefined
}

export class Markers {
  #host: TransactionHost
  #options: TransactionOptions
  #epochOf: (transaction: Transaction) => number
  #due = new Map<Transaction, Due>()

  constructor(host: TransactionHost, options: TransactionOptions, epochOf: (transaction: Transaction) => number) {
    this.#host = host
    this.#options = options
    this.#epochOf = epochOf
  }

  write(transaction: Transaction): void {
    this.#later(transaction, this.#options.markerDelayMs)
  }

  stop(transaction: Transaction): void {
    const due = this.#due.get(transaction)
    this.#due.delete(transaction)
    if (due?.timer) this.#host.world.clearTimer(due.timer)
  }

  close(): void {
    for (const transaction of [...this.#due.keys()]) this.stop(transaction)
  }

  #later(transaction: Transaction, delayMs: number): void {
    this.stop(transaction)
    const due: Due = { timer: undefined }
    const write = () => {
      if (this.#due.get(transaction) !== due) return
      this.#due.delete(transaction)
      this.#writeAll(transaction)
    }
    this.#due.set(transaction, due)
    if (delayMs > 0) due.timer = this.#host.world.setTimer(write, delayMs)
    else this.#host.world.defer(write)
  }

  #writeAll(transaction: Transaction): void {
    if (!transaction.isPrepared) return
    const { producerId, epoch } = transaction
    const marker = {
      producerId,
      producerEpoch: epoch,
      commit: transaction.state === 'PrepareCommit',
      coordinatorEpoch: this.#epochOf(transaction)
    }
    for (const { topic, partition } of transaction.partitions) {
      const errorCode = this.#host.appendMarker({ topic, partition }, marker)
      if (!RETRIED.includes(errorCode)) transaction.settle(topic, partition)
    }
    if (transaction.partitions.length === 0) {
      transaction.complete()
      this.#host.journal?.(transaction)
    } else this.#later(transaction, this.#options.markerRetryMs)
  }
}
