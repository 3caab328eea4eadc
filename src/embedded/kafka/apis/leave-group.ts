/**
 * LeaveGroup: a member goes, or an administrator sends members away. v3: several at once, also by group.instance.id (KIP-345); v5: reasons.
 */
import { ERROR } from '../errors.ts'
import { Groups } from '../groups/cluster-groups.ts'
import type { CoreHandler } from './common.ts'

const BATCHED_FROM = 3

export const leaveGroup: CoreHandler<'LeaveGroup'> = {
  api: 'LeaveGroup',
  versions: [0, 5],
  handle({ groupId, memberId, members }, { version, broker, state }) {
    const leaving = (version < BATCHED_FROM ? [{ memberId, groupInstanceId: null }] : (members ?? [])).map(each => ({
      memberId: each.memberId ?? '',
      instanceId: each.groupInstanceId ?? null
    }))
    const result = state.part(Groups).coordinator.leave(broker.id, groupId, leaving)
    if (version < BATCHED_FROM) return { throttleTimeMs: 0, errorCode: result.errorCode || (result.members[0] ?? ERROR.NONE), members: [] }
    return {
      throttleTimeMs: 0,
      errorCode: result.errorCode,
      members: result.members.map((errorCode, i) => ({
        memberId: leaving[i]!.memberId,
        groupInstanceId: leaving[i]!.instanceId,
        errorCode
      }))
    }
  }
}
