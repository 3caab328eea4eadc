// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface FetchRequest {
  clusterId?: string | null
  replicaId?: number
  replicaState?: {
    replicaId?: number
    replicaEpoch?: bigint
  }
  maxWaitMs: number
  minBytes: number
  maxBytes?: number
  isolationLevel?: number
  sessionId?: number
  sessionEpoch?: number
  topics: {
    topic?: string
    topicId?: string
    partitions: {
      partition: number
      currentLeaderEpoch?: number
      fetchOffset: bigint
      lastFetchedEpoch?: number
      logStartOffset?: bigint
      partitionMaxBytes: number
      replicaDirectoryId?: string
      highWatermark?: bigint
    }[]
  }[]
  forgottenTopicsData?: {
    topic?: string
    topicId?: string
    partitions?: number[]
  }[]
  rackId?: string
}

export interface FetchResponse {
  throttleTimeMs: number
  errorCode: number
  sessionId: number
  responses: {
    topic: string
    topicId: string
    partitions: {
      partitionIndex: number
      errorCode: number
      highWatermark: bigint
      lastStableOffset: bigint
      logStartOffset: bigint
      divergingEpoch: {
        epoch: number
        endOffset: bigint
      }
      currentLeader: {
        leaderId: number
        leaderEpoch: number
      }
      snapshotId: {
        endOffset: bigint
        epoch: number
      }
      abortedTransactions: {
        producerId: bigint
        firstOffset: bigint
      }[] | null
      preferredReadReplica: number
      records: Buffer | null
    }[]
  }[]
  nodeEndpoints: {
    nodeId: number
    host: string
    port: number
    rack: string | null
  }[]
}

export const fetchRequest: Definition = {
  name: 'FetchRequest', versions: [0, 18], flexible: [12, 18],
  fields: [
    { name: 'clusterId', type: 'string', versions: [12, 18], nullable: [12, 18], tag: 0, tagged: [12, 18], default: null, ignorable: true },
    { name: 'replicaId', type: 'int32', versions: [0, 14], default: -1 },
    { name: 'replicaState', type: 'struct', versions: [15, 18], tag: 1, tagged: [15, 18], fields: [
      { name: 'replicaId', type: 'int32', versions: [15, 18], default: -1 },
      { name: 'replicaEpoch', type: 'int64', versions: [15, 18], default: -1n }
    ] },
    { name: 'maxWaitMs', type: 'int32', versions: [0, 18] },
    { name: 'minBytes', type: 'int32', versions: [0, 18] },
    { name: 'maxBytes', type: 'int32', versions: [3, 18], default: 2147483647, ignorable: true },
    { name: 'isolationLevel', type: 'int8', versions: [4, 18], default: 0, ignorable: true },
    { name: 'sessionId', type: 'int32', versions: [7, 18], default: 0, ignorable: true },
    { name: 'sessionEpoch', type: 'int32', versions: [7, 18], default: -1, ignorable: true },
    { name: 'topics', type: 'struct', array: true, versions: [0, 18], fields: [
      { name: 'topic', type: 'string', versions: [0, 12], ignorable: true },
      { name: 'topicId', type: 'uuid', versions: [13, 18], ignorable: true },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 18], fields: [
        { name: 'partition', type: 'int32', versions: [0, 18] },
        { name: 'currentLeaderEpoch', type: 'int32', versions: [9, 18], default: -1, ignorable: true },
        { name: 'fetchOffset', type: 'int64', versions: [0, 18] },
        { name: 'lastFetchedEpoch', type: 'int32', versions: [12, 18], default: -1 },
        { name: 'logStartOffset', type: 'int64', versions: [5, 18], default: -1n, ignorable: true },
        { name: 'partitionMaxBytes', type: 'int32', versions: [0, 18] },
        { name: 'replicaDirectoryId', type: 'uuid', versions: [17, 18], tag: 0, tagged: [17, 18], ignorable: true },
        { name: 'highWatermark', type: 'int64', versions: [18, 18], tag: 1, tagged: [18, 18], default: 9223372036854775807n, ignorable: true }
      ] }
    ] },
    { name: 'forgottenTopicsData', type: 'struct', array: true, versions: [7, 18], fields: [
      { name: 'topic', type: 'string', versions: [7, 12], ignorable: true },
      { name: 'topicId', type: 'uuid', versions: [13, 18], ignorable: true },
      { name: 'partitions', type: 'int32', array: true, versions: [7, 18] }
    ] },
    { name: 'rackId', type: 'string', versions: [11, 18], default: "", ignorable: true }
  ]
}

export const fetchResponse: Definition = {
  name: 'FetchResponse', versions: [0, 18], flexible: [12, 18],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [1, 18], ignorable: true },
    { name: 'errorCode', type: 'int16', versions: [7, 18], ignorable: true },
    { name: 'sessionId', type: 'int32', versions: [7, 18], default: 0 },
    { name: 'responses', type: 'struct', array: true, versions: [0, 18], fields: [
      { name: 'topic', type: 'string', versions: [0, 12], ignorable: true },
      { name: 'topicId', type: 'uuid', versions: [13, 18], ignorable: true },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 18], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 18] },
        { name: 'errorCode', type: 'int16', versions: [0, 18] },
        { name: 'highWatermark', type: 'int64', versions: [0, 18] },
        { name: 'lastStableOffset', type: 'int64', versions: [4, 18], default: -1n, ignorable: true },
        { name: 'logStartOffset', type: 'int64', versions: [5, 18], default: -1n, ignorable: true },
        { name: 'divergingEpoch', type: 'struct', versions: [12, 18], tag: 0, tagged: [12, 18], fields: [
          { name: 'epoch', type: 'int32', versions: [12, 18], default: -1 },
          { name: 'endOffset', type: 'int64', versions: [12, 18], default: -1n }
        ] },
        { name: 'currentLeader', type: 'struct', versions: [12, 18], tag: 1, tagged: [12, 18], fields: [
          { name: 'leaderId', type: 'int32', versions: [12, 18], default: -1 },
          { name: 'leaderEpoch', type: 'int32', versions: [12, 18], default: -1 }
        ] },
        { name: 'snapshotId', type: 'struct', versions: [12, 18], tag: 2, tagged: [12, 18], fields: [
          { name: 'endOffset', type: 'int64', versions: [0, 18], default: -1n },
          { name: 'epoch', type: 'int32', versions: [0, 18], default: -1 }
        ] },
        { name: 'abortedTransactions', type: 'struct', array: true, versions: [4, 18], nullable: [4, 18], ignorable: true, fields: [
          { name: 'producerId', type: 'int64', versions: [4, 18] },
          { name: 'firstOffset', type: 'int64', versions: [4, 18] }
        ] },
        { name: 'preferredReadReplica', type: 'int32', versions: [11, 18], default: -1 },
        { name: 'records', type: 'records', versions: [0, 18], nullable: [0, 18] }
      ] }
    ] },
    { name: 'nodeEndpoints', type: 'struct', array: true, versions: [16, 18], tag: 0, tagged: [16, 18], fields: [
      { name: 'nodeId', type: 'int32', versions: [16, 18] },
      { name: 'host', type: 'string', versions: [16, 18] },
      { name: 'port', type: 'int32', versions: [16, 18] },
      { name: 'rack', type: 'string', versions: [16, 18], nullable: [16, 18], default: null }
    ] }
  ]
}

export { fetchRequest as request, fetchResponse as response }
