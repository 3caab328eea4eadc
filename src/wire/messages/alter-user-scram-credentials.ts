// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface AlterUserScramCredentialsRequest {
  deletions: {
    name: string
    mechanism: number
  }[]
  upsertions: {
    name: string
    mechanism: number
    iterations: number
    salt: Uint8Array
    saltedPassword: Uint8Array
  }[]
}

export interface AlterUserScramCredentialsResponse {
  throttleTimeMs: number
  results: {
    user: string
    errorCode: number
    errorMessage: string | null
  }[]
}

export const alterUserScramCredentialsRequest: Definition = {
  name: 'AlterUserScramCredentialsRequest', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'deletions', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'name', type: 'string', versions: [0, 0] },
      { name: 'mechanism', type: 'int8', versions: [0, 0] }
    ] },
    { name: 'upsertions', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'name', type: 'string', versions: [0, 0] },
      { name: 'mechanism', type: 'int8', versions: [0, 0] },
      { name: 'iterations', type: 'int32', versions: [0, 0] },
      { name: 'salt', type: 'bytes', versions: [0, 0] },
      { name: 'saltedPassword', type: 'bytes', versions: [0, 0] }
    ] }
  ]
}

export const alterUserScramCredentialsResponse: Definition = {
  name: 'AlterUserScramCredentialsResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0] },
    { name: 'results', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'user', type: 'string', versions: [0, 0] },
      { name: 'errorCode', type: 'int16', versions: [0, 0] },
      { name: 'errorMessage', type: 'string', versions: [0, 0], nullable: [0, 0] }
    ] }
  ]
}

export { alterUserScramCredentialsRequest as request, alterUserScramCredentialsResponse as response }
