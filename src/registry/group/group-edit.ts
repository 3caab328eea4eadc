/**
 * A group changed by who is no member of it: its committed offsets set, some or all of it removed. Never under live members: that nobody is
 * registered is a condition of the same transaction, by taking away the node that members register under (it would not be empty).
 */
import { LimitError, SamsaError } from '../../model/errors.ts'
import { isZooKeeperError, type ZooKeeperErrorCode } from '../zookeeper/errors.ts'
import { Lanes } from '../zookeeper/level.ts'
import type { MultiOp, ZooKeeperSession } from '../zookeeper/session.ts'
import { isGroupNode, type ZooKeeperGroup } from './group-tree.ts'
import { groupPaths } from './paths.ts'
import { formatOffset } from './znodes.ts'

export interface OffsetToSet {
  topic: string
  partition: number
  /** The next offset to read. */
  offset: bigint
}

/** Steps of one transaction: well below what a request may be long. */
const maxSteps = 1_000
const maxNodes = 500_000
/** Reads under way at once. */
const maxReads = 128
/** A removal meets what others write at the same moment: it looks again so often. */
const maxRounds = 5

/** Who is alive in it: those whose session holds a node. Also a holder of partitions that is not registered (any more, or yet). */
export function liveMembers({ members, partitions }: ZooKeeperGroup): string[] {
  const live = members.filter(({ session }) => session !== null).map(({ memberId }) => memberId)
  const holders = partitions.filter(({ owner }) => owner?.session).map(({ owner }) => owner!.memberId ?? `session ${owner!.session}`)
  return [...new Set([...live, ...holders])]
}

/** @throws SamsaError NON_EMPTY_GROUP that names them. */
export function refuseLive(group: string, live: readonly string[]): void {
  if (live.length === 0) return
  const shown = live.slice(0, 5).join(', ')
  throw new SamsaError(
    'NON_EMPTY_GROUP',
    `Group ${group} has ${live.length === 1 ? 'a live member' : `${live.length} live members`} in ZooKeeper: ${shown}${live.length > 5 ? ' …' : ''}. Stop ${live.length === 1 ? 'it' : 'them'} first; a member that was killed is gone when its session has expired.`,
    { details: { group, members: live.length } }
  )
}

function refuseMoving({ group, moving }: ZooKeeperGroup): void {
  if (moving) throw movingError(group, '')
}

const movingError = (group: string, what: string, cause?: unknown) =>
  new SamsaError('GROUP_MOVING', `Group ${group} is being moved to Kafka at this moment.${what} Try again when that has ended.`, {
    retriable: true,
    cause,
    details: { group }
  })

/**
 * Sets committed offsets, all in one transaction (of each 1,000). `tree`: the group as it was read. Rejects with SamsaError: NON_EMPTY_GROUP when
 * somebody is, or has become, a member; OFFSETS_CHANGED when somebody has written one of them since it was read, GROUP_MOVING. Then
 * nothing of that transaction was written.
 */
export async function setGroupOffsets(session: ZooKeeperSession, tree: ZooKeeperGroup, offsets: readonly OffsetToSet[]): Promise<void> {
  const { group } = tree
  checkName(group)
  refuseMoving(tree)
  refuseLive(group, liveMembers(tree))
  const paths = groupPaths(group)
  for (const path of [paths.ids, paths.owners, ...new Set(offsets.map(({ topic }) => paths.topicOffsets(topic)))])
    await session.makePath(path)
  const versions = new Map(tree.partitions.map(({ topic, partition, offsetVersion }) => [`${topic}/${partition}`, offsetVersion]))
  const steps = offsets.map(({ topic, partition, offset }): MultiOp => {
    const version = versions.get(`${topic}/${partition}`) ?? null
    const path = paths.offset(topic, partition)
    return version === null
      ? { type: 'create', path, data: formatOffset(offset) }
      : { type: 'setData', path, data: formatOffset(offset), version }
  })
  const fence = fenceOf(tree)
  for (let at = 0; at < steps.length; at += maxSteps) {
    try {
      await session.multi([...fence, ...steps.slice(at, at + maxSteps)])
    } catch (error) {
      throw refusal(group, fence, at, error)
    }
  }
}

/**
 * Steps that leave everything as it is, and succeed only while nobody moves the group and nobody is registered: a node with children cannot be
 * removed. Persistent nodes among them are nobody's, and make it impossible to tell; then the look before must do.
 */
function fenceOf({ group, members }: ZooKeeperGroup): MultiOp[] {
  const { ids, moving } = groupPaths(group)
  const notMoving: MultiOp[] = [
    { type: 'create', path: moving, data: null },
    { type: 'remove', path: moving }
  ]
  if (members.length > 0) return notMoving
  return [...notMoving, { type: 'remove', path: ids }, { type: 'create', path: ids, data: null }]
}

function refusal(group: string, fence: readonly MultiOp[], written: number, error: unknown): unknown {
  if (!isZooKeeperError(error)) return error
  const before = written > 0 ? ` The first ${written} offsets are written.` : ' Nothing was written.'
  const step = fence[Number(error.details.index ?? -1)]
  const details = { group, path: String(error.details.path ?? '') }
  if (step?.path === groupPaths(group).moving && error.code === 'ZK_NODE_EXISTS') return movingError(group, before, error)
  if (step && error.code === 'ZK_NOT_EMPTY')
    return new SamsaError('NON_EMPTY_GROUP', `A member has joined group ${group} meanwhile.${before} Stop it, then try again.`, {
      cause: error,
      details
    })
  if (!CHANGED.includes(error.code)) return error
  return new SamsaError('OFFSETS_CHANGED', `Somebody else has written an offset of group ${group} meanwhile.${before} Look at it again.`, {
    retriable: true,
    cause: error,
    details
  })
}

const CHANGED: readonly ZooKeeperErrorCode[] = ['ZK_BAD_VERSION', 'ZK_NODE_EXISTS', 'ZK_NO_NODE']

/**
 * Removes a group with everything under it, in one transaction (of each 1,000 nodes; the members' node is in the first: whoever joins meanwhile makes
 * it fail). Rejects with NON_EMPTY_GROUP while somebody is alive in it; with ZK_NOT_EMPTY when others keep writing below it.
 */
export async function removeGroup(session: ZooKeeperSession, tree: ZooKeeperGroup): Promise<void> {
  const { group } = tree
  checkName(group)
  refuseMoving(tree)
  refuseLive(group, liveMembers(tree))
  await removeTree(session, groupPaths(group).ids.slice(0, -'/ids'.length), group)
}

/** Removes owners and offsets of one topic. Rejects with NON_EMPTY_GROUP while somebody alive holds or subscribes to it. */
export async function removeGroupTopic(session: ZooKeeperSession, tree: ZooKeeperGroup, topic: string): Promise<void> {
  const { group, members, partitions } = tree
  checkName(group)
  refuseLive(
    group,
    liveMembers({
      ...tree,
      members: members.filter(({ subscription }) => subscription?.kind !== 'static' || Object.hasOwn(subscription.topics, topic)),
      partitions: partitions.filter(entry => entry.topic === topic)
    })
  )
  const paths = groupPaths(group)
  for (const path of [paths.topicOwners(topic), paths.topicOffsets(topic)]) await removeTree(session, path, group)
}

/** What lies elsewhere is never touched: a path is only ever made of names that were read below it. Nor is what somebody alive holds. */
async function removeTree(session: ZooKeeperSession, root: string, group: string): Promise<void> {
  for (let round = 1; ; round++) {
    const nodes = await nodesBelow(session, root)
    refuseLive(
      group,
      nodes.filter(({ held }) => held).map(({ path }) => path.slice(path.lastIndexOf('/') + 1))
    )
    try {
      for (let at = 0; at < nodes.length; at += maxSteps)
        await session.multi(nodes.slice(at, at + maxSteps).map(({ path }): MultiOp => ({ type: 'remove', path })))
      return
    } catch (error) {
      const moved = isZooKeeperError(error, 'ZK_NOT_EMPTY') || isZooKeeperError(error, 'ZK_NO_NODE')
      if (!moved || round === maxRounds) throw error
    }
  }
}

/** A node and all below it, children first, by name; empty: there is none. `held`: by a session. */
async function nodesBelow(session: ZooKeeperSession, root: string): Promise<{ path: string; held: boolean }[]> {
  const lanes = new Lanes(maxReads)
  let count = 0
  const walk = async (path: string): Promise<{ path: string; held: boolean }[]> => {
    if (++count > maxNodes)
      throw new LimitError(
        'TOO_MANY_NODES',
        `${root} has more than ${maxNodes} nodes below it; nothing was removed. Remove it with ZooKeeper's own tools.`
      )
    try {
      const { children, stat } = await lanes.run(() => session.getChildren(path))
      const below = await Promise.all(children.sort().map(name => walk(`${path}/${name}`)))
      return [...below.flat(), { path, held: stat.ephemeralOwner !== 0n }]
    } catch (error) {
      if (isZooKeeperError(error, 'ZK_NO_NODE')) return []
      throw error
    }
  }
  return walk(root)
}

function checkName(group: string): void {
  if (!isGroupNode(group)) throw new SamsaError('INVALID_GROUP_ID', `${JSON.stringify(group)} cannot be the name of a group in ZooKeeper.`)
}
