// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface PushTelemetryRequest {
  clientInstanceId: string
  subscriptionId: number
  terminating: boolean
  compressionType: number
  metrics: Uint8Array
}

export interface PushTelemetryResponse {
  throttleTimeMs: number
  errorCode: number
}

export const pushTelemetryRequest: Definition = {
  name: 'PushTelemetryRequest', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'clientInstanceId', type: 'uuid', versions: [0, 0] },
    { name: 'subscriptionId', type: 'int32', versions: [0, 0] },
    { name: 'terminating', type: 'bool', versions: [0, 0] },
    { name: 'compressionType', type: 'int8', versions: [0, 0] },
    { name: 'metrics', type: 'bytes', versions: [0, 0] }
  ]
}

export const pushTelemetryResponse: Definition = {
  name: 'PushTelemetryResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0] },
    { name: 'errorCode', type: 'int16', versions: [0, 0] }
  ]
}

export { pushTelemetryRequest as request, pushTelemetryResponse as response }
