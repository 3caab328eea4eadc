// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface FindCoordinatorRequest {
  key?: string
  keyType?: number
  coordinatorKeys?: string[]
}

export interface FindCoordinatorResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  nodeId: number
  host: string
  port: number
  coordinators: {
    key: string
    nodeId: number
    host: string
    port: number
    errorCode: number
    errorMessage: string | null
  }[]
}

export const findCoordinatorRequest: Definition = {
  name: 'FindCoordinatorRequest', versions: [0, 6], flexible: [3, 6],
  fields: [
    { name: 'key', type: 'string', versions: [0, 3] },
    { name: 'keyType', type: 'int8', versions: [1, 6], default: 0 },
    { name: 'coordinatorKeys', type: 'string', array: true, versions: [4, 6] }
  ]
}

export const findCoordinatorResponse: Definition = {
  name: 'FindCoordinatorResponse', versions: [0, 6], flexible: [3, 6],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [1, 6], ignorable: true },
    { name: 'errorCode', type: 'int16', versions: [0, 3] },
    { name: 'errorMessage', type: 'string', versions: [1, 3], nullable: [1, 3], ignorable: true },
    { name: 'nodeId', type: 'int32', versions: [0, 3] },
    { name: 'host', type: 'string', versions: [0, 3] },
    { name: 'port', type: 'int32', versions: [0, 3] },
    { name: 'coordinators', type: 'struct', array: true, versions: [4, 6], fields: [
      { name: 'key', type: 'string', versions: [4, 6] },
      { name: 'nodeId', type: 'int32', versions: [4, 6] },
      { name: 'host', type: 'string', versions: [4, 6] },
      { name: 'port', type: 'int32', versions: [4, 6] },
      { name: 'errorCode', type: 'int16', versions: [4, 6] },
      { name: 'errorMessage', type: 'string', versions: [4, 6], nullable: [4, 6], ignorable: true }
    ] }
  ]
}

export { findCoordinatorRequest as request, findCoordinatorResponse as response }
