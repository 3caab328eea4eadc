/**
 * What transactions bring to a broker: the handlers of their APIs.
 */
import { addOffsetsToTxn } from '../apis/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from '../apis/add-partitions-to-txn.ts'
import { describeTransactions } from '../apis/describe-transactions.ts'
import { endTxn } from '../apis/end-txn.ts'
import { initProducerId } from '../apis/init-producer-id.ts'
import { listTransactions } from '../apis/list-transactions.ts'
import { txnOffsetCommit } from '../apis/txn-offset-commit.ts'

export const TRANSACTION_HANDLERS = [
  initProducerId,
  addPartitionsToTxn,
  addOffsetsToTxn,
  endTxn,
  txnOffsetCommit,
  describeTransactions,
  listTransactions
] as const

export { Transactions } from './cluster-transactions.ts'
