// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface AddPartitionsToTxnRequest {
  transactions?: {
    transactionalId?: string
    producerId?: bigint
    producerEpoch?: number
    verifyOnly?: boolean
    topics?: {
      name: string
      partitions: number[]
    }[]
  }[]
  v3AndBelowTransactionalId?: string
  v3AndBelowProducerId?: bigint
  v3AndBelowProducerEpoch?: number
  v3AndBelowTopics?: {
    name: string
    partitions: number[]
  }[]
}

export interface AddPartitionsToTxnResponse {
  throttleTimeMs: number
  errorCode: number
  resultsByTransaction: {
    transactionalId: string
    topicResults: {
      name: string
      resultsByPartition: {
        partitionIndex: number
        partitionErrorCode: number
      }[]
    }[]
  }[]
  resultsByTopicV3AndBelow: {
    name: string
    resultsByPartition: {
      partitionIndex: number
      partitionErrorCode: number
    }[]
  }[]
}

export const addPartitionsToTxnRequest: Definition = {
  name: 'AddPartitionsToTxnRequest', versions: [0, 5], flexible: [3, 5],
  fields: [
    { name: 'transactions', type: 'struct', array: true, versions: [4, 5], fields: [
      { name: 'transactionalId', type: 'string', versions: [4, 5] },
      { name: 'producerId', type: 'int64', versions: [4, 5] },
      { name: 'producerEpoch', type: 'int16', versions: [4, 5] },
      { name: 'verifyOnly', type: 'bool', versions: [4, 5], default: false },
      { name: 'topics', type: 'struct', array: true, versions: [4, 5], fields: [
        { name: 'name', type: 'string', versions: [0, 5] },
        { name: 'partitions', type: 'int32', array: true, versions: [0, 5] }
      ] }
    ] },
    { name: 'v3AndBelowTransactionalId', type: 'string', versions: [0, 3] },
    { name: 'v3AndBelowProducerId', type: 'int64', versions: [0, 3] },
    { name: 'v3AndBelowProducerEpoch', type: 'int16', versions: [0, 3] },
    { name: 'v3AndBelowTopics', type: 'struct', array: true, versions: [0, 3], fields: [
      { name: 'name', type: 'string', versions: [0, 5] },
      { name: 'partitions', type: 'int32', array: true, versions: [0, 5] }
    ] }
  ]
}

export const addPartitionsToTxnResponse: Definition = {
  name: 'AddPartitionsToTxnResponse', versions: [0, 5], flexible: [3, 5],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 5] },
    { name: 'errorCode', type: 'int16', versions: [4, 5], ignorable: true },
    { name: 'resultsByTransaction', type: 'struct', array: true, versions: [4, 5], fields: [
      { name: 'transactionalId', type: 'string', versions: [4, 5] },
      { name: 'topicResults', type: 'struct', array: true, versions: [4, 5], fields: [
        { name: 'name', type: 'string', versions: [0, 5] },
        { name: 'resultsByPartition', type: 'struct', array: true, versions: [0, 5], fields: [
          { name: 'partitionIndex', type: 'int32', versions: [0, 5] },
          { name: 'partitionErrorCode', type: 'int16', versions: [0, 5] }
        ] }
      ] }
    ] },
    { name: 'resultsByTopicV3AndBelow', type: 'struct', array: true, versions: [0, 3], fields: [
      { name: 'name', type: 'string', versions: [0, 5] },
      { name: 'resultsByPartition', type: 'struct', array: true, versions: [0, 5], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 5] },
        { name: 'partitionErrorCode', type: 'int16', versions: [0, 5] }
      ] }
    ] }
  ]
}

export { addPartitionsToTxnRequest as request, addPartitionsToTxnResponse as response }
