/**
 * Committed offsets of a group in ZooKeeper for who owns nothing there: partitions that are assigned by hand. Written unconditionally, as the Scala
 * client does; a member that does own the partition notices it and its own commits stand.
 */

import { topicPath } from '../znodes/topic.ts'
import { isZooKeeperError } from '../zookeeper/errors.ts'
import type { ZooKeeperSession } from '../zookeeper/session.ts'
import { groupPaths } from './paths.ts'
import { formatOffset, parseOffset } from './znodes.ts'

/** Undefined: none. `stale`: one that is older than its topic; it was written for an earlier topic of that name. */
export async function readOffset(
  session: ZooKeeperSession,
  group: string,
  topic: string,
  partition: number
): Promise<bigint | 'stale' | undefined> {
  try {
    const { data, stat } = await session.getData(groupPaths(group).offset(topic, partition))
    const born = await session.exists(topicPath(topic))
    return born && stat.mzxid < born.czxid ? 'stale' : parseOffset(data)
  } catch (error) {
    if (isZooKeeperError(error, 'ZK_NO_NODE')) return undefined
    throw error
  }
}

export async function writeOffset(
  session: ZooKeeperSession,
  group: string,
  topic: string,
  partition: number,
  offset: bigint
): Promise<void> {
  const path = groupPaths(group).offset(topic, partition)
  await session.makePath(groupPaths(group).topicOffsets(topic))
  try {
    await session.setData(path, formatOffset(offset))
  } catch (error) {
    if (!isZooKeeperError(error, 'ZK_NO_NODE')) throw error
    await session.create(path, formatOffset(offset), 'persistent').catch(async (other: unknown) => {
      if (!isZooKeeperError(other, 'ZK_NODE_EXISTS')) throw other
      await session.setData(path, formatOffset(offset))
    })
  }
}
