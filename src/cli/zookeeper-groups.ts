/**
 * Groups whose members meet in ZooKeeper, as their znodes tell: `/consumers/<group>/{ids,owners,offsets}` (kafka.utils.ZKGroupDirs).
 */
import type { ZooKeeperSession } from '../index.ts'

/** Children of a node; none when there is no such node. */
async function childrenOf(session: ZooKeeperSession, path: string): Promise<string[]> {
  try {
    return (await session.getChildren(path)).children.sort()
  } catch (error) {
    if ((error as { code?: string }).code === 'ZK_NO_NODE') return []
    throw error
  }
}

async function textOf(session: ZooKeeperSession, path: string): Promise<string | undefined> {
  try {
    return (await session.getData(path)).data.subarray(0, 1024).toString('utf8')
  } catch (error) {
    if ((error as { code?: string }).code === 'ZK_NO_NODE') return undefined
    throw error
  }
}

export async function zooKeeperGroups(session: ZooKeeperSession): Promise<{ group: string; members: number }[]> {
  const groups = await childrenOf(session, '/consumers')
  return Promise.all(groups.map(async group => ({ group, members: (await childrenOf(session, `/consumers/${group}/ids`)).length })))
}

export interface GroupPartition {
  topic: string
  partition: number
  /** The next offset to read; null: nothing usable is committed. */
  committed: bigint | null
  /** The thread that owns it; null: nobody. */
  owner: string | null
}

/** What a group has committed and who owns what; undefined: ZooKeeper knows no such group. */
export async function zooKeeperGroup(session: ZooKeeperSession, group: string): Promise<GroupPartition[] | undefined> {
  const root = `/consumers/${group}`
  if (!(await session.exists(root))) return undefined
  const found = new Map<string, GroupPartition>()
  for (const kind of ['offsets', 'owners'] as const)
    for (const topic of await childrenOf(session, `${root}/${kind}`))
      for (const name of await childrenOf(session, `${root}/${kind}/${topic}`)) {
        if (!/^\d{1,9}$/.test(name)) continue
        const key = `${topic}/${name}`
        const entry = found.get(key) ?? { topic, partition: Number(name), committed: null, owner: null }
        found.set(key, entry)
        const text = (await textOf(session, `${root}/${kind}/${key}`))?.trim()
        if (kind === 'owners') entry.owner = text ?? null
        else if (text !== undefined && /^\d{1,19}$/.test(text)) entry.committed = BigInt(text)
      }
  return [...found.values()].sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}
