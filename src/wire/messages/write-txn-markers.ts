// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface WriteTxnMarkersRequest {
  markers: {
    producerId: bigint
    producerEpoch: number
    transactionResult: boolean
    topics: {
      name: string
      partitionIndexes: number[]
    }[]
    coordinatorEpoch: number
    transactionVersion?: number
  }[]
}

export interface WriteTxnMarkersResponse {
  markers: {
    producerId: bigint
    topics: {
      name: string
      partitions: {
        partitionIndex: number
        errorCode: number
      }[]
    }[]
  }[]
}

export const writeTxnMarkersRequest: Definition = {
  name: 'WriteTxnMarkersRequest', versions: [0, 2], flexible: [1, 2],
  fields: [
    { name: 'markers', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'producerId', type: 'int64', versions: [0, 2] },
      { name: 'producerEpoch', type: 'int16', versions: [0, 2] },
      { name: 'transactionResult', type: 'bool', versions: [0, 2] },
      { name: 'topics', type: 'struct', array: true, versions: [0, 2], fields: [
        { name: 'name', type: 'string', versions: [0, 2] },
        { name: 'partitionIndexes', type: 'int32', array: true, versions: [0, 2] }
      ] },
      { name: 'coordinatorEpoch', type: 'int32', versions: [0, 2] },
      { name: 'transactionVersion', type: 'int8', versions: [2, 2], default: 0, ignorable: true }
    ] }
  ]
}

export const writeTxnMarkersResponse: Definition = {
  name: 'WriteTxnMarkersResponse', versions: [0, 2], flexible: [1, 2],
  fields: [
    { name: 'markers', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'producerId', type: 'int64', versions: [0, 2] },
      { name: 'topics', type: 'struct', array: true, versions: [0, 2], fields: [
        { name: 'name', type: 'string', versions: [0, 2] },
        { name: 'partitions', type: 'struct', array: true, versions: [0, 2], fields: [
          { name: 'partitionIndex', type: 'int32', versions: [0, 2] },
          { name: 'errorCode', type: 'int16', versions: [0, 2] }
        ] }
      ] }
    ] }
  ]
}

export { writeTxnMarkersRequest as request, writeTxnMarkersResponse as response }
