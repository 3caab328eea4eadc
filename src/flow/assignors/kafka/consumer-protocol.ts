/**
 * What members of a classic group tell each other through the coordinator (Java's ConsumerProtocol): a subscription in JoinGroup, an
 * assignment in SyncGroup, each behind a version of two bytes. The coordinator never looks inside, so this is what another client wrote.
 */
import { ProtocolError } from '../../../model/errors.ts'
import type { TopicPartition } from '../../../model/events.ts'
import { type Codec, compile } from '../../../wire/compile.ts'
import type { Definition } from '../../../wire/definition.ts'
import { type ConsumerProtocolAssignment, consumerProtocolAssignment } from '../../../wire/messages/consumer-protocol-assignment.ts'
import { type ConsumerProtocolSubscription, consumerProtocolSubscription } from '../../../wire/messages/consumer-protocol-subscription.ts'
import { Reader } from '../../../wire/reader.ts'
import { Writer } from '../../../wire/writer.ts'
import { compareText, sortedOnce } from '../assignment.ts'
import { NO_GENERATION } from './sticky-claims.ts'

/** The `protocolType` of these groups. */
export const PROTOCOL_TYPE = 'consumer'
/** Of both. */
export type ProtocolVersion = 0 | 1 | 2 | 3
/** What Java 3.9 writes. */
export const NEWEST_VERSION: ProtocolVersion = 3

export interface Subscription {
  /** Each once. */
  topics: readonly string[]
  /** Of the assignor; null: none. */
  userData: Uint8Array | null
  /** From version 1 on; before: empty. */
  ownedPartitions: readonly TopicPartition[]
  /** From version 2 on; before, and where there is none: -1. */
  generationId: number
  /** From version 3 on; null: unknown. */
  rackId: string | null
}

export interface Assignment {
  partitions: readonly TopicPartition[]
  /** Of the leader's assignor; null: none. */
  userData: Uint8Array | null
}

type Grouped = { topic: string; partitions: number[] }[]

const codecs = (definition: Definition): Codec[] => [0, 1, 2, 3].map(version => compile(definition, version))
const SUBSCRIPTION = codecs(consumerProtocolSubscription)
const ASSIGNMENT = codecs(consumerProtocolAssignment)

/**
 * Topics and owned partitions go sorted, as Java sends them; what an older version cannot carry is left out.
 * @throws UsageError when a field cannot be written, such as user data of the wrong type.
 */
export function encodeSubscription(subscription: Subscription, version: ProtocolVersion = NEWEST_VERSION): Buffer {
  const { topics, userData, ownedPartitions, generationId, rackId } = subscription
  const sorted = [...ownedPartitions].sort((a, b) => compareText(a.topic, b.topic) || a.partition - b.partition)
  return encode(SUBSCRIPTION, version, {
    topics: sortedOnce(topics),
    userData,
    ownedPartitions: grouped(sorted),
    generationId: Math.max(generationId, NO_GENERATION),
    rackId
  })
}

/** Topics in the order in which they come first. Throws UsageError when a field cannot be written. */
export function encodeAssignment({ partitions, userData }: Assignment, version: ProtocolVersion = NEWEST_VERSION): Buffer {
  return encode(ASSIGNMENT, version, { assignedPartitions: grouped(partitions), userData })
}

/**
 * `memberId`: whose it is, for the message of the error. User data is a slice of `bytes`.
 * @throws ProtocolError (INVALID_SUBSCRIPTION) on bytes that are no subscription.
 */
export function decodeSubscription(bytes: Uint8Array, memberId: string): Subscription {
  try {
    const data = decode(SUBSCRIPTION, bytes) as ConsumerProtocolSubscription
    return {
      topics: [...new Set(data.topics)],
      userData: data.userData,
      ownedPartitions: flat(data.ownedPartitions),
      generationId: Math.max(data.generationId, NO_GENERATION),
      rackId: data.rackId || null
    }
  } catch (error) {
    const what = `What member ${memberId} sent as its subscription cannot be read`
    throw unreadable('INVALID_SUBSCRIPTION', what, 'Its client speaks another protocol under this name, or is broken.', memberId, error)
  }
}

/**
 * `memberId`: the member that it was made for, for the message of the error. No bytes at all are an empty assignment: that is what the coordinator
 * sends to whom the leader left out, as kafkajs does with members that get nothing.
 * @throws ProtocolError (INVALID_ASSIGNMENT) on bytes that are no assignment.
 */
export function decodeAssignment(bytes: Uint8Array, memberId: string): Assignment {
  if (bytes.length === 0) return { partitions: [], userData: null }
  try {
    const data = decode(ASSIGNMENT, bytes) as ConsumerProtocolAssignment
    return { partitions: flat(data.assignedPartitions), userData: data.userData }
  } catch (error) {
    const what = `What the group's leader sent as the assignment of member ${memberId} cannot be read`
    throw unreadable('INVALID_ASSIGNMENT', what, 'The leader runs another assignor under this name, or is broken.', memberId, error)
  }
}

function unreadable(code: string, what: string, why: string, memberId: string, error: unknown): unknown {
  if (!(error instanceof ProtocolError)) return error
  return new ProtocolError(code, `${what}: ${error.message} ${why}`, { cause: error, details: { member: memberId } })
}

function encode(codecs: readonly Codec[], version: ProtocolVersion, message: object): Buffer {
  const writer = new Writer()
  writer.int16(version)
  codecs[version]!.encode(writer, message)
  return Buffer.concat(writer.finish())
}

/**
 * A version that is newer than ours is read as the newest of ours, which it begins with (KIP-429). Some clients say a version and write
 * an older one (kafkajs version 1 without owned partitions): where the bytes end exactly where an older version does, it is that one.
 */
function decode(codecs: readonly Codec[], bytes: Uint8Array): object {
  const reader = readerOf(bytes)
  const said = reader.int16()
  if (said < 0) throw new ProtocolError('INVALID_VERSION', `It says version ${said}.`)
  const version = Math.min(said, NEWEST_VERSION)
  const start = reader.at
  try {
    return codecs[version]!.decode(reader)
  } catch (error) {
    return olderThan(version, codecs, bytes, start) ?? rethrow(error)
  }
}

function olderThan(version: number, codecs: readonly Codec[], bytes: Uint8Array, start: number): object | undefined {
  for (let older = version - 1; older >= 0; older--) {
    const reader = readerOf(bytes, start)
    try {
      const message = codecs[older]!.decode(reader)
      if (reader.remaining === 0) return message
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
    }
  }
  return undefined
}

function rethrow(error: unknown): never {
  throw error
}

function readerOf(bytes: Uint8Array, at = 0): Reader {
  return new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), at)
}

function grouped(partitions: readonly TopicPartition[]): Grouped {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const numbers = byTopic.get(topic)
    if (numbers) numbers.push(partition)
    else byTopic.set(topic, [partition])
  }
  return [...byTopic].map(([topic, numbers]) => ({ topic, partitions: numbers }))
}

function flat(topics: Grouped): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map(partition => {
      if (partition < 0) throw new ProtocolError('INVALID_PARTITION', `It names partition ${partition} of ${topic}.`)
      return { topic, partition }
    })
  )
}
