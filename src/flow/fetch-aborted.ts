/**
 * Which batches of one fetch answer belong to aborted transactions (KIP-98). The broker lists (producer, first offset) of every aborted
 * transaction that overlaps the answer; one producer may be there several times. Walking the batches in order, a producer is
 * hidden from an entry's first offset to the next abort marker of that producer (`CompletedFetch` in Kafka's consumer).
 */
import type { BatchView } from '../wire/records/batch-view.ts'
import type { DecodeLimits } from '../wire/records/layout.ts'

export interface AbortedTransaction {
  producerId: bigint
  firstOffset: bigint
}

export class AbortedTransactions {
  /** By first offset; the broker's order is its index's, which is by the markers. */
  #coming: AbortedTransaction[]
  #next = 0
  #hidden = new Set<bigint>()

  constructor(list: readonly AbortedTransaction[]) {
    this.#coming = [...list].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : a.firstOffset > b.firstOffset ? 1 : 0))
  }

  /** Must be asked for every batch of the answer, in order, control batches too. True: its messages are nobody's. */
  hides(batch: BatchView, limits: DecodeLimits): boolean {
    const { lastOffset, producerId } = batch
    while (this.#next < this.#coming.length && this.#coming[this.#next]!.firstOffset <= lastOffset)
      this.#hidden.add(this.#coming[this.#next++]!.producerId)
    if (this.#hidden.size === 0) return false
    if (batch.isControl) {
      // The cleaner may have emptied it and kept its header, as the last batch of its producer: then it marks nothing.
      if (batch.count > 0 && batch.controlMarker(limits)?.type === 'abort') this.#hidden.delete(producerId)
      return false
    }
    return batch.isTransactional && this.#hidden.has(producerId)
  }
}
