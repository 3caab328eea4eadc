// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface TxnOffsetCommitRequest {
  transactionalId: string
  groupId: string
  producerId: bigint
  producerEpoch: number
  generationId?: number
  memberId?: string
  groupInstanceId?: string | null
  topics: {
    name: string
    partitions: {
      partitionIndex: number
      committedOffset: bigint
      committedLeaderEpoch?: number
      committedMetadata: string | null
    }[]
  }[]
}

export interface TxnOffsetCommitResponse {
  throttleTimeMs: number
  topics: {
    name: string
    partitions: {
      partitionIndex: number
      errorCode: number
    }[]
  }[]
}

export const txnOffsetCommitRequest: Definition = {
  name: 'TxnOffsetCommitRequest', versions: [0, 5], flexible: [3, 5],
  fields: [
    { name: 'transactionalId', type: 'string', versions: [0, 5] },
    { name: 'groupId', type: 'string', versions: [0, 5] },
    { name: 'producerId', type: 'int64', versions: [0, 5] },
    { name: 'producerEpoch', type: 'int16', versions: [0, 5] },
    { name: 'generationId', type: 'int32', versions: [3, 5], default: -1 },
    { name: 'memberId', type: 'string', versions: [3, 5], default: "" },
    { name: 'groupInstanceId', type: 'string', versions: [3, 5], nullable: [3, 5], default: null },
    { name: 'topics', type: 'struct', array: true, versions: [0, 5], fields: [
      { name: 'name', type: 'string', versions: [0, 5] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 5], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 5] },
        { name: 'committedOffset', type: 'int64', versions: [0, 5] },
        { name: 'committedLeaderEpoch', type: 'int32', versions: [2, 5], default: -1, ignorable: true },
        { name: 'committedMetadata', type: 'string', versions: [0, 5], nullable: [0, 5] }
      ] }
    ] }
  ]
}

export const txnOffsetCommitResponse: Definition = {
  name: 'TxnOffsetCommitResponse', versions: [0, 5], flexible: [3, 5],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 5] },
    { name: 'topics', type: 'struct', array: true, versions: [0, 5], fields: [
      { name: 'name', type: 'string', versions: [0, 5] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 5], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 5] },
        { name: 'errorCode', type: 'int16', versions: [0, 5] }
      ] }
    ] }
  ]
}

export { txnOffsetCommitRequest as request, txnOffsetCommitResponse as response }
