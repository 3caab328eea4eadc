// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DeleteShareGroupOffsetsRequest {
  groupId: string
  topics: {
    topicName: string
  }[]
}

export interface DeleteShareGroupOffsetsResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  responses: {
    topicName: string
    topicId: string
    errorCode: number
    errorMessage: string | null
  }[]
}

export const deleteShareGroupOffsetsRequest: Definition = {
  name: 'DeleteShareGroupOffsetsRequest', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'groupId', type: 'string', versions: [0, 0] },
    { name: 'topics', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'topicName', type: 'string', versions: [0, 0] }
    ] }
  ]
}

export const deleteShareGroupOffsetsResponse: Definition = {
  name: 'DeleteShareGroupOffsetsResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0] },
    { name: 'errorCode', type: 'int16', versions: [0, 0] },
    { name: 'errorMessage', type: 'string', versions: [0, 0], nullable: [0, 0], default: null },
    { name: 'responses', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'topicName', type: 'string', versions: [0, 0] },
      { name: 'topicId', type: 'uuid', versions: [0, 0] },
      { name: 'errorCode', type: 'int16', versions: [0, 0] },
      { name: 'errorMessage', type: 'string', versions: [0, 0], nullable: [0, 0], default: null }
    ] }
  ]
}

export { deleteShareGroupOffsetsRequest as request, deleteShareGroupOffsetsResponse as response }
