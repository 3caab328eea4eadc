/**
 * What the leader of a classic group makes of the members and the topics: an assignment for each member, by the assignor they have in common.
 */
import { decodeSubscription, encodeAssignment } from '../flow/assignors/kafka/consumer-protocol.ts'
import { runAssignor } from '../flow/assignors/kafka/run-assignor.ts'
import type { TopicLevel } from '../machines/classic-member-types.ts'
import type { Assignor, MemberToAssign, PartitionToAssign } from '../model/assignor.ts'
import { type PlainError, ProtocolError, plainError } from '../model/errors.ts'
import type { ResponseOf } from '../wire/apis.ts'
import type { Instance } from './instance.ts'

type Told = ResponseOf<'JoinGroup'>['members']

/** The members as their own bytes tell of them. One that cannot be understood subscribes to nothing, and is told of. */
export function membersOf(told: Told, onTrouble: (error: PlainError) => void): MemberToAssign[] {
  return told.map(({ memberId, groupInstanceId, metadata }) => {
    try {
      return { id: memberId, groupInstanceId, ...decodeSubscription(metadata, memberId) }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      onTrouble(plainError(error))
      return { id: memberId, groupInstanceId, topics: [], ownedPartitions: [], generationId: -1, rackId: null, userData: null }
    }
  })
}

/** Encoded assignments by member id. Throws UsageError (ASSIGNOR_FAILED, INVALID_ASSIGNMENT). */
export function divide(
  instance: Instance,
  assignor: Assignor,
  members: readonly MemberToAssign[],
  levels: readonly TopicLevel[]
): Map<string, Buffer> {
  const wanted = new Set(members.flatMap(({ topics }) => topics))
  const topics = new Map(levels.filter(({ topic }) => wanted.has(topic)).map(level => [level.topic, partitionsOf(instance, level)]))
  return new Map([...runAssignor(assignor, { topics, members })].map(([id, assignment]) => [id, encodeAssignment(assignment)]))
}

/** With the racks of its brokers (KIP-881), as far as the registry has told them. */
function partitionsOf(instance: Instance, { topic, partitions }: TopicLevel): PartitionToAssign[] {
  const rackOf = (node: number | undefined) => (node === undefined ? null : (instance.brokers.get(node)?.rack ?? null))
  const replicas = new Map(instance.topicDetails.get(topic)?.map(({ partition, replicas: nodes }) => [partition, nodes]))
  const leaders = new Map(instance.leaderDetails.get(topic)?.map(({ partition, leader }) => [partition, leader]))
  return [...partitions]
    .sort((a, b) => a - b)
    .map(partition => ({
      partition,
      leaderRack: rackOf(leaders.get(partition)),
      replicaRacks: (replicas.get(partition) ?? []).map(rackOf)
    }))
}
