/**
 * Messages as a user writes them and as a user gets them, and what a publish resolves to.
 * Strings go out as UTF-8; what comes in are bytes (`Buffer`), because Kafka keeps nothing else.
 */

/** One header's value. Null is a value of its own in Kafka (`RecordHeader`), not the same as an empty one. */
export type HeaderValue = string | Uint8Array | null

/**
 * Headers of an outgoing message: `{ trace: 'x' }`, `{ tag: ['a', 'b'] }` for a key that is there twice, or pairs
 * `[['trace', 'x'], ['tag', 'a'], ['tag', 'b']]` where the order across keys matters. Kafka keeps order and duplicates.
 */
export type Headers =
  | Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>
  | readonly (readonly [key: string, value: HeaderValue])[]

/** An outgoing message with more to it than a value. */
export interface OutgoingRecord {
  /** Messages of one key go to one partition (murmur2 of its bytes, as Java's client). Default null: spread over partitions. */
  key?: string | Uint8Array | null
  /** Null is a tombstone: in a compacted topic it deletes the key. Never left out, so that none is published by mistake. */
  value: string | Uint8Array | null
  headers?: Headers
  /** Milliseconds since the epoch, or a Date. Default: now. A topic with `message.timestamp.type=LogAppendTime` overrides it. */
  timestamp?: number | Date
  /** Exactly this partition, whatever the key says. Default: by key, or spread. */
  partition?: number
}

/** What `publish` takes: a bare value, or a record. The bytes are copied when it is called; the caller may reuse their memory. */
export type OutgoingMessage = string | Uint8Array | OutgoingRecord

/**
 * A consumed message. It is a view on the memory of its fetch: `key`, `value` and header values are slices of it, made anew at
 * each access (keep the slice, not the habit), and hold that memory (some MiB, shared by its neighbours) as long as they live.
 * To keep one for long, copy it: `Buffer.from(message.value)`.
 */
export interface Message {
  readonly topic: string
  readonly partition: number
  /** Its place in the partition. A bigint: Kafka's offsets are 64 bits. */
  readonly offset: bigint
  /** Milliseconds since the epoch, by the producer or (LogAppendTime) by the broker; -1n when it has none (format v0). */
  readonly timestamp: bigint
  readonly key: Buffer | null
  /** Null is a tombstone. */
  readonly value: Buffer | null
  /** By key; of a key that is there twice the last, as Java's `lastHeader`. Without a prototype, so that no key is special. */
  readonly headers: Readonly<Record<string, Buffer | null>>
  /** All headers in order, duplicates kept. */
  readonly headerList: readonly (readonly [key: string, value: Buffer | null])[]
}

/** Where a published message is. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** -1n where the broker does not tell (`acks: 'none'`, or a duplicate that it no longer remembers). */
  readonly offset: bigint
  /** Milliseconds since the epoch, as stored: the broker's where the topic uses LogAppendTime, else the message's own. */
  readonly timestamp: bigint
}

/** A publish that is in the outbox. */
export interface AcceptedPublish {
  readonly topic: string
  /** Where it is, once the brokers have it; rejects where it ends otherwise, or when the cluster is closed before (it is delivered by the next then). */
  readonly acked: Promise<RecordMetadata>
}
