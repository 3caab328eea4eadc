// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface GetTelemetrySubscriptionsRequest {
  clientInstanceId: string
}

export interface GetTelemetrySubscriptionsResponse {
  throttleTimeMs: number
  errorCode: number
  clientInstanceId: string
  subscriptionId: number
  acceptedCompressionTypes: number[]
  pushIntervalMs: number
  telemetryMaxBytes: number
  deltaTemporality: boolean
  requestedMetrics: string[]
}

export const getTelemetrySubscriptionsRequest: Definition = {
  name: 'GetTelemetrySubscriptionsRequest', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'clientInstanceId', type: 'uuid', versions: [0, 0] }
  ]
}

export const getTelemetrySubscriptionsResponse: Definition = {
  name: 'GetTelemetrySubscriptionsResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0] },
    { name: 'errorCode', type: 'int16', versions: [0, 0] },
    { name: 'clientInstanceId', type: 'uuid', versions: [0, 0] },
    { name: 'subscriptionId', type: 'int32', versions: [0, 0] },
    { name: 'acceptedCompressionTypes', type: 'int8', array: true, versions: [0, 0] },
    { name: 'pushIntervalMs', type: 'int32', versions: [0, 0] },
    { name: 'telemetryMaxBytes', type: 'int32', versions: [0, 0] },
    { name: 'deltaTemporality', type: 'bool', versions: [0, 0] },
    { name: 'requestedMetrics', type: 'string', array: true, versions: [0, 0] }
  ]
}

export { getTelemetrySubscriptionsRequest as request, getTelemetrySubscriptionsResponse as response }
