/**
 * DescribeGroups: classic groups and their members. A group that is not there is described as Dead; from v6 on that is GROUP_ID_NOT_FOUND (KIP-1043).
 */
import { ERROR } from '../errors.ts'
import { metadataOf } from '../groups/classic-group.ts'
import { NO_BYTES } from '../groups/classic-types.ts'
import { Groups } from '../groups/cluster-groups.ts'
import { type CoreHandler, GROUP_OPERATIONS, OPERATIONS_NOT_ASKED } from './common.ts'

const NOT_FOUND_FROM = 6

export const describeGroups: CoreHandler<'DescribeGroups'> = {
  api: 'DescribeGroups',
  versions: [0, 6],
  handle({ groups: asked, includeAuthorizedOperations }, { version, broker, state }) {
    const { coordinator } = state.part(Groups)
    const authorizedOperations = includeAuthorizedOperations ? GROUP_OPERATIONS : OPERATIONS_NOT_ASKED
    const groups = asked.map(groupId => {
      const nothing = { errorMessage: null, groupId, groupState: '', protocolType: '', protocolData: '', members: [], authorizedOperations }
      const errorCode = coordinator.check(broker.id, groupId, { emptyId: true })
      if (errorCode) return { ...nothing, errorCode }
      const group = coordinator.group(groupId)
      if (group?.type !== 'classic') {
        const errorMessage = group ? `Group ${groupId} is not a classic group.` : `Group ${groupId} not found.`
        return version >= NOT_FOUND_FROM
          ? { ...nothing, errorCode: ERROR.GROUP_ID_NOT_FOUND, errorMessage, groupState: 'Dead' }
          : { ...nothing, errorCode: ERROR.NONE, groupState: 'Dead' }
      }
      // Until a generation is settled there is nothing to tell of what members do.
      const stable = group.is('Stable')
      const members = [...group.members.values()].map(({ id, instanceId, clientId, clientHost, protocols, assignment }) => ({
        ...{ memberId: id, groupInstanceId: instanceId, clientId, clientHost },
        memberMetadata: stable ? metadataOf(protocols, group.protocolName) : NO_BYTES,
        memberAssignment: stable ? assignment : NO_BYTES
      }))
      return {
        ...nothing,
        ...{ errorCode: ERROR.NONE, groupState: group.state, protocolType: group.protocolType ?? '', members },
        protocolData: stable ? (group.protocolName ?? '') : ''
      }
    })
    return { throttleTimeMs: 0, groups }
  }
}
