/**
 * What a member of a classic group has told its coordinator, read for who describes the group: bytes of the consumer protocol, written by any
 * client. What cannot be read is told as a problem of that member, never thrown.
 */
import { decodeAssignment, decodeSubscription, PROTOCOL_TYPE } from '../flow/assignors/kafka/consumer-protocol.ts'
import { ProtocolError } from '../model/errors.ts'
import type { TopicPartition } from '../model/events.ts'

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

/** Subscription and assignment; both are empty while the group is rebalancing, and mean something else in a group of another protocol type. */
export function decodeMember(protocolType: string, memberId: string, metadata: Buffer, assignment: Buffer): DecodedMember {
  const out: DecodedMember = { subscription: null, assignment: [], rackId: null, problem: null }
  if (protocolType !== PROTOCOL_TYPE) return out
  try {
    if (metadata.length > 0) {
      const { topics, rackId } = decodeSubscription(metadata, memberId)
      out.subscription = { topics: [...topics].sort(), regex: null }
      out.rackId = rackId
    }
    if (assignment.length > 0) out.assignment = byTopic(decodeAssignment(assignment, memberId).partitions)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    out.problem = error.message
  }
  return out
}

function byTopic(partitions: readonly TopicPartition[]): TopicPartitions[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  return [...topics]
    .map(([topic, numbers]) => ({ topic, partitions: numbers.sort((a, b) => a - b) }))
    .sort((a, b) => (a.topic < b.topic ? -1 : 1))
}
