/**
 * DeleteGroups: groups that nobody is in, with their offsets.
 */
import { Groups } from '../groups/cluster-groups.ts'
import type { CoreHandler } from './common.ts'

export const deleteGroups: CoreHandler<'DeleteGroups'> = {
  api: 'DeleteGroups',
  versions: [0, 2],
  handle({ groupsNames }, { broker, state }) {
    const { coordinator } = state.part(Groups)
    const results = [...new Set(groupsNames)].map(groupId => ({ groupId, errorCode: coordinator.delete(broker.id, groupId) }))
    return { throttleTimeMs: 0, results }
  }
}
