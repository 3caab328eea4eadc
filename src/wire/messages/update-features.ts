// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface UpdateFeaturesRequest {
  timeoutMs?: number
  featureUpdates: {
    feature: string
    maxVersionLevel: number
    allowDowngrade?: boolean
    upgradeType?: number
  }[]
  validateOnly?: boolean
}

export interface UpdateFeaturesResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  results: {
    feature: string
    errorCode: number
    errorMessage: string | null
  }[]
}

export const updateFeaturesRequest: Definition = {
  name: 'UpdateFeaturesRequest', versions: [0, 2], flexible: [0, 2],
  fields: [
    { name: 'timeoutMs', type: 'int32', versions: [0, 2], default: 60000 },
    { name: 'featureUpdates', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'feature', type: 'string', versions: [0, 2] },
      { name: 'maxVersionLevel', type: 'int16', versions: [0, 2] },
      { name: 'allowDowngrade', type: 'bool', versions: [0, 0] },
      { name: 'upgradeType', type: 'int8', versions: [1, 2], default: 1 }
    ] },
    { name: 'validateOnly', type: 'bool', versions: [1, 2], default: false }
  ]
}

export const updateFeaturesResponse: Definition = {
  name: 'UpdateFeaturesResponse', versions: [0, 2], flexible: [0, 2],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 2] },
    { name: 'errorCode', type: 'int16', versions: [0, 2] },
    { name: 'errorMessage', type: 'string', versions: [0, 2], nullable: [0, 2] },
    { name: 'results', type: 'struct', array: true, versions: [0, 1], ignorable: true, fields: [
      { name: 'feature', type: 'string', versions: [0, 2] },
      { name: 'errorCode', type: 'int16', versions: [0, 2] },
      { name: 'errorMessage', type: 'string', versions: [0, 2], nullable: [0, 2] }
    ] }
  ]
}

export { updateFeaturesRequest as request, updateFeaturesResponse as response }
