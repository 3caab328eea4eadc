/**
 * One member of a group in one ZooKeeper session: its node, the other members, and what it holds. It ends with the session; a new session
 * gets a new one with the same member id. Whatever was asked of ZooKeeper and is not certain is looked at again before it counts.
 */
import type { World } from '../../model/world.ts'
import { isZooKeeperError } from '../zookeeper/errors.ts'
import { readChildren } from '../zookeeper/level.ts'
import type { ZooKeeperSession } from '../zookeeper/session.ts'
import { type Claimed, type ClaimResult, Claims } from './claims.ts'
import { readSigns } from './moved.ts'
import { type CommitResult, type OffsetToCommit, OwnedOffsets } from './owned-offsets.ts'
import { type GroupPaths, groupPaths } from './paths.ts'
import { formatMember, type GroupMember, type GroupSubscription, memberOfThread, parseMember, partitionsOf } from './znodes.ts'

export interface TopicPartition {
  topic: string
  partition: number
}

/** What the watches tell. */
export interface GroupSessionEvents {
  /** The members may have changed. */
  onGroup(): void
  /** An owner node has gone or changed: one of ours that we did not let go of (`mine`), or one that blocked a claim. */
  onOwner(topic: string, partition: number, mine: boolean): void
  /** Somebody else has written a committed offset of a partition that is ours; ours stands. */
  onForeignCommit(topic: string, partition: number): void
  /** The group moves, or has moved, to Kafka: leave. May be told more than once. */
  onMoved(sign: 'moving' | 'moved'): void
}

export interface GroupSessionOptions {
  world: World
  session: ZooKeeperSession
  group: string
  memberId: string
  subscription: GroupSubscription
  /** This member leaves when it is told that the group moves; others can see that (`moved.ts`). */
  movable: boolean
  events: GroupSessionEvents
}

export interface Members {
  /** This member's own node is there, and of this session. */
  registered: boolean
  members: GroupMember[]
  quarantined: { memberId: string; problem: string }[]
}

/** `shares` of others whose partitions nobody owns. */
export interface Audit {
  lost: TopicPartition[]
  unowned: (TopicPartition & { member: string })[]
}

const retirePauseMs = 500

export class GroupSession {
  readonly session: ZooKeeperSession
  readonly memberId: string
  readonly #world: World
  readonly #paths: GroupPaths
  readonly #subscription: GroupSubscription
  readonly #claims: Claims
  readonly #offsets: OwnedOffsets
  readonly #onGroup: () => void
  readonly #onMoved: GroupSessionEvents['onMoved']
  readonly #movable: boolean
  readonly #onSigns: () => void
  #lane: Promise<unknown> = Promise.resolve()
  #retired: Promise<void> | undefined

  constructor({ world, session, group, memberId, subscription, movable, events }: GroupSessionOptions) {
    this.session = session
    this.memberId = memberId
    this.#world = world
    this.#subscription = subscription
    this.#paths = groupPaths(group)
    this.#claims = new Claims({ session, paths: this.#paths, thread: `${memberId}-0`, onOwner: events.onOwner })
    this.#offsets = new OwnedOffsets({ session, paths: this.#paths, claims: this.#claims, onForeignCommit: events.onForeignCommit })
    // One function for all readings: it is armed once, however often the members are read.
    this.#onGroup = () => {
      if (!this.#retired) events.onGroup()
    }
    this.#movable = movable
    this.#onMoved = events.onMoved
    // When it fails the link is gone, and members are read again when it is back.
    this.#onSigns = () => void this.#lookAtSigns().catch(() => {})
  }

  /** Makes this member's node; one that is there from this session is fine, one of a session of ours that is over is replaced. */
  register(): Promise<void> {
    return this.#inTurn(async () => {
      const { session } = this
      const { ids, owners, offsets, movable } = this.#paths
      for (const path of [ids, owners, offsets, ...(this.#movable ? [movable] : [])]) await session.makePath(path)
      if (this.#movable) await this.#makeNode(this.#paths.movableId(this.memberId), null)
      await this.#makeNode(this.#paths.id(this.memberId), formatMember(this.#subscription, this.#world.now()))
    })
  }

  async #makeNode(path: string, data: Buffer | null): Promise<void> {
    const { session } = this
    try {
      await session.create(path, data, 'ephemeral')
    } catch (error) {
      if (!isZooKeeperError(error, 'ZK_NODE_EXISTS')) throw error
      const stat = await session.exists(path)
      if (stat?.ephemeralOwner === session.sessionId) return
      await session.multi([...(stat ? [{ type: 'remove' as const, path }] : []), { type: 'create', path, data, mode: 'ephemeral' }])
    }
  }

  /** Later than this member's node, so that who moves the group sees the one or this the other. Arms the watch on the signs. */
  async #lookAtSigns(): Promise<void> {
    const sign = await readSigns(this.session, this.#paths.group, this.#onSigns)
    if (sign !== 'none' && !this.#retired) this.#onMoved(sign)
  }

  /** All members; arms the watches on them, and on the signs that the group moves. */
  async members(): Promise<Members> {
    const { session } = this
    await this.#lookAtSigns()
    const children = (await readChildren(session, this.#paths.ids, this.#onGroup)) ?? []
    const read = await Promise.all(children.map(memberId => this.#member(memberId)))
    const found = read.filter(entry => entry !== undefined)
    const own = found.find(({ memberId }) => memberId === this.memberId)
    return {
      registered: own?.owner === session.sessionId,
      members: found.flatMap(entry => (entry.member ? [entry.member] : [])),
      quarantined: found.flatMap(({ memberId, problem }) => (problem === undefined ? [] : [{ memberId, problem }]))
    }
  }

  async #member(memberId: string): Promise<{ memberId: string; owner: bigint; member?: GroupMember; problem?: string } | undefined> {
    const path = this.#paths.id(memberId)
    let owner: bigint
    let data: Buffer
    try {
      const node = await this.session.getData(path)
      owner = node.stat.ephemeralOwner
      data = node.data
    } catch (error) {
      if (isZooKeeperError(error, 'ZK_NO_NODE')) return undefined
      throw error
    }
    try {
      return { memberId, owner, member: parseMember(path, memberId, data) }
    } catch (error) {
      return { memberId, owner, problem: error instanceof Error ? error.message : String(error) }
    }
  }

  /** All or nothing. `epoch`: of the assignment that these begin to belong to. */
  claim(epoch: number, partitions: readonly TopicPartition[]): Promise<ClaimResult> {
    return this.#inTurn(() => this.#claims.claim(epoch, partitions))
  }

  /** Removes the owner nodes that are ours, and the committed offsets of these topics. */
  release(partitions: readonly TopicPartition[], dropOffsets: readonly string[] = []): Promise<void> {
    return this.#inTurn(async () => {
      const stale = partitions.filter(({ topic }) => dropOffsets.includes(topic))
      await Promise.all(stale.map(({ topic, partition }) => this.#offsets.forget(topic, partition)))
      await this.#claims.release(partitions)
    })
  }

  /** Those of them that are not ours any more; what is ours beside them (a claim whose answer was lost) is let go of. */
  verify(partitions: readonly TopicPartition[]): Promise<{ registered: boolean; lost: TopicPartition[] }> {
    return this.#inTurn(async () => {
      const lost = await this.#claims.verify(partitions)
      const stat = await this.session.exists(this.#paths.id(this.memberId))
      return { registered: stat !== undefined && stat.ephemeralOwner === this.session.sessionId, lost }
    })
  }

  /** Lets go of everything. */
  drop(): Promise<void> {
    return this.#inTurn(() => this.#claims.releaseAll())
  }

  /** Looks at the owners of these topics as they are now. */
  async audit(
    mine: readonly TopicPartition[],
    shares: readonly { thread: string; topic: string; partitions: readonly number[] }[]
  ): Promise<Audit> {
    const topics = [...new Set(shares.map(({ topic }) => topic))]
    const owned = new Map(await Promise.all(topics.map(async topic => [topic, await this.#ownedOf(topic)] as const)))
    const unowned = shares.flatMap(({ thread, topic, partitions }) => {
      const member = memberOfThread(thread)
      if (member === this.memberId) return []
      return partitions.filter(partition => !owned.get(topic)?.has(partition)).map(partition => ({ topic, partition, member }))
    })
    return { lost: mine.filter(({ topic, partition }) => owned.get(topic)?.has(partition) === false), unowned }
  }

  async #ownedOf(topic: string): Promise<Set<number>> {
    try {
      return new Set(partitionsOf((await this.session.getChildren(this.#paths.topicOwners(topic))).children))
    } catch (error) {
      if (isZooKeeperError(error, 'ZK_NO_NODE')) return new Set()
      throw error
    }
  }

  /** Writes our node anew in one step: the watches of all members fire, and none of them sees the group without us. */
  nudge(): Promise<void> {
    return this.#inTurn(() => {
      const path = this.#paths.id(this.memberId)
      const data = formatMember(this.#subscription, this.#world.now())
      return this.session.multi([
        { type: 'remove', path },
        { type: 'create', path, data, mode: 'ephemeral' }
      ])
    })
  }

  commit(epoch: number, offsets: readonly OffsetToCommit[]): Promise<CommitResult[]> {
    return this.#offsets.commit(epoch, offsets)
  }

  /** Undefined: none. */
  committed(topic: string, partition: number): Promise<bigint | undefined> {
    return this.#offsets.committed(topic, partition)
  }

  /** The topic was made again: what is committed of the old one must not be written any more. */
  condemn(topic: string): void {
    this.#claims.condemn(topic)
  }

  get held(): readonly Claimed[] {
    return this.#claims.held
  }

  /**
   * Lets go of everything and removes this member's node, as soon as ZooKeeper answers: the session is the registry's and may live on,
   * so nothing of a member that has left may stay behind in it. Resolves when it is done, or the session is over. Never rejects.
   */
  retire(): Promise<void> {
    this.#retired ??= this.#retire()
    return this.#retired
  }

  async #retire(): Promise<void> {
    this.#claims.end()
    while (!isOver(this.session)) {
      try {
        await this.#inTurn(async () => {
          await this.#claims.releaseAll()
          await this.#unregister()
        })
        return
      } catch {
        await new Promise<void>(resolve => void this.#world.setTimer(resolve, retirePauseMs))
      }
    }
  }

  async #unregister(): Promise<void> {
    await this.#removeNode(this.#paths.id(this.memberId))
    if (this.#movable) await this.#removeNode(this.#paths.movableId(this.memberId))
  }

  async #removeNode(path: string): Promise<void> {
    const stat = await this.session.exists(path)
    if (!stat || stat.ephemeralOwner !== this.session.sessionId) return
    await this.session.remove(path).catch(error => {
      if (!isZooKeeperError(error, 'ZK_NO_NODE')) throw error
    })
  }

  /** One step after the other: a later one sees what an earlier one has left. */
  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#lane.then(step)
    this.#lane = result.catch(() => {})
    return result
  }
}

const isOver = ({ state }: ZooKeeperSession) => state === 'expired' || state === 'closed' || state === 'failed'
