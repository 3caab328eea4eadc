/**
 * Groups whose members meet in ZooKeeper, for `cluster.admin.zooKeeperGroups`: looked at, set back and removed through the registry's session.
 */
import { SamsaError } from '../model/errors.ts'
import { type OffsetToSet, removeGroup, removeGroupTopic, setGroupOffsets } from '../registry/group/group-edit.ts'
import { listGroupNodes, readGroupTree, type ZooKeeperGroup, type ZooKeeperGroupListing } from '../registry/group/group-tree.ts'
import type { Watch, ZooKeeperSession } from '../registry/zookeeper/session.ts'
import type { Instance } from './instance.ts'

export type { ZooKeeperGroupMember, ZooKeeperGroupPartition } from '../registry/group/group-tree.ts'
export type { GroupSubscription } from '../registry/group/znodes.ts'
export type { OffsetToSet, ZooKeeperGroup, ZooKeeperGroupListing }

export function listZooKeeperGroups(instance: Instance): Promise<ZooKeeperGroupListing[]> {
  return listGroupNodes(sessionOf(instance))
}

export function describeZooKeeperGroup(instance: Instance, group: string, onChange?: Watch): Promise<ZooKeeperGroup | undefined> {
  return readGroupTree(sessionOf(instance), group, onChange)
}

export function setZooKeeperOffsets(instance: Instance, tree: ZooKeeperGroup, offsets: readonly OffsetToSet[]): Promise<void> {
  return setGroupOffsets(sessionOf(instance), tree, offsets)
}

export function removeZooKeeperGroup(instance: Instance, tree: ZooKeeperGroup, topic?: string): Promise<void> {
  const session = sessionOf(instance)
  return topic === undefined ? removeGroup(session, tree) : removeGroupTopic(session, tree, topic)
}

function sessionOf(instance: Instance): ZooKeeperSession {
  const session = instance.registry?.currentSession?.()
  if (session) return session
  throw new SamsaError('NO_SESSION', 'There is no ZooKeeper session at the moment, so its groups cannot be looked at; try again.', {
    retriable: true
  })
}
