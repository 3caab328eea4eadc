/**
 * What users publish, checked: strings, bytes or objects, one or a list. A bare value stays what it is, and a list of them the list that
 * was given: nothing is made per message.
 */
import type { CheckedMessage, CheckedRecord } from '../flow/accumulator.ts'
import { partitionOfKey } from '../flow/partitioner.ts'
import type { TopicPlane } from '../flow/topic-plane.ts'
import type { ResolvedPublishOptions } from '../model/config.ts'
import { SamsaError, UsageError } from '../model/errors.ts'
import type { Headers, HeaderValue, OutgoingMessage, OutgoingRecord } from '../model/message.ts'
import { recordSizeUpperBound } from '../wire/records/index.ts'

export type CheckedMessages = CheckedMessage | readonly CheckedMessage[]

type HeaderPair = readonly [key: string, value: HeaderValue]

/** The last moment of a JavaScript Date, ms since the epoch. */
const TIMESTAMP_MAX = 8.64e15
/** What a record takes beside its content, and a few bytes more. */
const RECORD_OVERHEAD_BYTES = 32

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array
const isBare = (message: unknown): message is string | Uint8Array => typeof message === 'string' || isBytes(message)
export const isList = <T>(messages: T | readonly T[]): messages is readonly T[] => Array.isArray(messages)

function checkedRecord(message: OutgoingRecord, nowMs: number): CheckedRecord {
  if (message === null || typeof message !== 'object')
    throw new UsageError(
      'INVALID_MESSAGE',
      `A message is a string, bytes, or { key?, value, headers?, timestamp?, partition? }; got ${typeof message}.`
    )
  const { key = null, value, headers, timestamp, partition } = message
  for (const [name, part] of [
    ['key', key],
    ['value', value]
  ] as const)
    if (part !== null && part !== undefined && typeof part !== 'string' && !isBytes(part))
      throw new UsageError('INVALID_MESSAGE', `The message's ${name} is ${typeof part}; give a string, bytes or null.`)
  if (value === undefined) throw new UsageError('INVALID_MESSAGE', 'The message has no value; give null for a tombstone.')
  const timestampMs = timestamp === undefined ? nowMs : Number(timestamp)
  if (!Number.isSafeInteger(timestampMs) || timestampMs < 0 || timestampMs > TIMESTAMP_MAX)
    throw new UsageError('INVALID_MESSAGE', `The message's timestamp is ${String(timestamp)}; give ms since the epoch.`)
  return { key, value, headers, timestampMs, partition }
}

/** Throws UsageError: a message of the wrong shape. */
export function checkMessages(messages: OutgoingMessage | readonly OutgoingMessage[], nowMs: number): CheckedMessages {
  if (!isList(messages)) return isBare(messages) ? messages : checkedRecord(messages, nowMs)
  for (let i = 0; i < messages.length; i++)
    if (!isBare(messages[i])) return messages.map(message => (isBare(message) ? message : checkedRecord(message, nowMs)))
  return messages as readonly CheckedMessage[]
}

/**
 * An upper bound of the bytes of these messages. Short strings are not measured: a character takes three bytes at most.
 * Throws UsageError: a message that no request can hold, or headers of the wrong shape.
 */
export function sizeUpperBound(messages: CheckedMessages, maxRequestBytes: number): number {
  if (!isList(messages)) return sizeOfOne(messages, maxRequestBytes)
  let bytes = 0
  for (let i = 0; i < messages.length; i++) bytes += sizeOfOne(messages[i]!, maxRequestBytes)
  return bytes
}

function sizeOfOne(message: CheckedMessage, maxRequestBytes: number): number {
  let bytes: number
  if (typeof message === 'string') {
    bytes = RECORD_OVERHEAD_BYTES + 3 * message.length
    if (bytes > maxRequestBytes) bytes = recordSizeUpperBound(null, message)
  } else if (isBytes(message)) bytes = RECORD_OVERHEAD_BYTES + message.length
  else bytes = recordSizeUpperBound(message.key, message.value, message.headers)
  if (bytes <= maxRequestBytes) return bytes
  throw new UsageError(
    'MESSAGE_TOO_LARGE',
    `A message of about ${bytes} bytes does not fit publish.maxRequestBytes (${maxRequestBytes}).`,
    { details: { bytes, maxRequestBytes } }
  )
}

/** The same messages in memory of their own: what waits may not change when the caller uses its buffers again. */
export function copyMessages(messages: CheckedMessages): CheckedMessages {
  return isList(messages) ? messages.map(copyMessage) : copyMessage(messages)
}

const copyValue = <T>(value: T): T => (isBytes(value) ? (Buffer.from(value) as T & Buffer) : value)

function copyMessage(message: CheckedMessage): CheckedMessage {
  if (isBare(message)) return copyValue(message)
  const { key, value, headers } = message
  return { ...message, key: copyValue(key), value: copyValue(value), headers: headers && copyHeaders(headers) }
}

function copyHeaders(headers: Headers): Headers {
  if (Array.isArray(headers)) return (headers as readonly HeaderPair[]).map(([key, value]) => [key, copyValue(value)] as const)
  return Object.fromEntries(
    Object.entries(headers as Record<string, HeaderValue | readonly HeaderValue[]>).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.map(copyValue) : copyValue(value)
    ])
  )
}

/** The one key, and the one partition that was asked for, of a list. Throws UsageError when they differ: a list stays together. */
export function singleKey(messages: CheckedMessages): { key: string | Uint8Array | null; partition: number | undefined } {
  const first = isList(messages) ? messages[0]! : messages
  const key = isBare(first) ? null : first.key
  const partition = isBare(first) ? undefined : first.partition
  if (!isList(messages)) return { key, partition }
  for (let i = 1; i < messages.length; i++) {
    const other = messages[i]!
    const same = isBare(other) ? key === null && partition === undefined : sameKey(key, other.key) && partition === other.partition
    if (!same)
      throw new UsageError(
        'DIFFERENT_KEYS',
        'A list goes to one partition, so its messages must have the same key and partition. Publish them one by one instead.'
      )
  }
  return { key, partition }
}

const sameKey = (a: string | Uint8Array | null, b: string | Uint8Array | null) =>
  a === b || (a !== null && b !== null && Buffer.from(a as string).equals(Buffer.from(b as string)))

/** The message's own choice, the user's own partitioner, the key, or undefined: wherever it fits. Throws SamsaError, UsageError. */
export function choosePartition(
  plane: TopicPlane,
  messages: CheckedMessages,
  partitioner: ResolvedPublishOptions['partitioner']
): number | undefined {
  if (partitioner === undefined && isBare(messages)) return undefined
  const { partition: asked, key } = singleKey(messages)
  const chosen = asked ?? partitioner?.(forPartitioner(messages), { name: plane.topic, partitions: plane.partitions })
  if (chosen === undefined) return key === null ? undefined : partitionOfKey(key, plane.partitions)
  if (Number.isInteger(chosen) && chosen >= 0 && chosen < plane.partitions) return chosen
  const what = `Topic ${plane.topic} has ${plane.partitions} partitions; there is no partition ${String(chosen)}.`
  throw new SamsaError('INVALID_PARTITION', what)
}

function forPartitioner(messages: CheckedMessages): { key: string | Uint8Array | null; value: string | Uint8Array | null } {
  const first = isList(messages) ? messages[0]! : messages
  return isBare(first) ? { key: null, value: first } : first
}
