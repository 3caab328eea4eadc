/**
 * DescribeTransactions (KIP-664): what the coordinator knows of these transactional ids.
 */
import { ERROR } from '../errors.ts'
import { Transactions } from '../transactions/cluster-transactions.ts'
import type { Transaction } from '../transactions/transaction.ts'
import { type CoreHandler, faultOf } from './common.ts'

export const describeTransactions: CoreHandler<'DescribeTransactions'> = {
  api: 'DescribeTransactions',
  versions: [0, 0],
  handle({ transactionalIds }, { broker, state }) {
    const { coordinator } = state.part(Transactions)
    const transactionStates = transactionalIds.map(transactionalId => {
      try {
        const found = coordinator.describe(broker.id, transactionalId)
        return found ? told(found) : failed(transactionalId, ERROR.TRANSACTIONAL_ID_NOT_FOUND)
      } catch (fault) {
        return failed(transactionalId, faultOf(fault).errorCode)
      }
    })
    return { throttleTimeMs: 0, transactionStates }
  }
}

function told(found: Transaction) {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of found.partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  return {
    ...{ errorCode: ERROR.NONE, transactionalId: found.id, transactionState: found.state, transactionTimeoutMs: found.timeoutMs },
    ...{ transactionStartTimeMs: BigInt(found.startedAt), ...found.identity },
    topics: [...topics].map(([topic, partitions]) => ({ topic, partitions }))
  }
}

function failed(transactionalId: string, errorCode: number) {
  return {
    ...{ errorCode, transactionalId, transactionState: '', transactionTimeoutMs: 0, transactionStartTimeMs: 0n },
    ...{ producerId: 0n, producerEpoch: 0, topics: [] }
  }
}
