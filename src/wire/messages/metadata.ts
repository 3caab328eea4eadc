// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface MetadataRequest {
  topics: {
    topicId?: string
    name: string | null
  }[] | null
  allowAutoTopicCreation?: boolean
  includeClusterAuthorizedOperations?: boolean
  includeTopicAuthorizedOperations?: boolean
}

export interface MetadataResponse {
  throttleTimeMs: number
  brokers: {
    nodeId: number
    host: string
    port: number
    rack: string | null
  }[]
  clusterId: string | null
  controllerId: number
  topics: {
    errorCode: number
    name: string | null
    topicId: string
    isInternal: boolean
    partitions: {
      errorCode: number
      partitionIndex: number
      leaderId: number
      leaderEpoch: number
      replicaNodes: number[]
      isrNodes: number[]
      offlineReplicas: number[]
    }[]
    topicAuthorizedOperations: number
  }[]
  clusterAuthorizedOperations: number
  errorCode: number
}

export const metadataRequest: Definition = {
  name: 'MetadataRequest', versions: [0, 13], flexible: [9, 13],
  fields: [
    { name: 'topics', type: 'struct', array: true, versions: [0, 13], nullable: [1, 13], fields: [
      { name: 'topicId', type: 'uuid', versions: [10, 13], ignorable: true },
      { name: 'name', type: 'string', versions: [0, 13], nullable: [10, 13] }
    ] },
    { name: 'allowAutoTopicCreation', type: 'bool', versions: [4, 13], default: true },
    { name: 'includeClusterAuthorizedOperations', type: 'bool', versions: [8, 10] },
    { name: 'includeTopicAuthorizedOperations', type: 'bool', versions: [8, 13] }
  ]
}

export const metadataResponse: Definition = {
  name: 'MetadataResponse', versions: [0, 13], flexible: [9, 13],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [3, 13], ignorable: true },
    { name: 'brokers', type: 'struct', array: true, versions: [0, 13], fields: [
      { name: 'nodeId', type: 'int32', versions: [0, 13] },
      { name: 'host', type: 'string', versions: [0, 13] },
      { name: 'port', type: 'int32', versions: [0, 13] },
      { name: 'rack', type: 'string', versions: [1, 13], nullable: [1, 13], default: null, ignorable: true }
    ] },
    { name: 'clusterId', type: 'string', versions: [2, 13], nullable: [2, 13], default: null, ignorable: true },
    { name: 'controllerId', type: 'int32', versions: [1, 13], default: -1, ignorable: true },
    { name: 'topics', type: 'struct', array: true, versions: [0, 13], fields: [
      { name: 'errorCode', type: 'int16', versions: [0, 13] },
      { name: 'name', type: 'string', versions: [0, 13], nullable: [12, 13] },
      { name: 'topicId', type: 'uuid', versions: [10, 13], ignorable: true },
      { name: 'isInternal', type: 'bool', versions: [1, 13], default: false, ignorable: true },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 13], fields: [
        { name: 'errorCode', type: 'int16', versions: [0, 13] },
        { name: 'partitionIndex', type: 'int32', versions: [0, 13] },
        { name: 'leaderId', type: 'int32', versions: [0, 13] },
        { name: 'leaderEpoch', type: 'int32', versions: [7, 13], default: -1, ignorable: true },
        { name: 'replicaNodes', type: 'int32', array: true, versions: [0, 13] },
        { name: 'isrNodes', type: 'int32', array: true, versions: [0, 13] },
        { name: 'offlineReplicas', type: 'int32', array: true, versions: [5, 13], ignorable: true }
      ] },
      { name: 'topicAuthorizedOperations', type: 'int32', versions: [8, 13], default: -2147483648 }
    ] },
    { name: 'clusterAuthorizedOperations', type: 'int32', versions: [8, 10], default: -2147483648 },
    { name: 'errorCode', type: 'int16', versions: [13, 13], ignorable: true }
  ]
}

export { metadataRequest as request, metadataResponse as response }
