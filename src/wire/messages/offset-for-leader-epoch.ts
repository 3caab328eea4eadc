// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface OffsetForLeaderEpochRequest {
  replicaId?: number
  topics: {
    topic: string
    partitions: {
      partition: number
      currentLeaderEpoch?: number
      leaderEpoch: number
    }[]
  }[]
}

export interface OffsetForLeaderEpochResponse {
  throttleTimeMs: number
  topics: {
    topic: string
    partitions: {
      errorCode: number
      partition: number
      leaderEpoch: number
      endOffset: bigint
    }[]
  }[]
}

export const offsetForLeaderEpochRequest: Definition = {
  name: 'OffsetForLeaderEpochRequest', versions: [0, 4], flexible: [4, 4],
  fields: [
    { name: 'replicaId', type: 'int32', versions: [3, 4], default: -2, ignorable: true },
    { name: 'topics', type: 'struct', array: true, versions: [0, 4], fields: [
      { name: 'topic', type: 'string', versions: [0, 4] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 4], fields: [
        { name: 'partition', type: 'int32', versions: [0, 4] },
        { name: 'currentLeaderEpoch', type: 'int32', versions: [2, 4], default: -1, ignorable: true },
        { name: 'leaderEpoch', type: 'int32', versions: [0, 4] }
      ] }
    ] }
  ]
}

export const offsetForLeaderEpochResponse: Definition = {
  name: 'OffsetForLeaderEpochResponse', versions: [0, 4], flexible: [4, 4],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [2, 4], ignorable: true },
    { name: 'topics', type: 'struct', array: true, versions: [0, 4], fields: [
      { name: 'topic', type: 'string', versions: [0, 4] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 4], fields: [
        { name: 'errorCode', type: 'int16', versions: [0, 4] },
        { name: 'partition', type: 'int32', versions: [0, 4] },
        { name: 'leaderEpoch', type: 'int32', versions: [1, 4], default: -1, ignorable: true },
        { name: 'endOffset', type: 'int64', versions: [0, 4], default: -1n }
      ] }
    ] }
  ]
}

export { offsetForLeaderEpochRequest as request, offsetForLeaderEpochResponse as response }
