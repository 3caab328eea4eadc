/**
 * EndTxn: a transaction is committed or aborted. v2: PRODUCER_FENCED; v5: the end raises the epoch, and the answer tells it (KIP-890).
 */
import { ERROR } from '../errors.ts'
import { Transactions } from '../transactions/cluster-transactions.ts'
import { type CoreHandler, faultOf } from './common.ts'
import { fencedFor } from './init-producer-id.ts'

const FENCED_FROM = 2
const BUMP_FROM = 5

export const endTxn: CoreHandler<'EndTxn'> = {
  api: 'EndTxn',
  versions: [0, 5],
  handle({ transactionalId, producerId, producerEpoch, committed }, { version, broker, state }) {
    const bump = version >= BUMP_FROM
    try {
      const request = { transactionalId, producerId, producerEpoch, commit: committed, bump }
      return { throttleTimeMs: 0, errorCode: ERROR.NONE, ...state.part(Transactions).coordinator.end(broker.id, request) }
    } catch (fault) {
      const errorCode = fencedFor(version >= FENCED_FROM, faultOf(fault).errorCode)
      return { throttleTimeMs: 0, errorCode, producerId: -1n, producerEpoch: -1 }
    }
  }
}
