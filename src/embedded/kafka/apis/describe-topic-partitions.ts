/**
 * DescribeTopicPartitions (KIP-966): topics page by page, in the order of their names.
 */
import { ERROR } from '../errors.ts'
import { type CoreHandler, NO_TOPIC_ID, TOPIC_OPERATIONS } from './common.ts'
import { partitionsOf } from './metadata.ts'

/** `max.request.partition.size.limit`. */
const MOST_PARTITIONS = 2_000

export const describeTopicPartitions: CoreHandler<'DescribeTopicPartitions'> = {
  api: 'DescribeTopicPartitions',
  versions: [0, 0],
  handle({ topics, responsePartitionLimit = MOST_PARTITIONS, cursor }, { state }) {
    const asked = topics.length === 0 ? [...state.topics.keys()] : topics.map(({ name }) => name)
    const from = cursor?.topicName ?? ''
    const names = [...new Set(asked)].filter(name => name >= from).sort()
    let left = Math.max(1, Math.min(responsePartitionLimit, MOST_PARTITIONS))
    const told = []
    let nextCursor: { topicName: string; partitionIndex: number } | null = null
    for (const [at, name] of names.entries()) {
      const topic = state.topic(name)
      const first = cursor && name === cursor.topicName ? Math.max(0, cursor.partitionIndex) : 0
      const page = topic ? partitionsOf(state, topic).slice(first, first + left) : []
      left -= page.length
      told.push({
        errorCode: topic ? ERROR.NONE : state.nameIsValid(name) ? ERROR.UNKNOWN_TOPIC_OR_PARTITION : ERROR.INVALID_TOPIC_EXCEPTION,
        name,
        topicId: topic?.id ?? NO_TOPIC_ID,
        isInternal: topic?.internal ?? false,
        // Java dereferences both lists.
        partitions: page.map(partition => ({ ...partition, eligibleLeaderReplicas: [], lastKnownElr: [] })),
        topicAuthorizedOperations: TOPIC_OPERATIONS
      })
      if (topic && first + page.length < topic.partitions.length) {
        nextCursor = { topicName: name, partitionIndex: first + page.length }
        break
      }
      const next = names[at + 1]
      if (left === 0 && next !== undefined) {
        nextCursor = { topicName: next, partitionIndex: 0 }
        break
      }
    }
    return { throttleTimeMs: 0, topics: told, nextCursor }
  }
}
