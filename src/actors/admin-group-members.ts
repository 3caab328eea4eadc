/**
 * What a member of a classic group has told its coordinator, read for who describes the group: bytes of the consumer protocol (Kafka's
 * ConsumerProtocol), written by any client. What cannot be read is told as a problem of that member, never thrown.
 */
import { ProtocolError } from '../model/errors.ts'
import { type Codec, compile } from '../wire/compile.ts'
import type { Definition } from '../wire/definition.ts'
import { type ConsumerProtocolAssignment, consumerProtocolAssignment } from '../wire/messages/consumer-protocol-assignment.ts'
import { type ConsumerProtocolSubscription, consumerProtocolSubscription } from '../wire/messages/consumer-protocol-subscription.ts'
import { Reader } from '../wire/reader.ts'

/** Partitions of one topic, ascending. */
export interface TopicPartitions {
  topic: string
  partitions: number[]
}

export interface DecodedMember {
  subscription: { topics: string[]; regex: null } | null
  assignment: TopicPartitions[]
  rackId: string | null
  problem: string | null
}

const CONSUMER = 'consumer'
const nothing: DecodedMember = { subscription: null, assignment: [], rackId: null, problem: null }

/** Subscription and assignment; both are empty while the group is rebalancing, and mean something else in a group of another protocol type. */
export function decodeMember(protocolType: string, metadata: Buffer, assignment: Buffer): DecodedMember {
  if (protocolType !== CONSUMER) return nothing
  const out = { ...nothing }
  try {
    if (metadata.length > 0) {
      const { topics, rackId } = decode<ConsumerProtocolSubscription>(consumerProtocolSubscription, metadata)
      out.subscription = { topics: [...topics].sort(), regex: null }
      out.rackId = rackId
    }
    if (assignment.length > 0) {
      const { assignedPartitions } = decode<ConsumerProtocolAssignment>(consumerProtocolAssignment, assignment)
      out.assignment = assignedPartitions.map(({ topic, partitions }) => ({ topic, partitions: [...partitions].sort((a, b) => a - b) }))
      out.assignment.sort((a, b) => (a.topic < b.topic ? -1 : 1))
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    out.problem = `What it told the coordinator cannot be read: ${error.message}`
  }
  return out
}

const codecs = new Map<Definition, Codec[]>()

/** A version in front, then the message. A later version than we know begins like the last that we do (ConsumerProtocol.deserialize…). */
function decode<T>(definition: Definition, bytes: Buffer): T {
  const reader = new Reader(bytes)
  const version = reader.int16()
  if (version < 0) throw new ProtocolError('INVALID_VERSION', `its version is ${version}.`)
  const known = Math.min(version, definition.versions[1])
  const compiled = codecs.get(definition) ?? []
  codecs.set(definition, compiled)
  return (compiled[known] ??= compile(definition, known)).decode(reader) as T
}
