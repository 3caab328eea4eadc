/**
 * Short forms for groups in tests: `groupOf({ t: 3 }, { a: {}, b: { rackId: 'r1' } })`, and what came out as text.
 */
import type { AssignorInput, MemberAssignment, MemberToAssign } from '../../../../src/model/assignor.ts'
import type { TopicPartition } from '../../../../src/model/events.ts'

/** A number of partitions, or the racks of each one's replicas. */
type Topics = Record<string, number | (string | null)[][]>
type Members = Record<string, Partial<Omit<MemberToAssign, 'ownedPartitions'>> & { owns?: string }>

/** Members subscribe to every topic unless they say otherwise. `owns`: `t/0 t/1`. */
export function groupOf(topics: Topics, members: Members): AssignorInput {
  return {
    topics: new Map(
      Object.entries(topics).map(([topic, given]) => {
        const racks = typeof given === 'number' ? Array.from({ length: given }, () => [null]) : given
        return [topic, racks.map((replicaRacks, partition) => ({ partition, leaderRack: replicaRacks[0] ?? null, replicaRacks }))]
      })
    ),
    members: Object.entries(members).map(([id, { owns = '', ...given }]) => ({
      id,
      groupInstanceId: null,
      topics: Object.keys(topics),
      generationId: -1,
      rackId: null,
      userData: null,
      ownedPartitions: partitionsOf(owns),
      ...given
    }))
  }
}

export function partitionsOf(text: string): TopicPartition[] {
  return text
    .split(' ')
    .filter(Boolean)
    .map(one => ({ topic: one.split('/')[0]!, partition: Number(one.split('/')[1]) }))
}

export const textOf = (partitions: readonly TopicPartition[]) => partitions.map(({ topic, partition }) => `${topic}/${partition}`).join(' ')

/** Member → `t/0 t/1`, in the order given. */
export function shown(assignments: ReadonlyMap<string, MemberAssignment>): Record<string, string> {
  return Object.fromEntries([...assignments].sort().map(([id, { partitions }]) => [id, textOf(partitions)]))
}
