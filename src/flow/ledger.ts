/**
 * The acknowledgement ledger of one consumed partition: what was handed out, what of it is processed, and so which
 * offset may be committed. Batches may be acked in any order; the position only moves over what is processed without a gap.
 *
 *   committed ≤ position (processed without a gap) ≤ handed out
 *
 * Offsets have holes (compaction, control records, aborted transactions). Each batch therefore carries the offset that follows
 * it, holes included: after its last message the position is that, not last + 1, so that a hole at the end is committed too.
 * The hot path (one message processed) is `entry.processed++`: no call, no bigint.
 */

export interface Offsetted {
  readonly offset: bigint
}

/** One batch that was handed out. */
export class LedgerEntry {
  readonly messages: readonly Offsetted[]
  /** The offset after this batch and after whatever was skipped behind it. */
  nextOffset: bigint
  /** Credit that returns when all of it is processed. */
  readonly bytes: number
  /** Messages processed, counted from the first. Whoever iterates counts up; `acknowledge` may jump. */
  processed = 0
  /** Its credit has returned. */
  settled = false

  constructor(messages: readonly Offsetted[], nextOffset: bigint, bytes: number) {
    this.messages = messages
    this.nextOffset = nextOffset
    this.bytes = bytes
  }
}

export class Ledger {
  /** The committed next offset, as far as this process knows; undefined: none. */
  committed: bigint | undefined
  #base: bigint
  #entries: LedgerEntry[] = []
  #head = 0
  #unprocessedBytes = 0
  #frozen: bigint | undefined

  /** `position`: the next offset to process. */
  constructor(position: bigint, committed?: bigint) {
    this.#base = position
    this.committed = committed
  }

  /** Bytes of batches that are handed out and not completely processed. */
  get unprocessedBytes(): number {
    return this.#unprocessedBytes
  }

  /** The next offset to process: everything below it is processed. This is what may be committed. */
  get position(): bigint {
    if (this.#frozen !== undefined) return this.#frozen
    this.#advance()
    const head = this.#entries[this.#head]
    if (!head || head.processed === 0) return this.#base
    return head.messages[head.processed - 1]!.offset + 1n
  }

  /** What is processed from now on does not count: the position stays as it is. */
  freeze(): void {
    this.#frozen = this.position
  }

  /** The oldest batch that is not completely processed. */
  get oldest(): LedgerEntry | undefined {
    this.#advance()
    return this.#entries[this.#head]
  }

  /** Nothing that was handed out is unprocessed. */
  get idle(): boolean {
    return this.oldest === undefined
  }

  /** Hands out a batch. `messages` must not be empty, and follow in offset what was handed out before. */
  handOut(messages: readonly Offsetted[], nextOffset: bigint, bytes: number): LedgerEntry {
    const entry = new LedgerEntry(messages, nextOffset, bytes)
    this.#entries.push(entry)
    this.#unprocessedBytes += bytes
    return entry
  }

  /** Nothing for anybody lies between what was handed out last and `nextOffset`. */
  skipTo(nextOffset: bigint): void {
    this.#advance()
    const last = this.#entries[this.#entries.length - 1]
    if (this.#head < this.#entries.length && last) {
      if (nextOffset > last.nextOffset) last.nextOffset = nextOffset
    } else if (nextOffset > this.#base) this.#base = nextOffset
  }

  /** Processed up to and with the message at `index` of this batch; never goes back. True when that completes the batch. */
  acknowledge(entry: LedgerEntry, index: number): boolean {
    if (index + 1 > entry.processed) entry.processed = Math.min(index + 1, entry.messages.length)
    return this.settle(entry)
  }

  /** Gives the credit of a batch back once it is completely processed. True the first time that it is. */
  settle(entry: LedgerEntry): boolean {
    if (entry.settled || entry.processed < entry.messages.length) return false
    entry.settled = true
    this.#unprocessedBytes -= entry.bytes
    this.#advance()
    return true
  }

  #advance(): void {
    const entries = this.#entries
    let head = this.#head
    while (head < entries.length && entries[head]!.processed === entries[head]!.messages.length) {
      const entry = entries[head]!
      if (entry.nextOffset > this.#base) this.#base = entry.nextOffset
      if (!entry.settled) {
        entry.settled = true
        this.#unprocessedBytes -= entry.bytes
      }
      head++
    }
    if (head === entries.length) {
      entries.length = 0
      head = 0
    } else if (head > 64) {
      entries.splice(0, head)
      head = 0
    }
    this.#head = head
  }
}

/** Where in a batch the message with this offset is: the last index whose offset is not above it; -1: all are above. */
export function indexOfOffset(messages: readonly Offsetted[], offset: bigint): number {
  let low = 0
  let high = messages.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (messages[middle]!.offset <= offset) low = middle + 1
    else high = middle
  }
  return low - 1
}
