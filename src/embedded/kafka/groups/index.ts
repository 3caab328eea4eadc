/**
 * What groups bring to a broker: the handlers of their APIs.
 */
import { consumerGroupDescribe } from '../apis/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../apis/consumer-group-heartbeat.ts'
import { deleteGroups } from '../apis/delete-groups.ts'
import { describeGroups } from '../apis/describe-groups.ts'
import { findCoordinator } from '../apis/find-coordinator.ts'
import { heartbeat } from '../apis/heartbeat.ts'
import { joinGroup } from '../apis/join-group.ts'
import { leaveGroup } from '../apis/leave-group.ts'
import { listGroups } from '../apis/list-groups.ts'
import { offsetCommit } from '../apis/offset-commit.ts'
import { offsetDelete } from '../apis/offset-delete.ts'
import { offsetFetch } from '../apis/offset-fetch.ts'
import { syncGroup } from '../apis/sync-group.ts'

export const GROUP_HANDLERS = [
  findCoordinator,
  joinGroup,
  syncGroup,
  heartbeat,
  leaveGroup,
  offsetCommit,
  offsetFetch,
  offsetDelete,
  listGroups,
  describeGroups,
  deleteGroups,
  consumerGroupHeartbeat,
  consumerGroupDescribe
] as const

export { Groups } from './cluster-groups.ts'
