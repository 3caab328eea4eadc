/**
 * ListTransactions (KIP-664): those that this broker coordinates. v1: that have run for so long (KIP-994); v2: by a regular expression (KIP-1152).
 */
import { ERROR } from '../errors.ts'
import { matcherOf } from '../groups/regex.ts'
import { Transactions } from '../transactions/cluster-transactions.ts'
import { TRANSACTION_STATES, type TransactionState } from '../transactions/transaction.ts'
import { type CoreHandler, faultOf } from './common.ts'

export const listTransactions: CoreHandler<'ListTransactions'> = {
  api: 'ListTransactions',
  versions: [0, 2],
  handle({ stateFilters, producerIdFilters, durationFilter, transactionalIdPattern }, { broker, state }) {
    const { coordinator } = state.part(Transactions)
    const unknownStateFilters = stateFilters.filter(each => !TRANSACTION_STATES.includes(each as TransactionState))
    const answer = { throttleTimeMs: 0, errorCode: ERROR.NONE, unknownStateFilters, transactionStates: [] }
    if (coordinator.placement.isLoading(broker.id))
      return { ...answer, errorCode: ERROR.COORDINATOR_LOAD_IN_PROGRESS, unknownStateFilters: [] }
    const longerMs = durationFilter ?? -1n
    const now = BigInt(state.world.now())
    try {
      const matches = transactionalIdPattern ? matcherOf(transactionalIdPattern) : () => true
      const transactionStates = coordinator
        .list(broker.id)
        .filter(each => each.state !== 'Dead' && matches(each.id))
        .filter(each => stateFilters.length === 0 || stateFilters.includes(each.state))
        .filter(each => producerIdFilters.length === 0 || producerIdFilters.includes(each.producerId))
        .filter(each => longerMs < 0n || (each.startedAt >= 0 && now - BigInt(each.startedAt) > longerMs))
        .map(({ id, producerId, state: transactionState }) => ({ transactionalId: id, producerId, transactionState }))
      return { ...answer, transactionStates }
    } catch (fault) {
      return { ...answer, errorCode: faultOf(fault).errorCode }
    }
  }
}
