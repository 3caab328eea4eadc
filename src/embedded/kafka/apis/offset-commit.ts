/**
 * OffsetCommit: of members, and of groups that have none. v1: generation and member; v7: static members; v9: members of KIP-848's groups, and
 * their errors; v10: topic ids.
 */
import type { RequestOf } from '../../../wire/apis.ts'
import { ERROR } from '../errors.ts'
import { Groups } from '../groups/cluster-groups.ts'
import { type CoreHandler, faultOf, NO_TOPIC_ID } from './common.ts'

const TOPIC_IDS_FROM = 10

export const offsetCommit: CoreHandler<'OffsetCommit'> = {
  api: 'OffsetCommit',
  versions: [0, 10],
  handle(request, { version, broker, state }) {
    const { groupId, generationIdOrMemberEpoch, memberId, groupInstanceId } = request
    const { coordinator } = state.part(Groups)
    const named = request.topics.map(({ name, topicId, partitions }) => {
      const topic = version >= TOPIC_IDS_FROM ? state.topicById(topicId ?? NO_TOPIC_ID) : state.topic(name ?? '')
      return { topic, name: topic?.name ?? name ?? '', topicId: topicId ?? NO_TOPIC_ID, partitions }
    })
    const known = named.flatMap(({ topic, name, partitions }) =>
      partitions.filter(({ partitionIndex }) => topic?.partitions[partitionIndex]).map(each => ({ ...toCommit(each), topic: name }))
    )
    const who = {
      ...{ groupId, memberId: memberId ?? '', instanceId: groupInstanceId ?? null, version },
      generationId: version === 0 ? -1 : (generationIdOrMemberEpoch ?? -1)
    }
    const commit = () => {
      const error = coordinator.check(broker.id, groupId, { emptyId: true })
      if (error) return known.map(() => error)
      try {
        return coordinator.keeper.commit(who, known)
      } catch (fault) {
        const { errorCode } = faultOf(fault)
        return known.map(() => errorCode)
      }
    }
    // With nothing that could be committed, Kafka does not even ask whose group it is.
    const errors = known.length > 0 ? commit() : []
    const unknown = version >= TOPIC_IDS_FROM ? ERROR.UNKNOWN_TOPIC_ID : ERROR.UNKNOWN_TOPIC_OR_PARTITION
    let at = 0
    const topics = named.map(({ topic, name, topicId, partitions }) => ({
      ...{ name, topicId },
      partitions: partitions.map(({ partitionIndex }) => {
        const errorCode = topic?.partitions[partitionIndex] ? errors[at++]! : topic ? ERROR.UNKNOWN_TOPIC_OR_PARTITION : unknown
        return { partitionIndex, errorCode }
      })
    }))
    return { throttleTimeMs: 0, topics }
  }
}

function toCommit(partition: RequestOf<'OffsetCommit'>['topics'][number]['partitions'][number]) {
  const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } = partition
  return { partition: partitionIndex, offset: committedOffset, leaderEpoch: committedLeaderEpoch ?? -1, metadata: committedMetadata }
}
