/**
 * A group as its znodes tell, for who looks at it and is no member: members, owners, committed offsets, the sign that it has moved. What cannot
 * be read is part of the picture: a node that no member can parse is shown with the reason.
 */
import { parseObject } from '../znodes/fields.ts'
import { isTopicName } from '../znodes/topic.ts'
import { pathProblem } from '../zookeeper/connect-string.ts'
import { isZooKeeperError } from '../zookeeper/errors.ts'
import { Lanes, readChildren, readData } from '../zookeeper/level.ts'
import type { Stat, Watch, ZooKeeperSession } from '../zookeeper/session.ts'
import { readSigns, saysKafka } from './moved.ts'
import { type GroupPaths, groupPaths } from './paths.ts'
import { type GroupSubscription, memberOfThread, parseMember, parseOffset, parseOwner, partitionsOf } from './znodes.ts'

/** A node under `ids`. */
export interface ZooKeeperGroupMember {
  memberId: string
  /** The part of its id that names its machine; null: it was named otherwise (`consumer.id`). */
  host: string | null
  /** When it registered, ms since the epoch by its own clock; null: not readable. */
  timestampMs: number | null
  /** Null: not readable. */
  subscription: GroupSubscription | null
  /** Why the node cannot be used; null: it can. Scala members fail, all of them, as long as such a node is there. */
  problem: string | null
  /** The session that holds the node, in hex; null: it is persistent, so nobody is behind it and nothing removes it. */
  session: string | null
}

export interface ZooKeeperGroupPartition {
  topic: string
  partition: number
  /** The committed next offset; null: none, or not readable. */
  offset: bigint | null
  /** Data version of the node of the offset; null: there is no such node. */
  offsetVersion: number | null
  /** Null: nobody. `thread` as it stands there (null: not readable), `memberId` without its number. `session` as for members. */
  owner: { thread: string | null; memberId: string | null; session: string | null } | null
}

export interface ZooKeeperGroup {
  group: string
  /** Its members meet in Kafka now, and Kafka's offsets are the ones that count. */
  moved: boolean
  /** Somebody is moving it at this moment: members have left, or do. */
  moving: boolean
  members: ZooKeeperGroupMember[]
  /** Those with an owner or an offset, in order. */
  partitions: ZooKeeperGroupPartition[]
}

export interface ZooKeeperGroupListing {
  group: string
  /** Nodes under `ids`. */
  members: number
  moved: boolean
}

const consumersPath = '/consumers'
/** Reads under way at once. */
const maxReads = 128

/** Can there be a group of this name? It is one component of a path. */
export function isGroupNode(group: string): boolean {
  return !group.includes('/') && pathProblem(`/${group}`) === undefined && group !== ''
}

export async function listGroupNodes(session: ZooKeeperSession): Promise<ZooKeeperGroupListing[]> {
  const lanes = new Lanes(maxReads)
  const groups = ((await children(session, consumersPath)) ?? []).filter(isGroupNode).sort()
  return Promise.all(
    groups.map(group =>
      lanes.run(async () => {
        const paths = groupPaths(group)
        const [ids, sign] = await Promise.all([children(session, paths.ids), data(session, paths.moved)])
        return { group, members: ids?.length ?? 0, moved: sign !== undefined && saysKafka(sign.data) }
      })
    )
  )
}

/**
 * Undefined: ZooKeeper knows no such group. `onChange` is called once after a change of members, owners or the sign (not of offsets): read again,
 * which arms it again; give the same function each time.
 */
export async function readGroupTree(session: ZooKeeperSession, group: string, onChange?: Watch): Promise<ZooKeeperGroup | undefined> {
  if (!isGroupNode(group)) return undefined
  const root = `${consumersPath}/${group}`
  const tree = new GroupTree(session, groupPaths(group), onChange)
  if ((await tree.childrenOf(root)) === undefined) return undefined
  return tree.read()
}

class GroupTree {
  readonly #session: ZooKeeperSession
  readonly #paths: GroupPaths
  readonly #watch: Watch | undefined
  readonly #lanes = new Lanes(maxReads)
  readonly #partitions = new Map<string, ZooKeeperGroupPartition>()

  constructor(session: ZooKeeperSession, paths: GroupPaths, watch: Watch | undefined) {
    this.#session = session
    this.#paths = paths
    this.#watch = watch
  }

  async read(): Promise<ZooKeeperGroup> {
    const { ids, owners, offsets, group } = this.#paths
    const sign = await readSigns(this.#session, group, this.#watch)
    const memberIds = (await this.childrenOf(ids)) ?? []
    const members = await Promise.all(memberIds.sort().map(memberId => this.#member(memberId)))
    await this.#each(owners, this.#watch, async (path, entry) => {
      const node = await this.#dataOf(path)
      if (node) entry.owner = ownerOf(node)
    })
    await this.#each(offsets, undefined, async (path, entry) => {
      const node = await this.#dataOf(path)
      if (!node) return
      entry.offset = parseOffset(node.data) ?? null
      entry.offsetVersion = node.stat.version
    })
    const partitions = [...this.#partitions.values()]
      .filter(({ owner, offsetVersion }) => owner !== null || offsetVersion !== null)
      .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
    return {
      group,
      moved: sign === 'moved',
      moving: sign === 'moving',
      members: members.filter(member => member !== undefined),
      partitions
    }
  }

  childrenOf(path: string, watch = this.#watch): Promise<string[] | undefined> {
    return this.#lanes.run(() => (watch ? readChildren(this.#session, path, watch) : children(this.#session, path)))
  }

  #dataOf(path: string, watch?: Watch): Promise<{ data: Buffer; stat: Stat } | undefined> {
    return this.#lanes.run(() => (watch ? readData(this.#session, path, watch) : data(this.#session, path)))
  }

  /** Every `<topic>/<partition>` below a node; names that are neither are nobody's. */
  async #each(
    root: string,
    watch: Watch | undefined,
    read: (path: string, entry: ZooKeeperGroupPartition) => Promise<void>
  ): Promise<void> {
    const list = (path: string) => (watch ? this.childrenOf(path, watch) : this.#lanes.run(() => children(this.#session, path)))
    const topics = ((await list(root)) ?? []).filter(isTopicName)
    await Promise.all(
      topics.map(async topic => {
        const partitions = partitionsOf((await list(`${root}/${topic}`)) ?? [])
        await Promise.all(partitions.map(partition => read(`${root}/${topic}/${partition}`, this.#entry(topic, partition))))
      })
    )
  }

  #entry(topic: string, partition: number): ZooKeeperGroupPartition {
    const key = `${topic}/${partition}`
    const known = this.#partitions.get(key)
    if (known) return known
    const entry: ZooKeeperGroupPartition = { topic, partition, offset: null, offsetVersion: null, owner: null }
    this.#partitions.set(key, entry)
    return entry
  }

  async #member(memberId: string): Promise<ZooKeeperGroupMember | undefined> {
    const path = this.#paths.id(memberId)
    const node = await this.#dataOf(path)
    if (!node) return undefined
    const common = { memberId, host: hostOf(this.#paths.group, memberId), session: sessionOf(node.stat) }
    try {
      const { subscription } = parseMember(path, memberId, node.data)
      return { ...common, timestampMs: timestampOf(path, node.data), subscription, problem: null }
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      return { ...common, timestampMs: null, subscription: null, problem }
    }
  }
}

function ownerOf({ data: bytes, stat }: { data: Buffer; stat: Stat }): ZooKeeperGroupPartition['owner'] {
  const thread = parseOwner(bytes) ?? null
  return { thread, memberId: thread === null ? null : memberOfThread(thread), session: sessionOf(stat) }
}

const sessionOf = ({ ephemeralOwner }: Stat) => (ephemeralOwner === 0n ? null : BigInt.asUintN(64, ephemeralOwner).toString(16))

/** `<group>_<host>-<epochMillis>-<hex>`. */
function hostOf(group: string, memberId: string): string | null {
  if (!memberId.startsWith(`${group}_`)) return null
  return /^(.+)-\d{10,16}-[0-9a-f]{1,8}$/.exec(memberId.slice(group.length + 1))?.[1] ?? null
}

/** A string of digits by Kafka's rule; some clients write a number. */
function timestampOf(path: string, bytes: Buffer): number | null {
  const fields = parseObject(path, bytes)
  const read = [() => Number(fields.text('timestamp', 16)), () => fields.int('timestamp', 0, Number.MAX_SAFE_INTEGER)]
  for (const attempt of read)
    try {
      const timestampMs = attempt()
      if (Number.isSafeInteger(timestampMs)) return timestampMs
    } catch {
      // Not of that type. The member is one all the same: nothing depends on it.
    }
  return null
}

async function children(session: ZooKeeperSession, path: string): Promise<string[] | undefined> {
  return unlessMissing(async () => (await session.getChildren(path)).children)
}

function data(session: ZooKeeperSession, path: string): Promise<{ data: Buffer; stat: Stat } | undefined> {
  return unlessMissing(() => session.getData(path))
}

async function unlessMissing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isZooKeeperError(error, 'ZK_NO_NODE')) return undefined
    throw error
  }
}
