/**
 * SyncGroup: the leader of a classic group brings the assignments, everybody takes theirs. v3: static members; v5: the protocol is checked (KIP-559).
 */
import { Groups } from '../groups/cluster-groups.ts'
import type { CoreHandler } from './common.ts'

export const syncGroup: CoreHandler<'SyncGroup'> = {
  api: 'SyncGroup',
  versions: [0, 5],
  async handle(request, { broker, state }) {
    const { groupId, generationId, memberId, groupInstanceId, protocolType, protocolName, assignments } = request
    const result = await state.part(Groups).coordinator.sync(broker.id, {
      ...{ groupId, generationId, memberId, instanceId: groupInstanceId ?? null },
      ...{ protocolType: protocolType ?? null, protocolName: protocolName ?? null, assignments }
    })
    return { throttleTimeMs: 0, ...result }
  }
}
