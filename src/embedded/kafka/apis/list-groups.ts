/**
 * ListGroups: those that this broker coordinates. v4: by states (KIP-518); v5: by types (KIP-848). Filters do not look at case.
 */
import { ERROR } from '../errors.ts'
import { Groups } from '../groups/cluster-groups.ts'
import type { CoreHandler } from './common.ts'

const TYPES = { classic: 'Classic', consumer: 'Consumer' } as const

export const listGroups: CoreHandler<'ListGroups'> = {
  api: 'ListGroups',
  versions: [0, 5],
  handle({ statesFilter, typesFilter }, { broker, state }) {
    const { coordinator } = state.part(Groups)
    const groups = coordinator
      .list(broker.id)
      .map(group => ({
        groupId: group.id,
        protocolType: group.type === 'consumer' ? 'consumer' : (group.protocolType ?? ''),
        groupState: group.state,
        groupType: TYPES[group.type]
      }))
      .filter(({ groupState, groupType }) => takes(statesFilter, groupState) && takes(typesFilter, groupType))
    const loading = coordinator.placement.isLoading(broker.id)
    return { throttleTimeMs: 0, errorCode: loading ? ERROR.COORDINATOR_LOAD_IN_PROGRESS : ERROR.NONE, groups }
  }
}

function takes(filter: readonly string[] | undefined, value: string): boolean {
  return !filter || filter.length === 0 || filter.some(each => each.toLowerCase() === value.toLowerCase())
}
