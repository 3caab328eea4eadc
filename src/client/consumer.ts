/**
 * The face of a consumer with `for await`: messages, or batches. A message counts as processed when the next one is asked for;
 * the one in hand at a `break` or a throw does not. Leaving the loop closes the consumer gracefully.
 */
import type { PlaneHandle } from '../actors/consumer-handle.ts'
import type { ConsumerEmitted, ConsumerHandle, TopicPartition } from '../model/events.ts'
import type { Message } from '../model/message.ts'
import type { CommittedPosition, OffsetCommit, PartitionLag, Position, SeekPosition } from '../model/positions.ts'
import type { World } from '../model/world.ts'
import { BatchIterator, type MessageBatch, MessageIterator } from './consumer-iterators.ts'

export interface ConsumerOptions {
  /** Aborting it closes the consumer gracefully; a loop over it ends as if there were no more messages. */
  signal?: AbortSignal
}

type EventOf<T> = T extends '*' ? ConsumerEmitted : Extract<ConsumerEmitted, { type: T }>

export class Consumer implements AsyncIterable<Message>, AsyncDisposable {
  #handle: Promise<ConsumerHandle>
  #world: World
  #closing: Promise<void> | undefined
  #begun: ConsumerHandle | undefined
  /** Listeners from before there was a handle. */
  #waiting = new Set<(handle: ConsumerHandle) => void>()

  /** Made by `topic.subscribe` and `cluster.subscribe`. */
  constructor(handle: Promise<ConsumerHandle>, world: World, options: ConsumerOptions = {}) {
    this.#handle = handle
    this.#world = world
    // Whoever awaits anything of this consumer is told why it could not start; that nobody awaits is no crash.
    handle.then(
      started => this.begun(started),
      () => {}
    )
    const { signal } = options
    if (signal?.aborted) this.#closeInSilence()
    else signal?.addEventListener('abort', () => this.#closeInSilence(), { once: true })
  }

  /** The running consumer behind it. Rejects when the subscription was refused. */
  get handle(): Promise<ConsumerHandle> {
    return this.#handle
  }

  /** One loop at a time. Rejects with what ended the consumer, and with the error of a parked partition that nobody listens for. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    return new MessageIterator(this.#planeHandle(), this.#world, () => this.close())
  }

  /** The same in batches: one counts as processed when the next is asked for, or on `ack()`, or in parts on `ack(message)`. */
  batches(): AsyncIterableIterator<MessageBatch> {
    return new BatchIterator(this.#planeHandle(), this.#world, () => this.close())
  }

  /** Adds a typed listener; returns what removes it. */
  on<T extends ConsumerEmitted['type'] | '*'>(type: T, listener: (event: EventOf<T>) => void | Promise<void>): () => void {
    if (this.#begun) return this.#begun.on(type, listener as never)
    let remove: (() => void) | undefined
    const add = (handle: ConsumerHandle) => {
      remove = handle.on(type, listener as never)
    }
    this.#waiting.add(add)
    return () => {
      this.#waiting.delete(add)
      remove?.()
    }
  }

  /** Used by `cluster.subscribe`, in the very turn in which the consumer starts: a promise would come after its first events. */
  begun(handle: ConsumerHandle): void {
    if (this.#begun) return
    this.#begun = handle
    for (const add of this.#waiting) add(handle)
    this.#waiting.clear()
  }

  /** Stops fetching and handing out these partitions (default: all, later ones too); what is in hand stays. */
  async pause(partitions?: readonly TopicPartition[]): Promise<void> {
    ;(await this.#handle).pause(partitions)
  }

  async resume(partitions?: readonly TopicPartition[]): Promise<void> {
    ;(await this.#handle).resume(partitions)
  }

  async isPaused(partition: TopicPartition): Promise<boolean> {
    return (await this.#handle).isPaused(partition)
  }

  /** The partitions that are owned now. */
  async assignment(): Promise<TopicPartition[]> {
    return (await this.#handle).assignment()
  }

  /**
   * Manual assignment: exactly these from now on, for a consumer that was subscribed with `partitions`. Only the difference is claimed, or drained
   * and committed; see `ConsumerHandle.assign`. The partition of the message in hand waits for the loop to ask for the next one, `revokeTimeoutMs` at
   * most: inside the loop do not await it.
   */
  async assign(partitions: readonly (TopicPartition & { offset?: bigint })[]): Promise<void> {
    await (await this.#handle).assign(partitions)
  }

  /**
   * Commits what was processed so far, or exactly these offsets (a message stands for the offset after it). Rejects when one is not owned any more, or
   * when there is no group; see `ConsumerHandle.commit`.
   */
  async commit(offsets?: OffsetCommit | readonly OffsetCommit[]): Promise<void> {
    await (await this.#handle).commit(offsets)
  }

  /** What the group has committed of these partitions (default: of those that are owned); those without are left out. */
  async committed(partitions?: readonly TopicPartition[]): Promise<CommittedPosition[]> {
    return (await this.#handle).committed(partitions)
  }

  /** The next offset to process, of every partition that is owned and located. */
  async positions(): Promise<Position[]> {
    return (await this.#handle).positions()
  }

  /** How far the positions are behind the ends, in offsets, of these owned partitions (default: all that are located). */
  async lag(partitions?: readonly TopicPartition[]): Promise<PartitionLag[]> {
    return (await this.#handle).lag(partitions)
  }

  /**
   * Goes on somewhere else: `{ topic, partition, to }`, a list of such, `{ partitions, to }`, or `{ to }` for all that are owned; `to` is an offset,
   * `beginning`, `end`, `committed` or a Date. The next message of these partitions that the loop gets is the sought one: the rest of what was
   * fetched is dropped, and the message in hand does not count. Resolves when the new positions are known; see `ConsumerHandle.seek`.
   */
  async seek(positions: SeekPosition | readonly SeekPosition[]): Promise<void> {
    await (await this.#handle).seek(positions)
  }

  /**
   * Stops, drains, commits, releases, leaves; at most `timeoutMs` (default 30,000). It waits for the message in hand, for
   * `revokeTimeoutMs` at most: inside the loop use `break`. Rejects with what ended the consumer before.
   */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#handle.then(handle => handle.close(options))
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #planeHandle(): Promise<PlaneHandle> {
    return this.#handle as Promise<ConsumerHandle> as Promise<PlaneHandle>
  }

  #closeInSilence(): void {
    this.close().catch(() => {})
  }
}
