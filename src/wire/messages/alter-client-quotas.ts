// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface AlterClientQuotasRequest {
  entries: {
    entity: {
      entityType: string
      entityName: string | null
    }[]
    ops: {
      key: string
      value: number
      remove: boolean
    }[]
  }[]
  validateOnly: boolean
}

export interface AlterClientQuotasResponse {
  throttleTimeMs: number
  entries: {
    errorCode: number
    errorMessage: string | null
    entity: {
      entityType: string
      entityName: string | null
    }[]
  }[]
}

export const alterClientQuotasRequest: Definition = {
  name: 'AlterClientQuotasRequest', versions: [0, 1], flexible: [1, 1],
  fields: [
    { name: 'entries', type: 'struct', array: true, versions: [0, 1], fields: [
      { name: 'entity', type: 'struct', array: true, versions: [0, 1], fields: [
        { name: 'entityType', type: 'string', versions: [0, 1] },
        { name: 'entityName', type: 'string', versions: [0, 1], nullable: [0, 1] }
      ] },
      { name: 'ops', type: 'struct', array: true, versions: [0, 1], fields: [
        { name: 'key', type: 'string', versions: [0, 1] },
        { name: 'value', type: 'float64', versions: [0, 1] },
        { name: 'remove', type: 'bool', versions: [0, 1] }
      ] }
    ] },
    { name: 'validateOnly', type: 'bool', versions: [0, 1] }
  ]
}

export const alterClientQuotasResponse: Definition = {
  name: 'AlterClientQuotasResponse', versions: [0, 1], flexible: [1, 1],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 1] },
    { name: 'entries', type: 'struct', array: true, versions: [0, 1], fields: [
      { name: 'errorCode', type: 'int16', versions: [0, 1] },
      { name: 'errorMessage', type: 'string', versions: [0, 1], nullable: [0, 1] },
      { name: 'entity', type: 'struct', array: true, versions: [0, 1], fields: [
        { name: 'entityType', type: 'string', versions: [0, 1] },
        { name: 'entityName', type: 'string', versions: [0, 1], nullable: [0, 1] }
      ] }
    ] }
  ]
}

export { alterClientQuotasRequest as request, alterClientQuotasResponse as response }
