// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface ApiVersionsRequest {
  clientSoftwareName?: string
  clientSoftwareVersion?: string
}

export interface ApiVersionsResponse {
  errorCode: number
  apiKeys: {
    apiKey: number
    minVersion: number
    maxVersion: number
  }[]
  throttleTimeMs: number
  supportedFeatures: {
    name: string
    minVersion: number
    maxVersion: number
  }[]
  finalizedFeaturesEpoch: bigint
  finalizedFeatures: {
    name: string
    maxVersionLevel: number
    minVersionLevel: number
  }[]
  zkMigrationReady: boolean
}

export const apiVersionsRequest: Definition = {
  name: 'ApiVersionsRequest', versions: [0, 4], flexible: [3, 4],
  fields: [
    { name: 'clientSoftwareName', type: 'string', versions: [3, 4], ignorable: true },
    { name: 'clientSoftwareVersion', type: 'string', versions: [3, 4], ignorable: true }
  ]
}

export const apiVersionsResponse: Definition = {
  name: 'ApiVersionsResponse', versions: [0, 4], flexible: [3, 4],
  fields: [
    { name: 'errorCode', type: 'int16', versions: [0, 4] },
    { name: 'apiKeys', type: 'struct', array: true, versions: [0, 4], fields: [
      { name: 'apiKey', type: 'int16', versions: [0, 4] },
      { name: 'minVersion', type: 'int16', versions: [0, 4] },
      { name: 'maxVersion', type: 'int16', versions: [0, 4] }
    ] },
    { name: 'throttleTimeMs', type: 'int32', versions: [1, 4], ignorable: true },
    { name: 'supportedFeatures', type: 'struct', array: true, versions: [3, 4], tag: 0, tagged: [3, 4], ignorable: true, fields: [
      { name: 'name', type: 'string', versions: [3, 4] },
      { name: 'minVersion', type: 'int16', versions: [3, 4] },
      { name: 'maxVersion', type: 'int16', versions: [3, 4] }
    ] },
    { name: 'finalizedFeaturesEpoch', type: 'int64', versions: [3, 4], tag: 1, tagged: [3, 4], default: -1n, ignorable: true },
    { name: 'finalizedFeatures', type: 'struct', array: true, versions: [3, 4], tag: 2, tagged: [3, 4], ignorable: true, fields: [
      { name: 'name', type: 'string', versions: [3, 4] },
      { name: 'maxVersionLevel', type: 'int16', versions: [3, 4] },
      { name: 'minVersionLevel', type: 'int16', versions: [3, 4] }
    ] },
    { name: 'zkMigrationReady', type: 'bool', versions: [3, 4], tag: 3, tagged: [3, 4], default: false, ignorable: true }
  ]
}

export { apiVersionsRequest as request, apiVersionsResponse as response }
