// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DescribeTopicPartitionsRequest {
  topics: {
    name: string
  }[]
  responsePartitionLimit?: number
  cursor?: {
    topicName: string
    partitionIndex: number
  } | null
}

export interface DescribeTopicPartitionsResponse {
  throttleTimeMs: number
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
      eligibleLeaderReplicas: number[] | null
      lastKnownElr: number[] | null
      offlineReplicas: number[]
    }[]
    topicAuthorizedOperations: number
  }[]
  nextCursor: {
    topicName: string
    partitionIndex: number
  } | null
}

export const describeTopicPartitionsRequest: Definition = {
  name: 'DescribeTopicPartitionsRequest', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'topics', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'name', type: 'string', versions: [0, 0] }
    ] },
    { name: 'responsePartitionLimit', type: 'int32', versions: [0, 0], default: 2000 },
    { name: 'cursor', type: 'struct', versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'topicName', type: 'string', versions: [0, 0] },
      { name: 'partitionIndex', type: 'int32', versions: [0, 0] }
    ] }
  ]
}

export const describeTopicPartitionsResponse: Definition = {
  name: 'DescribeTopicPartitionsResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0], ignorable: true },
    { name: 'topics', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'errorCode', type: 'int16', versions: [0, 0] },
      { name: 'name', type: 'string', versions: [0, 0], nullable: [0, 0] },
      { name: 'topicId', type: 'uuid', versions: [0, 0], ignorable: true },
      { name: 'isInternal', type: 'bool', versions: [0, 0], default: false, ignorable: true },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 0], fields: [
        { name: 'errorCode', type: 'int16', versions: [0, 0] },
        { name: 'partitionIndex', type: 'int32', versions: [0, 0] },
        { name: 'leaderId', type: 'int32', versions: [0, 0] },
        { name: 'leaderEpoch', type: 'int32', versions: [0, 0], default: -1, ignorable: true },
        { name: 'replicaNodes', type: 'int32', array: true, versions: [0, 0] },
        { name: 'isrNodes', type: 'int32', array: true, versions: [0, 0] },
        { name: 'eligibleLeaderReplicas', type: 'int32', array: true, versions: [0, 0], nullable: [0, 0], default: null },
        { name: 'lastKnownElr', type: 'int32', array: true, versions: [0, 0], nullable: [0, 0], default: null },
        { name: 'offlineReplicas', type: 'int32', array: true, versions: [0, 0], ignorable: true }
      ] },
      { name: 'topicAuthorizedOperations', type: 'int32', versions: [0, 0], default: -2147483648 }
    ] },
    { name: 'nextCursor', type: 'struct', versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'topicName', type: 'string', versions: [0, 0] },
      { name: 'partitionIndex', type: 'int32', versions: [0, 0] }
    ] }
  ]
}

export { describeTopicPartitionsRequest as request, describeTopicPartitionsResponse as response }
