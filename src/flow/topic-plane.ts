/**
 * The data plane's copy of a topic: how many partitions, which have a leader and no trouble, their queues. Set by the machines'
 * effects; read at every publish.
 */
import type { PublishError } from '../model/errors.ts'
import type { PartitionQueue } from './partition-queue.ts'

export class TopicPlane {
  readonly topic: string
  topicId: string | null = null
  /** Known and existing. Publishes wait until then. */
  known = false
  /** Why it is known not to exist; undefined while that is not known. */
  missing: PublishError | undefined
  partitions = 0
  /** Partitions that take unkeyed messages now: a leader is known and its link works. Sorted. */
  available: number[] = []
  readonly queues = new Map<number, PartitionQueue>()
  /** Batches larger than this were refused by the topic (`max.message.bytes`). */
  batchBytesMax = Number.POSITIVE_INFINITY
  /** Where the next turn over `available` begins. */
  turn = 0
  #leaders = new Map<number, number | null>()
  #trouble = new Set<number>()

  constructor(topic: string) {
    this.topic = topic
  }

  setLevel(topicId: string | null, partitions: readonly number[], leaders: Readonly<Record<number, { node: number | null }>>): void {
    this.topicId = topicId
    this.partitions = partitions.length
    this.known = partitions.length > 0
    this.missing = undefined
    this.#leaders = new Map(partitions.map(partition => [partition, leaders[partition]?.node ?? null]))
    this.#recount()
  }

  setMissing(reason: PublishError): void {
    this.known = false
    this.missing = reason
    this.topicId = null
    this.partitions = 0
    this.batchBytesMax = Number.POSITIVE_INFINITY
    this.#leaders.clear()
    this.#trouble.clear()
    this.#recount()
  }

  setTrouble(partition: number, trouble: boolean): void {
    if (trouble === this.#trouble.has(partition)) return
    if (trouble) this.#trouble.add(partition)
    else this.#trouble.delete(partition)
    this.#recount()
  }

  leaderOf(partition: number): number | null {
    return this.#leaders.get(partition) ?? null
  }

  #recount(): void {
    this.available = [...this.#leaders]
      .filter(([partition, leader]) => leader !== null && !this.#trouble.has(partition))
      .map(([partition]) => partition)
      .sort((a, b) => a - b)
  }
}
