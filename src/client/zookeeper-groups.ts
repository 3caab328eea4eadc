/**
 * `cluster.admin.zooKeeperGroups`: the groups whose members meet in the ZooKeeper that names the cluster, as `/consumers/<group>` tells. What is
 * changed here is ZooKeeper's alone; Kafka's copy of the offsets is `cluster.admin`'s.
 */
import type { OffsetToSet, ZooKeeperGroup, ZooKeeperGroupListing } from '../actors/admin-zookeeper-groups.ts'
import type { Instance } from '../actors/instance.ts'
import type { MovedGroup, MoveGroupOptions } from '../actors/move-group.ts'
import { checkTopicName } from '../model/config.ts'

/** Loaded when first asked. */
const calls = () => import('../actors/admin-zookeeper-groups.ts')
const movers = () => import('../actors/move-group.ts')

/** Every call rejects with SamsaError NO_SESSION (retriable) while there is no session, and with the ZooKeeper's own errors (`ZK_…`). */
export class ZooKeeperGroups {
  #instance: Instance

  /** Made by a cluster's admin. */
  constructor(instance: Instance) {
    this.#instance = instance
  }

  /** All groups by name, with how many nodes their members have made. */
  async list(): Promise<ZooKeeperGroupListing[]> {
    return (await calls()).listZooKeeperGroups(this.#instance)
  }

  /**
   * Members (those that cannot be read too), owners, offsets; undefined: there is no such group. `onChange` is called once when members or
   * owners have changed, not for offsets; give the same function each time. It stops with the session, so look again at times.
   */
  async describe(group: string, options: { onChange?: () => void } = {}): Promise<ZooKeeperGroup | undefined> {
    return (await calls()).describeZooKeeperGroup(this.#instance, group, options.onChange)
  }

  /**
   * Sets committed next offsets, also of a group that is not there yet: all or none (of each 1,000). Rejects with NON_EMPTY_GROUP, naming the
   * live members, while there are any; with OFFSETS_CHANGED when somebody wrote one of them meanwhile; with
   * GROUP_MOVING while the group is being moved to Kafka.
   */
  async setOffsets(group: string, offsets: readonly OffsetToSet[]): Promise<void> {
    for (const { topic } of offsets) checkTopicName(topic)
    const tree = (await this.describe(group)) ?? { group, moved: false, moving: false, members: [], partitions: [] }
    await (await calls()).setZooKeeperOffsets(this.#instance, tree, offsets)
  }

  /**
   * Moves a live group to Kafka: its members that subscribed with membership `auto` commit, leave, and meet again there, on the offsets that are
   * carried over. Rejects, with all of it undone, with GROUP_NOT_MOVABLE (a member would stay), MEMBERS_STAY (they took too long),
   * OFFSETS_NOT_CARRIED, GROUP_MOVING, GROUP_MOVED, NO_GROUP.
   */
  async moveToKafka(group: string, options: MoveGroupOptions = {}): Promise<MovedGroup> {
    return (await movers()).moveGroup(this.#instance, group, options)
  }

  /**
   * Removes the group, or (`topic`) its owners and offsets of one topic. False: there was nothing. Rejects with NON_EMPTY_GROUP, naming the live
   * members, while there are any (with `topic`: any that consume it).
   */
  async remove(group: string, options: { topic?: string } = {}): Promise<boolean> {
    const { topic } = options
    if (topic !== undefined) checkTopicName(topic)
    const tree: ZooKeeperGroup | undefined = await this.describe(group)
    if (!tree) return false
    await (await calls()).removeZooKeeperGroup(this.#instance, tree, topic)
    return topic === undefined || tree.partitions.some(entry => entry.topic === topic)
  }
}
