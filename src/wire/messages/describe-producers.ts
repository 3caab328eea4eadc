// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DescribeProducersRequest {
  topics: {
    name: string
    partitionIndexes: number[]
  }[]
}

export interface DescribeProducersResponse {
  throttleTimeMs: number
  topics: {
    name: string
    partitions: {
      partitionIndex: number
      errorCode: number
      errorMessage: string | null
      activeProducers: {
        producerId: bigint
        producerEpoch: number
        lastSequence: number
        lastTimestamp: bigint
        coordinatorEpoch: number
        currentTxnStartOffset: bigint
      }[]
    }[]
  }[]
}

export const describeProducersRequest: Definition = {
  name: 'DescribeProducersRequest', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'topics', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'name', type: 'string', versions: [0, 0] },
      { name: 'partitionIndexes', type: 'int32', array: true, versions: [0, 0] }
    ] }
  ]
}

export const describeProducersResponse: Definition = {
  name: 'DescribeProducersResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0] },
    { name: 'topics', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'name', type: 'string', versions: [0, 0] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 0], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 0] },
        { name: 'errorCode', type: 'int16', versions: [0, 0] },
        { name: 'errorMessage', type: 'string', versions: [0, 0], nullable: [0, 0], default: null },
        { name: 'activeProducers', type: 'struct', array: true, versions: [0, 0], fields: [
          { name: 'producerId', type: 'int64', versions: [0, 0] },
          { name: 'producerEpoch', type: 'int32', versions: [0, 0] },
          { name: 'lastSequence', type: 'int32', versions: [0, 0], default: -1 },
          { name: 'lastTimestamp', type: 'int64', versions: [0, 0], default: -1n },
          { name: 'coordinatorEpoch', type: 'int32', versions: [0, 0] },
          { name: 'currentTxnStartOffset', type: 'int64', versions: [0, 0], default: -1n }
        ] }
      ] }
    ] }
  ]
}

export { describeProducersRequest as request, describeProducersResponse as response }
