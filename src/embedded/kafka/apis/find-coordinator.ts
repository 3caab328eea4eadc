/**
 * FindCoordinator: who coordinates a group or a transactional id. v1: kinds of keys; v4: several keys at once (KIP-699); v6: share groups, which
 * there are none of here.
 */
import { ERROR } from '../errors.ts'
import type { CoordinatorKind } from '../internal-topics.ts'
import type { CoreHandler } from './common.ts'

const KINDS: readonly CoordinatorKind[] = ['group', 'transaction']
const BATCHED_FROM = 4
const NOBODY = { nodeId: -1, host: '', port: -1 }

export const findCoordinator: CoreHandler<'FindCoordinator'> = {
  api: 'FindCoordinator',
  versions: [0, 6],
  handle({ key, keyType, coordinatorKeys }, { version, state }) {
    const kind = KINDS[keyType ?? 0]
    const find = (name: string) => {
      if (!kind || (kind === 'transaction' && name === '')) return { ...NOBODY, errorCode: ERROR.INVALID_REQUEST }
      const partition = state.coordinatorPartition(kind, name)
      const node = partition && state.brokers.get(partition.leader)
      const ready = partition && state.topic(partition.topic)!.leadersFrom <= state.world.monotonicMs()
      if (!node || !ready) return { ...NOBODY, errorCode: ERROR.COORDINATOR_NOT_AVAILABLE }
      return { nodeId: node.id, host: node.host, port: node.port, errorCode: ERROR.NONE }
    }
    const none = { throttleTimeMs: 0, errorCode: ERROR.NONE, errorMessage: null, nodeId: 0, host: '', port: 0, coordinators: [] }
    if (version < BATCHED_FROM) {
      const found = find(key ?? '')
      return { ...none, ...found, errorMessage: wordsOf(found.errorCode) ?? 'NONE' }
    }
    const coordinators = (coordinatorKeys ?? []).map(each => {
      const found = find(each)
      return { key: each, ...found, errorMessage: wordsOf(found.errorCode) ?? '' }
    })
    return { ...none, coordinators }
  }
}

function wordsOf(errorCode: number): string | undefined {
  if (errorCode === ERROR.COORDINATOR_NOT_AVAILABLE) return 'The coordinator is not available.'
  return errorCode === ERROR.INVALID_REQUEST
    ? 'This most likely occurs because of a request being malformed by the client library.'
    : undefined
}
