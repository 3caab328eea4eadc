/**
 * What a log knows of its producers (Kafka's `ProducerStateManager`): epochs, the last five batches of each, and transactions under way. It follows
 * from the log's batches alone, so that every replica has it and a truncated log makes it anew.
 */
import { ERROR } from '../errors.ts'
import { type Marker, type StoredBatch, sequenceAfter } from './batch.ts'

/** `ProducerStateEntry.NUM_BATCHES_TO_RETAIN`. */
const BATCHES_KEPT = 5
const SEQUENCE_LAST = 0x7fffffff

export interface AppendedBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly timestamp: number
}

export interface ProducerEntry {
  readonly producerId: bigint
  epoch: number
  /** The newest last, five at most. Empty after a marker of a new epoch. */
  batches: AppendedBatch[]
  /** Of the last marker; -1: none yet. */
  coordinatorEpoch: number
  lastTimestamp: number
  /** Where its transaction began. */
  transactionFrom: number | undefined
}

/** A transaction that was aborted: what Fetch tells those who read only what is committed. */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
  /** Of its marker. */
  readonly lastOffset: number
}

/** An idempotent batch that wants to be appended. */
export interface ProducedBatch {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly firstSequence: number
  readonly lastSequence: number
  readonly isTransactional: boolean
}

export type SequenceCheck = { errorCode: number; message: string } | { duplicate: AppendedBatch } | undefined

export class ProducerStates {
  readonly entries = new Map<bigint, ProducerEntry>()
  /** By the end of their transactions. */
  readonly aborted: AbortedTransaction[] = []
  /** Where transactions under way began, the earliest first. */
  #open = new Map<bigint, number>()
  /** Transactions whose markers may not be replicated yet, by their marker's offset. */
  #ended: { firstOffset: number; markerOffset: number }[] = []

  /** May this batch be appended, was it already, or which error is it? The rules of `ProducerAppendInfo`. */
  check(batch: ProducedBatch): SequenceCheck {
    const entry = this.entries.get(batch.producerId)
    if (!entry) return undefined
    const { producerEpoch: epoch, firstSequence, lastSequence } = batch
    if (epoch < entry.epoch)
      return fault(
        'INVALID_PRODUCER_EPOCH',
        `Epoch of producer ${batch.producerId} is ${epoch}, which is smaller than the last seen epoch ${entry.epoch}`
      )
    // What coordinators write themselves has no sequence (`AppendOrigin.COORDINATOR`).
    if (firstSequence < 0) return undefined
    if (epoch === entry.epoch) {
      const duplicate = entry.batches.find(each => each.firstSequence === firstSequence && each.lastSequence === lastSequence)
      if (duplicate) return { duplicate }
    }
    if (entry.transactionFrom !== undefined && !batch.isTransactional)
      return fault('INVALID_TXN_STATE', `Expected transactional write from producer ${batch.producerId}`)
    if (entry.epoch < 0) return undefined
    if (epoch !== entry.epoch) return firstSequence === 0 ? undefined : outOfOrder(batch, -1)
    const last = entry.batches.at(-1)?.lastSequence ?? -1
    return firstSequence === (last === SEQUENCE_LAST ? 0 : last + 1) ? undefined : outOfOrder(batch, last)
  }

  /** May this marker be written? Only those of an older epoch, and of a coordinator that was replaced, may not. */
  checkMarker(producerId: bigint, producerEpoch: number, { coordinatorEpoch }: Marker): SequenceCheck {
    const entry = this.entries.get(producerId)
    if (!entry) return undefined
    if (producerEpoch < entry.epoch) return fault('INVALID_PRODUCER_EPOCH', `Epoch ${producerEpoch} is older than ${entry.epoch}`)
    if (coordinatorEpoch < entry.coordinatorEpoch)
      return fault('TRANSACTION_COORDINATOR_FENCED', `Coordinator epoch ${coordinatorEpoch} is older than ${entry.coordinatorEpoch}`)
    return undefined
  }

  /** Takes in a batch that is in the log now. */
  append(batch: StoredBatch): void {
    if (batch.producerId < 0n) return
    const entry = this.#entry(batch.producerId)
    if (batch.producerEpoch !== entry.epoch) {
      entry.epoch = batch.producerEpoch
      entry.batches = []
    }
    entry.lastTimestamp = batch.maxTimestamp
    if (batch.marker) this.#end(entry, batch, batch.marker)
    else this.#data(entry, batch)
  }

  /** The smallest offset that is not decided: of a transaction under way, or of one whose marker is not below `highWatermark`. */
  firstUnstable(highWatermark: number): number | undefined {
    let first: number | undefined = this.#open.values().next().value
    if (this.#ended.length > 0) this.#ended = this.#ended.filter(({ markerOffset }) => markerOffset >= highWatermark)
    for (const { firstOffset } of this.#ended) if (first === undefined || firstOffset < first) first = firstOffset
    return first
  }

  /** Aborted transactions with something in [from, before). */
  abortedIn(from: number, before: number): AbortedTransaction[] {
    // Most readers are near the end.
    let first = this.aborted.length
    while (first > 0 && this.aborted[first - 1]!.lastOffset >= from) first--
    return this.aborted.slice(first).filter(({ firstOffset }) => firstOffset < before)
  }

  /** What lay before the log's new start is forgotten; producers are not. */
  forgetBefore(offset: number): void {
    const gone = this.aborted.findIndex(({ lastOffset }) => lastOffset >= offset)
    this.aborted.splice(0, gone < 0 ? this.aborted.length : gone)
  }

  /** As after `producer.id.expiration.ms`: all that have no transaction under way, or one. */
  expire(producerId?: bigint): void {
    for (const [id, entry] of this.entries)
      if ((producerId === undefined || id === producerId) && entry.transactionFrom === undefined) this.entries.delete(id)
  }

  clear(): void {
    this.entries.clear()
    this.aborted.length = 0
    this.#open.clear()
    this.#ended = []
  }

  #entry(producerId: bigint): ProducerEntry {
    let entry = this.entries.get(producerId)
    if (!entry) {
      entry = { producerId, epoch: -1, batches: [], coordinatorEpoch: -1, lastTimestamp: -1, transactionFrom: undefined }
      this.entries.set(producerId, entry)
    }
    return entry
  }

  #data(entry: ProducerEntry, batch: StoredBatch): void {
    const { firstSequence, lastSequence, baseOffset, lastOffset, maxTimestamp: timestamp } = batch
    entry.batches.push({ firstSequence, lastSequence, baseOffset, lastOffset, timestamp })
    if (entry.batches.length > BATCHES_KEPT) entry.batches.shift()
    if (!batch.isTransactional || entry.transactionFrom !== undefined) return
    entry.transactionFrom = baseOffset
    this.#open.set(entry.producerId, baseOffset)
  }

  #end(entry: ProducerEntry, batch: StoredBatch, marker: Marker): void {
    entry.coordinatorEpoch = marker.coordinatorEpoch
    const firstOffset = entry.transactionFrom
    if (firstOffset === undefined) return
    entry.transactionFrom = undefined
    this.#open.delete(entry.producerId)
    this.#ended.push({ firstOffset, markerOffset: batch.lastOffset })
    if (!marker.commit) this.aborted.push({ producerId: entry.producerId, firstOffset, lastOffset: batch.lastOffset })
  }
}

function fault(name: keyof typeof ERROR, message: string): { errorCode: number; message: string } {
  return { errorCode: ERROR[name], message }
}

function outOfOrder({ producerId, firstSequence }: ProducedBatch, last: number): { errorCode: number; message: string } {
  const due = last < 0 ? 0 : sequenceAfter(last, 1)
  return fault(
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    `Out of order sequence number for producer ${producerId}: ${firstSequence} came where ${due} is due`
  )
}
