// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface RenewDelegationTokenRequest {
  hmac: Uint8Array
  renewPeriodMs: bigint
}

export interface RenewDelegationTokenResponse {
  errorCode: number
  expiryTimestampMs: bigint
  throttleTimeMs: number
}

export const renewDelegationTokenRequest: Definition = {
  name: 'RenewDelegationTokenRequest', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'hmac', type: 'bytes', versions: [0, 2] },
    { name: 'renewPeriodMs', type: 'int64', versions: [0, 2] }
  ]
}

export const renewDelegationTokenResponse: Definition = {
  name: 'RenewDelegationTokenResponse', versions: [0, 2], flexible: [2, 2],
  fields: [
    { name: 'errorCode', type: 'int16', versions: [0, 2] },
    { name: 'expiryTimestampMs', type: 'int64', versions: [0, 2] },
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 2] }
  ]
}

export { renewDelegationTokenRequest as request, renewDelegationTokenResponse as response }
