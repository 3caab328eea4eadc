// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface SyncGroupRequest {
  groupId: string
  generationId: number
  memberId: string
  groupInstanceId?: string | null
  protocolType?: string | null
  protocolName?: string | null
  assignments: {
    memberId: string
    assignment: Uint8Array
  }[]
}

export interface SyncGroupResponse {
  throttleTimeMs: number
  errorCode: number
  protocolType: string | null
  protocolName: string | null
  assignment: Buffer
}

export const syncGroupRequest: Definition = {
  name: 'SyncGroupRequest', versions: [0, 5], flexible: [4, 5],
  fields: [
    { name: 'groupId', type: 'string', versions: [0, 5] },
    { name: 'generationId', type: 'int32', versions: [0, 5] },
    { name: 'memberId', type: 'string', versions: [0, 5] },
    { name: 'groupInstanceId', type: 'string', versions: [3, 5], nullable: [3, 5], default: null },
    { name: 'protocolType', type: 'string', versions: [5, 5], nullable: [5, 5], default: null, ignorable: true },
    { name: 'protocolName', type: 'string', versions: [5, 5], nullable: [5, 5], default: null, ignorable: true },
    { name: 'assignments', type: 'struct', array: true, versions: [0, 5], fields: [
      { name: 'memberId', type: 'string', versions: [0, 5] },
      { name: 'assignment', type: 'bytes', versions: [0, 5] }
    ] }
  ]
}

export const syncGroupResponse: Definition = {
  name: 'SyncGroupResponse', versions: [0, 5], flexible: [4, 5],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [1, 5], ignorable: true },
    { name: 'errorCode', type: 'int16', versions: [0, 5] },
    { name: 'protocolType', type: 'string', versions: [5, 5], nullable: [5, 5], default: null, ignorable: true },
    { name: 'protocolName', type: 'string', versions: [5, 5], nullable: [5, 5], default: null, ignorable: true },
    { name: 'assignment', type: 'bytes', versions: [0, 5] }
  ]
}

export { syncGroupRequest as request, syncGroupResponse as response }
