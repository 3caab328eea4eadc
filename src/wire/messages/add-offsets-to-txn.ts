// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface AddOffsetsToTxnRequest {
  transactionalId: string
  producerId: bigint
  producerEpoch: number
  groupId: string
}

export interface AddOffsetsToTxnResponse {
  throttleTimeMs: number
  errorCode: number
}

export const addOffsetsToTxnRequest: Definition = {
  name: 'AddOffsetsToTxnRequest', versions: [0, 4], flexible: [3, 4],
  fields: [
    { name: 'transactionalId', type: 'string', versions: [0, 4] },
    { name: 'producerId', type: 'int64', versions: [0, 4] },
    { name: 'producerEpoch', type: 'int16', versions: [0, 4] },
    { name: 'groupId', type: 'string', versions: [0, 4] }
  ]
}

export const addOffsetsToTxnResponse: Definition = {
  name: 'AddOffsetsToTxnResponse', versions: [0, 4], flexible: [3, 4],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 4] },
    { name: 'errorCode', type: 'int16', versions: [0, 4] }
  ]
}

export { addOffsetsToTxnRequest as request, addOffsetsToTxnResponse as response }
