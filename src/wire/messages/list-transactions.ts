// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ListTransactionsRequest {
  stateFilters: string[]
  producerIdFilters: bigint[]
  durationFilter?: bigint
  transactionalIdPattern?: string | null
}

export interface ListTransactionsResponse {
  throttleTimeMs: number
  errorCode: number
  unknownStateFilters: string[]
  transactionStates: {
    transactionalId: string
    producerId: bigint
    transactionState: string
  }[]
}

export const listTransactionsRequest: Definition = {
  name: 'ListTransactionsRequest', versions: [0, 2], flexible: [0, 2],
  fields: [
    { name: 'stateFilters', type: 'string', array: true, versions: [0, 2] },
    { name: 'producerIdFilters', type: 'int64', array: true, versions: [0, 2] },
    { name: 'durationFilter', type: 'int64', versions: [1, 2], default: -1n },
    { name: 'transactionalIdPattern', type: 'string', versions: [2, 2], nullable: [2, 2], default: null }
  ]
}

export const listTransactionsResponse: Definition = {
  name: 'ListTransactionsResponse', versions: [0, 2], flexible: [0, 2],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 2] },
    { name: 'errorCode', type: 'int16', versions: [0, 2] },
    { name: 'unknownStateFilters', type: 'string', array: true, versions: [0, 2] },
    { name: 'transactionStates', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'transactionalId', type: 'string', versions: [0, 2] },
      { name: 'producerId', type: 'int64', versions: [0, 2] },
      { name: 'transactionState', type: 'string', versions: [0, 2] }
    ] }
  ]
}

export { listTransactionsRequest as request, listTransactionsResponse as response }
