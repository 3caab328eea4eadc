// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DeleteTopicsRequest {
  topics?: {
    name?: string | null
    topicId?: string
  }[]
  topicNames?: string[]
  timeoutMs: number
}

export interface DeleteTopicsResponse {
  throttleTimeMs: number
  responses: {
    name: string | null
    topicId: string
    errorCode: number
    errorMessage: string | null
  }[]
}

export const deleteTopicsRequest: Definition = {
  name: 'DeleteTopicsRequest', versions: [0, 6], flexible: [4, 6],
  fields: [
    { name: 'topics', type: 'struct', array: true, versions: [6, 6], fields: [
      { name: 'name', type: 'string', versions: [6, 6], nullable: [6, 6], default: null },
      { name: 'topicId', type: 'uuid', versions: [6, 6] }
    ] },
    { name: 'topicNames', type: 'string', array: true, versions: [0, 5], ignorable: true },
    { name: 'timeoutMs', type: 'int32', versions: [0, 6] }
  ]
}

export const deleteTopicsResponse: Definition = {
  name: 'DeleteTopicsResponse', versions: [0, 6], flexible: [4, 6],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [1, 6], ignorable: true },
    { name: 'responses', type: 'struct', array: true, versions: [0, 6], fields: [
      { name: 'name', type: 'string', versions: [0, 6], nullable: [6, 6] },
      { name: 'topicId', type: 'uuid', versions: [6, 6], ignorable: true },
      { name: 'errorCode', type: 'int16', versions: [0, 6] },
      { name: 'errorMessage', type: 'string', versions: [5, 6], nullable: [5, 6], default: null, ignorable: true }
    ] }
  ]
}

export { deleteTopicsRequest as request, deleteTopicsResponse as response }
