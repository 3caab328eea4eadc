// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ElectLeadersRequest {
  electionType?: number
  topicPartitions: {
    topic: string
    partitions: number[]
  }[] | null
  timeoutMs?: number
}

export interface ElectLeadersResponse {
  throttleTimeMs: number
  errorCode: number
  replicaElectionResults: {
    topic: string
    partitionResult: {
      partitionId: number
      errorCode: number
      errorMessage: string | null
    }[]
  }[]
}

export const electLeadersRequest: Definition = {
  name: 'ElectLeadersRequest', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'electionType', type: 'int8', versions: [1, 2] },
    { name: 'topicPartitions', type: 'struct', array: true, versions: [0, 2], nullable: [0, 2], fields: [
      { name: 'topic', type: 'string', versions: [0, 2] },
      { name: 'partitions', type: 'int32', array: true, versions: [0, 2] }
    ] },
    { name: 'timeoutMs', type: 'int32', versions: [0, 2], default: 60000 }
  ]
}

export const electLeadersResponse: Definition = {
  name: 'ElectLeadersResponse', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 2] },
    { name: 'errorCode', type: 'int16', versions: [1, 2] },
    { name: 'replicaElectionResults', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'topic', type: 'string', versions: [0, 2] },
      { name: 'partitionResult', type: 'struct', array: true, versions: [0, 2], fields: [
        { name: 'partitionId', type: 'int32', versions: [0, 2] },
        { name: 'errorCode', type: 'int16', versions: [0, 2] },
        { name: 'errorMessage', type: 'string', versions: [0, 2], nullable: [0, 2] }
      ] }
    ] }
  ]
}

export { electLeadersRequest as request, electLeadersResponse as response }
