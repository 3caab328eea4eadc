// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DescribeShareGroupOffsetsRequest {
  groups: {
    groupId: string
    topics: {
      topicName: string
      partitions: number[]
    }[] | null
  }[]
}

export interface DescribeShareGroupOffsetsResponse {
  throttleTimeMs: number
  groups: {
    groupId: string
    topics: {
      topicName: string
      topicId: string
      partitions: {
        partitionIndex: number
        startOffset: bigint
        leaderEpoch: number
        lag: bigint
        errorCode: number
        errorMessage: string | null
      }[]
    }[]
    errorCode: number
    errorMessage: string | null
  }[]
}

export const describeShareGroupOffsetsRequest: Definition = {
  name: 'DescribeShareGroupOffsetsRequest', versions: [0, 1], flexible: [0, 1],
  fields: [
    { name: 'groups', type: 'struct', array: true, versions: [0, 1], fields: [
      { name: 'groupId', type: 'string', versions: [0, 1] },
      { name: 'topics', type: 'struct', array: true, versions: [0, 1], nullable: [0, 1], fields: [
        { name: 'topicName', type: 'string', versions: [0, 1] },
        { name: 'partitions', type: 'int32', array: true, versions: [0, 1] }
      ] }
    ] }
  ]
}

export const describeShareGroupOffsetsResponse: Definition = {
  name: 'DescribeShareGroupOffsetsResponse', versions: [0, 1], flexible: [0, 1],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 1] },
    { name: 'groups', type: 'struct', array: true, versions: [0, 1], fields: [
      { name: 'groupId', type: 'string', versions: [0, 1] },
      { name: 'topics', type: 'struct', array: true, versions: [0, 1], fields: [
        { name: 'topicName', type: 'string', versions: [0, 1] },
        { name: 'topicId', type: 'uuid', versions: [0, 1] },
        { name: 'partitions', type: 'struct', array: true, versions: [0, 1], fields: [
          { name: 'partitionIndex', type: 'int32', versions: [0, 1] },
          { name: 'startOffset', type: 'int64', versions: [0, 1] },
          { name: 'leaderEpoch', type: 'int32', versions: [0, 1] },
          { name: 'lag', type: 'int64', versions: [1, 1], default: -1n, ignorable: true },
          { name: 'errorCode', type: 'int16', versions: [0, 1] },
          { name: 'errorMessage', type: 'string', versions: [0, 1], nullable: [0, 1], default: null }
        ] }
      ] },
      { name: 'errorCode', type: 'int16', versions: [0, 1] },
      { name: 'errorMessage', type: 'string', versions: [0, 1], nullable: [0, 1], default: null }
    ] }
  ]
}

export { describeShareGroupOffsetsRequest as request, describeShareGroupOffsetsResponse as response }
