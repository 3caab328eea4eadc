// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface JoinGroupRequest {
  groupId: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs?: number
  memberId: string
  groupInstanceId?: string | null
  protocolType: string
  protocols: {
    name: string
    metadata: Uint8Array
  }[]
  reason?: string | null
}

export interface JoinGroupResponse {
  throttleTimeMs: number
  errorCode: number
  generationId: number
  protocolType: string | null
  protocolName: string | null
  leader: string
  skipAssignment: boolean
  memberId: string
  members: {
    memberId: string
    groupInstanceId: string | null
    metadata: Buffer
  }[]
}

export const joinGroupRequest: Definition = {
  name: 'JoinGroupRequest', versions: [0, 9], flexible: [6, 9],
  fields: [
    { name: 'groupId', type: 'string', versions: [0, 9] },
    { name: 'sessionTimeoutMs', type: 'int32', versions: [0, 9] },
    { name: 'rebalanceTimeoutMs', type: 'int32', versions: [1, 9], default: -1, ignorable: true },
    { name: 'memberId', type: 'string', versions: [0, 9] },
    { name: 'groupInstanceId', type: 'string', versions: [5, 9], nullable: [5, 9], default: null },
    { name: 'protocolType', type: 'string', versions: [0, 9] },
    { name: 'protocols', type: 'struct', array: true, versions: [0, 9], fields: [
      { name: 'name', type: 'string', versions: [0, 9] },
      { name: 'metadata', type: 'bytes', versions: [0, 9] }
    ] },
    { name: 'reason', type: 'string', versions: [8, 9], nullable: [8, 9], default: null, ignorable: true }
  ]
}

export const joinGroupResponse: Definition = {
  name: 'JoinGroupResponse', versions: [0, 9], flexible: [6, 9],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [2, 9], ignorable: true },
    { name: 'errorCode', type: 'int16', versions: [0, 9] },
    { name: 'generationId', type: 'int32', versions: [0, 9], default: -1 },
    { name: 'protocolType', type: 'string', versions: [7, 9], nullable: [7, 9], default: null, ignorable: true },
    { name: 'protocolName', type: 'string', versions: [0, 9], nullable: [7, 9] },
    { name: 'leader', type: 'string', versions: [0, 9] },
    { name: 'skipAssignment', type: 'bool', versions: [9, 9], default: false },
    { name: 'memberId', type: 'string', versions: [0, 9] },
    { name: 'members', type: 'struct', array: true, versions: [0, 9], fields: [
      { name: 'memberId', type: 'string', versions: [0, 9] },
      { name: 'groupInstanceId', type: 'string', versions: [5, 9], nullable: [5, 9], default: null, ignorable: true },
      { name: 'metadata', type: 'bytes', versions: [0, 9] }
    ] }
  ]
}

export { joinGroupRequest as request, joinGroupResponse as response }
