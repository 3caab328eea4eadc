// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface LeaveGroupRequest {
  groupId: string
  memberId?: string
  members?: {
    memberId?: string
    groupInstanceId?: string | null
    reason?: string | null
  }[]
}

export interface LeaveGroupResponse {
  throttleTimeMs: number
  errorCode: number
  members: {
    memberId: string
    groupInstanceId: string | null
    errorCode: number
  }[]
}

export const leaveGroupRequest: Definition = {
  name: 'LeaveGroupRequest', versions: [0, 5], flexible: [4, 5],
  fields: [
    { name: 'groupId', type: 'string', versions: [0, 5] },
    { name: 'memberId', type: 'string', versions: [0, 2] },
    { name: 'members', type: 'struct', array: true, versions: [3, 5], fields: [
      { name: 'memberId', type: 'string', versions: [3, 5] },
      { name: 'groupInstanceId', type: 'string', versions: [3, 5], nullable: [3, 5], default: null },
      { name: 'reason', type: 'string', versions: [5, 5], nullable: [5, 5], default: null, ignorable: true }
    ] }
  ]
}

export const leaveGroupResponse: Definition = {
  name: 'LeaveGroupResponse', versions: [0, 5], flexible: [4, 5],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [1, 5], ignorable: true },
    { name: 'errorCode', type: 'int16', versions: [0, 5] },
    { name: 'members', type: 'struct', array: true, versions: [3, 5], fields: [
      { name: 'memberId', type: 'string', versions: [3, 5] },
      { name: 'groupInstanceId', type: 'string', versions: [3, 5], nullable: [3, 5] },
      { name: 'errorCode', type: 'int16', versions: [3, 5] }
    ] }
  ]
}

export { leaveGroupRequest as request, leaveGroupResponse as response }
