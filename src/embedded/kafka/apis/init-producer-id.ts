/**
 * InitProducerId: an id that nobody had, for producers that are idempotent and no more; or the identity of a transactional id, from its coordinator.
 *
 * v3: the producer's own id and epoch, to be raised after an error (KIP-360). v4: PRODUCER_FENCED, which older ones know as INVALID_PRODUCER_EPOCH.
 */
import { ERROR } from '../errors.ts'
import { Transactions } from '../transactions/cluster-transactions.ts'
import { type CoreHandler, faultOf } from './common.ts'

const FENCED_FROM = 4
const NOTHING = { producerId: -1n, producerEpoch: -1 }

export const initProducerId: CoreHandler<'InitProducerId'> = {
  api: 'InitProducerId',
  versions: [0, 5],
  handle({ transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch }, { version, broker, state }) {
    const answer = (errorCode: number, identity = NOTHING) => ({
      ...{ throttleTimeMs: 0, errorCode, ...identity },
      ...{ ongoingTxnProducerId: -1n, ongoingTxnProducerEpoch: -1 }
    })
    const expected = { producerId: producerId ?? -1n, producerEpoch: producerEpoch ?? -1 }
    // Both, or neither.
    if (expected.producerId < 0n !== expected.producerEpoch < 0) return answer(ERROR.INVALID_REQUEST)
    if (transactionalId === null) return answer(ERROR.NONE, { producerId: state.nextProducerId(), producerEpoch: 0 })
    try {
      const request = { transactionalId, timeoutMs, expected: expected.producerId < 0n ? undefined : expected }
      return answer(ERROR.NONE, state.part(Transactions).coordinator.init(broker.id, request))
    } catch (fault) {
      return answer(fencedFor(version >= FENCED_FROM, faultOf(fault).errorCode))
    }
  }
}

/** Clients of before KIP-588 do not know PRODUCER_FENCED. */
export function fencedFor(knows: boolean, errorCode: number): number {
  return errorCode === ERROR.PRODUCER_FENCED && !knows ? ERROR.INVALID_PRODUCER_EPOCH : errorCode
}
