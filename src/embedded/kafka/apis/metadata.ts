/**
 * Metadata: brokers, controller, topics and who leads their partitions. What is missing is made, if the client lets it.
 *
 * v0: no topics means all; from v1 null does. v4: whether to make missing topics. v7: leader epochs. v8: allowed operations. v10: topic ids;
 * v12: topics by their ids. v11 dropped the cluster's allowed operations. v13: an error for the whole answer.
 */
import type { RequestOf, ResponseOf } from '../../../wire/apis.ts'
import type { Topic } from '../cluster-types.ts'
import { ERROR, KafkaFault } from '../errors.ts'
import { isInternal } from '../internal-topics.ts'
import type { ClusterState } from '../state.ts'
import { CLUSTER_OPERATIONS, type CoreHandler, NO_TOPIC_ID, OPERATIONS_NOT_ASKED, TOPIC_OPERATIONS } from './common.ts'

type AskedTopic = NonNullable<RequestOf<'Metadata'>['topics']>[number]
type ToldTopic = ResponseOf<'Metadata'>['topics'][number]

export const metadata: CoreHandler<'Metadata'> = {
  api: 'Metadata',
  versions: [0, 13],
  handle(request, { version, state }) {
    const { topics: asked, allowAutoTopicCreation = true } = request
    const all = version === 0 ? asked === null || asked.length === 0 : asked === null
    const operations = request.includeTopicAuthorizedOperations === true
    const create = version < 4 || allowAutoTopicCreation
    const told = all
      ? [...state.topics.values()].map(topic => topicOf(state, topic, version))
      : asked!.map(each => one(state, each, version, create))
    return {
      throttleTimeMs: 0,
      brokers: state.aliveNodes.map(({ id, host, port, rack }) => ({ nodeId: id, host, port, rack })),
      clusterId: state.clusterId,
      controllerId: state.isAlive(state.controllerId) ? state.controllerId : -1,
      topics: told.map(topic => ({ ...topic, topicAuthorizedOperations: operations ? TOPIC_OPERATIONS : OPERATIONS_NOT_ASKED })),
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : OPERATIONS_NOT_ASKED,
      errorCode: ERROR.NONE
    }
  }
}

function one(state: ClusterState, { name, topicId = NO_TOPIC_ID }: AskedTopic, version: number, create: boolean): ToldTopic {
  const byId = topicId !== NO_TOPIC_ID
  if (version < 12 && version >= 10 && (byId || name === null)) return missing(name ?? '', topicId, ERROR.INVALID_REQUEST)
  if (byId) {
    const topic = state.topicById(topicId)
    return topic ? topicOf(state, topic, version) : missing(null, topicId, ERROR.UNKNOWN_TOPIC_ID)
  }
  if (name === null) return missing(null, topicId, ERROR.INVALID_REQUEST)
  const topic = state.topic(name)
  if (topic) return topicOf(state, topic, version)
  return missing(name, topicId, create ? autoCreate(state, name) : unknownOrInvalid(state, name))
}

/** Kafka makes the topic in the background and says that it is not there yet; the client asks again. */
function autoCreate(state: ClusterState, name: string): number {
  if (state.configs.broker('auto.create.topics.enable') !== 'true') return unknownOrInvalid(state, name)
  try {
    if (isInternal(name)) state.coordinatorOf(name === '__consumer_offsets' ? 'group' : 'transaction', '')
    else state.createTopic({ name })
    return ERROR.UNKNOWN_TOPIC_OR_PARTITION
  } catch (error) {
    if (error instanceof KafkaFault) return error.errorCode
    throw error
  }
}

function unknownOrInvalid(state: ClusterState, name: string): number {
  return state.nameIsValid(name) ? ERROR.UNKNOWN_TOPIC_OR_PARTITION : ERROR.INVALID_TOPIC_EXCEPTION
}

function missing(name: string | null, topicId: string, errorCode: number): ToldTopic {
  const nothing = { isInternal: name !== null && isInternal(name), partitions: [], topicAuthorizedOperations: OPERATIONS_NOT_ASKED }
  return { errorCode, name, topicId, ...nothing }
}

function topicOf(state: ClusterState, topic: Topic, version: number): ToldTopic {
  return {
    errorCode: ERROR.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.internal,
    partitions: partitionsOf(state, topic, version),
    topicAuthorizedOperations: OPERATIONS_NOT_ASKED
  }
}

/** Also DescribeTopicPartitions'. */
export function partitionsOf(state: ClusterState, topic: Topic, version = 1): ToldTopic['partitions'] {
  const hidden = topic.leadersFrom > state.world.monotonicMs()
  return topic.partitions.map(({ index, leader, leaderEpoch, replicas, isr, offlineReplicas }) => {
    const leaderId = hidden || !state.isAlive(leader) ? -1 : leader
    // v0 knows no offline replicas and hides brokers that are gone.
    const shown = (ids: number[]) => (version === 0 ? ids.filter(id => state.isAlive(id)) : [...ids])
    const lacks = version === 0 && offlineReplicas.length > 0 ? ERROR.REPLICA_NOT_AVAILABLE : ERROR.NONE
    return {
      errorCode: leaderId < 0 ? ERROR.LEADER_NOT_AVAILABLE : lacks,
      partitionIndex: index,
      leaderId,
      leaderEpoch,
      replicaNodes: shown(replicas),
      isrNodes: shown(isr),
      offlineReplicas
    }
  })
}
