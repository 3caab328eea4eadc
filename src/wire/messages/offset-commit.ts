// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface OffsetCommitRequest {
  groupId: string
  generationIdOrMemberEpoch?: number
  memberId?: string
  groupInstanceId?: string | null
  retentionTimeMs?: bigint
  topics: {
    name?: string
    topicId?: string
    partitions: {
      partitionIndex: number
      committedOffset: bigint
      committedLeaderEpoch?: number
      commitTimestamp?: bigint
      committedMetadata: string | null
    }[]
  }[]
}

export interface OffsetCommitResponse {
  throttleTimeMs: number
  topics: {
    name: string
    topicId: string
    partitions: {
      partitionIndex: number
      errorCode: number
    }[]
  }[]
}

export const offsetCommitRequest: Definition = {
  name: 'OffsetCommitRequest', versions: [0, 10], flexible: [8, 10],
  fields: [
    { name: 'groupId', type: 'string', versions: [0, 10] },
    { name: 'generationIdOrMemberEpoch', type: 'int32', versions: [1, 10], default: -1, ignorable: true },
    { name: 'memberId', type: 'string', versions: [1, 10], ignorable: true },
    { name: 'groupInstanceId', type: 'string', versions: [7, 10], nullable: [7, 10], default: null },
    { name: 'retentionTimeMs', type: 'int64', versions: [2, 4], default: -1n, ignorable: true },
    { name: 'topics', type: 'struct', array: true, versions: [0, 10], fields: [
      { name: 'name', type: 'string', versions: [0, 9], ignorable: true },
      { name: 'topicId', type: 'uuid', versions: [10, 10], ignorable: true },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 10], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 10] },
        { name: 'committedOffset', type: 'int64', versions: [0, 10] },
        { name: 'committedLeaderEpoch', type: 'int32', versions: [6, 10], default: -1, ignorable: true },
        { name: 'commitTimestamp', type: 'int64', versions: [1, 1], default: -1n },
        { name: 'committedMetadata', type: 'string', versions: [0, 10], nullable: [0, 10] }
      ] }
    ] }
  ]
}

export const offsetCommitResponse: Definition = {
  name: 'OffsetCommitResponse', versions: [0, 10], flexible: [8, 10],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [3, 10], ignorable: true },
    { name: 'topics', type: 'struct', array: true, versions: [0, 10], fields: [
      { name: 'name', type: 'string', versions: [0, 9], ignorable: true },
      { name: 'topicId', type: 'uuid', versions: [10, 10], ignorable: true },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 10], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 10] },
        { name: 'errorCode', type: 'int16', versions: [0, 10] }
      ] }
    ] }
  ]
}

export { offsetCommitRequest as request, offsetCommitResponse as response }
