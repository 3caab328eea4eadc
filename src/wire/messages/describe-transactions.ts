// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DescribeTransactionsRequest {
  transactionalIds: string[]
}

export interface DescribeTransactionsResponse {
  throttleTimeMs: number
  transactionStates: {
    errorCode: number
    transactionalId: string
    transactionState: string
    transactionTimeoutMs: number
    transactionStartTimeMs: bigint
    producerId: bigint
    producerEpoch: number
    topics: {
      topic: string
      partitions: number[]
    }[]
  }[]
}

export const describeTransactionsRequest: Definition = {
  name: 'DescribeTransactionsRequest', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'transactionalIds', type: 'string', array: true, versions: [0, 0] }
  ]
}

export const describeTransactionsResponse: Definition = {
  name: 'DescribeTransactionsResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0] },
    { name: 'transactionStates', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'errorCode', type: 'int16', versions: [0, 0] },
      { name: 'transactionalId', type: 'string', versions: [0, 0] },
      { name: 'transactionState', type: 'string', versions: [0, 0] },
      { name: 'transactionTimeoutMs', type: 'int32', versions: [0, 0] },
      { name: 'transactionStartTimeMs', type: 'int64', versions: [0, 0] },
      { name: 'producerId', type: 'int64', versions: [0, 0] },
      { name: 'producerEpoch', type: 'int16', versions: [0, 0] },
      { name: 'topics', type: 'struct', array: true, versions: [0, 0], fields: [
        { name: 'topic', type: 'string', versions: [0, 0] },
        { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
      ] }
    ] }
  ]
}

export { describeTransactionsRequest as request, describeTransactionsResponse as response }
