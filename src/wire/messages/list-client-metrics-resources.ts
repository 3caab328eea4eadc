// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ListClientMetricsResourcesRequest {

}

export interface ListClientMetricsResourcesResponse {
  throttleTimeMs: number
  errorCode: number
  clientMetricsResources: {
    name: string
  }[]
}

export const listClientMetricsResourcesRequest: Definition = {
  name: 'ListClientMetricsResourcesRequest', versions: [0, 0], flexible: [0, 0],
  fields: [

  ]
}

export const listClientMetricsResourcesResponse: Definition = {
  name: 'ListClientMetricsResourcesResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0] },
    { name: 'errorCode', type: 'int16', versions: [0, 0] },
    { name: 'clientMetricsResources', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'name', type: 'string', versions: [0, 0] }
    ] }
  ]
}

export { listClientMetricsResourcesRequest as request, listClientMetricsResourcesResponse as response }
