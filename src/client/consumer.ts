/**
 * The face of a consumer with `for await`: messages, or batches. A message counts as processed when the next one is asked for;
 * the one in hand at a `break` or a throw does not. Leaving the loop closes the consumer gracefully.
 */
import type { PlaneHandle } from '../actors/consumer-handle.ts'
import type { ConsumerEmitted, ConsumerHandle, TopicPartition } from '../model/events.ts'
import type { Message } from '../model/message.ts'
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

  /** Made by `topic.subscribe` and `cluster.subscribe`. */
  constructor(handle: Promise<ConsumerHandle>, world: World, options: ConsumerOptions = {}) {
    this.#handle = handle
    this.#world = world
    // Whoever awaits anything of this consumer is told why it could not start; that nobody awaits is no crash.
    handle.catch(() => {})
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
    let removed = false
    let remove: (() => void) | undefined
    this.#handle.then(
      handle => {
        if (!removed) remove = handle.on(type, listener as never)
      },
      () => {}
    )
    return () => {
      removed = true
      remove?.()
    }
  }

  /** Stops fetching and handing out these partitions (default: all, later ones too); what is in hand stays. */
  async pause(partitions?: readonly TopicPartition[]): Promise<void> {
    ;(await this.#handle).pause(partitions)
  }

  async resume(partitions?: readonly TopicPartition[]): Promise<void> {
    ;(await this.#handle).resume(partitions)
  }

  /** Commits what was processed so far. Rejects when it is not owned any more, or when there is no group. */
  async commit(): Promise<void> {
    await (await this.#handle).commit()
  }

  /** The next offset to process, of every partition that is owned and located. */
  async positions(): Promise<(TopicPartition & { offset: bigint })[]> {
    return (await this.#handle).positions()
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
