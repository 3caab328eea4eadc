// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DeleteAclsRequest {
  filters: {
    resourceTypeFilter: number
    resourceNameFilter: string | null
    patternTypeFilter?: number
    principalFilter: string | null
    hostFilter: string | null
    operation: number
    permissionType: number
  }[]
}

export interface DeleteAclsResponse {
  throttleTimeMs: number
  filterResults: {
    errorCode: number
    errorMessage: string | null
    matchingAcls: {
      errorCode: number
      errorMessage: string | null
      resourceType: number
      resourceName: string
      patternType: number
      principal: string
      host: string
      operation: number
      permissionType: number
    }[]
  }[]
}

export const deleteAclsRequest: Definition = {
  name: 'DeleteAclsRequest', versions: [0, 3], flexible: [2, 3],
  fields: [
    { name: 'filters', type: 'struct', array: true, versions: [0, 3], fields: [
      { name: 'resourceTypeFilter', type: 'int8', versions: [0, 3] },
      { name: 'resourceNameFilter', type: 'string', versions: [0, 3], nullable: [0, 3] },
      { name: 'patternTypeFilter', type: 'int8', versions: [1, 3], default: 3 },
      { name: 'principalFilter', type: 'string', versions: [0, 3], nullable: [0, 3] },
      { name: 'hostFilter', type: 'string', versions: [0, 3], nullable: [0, 3] },
      { name: 'operation', type: 'int8', versions: [0, 3] },
      { name: 'permissionType', type: 'int8', versions: [0, 3] }
    ] }
  ]
}

export const deleteAclsResponse: Definition = {
  name: 'DeleteAclsResponse', versions: [0, 3], flexible: [2, 3],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 3] },
    { name: 'filterResults', type: 'struct', array: true, versions: [0, 3], fields: [
      { name: 'errorCode', type: 'int16', versions: [0, 3] },
      { name: 'errorMessage', type: 'string', versions: [0, 3], nullable: [0, 3] },
      { name: 'matchingAcls', type: 'struct', array: true, versions: [0, 3], fields: [
        { name: 'errorCode', type: 'int16', versions: [0, 3] },
        { name: 'errorMessage', type: 'string', versions: [0, 3], nullable: [0, 3] },
        { name: 'resourceType', type: 'int8', versions: [0, 3] },
        { name: 'resourceName', type: 'string', versions: [0, 3] },
        { name: 'patternType', type: 'int8', versions: [1, 3], default: 3 },
        { name: 'principal', type: 'string', versions: [0, 3] },
        { name: 'host', type: 'string', versions: [0, 3] },
        { name: 'operation', type: 'int8', versions: [0, 3] },
        { name: 'permissionType', type: 'int8', versions: [0, 3] }
      ] }
    ] }
  ]
}

export { deleteAclsRequest as request, deleteAclsResponse as response }
