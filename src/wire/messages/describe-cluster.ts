// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface DescribeClusterRequest {
  includeClusterAuthorizedOperations: boolean
  endpointType?: number
  includeFencedBrokers?: boolean
}

export interface DescribeClusterResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  endpointType: number
  clusterId: string
  controllerId: number
  brokers: {
    brokerId: number
    host: string
    port: number
    rack: string | null
    isFenced: boolean
  }[]
  clusterAuthorizedOperations: number
}

export const describeClusterRequest: Definition = {
  name: 'DescribeClusterRequest', versions: [0, 2], flexible: [0, 2],
  fields: [
    { name: 'includeClusterAuthorizedOperations', type: 'bool', versions: [0, 2] },
    { name: 'endpointType', type: 'int8', versions: [1, 2], default: 1 },
    { name: 'includeFencedBrokers', type: 'bool', versions: [2, 2] }
  ]
}

export const describeClusterResponse: Definition = {
  name: 'DescribeClusterResponse', versions: [0, 2], flexible: [0, 2],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 2] },
    { name: 'errorCode', type: 'int16', versions: [0, 2] },
    { name: 'errorMessage', type: 'string', versions: [0, 2], nullable: [0, 2], default: null },
    { name: 'endpointType', type: 'int8', versions: [1, 2], default: 1 },
    { name: 'clusterId', type: 'string', versions: [0, 2] },
    { name: 'controllerId', type: 'int32', versions: [0, 2], default: -1 },
    { name: 'brokers', type: 'struct', array: true, versions: [0, 2], fields: [
      { name: 'brokerId', type: 'int32', versions: [0, 2] },
      { name: 'host', type: 'string', versions: [0, 2] },
      { name: 'port', type: 'int32', versions: [0, 2] },
      { name: 'rack', type: 'string', versions: [0, 2], nullable: [0, 2], default: null },
      { name: 'isFenced', type: 'bool', versions: [2, 2] }
    ] },
    { name: 'clusterAuthorizedOperations', type: 'int32', versions: [0, 2], default: -2147483648 }
  ]
}

export { describeClusterRequest as request, describeClusterResponse as response }
