// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'

export interface StreamsGroupDescribeRequest {
  groupIds: string[]
  includeAuthorizedOperations: boolean
}

export interface StreamsGroupDescribeResponse {
  throttleTimeMs: number
  groups: {
    errorCode: number
    errorMessage: string | null
    groupId: string
    groupState: string
    groupEpoch: number
    assignmentEpoch: number
    topology: {
      epoch: number
      subtopologies: {
        subtopologyId: string
        sourceTopics: string[]
        repartitionSinkTopics: string[]
        stateChangelogTopics: {
          name: string
          partitions: number
          replicationFactor: number
          topicConfigs: {
            key: string
            value: string
          }[]
        }[]
        repartitionSourceTopics: {
          name: string
          partitions: number
          replicationFactor: number
          topicConfigs: {
            key: string
            value: string
          }[]
        }[]
      }[] | null
    } | null
    members: {
      memberId: string
      memberEpoch: number
      instanceId: string | null
      rackId: string | null
      clientId: string
      clientHost: string
      topologyEpoch: number
      processId: string
      userEndpoint: {
        host: string
        port: number
      } | null
      clientTags: {
        key: string
        value: string
      }[]
      taskOffsets: {
        subtopologyId: string
        partition: number
        offset: bigint
      }[]
      taskEndOffsets: {
        subtopologyId: string
        partition: number
        offset: bigint
      }[]
      assignment: {
        activeTasks: {
          subtopologyId: string
          partitions: number[]
        }[]
        standbyTasks: {
          subtopologyId: string
          partitions: number[]
        }[]
        warmupTasks: {
          subtopologyId: string
          partitions: number[]
        }[]
      }
      targetAssignment: {
        activeTasks: {
          subtopologyId: string
          partitions: number[]
        }[]
        standbyTasks: {
          subtopologyId: string
          partitions: number[]
        }[]
        warmupTasks: {
          subtopologyId: string
          partitions: number[]
        }[]
      }
      isClassic: boolean
    }[]
    authorizedOperations: number
  }[]
}

export const streamsGroupDescribeRequest: Definition = {
  name: 'StreamsGroupDescribeRequest', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'groupIds', type: 'string', array: true, versions: [0, 0] },
    { name: 'includeAuthorizedOperations', type: 'bool', versions: [0, 0] }
  ]
}

export const streamsGroupDescribeResponse: Definition = {
  name: 'StreamsGroupDescribeResponse', versions: [0, 0], flexible: [0, 0],
  fields: [
    { name: 'throttleTimeMs', type: 'int32', versions: [0, 0] },
    { name: 'groups', type: 'struct', array: true, versions: [0, 0], fields: [
      { name: 'errorCode', type: 'int16', versions: [0, 0] },
      { name: 'errorMessage', type: 'string', versions: [0, 0], nullable: [0, 0], default: null },
      { name: 'groupId', type: 'string', versions: [0, 0] },
      { name: 'groupState', type: 'string', versions: [0, 0] },
      { name: 'groupEpoch', type: 'int32', versions: [0, 0] },
      { name: 'assignmentEpoch', type: 'int32', versions: [0, 0] },
      { name: 'topology', type: 'struct', versions: [0, 0], nullable: [0, 0], default: null, fields: [
        { name: 'epoch', type: 'int32', versions: [0, 0] },
        { name: 'subtopologies', type: 'struct', array: true, versions: [0, 0], nullable: [0, 0], default: null, fields: [
          { name: 'subtopologyId', type: 'string', versions: [0, 0] },
          { name: 'sourceTopics', type: 'string', array: true, versions: [0, 0] },
          { name: 'repartitionSinkTopics', type: 'string', array: true, versions: [0, 0] },
          { name: 'stateChangelogTopics', type: 'struct', array: true, versions: [0, 0], fields: [
            { name: 'name', type: 'string', versions: [0, 0] },
            { name: 'partitions', type: 'int32', versions: [0, 0] },
            { name: 'replicationFactor', type: 'int16', versions: [0, 0] },
            { name: 'topicConfigs', type: 'struct', array: true, versions: [0, 0], fields: [
              { name: 'key', type: 'string', versions: [0, 0] },
              { name: 'value', type: 'string', versions: [0, 0] }
            ] }
          ] },
          { name: 'repartitionSourceTopics', type: 'struct', array: true, versions: [0, 0], fields: [
            { name: 'name', type: 'string', versions: [0, 0] },
            { name: 'partitions', type: 'int32', versions: [0, 0] },
            { name: 'replicationFactor', type: 'int16', versions: [0, 0] },
            { name: 'topicConfigs', type: 'struct', array: true, versions: [0, 0], fields: [
              { name: 'key', type: 'string', versions: [0, 0] },
              { name: 'value', type: 'string', versions: [0, 0] }
            ] }
          ] }
        ] }
      ] },
      { name: 'members', type: 'struct', array: true, versions: [0, 0], fields: [
        { name: 'memberId', type: 'string', versions: [0, 0] },
        { name: 'memberEpoch', type: 'int32', versions: [0, 0] },
        { name: 'instanceId', type: 'string', versions: [0, 0], nullable: [0, 0], default: null },
        { name: 'rackId', type: 'string', versions: [0, 0], nullable: [0, 0], default: null },
        { name: 'clientId', type: 'string', versions: [0, 0] },
        { name: 'clientHost', type: 'string', versions: [0, 0] },
        { name: 'topologyEpoch', type: 'int32', versions: [0, 0] },
        { name: 'processId', type: 'string', versions: [0, 0] },
        { name: 'userEndpoint', type: 'struct', versions: [0, 0], nullable: [0, 0], default: null, fields: [
          { name: 'host', type: 'string', versions: [0, 0] },
          { name: 'port', type: 'uint16', versions: [0, 0] }
        ] },
        { name: 'clientTags', type: 'struct', array: true, versions: [0, 0], fields: [
          { name: 'key', type: 'string', versions: [0, 0] },
          { name: 'value', type: 'string', versions: [0, 0] }
        ] },
        { name: 'taskOffsets', type: 'struct', array: true, versions: [0, 0], fields: [
          { name: 'subtopologyId', type: 'string', versions: [0, 0] },
          { name: 'partition', type: 'int32', versions: [0, 0] },
          { name: 'offset', type: 'int64', versions: [0, 0] }
        ] },
        { name: 'taskEndOffsets', type: 'struct', array: true, versions: [0, 0], fields: [
          { name: 'subtopologyId', type: 'string', versions: [0, 0] },
          { name: 'partition', type: 'int32', versions: [0, 0] },
          { name: 'offset', type: 'int64', versions: [0, 0] }
        ] },
        { name: 'assignment', type: 'struct', versions: [0, 0], fields: [
          { name: 'activeTasks', type: 'struct', array: true, versions: [0, 0], fields: [
            { name: 'subtopologyId', type: 'string', versions: [0, 0] },
            { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
          ] },
          { name: 'standbyTasks', type: 'struct', array: true, versions: [0, 0], fields: [
            { name: 'subtopologyId', type: 'string', versions: [0, 0] },
            { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
          ] },
          { name: 'warmupTasks', type: 'struct', array: true, versions: [0, 0], fields: [
            { name: 'subtopologyId', type: 'string', versions: [0, 0] },
            { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
          ] }
        ] },
        { name: 'targetAssignment', type: 'struct', versions: [0, 0], fields: [
          { name: 'activeTasks', type: 'struct', array: true, versions: [0, 0], fields: [
            { name: 'subtopologyId', type: 'string', versions: [0, 0] },
            { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
          ] },
          { name: 'standbyTasks', type: 'struct', array: true, versions: [0, 0], fields: [
            { name: 'subtopologyId', type: 'string', versions: [0, 0] },
            { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
          ] },
          { name: 'warmupTasks', type: 'struct', array: true, versions: [0, 0], fields: [
            { name: 'subtopologyId', type: 'string', versions: [0, 0] },
            { name: 'partitions', type: 'int32', array: true, versions: [0, 0] }
          ] }
        ] },
        { name: 'isClassic', type: 'bool', versions: [0, 0] }
      ] },
      { name: 'authorizedOperations', type: 'int32', versions: [0, 0], default: -2147483648 }
    ] }
  ]
}

export { streamsGroupDescribeRequest as request, streamsGroupDescribeResponse as response }
