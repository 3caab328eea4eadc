// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ShareAcknowledgeRequest {
  groupId?: string | null
  memberId: string | null
  shareSessionEpoch: number
  isRenewAck?: boolean
  topics: {
    topicId: string
    partitions: {
      partitionIndex: number
      acknowledgementBatches: {
        firstOffset: bigint
        lastOffset: bigint
        acknowledgeTypes: number[]
      }[]
    }[]
  }[]
}

export interface ShareAcknowledgeResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  acquisitionLockTimeoutMs: number
  responses: {
    topicId: string
    partitions: {
      partitionIndex: number
      errorCode: number
      errorMessage: string | null
      currentLeader: {
        leaderId: number
        leaderEpoch: number
      }
    }[]
  }[]
  nodeEndpoints: {
    nodeId: number
    host: string
    port: number
    rack: string | null
  }[]
}

export const shareAcknowledgeRequest: Definition = {
  name: 'ShareAcknowledgeRequest', versions: [0, 2], flexible: [0, 2],
  fields: [
    { name: 'groupId', type: 'string', versions: [0, 2], nullable: [0, 2], default: null },
    { name: 'memberId', type: 'string', versions: [0, 2], nullable: [0, 2] },
    { name: 'shareSessionEpoch', type: 'int32', versions: [0, 2] },
    { name: 'isRenewAck', type: 'bool', versions: [2, 2], default: false },
    { name: 'topics', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'topicId', type: 'uuid', versions: [0, 2] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 2], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 2] },
        { name: 'acknowledgementBatches', type: 'struct', array: true, versions: [0, 2], fields: [
          { name: 'firstOffset', type: 'int64', versions: [0, 2] },
          { name: 'lastOffset', type: 'int64', versions: [0, 2] },
          { name: 'acknowledgeTypes', type: 'int8', array: true, versions: [0, 2] }
        ] }
      ] }
    ] }
  ]
}

export const shareAcknowledgeResponse: Definition = {
  name: 'ShareAcknowledgeResponse', versions: [0, 2], flexible: [0, 2],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 2], ignorable: true },
    { name: 'errorCode', type: 'int16', versions: [0, 2], ignorable: true },
    { name: 'errorMessage', type: 'string', versions: [0, 2], nullable: [0, 2], default: null },
    { name: 'acquisitionLockTimeoutMs', type: 'int32', versions: [2, 2], ignorable: true },
    { name: 'responses', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'topicId', type: 'uuid', versions: [0, 2], ignorable: true },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 2], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 2] },
        { name: 'errorCode', type: 'int16', versions: [0, 2] },
        { name: 'errorMessage', type: 'string', versions: [0, 2], nullable: [0, 2], default: null },
        { name: 'currentLeader', type: 'struct', versions: [0, 2], fields: [
          { name: 'leaderId', type: 'int32', versions: [0, 2] },
          { name: 'leaderEpoch', type: 'int32', versions: [0, 2] }
        ] }
      ] }
    ] },
    { name: 'nodeEndpoints', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'nodeId', type: 'int32', versions: [0, 2] },
      { name: 'host', type: 'string', versions: [0, 2] },
      { name: 'port', type: 'int32', versions: [0, 2] },
      { name: 'rack', type: 'string', versions: [0, 2], nullable: [0, 2], default: null }
    ] }
  ]
}

export { shareAcknowledgeRequest as request, shareAcknowledgeResponse as response }
