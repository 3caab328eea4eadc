/**
 * The transactions of a cluster of embedded brokers: what their coordinator needs, taken from the cluster's state. `state.part(Transactions)` is the
 * one there is; it keeps the door of transactional writes.
 */

import type { TransactionDoor } from '../cluster-types.ts'
import { ERROR } from '../errors.ts'
import { Groups, OFFSETS_TOPIC } from '../groups/cluster-groups.ts'
import { InternalLog } from '../groups/internal-log.ts'
import type { ClusterState } from '../state.ts'
import { TransactionCoordinator } from './coordinator.ts'
import type { TransactionHost } from './host.ts'
import { readTransaction, writeTransaction } from './records.ts'
import type { Transaction } from './transaction.ts'

const STATE_TOPIC = '__transaction_state'
/** What an old producer is told to try again is something that it knows. */
const RETRIED: readonly number[] = [
  ERROR.CONCURRENT_TRANSACTIONS,
  ERROR.COORDINATOR_LOAD_IN_PROGRESS,
  ERROR.COORDINATOR_NOT_AVAILABLE,
  ERROR.NOT_COORDINATOR
]

export class Transactions implements TransactionDoor {
  readonly coordinator: TransactionCoordinator
  #state: ClusterState
  #log: InternalLog

  constructor(state: ClusterState) {
    this.#state = state
    this.#log = new InternalLog(state, STATE_TOPIC)
    this.coordinator = new TransactionCoordinator(this.#host(), { maxTimeoutMs: state.configs.brokerNumber('transaction.max.timeout.ms') })
    this.#restore()
    state.transactionDoor = this
    state.observe(event => {
      if (event.type !== 'partition-changed' || event.partition.topic !== STATE_TOPIC) return
      const { index: partition, leader, leaderEpoch } = event.partition
      this.coordinator.follow({ partition, leader, leaderEpoch })
    })
  }

  /** All timers end. */
  close(): void {
    this.coordinator.close()
  }

  mayWrite(batch: Parameters<TransactionDoor['mayWrite']>[0]): number {
    const { transactionalId, topic, partition, join } = batch
    const errorCode = this.coordinator.mayWrite(transactionalId, batch, { topic, partition }, join)
    if (errorCode === ERROR.PRODUCER_FENCED) return ERROR.INVALID_PRODUCER_EPOCH
    if (join) return errorCode
    if (errorCode === ERROR.TRANSACTION_ABORTABLE) return ERROR.INVALID_TXN_STATE
    return RETRIED.includes(errorCode) ? ERROR.NOT_ENOUGH_REPLICAS : errorCode
  }

  /** Logs that are there already, of a process before this one: what they say is what there is. */
  #restore(): void {
    const { transactions } = this.coordinator
    for (let partition = 0; partition < this.#log.partitions; partition++)
      for (const { records } of this.#log.read(partition))
        for (const record of records) {
          const transaction = readTransaction(record)
          if (transaction) transactions.set(transaction.id, transaction)
        }
    for (const { producerId, nextProducerId } of transactions.values())
      for (const used of [producerId, nextProducerId]) this.#state.passProducerId(used)
  }

  #write(transaction: Transaction): void {
    const partition = this.#state.coordinatorPartition('transaction', transaction.id)?.index ?? 0
    const now = this.#state.world.now()
    this.#log.append(partition, [writeTransaction(transaction, now)])
    if (!this.#log.isLong(partition)) return
    const all = [...this.coordinator.transactions.values()].filter(
      ({ id }) => this.#state.coordinatorPartition('transaction', id)?.index === partition
    )
    this.#log.compact(
      partition,
      all.map(each => writeTransaction(each, now))
    )
  }

  #host(): TransactionHost {
    const state = this.#state
    return {
      world: state.world,
      placeOf(transactionalId) {
        const partition = state.coordinatorPartition('transaction', transactionalId)
        return { partition: partition?.index ?? 0, leader: partition?.leader ?? -1, leaderEpoch: partition?.leaderEpoch ?? 0 }
      },
      nextProducerId: () => state.nextProducerId(),
      journal: transaction => this.#write(transaction),
      appendMarker({ topic, partition }, marker) {
        const errorCode = state.appendMarker(topic, partition, marker)
        if (errorCode === ERROR.NONE && topic === OFFSETS_TOPIC)
          state.part(Groups).coordinator.transactionEnded(partition, marker.producerId, marker.commit)
        return errorCode
      }
    }
  }
}
