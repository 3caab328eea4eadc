// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface AlterShareGroupOffsetsRequest {
  groupId: string
  topics: {
    topicName: string
    partitions: {
      partitionIndex: number
      startOffset: bigint
    }[]
  }[]
}

export interface AlterShareGroupOffsetsResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  responses: {
    topicName: string
    topicId: string
    partitions: {
      partitionIndex: number
      errorCode: number
      errorMessage: string | null
    }[]
  }[]
}

export const alterShareGroupOffsetsRequest: Definition = {
  name: 'AlterShareGroupOffsetsRequest', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'groupId', type: 'string', versions: [0, 0] },
    { name: 'topics', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'topicName', type: 'string', versions: [0, 0] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 0], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 0] },
        { name: 'startOffset', type: 'int64', versions: [0, 0] }
      ] }
    ] }
  ]
}

export const alterShareGroupOffsetsResponse: Definition = {
  name: 'AlterShareGroupOffsetsResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0] },
    { name: 'errorCode', type: 'int16', versions: [0, 0] },
    { name: 'errorMessage', type: 'string', versions: [0, 0], nullable: [0, 0], default: null },
    { name: 'responses', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'topicName', type: 'string', versions: [0, 0] },
      { name: 'topicId', type: 'uuid', versions: [0, 0] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 0], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 0] },
        { name: 'errorCode', type: 'int16', versions: [0, 0] },
        { name: 'errorMessage', type: 'string', versions: [0, 0], nullable: [0, 0], default: null }
      ] }
    ] }
  ]
}

export { alterShareGroupOffsetsRequest as request, alterShareGroupOffsetsResponse as response }
