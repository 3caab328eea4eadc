// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface AlterPartitionReassignmentsRequest {
  timeoutMs?: number
  allowReplicationFactorChange?: boolean
  topics: {
    name: string
    partitions: {
      partitionIndex: number
      replicas?: number[] | null
    }[]
  }[]
}

export interface AlterPartitionReassignmentsResponse {
  throttleTimeMs: number
  allowReplicationFactorChange: boolean
  errorCode: number
  errorMessage: string | null
  responses: {
    name: string
    partitions: {
      partitionIndex: number
      errorCode: number
      errorMessage: string | null
    }[]
  }[]
}

export const alterPartitionReassignmentsRequest: Definition = {
  name: 'AlterPartitionReassignmentsRequest', versions: [0, 1], flexible: [0, 1],
  fields: [
    { name: 'timeoutMs', type: 'int32', versions: [0, 1], default: 60000 },
    { name: 'allowReplicationFactorChange', type: 'bool', versions: [1, 1], default: true },
    { name: 'topics', type: 'struct', array: true, versions: [0, 1], fields: [
      { name: 'name', type: 'string', versions: [0, 1] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 1], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 1] },
        { name: 'replicas', type: 'int32', array: true, versions: [0, 1], nullable: [0, 1], default: null }
      ] }
    ] }
  ]
}

export const alterPartitionReassignmentsResponse: Definition = {
  name: 'AlterPartitionReassignmentsResponse', versions: [0, 1], flexible: [0, 1],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 1] },
    { name: 'allowReplicationFactorChange', type: 'bool', versions: [1, 1], default: true, ignorable: true },
    { name: 'errorCode', type: 'int16', versions: [0, 1] },
    { name: 'errorMessage', type: 'string', versions: [0, 1], nullable: [0, 1] },
    { name: 'responses', type: 'struct', array: true, versions: [0, 1], fields: [
      { name: 'name', type: 'string', versions: [0, 1] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 1], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 1] },
        { name: 'errorCode', type: 'int16', versions: [0, 1] },
        { name: 'errorMessage', type: 'string', versions: [0, 1], nullable: [0, 1] }
      ] }
    ] }
  ]
}

export { alterPartitionReassignmentsRequest as request, alterPartitionReassignmentsResponse as response }
