// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ListPartitionReassignmentsRequest {
  timeoutMs?: number
  topics?: {
    name: string
    partitionIndexes: number[]
  }[] | null
}

export interface ListPartitionReassignmentsResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  topics: {
    name: string
    partitions: {
      partitionIndex: number
      replicas: number[]
      addingReplicas: number[]
      removingReplicas: number[]
    }[]
  }[]
}

export const listPartitionReassignmentsRequest: Definition = {
  name: 'ListPartitionReassignmentsRequest', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'timeoutMs', type: 'int32', versions: [0, 0], default: 60000 },
    { name: 'topics', type: 'struct', array: true, versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'name', type: 'string', versions: [0, 0] },
      { name: 'partitionIndexes', type: 'int32', array: true, versions: [0, 0] }
    ] }
  ]
}

export const listPartitionReassignmentsResponse: Definition = {
  name: 'ListPartitionReassignmentsResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0] },
    { name: 'errorCode', type: 'int16', versions: [0, 0] },
    { name: 'errorMessage', type: 'string', versions: [0, 0], nullable: [0, 0] },
    { name: 'topics', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'name', type: 'string', versions: [0, 0] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 0], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 0] },
        { name: 'replicas', type: 'int32', array: true, versions: [0, 0] },
        { name: 'addingReplicas', type: 'int32', array: true, versions: [0, 0] },
        { name: 'removingReplicas', type: 'int32', array: true, versions: [0, 0] }
      ] }
    ] }
  ]
}

export { listPartitionReassignmentsRequest as request, listPartitionReassignmentsResponse as response }
