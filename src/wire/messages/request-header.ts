// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface RequestHeader {
  requestApiKey: number
  requestApiVersion: number
  correlationId: number
  clientId: string | null
}

export const requestHeader: Definition = {
  name: 'RequestHeader', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'requestApiKey', type: 'int16', versions: [0, 2] },
    { name: 'requestApiVersion', type: 'int16', versions: [0, 2] },
    { name: 'correlationId', type: 'int32', versions: [0, 2] },
    { name: 'clientId', type: 'string', versions: [1, 2], nullable: [1, 2], rigid: true, ignorable: true }
  ]
}
