// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface AddRaftVoterRequest {
  clusterId: string | null
  timeoutMs: number
  voterId: number
  voterDirectoryId: string
  listeners: {
    name: string
    host: string
    port: number
  }[]
  ackWhenCommitted?: boolean
}

export interface AddRaftVoterResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
}

export const addRaftVoterRequest: Definition = {
  name: 'AddRaftVoterRequest', versions: [0, 1], flexible: [0, 1],
  fields: [
    { name: 'clusterId', type: 'string', versions: [0, 1], nullable: [0, 1] },
    { name: 'timeoutMs', type: 'int32', versions: [0, 1] },
    { name: 'voterId', type: 'int32', versions: [0, 1] },
    { name: 'voterDirectoryId', type: 'uuid', versions: [0, 1] },
    { name: 'listeners', type: 'struct', array: true, versions: [0, 1], fields: [
      { name: 'name', type: 'string', versions: [0, 1] },
      { name: 'host', type: 'string', versions: [0, 1] },
      { name: 'port', type: 'uint16', versions: [0, 1] }
    ] },
    { name: 'ackWhenCommitted', type: 'bool', versions: [1, 1], default: true }
  ]
}

export const addRaftVoterResponse: Definition = {
  name: 'AddRaftVoterResponse', versions: [0, 1], flexible: [0, 1],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 1] },
    { name: 'errorCode', type: 'int16', versions: [0, 1] },
    { name: 'errorMessage', type: 'string', versions: [0, 1], nullable: [0, 1], ignorable: true }
  ]
}

export { addRaftVoterRequest as request, addRaftVoterResponse as response }
