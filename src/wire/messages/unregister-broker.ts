// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface UnregisterBrokerRequest {
  brokerId: number
}

export interface UnregisterBrokerResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
}

export const unregisterBrokerRequest: Definition = {
  name: 'UnregisterBrokerRequest', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'brokerId', type: 'int32', versions: [0, 0] }
  ]
}

export const unregisterBrokerResponse: Definition = {
  name: 'UnregisterBrokerResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0] },
    { name: 'errorCode', type: 'int16', versions: [0, 0] },
    { name: 'errorMessage', type: 'string', versions: [0, 0], nullable: [0, 0] }
  ]
}

export { unregisterBrokerRequest as request, unregisterBrokerResponse as response }
