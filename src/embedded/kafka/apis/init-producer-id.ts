/**
 * InitProducerId for producers that are idempotent and no more: an id that nobody had. Transactional ones have their coordinator.
 *
 * v3: the producer's own id and epoch, to be raised; an idempotent one gets a new id instead, as in Kafka. v6: two-phase commit.
 */
import { ERROR } from '../errors.ts'
import type { CoreHandler } from './common.ts'

export const initProducerId: CoreHandler<'InitProducerId'> = {
  api: 'InitProducerId',
  versions: [0, 6],
  handle({ transactionalId }, { state }) {
    const errorCode =
      transactionalId === null ? ERROR.NONE : transactionalId === '' ? ERROR.INVALID_REQUEST : ERROR.COORDINATOR_NOT_AVAILABLE
    const given = errorCode === ERROR.NONE
    return {
      throttleTimeMs: 0,
      errorCode,
      producerId: given ? state.nextProducerId() : -1n,
      producerEpoch: given ? 0 : -1,
      ongoingTxnProducerId: -1n,
      ongoingTxnProducerEpoch: -1
    }
  }
}
