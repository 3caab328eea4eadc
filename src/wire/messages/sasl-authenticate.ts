// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface SaslAuthenticateRequest {
  authBytes: Uint8Array
}

export interface SaslAuthenticateResponse {
  errorCode: number
  errorMessage: string | null
  authBytes: Buffer
  sessionLifetimeMs: bigint
}

export const saslAuthenticateRequest: Definition = {
  name: 'SaslAuthenticateRequest', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'authBytes', type: 'bytes', versions: [0, 2] }
  ]
}

export const saslAuthenticateResponse: Definition = {
  name: 'SaslAuthenticateResponse', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'errorCode', type: 'int16', versions: [0, 2] },
    { name: 'errorMessage', type: 'string', versions: [0, 2], nullable: [0, 2] },
    { name: 'authBytes', type: 'bytes', versions: [0, 2] },
    { name: 'sessionLifetimeMs', type: 'int64', versions: [1, 2], default: 0n, ignorable: true }
  ]
}

export { saslAuthenticateRequest as request, saslAuthenticateResponse as response }
