/**
 * ConsumerGroupDescribe (KIP-848): groups of the new protocol, with what their members have and are to have.
 */
import { ERROR } from '../errors.ts'
import { Groups } from '../groups/cluster-groups.ts'
import type { ConsumerGroup } from '../groups/consumer-group.ts'
import type { Parts } from '../groups/parts.ts'
import type { ClusterState } from '../state.ts'
import { type CoreHandler, GROUP_OPERATIONS, OPERATIONS_NOT_ASKED } from './common.ts'

/** KIP-1099: whose protocol a member speaks. */
const MEMBER_TYPE = { classic: 0, consumer: 1 } as const

export const consumerGroupDescribe: CoreHandler<'ConsumerGroupDescribe'> = {
  api: 'ConsumerGroupDescribe',
  versions: [0, 1],
  handle({ groupIds, includeAuthorizedOperations }, { broker, state }) {
    const { coordinator } = state.part(Groups)
    const authorizedOperations = includeAuthorizedOperations ? GROUP_OPERATIONS : OPERATIONS_NOT_ASKED
    const groups = groupIds.map(groupId => {
      const nothing = { groupId, groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [], authorizedOperations }
      const errorCode = coordinator.check(broker.id, groupId)
      if (errorCode) return { ...nothing, errorCode, errorMessage: null }
      const group = coordinator.group(groupId)
      if (group?.type !== 'consumer') {
        const errorMessage = group ? `Group ${groupId} is not a consumer group.` : `Group ${groupId} not found.`
        return { ...nothing, errorCode: ERROR.GROUP_ID_NOT_FOUND, errorMessage }
      }
      return {
        ...nothing,
        ...{ errorCode: ERROR.NONE, errorMessage: null, groupState: group.state, groupEpoch: group.epoch },
        ...{ assignmentEpoch: group.assignmentEpoch, assignorName: group.assignor, members: membersOf(group, state) }
      }
    })
    return { throttleTimeMs: 0, groups }
  }
}

function membersOf(group: ConsumerGroup, state: ClusterState) {
  const named = (of: Parts) => ({
    topicPartitions: [...of].map(([topicId, partitions]) => ({
      ...{ topicId, topicName: state.topicById(topicId)?.name ?? '' },
      partitions: [...partitions]
    }))
  })
  return [...group.members.values()].map(({ id, instanceId, rackId, epoch, clientId, clientHost, topics, regex, assigned, classic }) => ({
    ...{ memberId: id, instanceId, rackId, memberEpoch: epoch, clientId, clientHost },
    ...{ subscribedTopicNames: [...topics], subscribedTopicRegex: regex || null },
    ...{
      assignment: named(assigned),
      targetAssignment: named(group.targetOf(id)),
      memberType: classic ? MEMBER_TYPE.classic : MEMBER_TYPE.consumer
    }
  }))
}
