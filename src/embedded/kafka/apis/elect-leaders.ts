/**
 * ElectLeaders (KIP-183, KIP-460): the preferred leader, or any replica at all for partitions that have none, by the controller alone.
 *
 * v1: which kind of election.
 */
import { ERROR } from '../errors.ts'
import type { Partition } from '../partition.ts'
import type { ClusterState } from '../state.ts'
import type { CoreHandler } from './common.ts'

const PREFERRED = 0
const UNCLEAN = 1

export const electLeaders: CoreHandler<'ElectLeaders'> = {
  api: 'ElectLeaders',
  versions: [0, 2],
  handle({ electionType = PREFERRED, topicPartitions }, { version, broker, state }) {
    const isController = state.controllerId === broker.id
    const known = electionType === PREFERRED || electionType === UNCLEAN
    const refused = isController ? (known ? ERROR.NONE : ERROR.INVALID_REQUEST) : ERROR.NOT_CONTROLLER
    // v0 has no error for all of it.
    if (refused !== ERROR.NONE && version > 0) return { throttleTimeMs: 0, errorCode: refused, replicaElectionResults: [] }
    const asked =
      topicPartitions ??
      [...state.topics.values()].map(({ name, partitions }) => ({ topic: name, partitions: partitions.map(({ index }) => index) }))
    const results = asked.map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions
        .map(partitionId => ({
          partitionId,
          errorCode: refused || elect(state, state.partition(topic, partitionId), electionType),
          errorMessage: null
        }))
        // Who asks for all hears of those that had to be elected.
        .filter(({ errorCode }) => topicPartitions !== null || errorCode !== ERROR.ELECTION_NOT_NEEDED)
    }))
    return {
      throttleTimeMs: 0,
      errorCode: ERROR.NONE,
      replicaElectionResults: results.filter(({ partitionResult }) => partitionResult.length > 0)
    }
  }
}

function elect(state: ClusterState, partition: Partition | undefined, type: number): number {
  if (!partition) return ERROR.UNKNOWN_TOPIC_OR_PARTITION
  const { leader, replicas, isr } = partition
  if (type === PREFERRED) {
    const preferred = replicas[0]!
    if (leader === preferred) return ERROR.ELECTION_NOT_NEEDED
    if (!state.isAlive(preferred) || !isr.includes(preferred)) return ERROR.PREFERRED_LEADER_NOT_AVAILABLE
    partition.elect(preferred)
    return ERROR.NONE
  }
  if (leader >= 0 && state.isAlive(leader)) return ERROR.ELECTION_NOT_NEEDED
  const alive = replicas.find(id => isr.includes(id) && state.isAlive(id)) ?? replicas.find(id => state.isAlive(id))
  if (alive === undefined) return ERROR.ELIGIBLE_LEADERS_NOT_AVAILABLE
  partition.elect(alive, { unclean: true })
  return ERROR.NONE
}
