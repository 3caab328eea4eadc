/**
 * How a group moves from ZooKeeper to Kafka. Two signs at its door, beside `ids`, `owners` and `offsets`, which Scala members do not look at:
 *
 *   `moving` (ephemeral, of who moves it)   members leave, and nobody joins. Gone without `moved`: it did not come about, all come back.
 *   `moved`  (persistent)                   members meet in Kafka.
 *
 * A member makes its node first and looks at the signs after that; who moves the group puts up the sign first and looks for members after
 * that. So either sees the other. `movable/<member id>` (ephemeral) tells which members understand the signs.
 */
import { isZooKeeperError } from '../zookeeper/errors.ts'
import { readChildren } from '../zookeeper/level.ts'
import type { Watch, ZooKeeperSession } from '../zookeeper/session.ts'
import { groupPaths } from './paths.ts'

/** Longer than anything of ours: not our sign. */
const MAX_BYTES = 4_096

export type Sign = 'none' | 'moving' | 'moved'

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

/** What the signs say now; `watch` is told when one appears, changes or goes. */
export async function readSigns(session: ZooKeeperSession, group: string, watch?: Watch): Promise<Sign> {
  const paths = groupPaths(group)
  // In this order: `moving` is taken down after `moved` is up, so whoever does not find the first any more finds the second.
  const moving = await session.exists(paths.moving, watch)
  if (await saysMoved(session, paths.moved, watch)) return 'moved'
  return moving ? 'moving' : 'none'
}

async function saysMoved(session: ZooKeeperSession, path: string, watch?: Watch): Promise<boolean> {
  if (!(await session.exists(path, watch))) return false
  try {
    return saysKafka((await session.getData(path, watch)).data)
  } catch (error) {
    if (isZooKeeperError(error, 'ZK_NO_NODE')) return false
    throw error
  }
}

/** Puts up the sign that stays, unless it is there. Who was about to join sees it, whoever is there is told by its watch. */
export async function putUpMoved(session: ZooKeeperSession, group: string, nowMs: number): Promise<void> {
  try {
    await session.create(groupPaths(group).moved, formatMoved(nowMs), 'persistent')
  } catch (error) {
    if (!isZooKeeperError(error, 'ZK_NODE_EXISTS')) throw error
  }
}

/** The members that are there, and whether each would follow the signs. */
export async function readMovable(
  session: ZooKeeperSession,
  group: string,
  watch: Watch = () => {}
): Promise<{ memberId: string; movable: boolean }[]> {
  const paths = groupPaths(group)
  const ids = (await readChildren(session, paths.ids, watch)) ?? []
  const movable = new Set((await readChildren(session, paths.movable, watch)) ?? [])
  return ids.map(memberId => ({ memberId, movable: movable.has(memberId) }))
}
