// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ShareFetchRequest {
  groupId?: string | null
  memberId: string | null
  shareSessionEpoch: number
  maxWaitMs: number
  minBytes: number
  maxBytes?: number
  maxRecords?: number
  batchSize?: number
  shareAcquireMode?: number
  isRenewAck?: boolean
  topics: {
    topicId?: string
    partitions: {
      partitionIndex: number
      partitionMaxBytes?: number
      acknowledgementBatches: {
        firstOffset: bigint
        lastOffset: bigint
        acknowledgeTypes: number[]
      }[]
    }[]
  }[]
  forgottenTopicsData: {
    topicId?: string
    partitions: number[]
  }[]
}

export interface ShareFetchResponse {
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
      acknowledgeErrorCode: number
      acknowledgeErrorMessage: string | null
      currentLeader: {
        leaderId: number
        leaderEpoch: number
      }
      records: Buffer | null
      acquiredRecords: {
        firstOffset: bigint
        lastOffset: bigint
        deliveryCount: number
      }[]
    }[]
  }[]
  nodeEndpoints: {
    nodeId: number
    host: string
    port: number
    rack: string | null
  }[]
}

export const shareFetchRequest: Definition = {
  name: 'ShareFetchRequest', versions: [0, 2], flexible: [0, 2],
  fields: [
    { name: 'groupId', type: 'string', versions: [0, 2], nullable: [0, 2], default: null },
    { name: 'memberId', type: 'string', versions: [0, 2], nullable: [0, 2] },
    { name: 'shareSessionEpoch', type: 'int32', versions: [0, 2] },
    { name: 'maxWaitMs', type: 'int32', versions: [0, 2] },
    { name: 'minBytes', type: 'int32', versions: [0, 2] },
    { name: 'maxBytes', type: 'int32', versions: [0, 2], default: 2147483647, ignorable: true },
    { name: 'maxRecords', type: 'int32', versions: [1, 2] },
    { name: 'batchSize', type: 'int32', versions: [1, 2] },
    { name: 'shareAcquireMode', type: 'int8', versions: [2, 2], default: 0, ignorable: true },
    { name: 'isRenewAck', type: 'bool', versions: [2, 2], default: false },
    { name: 'topics', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'topicId', type: 'uuid', versions: [0, 2], ignorable: true },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 2], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 2] },
        { name: 'partitionMaxBytes', type: 'int32', versions: [0, 0] },
        { name: 'acknowledgementBatches', type: 'struct', array: true, versions: [0, 2], fields: [
          { name: 'firstOffset', type: 'int64', versions: [0, 2] },
          { name: 'lastOffset', type: 'int64', versions: [0, 2] },
          { name: 'acknowledgeTypes', type: 'int8', array: true, versions: [0, 2] }
        ] }
      ] }
    ] },
    { name: 'forgottenTopicsData', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'topicId', type: 'uuid', versions: [0, 2], ignorable: true },
      { name: 'partitions', type: 'int32', array: true, versions: [0, 2] }
    ] }
  ]
}

export const shareFetchResponse: Definition = {
  name: 'ShareFetchResponse', versions: [0, 2], flexible: [0, 2],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 2], ignorable: true },
    { name: 'errorCode', type: 'int16', versions: [0, 2], ignorable: true },
    { name: 'errorMessage', type: 'string', versions: [0, 2], nullable: [0, 2], default: null },
    { name: 'acquisitionLockTimeoutMs', type: 'int32', versions: [1, 2] },
    { name: 'responses', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'topicId', type: 'uuid', versions: [0, 2], ignorable: true },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 2], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 2] },
        { name: 'errorCode', type: 'int16', versions: [0, 2] },
        { name: 'errorMessage', type: 'string', versions: [0, 2], nullable: [0, 2], default: null },
        { name: 'acknowledgeErrorCode', type: 'int16', versions: [0, 2] },
        { name: 'acknowledgeErrorMessage', type: 'string', versions: [0, 2], nullable: [0, 2], default: null },
        { name: 'currentLeader', type: 'struct', versions: [0, 2], fields: [
          { name: 'leaderId', type: 'int32', versions: [0, 2] },
          { name: 'leaderEpoch', type: 'int32', versions: [0, 2] }
        ] },
        { name: 'records', type: 'records', versions: [0, 2], nullable: [0, 0] },
        { name: 'acquiredRecords', type: 'struct', array: true, versions: [0, 2], fields: [
          { name: 'firstOffset', type: 'int64', versions: [0, 2] },
          { name: 'lastOffset', type: 'int64', versions: [0, 2] },
          { name: 'deliveryCount', type: 'int16', versions: [0, 2] }
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

export { shareFetchRequest as request, shareFetchResponse as response }
