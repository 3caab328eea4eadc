// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DescribeGroupsRequest {
  groups: string[]
  includeAuthorizedOperations?: boolean
}

export interface DescribeGroupsResponse {
  throttleTimeMs: number
  groups: {
    errorCode: number
    errorMessage: string | null
    groupId: string
    groupState: string
    protocolType: string
    protocolData: string
    members: {
      memberId: string
      groupInstanceId: string | null
      clientId: string
      clientHost: string
      memberMetadata: Buffer
      memberAssignment: Buffer
    }[]
    authorizedOperations: number
  }[]
}

export const describeGroupsRequest: Definition = {
  name: 'DescribeGroupsRequest', versions: [0, 6], flexible: [5, 6],
  fields: [
    { name: 'groups', type: 'string', array: true, versions: [0, 6] },
    { name: 'includeAuthorizedOperations', type: 'bool', versions: [3, 6] }
  ]
}

export const describeGroupsResponse: Definition = {
  name: 'DescribeGroupsResponse', versions: [0, 6], flexible: [5, 6],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [1, 6], ignorable: true },
    { name: 'groups', type: 'struct', array: true, versions: [0, 6], fields: [
      { name: 'errorCode', type: 'int16', versions: [0, 6] },
      { name: 'errorMessage', type: 'string', versions: [6, 6], nullable: [6, 6], default: null },
      { name: 'groupId', type: 'string', versions: [0, 6] },
      { name: 'groupState', type: 'string', versions: [0, 6] },
      { name: 'protocolType', type: 'string', versions: [0, 6] },
      { name: 'protocolData', type: 'string', versions: [0, 6] },
      { name: 'members', type: 'struct', array: true, versions: [0, 6], fields: [
        { name: 'memberId', type: 'string', versions: [0, 6] },
        { name: 'groupInstanceId', type: 'string', versions: [4, 6], nullable: [4, 6], default: null, ignorable: true },
        { name: 'clientId', type: 'string', versions: [0, 6] },
        { name: 'clientHost', type: 'string', versions: [0, 6] },
        { name: 'memberMetadata', type: 'bytes', versions: [0, 6] },
        { name: 'memberAssignment', type: 'bytes', versions: [0, 6] }
      ] },
      { name: 'authorizedOperations', type: 'int32', versions: [3, 6], default: -2147483648 }
    ] }
  ]
}

export { describeGroupsRequest as request, describeGroupsResponse as response }
