/**
 * Moves a live group out of ZooKeeper: its members are asked to leave, its committed offsets are carried over when nobody can commit in
 * ZooKeeper any more, and only then the members are let in again, elsewhere. Until the last step all of it can be undone, and is,
 * also when the process that moves the group dies: its sign is ephemeral.
 */
import { SamsaError, TimeoutError } from '../../model/errors.ts'
import type { Timer, World } from '../../model/world.ts'
import { isZooKeeperError } from '../zookeeper/errors.ts'
import type { Stat, ZooKeeperSession } from '../zookeeper/session.ts'
import { putUpMoved, readMovable, readSigns } from './moved.ts'
import { groupPaths } from './paths.ts'
import { parseOffset, partitionsOf } from './znodes.ts'

export interface CommittedInZooKeeper {
  topic: string
  partition: number
  offset: bigint
}

export interface MoveOptions {
  session: ZooKeeperSession
  world: World
  group: string
  /** For the members to leave. */
  timeoutMs: number
  /** Writes them where the group goes, and rejects when it could not. Nobody commits meanwhile. */
  carry: (offsets: readonly CommittedInZooKeeper[]) => Promise<void>
  /** What happens, in words. */
  onProgress: (text: string) => void
  signal?: AbortSignal | undefined
}

/** Every offset that the group has committed in ZooKeeper; one that cannot be read is left out, and told. */
export async function committedOffsets(
  session: ZooKeeperSession,
  group: string,
  onTrouble: (text: string) => void
): Promise<CommittedInZooKeeper[]> {
  const paths = groupPaths(group)
  const found: CommittedInZooKeeper[] = []
  for (const topic of (await childrenOf(session, paths.offsets)).sort())
    for (const partition of partitionsOf(await childrenOf(session, paths.topicOffsets(topic))).sort((a, b) => a - b)) {
      const path = paths.offset(topic, partition)
      const offset = parseOffset((await session.getData(path)).data)
      if (offset === undefined) onTrouble(`${path} holds no offset; it is left behind`)
      else found.push({ topic, partition, offset })
    }
  return found
}

/** Rejects with SamsaError GROUP_MOVING, GROUP_MOVED, GROUP_NOT_MOVABLE, TimeoutError MEMBERS_STAY, or what `carry` rejects with. */
export async function moveOut(options: MoveOptions): Promise<CommittedInZooKeeper[]> {
  const { session, group, world } = options
  const paths = groupPaths(group)
  await refuseMoved(session, group)
  await refuseUnmovable(session, group)
  // Two who move it may share a session: each knows its own sign.
  const sign = Buffer.from(Buffer.from(world.randomBytes(16)).toString('hex'))
  try {
    await putUp(session, group, sign)
    // Somebody else may have moved it since it was looked at: what ZooKeeper has is old by now.
    await refuseMoved(session, group)
    const offsets = await carryOver(options)
    await putUpMoved(session, group, world.now())
    return offsets
  } finally {
    await takeDown(session, world, paths.moving, sign)
  }
}

async function putUp(session: ZooKeeperSession, group: string, sign: Buffer): Promise<void> {
  const { moving } = groupPaths(group)
  try {
    await session.create(moving, sign, 'ephemeral')
  } catch (error) {
    if (!isZooKeeperError(error, 'ZK_NODE_EXISTS')) throw error
    throw new SamsaError('GROUP_MOVING', `Group ${group} is being moved by somebody else (${moving}).`, { retriable: true })
  }
}

const REMOVAL_PAUSE_MS = 500

/**
 * With the session the sign goes too, but a session may live for long, and as long as the sign is there nobody consumes: a removal that is not
 * certain is tried again. Never rejects.
 */
async function takeDown(session: ZooKeeperSession, world: World, path: string, sign: Buffer): Promise<void> {
  for (;;) {
    try {
      const { data, stat } = await session.getData(path)
      if (data.equals(sign)) await session.remove(path, stat.version)
      return
    } catch (error) {
      if (!isZooKeeperError(error, 'ZK_CONNECTION_LOSS') && !isZooKeeperError(error, 'ZK_TIMEOUT')) return
      await new Promise<void>(resolve => void world.setTimer(resolve, REMOVAL_PAUSE_MS))
    }
  }
}

/** Scala members do not look at the sign: what is carried counts only when nobody came while it was, as what they commit is not in it. */
async function carryOver(options: MoveOptions): Promise<CommittedInZooKeeper[]> {
  const { session, world, group, timeoutMs, carry, onProgress } = options
  const deadlineMs = world.monotonicMs() + timeoutMs
  for (;;) {
    await untilEmpty(options, deadlineMs)
    const before = await session.getChildren(groupPaths(group).ids).catch(noChildren)
    if (before.children.length > 0) continue
    const offsets = await committedOffsets(session, group, onProgress)
    onProgress(`${offsets.length} committed offsets are carried over`)
    await carry(offsets)
    const after = await session.getChildren(groupPaths(group).ids).catch(noChildren)
    if (after.stat?.cversion === before.stat?.cversion) return offsets
    onProgress('somebody has joined the group in ZooKeeper meanwhile: its offsets are carried over once more')
  }
}

function noChildren(error: unknown): { children: string[]; stat?: Stat } {
  if (isZooKeeperError(error, 'ZK_NO_NODE')) return { children: [] }
  throw error
}

async function refuseMoved(session: ZooKeeperSession, group: string): Promise<void> {
  if ((await readSigns(session, group)) === 'moved')
    throw new SamsaError('GROUP_MOVED', `Group ${group} has moved to Kafka already (${groupPaths(group).moved}).`)
}

async function refuseUnmovable(session: ZooKeeperSession, group: string): Promise<void> {
  if (!(await session.exists(`/consumers/${group}`)))
    throw new SamsaError(
      'NO_GROUP',
      `There is no group ${group} in ZooKeeper, so there is nothing to move. \`samsa groups ls\` lists what there is.`
    )
  const fixed = (await readMovable(session, group)).filter(({ movable }) => !movable).map(({ memberId }) => memberId)
  if (fixed.length > 0)
    throw new SamsaError(
      'GROUP_NOT_MOVABLE',
      `${fixed.length} members of group ${group} would stay in ZooKeeper: ${fixed.slice(0, 5).join(', ')}. They are Scala consumers, or asked for ` +
        'membership zookeeper. Stop them, or start them with membership auto, then move the group.',
      { details: { group, members: fixed.join(', ') } }
    )
}

/** Rejects with TimeoutError MEMBERS_STAY, and when it is aborted. */
async function untilEmpty({ session, world, group, timeoutMs, onProgress, signal }: MoveOptions, deadlineMs: number): Promise<void> {
  let told = -1
  for (;;) {
    let wake = () => {}
    const changed = new Promise<void>(resolve => {
      wake = resolve
    })
    const members = (await readMovable(session, group, wake)).map(({ memberId }) => memberId)
    if (members.length === 0) return onProgress('no member is left in ZooKeeper')
    if (members.length !== told) onProgress(`${members.length} members are asked to leave`)
    told = members.length
    const leftMs = deadlineMs - world.monotonicMs()
    if (signal?.aborted) throw new SamsaError('ABORTED', `The move of group ${group} was given up; its members go on in ZooKeeper.`)
    if (leftMs <= 0)
      throw new TimeoutError(
        'MEMBERS_STAY',
        `After ${timeoutMs} ms these members of group ${group} are still there: ${members.slice(0, 5).join(', ')}. The move was undone.`,
        { retriable: true, details: { group, members: members.join(', ') } }
      )
    await firstOf(world, changed, Math.min(leftMs, 500))
  }
}

async function firstOf(world: World, changed: Promise<void>, ms: number): Promise<void> {
  let timer: Timer | undefined
  await Promise.race([
    changed,
    new Promise<void>(resolve => {
      timer = world.setTimer(resolve, ms)
    })
  ])
  if (timer) world.clearTimer(timer)
}

async function childrenOf(session: ZooKeeperSession, path: string): Promise<string[]> {
  return (await session.getChildren(path).catch(noChildren)).children
}
