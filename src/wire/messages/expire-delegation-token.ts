// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ExpireDelegationTokenRequest {
  hmac: Uint8Array
  expiryTimePeriodMs: bigint
}

export interface ExpireDelegationTokenResponse {
  errorCode: number
  expiryTimestampMs: bigint
  throttleTimeMs: number
}

export const expireDelegationTokenRequest: Definition = {
  name: 'ExpireDelegationTokenRequest', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'hmac', type: 'bytes', versions: [0, 2] },
    { name: 'expiryTimePeriodMs', type: 'int64', versions: [0, 2] }
  ]
}

export const expireDelegationTokenResponse: Definition = {
  name: 'ExpireDelegationTokenResponse', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'errorCode', type: 'int16', versions: [0, 2] },
    { name: 'expiryTimestampMs', type: 'int64', versions: [0, 2] },
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 2] }
  ]
}

export { expireDelegationTokenRequest as request, expireDelegationTokenResponse as response }
