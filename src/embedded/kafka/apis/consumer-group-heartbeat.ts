/**
 * ConsumerGroupHeartbeat (KIP-848): the one request of members of these groups. v1: members choose their ids, subscriptions by regular expression.
 */
import { ERROR } from '../errors.ts'
import { Groups } from '../groups/cluster-groups.ts'
import { fromWire, toWire } from '../groups/parts.ts'
import { type CoreHandler, faultOf } from './common.ts'

const MEMBER_ID_FROM = 1

export const consumerGroupHeartbeat: CoreHandler<'ConsumerGroupHeartbeat'> = {
  api: 'ConsumerGroupHeartbeat',
  versions: [0, 1],
  handle(request, { version, clientId, clientHost, broker, state }) {
    const { groupId, memberId, memberEpoch, topicPartitions } = request
    try {
      const beat = state.part(Groups).coordinator.consumerHeartbeat(broker.id, {
        ...{ groupId, memberId, memberEpoch, clientId: clientId ?? '', clientHost },
        instanceId: request.instanceId ?? null,
        rackId: request.rackId ?? null,
        rebalanceTimeoutMs: request.rebalanceTimeoutMs ?? -1,
        topics: request.subscribedTopicNames ?? null,
        regex: request.subscribedTopicRegex ?? null,
        assignor: request.serverAssignor ?? null,
        owned: topicPartitions ? fromWire(topicPartitions) : null,
        requireMemberId: version >= MEMBER_ID_FROM
      })
      return {
        ...{ throttleTimeMs: 0, errorCode: ERROR.NONE, errorMessage: null },
        ...beat,
        assignment: beat.assignment && { topicPartitions: toWire(beat.assignment) }
      }
    } catch (fault) {
      return { throttleTimeMs: 0, ...faultOf(fault), memberId: null, memberEpoch: 0, heartbeatIntervalMs: 0, assignment: null }
    }
  }
}
