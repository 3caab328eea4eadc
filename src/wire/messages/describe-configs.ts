// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DescribeConfigsRequest {
  resources: {
    resourceType: number
    resourceName: string
    configurationKeys: string[] | null
  }[]
  includeSynonyms?: boolean
  includeDocumentation?: boolean
}

export interface DescribeConfigsResponse {
  throttleTimeMs: number
  results: {
    errorCode: number
    errorMessage: string | null
    resourceType: number
    resourceName: string
    configs: {
      name: string
      value: string | null
      readOnly: boolean
      isDefault: boolean
      configSource: number
      isSensitive: boolean
      synonyms: {
        name: string
        value: string | null
        source: number
      }[]
      configType: number
      documentation: string | null
    }[]
  }[]
}

export const describeConfigsRequest: Definition = {
  name: 'DescribeConfigsRequest', versions: [0, 4], flexible: [4, 4],
  fields: [
    { name: 'resources', type: 'struct', array: true, versions: [0, 4], fields: [
      { name: 'resourceType', type: 'int8', versions: [0, 4] },
      { name: 'resourceName', type: 'string', versions: [0, 4] },
      { name: 'configurationKeys', type: 'string', array: true, versions: [0, 4], nullable: [0, 4] }
    ] },
    { name: 'includeSynonyms', type: 'bool', versions: [1, 4], default: false },
    { name: 'includeDocumentation', type: 'bool', versions: [3, 4], default: false }
  ]
}

export const describeConfigsResponse: Definition = {
  name: 'DescribeConfigsResponse', versions: [0, 4], flexible: [4, 4],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 4] },
    { name: 'results', type: 'struct', array: true, versions: [0, 4], fields: [
      { name: 'errorCode', type: 'int16', versions: [0, 4] },
      { name: 'errorMessage', type: 'string', versions: [0, 4], nullable: [0, 4] },
      { name: 'resourceType', type: 'int8', versions: [0, 4] },
      { name: 'resourceName', type: 'string', versions: [0, 4] },
      { name: 'configs', type: 'struct', array: true, versions: [0, 4], fields: [
        { name: 'name', type: 'string', versions: [0, 4] },
        { name: 'value', type: 'string', versions: [0, 4], nullable: [0, 4] },
        { name: 'readOnly', type: 'bool', versions: [0, 4] },
        { name: 'isDefault', type: 'bool', versions: [0, 0] },
        { name: 'configSource', type: 'int8', versions: [1, 4], default: -1, ignorable: true },
        { name: 'isSensitive', type: 'bool', versions: [0, 4] },
        { name: 'synonyms', type: 'struct', array: true, versions: [1, 4], ignorable: true, fields: [
          { name: 'name', type: 'string', versions: [1, 4] },
          { name: 'value', type: 'string', versions: [1, 4], nullable: [0, 4] },
          { name: 'source', type: 'int8', versions: [1, 4] }
        ] },
        { name: 'configType', type: 'int8', versions: [3, 4], default: 0, ignorable: true },
        { name: 'documentation', type: 'string', versions: [3, 4], nullable: [0, 4], ignorable: true }
      ] }
    ] }
  ]
}

export { describeConfigsRequest as request, describeConfigsResponse as response }
