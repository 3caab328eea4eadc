// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface StreamsGroupHeartbeatRequest {
  groupId: string
  memberId: string
  memberEpoch: number
  endpointInformationEpoch: number
  instanceId?: string | null
  rackId?: string | null
  rebalanceTimeoutMs?: number
  topology?: {
    epoch: number
    subtopologies: {
      subtopologyId: string
      sourceTopics: string[]
      sourceTopicRegex: string[]
      stateChangelogTopics: {
        name: string
        partitions: number
        replicationFactor: number
        topicConfigs: {
          key: string
          value: string
        }[]
      }[]
      repartitionSinkTopics: string[]
      repartitionSourceTopics: {
        name: string
        partitions: number
        replicationFactor: number
        topicConfigs: {
          key: string
          value: string
        }[]
      }[]
      copartitionGroups: {
        sourceTopics: number[]
        sourceTopicRegex: number[]
        repartitionSourceTopics: number[]
      }[]
    }[]
  } | null
  activeTasks?: {
    subtopologyId: string
    partitions: number[]
  }[] | null
  standbyTasks?: {
    subtopologyId: string
    partitions: number[]
  }[] | null
  warmupTasks?: {
    subtopologyId: string
    partitions: number[]
  }[] | null
  processId?: string | null
  userEndpoint?: {
    host: string
    port: number
  } | null
  clientTags?: {
    key: string
    value: string
  }[] | null
  taskOffsets?: {
    subtopologyId: string
    partition: number
    offset: bigint
  }[] | null
  taskEndOffsets?: {
    subtopologyId: string
    partition: number
    offset: bigint
  }[] | null
  shutdownApplication?: boolean
}

export interface StreamsGroupHeartbeatResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  memberId: string
  memberEpoch: number
  heartbeatIntervalMs: number
  acceptableRecoveryLag: number
  taskOffsetIntervalMs: number
  status: {
    statusCode: number
    statusDetail: string
  }[] | null
  activeTasks: {
    subtopologyId: string
    partitions: number[]
  }[] | null
  standbyTasks: {
    subtopologyId: string
    partitions: number[]
  }[] | null
  warmupTasks: {
    subtopologyId: string
    partitions: number[]
  }[] | null
  endpointInformationEpoch: number
  partitionsByUserEndpoint: {
    userEndpoint: {
      host: string
      port: number
    }
    activePartitions: {
      topic: string
      partitions: number[]
    }[]
    standbyPartitions: {
      topic: string
      partitions: number[]
    }[]
  }[] | null
}

export const streamsGroupHeartbeatRequest: Definition = {
  name: 'StreamsGroupHeartbeatRequest', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'groupId', type: 'string', versions: [0, 0] },
    { name: 'memberId', type: 'string', versions: [0, 0] },
    { name: 'memberEpoch', type: 'int32', versions: [0, 0] },
    { name: 'endpointInformationEpoch', type: 'int32', versions: [0, 0] },
    { name: 'instanceId', type: 'string', versions: [0, 0], nullable: [0, 0], default: null },
    { name: 'rackId', type: 'string', versions: [0, 0], nullable: [0, 0], default: null },
    { name: 'rebalanceTimeoutMs', type: 'int32', versions: [0, 0], default: -1 },
    { name: 'topology', type: 'struct', versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'epoch', type: 'int32', versions: [0, 0] },
      { name: 'subtopologies', type: 'struct', array: true, versions: [0, 0], fields: [
        { name: 'subtopologyId', type: 'string', versions: [0, 0] },
        { name: 'sourceTopics', type: 'string', array: true, versions: [0, 0] },
        { name: 'sourceTopicRegex', type: 'string', array: true, versions: [0, 0] },
        { name: 'stateChangelogTopics', type: 'struct', array: true, versions: [0, 0], fields: [
          { name: 'name', type: 'string', versions: [0, 0] },
          { name: 'partitions', type: 'int32', versions: [0, 0] },
          { name: 'replicationFactor', type: 'int16', versions: [0, 0] },
          { name: 'topicConfigs', type: 'struct', array: true, versions: [0, 0], fields: [
            { name: 'key', type: 'string', versions: [0, 0] },
            { name: 'value', type: 'string', versions: [0, 0] }
          ] }
        ] },
        { name: 'repartitionSinkTopics', type: 'string', array: true, versions: [0, 0] },
        { name: 'repartitionSourceTopics', type: 'struct', array: true, versions: [0, 0], fields: [
          { name: 'name', type: 'string', versions: [0, 0] },
          { name: 'partitions', type: 'int32', versions: [0, 0] },
          { name: 'replicationFactor', type: 'int16', versions: [0, 0] },
          { name: 'topicConfigs', type: 'struct', array: true, versions: [0, 0], fields: [
            { name: 'key', type: 'string', versions: [0, 0] },
            { name: 'value', type: 'string', versions: [0, 0] }
          ] }
        ] },
        { name: 'copartitionGroups', type: 'struct', array: true, versions: [0, 0], fields: [
          { name: 'sourceTopics', type: 'int16', array: true, versions: [0, 0] },
          { name: 'sourceTopicRegex', type: 'int16', array: true, versions: [0, 0] },
          { name: 'repartitionSourceTopics', type: 'int16', array: true, versions: [0, 0] }
        ] }
      ] }
    ] },
    { name: 'activeTasks', type: 'struct', array: true, versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'subtopologyId', type: 'string', versions: [0, 0] },
      { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
    ] },
    { name: 'standbyTasks', type: 'struct', array: true, versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'subtopologyId', type: 'string', versions: [0, 0] },
      { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
    ] },
    { name: 'warmupTasks', type: 'struct', array: true, versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'subtopologyId', type: 'string', versions: [0, 0] },
      { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
    ] },
    { name: 'processId', type: 'string', versions: [0, 0], nullable: [0, 0], default: null },
    { name: 'userEndpoint', type: 'struct', versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'host', type: 'string', versions: [0, 0] },
      { name: 'port', type: 'uint16', versions: [0, 0] }
    ] },
    { name: 'clientTags', type: 'struct', array: true, versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'key', type: 'string', versions: [0, 0] },
      { name: 'value', type: 'string', versions: [0, 0] }
    ] },
    { name: 'taskOffsets', type: 'struct', array: true, versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'subtopologyId', type: 'string', versions: [0, 0] },
      { name: 'partition', type: 'int32', versions: [0, 0] },
      { name: 'offset', type: 'int64', versions: [0, 0] }
    ] },
    { name: 'taskEndOffsets', type: 'struct', array: true, versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'subtopologyId', type: 'string', versions: [0, 0] },
      { name: 'partition', type: 'int32', versions: [0, 0] },
      { name: 'offset', type: 'int64', versions: [0, 0] }
    ] },
    { name: 'shutdownApplication', type: 'bool', versions: [0, 0], default: false }
  ]
}

export const streamsGroupHeartbeatResponse: Definition = {
  name: 'StreamsGroupHeartbeatResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0] },
    { name: 'errorCode', type: 'int16', versions: [0, 0] },
    { name: 'errorMessage', type: 'string', versions: [0, 0], nullable: [0, 0], default: null },
    { name: 'memberId', type: 'string', versions: [0, 0] },
    { name: 'memberEpoch', type: 'int32', versions: [0, 0] },
    { name: 'heartbeatIntervalMs', type: 'int32', versions: [0, 0] },
    { name: 'acceptableRecoveryLag', type: 'int32', versions: [0, 0] },
    { name: 'taskOffsetIntervalMs', type: 'int32', versions: [0, 0] },
    { name: 'status', type: 'struct', array: true, versions: [0, 0], nullable: [0, 0], fields: [
      { name: 'statusCode', type: 'int8', versions: [0, 0] },
      { name: 'statusDetail', type: 'string', versions: [0, 0] }
    ] },
    { name: 'activeTasks', type: 'struct', array: true, versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'subtopologyId', type: 'string', versions: [0, 0] },
      { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
    ] },
    { name: 'standbyTasks', type: 'struct', array: true, versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'subtopologyId', type: 'string', versions: [0, 0] },
      { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
    ] },
    { name: 'warmupTasks', type: 'struct', array: true, versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'subtopologyId', type: 'string', versions: [0, 0] },
      { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
    ] },
    { name: 'endpointInformationEpoch', type: 'int32', versions: [0, 0] },
    { name: 'partitionsByUserEndpoint', type: 'struct', array: true, versions: [0, 0], nullable: [0, 0], default: null, fields: [
      { name: 'userEndpoint', type: 'struct', versions: [0, 0], fields: [
        { name: 'host', type: 'string', versions: [0, 0] },
        { name: 'port', type: 'uint16', versions: [0, 0] }
      ] },
      { name: 'activePartitions', type: 'struct', array: true, versions: [0, 0], fields: [
        { name: 'topic', type: 'string', versions: [0, 0] },
        { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
      ] },
      { name: 'standbyPartitions', type: 'struct', array: true, versions: [0, 0], fields: [
        { name: 'topic', type: 'string', versions: [0, 0] },
        { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
      ] }
    ] }
  ]
}

export { streamsGroupHeartbeatRequest as request, streamsGroupHeartbeatResponse as response }
