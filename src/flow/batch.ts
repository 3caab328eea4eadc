/**
 * A sealed batch on its way to a broker: its bytes, who waits for it, its identity once it has one.
 * It is one object per batch, never per message; deliveries are one per `publish` call.
 */
import type { PublishError } from '../model/errors.ts'
import type { SealedBatch } from '../wire/records/index.ts'

/** Who waits for a publish: a promise, or an actor's emission. `acked` or `failed` is called, once. */
export interface Delivery {
  /** With an outbox, before either: it is on disk. */
  accepted?(): void
  acked(topic: string, partition: number, offset: bigint, timestampMs: number): void
  failed(error: PublishError): void
}

/** A list that needed more than one batch: all of them go to one partition, and once one was sent none moves. */
export interface ListGroup {
  sent: boolean
  /** Where its first batch went. */
  partition: number
}

export class PublishBatch {
  readonly topic: string
  readonly sealed: SealedBatch
  /** No key and no partition was asked for: it may go anywhere until it is sent. */
  readonly free: boolean
  readonly group: ListGroup | undefined
  readonly deadlineMs: number
  /** Bytes of `bufferMemoryBytes` that it holds. */
  readonly memoryBytes: number
  /** Delivery i covers the records from `starts[i]` to the next start. */
  readonly deliveries: Delivery[]
  readonly starts: number[]
  readonly timestampsMs: number[]
  producerId = -1n
  producerEpoch = -1
  sequence = -1
  /** Sends so far; an answer to an older one is stale. */
  attempt = 0
  /** Written to a socket, and the answer to this attempt is not here yet. */
  onWire = false
  /** A send ended without an answer, or with one that leaves it open: the broker may have it. */
  maybeWritten = false
  /** Its bytes may also lie in another partition. */
  rerouted = false
  settled = false
  /** In the outbox; 0: in none. */
  outboxId = 0
  /** An earlier process gave it its identity, and may have sent it. */
  recovered = false
  /** Why it failed. */
  error: PublishError | undefined

  constructor(
    of: Pick<PublishBatch, 'topic' | 'sealed' | 'free' | 'group' | 'deadlineMs' | 'memoryBytes' | 'deliveries' | 'starts' | 'timestampsMs'>
  ) {
    this.topic = of.topic
    this.sealed = of.sealed
    this.free = of.free
    this.group = of.group
    this.deadlineMs = of.deadlineMs
    this.memoryBytes = of.memoryBytes
    this.deliveries = of.deliveries
    this.starts = of.starts
    this.timestampsMs = of.timestampsMs
  }

  get count(): number {
    return this.sealed.count
  }

  /** It was never sent, and nothing binds it to this partition. */
  get movable(): boolean {
    return this.free && this.attempt === 0 && !this.group?.sent
  }

  acked(partition: number, baseOffset: bigint, logAppendTimeMs: number): void {
    this.settled = true
    for (let i = 0; i < this.deliveries.length; i++) {
      const offset = baseOffset < 0n ? -1n : baseOffset + BigInt(this.starts[i]!)
      this.deliveries[i]!.acked(this.topic, partition, offset, logAppendTimeMs >= 0 ? logAppendTimeMs : this.timestampsMs[i]!)
    }
  }

  /** It is in the outbox, and will be delivered. */
  accepted(): void {
    for (const delivery of this.deliveries) delivery.accepted?.()
  }

  failed(error: PublishError): void {
    this.settled = true
    this.error = error
    for (const delivery of this.deliveries) delivery.failed(error)
  }

  /** The same messages for another partition. Its own bytes: the old ones may still lie in a socket's buffer and must not change there. */
  copyForReroute(deadlineMs: number): PublishBatch {
    const copy = new PublishBatch({
      ...this.parts(),
      sealed: { ...this.sealed, buffer: Buffer.from(this.sealed.buffer) },
      deadlineMs,
      group: undefined
    })
    copy.rerouted = true
    return copy
  }

  parts(): ConstructorParameters<typeof PublishBatch>[0] {
    const { topic, sealed, free, group, deadlineMs, memoryBytes, deliveries, starts, timestampsMs } = this
    return { topic, sealed, free, group, deadlineMs, memoryBytes, deliveries, starts, timestampsMs }
  }
}
