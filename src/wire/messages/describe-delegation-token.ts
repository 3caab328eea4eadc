// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DescribeDelegationTokenRequest {
  owners: {
    principalType: string
    principalName: string
  }[] | null
}

export interface DescribeDelegationTokenResponse {
  errorCode: number
  tokens: {
    principalType: string
    principalName: string
    tokenRequesterPrincipalType: string
    tokenRequesterPrincipalName: string
    issueTimestamp: bigint
    expiryTimestamp: bigint
    maxTimestamp: bigint
    tokenId: string
    hmac: Buffer
    renewers: {
      principalType: string
      principalName: string
    }[]
  }[]
  throttleTimeMs: number
}

export const describeDelegationTokenRequest: Definition = {
  name: 'DescribeDelegationTokenRequest', versions: [0, 3], flexible: [2, 3],
  fields: [
    { name: 'owners', type: 'struct', array: true, versions: [0, 3], nullable: [0, 3], fields: [
      { name: 'principalType', type: 'string', versions: [0, 3] },
      { name: 'principalName', type: 'string', versions: [0, 3] }
    ] }
  ]
}

export const describeDelegationTokenResponse: Definition = {
  name: 'DescribeDelegationTokenResponse', versions: [0, 3], flexible: [2, 3],
  fields: [
    { name: 'errorCode', type: 'int16', versions: [0, 3] },
    { name: 'tokens', type: 'struct', array: true, versions: [0, 3], fields: [
      { name: 'principalType', type: 'string', versions: [0, 3] },
      { name: 'principalName', type: 'string', versions: [0, 3] },
      { name: 'tokenRequesterPrincipalType', type: 'string', versions: [3, 3] },
      { name: 'tokenRequesterPrincipalName', type: 'string', versions: [3, 3] },
      { name: 'issueTimestamp', type: 'int64', versions: [0, 3] },
      { name: 'expiryTimestamp', type: 'int64', versions: [0, 3] },
      { name: 'maxTimestamp', type: 'int64', versions: [0, 3] },
      { name: 'tokenId', type: 'string', versions: [0, 3] },
      { name: 'hmac', type: 'bytes', versions: [0, 3] },
      { name: 'renewers', type: 'struct', array: true, versions: [0, 3], fields: [
        { name: 'principalType', type: 'string', versions: [0, 3] },
        { name: 'principalName', type: 'string', versions: [0, 3] }
      ] }
    ] },
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 3] }
  ]
}

export { describeDelegationTokenRequest as request, describeDelegationTokenResponse as response }
