// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface CreatePartitionsRequest {
  topics: {
    name: string
    count: number
    assignments: {
      brokerIds: number[]
    }[] | null
  }[]
  timeoutMs: number
  validateOnly: boolean
}

export interface CreatePartitionsResponse {
  throttleTimeMs: number
  results: {
    name: string
    errorCode: number
    errorMessage: string | null
  }[]
}

export const createPartitionsRequest: Definition = {
  name: 'CreatePartitionsRequest', versions: [0, 3], flexible: [2, 3],
  fields: [
    { name: 'topics', type: 'struct', array: true, versions: [0, 3], fields: [
      { name: 'name', type: 'string', versions: [0, 3] },
      { name: 'count', type: 'int32', versions: [0, 3] },
      { name: 'assignments', type: 'struct', array: true, versions: [0, 3], nullable: [0, 3], fields: [
        { name: 'brokerIds', type: 'int32', array: true, versions: [0, 3] }
      ] }
    ] },
    { name: 'timeoutMs', type: 'int32', versions: [0, 3] },
    { name: 'validateOnly', type: 'bool', versions: [0, 3] }
  ]
}

export const createPartitionsResponse: Definition = {
  name: 'CreatePartitionsResponse', versions: [0, 3], flexible: [2, 3],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 3] },
    { name: 'results', type: 'struct', array: true, versions: [0, 3], fields: [
      { name: 'name', type: 'string', versions: [0, 3] },
      { name: 'errorCode', type: 'int16', versions: [0, 3] },
      { name: 'errorMessage', type: 'string', versions: [0, 3], nullable: [0, 3], default: null }
    ] }
  ]
}

export { createPartitionsRequest as request, createPartitionsResponse as response }
