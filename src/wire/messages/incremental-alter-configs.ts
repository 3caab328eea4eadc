// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface IncrementalAlterConfigsRequest {
  resources: {
    resourceType: number
    resourceName: string
    configs: {
      name: string
      configOperation: number
      value: string | null
    }[]
  }[]
  validateOnly: boolean
}

export interface IncrementalAlterConfigsResponse {
  throttleTimeMs: number
  responses: {
    errorCode: number
    errorMessage: string | null
    resourceType: number
    resourceName: string
  }[]
}

export const incrementalAlterConfigsRequest: Definition = {
  name: 'IncrementalAlterConfigsRequest', versions: [0, 1], flexible: [1, 1],
  fields: [
    { name: 'resources', type: 'struct', array: true, versions: [0, 1], fields: [
      { name: 'resourceType', type: 'int8', versions: [0, 1] },
      { name: 'resourceName', type: 'string', versions: [0, 1] },
      { name: 'configs', type: 'struct', array: true, versions: [0, 1], fields: [
        { name: 'name', type: 'string', versions: [0, 1] },
        { name: 'configOperation', type: 'int8', versions: [0, 1] },
        { name: 'value', type: 'string', versions: [0, 1], nullable: [0, 1] }
      ] }
    ] },
    { name: 'validateOnly', type: 'bool', versions: [0, 1] }
  ]
}

export const incrementalAlterConfigsResponse: Definition = {
  name: 'IncrementalAlterConfigsResponse', versions: [0, 1], flexible: [1, 1],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 1] },
    { name: 'responses', type: 'struct', array: true, versions: [0, 1], fields: [
      { name: 'errorCode', type: 'int16', versions: [0, 1] },
      { name: 'errorMessage', type: 'string', versions: [0, 1], nullable: [0, 1] },
      { name: 'resourceType', type: 'int8', versions: [0, 1] },
      { name: 'resourceName', type: 'string', versions: [0, 1] }
    ] }
  ]
}

export { incrementalAlterConfigsRequest as request, incrementalAlterConfigsResponse as response }
