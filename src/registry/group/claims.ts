/**
 * The owner nodes of one member in one session: claimed all or nothing, watched, verified by the session that owns them, and removed only
 * where they are ours. A claim re-writes the committed offset in the same transaction, so that a stale owner's version fails.
 */
import { SamsaError } from '../../model/errors.ts'
import { topicPath } from '../znodes/topic.ts'
import { isZooKeeperError } from '../zookeeper/errors.ts'
import type { MultiOp, Stat, ZooKeeperSession } from '../zookeeper/session.ts'
import type { GroupPaths } from './paths.ts'
import { parseOffset, parseOwner } from './znodes.ts'

type Owned = { topic: string; partition: number }

/** A partition that is ours. */
export interface Claimed extends Owned {
  /** Epoch of the assignment in which it was claimed: commits of earlier ones are refused. */
  readonly since: number
  /** The owner node's own zxid: another one is another claim, whatever its version says. */
  readonly czxid: bigint
  /** Of the offset node; null: there is none; undefined: unknown, to be read first. */
  version: number | null | undefined
  readonly offset: bigint | null
  /** There was an offset, of an earlier topic of that name: copies of it say nothing either. */
  readonly stale: boolean
  condemned: boolean
}

export type ClaimResult = { claimed: Claimed[] } | { blockedBy: (Owned & { owner: string })[] }

interface ClaimsOptions {
  session: ZooKeeperSession
  paths: GroupPaths
  thread: string
  onOwner(topic: string, partition: number, mine: boolean): void
}

/** Partitions in one transaction: far below ZooKeeper's 1 MiB for a request. */
const chunkSize = 200
/** Others may write between reading and claiming; each round begins with what is there now. */
const maxRounds = 5

const keyOf = ({ topic, partition }: Owned) => `${topic}/${partition}`

interface Reading extends Owned {
  owner: { stat: Stat; thread: string | undefined } | undefined
  offset: { data: Buffer; version: number; stale: boolean } | undefined
}

export class Claims {
  readonly #session: ZooKeeperSession
  readonly #paths: GroupPaths
  readonly #thread: string
  readonly #onOwner: ClaimsOptions['onOwner']
  readonly #held = new Map<string, Claimed>()
  /** Asked of ZooKeeper without a certain answer: they may be ours. */
  readonly #uncertain = new Map<string, Owned>()
  readonly #watches = new Map<string, () => void>()
  readonly #parents = new Set<string>()
  #ended = false

  constructor({ session, paths, thread, onOwner }: ClaimsOptions) {
    this.#session = session
    this.#paths = paths
    this.#thread = thread
    this.#onOwner = onOwner
  }

  get held(): readonly Claimed[] {
    return [...this.#held.values()]
  }

  find(topic: string, partition: number): Claimed | undefined {
    return this.#held.get(keyOf({ topic, partition }))
  }

  condemn(topic: string): void {
    for (const claimed of this.#held.values()) if (claimed.topic === topic) claimed.condemned = true
  }

  /** No watch tells anything any more, and nothing can be committed. */
  end(): void {
    this.#ended = true
    for (const claimed of this.#held.values()) this.#letGo(claimed)
  }

  async claim(epoch: number, partitions: readonly Owned[]): Promise<ClaimResult> {
    const claimed: Claimed[] = []
    try {
      for (let i = 0; i < partitions.length; i += chunkSize) {
        const result = await this.#claimChunk(epoch, partitions.slice(i, i + chunkSize))
        if ('blockedBy' in result) {
          await this.release(claimed)
          return result
        }
        claimed.push(...result.claimed)
      }
    } catch (error) {
      for (const each of claimed) this.#letGo(each)
      await this.#removeUncertain().catch(() => {})
      throw error
    }
    return { claimed }
  }

  async #claimChunk(epoch: number, partitions: readonly Owned[]): Promise<ClaimResult> {
    for (let round = 0; round < maxRounds; round++) {
      await this.#makeParents(partitions)
      const readings = await this.#read(partitions)
      const blocking = readings.filter(reading => this.#blocks(reading))
      if (blocking.length > 0) {
        // Watched from now on; one that has gone in between is no obstacle.
        const still = await Promise.all(blocking.map(each => this.#session.exists(this.#ownerPath(each), this.#watch(each))))
        const blockedBy = blocking
          .filter((_, i) => still[i])
          .map(({ topic, partition, owner }) => ({ topic, partition, owner: ownerName(owner!) }))
        if (blockedBy.length > 0) return { blockedBy }
        continue
      }
      if (!(await this.#transact(readings))) continue
      return { claimed: await this.#confirm(epoch, readings) }
    }
    throw new SamsaError(
      'CLAIM_CONTENDED',
      `Others kept writing to the nodes of ${keyOf(partitions[0]!)} and its like while they were claimed.`,
      {
        retriable: true
      }
    )
  }

  /** False: somebody was quicker, read again. */
  async #transact(readings: readonly Reading[]): Promise<boolean> {
    for (const reading of readings) this.#uncertain.set(keyOf(reading), reading)
    try {
      await this.#session.multi(readings.flatMap(reading => this.#operations(reading)))
      return true
    } catch (error) {
      const refused = ['ZK_NODE_EXISTS', 'ZK_BAD_VERSION', 'ZK_NO_NODE'] as const
      if (!refused.some(code => isZooKeeperError(error, code))) throw error
      for (const reading of readings) if (!this.#isOurs(reading)) this.#uncertain.delete(keyOf(reading))
      this.#parents.clear()
      return false
    }
  }

  #operations(reading: Reading): MultiOp[] {
    const { topic, partition, owner, offset } = reading
    const path = this.#ownerPath(reading)
    const create: MultiOp = { type: 'create', path, data: Buffer.from(this.#thread), mode: 'ephemeral' }
    const offsetPath = this.#paths.offset(topic, partition)
    const fence: MultiOp[] = !offset
      ? []
      : offset.stale
        ? [{ type: 'remove', path: offsetPath, version: offset.version }]
        : [{ type: 'setData', path: offsetPath, data: offset.data, version: offset.version }]
    if (!owner) return [create, ...fence]
    // Ours already: of this session it stays, of one that is over it would go with that one.
    return this.#isOurs(reading) ? fence : [{ type: 'remove', path, version: owner.stat.version }, create, ...fence]
  }

  /** Arms the watches, and takes what is certain now. */
  async #confirm(epoch: number, readings: readonly Reading[]): Promise<Claimed[]> {
    const stats = await Promise.all(readings.map(each => this.#session.exists(this.#ownerPath(each), this.#watch(each))))
    if (stats.some(stat => stat?.ephemeralOwner !== this.#session.sessionId))
      throw new SamsaError('CLAIM_LOST', 'An owner node was removed as soon as it was made.', { retriable: true })
    return readings.map(({ topic, partition, offset }, i) => {
      const kept = offset && !offset.stale ? offset : undefined
      const claimed: Claimed = {
        topic,
        partition,
        since: epoch,
        czxid: stats[i]!.czxid,
        version: kept ? kept.version + 1 : null,
        offset: kept ? (parseOffset(kept.data) ?? null) : null,
        stale: offset?.stale ?? false,
        condemned: false
      }
      this.#uncertain.delete(keyOf(claimed))
      this.#held.set(keyOf(claimed), claimed)
      return claimed
    })
  }

  /** Removes the owner nodes of these that are of this session. From the first moment on nothing of them can be committed. */
  async release(partitions: readonly Owned[]): Promise<void> {
    for (const each of partitions) this.#letGo(each)
    await Promise.all(partitions.map(each => this.#removeIfOurs(each)))
  }

  async releaseAll(): Promise<void> {
    for (const claimed of this.#held.values()) this.#letGo(claimed)
    await this.#removeUncertain()
  }

  async #removeUncertain(): Promise<void> {
    await Promise.all([...this.#uncertain.values()].map(each => this.#removeIfOurs(each)))
  }

  /** Which of these are not ours any more. What else is ours is removed. */
  async verify(partitions: readonly Owned[]): Promise<Owned[]> {
    const wanted = new Set(partitions.map(keyOf))
    for (const claimed of this.#held.values()) if (!wanted.has(keyOf(claimed))) this.#letGo(claimed)
    await Promise.all([...this.#uncertain.values()].filter(each => !wanted.has(keyOf(each))).map(each => this.#removeIfOurs(each)))
    const stats = await Promise.all(partitions.map(each => this.#session.exists(this.#ownerPath(each), this.#watch(each))))
    return partitions
      .filter((each, i) => stats[i]?.ephemeralOwner !== this.#session.sessionId || stats[i]?.czxid !== this.#held.get(keyOf(each))?.czxid)
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  /** Is the owner node still the one that was made at the claim? */
  async stillOurs(claimed: Claimed): Promise<boolean> {
    const stat = await this.#session.exists(this.#ownerPath(claimed))
    return stat !== undefined && stat.ephemeralOwner === this.#session.sessionId && stat.czxid === claimed.czxid
  }

  #letGo({ topic, partition }: Owned): void {
    this.#held.delete(keyOf({ topic, partition }))
    this.#uncertain.set(keyOf({ topic, partition }), { topic, partition })
  }

  async #removeIfOurs(each: Owned): Promise<void> {
    const path = this.#ownerPath(each)
    const stat = await this.#session.exists(path)
    if (stat && stat.ephemeralOwner === this.#session.sessionId)
      await this.#session.remove(path).catch(error => {
        if (!isZooKeeperError(error, 'ZK_NO_NODE')) throw error
      })
    this.#uncertain.delete(keyOf(each))
  }

  async #read(partitions: readonly Owned[]): Promise<Reading[]> {
    const topics = [...new Set(partitions.map(({ topic }) => topic))]
    const born = new Map(
      await Promise.all(topics.map(async topic => [topic, (await this.#session.exists(topicPath(topic)))?.czxid] as const))
    )
    return Promise.all(
      partitions.map(async ({ topic, partition }) => {
        const [owner, offset] = await Promise.all([
          this.#data(this.#paths.owner(topic, partition)),
          this.#data(this.#paths.offset(topic, partition))
        ])
        return {
          topic,
          partition,
          owner: owner && { stat: owner.stat, thread: parseOwner(owner.data) },
          // zxids are one order for the whole ensemble: an offset older than its topic belongs to an earlier topic of that name.
          offset: offset && { data: offset.data, version: offset.stat.version, stale: offset.stat.mzxid < (born.get(topic) ?? 0n) }
        }
      })
    )
  }

  async #data(path: string): Promise<{ data: Buffer; stat: Stat } | undefined> {
    try {
      return await this.#session.getData(path)
    } catch (error) {
      if (isZooKeeperError(error, 'ZK_NO_NODE')) return undefined
      throw error
    }
  }

  async #makeParents(partitions: readonly Owned[]): Promise<void> {
    const paths = new Set(partitions.flatMap(({ topic }) => [this.#paths.topicOwners(topic), this.#paths.topicOffsets(topic)]))
    const missing = [...paths].filter(path => !this.#parents.has(path))
    await Promise.all(missing.map(path => this.#session.makePath(path)))
    for (const path of missing) this.#parents.add(path)
  }

  #isOurs({ owner }: Reading): boolean {
    return owner !== undefined && owner.stat.ephemeralOwner === this.#session.sessionId && owner.thread === this.#thread
  }

  /** Nobody else uses our thread id: a node with it is of a session of ours that is over. */
  #blocks({ owner }: Reading): boolean {
    return owner !== undefined && owner.thread !== this.#thread
  }

  #ownerPath({ topic, partition }: Owned): string {
    return this.#paths.owner(topic, partition)
  }

  /** One function for each partition: it is armed once, however often the node is read. */
  #watch({ topic, partition }: Owned): () => void {
    const key = keyOf({ topic, partition })
    let watch = this.#watches.get(key)
    if (!watch) {
      watch = () => {
        const mine = this.#held.has(key)
        // What we let go of ourselves is no news.
        if (!this.#ended && (mine || !this.#uncertain.has(key))) this.#onOwner(topic, partition, mine)
      }
      this.#watches.set(key, watch)
    }
    return watch
  }
}

function ownerName({ stat, thread }: NonNullable<Reading['owner']>): string {
  return thread ?? `session 0x${BigInt.asUintN(64, stat.ephemeralOwner).toString(16)}, with no thread id`
}
