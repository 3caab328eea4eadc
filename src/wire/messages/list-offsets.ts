// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ListOffsetsRequest {
  replicaId: number
  isolationLevel?: number
  topics: {
    name: string
    partitions: {
      partitionIndex: number
      currentLeaderEpoch?: number
      timestamp: bigint
      maxNumOffsets?: number
    }[]
  }[]
  timeoutMs?: number
}

export interface ListOffsetsResponse {
  throttleTimeMs: number
  topics: {
    name: string
    partitions: {
      partitionIndex: number
      errorCode: number
      oldStyleOffsets: bigint[]
      timestamp: bigint
      offset: bigint
      leaderEpoch: number
    }[]
  }[]
}

export const listOffsetsRequest: Definition = {
  name: 'ListOffsetsRequest', versions: [0, 11], flexible: [6, 11],
  fields: [
    { name: 'replicaId', type: 'int32', versions: [0, 11] },
    { name: 'isolationLevel', type: 'int8', versions: [2, 11] },
    { name: 'topics', type: 'struct', array: true, versions: [0, 11], fields: [
      { name: 'name', type: 'string', versions: [0, 11] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 11], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 11] },
        { name: 'currentLeaderEpoch', type: 'int32', versions: [4, 11], default: -1, ignorable: true },
        { name: 'timestamp', type: 'int64', versions: [0, 11] },
        { name: 'maxNumOffsets', type: 'int32', versions: [0, 0], default: 1 }
      ] }
    ] },
    { name: 'timeoutMs', type: 'int32', versions: [10, 11], ignorable: true }
  ]
}

export const listOffsetsResponse: Definition = {
  name: 'ListOffsetsResponse', versions: [0, 11], flexible: [6, 11],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [2, 11], ignorable: true },
    { name: 'topics', type: 'struct', array: true, versions: [0, 11], fields: [
      { name: 'name', type: 'string', versions: [0, 11] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 11], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 11] },
        { name: 'errorCode', type: 'int16', versions: [0, 11] },
        { name: 'oldStyleOffsets', type: 'int64', array: true, versions: [0, 0] },
        { name: 'timestamp', type: 'int64', versions: [1, 11], default: -1n },
        { name: 'offset', type: 'int64', versions: [1, 11], default: -1n },
        { name: 'leaderEpoch', type: 'int32', versions: [4, 11], default: -1 }
      ] }
    ] }
  ]
}

export { listOffsetsRequest as request, listOffsetsResponse as response }
