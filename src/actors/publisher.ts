/**
 * The publishing side of one cluster: takes messages past the statecharts, and joins the data plane (accumulators, queues, senders)
 * to the machines that decide (topic, partition, identity). Memory of publishes is kept here; those that wait and the deadlines beside it.
 */
import { Accumulator } from '../flow/accumulator.ts'
import type { Delivery, PublishBatch } from '../flow/batch.ts'
import type { Link } from '../flow/link.ts'
import { PartitionQueue, type QueueEvents } from '../flow/partition-queue.ts'
import { pickAvailable } from '../flow/partitioner.ts'
import type { ProducerState } from '../flow/recovered.ts'
import { Sender } from '../flow/sender.ts'
import { TopicPlane } from '../flow/topic-plane.ts'
import type { ResolvedOptions } from '../model/config.ts'
import { type PlainError, PublishError, SamsaError } from '../model/errors.ts'
import type { ClusterEmitted } from '../model/events.ts'
import type { OutgoingMessage } from '../model/message.ts'
import type { World } from '../model/world.ts'
import { type CheckedMessages, checkMessages, choosePartition, copyMessages, isList, sizeUpperBound } from './outgoing.ts'
import { PublishDeadlines } from './publish-deadlines.ts'
import { PublishIdentity } from './publish-identity.ts'
import { PublishOutbox } from './publish-outbox.ts'
import { PublishWaiters } from './publish-waiters.ts'

export interface PublisherOptions {
  world: World
  options: ResolvedOptions
  emit: (event: ClusterEmitted) => void
  /** Sends to an actor of the cluster. */
  tell: (path: string, event: { type: string } & Record<string, unknown>) => void
  /** Makes `topics/<topic>` run. */
  useTopic: (topic: string) => void
  /** Makes `topics/<topic>/<partition>` run. */
  usePartition: (topic: string, partition: number) => void
}

export class Publisher {
  readonly planes = new Map<string, TopicPlane>()
  /** Where one is asked for: nothing is taken until it is open. */
  readonly outbox: PublishOutbox | undefined
  readonly identity: PublishIdentity
  #options: PublisherOptions
  #accumulators = new Map<string, Accumulator>()
  #senders = new WeakMap<Link, Sender>()
  #waiters: PublishWaiters
  #deadlines: PublishDeadlines
  #bufferedBytes = 0
  #outstanding = 0
  #whenSettled: (() => void) | undefined
  #closed = false

  constructor(options: PublisherOptions) {
    this.#options = options
    const { world, emit, tell } = options
    const { publish } = options.options
    this.#waiters = new PublishWaiters({
      world,
      maxBlockMs: publish.maxBlockMs,
      emit,
      outbox: options.options.outbox !== null,
      bufferedBytes: () => this.#bufferedBytes,
      dropped: () => this.#checkSettled()
    })
    this.identity = new PublishIdentity({ idempotent: publish.idempotent, tell: event => tell('cluster/identity', event) })
    this.outbox = options.options.outbox === null ? undefined : this.#makeOutbox()
    this.#deadlines = new PublishDeadlines({
      world,
      publish,
      tell,
      plane: topic => this.plane(topic),
      settle: (batch, error) => this.#settle(batch, error),
      feed: queue => this.#accumulators.get(queue.topic)!.feed(queue),
      moveTo: (from, target, batch, maybeDoubled, reason) =>
        this.#moveTo(this.plane(from.topic), from, target, [batch], maybeDoubled, reason)
    })
  }

  /** Of what an earlier process left, and what was not written. */
  #makeOutbox(): PublishOutbox {
    return new PublishOutbox({
      emit: this.#options.emit,
      queue: (topic, partition) => this.#queue(this.plane(topic), partition),
      entered: (queue, batch) => {
        this.#bufferedBytes += batch.memoryBytes
        this.#options.useTopic(queue.topic)
        this.#entered(queue)
      },
      withdraw: (batch, error) => {
        for (const queue of this.plane(batch.topic).queues.values())
          if (queue.sealed.includes(batch) || queue.flights.includes(batch)) queue.withdraw(batch, error, 'a batch was not accepted')
      },
      ready: () => this.#admit()
    })
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** Publishes a message, or a list that stays together. `delivery` is called once, later. Throws UsageError on bad input. */
  publish(topic: string, messages: OutgoingMessage | readonly OutgoingMessage[], delivery: Delivery): void {
    const { options, world } = this.#options
    const nowMs = world.now()
    const checked = checkMessages(messages, nowMs)
    const bytes = sizeUpperBound(checked, options.publish.maxRequestBytes)
    if (this.#closed)
      return delivery.failed(new PublishError('CLUSTER_CLOSED', 'The cluster is closed; nothing can be published any more.', 'failed'))
    if (isList(checked) && checked.length === 0)
      return delivery.failed(new PublishError('EMPTY_LIST', 'An empty list cannot be published.', 'failed'))
    const plane = this.plane(topic)
    if (plane.known && !this.#waiters.holds(topic) && this.#hasRoom()) return this.#append(plane, checked, nowMs, bytes, delivery)
    // The registry goes on looking: a topic that is created later is known as soon as it is there.
    if (plane.missing) return delivery.failed(plane.missing)
    this.#waiters.add({ topic, messages: copyMessages(checked), nowMs, sizeUpperBound: bytes, delivery })
    if (!plane.known) this.#options.useTopic(topic)
  }

  /** The plane of a topic; made, with its actor, when it is first asked for. */
  plane(topic: string): TopicPlane {
    let plane = this.planes.get(topic)
    if (!plane) {
      plane = new TopicPlane(topic)
      this.planes.set(topic, plane)
      const { world, options } = this.#options
      this.#accumulators.set(
        topic,
        new Accumulator({
          world,
          plane,
          publish: options.publish,
          queue: (of, partition) => this.#queue(of, partition),
          sealed: queue => this.#sealed(queue)
        })
      )
    }
    return plane
  }

  /** From the topic's machine: its level. */
  setTopic(
    topic: string,
    topicId: string | null,
    partitions: readonly number[],
    leaders: Readonly<Record<number, { node: number | null }>>
  ): void {
    this.plane(topic).setLevel(topicId, partitions, leaders)
    this.#accumulators.get(topic)!.nudge()
    this.#admit()
  }

  /** The brokers will say nothing of this topic to us: who waits for it to be known learns why, at once. */
  refuseTopic(topic: string, { code, message, kafka }: PlainError): void {
    this.#waiters.fail(topic, new PublishError(code, message, 'failed', { details: { topic }, ...(kafka ? { kafka } : {}) }))
  }

  /** From the topic's machine: it does not exist (any more). */
  setTopicMissing(topic: string, error: PlainError | null, deleted: boolean): void {
    const plane = this.plane(topic)
    const what = deleted
      ? `Topic ${topic} was deleted.`
      : `Topic ${topic} does not exist. Create it (samsa topics create ${topic}), or set createTopics.`
    const reason = (outcome: 'failed' | 'unknown') =>
      new PublishError('UNKNOWN_TOPIC', error ? `${what} ${error.message}` : what, outcome, { details: { topic } })
    plane.setMissing(reason('failed'))
    this.#waiters.fail(topic, reason('failed'))
    if (!deleted) return
    this.#failOpen(this.#accumulators.get(topic)!, reason('failed'))
    for (const queue of plane.queues.values())
      for (const batch of queue.takeAll()) this.#settle(batch, reason(batch.maybeWritten || batch.onWire ? 'unknown' : 'failed'))
  }

  /** From a partition's machine: unkeyed messages may, or may not, come here now. */
  setAvailable(topic: string, partition: number, available: boolean): void {
    this.plane(topic).setTrouble(partition, !available)
  }

  /** From a partition's machine: sends what may go. */
  drain(topic: string, partition: number, term: number, window: number, link: Link): void {
    const plane = this.plane(topic)
    const queue = plane.queues.get(partition)
    if (!queue) return
    const { current } = this.identity
    if (current) queue.setIdentity(current.producerId, current.epoch)
    const batches = queue.take(term, window)
    const add = (ready: readonly PublishBatch[]) => this.#sender(link).add(queue, ready, plane.topicId)
    if (batches.length > 0) this.outbox ? this.outbox.send(queue, batches, add) : add(batches)
    this.#accumulators.get(topic)!.feed(queue)
  }

  /** From a partition's machine: what was never sent and is not bound here goes to a partition that has a leader. */
  reroute(topic: string, partition: number, reason: string): void {
    const plane = this.plane(topic)
    const queue = plane.queues.get(partition)
    if (!queue) return
    this.#accumulators.get(topic)!.nudge()
    this.#moveFree(plane, queue, reason)
  }

  /** From a partition's machine: what the leader of this term has of batches that an earlier process left. */
  verify(topic: string, partition: number, term: number, producers: ReadonlyMap<bigint, ProducerState> | undefined): void {
    const { emit, world } = this.#options
    const verified = this.plane(topic).queues.get(partition)!.verify(term, producers, world.now())
    emit({ type: 'outbox.verified', topic, partition, ...verified, asked: producers !== undefined })
  }

  levels(topic: string, partition: number): { inFlight: number; queued: number; unverified: boolean } {
    const queue = this.planes.get(topic)?.queues.get(partition)
    return { ...(queue?.levels ?? { inFlight: 0, queued: 0 }), unverified: queue?.recovered.unverified ?? false }
  }

  /** Seals all that is open. */
  flush(): void {
    for (const accumulator of this.#accumulators.values()) accumulator.flush()
  }

  /** Flushes, and calls back once nothing is outstanding. */
  settle(callback: () => void): void {
    this.#closed = true
    this.flush()
    this.#whenSettled = callback
    this.#checkSettled()
  }

  /** The end: whatever is still here ends as failed (never sent) or unknown; in the outbox it stays. Resolves when that is free for the next process. */
  async close(): Promise<void> {
    this.#closed = true
    const kept = this.outbox ? ' What was accepted is in the outbox, and is delivered by the next who opens it.' : ''
    const reason = (outcome: 'failed' | 'unknown') =>
      new PublishError('CLUSTER_CLOSED', `The cluster was closed before this publish was acknowledged.${kept}`, outcome)
    this.#waiters.close(reason('failed'))
    for (const accumulator of this.#accumulators.values()) {
      accumulator.close()
      this.#failOpen(accumulator, reason('failed'))
    }
    for (const queue of this.#deadlines.close())
      for (const batch of queue.takeAll()) {
        const open = batch.maybeWritten || batch.onWire || batch.outboxId > 0
        this.#settle(batch, reason(open ? 'unknown' : 'failed'))
      }
    this.identity.refuse(new SamsaError('CLUSTER_CLOSED', 'The cluster is closed.'))
    await this.outbox?.close()
  }

  #hasRoom(): boolean {
    return this.#bufferedBytes < this.#options.options.publish.bufferMemoryBytes && (this.outbox?.isOpen ?? true)
  }

  /** Lets in, in order, those that wait for their topic or for memory. */
  #admit(): void {
    this.#waiters.admit(
      topic => this.#hasRoom() && (this.planes.get(topic)?.known ?? false),
      ({ topic, messages, nowMs, sizeUpperBound, delivery }) =>
        this.#append(this.planes.get(topic)!, messages, nowMs, sizeUpperBound, delivery)
    )
    if (this.#whenSettled) this.flush() // no linger any more for what was let in late
    this.#checkSettled()
  }

  #append(plane: TopicPlane, messages: CheckedMessages, nowMs: number, bytes: number, delivery: Delivery): void {
    let partition: number | undefined
    try {
      partition = choosePartition(plane, messages, this.#options.options.publish.partitioner)
    } catch (error) {
      const { code, message } = error as SamsaError
      return delivery.failed(new PublishError(code, message, 'failed', { cause: error }))
    }
    this.#bufferedBytes += this.#accumulators.get(plane.topic)!.append(partition, messages, nowMs, bytes, delivery)
  }

  #queue(plane: TopicPlane, partition: number): PartitionQueue {
    let queue = plane.queues.get(partition)
    if (!queue) {
      const path = `topics/${plane.topic}/${partition}`
      const { idempotent } = this.#options.options.publish
      queue = new PartitionQueue({ topic: plane.topic, partition, path, idempotent, givesUp: !this.outbox, events: this.#queueEvents })
      plane.queues.set(partition, queue)
    }
    return queue
  }

  #sealed(queue: PartitionQueue): void {
    this.outbox?.accept(queue)
    this.#entered(queue)
  }

  #entered(queue: PartitionQueue): void {
    this.#outstanding++
    this.#deadlines.watch(queue)
    this.#options.usePartition(queue.topic, queue.partition)
    this.#options.tell(queue.path, { type: 'SEALED', ...queue.levels })
  }

  #queueEvents: QueueEvents = {
    acked: queue => {
      this.#accumulators.get(queue.topic)!.feed(queue)
      this.#tellAcked(queue)
    },
    refused: (queue, reason, seek) =>
      this.#options.tell(queue.path, {
        type: 'REFUSED',
        term: queue.term,
        reason,
        seek,
        random: this.#options.world.random(),
        ...queue.levels
      } as { type: string }),
    linkLost: (queue, reason) =>
      this.#options.tell(queue.path, { type: 'LINK_LOST', term: queue.term, reason, random: this.#options.world.random() } as {
        type: string
      }),
    done: batch => this.#free(batch),
    split: (queue, batch, parts) => {
      this.outbox?.split(queue, batch, parts)
      this.#outstanding += parts.length - 1
      const { topic, partition } = queue
      const plane = this.plane(topic)
      // What the topic has refused is not built again.
      plane.batchBytesMax = Math.min(plane.batchBytesMax, Math.max(...parts.map(part => part.sealed.uncompressedBytes)))
      this.#options.emit({ type: 'publish.split', topic, partition, batchBytes: plane.batchBytesMax })
    },
    mayDouble: ({ topic, partition }, { count }, reason) =>
      this.#options.emit({ type: 'publish.maybeDoubled', topic, partition, count, reason }),
    needIdentity: () => this.identity.renew()
  }

  /**
   * While something waits its machine is told at once, as that may go now. That nothing is left it hears behind the next turn of the event loop: who waited
   * for this answer may publish again in this one, and that goes first. A stream of one in flight then never leaves `inFlight`.
   */
  #tellAcked(queue: PartitionQueue): void {
    const { term, levels } = queue
    const { world, tell } = this.#options
    const said = () => tell(queue.path, { type: 'ACKED', term, ...queue.levels })
    if (levels.inFlight + levels.queued > 0) said()
    else world.defer(() => world.defer(said))
  }

  #free(batch: PublishBatch): void {
    this.outbox?.ended(batch)
    this.#bufferedBytes -= batch.memoryBytes
    this.#outstanding--
    if (!this.#waiters.isEmpty) this.#admit()
    this.#checkSettled()
  }

  /** Batches that are still open were never sent, and do not count as outstanding. */
  #failOpen(accumulator: Accumulator, error: PublishError): void {
    for (const batch of accumulator.takeAll()) {
      this.#bufferedBytes -= batch.memoryBytes
      batch.failed(error)
    }
  }

  #settle(batch: PublishBatch, error: PublishError): void {
    batch.failed(error)
    this.#free(batch)
  }

  #checkSettled(): void {
    if (!this.#whenSettled || this.#outstanding > 0 || !this.#waiters.isEmpty) return
    const callback = this.#whenSettled
    this.#whenSettled = undefined
    callback()
  }

  #sender(link: Link): Sender {
    let sender = this.#senders.get(link)
    if (!sender) {
      const { world, options } = this.#options
      sender = new Sender({ world, link, publish: options.publish, requestTimeoutMs: options.requestTimeoutMs })
      this.#senders.set(link, sender)
    }
    return sender
  }

  #moveFree(plane: TopicPlane, from: PartitionQueue, reason: string): void {
    const target = pickAvailable(plane, from.partition)
    if (target === undefined) return
    const batches = from.takeMovable()
    if (batches.length > 0) this.#moveTo(plane, from, target, batches, false, reason)
  }

  #moveTo(plane: TopicPlane, from: PartitionQueue, target: number, batches: PublishBatch[], maybeDoubled: boolean, reason: string): void {
    const queue = this.#queue(plane, target)
    let count = 0
    for (const batch of batches) {
      count += batch.count
      if (batch.group) batch.group.partition = target
      queue.sealed.push(batch)
    }
    this.#options.emit({ type: 'publish.rerouted', topic: plane.topic, from: from.partition, to: target, count, maybeDoubled, reason })
    this.#outstanding -= batches.length
    for (const _ of batches) this.#sealed(queue)
  }
}
