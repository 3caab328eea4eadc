/**
 * Joins the publisher to the outbox: what is sealed is accepted, what is about to be sent has its identity on disk first, and what has ended leaves it.
 * Batches of earlier processes come back into their partitions' queues.
 */
import { type Delivery, type ListGroup, PublishBatch } from '../flow/batch.ts'
import type { PartitionQueue } from '../flow/partition-queue.ts'
import type { Outbox, OutboxEntry } from '../journal/outbox.ts'
import type { BatchMeta } from '../journal/outbox-frames.ts'
import type { OpenedOutbox, OutboxDamage } from '../journal/outbox-open.ts'
import { type Compression, isTopicName } from '../model/config.ts'
import { PublishError, plainError, type SamsaError } from '../model/errors.ts'
import type { ClusterEmitted } from '../model/events.ts'
import { RecordBatch, stamp } from '../wire/records/index.ts'

/** Of a record batch: all that a stamp may change lies in it. */
const HEADER_BYTES = 61
const LENGTH_AT = 8
const MAGIC_AT = 16

/** What `Cluster.outbox` shows. */
export interface OutboxView {
  readonly directory: string
  /** Accepted and not acked. */
  readonly batches: number
  readonly bytes: number
  /** Of these, what earlier processes left when it was opened. */
  readonly recoveredBatches: number
  /** What was wrong with the files then. */
  readonly damages: readonly ReturnType<typeof describeDamage>[]
}

export interface PublishOutboxOptions {
  emit: (event: ClusterEmitted) => void
  /** The queue of a partition; made where it is first needed. */
  queue: (topic: string, partition: number) => PartitionQueue
  /** A batch of an earlier process lies in this queue. */
  entered: (queue: PartitionQueue, batch: PublishBatch) => void
  /** It ends here: it was not accepted. */
  withdraw: (batch: PublishBatch, error: PublishError) => void
  /** Publishes may come now. */
  ready: () => void
}

export class PublishOutbox {
  #options: PublishOutboxOptions
  #outbox: Outbox | undefined
  #batches = new Map<number, PublishBatch>()
  #lists = new WeakMap<ListGroup, number>()
  #rejecting = new Set<Promise<void>>()
  #closing: Promise<void> | undefined
  #found: Pick<OutboxView, 'recoveredBatches' | 'damages'> = { recoveredBatches: 0, damages: [] }

  constructor(options: PublishOutboxOptions) {
    this.#options = options
  }

  get isOpen(): boolean {
    return this.#outbox !== undefined
  }

  get view(): OutboxView | undefined {
    const outbox = this.#outbox
    return outbox && { directory: outbox.directory, batches: outbox.size, bytes: outbox.bytes, ...this.#found }
  }

  /** From the outbox's machine. What earlier processes left goes first: those with an identity, then the rest in the order of acceptance. */
  opened({ outbox, entries, damages }: OpenedOutbox): void {
    this.#outbox = outbox
    this.#found = { recoveredBatches: entries.length, damages: damages.map(describeDamage) }
    for (const damage of this.#found.damages) this.#options.emit({ type: 'outbox.damaged', ...damage })
    const lists = this.#listsOf(entries)
    for (const entry of entries) {
      if (!isSound(entry)) {
        this.#reject(entry.batch, new PublishError('OUTBOX_FOREIGN', 'What the outbox holds is no record batch of samsa.', 'failed'))
        continue
      }
      const group = lists.get(entry.batch.list)
      const partition = entry.identity?.partition ?? group?.partition ?? entry.batch.partition
      const queue = this.#options.queue(entry.batch.topic, partition)
      const batch = this.#batchOf(entry, group)
      this.#batches.set(entry.batch.id, batch)
      if (entry.identity) queue.recovered.add(batch)
      else queue.sealed.push(batch)
      this.#options.entered(queue, batch)
    }
    this.#options.ready()
  }

  /** Takes the batch that was just sealed into this queue; one that came from another partition is in the outbox already. */
  accept(queue: PartitionQueue): void {
    const outbox = this.#outbox!
    const batch = queue.sealed.at(-1)!
    if (batch.outboxId > 0) return
    batch.outboxId = outbox.accept(this.#metaOf(queue, batch), bytesOf(batch))
    this.#batches.set(batch.outboxId, batch)
    outbox.whenDurable().then(
      () => {
        if (!batch.error) batch.accepted()
      },
      () => {} // `refused` says it
    )
  }

  /** They go once what the outbox must know of them is on disk. */
  send(queue: PartitionQueue, batches: readonly PublishBatch[], add: (batches: readonly PublishBatch[]) => void): void {
    const outbox = this.#outbox!
    for (const batch of batches) {
      const { outboxId, producerId, producerEpoch, sequence } = batch
      const known = outbox.identityOf(outboxId)
      if (known?.producerId === String(producerId) && known.producerEpoch === producerEpoch && known.sequence === sequence) continue
      outbox.assign(outboxId, { partition: queue.partition, producerId: String(producerId), producerEpoch, sequence })
    }
    if (batches.every(({ outboxId }) => outbox.isDurable(outboxId))) return add(batches)
    const asked = batches.map(batch => ({ batch, attempt: batch.attempt, epoch: batch.producerEpoch, sequence: batch.sequence }))
    outbox.whenDurable().then(
      () => {
        const same = asked.filter(one => one.batch.sequence === one.sequence && one.batch.producerEpoch === one.epoch)
        const ready = same.filter(({ batch, attempt }) => !batch.settled && batch.attempt === attempt)
        if (ready.length > 0) add(ready.map(({ batch }) => batch))
        for (const one of asked) if (!same.includes(one)) queue.unsent(one.batch, one.attempt, 'its number was given up')
      },
      (error: Error) => {
        for (const { batch, attempt } of asked) queue.unsent(batch, attempt, error.message)
      }
    )
  }

  /** One that was too large for its topic became several. */
  split(queue: PartitionQueue, batch: PublishBatch, parts: readonly PublishBatch[]): void {
    const identity = ({ producerId, producerEpoch, sequence }: PublishBatch) =>
      sequence < 0 ? null : { partition: queue.partition, producerId: String(producerId), producerEpoch, sequence }
    const told = parts.map(part => ({ batch: this.#metaOf(queue, part), identity: identity(part), bytes: bytesOf(part) }))
    const ids = this.#outbox!.split(batch.outboxId, told)
    this.#batches.delete(batch.outboxId)
    for (const [index, part] of parts.entries()) {
      part.outboxId = ids[index]!
      this.#batches.set(part.outboxId, part)
    }
  }

  /** It is acked, or will never be. What was not sent when the cluster closes stays for the next one. */
  ended(batch: PublishBatch): void {
    const { outboxId, error } = batch
    if (!this.#batches.delete(outboxId)) return
    if (!error) this.#outbox!.done(outboxId)
    else if (error.code !== 'CLUSTER_CLOSED') this.#reject({ topic: batch.topic, count: batch.count, id: outboxId }, error)
  }

  /** From the outbox: these could not be written. They were never sent. */
  refused(ids: readonly number[], error: SamsaError, certain: boolean): void {
    const { code, message } = error
    for (const id of ids) {
      const batch = this.#batches.get(id)
      if (!batch || !this.#batches.delete(id)) continue
      this.#options.withdraw(batch, new PublishError(code, message, certain ? 'failed' : 'unknown', { cause: error, retriable: true }))
    }
  }

  /** Lets the directory go; what is not done stays in it. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      await Promise.all(this.#rejecting)
      await this.#outbox?.close()
    })().catch(error => this.#options.emit({ type: 'trouble', where: 'outbox', error: plainError(error) }))
    return this.#closing
  }

  #reject({ topic, count, id }: Pick<BatchMeta, 'topic' | 'count' | 'id'>, error: PublishError): void {
    const told = plainError(error)
    const work = this.#outbox!.reject(id, { topic, outcome: error.outcome, error: told }).then(
      file => {
        if (file) this.#options.emit({ type: 'outbox.rejected', topic, count, outcome: error.outcome, file, error: told })
      },
      failure => this.#options.emit({ type: 'trouble', where: 'outbox', error: plainError(failure) })
    )
    this.#rejecting.add(work)
    void work.finally(() => this.#rejecting.delete(work))
  }

  #metaOf(queue: PartitionQueue, { sealed, free, group }: PublishBatch): Omit<BatchMeta, 'id'> {
    const { count, uncompressedBytes, compression, baseTimestamp, maxTimestamp } = sealed
    return {
      ...{ topic: queue.topic, partition: queue.partition, free, list: group ? this.#listNumber(group) : 0 },
      ...{ count, uncompressedBytes, compression, baseTimestamp, maxTimestamp }
    }
  }

  /** The id of the list's first batch, which no other list will have. */
  #listNumber(group: ListGroup): number {
    let number = this.#lists.get(group)
    if (number === undefined) this.#lists.set(group, (number = this.#outbox!.nextId))
    return number
  }

  /** What was left of lists: where one of a list's batches may have been sent, the others follow it. */
  #listsOf(entries: readonly OutboxEntry[]): Map<number, ListGroup> {
    const lists = new Map<number, ListGroup>()
    for (const { batch, identity } of entries) {
      if (batch.list === 0) continue
      const group = lists.get(batch.list) ?? { sent: false, partition: batch.partition }
      if (identity) Object.assign(group, { sent: true, partition: identity.partition })
      lists.set(batch.list, group)
      this.#lists.set(group, batch.list)
    }
    return lists
  }

  #batchOf({ batch: meta, bytes, identity }: OutboxEntry, group: ListGroup | undefined): PublishBatch {
    const { topic, free, count, uncompressedBytes, compression, baseTimestamp, maxTimestamp } = meta
    const buffer = Buffer.concat(bytes)
    const sealed = {
      buffer,
      count,
      sizeBytes: buffer.length,
      uncompressedBytes,
      compression: compression as Compression,
      baseTimestamp,
      maxTimestamp
    }
    const batch = new PublishBatch({
      ...{ topic, sealed, free, group, deadlineMs: Number.POSITIVE_INFINITY, memoryBytes: buffer.length },
      ...{ deliveries: [this.#delivery(topic, count)], starts: [0], timestampsMs: [baseTimestamp] }
    })
    batch.outboxId = meta.id
    if (identity) {
      const given = { producerId: BigInt(identity.producerId), producerEpoch: identity.producerEpoch }
      Object.assign(batch, { ...given, sequence: identity.sequence, attempt: 1, maybeWritten: true, recovered: true })
      stamp(sealed, { ...given, baseSequence: identity.sequence })
    }
    return batch
  }

  /** Who published it is gone: the listeners of the cluster hear of it. */
  #delivery(topic: string, count: number): Delivery {
    const { emit } = this.#options
    return {
      acked: (_, partition, offset) => emit({ type: 'outbox.delivered', topic, partition, offset, count }),
      failed: () => {} // rejected: an event of its own
    }
  }
}

/** As they lie, but for the header, which a stamp may change while they are written. */
function bytesOf({ sealed: { buffer } }: PublishBatch): Uint8Array[] {
  return [Buffer.from(buffer.subarray(0, HEADER_BYTES)), buffer.subarray(HEADER_BYTES)]
}

const COMPRESSIONS: readonly string[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] satisfies Compression[]

/** Whole, and what it is said to be: a checksum says only that nobody has changed it by accident. */
function isSound({ batch: { topic, count, compression }, bytes }: OutboxEntry): boolean {
  const buffer = Buffer.concat(bytes)
  if (buffer.length < HEADER_BYTES || buffer[MAGIC_AT] !== 2 || buffer.readInt32BE(LENGTH_AT) !== buffer.length - LENGTH_AT - 4)
    return false
  return isTopicName(topic) && COMPRESSIONS.includes(compression) && new RecordBatch(buffer).count === count && count > 0
}

/**
 * What a user is told of damage. `mayDouble`: what was lost may have been a batch's identity, which then goes again under another one. `mayLose`: it may
 * have been messages that were accepted; the file is kept.
 */
export function describeDamage({ file, at, bytes, kind, needed, ...more }: OutboxDamage) {
  const { frame, batch } = { frame: null, batch: null, ...more }
  const torn = 'the process or the machine died while it was written: it was not accepted yet (if nobody has cut the file)'
  const kept = `the file is kept as ${file}.damaged`
  const what = batch
    ? `a batch of ${batch.count} messages for ${batch.topic}/${batch.partition} is damaged, and ${needed ? `cannot be delivered; ${kept}` : 'not needed any more'}`
    : `${bytes} bytes are damaged: ${frame ? `a record of the kind "${frame}"` : `if they were accepted messages, these cannot be delivered; ${kept}`}`
  const mayDouble = kind === 'damaged' && frame !== 'accepted' && frame !== 'done'
  return {
    file,
    at,
    bytes,
    topic: batch?.topic ?? null,
    partition: batch?.partition ?? null,
    mayDouble,
    mayLose: kind === 'damaged' && frame !== 'assigned' && frame !== 'done' && needed,
    reason: kind === 'torn' ? torn : what
  }
}
