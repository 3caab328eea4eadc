// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DescribeClientQuotasRequest {
  components: {
    entityType: string
    matchType: number
    match: string | null
  }[]
  strict: boolean
}

export interface DescribeClientQuotasResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  entries: {
    entity: {
      entityType: string
      entityName: string | null
    }[]
    values: {
      key: string
      value: number
    }[]
  }[] | null
}

export const describeClientQuotasRequest: Definition = {
  name: 'DescribeClientQuotasRequest', versions: [0, 1], flexible: [1, 1],
  fields: [
    { name: 'components', type: 'struct', array: true, versions: [0, 1], fields: [
      { name: 'entityType', type: 'string', versions: [0, 1] },
      { name: 'matchType', type: 'int8', versions: [0, 1] },
      { name: 'match', type: 'string', versions: [0, 1], nullable: [0, 1] }
    ] },
    { name: 'strict', type: 'bool', versions: [0, 1] }
  ]
}

export const describeClientQuotasResponse: Definition = {
  name: 'DescribeClientQuotasResponse', versions: [0, 1], flexible: [1, 1],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 1] },
    { name: 'errorCode', type: 'int16', versions: [0, 1] },
    { name: 'errorMessage', type: 'string', versions: [0, 1], nullable: [0, 1] },
    { name: 'entries', type: 'struct', array: true, versions: [0, 1], nullable: [0, 1], fields: [
      { name: 'entity', type: 'struct', array: true, versions: [0, 1], fields: [
        { name: 'entityType', type: 'string', versions: [0, 1] },
        { name: 'entityName', type: 'string', versions: [0, 1], nullable: [0, 1] }
      ] },
      { name: 'values', type: 'struct', array: true, versions: [0, 1], fields: [
        { name: 'key', type: 'string', versions: [0, 1] },
        { name: 'value', type: 'float64', versions: [0, 1] }
      ] }
    ] }
  ]
}

export { describeClientQuotasRequest as request, describeClientQuotasResponse as response }
