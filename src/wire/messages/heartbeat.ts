// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface HeartbeatRequest {
  groupId: string
  generationId: number
  memberId: string
  groupInstanceId?: string | null
}

export interface HeartbeatResponse {
  throttleTimeMs: number
  errorCode: number
}

export const heartbeatRequest: Definition = {
  name: 'HeartbeatRequest', versions: [0, 4], flexible: [4, 4],
  fields: [
    { name: 'groupId', type: 'string', versions: [0, 4] },
    { name: 'generationId', type: 'int32', versions: [0, 4] },
    { name: 'memberId', type: 'string', versions: [0, 4] },
    { name: 'groupInstanceId', type: 'string', versions: [3, 4], nullable: [3, 4], default: null }
  ]
}

export const heartbeatResponse: Definition = {
  name: 'HeartbeatResponse', versions: [0, 4], flexible: [4, 4],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [1, 4], ignorable: true },
    { name: 'errorCode', type: 'int16', versions: [0, 4] }
  ]
}

export { heartbeatRequest as request, heartbeatResponse as response }
