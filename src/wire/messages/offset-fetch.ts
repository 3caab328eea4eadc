// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface OffsetFetchRequest {
  groupId?: string
  topics?: {
    name?: string
    partitionIndexes?: number[]
  }[] | null
  groups?: {
    groupId?: string
    memberId?: string | null
    memberEpoch?: number
    topics?: {
      name?: string
      topicId?: string
      partitionIndexes?: number[]
    }[] | null
  }[]
  requireStable?: boolean
}

export interface OffsetFetchResponse {
  throttleTimeMs: number
  topics: {
    name: string
    partitions: {
      partitionIndex: number
      committedOffset: bigint
      committedLeaderEpoch: number
      metadata: string | null
      errorCode: number
    }[]
  }[]
  errorCode: number
  groups: {
    groupId: string
    topics: {
      name: string
      topicId: string
      partitions: {
        partitionIndex: number
        committedOffset: bigint
        committedLeaderEpoch: number
        metadata: string | null
        errorCode: number
      }[]
    }[]
    errorCode: number
  }[]
}

export const offsetFetchRequest: Definition = {
  name: 'OffsetFetchRequest', versions: [0, 10], flexible: [6, 10],
  fields: [
    { name: 'groupId', type: 'string', versions: [0, 7] },
    { name: 'topics', type: 'struct', array: true, versions: [0, 7], nullable: [2, 7], fields: [
      { name: 'name', type: 'string', versions: [0, 7] },
      { name: 'partitionIndexes', type: 'int32', array: true, versions: [0, 7] }
    ] },
    { name: 'groups', type: 'struct', array: true, versions: [8, 10], fields: [
      { name: 'groupId', type: 'string', versions: [8, 10] },
      { name: 'memberId', type: 'string', versions: [9, 10], nullable: [9, 10], default: null, ignorable: true },
      { name: 'memberEpoch', type: 'int32', versions: [9, 10], default: -1, ignorable: true },
      { name: 'topics', type: 'struct', array: true, versions: [8, 10], nullable: [8, 10], fields: [
        { name: 'name', type: 'string', versions: [8, 9], ignorable: true },
        { name: 'topicId', type: 'uuid', versions: [10, 10], ignorable: true },
        { name: 'partitionIndexes', type: 'int32', array: true, versions: [8, 10] }
      ] }
    ] },
    { name: 'requireStable', type: 'bool', versions: [7, 10], default: false }
  ]
}

export const offsetFetchResponse: Definition = {
  name: 'OffsetFetchResponse', versions: [0, 10], flexible: [6, 10],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [3, 10], ignorable: true },
    { name: 'topics', type: 'struct', array: true, versions: [0, 7], fields: [
      { name: 'name', type: 'string', versions: [0, 7] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 7], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 7] },
        { name: 'committedOffset', type: 'int64', versions: [0, 7] },
        { name: 'committedLeaderEpoch', type: 'int32', versions: [5, 7], default: -1, ignorable: true },
        { name: 'metadata', type: 'string', versions: [0, 7], nullable: [0, 7] },
        { name: 'errorCode', type: 'int16', versions: [0, 7] }
      ] }
    ] },
    { name: 'errorCode', type: 'int16', versions: [2, 7], default: 0, ignorable: true },
    { name: 'groups', type: 'struct', array: true, versions: [8, 10], fields: [
      { name: 'groupId', type: 'string', versions: [8, 10] },
      { name: 'topics', type: 'struct', array: true, versions: [8, 10], fields: [
        { name: 'name', type: 'string', versions: [8, 9], ignorable: true },
        { name: 'topicId', type: 'uuid', versions: [10, 10], ignorable: true },
        { name: 'partitions', type: 'struct', array: true, versions: [8, 10], fields: [
          { name: 'partitionIndex', type: 'int32', versions: [8, 10] },
          { name: 'committedOffset', type: 'int64', versions: [8, 10] },
          { name: 'committedLeaderEpoch', type: 'int32', versions: [8, 10], default: -1, ignorable: true },
          { name: 'metadata', type: 'string', versions: [8, 10], nullable: [8, 10] },
          { name: 'errorCode', type: 'int16', versions: [8, 10] }
        ] }
      ] },
      { name: 'errorCode', type: 'int16', versions: [8, 10], default: 0 }
    ] }
  ]
}

export { offsetFetchRequest as request, offsetFetchResponse as response }
