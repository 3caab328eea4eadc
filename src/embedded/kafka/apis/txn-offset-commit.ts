/**
 * TxnOffsetCommit: offsets that count when their transaction is committed. v3: the member that read them (KIP-447); v5: committing joins the
 * transaction (KIP-890).
 */
import { ERROR } from '../errors.ts'
import { Groups, OFFSETS_TOPIC } from '../groups/cluster-groups.ts'
import { Transactions } from '../transactions/cluster-transactions.ts'
import { type CoreHandler, faultOf } from './common.ts'

const ABORTABLE_FROM = 4
const JOIN_FROM = 5

export const txnOffsetCommit: CoreHandler<'TxnOffsetCommit'> = {
  api: 'TxnOffsetCommit',
  versions: [0, 5],
  handle(request, { version, broker, state }) {
    const { transactionalId, groupId, producerId, producerEpoch, generationId, memberId, groupInstanceId } = request
    const groups = state.part(Groups)
    const exists = (topic: string, index: number) => state.partition(topic, index) !== undefined
    const known = request.topics.flatMap(({ name, partitions }) =>
      partitions
        .filter(({ partitionIndex }) => exists(name, partitionIndex))
        .map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => ({
          ...{ topic: name, partition: partitionIndex, offset: committedOffset },
          ...{ leaderEpoch: committedLeaderEpoch ?? -1, metadata: committedMetadata }
        }))
    )
    const mayWrite = () => {
      const at = { topic: OFFSETS_TOPIC, partition: groups.partitionOf(groupId) }
      const producer = { producerId, producerEpoch }
      return toldFor(version, state.part(Transactions).coordinator.mayWrite(transactionalId, producer, at, version >= JOIN_FROM))
    }
    const commit = () => {
      const error = groups.coordinator.check(broker.id, groupId) || mayWrite()
      if (error) return known.map(() => error)
      const who = {
        groupId,
        memberId: memberId ?? '',
        instanceId: groupInstanceId ?? null,
        generationId: generationId ?? -1,
        version,
        producerId,
        producerEpoch
      }
      try {
        return groups.coordinator.keeper.commit(who, known)
      } catch (fault) {
        const { errorCode } = faultOf(fault)
        return known.map(() => errorCode)
      }
    }
    const errors = known.length > 0 ? commit() : []
    let at = 0
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: exists(name, partitionIndex) ? errors[at++]! : ERROR.UNKNOWN_TOPIC_OR_PARTITION
      }))
    }))
    return { throttleTimeMs: 0, topics }
  }
}

/** What the transactions' coordinator said, as a client of this version knows it. */
function toldFor(version: number, errorCode: number): number {
  if (errorCode === ERROR.PRODUCER_FENCED) return ERROR.INVALID_PRODUCER_EPOCH
  if (errorCode === ERROR.TRANSACTION_ABORTABLE && version < ABORTABLE_FROM) return ERROR.INVALID_TXN_STATE
  const passing: readonly number[] = [ERROR.COORDINATOR_LOAD_IN_PROGRESS, ERROR.NOT_COORDINATOR]
  if (errorCode === ERROR.CONCURRENT_TRANSACTIONS && version < JOIN_FROM) return ERROR.COORDINATOR_NOT_AVAILABLE
  return passing.includes(errorCode) ? ERROR.COORDINATOR_NOT_AVAILABLE : errorCode
}
