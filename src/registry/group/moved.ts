/**
 * The sign at the door of a group that has moved from ZooKeeper to Kafka: `/consumers/<group>/moved`. Scala members do not look at it;
 * ours meet in Kafka from then on.
 */
import { isZooKeeperError } from '../zookeeper/errors.ts'
import type { ZooKeeperSession } from '../zookeeper/session.ts'
import { groupPaths } from './paths.ts'

/** Longer than anything of ours: not our sign. */
const MAX_BYTES = 4_096

export function formatMoved(timestampMs: number): Buffer {
  return Buffer.from(JSON.stringify({ version: 1, to: 'kafka', timestamp: String(timestampMs) }))
}

/** Anything that does not say `kafka` is no sign: the group stays where it is. */
export function saysKafka(data: Buffer): boolean {
  if (data.length > MAX_BYTES) return false
  try {
    const sign: unknown = JSON.parse(data.toString('utf8'))
    return typeof sign === 'object' && sign !== null && 'to' in sign && sign.to === 'kafka'
  } catch {
    return false
  }
}

/** Has this group moved? */
export async function hasMoved(session: ZooKeeperSession, group: string): Promise<boolean> {
  try {
    return saysKafka((await session.getData(groupPaths(group).moved)).data)
  } catch (error) {
    if (isZooKeeperError(error, 'ZK_NO_NODE')) return false
    throw error
  }
}
