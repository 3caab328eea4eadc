// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface OffsetDeleteRequest {
  groupId: string
  topics: {
    name: string
    partitions: {
      partitionIndex: number
    }[]
  }[]
}

export interface OffsetDeleteResponse {
  errorCode: number
  throttleTimeMs: number
  topics: {
    name: string
    partitions: {
      partitionIndex: number
      errorCode: number
    }[]
  }[]
}

export const offsetDeleteRequest: Definition = {
  name: 'OffsetDeleteRequest', versions: [0, 0], flexible: null,
  fields: [
    { name: 'groupId', type: 'string', versions: [0, 0] },
    { name: 'topics', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'name', type: 'string', versions: [0, 0] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 0], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 0] }
      ] }
    ] }
  ]
}

export const offsetDeleteResponse: Definition = {
  name: 'OffsetDeleteResponse', versions: [0, 0], flexible: null,
  fields: [
    { name: 'errorCode', type: 'int16', versions: [0, 0] },
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0], ignorable: true },
    { name: 'topics', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'name', type: 'string', versions: [0, 0] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 0], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 0] },
        { name: 'errorCode', type: 'int16', versions: [0, 0] }
      ] }
    ] }
  ]
}

export { offsetDeleteRequest as request, offsetDeleteResponse as response }
