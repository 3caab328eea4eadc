// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ResponseHeader {
  correlationId: number
}

export const responseHeader: Definition = {
  name: 'ResponseHeader', versions: [0, 1], flexible: [1, 1],
  fields: [
    { name: 'correlationId', type: 'int32', versions: [0, 1] }
  ]
}
