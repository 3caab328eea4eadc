/**
 * Heartbeat of a member of a classic group. v3: static members.
 */
import { Groups } from '../groups/cluster-groups.ts'
import type { CoreHandler } from './common.ts'

export const heartbeat: CoreHandler<'Heartbeat'> = {
  api: 'Heartbeat',
  versions: [0, 4],
  handle({ groupId, generationId, memberId, groupInstanceId }, { broker, state }) {
    const member = { memberId, instanceId: groupInstanceId ?? null, generationId }
    return { throttleTimeMs: 0, errorCode: state.part(Groups).coordinator.heartbeat(broker.id, groupId, member) }
  }
}
