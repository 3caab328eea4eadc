/**
 * The way of a publish, first half: messages of one topic become batches.
 *
 *   publish ──► keyed: the open batch of its partition        ┐  full, linger over (and its queue is hungry), flush
 *           └─► no key: one open batch, bound to no partition  ┴──► sealed ──► PartitionQueue ──► machine: SEALED
 *
 * An unkeyed batch gets its partition when it is sealed, so it goes where there is a leader and the least is waiting.
 * A list is appended whole to one batch, or, when it is larger than a batch, to batches of its own that share one partition.
 */

import type { ResolvedPublishOptions } from '../model/config.ts'
import type { OutgoingRecord } from '../model/message.ts'
import type { Timer, World } from '../model/world.ts'
import { BatchWriter, recordSizeUpperBound } from '../wire/records/index.ts'
import { type Delivery, type ListGroup, PublishBatch } from './batch.ts'
import { ListDelivery } from './list-delivery.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { pickAvailable } from './partitioner.ts'
import type { TopicPlane } from './topic-plane.ts'

/** A record of the user's, taken apart and checked. */
export interface CheckedRecord {
  key: string | Uint8Array | null
  value: string | Uint8Array | null
  headers: OutgoingRecord['headers']
  timestampMs: number
  /** The one that was asked for. */
  partition: number | undefined
}

/** A bare value, as it was given, or a record. */
export type CheckedMessage = string | Uint8Array | CheckedRecord

/** Memory of a partition's first batch. */
const FIRST_BYTES = 1_024

interface OpenBatch {
  writer: BatchWriter
  deliveries: Delivery[]
  starts: number[]
  timestampsMs: number[]
  /** What `append` has counted for it. */
  memoryBytes: number
  openedAtMs: number
  /** Its linger is over; it is sealed as soon as its queue has nothing sealed. */
  ripe: boolean
  group: ListGroup | undefined
}

export interface AccumulatorOptions {
  world: World
  plane: TopicPlane
  publish: ResolvedPublishOptions
  /** The queue of a partition; made, with its machine, when it is first needed. */
  queue: (plane: TopicPlane, partition: number) => PartitionQueue
  /** A batch lies in this queue now. */
  sealed: (queue: PartitionQueue) => void
}

export class Accumulator {
  readonly plane: TopicPlane
  #options: AccumulatorOptions
  #free: OpenBatch | undefined
  #bound = new Map<number, OpenBatch>()
  #timer: Timer | undefined
  /** By partition: what its last batch took, and so the memory that the next one begins with. */
  #lastBytes = new Map<number | undefined, number>()
  /** Left by a batch that was compressed: fresh memory for each would cost more than filling it. */
  #spare: Buffer | undefined
  #deferred = false

  constructor(options: AccumulatorOptions) {
    this.plane = options.plane
    this.#options = options
  }

  /** A batch grows up to here: as the user said, or less where the topic has refused that much. */
  get batchBytes(): number {
    return Math.min(this.#options.publish.batchBytes, this.plane.batchBytesMax)
  }

  get isEmpty(): boolean {
    return this.#free === undefined && this.#bound.size === 0
  }

  /**
   * Appends a message or a whole list. `partition` undefined: no key, wherever it fits. Bare values get the time `nowMs`. Returns the
   * bytes that it took. `sizeUpperBound` is what it takes at most: only where that does not fit is it measured.
   */
  append(
    partition: number | undefined,
    messages: CheckedMessage | readonly CheckedMessage[],
    nowMs: number,
    sizeUpperBound: number,
    delivery: Delivery
  ): number {
    const { batchBytes } = this
    const list = Array.isArray(messages) ? (messages as readonly CheckedMessage[]) : undefined
    const before = partition === undefined ? this.#free : this.#bound.get(partition)
    if ((before?.writer.sizeBytes ?? 0) + sizeUpperBound > batchBytes) {
      const size = list ? sizeOfAll(list) : sizeOf(messages as CheckedMessage)
      if (list && list.length > 1 && size > batchBytes) return this.#appendLongList(partition, list, nowMs, delivery)
      if (before && before.writer.sizeBytes + size > batchBytes) this.#seal(partition, before)
    }
    const open = this.#openBatch(partition)
    const { writer } = open
    open.deliveries.push(delivery)
    open.starts.push(writer.count)
    open.timestampsMs.push(timestampOf(list ? list[0]! : (messages as CheckedMessage), nowMs))
    let bytes = 0
    if (list) for (let i = 0; i < list.length; i++) bytes += write(writer, list[i]!, nowMs)
    else bytes = write(writer, messages as CheckedMessage, nowMs)
    open.memoryBytes += bytes
    if (writer.sizeBytes >= batchBytes) this.#seal(partition, open)
    else this.#arm()
    return bytes
  }

  /** Seals everything now. */
  flush(): void {
    if (this.#free) this.#seal(undefined, this.#free)
    for (const [partition, open] of [...this.#bound]) this.#seal(partition, open)
  }

  /** A queue has nothing sealed left: what is ripe for it goes now. */
  feed(queue: PartitionQueue): void {
    if (queue.sealed.length > 0) return
    const bound = this.#bound.get(queue.partition)
    if (bound?.ripe) this.#seal(queue.partition, bound)
    else if (this.#free?.ripe && this.plane.available.includes(queue.partition)) this.#seal(undefined, this.#free, queue.partition)
  }

  /** Another set of partitions is available: what is ripe goes now, hungry queue or not. */
  nudge(): void {
    if (this.#free?.ripe) this.#seal(undefined, this.#free)
  }

  /** What was never sealed, given back to be failed. */
  takeAll(): PublishBatch[] {
    const open = [...(this.#free ? [this.#free] : []), ...this.#bound.values()]
    this.#free = undefined
    this.#bound.clear()
    return open.map(one => this.#batch(one, true))
  }

  #openBatch(partition: number | undefined): OpenBatch {
    let open = partition === undefined ? this.#free : this.#bound.get(partition)
    if (open) return open
    open = {
      writer: new BatchWriter({
        limitBytes: this.#options.publish.maxRequestBytes,
        initialBytes: this.#initialBytes(partition),
        ...this.#takeSpare()
      }),
      deliveries: [],
      starts: [],
      timestampsMs: [],
      memoryBytes: 0,
      openedAtMs: this.#options.world.monotonicMs(),
      ripe: false,
      group: undefined
    }
    if (partition === undefined) this.#free = open
    else this.#bound.set(partition, open)
    return open
  }

  #takeSpare(): { memory?: Buffer } {
    const memory = this.#spare
    this.#spare = undefined
    return memory ? { memory } : {}
  }

  /** An eighth more than before: a steady stream never grows its buffer. */
  #initialBytes(partition: number | undefined): number {
    const last = this.#lastBytes.get(partition)
    return last === undefined ? FIRST_BYTES : last + (last >>> 3) + 256
  }

  #appendLongList(partition: number | undefined, messages: readonly CheckedMessage[], nowMs: number, delivery: Delivery): number {
    const { batchBytes } = this
    const before = partition === undefined ? this.#free : this.#bound.get(partition)
    if (before) this.#seal(partition, before) // what was published earlier stays ahead of it
    const group: ListGroup = { sent: false, partition: -1 }
    const parts = new ListDelivery(delivery)
    let bytes = 0
    let next = 0
    while (next < messages.length) {
      const open = this.#openBatch(partition)
      open.group = group
      open.deliveries.push(parts.part())
      open.starts.push(0)
      open.timestampsMs.push(timestampOf(messages[next]!, nowMs))
      do open.memoryBytes += write(open.writer, messages[next++]!, nowMs)
      while (next < messages.length && open.writer.sizeBytes + sizeOf(messages[next]!) <= batchBytes)
      bytes += open.memoryBytes
      this.#seal(partition, open, group.partition >= 0 ? group.partition : undefined)
    }
    parts.sealed()
    return bytes
  }

  #batch(open: OpenBatch, free: boolean): PublishBatch {
    const { publish } = this.#options
    const sealed = open.writer.seal(publish.compression)
    this.#spare = open.writer.memory ?? this.#spare
    return new PublishBatch({
      topic: this.plane.topic,
      sealed,
      free,
      group: open.group,
      deadlineMs: open.openedAtMs + publish.deliveryTimeoutMs,
      memoryBytes: open.memoryBytes,
      deliveries: open.deliveries,
      starts: open.starts,
      timestampsMs: open.timestampsMs
    })
  }

  #seal(partition: number | undefined, open: OpenBatch, preferred?: number): void {
    if (partition === undefined) this.#free = undefined
    else this.#bound.delete(partition)
    // With no leader anywhere it waits in turn; the machine of that partition moves it once another one has a leader.
    const target = partition ?? preferred ?? pickAvailable(this.plane) ?? this.plane.turn++ % this.plane.partitions
    if (open.group) open.group.partition = target
    this.#lastBytes.set(partition, open.writer.sizeBytes)
    const queue = this.#options.queue(this.plane, target)
    queue.sealed.push(this.#batch(open, partition === undefined))
    this.#options.sealed(queue)
  }

  /** lingerMs 0: what one turn of the event loop publishes goes together. */
  #arm(): void {
    const { world, publish } = this.#options
    if (publish.lingerMs === 0) {
      if (this.#deferred) return
      this.#deferred = true
      world.defer(() => {
        this.#deferred = false
        this.#ripen(Number.POSITIVE_INFINITY)
      })
    } else
      this.#timer ??= world.setTimer(() => {
        this.#timer = undefined
        this.#ripen(world.monotonicMs() - publish.lingerMs)
        if (this.#hasUnripe()) this.#arm()
      }, publish.lingerMs)
  }

  #hasUnripe(): boolean {
    if (this.#free && !this.#free.ripe) return true
    for (const open of this.#bound.values()) if (!open.ripe) return true
    return false
  }

  /** Linger is over for what was opened by then: sealed where its queue is hungry, else as soon as it becomes so (`feed`). */
  #ripen(openedByMs: number): void {
    for (const [partition, open] of [...this.#bound]) {
      if (open.openedAtMs > openedByMs) continue
      open.ripe = true
      if ((this.plane.queues.get(partition)?.sealed.length ?? 0) === 0) this.#seal(partition, open)
    }
    const free = this.#free
    if (!free || free.openedAtMs > openedByMs) return
    free.ripe = true
    const target = pickAvailable(this.plane)
    if (target === undefined || (this.plane.queues.get(target)?.sealed.length ?? 0) === 0) this.#seal(undefined, free, target)
  }

  close(): void {
    if (this.#timer !== undefined) this.#options.world.clearTimer(this.#timer)
  }
}

const isBare = (message: CheckedMessage): message is string | Uint8Array => typeof message === 'string' || message instanceof Uint8Array

const timestampOf = (message: CheckedMessage, nowMs: number) => (isBare(message) ? nowMs : message.timestampMs)

function sizeOf(message: CheckedMessage): number {
  return isBare(message) ? recordSizeUpperBound(null, message) : recordSizeUpperBound(message.key, message.value, message.headers)
}

function sizeOfAll(messages: readonly CheckedMessage[]): number {
  let bytes = 0
  for (const message of messages) bytes += sizeOf(message)
  return bytes
}

function write(writer: BatchWriter, message: CheckedMessage, nowMs: number): number {
  if (isBare(message)) return writer.append(nowMs, null, message, undefined)
  return writer.append(message.timestampMs, message.key, message.value, message.headers)
}
