/**
 * Where a group lives in ZooKeeper (kafka.utils.ZKGroupDirs): `/consumers/<group>/{ids,owners,offsets}`, under the cluster's chroot.
 */
export interface GroupPaths {
  readonly group: string
  readonly ids: string
  readonly owners: string
  readonly offsets: string
  /** Ours alone: the group has moved to Kafka (`moved.ts`). */
  readonly moved: string
  id(member: string): string
  topicOwners(topic: string): string
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
    moved: `${root}/moved`,
    id: member => `${root}/ids/${member}`,
    topicOwners: topic => `${root}/owners/${topic}`,
    owner: (topic, partition) => `${root}/owners/${topic}/${partition}`,
    topicOffsets: topic => `${root}/offsets/${topic}`,
    offset: (topic, partition) => `${root}/offsets/${topic}/${partition}`
  }
}
