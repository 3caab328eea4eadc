/**
 * AddOffsetsToTxn: a transaction will commit offsets of a group; the group's partition of `__consumer_offsets` joins it. v2: PRODUCER_FENCED.
 */
import { ERROR } from '../errors.ts'
import { Groups, OFFSETS_TOPIC } from '../groups/cluster-groups.ts'
import { Transactions } from '../transactions/cluster-transactions.ts'
import { type CoreHandler, faultOf } from './common.ts'
import { fencedFor } from './init-producer-id.ts'

const FENCED_FROM = 2

export const addOffsetsToTxn: CoreHandler<'AddOffsetsToTxn'> = {
  api: 'AddOffsetsToTxn',
  versions: [0, 4],
  handle({ transactionalId, groupId, ...producer }, { version, broker, state }) {
    const partition = { topic: OFFSETS_TOPIC, partition: state.part(Groups).partitionOf(groupId) }
    try {
      state.part(Transactions).coordinator.add(broker.id, transactionalId, producer, [partition])
      return { throttleTimeMs: 0, errorCode: ERROR.NONE }
    } catch (fault) {
      return { throttleTimeMs: 0, errorCode: fencedFor(version >= FENCED_FROM, faultOf(fault).errorCode) }
    }
  }
}
