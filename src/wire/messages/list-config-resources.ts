// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ListConfigResourcesRequest {
  resourceTypes?: number[]
}

export interface ListConfigResourcesResponse {
  throttleTimeMs: number
  errorCode: number
  configResources: {
    resourceName: string
    resourceType: number
  }[]
}

export const listConfigResourcesRequest: Definition = {
  name: 'ListConfigResourcesRequest', versions: [0, 1], flexible: [0, 1],
  fields: [
    { name: 'resourceTypes', type: 'int8', array: true, versions: [1, 1] }
  ]
}

export const listConfigResourcesResponse: Definition = {
  name: 'ListConfigResourcesResponse', versions: [0, 1], flexible: [0, 1],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 1] },
    { name: 'errorCode', type: 'int16', versions: [0, 1] },
    { name: 'configResources', type: 'struct', array: true, versions: [0, 1], fields: [
      { name: 'resourceName', type: 'string', versions: [0, 1] },
      { name: 'resourceType', type: 'int8', versions: [1, 1], default: 16, ignorable: true }
    ] }
  ]
}

export { listConfigResourcesRequest as request, listConfigResourcesResponse as response }
