// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface InitProducerIdRequest {
  transactionalId: string | null
  transactionTimeoutMs: number
  producerId?: bigint
  producerEpoch?: number
  enable2Pc?: boolean
  keepPreparedTxn?: boolean
}

export interface InitProducerIdResponse {
  throttleTimeMs: number
  errorCode: number
  producerId: bigint
  producerEpoch: number
  ongoingTxnProducerId: bigint
  ongoingTxnProducerEpoch: number
}

export const initProducerIdRequest: Definition = {
  name: 'InitProducerIdRequest', versions: [0, 6], flexible: [2, 6],
  fields: [
    { name: 'transactionalId', type: 'string', versions: [0, 6], nullable: [0, 6] },
    { name: 'transactionTimeoutMs', type: 'int32', versions: [0, 6] },
    { name: 'producerId', type: 'int64', versions: [3, 6], default: -1n },
    { name: 'producerEpoch', type: 'int16', versions: [3, 6], default: -1 },
    { name: 'enable2Pc', type: 'bool', versions: [6, 6], default: false },
    { name: 'keepPreparedTxn', type: 'bool', versions: [6, 6], default: false }
  ]
}

export const initProducerIdResponse: Definition = {
  name: 'InitProducerIdResponse', versions: [0, 6], flexible: [2, 6],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 6], ignorable: true },
    { name: 'errorCode', type: 'int16', versions: [0, 6] },
    { name: 'producerId', type: 'int64', versions: [0, 6], default: -1n },
    { name: 'producerEpoch', type: 'int16', versions: [0, 6] },
    { name: 'ongoingTxnProducerId', type: 'int64', versions: [6, 6], default: -1n },
    { name: 'ongoingTxnProducerEpoch', type: 'int16', versions: [6, 6], default: -1 }
  ]
}

export { initProducerIdRequest as request, initProducerIdResponse as response }
