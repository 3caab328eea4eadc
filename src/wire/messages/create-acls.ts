// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface CreateAclsRequest {
  creations: {
    resourceType: number
    resourceName: string
    resourcePatternType?: number
    principal: string
    host: string
    operation: number
    permissionType: number
  }[]
}

export interface CreateAclsResponse {
  throttleTimeMs: number
  results: {
    errorCode: number
    errorMessage: string | null
  }[]
}

export const createAclsRequest: Definition = {
  name: 'CreateAclsRequest', versions: [0, 3], flexible: [2, 3],
  fields: [
    { name: 'creations', type: 'struct', array: true, versions: [0, 3], fields: [
      { name: 'resourceType', type: 'int8', versions: [0, 3] },
      { name: 'resourceName', type: 'string', versions: [0, 3] },
      { name: 'resourcePatternType', type: 'int8', versions: [1, 3], default: 3 },
      { name: 'principal', type: 'string', versions: [0, 3] },
      { name: 'host', type: 'string', versions: [0, 3] },
      { name: 'operation', type: 'int8', versions: [0, 3] },
      { name: 'permissionType', type: 'int8', versions: [0, 3] }
    ] }
  ]
}

export const createAclsResponse: Definition = {
  name: 'CreateAclsResponse', versions: [0, 3], flexible: [2, 3],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 3] },
    { name: 'results', type: 'struct', array: true, versions: [0, 3], fields: [
      { name: 'errorCode', type: 'int16', versions: [0, 3] },
      { name: 'errorMessage', type: 'string', versions: [0, 3], nullable: [0, 3] }
    ] }
  ]
}

export { createAclsRequest as request, createAclsResponse as response }
