// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ShareGroupDescribeRequest {
  groupIds: string[]
  includeAuthorizedOperations: boolean
}

export interface ShareGroupDescribeResponse {
  throttleTimeMs: number
  groups: {
    errorCode: number
    errorMessage: string | null
    groupId: string
    groupState: string
    groupEpoch: number
    assignmentEpoch: number
    assignorName: string
    members: {
      memberId: string
      rackId: string | null
      memberEpoch: number
      clientId: string
      clientHost: string
      subscribedTopicNames: string[]
      assignment: {
        topicPartitions: {
          topicId: string
          topicName: string
          partitions: number[]
        }[]
      }
    }[]
    authorizedOperations: number
  }[]
}

export const shareGroupDescribeRequest: Definition = {
  name: 'ShareGroupDescribeRequest', versions: [0, 1], flexible: [0, 1],
  fields: [
    { name: 'groupIds', type: 'string', array: true, versions: [0, 1] },
    { name: 'includeAuthorizedOperations', type: 'bool', versions: [0, 1] }
  ]
}

export const shareGroupDescribeResponse: Definition = {
  name: 'ShareGroupDescribeResponse', versions: [0, 1], flexible: [0, 1],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 1] },
    { name: 'groups', type: 'struct', array: true, versions: [0, 1], fields: [
      { name: 'errorCode', type: 'int16', versions: [0, 1] },
      { name: 'errorMessage', type: 'string', versions: [0, 1], nullable: [0, 1], default: null },
      { name: 'groupId', type: 'string', versions: [0, 1] },
      { name: 'groupState', type: 'string', versions: [0, 1] },
      { name: 'groupEpoch', type: 'int32', versions: [0, 1] },
      { name: 'assignmentEpoch', type: 'int32', versions: [0, 1] },
      { name: 'assignorName', type: 'string', versions: [0, 1] },
      { name: 'members', type: 'struct', array: true, versions: [0, 1], fields: [
        { name: 'memberId', type: 'string', versions: [0, 1] },
        { name: 'rackId', type: 'string', versions: [0, 1], nullable: [0, 1], default: null },
        { name: 'memberEpoch', type: 'int32', versions: [0, 1] },
        { name: 'clientId', type: 'string', versions: [0, 1] },
        { name: 'clientHost', type: 'string', versions: [0, 1] },
        { name: 'subscribedTopicNames', type: 'string', array: true, versions: [0, 1] },
        { name: 'assignment', type: 'struct', versions: [0, 1], fields: [
          { name: 'topicPartitions', type: 'struct', array: true, versions: [0, 1], fields: [
            { name: 'topicId', type: 'uuid', versions: [0, 1] },
            { name: 'topicName', type: 'string', versions: [0, 1] },
            { name: 'partitions', type: 'int32', array: true, versions: [0, 1] }
          ] }
        ] }
      ] },
      { name: 'authorizedOperations', type: 'int32', versions: [0, 1], default: -2147483648 }
    ] }
  ]
}

export { shareGroupDescribeRequest as request, shareGroupDescribeResponse as response }
