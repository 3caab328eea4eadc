// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DescribeUserScramCredentialsRequest {
  users: {
    name: string
  }[] | null
}

export interface DescribeUserScramCredentialsResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  results: {
    user: string
    errorCode: number
    errorMessage: string | null
    credentialInfos: {
      mechanism: number
      iterations: number
    }[]
  }[]
}

export const describeUserScramCredentialsRequest: Definition = {
  name: 'DescribeUserScramCredentialsRequest', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'users', type: 'struct', array: true, versions: [0, 0], nullable: [0, 0], fields: [
      { name: 'name', type: 'string', versions: [0, 0] }
    ] }
  ]
}

export const describeUserScramCredentialsResponse: Definition = {
  name: 'DescribeUserScramCredentialsResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0] },
    { name: 'errorCode', type: 'int16', versions: [0, 0] },
    { name: 'errorMessage', type: 'string', versions: [0, 0], nullable: [0, 0] },
    { name: 'results', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'user', type: 'string', versions: [0, 0] },
      { name: 'errorCode', type: 'int16', versions: [0, 0] },
      { name: 'errorMessage', type: 'string', versions: [0, 0], nullable: [0, 0] },
      { name: 'credentialInfos', type: 'struct', array: true, versions: [0, 0], fields: [
        { name: 'mechanism', type: 'int8', versions: [0, 0] },
        { name: 'iterations', type: 'int32', versions: [0, 0] }
      ] }
    ] }
  ]
}

export { describeUserScramCredentialsRequest as request, describeUserScramCredentialsResponse as response }
