// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface CreateDelegationTokenRequest {
  ownerPrincipalType?: string | null
  ownerPrincipalName?: string | null
  renewers: {
    principalType: string
    principalName: string
  }[]
  maxLifetimeMs: bigint
}

export interface CreateDelegationTokenResponse {
  errorCode: number
  principalType: string
  principalName: string
  tokenRequesterPrincipalType: string
  tokenRequesterPrincipalName: string
  issueTimestampMs: bigint
  expiryTimestampMs: bigint
  maxTimestampMs: bigint
  tokenId: string
  hmac: Buffer
  throttleTimeMs: number
}

export const createDelegationTokenRequest: Definition = {
  name: 'CreateDelegationTokenRequest', versions: [0, 3], flexible: [2, 3],
  fields: [
    { name: 'ownerPrincipalType', type: 'string', versions: [3, 3], nullable: [3, 3] },
    { name: 'ownerPrincipalName', type: 'string', versions: [3, 3], nullable: [3, 3] },
    { name: 'renewers', type: 'struct', array: true, versions: [0, 3], fields: [
      { name: 'principalType', type: 'string', versions: [0, 3] },
      { name: 'principalName', type: 'string', versions: [0, 3] }
    ] },
    { name: 'maxLifetimeMs', type: 'int64', versions: [0, 3] }
  ]
}

export const createDelegationTokenResponse: Definition = {
  name: 'CreateDelegationTokenResponse', versions: [0, 3], flexible: [2, 3],
  fields: [
    { name: 'errorCode', type: 'int16', versions: [0, 3] },
    { name: 'principalType', type: 'string', versions: [0, 3] },
    { name: 'principalName', type: 'string', versions: [0, 3] },
    { name: 'tokenRequesterPrincipalType', type: 'string', versions: [3, 3] },
    { name: 'tokenRequesterPrincipalName', type: 'string', versions: [3, 3] },
    { name: 'issueTimestampMs', type: 'int64', versions: [0, 3] },
    { name: 'expiryTimestampMs', type: 'int64', versions: [0, 3] },
    { name: 'maxTimestampMs', type: 'int64', versions: [0, 3] },
    { name: 'tokenId', type: 'string', versions: [0, 3] },
    { name: 'hmac', type: 'bytes', versions: [0, 3] },
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 3] }
  ]
}

export { createDelegationTokenRequest as request, createDelegationTokenResponse as response }
