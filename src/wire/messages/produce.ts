// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ProduceRequest {
  transactionalId?: string | null
  acks: number
  timeoutMs: number
  topicData: {
    name?: string
    topicId?: string
    partitionData: {
      index: number
      records: Buffer | readonly Uint8Array[] | null
    }[]
  }[]
}

export interface ProduceResponse {
  responses: {
    name: string
    topicId: string
    partitionResponses: {
      index: number
      errorCode: number
      baseOffset: bigint
      logAppendTimeMs: bigint
      logStartOffset: bigint
      recordErrors: {
        batchIndex: number
        batchIndexErrorMessage: string | null
      }[]
      errorMessage: string | null
      currentLeader: {
        leaderId: number
        leaderEpoch: number
      }
    }[]
  }[]
  throttleTimeMs: number
  nodeEndpoints: {
    nodeId: number
    host: string
    port: number
    rack: string | null
  }[]
}

export const produceRequest: Definition = {
  name: 'ProduceRequest', versions: [0, 13], flexible: [9, 13],
  fields: [
    { name: 'transactionalId', type: 'string', versions: [3, 13], nullable: [3, 13], default: null },
    { name: 'acks', type: 'int16', versions: [0, 13] },
    { name: 'timeoutMs', type: 'int32', versions: [0, 13] },
    { name: 'topicData', type: 'struct', array: true, versions: [0, 13], fields: [
      { name: 'name', type: 'string', versions: [0, 12], ignorable: true },
      { name: 'topicId', type: 'uuid', versions: [13, 13], ignorable: true },
      { name: 'partitionData', type: 'struct', array: true, versions: [0, 13], fields: [
        { name: 'index', type: 'int32', versions: [0, 13] },
        { name: 'records', type: 'records', versions: [0, 13], nullable: [0, 13] }
      ] }
    ] }
  ]
}

export const produceResponse: Definition = {
  name: 'ProduceResponse', versions: [0, 13], flexible: [9, 13],
  fields: [
    { name: 'responses', type: 'struct', array: true, versions: [0, 13], fields: [
      { name: 'name', type: 'string', versions: [0, 12], ignorable: true },
      { name: 'topicId', type: 'uuid', versions: [13, 13], ignorable: true },
      { name: 'partitionResponses', type: 'struct', array: true, versions: [0, 13], fields: [
        { name: 'index', type: 'int32', versions: [0, 13] },
        { name: 'errorCode', type: 'int16', versions: [0, 13] },
        { name: 'baseOffset', type: 'int64', versions: [0, 13] },
        { name: 'logAppendTimeMs', type: 'int64', versions: [2, 13], default: -1n, ignorable: true },
        { name: 'logStartOffset', type: 'int64', versions: [5, 13], default: -1n, ignorable: true },
        { name: 'recordErrors', type: 'struct', array: true, versions: [8, 13], ignorable: true, fields: [
          { name: 'batchIndex', type: 'int32', versions: [8, 13] },
          { name: 'batchIndexErrorMessage', type: 'string', versions: [8, 13], nullable: [8, 13], default: null }
        ] },
        { name: 'errorMessage', type: 'string', versions: [8, 13], nullable: [8, 13], default: null, ignorable: true },
        { name: 'currentLeader', type: 'struct', versions: [10, 13], tag: 0, tagged: [10, 13], fields: [
          { name: 'leaderId', type: 'int32', versions: [10, 13], default: -1 },
          { name: 'leaderEpoch', type: 'int32', versions: [10, 13], default: -1 }
        ] }
      ] }
    ] },
    { name: 'throttleTimeMs', type: 'int32', versions: [1, 13], default: 0, ignorable: true },
    { name: 'nodeEndpoints', type: 'struct', array: true, versions: [10, 13], tag: 0, tagged: [10, 13], fields: [
      { name: 'nodeId', type: 'int32', versions: [10, 13] },
      { name: 'host', type: 'string', versions: [10, 13] },
      { name: 'port', type: 'int32', versions: [10, 13] },
      { name: 'rack', type: 'string', versions: [10, 13], nullable: [10, 13], default: null }
    ] }
  ]
}

export { produceRequest as request, produceResponse as response }
