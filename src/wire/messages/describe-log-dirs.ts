// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DescribeLogDirsRequest {
  topics: {
    topic: string
    partitions: number[]
  }[] | null
}

export interface DescribeLogDirsResponse {
  throttleTimeMs: number
  errorCode: number
  results: {
    errorCode: number
    logDir: string
    topics: {
      name: string
      partitions: {
        partitionIndex: number
        partitionSize: bigint
        offsetLag: bigint
        isFutureKey: boolean
      }[]
    }[]
    totalBytes: bigint
    usableBytes: bigint
    isCordoned: boolean
  }[]
}

export const describeLogDirsRequest: Definition = {
  name: 'DescribeLogDirsRequest', versions: [0, 5], flexible: [2, 5],
  fields: [
    { name: 'topics', type: 'struct', array: true, versions: [0, 5], nullable: [0, 5], fields: [
      { name: 'topic', type: 'string', versions: [0, 5] },
      { name: 'partitions', type: 'int32', array: true, versions: [0, 5] }
    ] }
  ]
}

export const describeLogDirsResponse: Definition = {
  name: 'DescribeLogDirsResponse', versions: [0, 5], flexible: [2, 5],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 5] },
    { name: 'errorCode', type: 'int16', versions: [3, 5], ignorable: true },
    { name: 'results', type: 'struct', array: true, versions: [0, 5], fields: [
      { name: 'errorCode', type: 'int16', versions: [0, 5] },
      { name: 'logDir', type: 'string', versions: [0, 5] },
      { name: 'topics', type: 'struct', array: true, versions: [0, 5], fields: [
        { name: 'name', type: 'string', versions: [0, 5] },
        { name: 'partitions', type: 'struct', array: true, versions: [0, 5], fields: [
          { name: 'partitionIndex', type: 'int32', versions: [0, 5] },
          { name: 'partitionSize', type: 'int64', versions: [0, 5] },
          { name: 'offsetLag', type: 'int64', versions: [0, 5] },
          { name: 'isFutureKey', type: 'bool', versions: [0, 5] }
        ] }
      ] },
      { name: 'totalBytes', type: 'int64', versions: [4, 5], default: -1n, ignorable: true },
      { name: 'usableBytes', type: 'int64', versions: [4, 5], default: -1n, ignorable: true },
      { name: 'isCordoned', type: 'bool', versions: [5, 5], default: false, ignorable: true }
    ] }
  ]
}

export { describeLogDirsRequest as request, describeLogDirsResponse as response }
