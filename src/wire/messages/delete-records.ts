// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DeleteRecordsRequest {
  topics: {
    name: string
    partitions: {
      partitionIndex: number
      offset: bigint
    }[]
  }[]
  timeoutMs: number
}

export interface DeleteRecordsResponse {
  throttleTimeMs: number
  topics: {
    name: string
    partitions: {
      partitionIndex: number
      lowWatermark: bigint
      errorCode: number
    }[]
  }[]
}

export const deleteRecordsRequest: Definition = {
  name: 'DeleteRecordsRequest', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'topics', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'name', type: 'string', versions: [0, 2] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 2], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 2] },
        { name: 'offset', type: 'int64', versions: [0, 2] }
      ] }
    ] },
    { name: 'timeoutMs', type: 'int32', versions: [0, 2] }
  ]
}

export const deleteRecordsResponse: Definition = {
  name: 'DeleteRecordsResponse', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 2] },
    { name: 'topics', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'name', type: 'string', versions: [0, 2] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 2], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 2] },
        { name: 'lowWatermark', type: 'int64', versions: [0, 2] },
        { name: 'errorCode', type: 'int16', versions: [0, 2] }
      ] }
    ] }
  ]
}

export { deleteRecordsRequest as request, deleteRecordsResponse as response }
