// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ConsumerGroupHeartbeatRequest {
  groupId: string
  memberId: string
  memberEpoch: number
  instanceId?: string | null
  rackId?: string | null
  rebalanceTimeoutMs?: number
  subscribedTopicNames?: string[] | null
  subscribedTopicRegex?: string | null
  serverAssignor?: string | null
  topicPartitions?: {
    topicId: string
    partitions: number[]
  }[] | null
}

export interface ConsumerGroupHeartbeatResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  memberId: string | null
  memberEpoch: number
  heartbeatIntervalMs: number
  assignment: {
    topicPartitions: {
      topicId: string
      partitions: number[]
    }[]
  } | null
}

export const consumerGroupHeartbeatRequest: Definition = {
  name: 'ConsumerGroupHeartbeatRequest', versions: [0, 1], flexible: [0, 1],
  fields: [
    { name: 'groupId', type: 'string', versions: [0, 1] },
    { name: 'memberId', type: 'string', versions: [0, 1] },
    { name: 'memberEpoch', type: 'int32', versions: [0, 1] },
    { name: 'instanceId', type: 'string', versions: [0, 1], nullable: [0, 1], default: null },
    { name: 'rackId', type: 'string', versions: [0, 1], nullable: [0, 1], default: null },
    { name: 'rebalanceTimeoutMs', type: 'int32', versions: [0, 1], default: -1 },
    { name: 'subscribedTopicNames', type: 'string', array: true, versions: [0, 1], nullable: [0, 1], default: null },
    { name: 'subscribedTopicRegex', type: 'string', versions: [1, 1], nullable: [1, 1], default: null },
    { name: 'serverAssignor', type: 'string', versions: [0, 1], nullable: [0, 1], default: null },
    { name: 'topicPartitions', type: 'struct', array: true, versions: [0, 1], nullable: [0, 1], default: null, fields: [
      { name: 'topicId', type: 'uuid', versions: [0, 1] },
      { name: 'partitions', type: 'int32', array: true, versions: [0, 1] }
    ] }
  ]
}

export const consumerGroupHeartbeatResponse: Definition = {
  name: 'ConsumerGroupHeartbeatResponse', versions: [0, 1], flexible: [0, 1],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 1] },
    { name: 'errorCode', type: 'int16', versions: [0, 1] },
    { name: 'errorMessage', type: 'string', versions: [0, 1], nullable: [0, 1], default: null },
    { name: 'memberId', type: 'string', versions: [0, 1], nullable: [0, 1], default: null },
    { name: 'memberEpoch', type: 'int32', versions: [0, 1] },
    { name: 'heartbeatIntervalMs', type: 'int32', versions: [0, 1] },
    { name: 'assignment', type: 'struct', versions: [0, 1], nullable: [0, 1], default: null, fields: [
      { name: 'topicPartitions', type: 'struct', array: true, versions: [0, 1], fields: [
        { name: 'topicId', type: 'uuid', versions: [0, 1] },
        { name: 'partitions', type: 'int32', array: true, versions: [0, 1] }
      ] }
    ] }
  ]
}

export { consumerGroupHeartbeatRequest as request, consumerGroupHeartbeatResponse as response }
