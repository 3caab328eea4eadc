/**
 * Committed offsets of one group, and those that wait for their transaction. All of it is durable: a new coordinator finds it as it was.
 */
export interface CommittedOffset {
  offset: bigint
  /** -1: unknown. */
  leaderEpoch: number
  metadata: string
  /** Wall clock, ms. */
  committedAt: number
}

type ByTopic = Map<string, Map<number, CommittedOffset>>

export interface NamedOffset extends CommittedOffset {
  topic: string
  partition: number
}

export class GroupOffsets {
  #committed: ByTopic = new Map()
  /** By producer id. */
  #pending = new Map<bigint, ByTopic>()

  get isEmpty(): boolean {
    return this.#committed.size === 0 && this.#pending.size === 0
  }

  commit({ topic, partition, ...offset }: NamedOffset): void {
    put(this.#committed, topic, partition, offset)
  }

  /** To be committed, or not, by this producer's transaction. */
  commitPending(producerId: bigint, { topic, partition, ...offset }: NamedOffset): void {
    let pending = this.#pending.get(producerId)
    if (!pending) this.#pending.set(producerId, (pending = new Map()))
    put(pending, topic, partition, offset)
  }

  endTransaction(producerId: bigint, committed: boolean): void {
    const pending = this.#pending.get(producerId)
    if (!pending || !this.#pending.delete(producerId) || !committed) return
    for (const [topic, partitions] of pending) for (const [partition, offset] of partitions) put(this.#committed, topic, partition, offset)
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#committed.get(topic)?.get(partition)
  }

  /** Does a transaction that is not decided hold another offset of it? */
  isPending(topic: string, partition: number): boolean {
    for (const pending of this.#pending.values()) if (pending.get(topic)?.has(partition)) return true
    return false
  }

  /** Has this producer's transaction something to decide here? */
  awaits(producerId: bigint): boolean {
    return this.#pending.has(producerId)
  }

  /** Topics with committed or pending offsets, and their partitions. */
  partitions(): Map<string, number[]> {
    const topics = new Set([this.#committed, ...this.#pending.values()].flatMap(byTopic => [...byTopic.keys()]))
    return new Map([...topics].map(topic => [topic, this.partitionsOf(topic)]))
  }

  partitionsOf(topic: string): number[] {
    const found = new Set<number>()
    for (const byTopic of [this.#committed, ...this.#pending.values()])
      for (const partition of byTopic.get(topic)?.keys() ?? []) found.add(partition)
    return [...found].sort((a, b) => a - b)
  }

  /** `partition` undefined: of all of them. */
  delete(topic: string, partition?: number): void {
    for (const byTopic of [this.#committed, ...this.#pending.values()]) {
      if (partition === undefined) byTopic.delete(topic)
      else byTopic.get(topic)?.delete(partition)
      if (byTopic.get(topic)?.size === 0) byTopic.delete(topic)
    }
    for (const [producerId, pending] of this.#pending) if (pending.size === 0) this.#pending.delete(producerId)
  }
}

function put(into: ByTopic, topic: string, partition: number, offset: CommittedOffset): void {
  let partitions = into.get(topic)
  if (!partitions) into.set(topic, (partitions = new Map()))
  partitions.set(partition, offset)
}
