/**
 * What was fetched of one partition and is not yet handed out: undecoded batches, first unverified, then ready.
 * Decoding happens when messages are taken, so that a paused or slow partition costs its bytes and nothing more.
 * Control batches, and those of aborted transactions, end here: only the offset that follows them stays.
 */
import type { Message } from '../model/message.ts'
import type { BatchView, MessageRun } from '../wire/records/batch-view.ts'
import type { DecodeLimits, RecordOrigin } from '../wire/records/layout.ts'
import type { AbortedTransactions } from './fetch-aborted.ts'

interface Held {
  batch: BatchView
  /** After this batch and whatever was left out behind it. */
  nextOffset: bigint
  aborted: AbortedTransactions | undefined
}

export interface Taken {
  /** Empty: everything up to `nextOffset` was nobody's. */
  messages: Message[]
  nextOffset: bigint
  /** Of the batches that are used up with this. */
  bytes: number
}

/** A first-in first-out list that does not move its rest at every shift. */
class Line<T> {
  #items: T[] = []
  #head = 0
  get length(): number {
    return this.#items.length - this.#head
  }
  get first(): T | undefined {
    return this.#items[this.#head]
  }
  get last(): T | undefined {
    return this.length === 0 ? undefined : this.#items[this.#items.length - 1]
  }
  push(item: T): void {
    this.#items.push(item)
  }
  shift(): void {
    this.#head++
    if (this.#head === this.#items.length) this.clear()
    else if (this.#head >= 256 && this.#head * 2 >= this.#items.length) {
      this.#items.splice(0, this.#head)
      this.#head = 0
    }
  }
  clear(): void {
    this.#items = []
    this.#head = 0
  }
}

export class FetchBuffer {
  #origin: RecordOrigin
  #limits: DecodeLimits
  #unverified = new Line<Held>()
  #ready = new Line<Held>()
  /** What is left of the first ready batch, while it is handed out in parts. */
  #open: MessageRun | undefined
  #bytes = 0

  constructor(origin: RecordOrigin, limits: DecodeLimits) {
    this.#origin = origin
    this.#limits = limits
  }

  /** Bytes that were fetched and are not completely handed out. */
  get bytes(): number {
    return this.#bytes
  }

  get hasMessages(): boolean {
    return this.#ready.length > 0
  }

  get hasUnverified(): boolean {
    return this.#unverified.length > 0
  }

  /** The offset after everything that is verified and not yet handed out; undefined when there is nothing. */
  get readyEnd(): bigint | undefined {
    return this.#ready.last?.nextOffset
  }

  add(batch: BatchView, aborted: AbortedTransactions | undefined): void {
    this.#unverified.push({ batch, nextOffset: batch.nextOffset, aborted })
    this.#bytes += batch.sizeBytes
  }

  /**
   * Checks the next unverified batch. Returns the offset to skip to when it holds nothing for anybody and nothing is buffered
   * before it, else undefined. Throws ProtocolError CORRUPT_BATCH; the batch then stays until `dropUnverified`.
   */
  verifyNext(): bigint | undefined {
    const held = this.#unverified.first!
    const { batch } = held
    batch.verify()
    const hidden = held.aborted?.hides(batch, this.#limits) ?? false
    this.#unverified.shift()
    if (!hidden && !batch.isControl && batch.count !== 0) {
      this.#ready.push(held)
      return undefined
    }
    this.#bytes -= batch.sizeBytes
    const before = this.#ready.last
    if (!before) return held.nextOffset
    before.nextOffset = held.nextOffset
    return undefined
  }

  /** Up to `most` messages from `fromOffset` on; undefined when nothing is ready. Throws what decoding throws; the batch then stays. */
  take(most: number, fromOffset: bigint): Taken | undefined {
    let messages: Message[] = []
    let nextOffset: bigint | undefined
    let bytes = 0
    while (messages.length < most) {
      const held = this.#ready.first
      if (!held) break
      try {
        this.#open ??= held.batch.open(this.#origin, fromOffset, this.#limits)
      } catch (error) {
        // What came before the damage is good; the damage is told when it is asked for.
        if (nextOffset !== undefined) break
        throw error
      }
      const part = this.#open.take(most - messages.length)
      if (messages.length === 0) messages = part
      else for (const message of part) messages.push(message)
      if (this.#open.left > 0) {
        nextOffset = part[part.length - 1]!.offset + 1n
        break
      }
      nextOffset = held.nextOffset
      bytes += held.batch.sizeBytes
      this.#open = undefined
      this.#ready.shift()
    }
    if (nextOffset === undefined) return undefined
    this.#bytes -= bytes
    return { messages, nextOffset, bytes }
  }

  /** Drops what is not verified: it will be fetched again. */
  dropUnverified(): void {
    for (let held = this.#unverified.first; held; held = this.#unverified.first) {
      this.#bytes -= held.batch.sizeBytes
      this.#unverified.shift()
    }
  }

  clear(): void {
    this.#unverified.clear()
    this.#ready.clear()
    this.#open = undefined
    this.#bytes = 0
  }
}
