// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DescribeAclsRequest {
  resourceTypeFilter: number
  resourceNameFilter: string | null
  patternTypeFilter?: number
  principalFilter: string | null
  hostFilter: string | null
  operation: number
  permissionType: number
}

export interface DescribeAclsResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  resources: {
    resourceType: number
    resourceName: string
    patternType: number
    acls: {
      principal: string
      host: string
      operation: number
      permissionType: number
    }[]
  }[]
}

export const describeAclsRequest: Definition = {
  name: 'DescribeAclsRequest', versions: [0, 3], flexible: [2, 3],
  fields: [
    { name: 'resourceTypeFilter', type: 'int8', versions: [0, 3] },
    { name: 'resourceNameFilter', type: 'string', versions: [0, 3], nullable: [0, 3] },
    { name: 'patternTypeFilter', type: 'int8', versions: [1, 3], default: 3 },
    { name: 'principalFilter', type: 'string', versions: [0, 3], nullable: [0, 3] },
    { name: 'hostFilter', type: 'string', versions: [0, 3], nullable: [0, 3] },
    { name: 'operation', type: 'int8', versions: [0, 3] },
    { name: 'permissionType', type: 'int8', versions: [0, 3] }
  ]
}

export const describeAclsResponse: Definition = {
  name: 'DescribeAclsResponse', versions: [0, 3], flexible: [2, 3],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 3] },
    { name: 'errorCode', type: 'int16', versions: [0, 3] },
    { name: 'errorMessage', type: 'string', versions: [0, 3], nullable: [0, 3] },
    { name: 'resources', type: 'struct', array: true, versions: [0, 3], fields: [
      { name: 'resourceType', type: 'int8', versions: [0, 3] },
      { name: 'resourceName', type: 'string', versions: [0, 3] },
      { name: 'patternType', type: 'int8', versions: [1, 3], default: 3 },
      { name: 'acls', type: 'struct', array: true, versions: [0, 3], fields: [
        { name: 'principal', type: 'string', versions: [0, 3] },
        { name: 'host', type: 'string', versions: [0, 3] },
        { name: 'operation', type: 'int8', versions: [0, 3] },
        { name: 'permissionType', type: 'int8', versions: [0, 3] }
      ] }
    ] }
  ]
}

export { describeAclsRequest as request, describeAclsResponse as response }
