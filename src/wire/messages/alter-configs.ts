// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface AlterConfigsRequest {
  resources: {
    resourceType: number
    resourceName: string
    configs: {
      name: string
      value: string | null
    }[]
  }[]
  validateOnly: boolean
}

export interface AlterConfigsResponse {
  throttleTimeMs: number
  responses: {
    errorCode: number
    errorMessage: string | null
    resourceType: number
    resourceName: string
  }[]
}

export const alterConfigsRequest: Definition = {
  name: 'AlterConfigsRequest', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'resources', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'resourceType', type: 'int8', versions: [0, 2] },
      { name: 'resourceName', type: 'string', versions: [0, 2] },
      { name: 'configs', type: 'struct', array: true, versions: [0, 2], fields: [
        { name: 'name', type: 'string', versions: [0, 2] },
        { name: 'value', type: 'string', versions: [0, 2], nullable: [0, 2] }
      ] }
    ] },
    { name: 'validateOnly', type: 'bool', versions: [0, 2] }
  ]
}

export const alterConfigsResponse: Definition = {
  name: 'AlterConfigsResponse', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 2] },
    { name: 'responses', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'errorCode', type: 'int16', versions: [0, 2] },
      { name: 'errorMessage', type: 'string', versions: [0, 2], nullable: [0, 2] },
      { name: 'resourceType', type: 'int8', versions: [0, 2] },
      { name: 'resourceName', type: 'string', versions: [0, 2] }
    ] }
  ]
}

export { alterConfigsRequest as request, alterConfigsResponse as response }
