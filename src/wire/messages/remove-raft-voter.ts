// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface RemoveRaftVoterRequest {
  clusterId: string | null
  voterId: number
  voterDirectoryId: string
}

export interface RemoveRaftVoterResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
}

export const removeRaftVoterRequest: Definition = {
  name: 'RemoveRaftVoterRequest', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'clusterId', type: 'string', versions: [0, 0], nullable: [0, 0] },
    { name: 'voterId', type: 'int32', versions: [0, 0] },
    { name: 'voterDirectoryId', type: 'uuid', versions: [0, 0] }
  ]
}

export const removeRaftVoterResponse: Definition = {
  name: 'RemoveRaftVoterResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0] },
    { name: 'errorCode', type: 'int16', versions: [0, 0] },
    { name: 'errorMessage', type: 'string', versions: [0, 0], nullable: [0, 0], ignorable: true }
  ]
}

export { removeRaftVoterRequest as request, removeRaftVoterResponse as response }
