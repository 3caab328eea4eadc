// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DeleteGroupsRequest {
  groupsNames: string[]
}

export interface DeleteGroupsResponse {
  throttleTimeMs: number
  results: {
    groupId: string
    errorCode: number
  }[]
}

export const deleteGroupsRequest: Definition = {
  name: 'DeleteGroupsRequest', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'groupsNames', type: 'string', array: true, versions: [0, 2] }
  ]
}

export const deleteGroupsResponse: Definition = {
  name: 'DeleteGroupsResponse', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 2] },
    { name: 'results', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'groupId', type: 'string', versions: [0, 2] },
      { name: 'errorCode', type: 'int16', versions: [0, 2] }
    ] }
  ]
}

export { deleteGroupsRequest as request, deleteGroupsResponse as response }
