/**
 * JoinGroup: a member of a classic group asks for the next generation, and waits until all have. v4: MEMBER_ID_REQUIRED (KIP-394); v5: static
 * members (KIP-345); v7: the protocol's type; v8: reasons; v9: an assignment can be skipped (KIP-814).
 */
import { Groups } from '../groups/cluster-groups.ts'
import type { CoreHandler } from './common.ts'

const KNOWN_ID_FROM = 4
const PROTOCOL_TYPE_FROM = 7
const SKIPPING_FROM = 9

export const joinGroup: CoreHandler<'JoinGroup'> = {
  api: 'JoinGroup',
  versions: [0, 9],
  async handle(request, { version, clientId, clientHost, broker, state }) {
    const { groupId, memberId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, protocolType, protocols } = request
    const result = await state.part(Groups).coordinator.join(broker.id, {
      ...{ groupId, memberId, instanceId: groupInstanceId ?? null, sessionTimeoutMs, protocolType },
      // Before version 1 there was one time for both.
      rebalanceTimeoutMs: version === 0 ? sessionTimeoutMs : (rebalanceTimeoutMs ?? sessionTimeoutMs),
      protocols: protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
      ...{ clientId: clientId ?? '', clientHost },
      requireKnownMemberId: version >= KNOWN_ID_FROM && (groupInstanceId ?? null) === null,
      supportSkippingAssignment: version >= SKIPPING_FROM
    })
    const protocolName = result.protocolName ?? (version >= PROTOCOL_TYPE_FROM ? null : '')
    return { throttleTimeMs: 0, ...result, protocolName }
  }
}
