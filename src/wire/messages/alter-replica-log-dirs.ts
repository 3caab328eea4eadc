// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface AlterReplicaLogDirsRequest {
  dirs: {
    path: string
    topics: {
      name: string
      partitions: number[]
    }[]
  }[]
}

export interface AlterReplicaLogDirsResponse {
  throttleTimeMs: number
  results: {
    topicName: string
    partitions: {
      partitionIndex: number
      errorCode: number
    }[]
  }[]
}

export const alterReplicaLogDirsRequest: Definition = {
  name: 'AlterReplicaLogDirsRequest', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'dirs', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'path', type: 'string', versions: [0, 2] },
      { name: 'topics', type: 'struct', array: true, versions: [0, 2], fields: [
        { name: 'name', type: 'string', versions: [0, 2] },
        { name: 'partitions', type: 'int32', array: true, versions: [0, 2] }
      ] }
    ] }
  ]
}

export const alterReplicaLogDirsResponse: Definition = {
  name: 'AlterReplicaLogDirsResponse', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 2] },
    { name: 'results', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'topicName', type: 'string', versions: [0, 2] },
      { name: 'partitions', type: 'struct', array: true, versions: [0, 2], fields: [
        { name: 'partitionIndex', type: 'int32', versions: [0, 2] },
        { name: 'errorCode', type: 'int16', versions: [0, 2] }
      ] }
    ] }
  ]
}

export { alterReplicaLogDirsRequest as request, alterReplicaLogDirsResponse as response }
