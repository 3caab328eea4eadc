// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface CreateTopicsRequest {
  topics: {
    name: string
    numPartitions: number
    replicationFactor: number
    assignments: {
      partitionIndex: number
      brokerIds: number[]
    }[]
    configs: {
      name: string
      value: string | null
    }[]
  }[]
  timeoutMs?: number
  validateOnly?: boolean
}

export interface CreateTopicsResponse {
  throttleTimeMs: number
  topics: {
    name: string
    topicId: string
    errorCode: number
    errorMessage: string | null
    topicConfigErrorCode: number
    numPartitions: number
    replicationFactor: number
    configs: {
      name: string
      value: string | null
      readOnly: boolean
      configSource: number
      isSensitive: boolean
    }[] | null
  }[]
}

export const createTopicsRequest: Definition = {
  name: 'CreateTopicsRequest', versions: [0, 7], flexible: [5, 7],
  fields: [
    { name: 'topics', type: 'struct', array: true, versions: [0, 7], fields: [
      { name: 'name', type: 'string', versions: [0, 7] },
      { name: 'numPartitions', type: 'int32', versions: [0, 7] },
      { name: 'replicationFactor', type: 'int16', versions: [0, 7] },
      { name: 'assignments', type: 'struct', array: true, versions: [0, 7], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 7] },
        { name: 'brokerIds', type: 'int32', array: true, versions: [0, 7] }
      ] },
      { name: 'configs', type: 'struct', array: true, versions: [0, 7], fields: [
        { name: 'name', type: 'string', versions: [0, 7] },
        { name: 'value', type: 'string', versions: [0, 7], nullable: [0, 7] }
      ] }
    ] },
    { name: 'timeoutMs', type: 'int32', versions: [0, 7], default: 60000 },
    { name: 'validateOnly', type: 'bool', versions: [1, 7], default: false }
  ]
}

export const createTopicsResponse: Definition = {
  name: 'CreateTopicsResponse', versions: [0, 7], flexible: [5, 7],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [2, 7], ignorable: true },
    { name: 'topics', type: 'struct', array: true, versions: [0, 7], fields: [
      { name: 'name', type: 'string', versions: [0, 7] },
      { name: 'topicId', type: 'uuid', versions: [7, 7], ignorable: true },
      { name: 'errorCode', type: 'int16', versions: [0, 7] },
      { name: 'errorMessage', type: 'string', versions: [1, 7], nullable: [0, 7], ignorable: true },
      { name: 'topicConfigErrorCode', type: 'int16', versions: [5, 7], tag: 0, tagged: [5, 7], ignorable: true },
      { name: 'numPartitions', type: 'int32', versions: [5, 7], default: -1, ignorable: true },
      { name: 'replicationFactor', type: 'int16', versions: [5, 7], default: -1, ignorable: true },
      { name: 'configs', type: 'struct', array: true, versions: [5, 7], nullable: [5, 7], ignorable: true, fields: [
        { name: 'name', type: 'string', versions: [5, 7] },
        { name: 'value', type: 'string', versions: [5, 7], nullable: [5, 7] },
        { name: 'readOnly', type: 'bool', versions: [5, 7] },
        { name: 'configSource', type: 'int8', versions: [5, 7], default: -1, ignorable: true },
        { name: 'isSensitive', type: 'bool', versions: [5, 7] }
      ] }
    ] }
  ]
}

export { createTopicsRequest as request, createTopicsResponse as response }
