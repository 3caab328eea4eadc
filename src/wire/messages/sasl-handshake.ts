// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface SaslHandshakeRequest {
  mechanism: string
}

export interface SaslHandshakeResponse {
  errorCode: number
  mechanisms: string[]
}

export const saslHandshakeRequest: Definition = {
  name: 'SaslHandshakeRequest', versions: [0, 1], flexible: null,
  fields: [
    { name: 'mechanism', type: 'string', versions: [0, 1] }
  ]
}

export const saslHandshakeResponse: Definition = {
  name: 'SaslHandshakeResponse', versions: [0, 1], flexible: null,
  fields: [
    { name: 'errorCode', type: 'int16', versions: [0, 1] },
    { name: 'mechanisms', type: 'string', array: true, versions: [0, 1] }
  ]
}

export { saslHandshakeRequest as request, saslHandshakeResponse as response }
