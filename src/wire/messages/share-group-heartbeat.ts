// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ShareGroupHeartbeatRequest {
  groupId: string
  memberId: string
  memberEpoch: number
  rackId?: string | null
  subscribedTopicNames?: string[] | null
}

export interface ShareGroupHeartbeatResponse {
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

export const shareGroupHeartbeatRequest: Definition = {
  name: 'ShareGroupHeartbeatRequest', versions: [0, 1], flexible: [0, 1],
  fields: [
    { name: 'groupId', type: 'string', versions: [0, 1] },
    { name: 'memberId', type: 'string', versions: [0, 1] },
    { name: 'memberEpoch', type: 'int32', versions: [0, 1] },
    { name: 'rackId', type: 'string', versions: [0, 1], nullable: [0, 1], default: null },
    { name: 'subscribedTopicNames', type: 'string', array: true, versions: [0, 1], nullable: [0, 1], default: null }
  ]
}

export const shareGroupHeartbeatResponse: Definition = {
  name: 'ShareGroupHeartbeatResponse', versions: [0, 1], flexible: [0, 1],
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

export { shareGroupHeartbeatRequest as request, shareGroupHeartbeatResponse as response }
