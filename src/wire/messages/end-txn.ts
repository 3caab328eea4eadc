// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface EndTxnRequest {
  transactionalId: string
  producerId: bigint
  producerEpoch: number
  committed: boolean
}

export interface EndTxnResponse {
  throttleTimeMs: number
  errorCode: number
  producerId: bigint
  producerEpoch: number
}

export const endTxnRequest: Definition = {
  name: 'EndTxnRequest', versions: [0, 5], flexible: [3, 5],
  fields: [
    { name: 'transactionalId', type: 'string', versions: [0, 5] },
    { name: 'producerId', type: 'int64', versions: [0, 5] },
    { name: 'producerEpoch', type: 'int16', versions: [0, 5] },
    { name: 'committed', type: 'bool', versions: [0, 5] }
  ]
}

export const endTxnResponse: Definition = {
  name: 'EndTxnResponse', versions: [0, 5], flexible: [3, 5],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 5] },
    { name: 'errorCode', type: 'int16', versions: [0, 5] },
    { name: 'producerId', type: 'int64', versions: [5, 5], default: -1n, ignorable: true },
    { name: 'producerEpoch', type: 'int16', versions: [5, 5], default: -1, ignorable: true }
  ]
}

export { endTxnRequest as request, endTxnResponse as response }
