/**
 * Committed offsets of the partitions that a member owns. Each commit goes through the session that holds the owner node and names the version
 * that its claim has made: a stale owner cannot overwrite anything. Somebody else's write is noticed, told, and does not stand.
 */
import { plainError, SamsaError } from '../../model/errors.ts'
import { isZooKeeperError, type ZooKeeperErrorCode } from '../zookeeper/errors.ts'
import type { ZooKeeperSession } from '../zookeeper/session.ts'
import type { Claimed, Claims } from './claims.ts'
import type { GroupPaths } from './paths.ts'
import { formatOffset, parseOffset } from './znodes.ts'

export interface OffsetToCommit {
  topic: string
  partition: number
  offset: bigint
}

export interface CommitResult extends OffsetToCommit {
  error?: Error
}

interface OwnedOffsetsOptions {
  session: ZooKeeperSession
  paths: GroupPaths
  claims: Claims
  onForeignCommit(topic: string, partition: number): void
}

const maxRounds = 3
const refusals: readonly ZooKeeperErrorCode[] = ['ZK_BAD_VERSION', 'ZK_NODE_EXISTS', 'ZK_NO_NODE']

export class OwnedOffsets {
  readonly #session: ZooKeeperSession
  readonly #paths: GroupPaths
  readonly #claims: Claims
  readonly #onForeignCommit: OwnedOffsetsOptions['onForeignCommit']

  constructor({ session, paths, claims, onForeignCommit }: OwnedOffsetsOptions) {
    this.#session = session
    this.#paths = paths
    this.#claims = claims
    this.#onForeignCommit = onForeignCommit
  }

  /** Rejects with SUSPENDED while ownership is not certain; else tells of each partition what became of it. */
  async commit(epoch: number, offsets: readonly OffsetToCommit[]): Promise<CommitResult[]> {
    if (this.#session.state !== 'connected')
      throw new SamsaError('SUSPENDED', 'ZooKeeper cannot be reached, so ownership is not certain; nothing was committed.', {
        retriable: true
      })
    return Promise.all(
      offsets.map(async ({ topic, partition, offset }) => {
        try {
          await this.#commit(this.#mine(epoch, topic, partition), offset)
          return { topic, partition, offset }
        } catch (error) {
          return { topic, partition, offset, error: error instanceof Error ? error : new Error(plainError(error).message) }
        }
      })
    )
  }

  async committed(topic: string, partition: number): Promise<bigint | undefined> {
    const node = await this.#read(topic, partition)
    return node?.offset
  }

  /** Removes what is committed. */
  async forget(topic: string, partition: number): Promise<void> {
    await this.#session.remove(this.#paths.offset(topic, partition)).catch(error => {
      if (!isZooKeeperError(error, 'ZK_NO_NODE')) throw error
    })
  }

  #mine(epoch: number, topic: string, partition: number): Claimed {
    const claimed = this.#claims.find(topic, partition)
    const where = `${topic}/${partition} of group ${this.#paths.group}`
    if (!claimed) throw new SamsaError('NOT_OWNER', `This member does not own ${where}; its offset was not committed.`)
    if (epoch < claimed.since)
      throw new SamsaError('STALE_EPOCH', `The commit of ${where} belongs to assignment ${epoch}, but it is owned since ${claimed.since}.`)
    if (claimed.condemned)
      throw new SamsaError('TOPIC_RECREATED', `Topic ${topic} was deleted and made again: offsets of the old one are not committed.`)
    return claimed
  }

  async #commit(claimed: Claimed, offset: bigint): Promise<void> {
    const data = formatOffset(offset)
    for (let round = 0; round < maxRounds; round++) {
      if (claimed.version === undefined) await this.#recover(claimed)
      if (round > 0) this.#onForeignCommit(claimed.topic, claimed.partition)
      try {
        await this.#write(claimed, data)
        return
      } catch (error) {
        claimed.version = undefined
        if (!refusals.some(code => isZooKeeperError(error, code))) throw error
      }
    }
    const { topic, partition } = claimed
    throw new SamsaError('COMMIT_CONTENDED', `Somebody else keeps writing the offset of ${topic}/${partition}; it was not committed.`, {
      retriable: true
    })
  }

  async #write(claimed: Claimed, data: Buffer): Promise<void> {
    const path = this.#paths.offset(claimed.topic, claimed.partition)
    const { version } = claimed
    if (typeof version === 'number') claimed.version = (await this.#session.setData(path, data, version)).version
    else {
      await this.#session.makePath(this.#paths.topicOffsets(claimed.topic))
      await this.#session.create(path, data, 'persistent')
      claimed.version = 0
    }
  }

  /** The version is not known: is it still ours, and if so, what is it? */
  async #recover(claimed: Claimed): Promise<void> {
    const { topic, partition } = claimed
    if (!(await this.#claims.stillOurs(claimed)) || this.#claims.find(topic, partition) !== claimed)
      throw new SamsaError('NOT_OWNER', `This member does not own ${topic}/${partition} any more; its offset was not committed.`)
    claimed.version = (await this.#read(topic, partition))?.version ?? null
  }

  async #read(topic: string, partition: number): Promise<{ offset: bigint | undefined; version: number } | undefined> {
    try {
      const { data, stat } = await this.#session.getData(this.#paths.offset(topic, partition))
      return { offset: parseOffset(data), version: stat.version }
    } catch (error) {
      if (isZooKeeperError(error, 'ZK_NO_NODE')) return undefined
      throw error
    }
  }
}
