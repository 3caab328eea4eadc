// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ConsumerProtocolSubscription {
  topics: string[]
  userData: Buffer | null
  ownedPartitions: {
    topic: string
    partitions: number[]
  }[]
  generationId: number
  rackId: string | null
}

export const consumerProtocolSubscription: Definition = {
  name: 'ConsumerProtocolSubscription', versions: [0, 3], flexible: null,
  fields: [
    { name: 'topics', type: 'string', array: true, versions: [0, 3] },
    { name: 'userData', type: 'bytes', versions: [0, 3], nullable: [0, 3], default: null },
    { name: 'ownedPartitions', type: 'struct', array: true, versions: [1, 3], ignorable: true, fields: [
      { name: 'topic', type: 'string', versions: [1, 3] },
      { name: 'partitions', type: 'int32', array: true, versions: [1, 3] }
    ] },
    { name: 'generationId', type: 'int32', versions: [2, 3], default: -1, ignorable: true },
    { name: 'rackId', type: 'string', versions: [3, 3], nullable: [3, 3], default: null, ignorable: true }
  ]
}
