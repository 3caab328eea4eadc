/**
 * Where a group member's consumer commits: into ZooKeeper, through the session that holds the owner nodes. What was written there is copied to
 * Kafka behind it, so that Kafka's tools show the lag; a copy that fails is told and holds up nobody.
 */
import type { CommittedOffset, OffsetStore, OffsetToCommit } from '../flow/offset-store.ts'
import { keyOf, type Owned } from '../machines/consumer.ts'
import { type PlainError, plainError, SamsaError } from '../model/errors.ts'
import type { GroupSession } from '../registry/group/group-session.ts'
import type { KafkaOffsets } from './kafka-offsets.ts'
import { refuseMetadata, withCopies } from './offset-copies.ts'

export interface GroupOffsetsOptions {
  /** The member in its present session. */
  group: () => GroupSession | undefined
  /** Undefined: nothing is copied to Kafka, and nothing read there. */
  kafka: KafkaOffsets | undefined
  onTrouble: (error: PlainError) => void
  /** Kafka takes no copy because the group has members there too: some have gone over by themselves. */
  onMembersInKafka?: () => void
}

export class GroupOffsets implements OffsetStore {
  readonly #options: GroupOffsetsOptions
  /** To be copied: the newest of each partition. */
  #waiting = new Map<string, OffsetToCommit>()
  #copying: Promise<void> | undefined

  constructor(options: GroupOffsetsOptions) {
    this.#options = options
  }

  async commit(epoch: number, offsets: readonly OffsetToCommit[]): Promise<(OffsetToCommit & { error?: Error })[]> {
    const group = this.#options.group()
    if (!group) throw new SamsaError('NOT_OWNER', 'There is no ZooKeeper session, so this member owns nothing; nothing was committed.')
    if (!this.#options.kafka) refuseMetadata(offsets)
    const results = await group.commit(epoch, offsets)
    const failed = new Set(results.filter(({ error }) => error).map(keyOf))
    this.#copy(offsets.filter(offset => !failed.has(keyOf(offset))))
    return results
  }

  async fetch(partitions: readonly Owned[]): Promise<ReadonlyMap<string, CommittedOffset>> {
    const { group, kafka, onTrouble } = this.#options
    const session = group()
    if (!session) throw new SamsaError('SUSPENDED', 'There is no ZooKeeper session to read the committed offset with.', { retriable: true })
    const offsets = await Promise.all(partitions.map(({ topic, partition }) => session.committed(topic, partition)))
    // What was committed last may not be copied yet.
    await this.copied()
    return withCopies(partitions, offsets, kafka, onTrouble)
  }

  /** Resolves when everything that was committed is copied, or has failed to be. */
  async copied(): Promise<void> {
    await this.#copying
  }

  #copy(offsets: readonly OffsetToCommit[]): void {
    if (!this.#options.kafka) return
    for (const offset of offsets) this.#waiting.set(keyOf(offset), offset)
    if (this.#waiting.size > 0) this.#copying ??= this.#copyAll(this.#options.kafka)
  }

  /** One request at a time; what is committed meanwhile goes with the next. */
  async #copyAll(kafka: KafkaOffsets): Promise<void> {
    while (this.#waiting.size > 0) {
      const offsets = [...this.#waiting.values()]
      this.#waiting.clear()
      try {
        const results = await kafka.commit(-1, offsets)
        for (const { topic, partition, error } of results) if (error) this.#failed(`${topic}/${partition}`, error)
        if (results.some(({ error }) => error && plainError(error).code === 'UNKNOWN_MEMBER_ID')) this.#options.onMembersInKafka?.()
      } catch (error) {
        this.#failed(offsets.map(keyOf).slice(0, 5).join(', '), error)
      }
    }
    this.#copying = undefined
  }

  #failed(where: string, error: unknown): void {
    const { code, message, retriable, kafka } = plainError(error)
    const text = `The offset of ${where} is committed in ZooKeeper, but its copy in Kafka is not written (${code}): ${message}`
    this.#options.onTrouble(new SamsaError('MIRROR_FAILED', text, { retriable, cause: error, ...(kafka ? { kafka } : {}) }).toJSON())
  }
}
