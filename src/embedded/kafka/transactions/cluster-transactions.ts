/**
 * The transactions of a cluster of embedded brokers: what their coordinator needs, taken from the cluster's state. `state.part(Transactions)` is the
 * one there is; it keeps the door of transactional writes.
 */
import { ERROR } from '../errors.ts'
import { Groups, OFFSETS_TOPIC } from '../groups/cluster-groups.ts'
import type { ClusterState, TransactionDoor } from '../state.ts'
import { TransactionCoordinator } from './coordinator.ts'
import type { TransactionHost } from './host.ts'

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

  constructor(state: ClusterState) {
    this.#state = state
    this.coordinator = new TransactionCoordinator(this.#host(), { maxTimeoutMs: state.configs.brokerNumber('transaction.max.timeout.ms') })
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

  #host(): TransactionHost {
    const state = this.#state
    return {
      world: state.world,
      placeOf(transactionalId) {
        const partition = state.coordinatorPartition('transaction', transactionalId)
        return { partition: partition?.index ?? 0, leader: partition?.leader ?? -1, leaderEpoch: partition?.leaderEpoch ?? 0 }
      },
      nextProducerId: () => state.nextProducerId(),
      appendMarker({ topic, partition }, marker) {
        const errorCode = state.appendMarker(topic, partition, marker)
        if (errorCode === ERROR.NONE && topic === OFFSETS_TOPIC)
          state.part(Groups).coordinator.transactionEnded(partition, marker.producerId, marker.commit)
        return errorCode
      }
    }
  }
}
