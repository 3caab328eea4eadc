/**
 * The records of a batch (magic 2): checked from end to end in one walk, and given out as views of two fields each, the batch
 * and a position. What a getter is asked for is walked to again (a few ns), because most records are read once and kept briefly.
 */
import type { Message } from '../../model/message.ts'
import type { MessageRun } from './batch-view.ts'
import { corruptBatch, LEAST_RECORD_BYTES } from './layout.ts'
import { VarintCursor } from './varint.ts'

/** What the records of one batch share. */
export interface RecordBlock {
  readonly topic: string
  readonly partition: number
  /** The records, unpacked, and where they lie in it. */
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
  readonly count: number
  readonly baseOffset: bigint
  readonly lastOffsetDelta: number
  readonly baseTimestamp: bigint
  /** The broker's time for all of them (LogAppendTime), or null. */
  readonly appendTimestamp: bigint | null
}

/** One for all getters: they are synchronous and do not call each other between two reads. */
const cursor = new VarintCursor(new Uint8Array(0), 0)

export type HeaderPair = readonly [key: string, value: Buffer | null]

/** Headers by key, the last of a key wins; without a prototype, so that `__proto__` is a key like any other. */
export function headersByKey(list: readonly HeaderPair[]): Record<string, Buffer | null> {
  const out: Record<string, Buffer | null> = Object.create(null)
  for (const [key, value] of list) out[key] = value
  return out
}

/** A message as plain data, for logs and JSON: offsets and timestamps as decimal strings, bytes as Base64. */
export function messageToJSON(message: Message): Record<string, unknown> {
  return {
    topic: message.topic,
    partition: message.partition,
    offset: String(message.offset),
    timestamp: String(message.timestamp),
    key: message.key?.toString('base64') ?? null,
    value: message.value?.toString('base64') ?? null,
    headers: message.headerList.map(([key, value]) => [key, value?.toString('base64') ?? null])
  }
}

/** What `console.log` shows: the message, not the machinery behind it. */
export function inspectMessage(message: Message): Record<string, unknown> {
  const { topic, partition, offset, timestamp, key, value, headers } = message
  return { topic, partition, offset, timestamp, key, value, headers }
}

/** A message in a batch of magic 2. */
export class BatchMessage implements Message {
  readonly #block: RecordBlock
  /** Of the record's attributes byte, behind its length. */
  readonly #at: number

  constructor(block: RecordBlock, at: number) {
    this.#block = block
    this.#at = at
  }

  get topic(): string {
    return this.#block.topic
  }

  get partition(): number {
    return this.#block.partition
  }

  get offset(): bigint {
    toOffset(this.#block.buffer, this.#at)
    return this.#block.baseOffset + BigInt(cursor.varint())
  }

  get timestamp(): bigint {
    const block = this.#block
    if (block.appendTimestamp !== null) return block.appendTimestamp
    cursor.buffer = block.buffer
    cursor.at = this.#at + 1
    return BigInt.asIntN(64, block.baseTimestamp + cursor.varlong())
  }

  get key(): Buffer | null {
    toKey(this.#block.buffer, this.#at)
    return slice(this.#block.buffer)
  }

  get value(): Buffer | null {
    toKey(this.#block.buffer, this.#at)
    skip()
    return slice(this.#block.buffer)
  }

  get headerList(): readonly HeaderPair[] {
    const { buffer } = this.#block
    toKey(buffer, this.#at)
    skip()
    skip()
    const out: HeaderPair[] = []
    for (let left = cursor.varint(); left > 0; left--) {
      const keyBytes = cursor.varint()
      const key = buffer.toString('utf8', cursor.at, cursor.at + keyBytes)
      cursor.at += keyBytes
      const value = slice(buffer)
      if (value !== null) cursor.at += value.length
      out.push([key, value])
    }
    return out
  }

  get headers(): Readonly<Record<string, Buffer | null>> {
    return headersByKey(this.headerList)
  }

  toJSON(): Record<string, unknown> {
    return messageToJSON(this)
  }

  [Symbol.for('nodejs.util.inspect.custom')](): Record<string, unknown> {
    return inspectMessage(this)
  }
}

function toOffset(buffer: Buffer, at: number): void {
  cursor.buffer = buffer
  cursor.at = at + 1
  cursor.skipVarlong()
}

function toKey(buffer: Buffer, at: number): void {
  toOffset(buffer, at)
  cursor.varint()
}

/** Past a length and its bytes. */
function skip(): void {
  const bytes = cursor.varint()
  if (bytes > 0) cursor.at += bytes
}

/** The bytes behind a length; the cursor stays in front of them. */
function slice(buffer: Buffer): Buffer | null {
  const bytes = cursor.varint()
  return bytes < 0 ? null : buffer.subarray(cursor.at, cursor.at + bytes)
}

/**
 * Checks every record of a block; to be taken are those whose relative offset is at least `fromDelta`. Throws CORRUPT_BATCH where a
 * length leaves its record, offsets do not rise within the batch, or the count is not what the header says.
 */
export function checkRecords(block: RecordBlock, fromDelta: number): MessageRun {
  const { buffer, end, count, lastOffsetDelta } = block
  if (count * LEAST_RECORD_BYTES > end - block.start)
    throw corruptBatch(block.baseOffset, `it says ${count} records, but has only ${end - block.start} bytes for them`)
  const walk = new VarintCursor(buffer, block.start)
  let before = -1
  let skipped = 0
  let firstAt = block.start
  for (let i = 0; i < count; i++) {
    const bytes = walk.varint()
    const start = walk.at
    const recordEnd = start + bytes
    if (bytes < LEAST_RECORD_BYTES - 1 || recordEnd > end) throw corruptBatch(block.baseOffset, `record ${i} has a length of ${bytes}`)
    walk.at++
    walk.skipVarlong()
    const delta = walk.varint()
    const key = walk.varint()
    if (key > 0) walk.at += key
    const value = walk.varint()
    if (value > 0) walk.at += value
    const headers = walk.varint()
    if (headers !== 0) walkHeaders(walk, headers, recordEnd)
    if (walk.at !== recordEnd || walk.overlong) throw corruptBatch(block.baseOffset, `record ${i} does not end where its length says`)
    if (delta <= before || delta > lastOffsetDelta)
      throw corruptBatch(
        block.baseOffset,
        `record ${i} has the relative offset ${delta}, after ${before} and with ${lastOffsetDelta} as the last`
      )
    before = delta
    if (delta < fromDelta) {
      skipped++
      firstAt = recordEnd
    }
  }
  if (walk.at !== end) throw corruptBatch(block.baseOffset, `${end - walk.at} bytes are left behind its ${count} records`)
  return new RecordRun(block, firstAt, count - skipped)
}

/** Records that are checked: from length to length, nothing of them can be wrong any more. */
class RecordRun implements MessageRun {
  left: number
  readonly #block: RecordBlock
  #at: number

  constructor(block: RecordBlock, at: number, left: number) {
    this.#block = block
    this.#at = at
    this.left = left
  }

  take(most: number): Message[] {
    const block = this.#block
    const out = new Array<Message>(Math.min(most, this.left))
    const walk = new VarintCursor(block.buffer, this.#at)
    for (let i = 0; i < out.length; i++) {
      const bytes = walk.varint()
      out[i] = new BatchMessage(block, walk.at)
      walk.at += bytes
    }
    this.#at = walk.at
    this.left -= out.length
    return out
  }
}

/** Past the headers; leaves the cursor off `recordEnd` where they are damaged. */
function walkHeaders(walk: VarintCursor, count: number, recordEnd: number): void {
  // A header takes two bytes at least: a count that cannot be is not walked.
  if (count < 0 || count > (recordEnd - walk.at) / 2) {
    walk.overlong = true
    return
  }
  for (; count > 0 && walk.at <= recordEnd; count--) {
    const key = walk.varint()
    if (key < 0) walk.overlong = true
    else walk.at += key
    const value = walk.varint()
    if (value > 0) walk.at += value
  }
}
