// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ConsumerProtocolAssignment {
  assignedPartitions: {
    topic: string
    partitions: number[]
  }[]
  userData: Buffer | null
}

export const consumerProtocolAssignment: Definition = {
  name: 'ConsumerProtocolAssignment', versions: [0, 3], flexible: null,
  fields: [
    { name: 'assignedPartitions', type: 'struct', array: true, versions: [0, 3], fields: [
      { name: 'topic', type: 'string', versions: [0, 3] },
      { name: 'partitions', type: 'int32', array: true, versions: [0, 3] }
    ] },
    { name: 'userData', type: 'bytes', versions: [0, 3], nullable: [0, 3], default: null }
  ]
}
