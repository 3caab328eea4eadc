// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ListGroupsRequest {
  statesFilter?: string[]
  typesFilter?: string[]
}

export interface ListGroupsResponse {
  throttleTimeMs: number
  errorCode: number
  groups: {
    groupId: string
    protocolType: string
    groupState: string
    groupType: string
  }[]
}

export const listGroupsRequest: Definition = {
  name: 'ListGroupsRequest', versions: [0, 5], flexible: [3, 5],
  fields: [
    { name: 'statesFilter', type: 'string', array: true, versions: [4, 5] },
    { name: 'typesFilter', type: 'string', array: true, versions: [5, 5] }
  ]
}

export const listGroupsResponse: Definition = {
  name: 'ListGroupsResponse', versions: [0, 5], flexible: [3, 5],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [1, 5], ignorable: true },
    { name: 'errorCode', type: 'int16', versions: [0, 5] },
    { name: 'groups', type: 'struct', array: true, versions: [0, 5], fields: [
      { name: 'groupId', type: 'string', versions: [0, 5] },
      { name: 'protocolType', type: 'string', versions: [0, 5] },
      { name: 'groupState', type: 'string', versions: [4, 5], ignorable: true },
      { name: 'groupType', type: 'string', versions: [5, 5], ignorable: true }
    ] }
  ]
}

export { listGroupsRequest as request, listGroupsResponse as response }
