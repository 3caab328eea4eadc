/**
 * The little that a coordinator reads of what consumers tell each other (Kafka's ConsumerProtocol): which topics they are subscribed to, what they
 * own, and how an assignment is written for them.
 */
import { compile } from '../../../wire/compile.ts'
import { type ConsumerProtocolAssignment, consumerProtocolAssignment } from '../../../wire/messages/consumer-protocol-assignment.ts'
import { type ConsumerProtocolSubscription, consumerProtocolSubscription } from '../../../wire/messages/consumer-protocol-subscription.ts'
import { Reader } from '../../../wire/reader.ts'
import { Writer } from '../../../wire/writer.ts'

const NEWEST = 3
const SUBSCRIPTION = [0, 1, 2, 3].map(version => compile(consumerProtocolSubscription, version))
const ASSIGNMENT = [0, 1, 2, 3].map(version => compile(consumerProtocolAssignment, version))

/** All topics of all members; undefined when one of them cannot be read. */
export function subscribedTopics(metadata: readonly Uint8Array[]): ReadonlySet<string> | undefined {
  const topics = new Set<string>()
  for (const bytes of metadata) {
    const subscription = readSubscription(bytes)
    if (!subscription) return undefined
    for (const topic of subscription.topics) topics.add(topic)
  }
  return topics
}

/** Undefined: it is none. Clients that claim a version and write an older one are read as that one. */
export function readSubscription(bytes: Uint8Array): ConsumerProtocolSubscription | undefined {
  return read(SUBSCRIPTION, bytes) as ConsumerProtocolSubscription | undefined
}

export function readAssignment(bytes: Uint8Array): ConsumerProtocolAssignment | undefined {
  return bytes.length === 0
    ? { assignedPartitions: [], userData: null }
    : (read(ASSIGNMENT, bytes) as ConsumerProtocolAssignment | undefined)
}

export function writeAssignment(assignedPartitions: ConsumerProtocolAssignment['assignedPartitions'], version: number): Buffer {
  const writer = new Writer()
  const told = Math.max(0, Math.min(version, NEWEST))
  writer.int16(told)
  ASSIGNMENT[told]!.encode(writer, { assignedPartitions, userData: null })
  return Buffer.concat(writer.finish())
}

export function versionOf(bytes: Uint8Array): number {
  return bytes.length < 2 ? 0 : (bytes[0]! << 8) | bytes[1]!
}

function read(codecs: readonly { decode(reader: Reader): object }[], bytes: Uint8Array): object | undefined {
  if (bytes.length < 2) return undefined
  for (let version = Math.min(versionOf(bytes), NEWEST); version >= 0; version--) {
    try {
      return codecs[version]!.decode(new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 2))
    } catch {
      // An older version may fit.
    }
  }
  return undefined
}
