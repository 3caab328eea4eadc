/**
 * What users publish, taken apart and checked: strings, bytes or objects, one or a list.
 */
import type { PlainMessage } from '../flow/accumulator.ts'
import { partitionOfKey } from '../flow/partitioner.ts'
import type { TopicPlane } from '../flow/topic-plane.ts'
import type { ResolvedPublishOptions } from '../model/config.ts'
import { SamsaError, UsageError } from '../model/errors.ts'
import type { OutgoingMessage } from '../model/message.ts'
import { recordSizeUpperBound } from '../wire/records/index.ts'

export interface PlainList {
  plain: PlainMessage[]
  originals: readonly OutgoingMessage[]
}

/** The last moment of a JavaScript Date, ms since the epoch. */
const TIMESTAMP_MAX = 8.64e15

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array

function plainMessage(message: OutgoingMessage, nowMs: number): PlainMessage {
  if (typeof message === 'string' || isBytes(message)) return { key: null, value: message, headers: undefined, timestampMs: nowMs }
  if (message === null || typeof message !== 'object')
    throw new UsageError(
      'INVALID_MESSAGE',
      `A message is a string, bytes, or { key?, value, headers?, timestamp?, partition? }; got ${typeof message}.`
    )
  const { key = null, value, headers, timestamp } = message
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
  return { key, value, headers, timestampMs }
}

/** Throws UsageError: a message of the wrong shape, or one that no request can hold. */
export function plainMessages(messages: OutgoingMessage | readonly OutgoingMessage[], nowMs: number, maxRequestBytes: number): PlainList {
  const originals = Array.isArray(messages) ? (messages as readonly OutgoingMessage[]) : [messages as OutgoingMessage]
  const plain = originals.map(message => plainMessage(message, nowMs))
  for (const { key, value, headers } of plain) {
    const bytes = recordSizeUpperBound(key, value, headers)
    if (bytes > maxRequestBytes)
      throw new UsageError(
        'MESSAGE_TOO_LARGE',
        `A message of about ${bytes} bytes does not fit publish.maxRequestBytes (${maxRequestBytes}).`,
        {
          details: { bytes, maxRequestBytes }
        }
      )
  }
  return { plain, originals }
}

/** The one key, and the one partition that was asked for, of a list. Throws UsageError when they differ: a list stays together. */
export function singleKey(originals: readonly OutgoingMessage[]): { key: string | Uint8Array | null; partition: number | undefined } {
  const of = (message: OutgoingMessage) =>
    typeof message === 'string' || isBytes(message)
      ? { key: null, partition: undefined }
      : { key: message.key ?? null, partition: message.partition }
  const first = of(originals[0]!)
  const same = (a: string | Uint8Array | null, b: string | Uint8Array | null) =>
    a === b || (a !== null && b !== null && Buffer.from(a as string).equals(Buffer.from(b as string)))
  for (let i = 1; i < originals.length; i++) {
    const other = of(originals[i]!)
    if (!same(first.key, other.key) || first.partition !== other.partition)
      throw new UsageError(
        'DIFFERENT_KEYS',
        'A list goes to one partition, so its messages must have the same key and partition. Publish them one by one instead.'
      )
  }
  return first
}

/** The message's own choice, the user's own partitioner, the key, or undefined: wherever it fits. Throws SamsaError, UsageError. */
export function choosePartition(
  plane: TopicPlane,
  list: PlainList,
  partitioner: ResolvedPublishOptions['partitioner']
): number | undefined {
  const { partition: asked, key } = singleKey(list.originals)
  const chosen = asked ?? (partitioner ? partitioner(list.plain[0]!, { name: plane.topic, partitions: plane.partitions }) : undefined)
  if (chosen === undefined) return key === null ? undefined : partitionOfKey(key, plane.partitions)
  if (Number.isInteger(chosen) && chosen >= 0 && chosen < plane.partitions) return chosen
  const what = `Topic ${plane.topic} has ${plane.partitions} partitions; there is no partition ${String(chosen)}.`
  throw new SamsaError('INVALID_PARTITION', what)
}
