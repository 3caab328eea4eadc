/**
 * AddPartitionsToTxn: what a transaction is about to write to. v2: PRODUCER_FENCED; v4: several transactions at once, also only to verify (KIP-890).
 */
import { ERROR } from '../errors.ts'
import type { ClusterState } from '../state.ts'
import { Transactions } from '../transactions/cluster-transactions.ts'
import { type CoreHandler, faultOf } from './common.ts'
import { fencedFor } from './init-producer-id.ts'

const FENCED_FROM = 2
const BATCHED_FROM = 4

interface Asked {
  transactionalId: string
  producerId: bigint
  producerEpoch: number
  verifyOnly: boolean
  topics: readonly { name: string; partitions: readonly number[] }[]
}

export const addPartitionsToTxn: CoreHandler<'AddPartitionsToTxn'> = {
  api: 'AddPartitionsToTxn',
  versions: [0, 5],
  handle(request, { version, broker, state }) {
    const none = { throttleTimeMs: 0, errorCode: ERROR.NONE, resultsByTransaction: [], resultsByTopicV3AndBelow: [] }
    if (version < BATCHED_FROM) {
      const asked = {
        transactionalId: request.v3AndBelowTransactionalId ?? '',
        producerId: request.v3AndBelowProducerId ?? -1n,
        producerEpoch: request.v3AndBelowProducerEpoch ?? -1,
        verifyOnly: false,
        topics: request.v3AndBelowTopics ?? []
      }
      return { ...none, resultsByTopicV3AndBelow: results(asked, broker.id, state, code => fencedFor(version >= FENCED_FROM, code)) }
    }
    const resultsByTransaction = (request.transactions ?? []).map(each => {
      const { transactionalId = '', producerId = -1n, producerEpoch = -1, verifyOnly = false, topics = [] } = each
      const asked = { transactionalId, producerId, producerEpoch, verifyOnly, topics }
      return { transactionalId, topicResults: results(asked, broker.id, state, code => code) }
    })
    return { ...none, resultsByTransaction }
  }
}

/** All of them, or none: one that does not exist keeps the others out. */
function results(
  { transactionalId, verifyOnly, topics, ...producer }: Asked,
  brokerId: number,
  state: ClusterState,
  told: (code: number) => number
) {
  const all = topics.flatMap(({ name, partitions }) => partitions.map(partition => ({ topic: name, partition })))
  const exists = ({ topic, partition }: (typeof all)[number]) => state.partition(topic, partition) !== undefined
  const errors = () => {
    if (!all.every(exists)) return all.map(each => (exists(each) ? ERROR.OPERATION_NOT_ATTEMPTED : ERROR.UNKNOWN_TOPIC_OR_PARTITION))
    const { coordinator } = state.part(Transactions)
    try {
      if (verifyOnly) return coordinator.verify(brokerId, transactionalId, producer, all)
      coordinator.add(brokerId, transactionalId, producer, all)
      return all.map(() => ERROR.NONE)
    } catch (fault) {
      const errorCode = told(faultOf(fault).errorCode)
      return all.map(() => errorCode)
    }
  }
  const codes = errors()
  let at = 0
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map(partitionIndex => ({ partitionIndex, partitionErrorCode: codes[at++]! }))
  }))
}
