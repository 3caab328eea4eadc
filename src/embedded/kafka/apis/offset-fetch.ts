/**
 * OffsetFetch: what groups have committed. v2: all topics (null); v7: only what no transaction can change (KIP-447); v8: several groups; v9: members
 * of KIP-848's groups; v10: topic ids. A group that nobody knows has no offsets, and that is no error.
 */
import { ERROR } from '../errors.ts'
import { Groups } from '../groups/cluster-groups.ts'
import type { GroupCoordinator } from '../groups/coordinator.ts'
import type { ClusterState } from '../state.ts'
import { type CoreHandler, faultOf, NO_TOPIC_ID } from './common.ts'

const BATCHED_FROM = 8
const TOPIC_IDS_FROM = 10
const GROUP_ERROR_FROM = 2
const NOTHING = { committedOffset: -1n, committedLeaderEpoch: -1, metadata: '' }

interface Asked {
  groupId: string
  memberId: string | null
  memberEpoch: number
  topics: readonly { name?: string; topicId?: string; partitionIndexes?: number[] }[] | null
}

export const offsetFetch: CoreHandler<'OffsetFetch'> = {
  api: 'OffsetFetch',
  versions: [0, 10],
  handle(request, { version, broker, state }) {
    const { coordinator } = state.part(Groups)
    const answer = (asked: Asked) =>
      fetchGroup(asked, { version, brokerId: broker.id, state, coordinator, stable: request.requireStable ?? false })
    if (version >= BATCHED_FROM) {
      const groups = (request.groups ?? []).map(({ groupId, memberId, memberEpoch, topics }) =>
        answer({ groupId: groupId ?? '', memberId: memberId ?? null, memberEpoch: memberEpoch ?? -1, topics: topics ?? null })
      )
      return { throttleTimeMs: 0, topics: [], errorCode: ERROR.NONE, groups }
    }
    const asked = { groupId: request.groupId ?? '', memberId: null, memberEpoch: -1, topics: request.topics ?? null }
    const { topics, errorCode } = answer(asked)
    if (version >= GROUP_ERROR_FROM) return { throttleTimeMs: 0, topics, errorCode, groups: [] }
    // There was no error of the whole: each partition has it.
    const told = errorCode
      ? (asked.topics ?? []).map(({ name, partitionIndexes }) => ({
          name: name ?? '',
          partitions: (partitionIndexes ?? []).map(partitionIndex => ({ partitionIndex, ...NOTHING, errorCode }))
        }))
      : topics
    return { throttleTimeMs: 0, topics: told, errorCode: ERROR.NONE, groups: [] }
  }
}

interface Where {
  version: number
  brokerId: number
  state: ClusterState
  coordinator: GroupCoordinator
  stable: boolean
}

function fetchGroup({ groupId, memberId, memberEpoch, topics: asked }: Asked, { version, brokerId, state, coordinator, stable }: Where) {
  const { keeper } = coordinator
  try {
    const errorCode = coordinator.check(brokerId, groupId, { emptyId: true })
    if (errorCode) return { groupId, topics: [], errorCode }
    keeper.checkFetch(groupId, memberId, memberEpoch)
  } catch (fault) {
    return { groupId, topics: [], errorCode: faultOf(fault).errorCode }
  }
  const one = (topic: string, partitionIndex: number) => {
    const found = keeper.fetch(groupId, topic, partitionIndex, stable)
    if (!found || 'errorCode' in found) return { partitionIndex, ...NOTHING, errorCode: found?.errorCode ?? ERROR.NONE }
    const { offset, leaderEpoch, metadata } = found
    return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode: ERROR.NONE }
  }
  if (asked === null) {
    const all = [...keeper.partitions(groupId)].map(([name, partitions]) => ({
      ...{ name, topicId: state.topic(name)?.id ?? NO_TOPIC_ID },
      // What only a transaction holds is not committed yet, and so not among all; unless one must wait for it.
      partitions: partitions
        .map(index => one(name, index))
        .filter(({ committedOffset, errorCode }) => committedOffset >= 0n || errorCode !== ERROR.NONE)
    }))
    return { groupId, topics: all.filter(({ partitions }) => partitions.length > 0), errorCode: ERROR.NONE }
  }
  const topics = asked.map(({ name, topicId, partitionIndexes }) => {
    const topic = version >= TOPIC_IDS_FROM ? state.topicById(topicId ?? NO_TOPIC_ID) : undefined
    const unknown = version >= TOPIC_IDS_FROM && !topic
    const known = topic?.name ?? name ?? ''
    return {
      ...{ name: known, topicId: topicId ?? NO_TOPIC_ID },
      partitions: (partitionIndexes ?? []).map(index =>
        unknown ? { partitionIndex: index, ...NOTHING, errorCode: ERROR.UNKNOWN_TOPIC_ID } : one(known, index)
      )
    }
  })
  return { groupId, topics, errorCode: ERROR.NONE }
}
