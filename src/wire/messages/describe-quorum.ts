// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DescribeQuorumRequest {
  topics: {
    topicName: string
    partitions: {
      partitionIndex: number
    }[]
  }[]
}

export interface DescribeQuorumResponse {
  errorCode: number
  errorMessage: string | null
  topics: {
    topicName: string
    partitions: {
      partitionIndex: number
      errorCode: number
      errorMessage: string | null
      leaderId: number
      leaderEpoch: number
      highWatermark: bigint
      currentVoters: {
        replicaId: number
        replicaDirectoryId: string
        logEndOffset: bigint
        lastFetchTimestamp: bigint
        lastCaughtUpTimestamp: bigint
      }[]
      observers: {
        replicaId: number
        replicaDirectoryId: string
        logEndOffset: bigint
        lastFetchTimestamp: bigint
        lastCaughtUpTimestamp: bigint
      }[]
    }[]
  }[]
  nodes: {
    nodeId: number
    listeners: {
      name: string
      host: string
      port: number
    }[]
  }[]
}

export const describeQuorumRequest: Definition = {
  name: 'DescribeQuorumRequest', versions: [0, 2], flexible: [0, 2],
  fields: [
    { name: 'topics', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'topicName', type: 'string', versions: [0, 2] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 2], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 2] }
      ] }
    ] }
  ]
}

export const describeQuorumResponse: Definition = {
  name: 'DescribeQuorumResponse', versions: [0, 2], flexible: [0, 2],
  fields: [
    { name: 'errorCode', type: 'int16', versions: [0, 2] },
    { name: 'errorMessage', type: 'string', versions: [2, 2], nullable: [2, 2], ignorable: true },
    { name: 'topics', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'topicName', type: 'string', versions: [0, 2] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 2], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 2] },
        { name: 'errorCode', type: 'int16', versions: [0, 2] },
        { name: 'errorMessage', type: 'string', versions: [2, 2], nullable: [2, 2], ignorable: true },
        { name: 'leaderId', type: 'int32', versions: [0, 2] },
        { name: 'leaderEpoch', type: 'int32', versions: [0, 2] },
        { name: 'highWatermark', type: 'int64', versions: [0, 2] },
        { name: 'currentVoters', type: 'struct', array: true, versions: [0, 2], fields: [
          { name: 'replicaId', type: 'int32', versions: [0, 2] },
          { name: 'replicaDirectoryId', type: 'uuid', versions: [2, 2] },
          { name: 'logEndOffset', type: 'int64', versions: [0, 2] },
          { name: 'lastFetchTimestamp', type: 'int64', versions: [1, 2], default: -1n, ignorable: true },
          { name: 'lastCaughtUpTimestamp', type: 'int64', versions: [1, 2], default: -1n, ignorable: true }
        ] },
        { name: 'observers', type: 'struct', array: true, versions: [0, 2], fields: [
          { name: 'replicaId', type: 'int32', versions: [0, 2] },
          { name: 'replicaDirectoryId', type: 'uuid', versions: [2, 2] },
          { name: 'logEndOffset', type: 'int64', versions: [0, 2] },
          { name: 'lastFetchTimestamp', type: 'int64', versions: [1, 2], default: -1n, ignorable: true },
          { name: 'lastCaughtUpTimestamp', type: 'int64', versions: [1, 2], default: -1n, ignorable: true }
        ] }
      ] }
    ] },
    { name: 'nodes', type: 'struct', array: true, versions: [2, 2], fields: [
      { name: 'nodeId', type: 'int32', versions: [2, 2] },
      { name: 'listeners', type: 'struct', array: true, versions: [2, 2], fields: [
        { name: 'name', type: 'string', versions: [2, 2] },
        { name: 'host', type: 'string', versions: [2, 2] },
        { name: 'port', type: 'uint16', versions: [2, 2] }
      ] }
    ] }
  ]
}

export { describeQuorumRequest as request, describeQuorumResponse as response }
