/**
 * Where a group lives in ZooKeeper (kafka.utils.ZKGroupDirs): `/consumers/<group>/{ids,owners,offsets}`, under the cluster's chroot.
 */
export interface GroupPaths {
  readonly group: string
  readonly ids: string
  readonly owners: string
  readonly offsets: string
  /** Ours alone, and for `moved.ts`: */
  readonly moving: string
  readonly moved: string
  readonly movable: string
  id(member: string): string
  topicOwners(topic: string): string
  movableId(member: string): string
  owner(topic: string, partition: number): string
  topicOffsets(topic: string): string
  offset(topic: string, partition: number): string
}

/** The group's name is a path component: `resolveSubscription` has checked that it is a plain one. */
export function groupPaths(group: string): GroupPaths {
  const root = `/consumers/${group}`
  return {
    group,
    ids: `${root}/ids`,
    owners: `${root}/owners`,
    offsets: `${root}/offsets`,
    moving: `${root}/moving`,
    moved: `${root}/moved`,
    movable: `${root}/movable`,
    id: member => `${root}/ids/${member}`,
    movableId: member => `${root}/movable/${member}`,
    topicOwners: topic => `${root}/owners/${topic}`,
    owner: (topic, partition) => `${root}/owners/${topic}/${partition}`,
    topicOffsets: topic => `${root}/offsets/${topic}`,
    offset: (topic, partition) => `${root}/offsets/${topic}/${partition}`
  }
}
