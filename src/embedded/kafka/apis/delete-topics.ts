/**
 * DeleteTopics: each on its own, by the controller alone. Who waits for one of its partitions is answered at once.
 *
 * v5: words for errors. v6: by topic ids too.
 */
import type { RequestOf, ResponseOf } from '../../../wire/apis.ts'
import { ERROR, KafkaFault } from '../errors.ts'
import type { ClusterState } from '../state.ts'
import { type CoreHandler, faultOf, NO_TOPIC_ID } from './common.ts'

type Asked = NonNullable<RequestOf<'DeleteTopics'>['topics']>[number]
type Told = ResponseOf<'DeleteTopics'>['responses'][number]

export const deleteTopics: CoreHandler<'DeleteTopics'> = {
  api: 'DeleteTopics',
  versions: [0, 6],
  handle({ topics, topicNames = [] }, { version, broker, state }) {
    const asked: Asked[] = version >= 6 ? (topics ?? []) : topicNames.map(name => ({ name }))
    const isController = state.controllerId === broker.id
    const seen = new Set<string>()
    const responses = asked.map(({ name = null, topicId = NO_TOPIC_ID }): Told => {
      const told = { name, topicId, errorCode: ERROR.NONE, errorMessage: null }
      if (!isController) return { ...told, errorCode: ERROR.NOT_CONTROLLER }
      try {
        const key = `${name}/${topicId}`
        if (seen.has(key)) throw new KafkaFault('INVALID_REQUEST', 'Duplicate topic.')
        seen.add(key)
        return { ...told, ...remove(state, name, topicId) }
      } catch (error) {
        return { ...told, ...faultOf(error) }
      }
    })
    return { throttleTimeMs: 0, responses }
  }
}

function remove(state: ClusterState, name: string | null, topicId: string): { name: string; topicId: string } {
  if (state.configs.broker('delete.topic.enable') === 'false')
    throw new KafkaFault('TOPIC_DELETION_DISABLED', 'Topic deletion is disabled.')
  if (name !== null && topicId !== NO_TOPIC_ID)
    throw new KafkaFault('INVALID_REQUEST', 'Topic name and topic ID can not both be specified.')
  const topic = name === null ? state.topicById(topicId) : state.topic(name)
  if (!topic && name === null) throw new KafkaFault('UNKNOWN_TOPIC_ID', 'This server does not host this topic ID.')
  state.deleteTopic(topic?.name ?? name!)
  return { name: topic!.name, topicId: topic!.id }
}
