/**
 * Where a consumer with a manual assignment commits under its group's name: into ZooKeeper where the cluster is named by it, and into Kafka as the
 * copy; else into Kafka alone.
 */
import type { CommittedOffset, OffsetStore, OffsetToCommit } from '../flow/offset-store.ts'
import type { Owned } from '../machines/consumer.ts'
import { type PlainError, plainError, SamsaError } from '../model/errors.ts'
import { readOffset, writeOffset } from '../registry/group/free-offsets.ts'
import type { ZooKeeperSession } from '../registry/zookeeper/session.ts'
import type { Instance } from './instance.ts'
import { KafkaOffsets } from './kafka-offsets.ts'
import { refuseMetadata, withCopies } from './offset-copies.ts'
import { isAnotherTopic, wasMadeAgain } from './registry-session.ts'

export function manualOffsets(instance: Instance, group: string, mirror: boolean, onTrouble: (error: PlainError) => void): OffsetStore {
  const kafka = new KafkaOffsets(instance, group)
  if (instance.options.zookeeper === null || instance.registry?.zooKeeperGone) return kafka
  return new ZooKeeperOffsets(instance, group, mirror ? kafka : undefined, onTrouble)
}

class ZooKeeperOffsets implements OffsetStore {
  readonly #instance: Instance
  readonly #group: string
  readonly #kafka: KafkaOffsets | undefined
  readonly #onTrouble: (error: PlainError) => void

  constructor(instance: Instance, group: string, kafka: KafkaOffsets | undefined, onTrouble: (error: PlainError) => void) {
    this.#instance = instance
    this.#group = group
    this.#kafka = kafka
    this.#onTrouble = onTrouble
  }

  async fetch(partitions: readonly Owned[]): Promise<ReadonlyMap<string, CommittedOffset>> {
    const session = this.#session()
    const offsets = await Promise.all(
      partitions.map(async ({ topic, partition }) => {
        const offset = await readOffset(session, this.#group, topic, partition).catch(unavailable)
        return offset === undefined && wasMadeAgain(this.#instance, topic) ? 'stale' : offset
      })
    )
    return withCopies(partitions, offsets, this.#kafka, this.#onTrouble)
  }

  /** ZooKeeper decides; the copy is written before the commit counts as done, but its failure is only told. */
  async commit(_epoch: number, offsets: readonly OffsetToCommit[]): Promise<(OffsetToCommit & { error?: Error })[]> {
    const session = this.#session()
    if (!this.#kafka) refuseMetadata(offsets)
    const results = await Promise.all(
      offsets.map(async offset => {
        try {
          if (isAnotherTopic(this.#instance, offset)) throw recreated(offset)
          await writeOffset(session, this.#group, offset.topic, offset.partition, offset.offset)
          return offset
        } catch (error) {
          return { ...offset, error: error instanceof Error ? error : new Error(String(error)) }
        }
      })
    )
    await this.#copy(results.filter(result => !('error' in result)))
    return results
  }

  async #copy(offsets: readonly OffsetToCommit[]): Promise<void> {
    if (!this.#kafka || offsets.length === 0) return
    try {
      for (const { error } of await this.#kafka.commit(-1, offsets)) if (error) this.#failed(error)
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    const message = `Offsets of group ${this.#group} are committed in ZooKeeper, but their copy in Kafka is not written: ${plainError(error).message}`
    this.#onTrouble(new SamsaError('MIRROR_FAILED', message, { retriable: plainError(error).retriable, cause: error }).toJSON())
  }

  #session(): ZooKeeperSession {
    const session = this.#instance.registry?.currentSession?.()
    if (session) return session
    throw new SamsaError('NO_SESSION', 'There is no ZooKeeper session at the moment; offsets can be neither read nor committed.', {
      retriable: true
    })
  }
}

function recreated({ topic, partition }: OffsetToCommit): SamsaError {
  const message = `Topic ${topic} was deleted and made again: the offset of the old ${topic}/${partition} was not committed.`
  return new SamsaError('TOPIC_RECREATED', message, { details: { topic, partition } })
}

/** A session that ends is followed by another one: worth another try, unless ZooKeeper says no. */
function unavailable(error: unknown): never {
  const { code, message } = plainError(error)
  if (code === 'ZK_NO_AUTH') throw error
  throw new SamsaError(code, message, { retriable: true, cause: error })
}
