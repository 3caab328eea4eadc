/**
 * CreateTopics: each on its own, by the controller alone.
 *
 * v1: only to be validated. v4: -1 for the broker's defaults. v5: what was made, configurations included (KIP-525). v7: topic ids.
 */
import type { RequestOf, ResponseOf } from '../../../wire/apis.ts'
import type { Topic } from '../cluster-types.ts'
import { ERROR, KafkaFault } from '../errors.ts'
import type { ClusterState } from '../state.ts'
import type { NewTopic } from '../topics.ts'
import { type CoreHandler, faultOf, firsts, NO_TOPIC_ID, repeated } from './common.ts'
import { toldConfigs } from './describe-configs.ts'

type Asked = RequestOf<'CreateTopics'>['topics'][number]
type Told = ResponseOf<'CreateTopics'>['topics'][number]

const DEFAULT = -1

export const createTopics: CoreHandler<'CreateTopics'> = {
  api: 'CreateTopics',
  versions: [0, 7],
  handle({ topics, validateOnly = false, timeoutMs = 60_000 }, { broker, state }) {
    const twice = repeated(topics.map(({ name }) => name))
    const once = firsts(topics)
    const isController = state.controllerId === broker.id
    const told = once.map((asked): Told => {
      if (!isController) return failed(asked.name, ERROR.NOT_CONTROLLER, null)
      if (twice.has(asked.name)) return failed(asked.name, ERROR.INVALID_REQUEST, 'Found multiple entries for this topic.')
      try {
        const topic = state.createTopic(specOf(asked), { validateOnly })
        // Nobody waits for the leaders: made, but not told so.
        if (timeoutMs <= 0 && !validateOnly) return failed(asked.name, ERROR.REQUEST_TIMED_OUT, null)
        return made(state, topic, asked, validateOnly)
      } catch (error) {
        const { errorCode, errorMessage } = faultOf(error)
        return failed(asked.name, errorCode, errorMessage)
      }
    })
    return { throttleTimeMs: 0, topics: told }
  }
}

function specOf({ name, numPartitions, replicationFactor, assignments, configs }: Asked): NewTopic {
  if (assignments.length > 0 && (numPartitions !== DEFAULT || replicationFactor !== DEFAULT))
    throw new KafkaFault(
      'INVALID_REQUEST',
      'Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time.'
    )
  const nulls = configs.filter(({ value }) => value === null).map(each => each.name)
  if (nulls.length > 0) throw new KafkaFault('INVALID_CONFIG', `Null value not supported for topic configs: ${nulls.join(',')}`)
  return {
    name,
    ...(numPartitions === DEFAULT ? {} : { partitions: numPartitions }),
    ...(replicationFactor === DEFAULT ? {} : { replicationFactor }),
    ...(assignments.length === 0 ? {} : { assignments: inOrder(assignments) }),
    configs: Object.fromEntries(configs.map(each => [each.name, each.value!]))
  }
}

/** Partitions must be all from 0 on. */
function inOrder(assignments: Asked['assignments']): number[][] {
  const sorted = [...assignments].sort((a, b) => a.partitionIndex - b.partitionIndex)
  if (sorted.some(({ partitionIndex }, at) => partitionIndex !== at))
    throw new KafkaFault('INVALID_REPLICA_ASSIGNMENT', 'Partitions should be a consecutive 0-based integer sequence.')
  return sorted.map(({ brokerIds }) => brokerIds)
}

function made(state: ClusterState, topic: Topic, asked: Asked, validateOnly: boolean): Told {
  const given = new Map(asked.configs.map(({ name, value }) => [name, value!]))
  const configs = toldConfigs(state.configs.describe('topic', topic.name, {}, validateOnly ? given : undefined))
  return {
    ...failed(topic.name, ERROR.NONE, null),
    topicId: validateOnly ? NO_TOPIC_ID : topic.id,
    numPartitions: topic.partitions.length,
    replicationFactor: topic.partitions[0]?.replicas.length ?? -1,
    configs: configs.map(({ name, value, readOnly, configSource, isSensitive }) => ({ name, value, readOnly, configSource, isSensitive }))
  }
}

function failed(name: string, errorCode: number, errorMessage: string | null): Told {
  // Java dereferences the configurations of every answer.
  const nothing = { topicConfigErrorCode: ERROR.NONE, numPartitions: -1, replicationFactor: -1, configs: [] }
  return { name, topicId: NO_TOPIC_ID, errorCode, errorMessage, ...nothing }
}
