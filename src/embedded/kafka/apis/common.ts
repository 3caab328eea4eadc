/**
 * What several APIs share: the type of their handlers, which error a request to a partition gets, and where its leader is.
 */
import type { ApiName } from '../../../wire/apis.ts'
import type { Broker } from '../broker.ts'
import { ERROR, KafkaFault } from '../errors.ts'
import type { Handler } from '../handler.ts'
import type { Partition } from '../partition.ts'
import type { ClusterState } from '../state.ts'

export type CoreHandler<N extends ApiName> = Handler<N, ClusterState, Broker>

/** Nobody asked which operations are allowed. */
export const OPERATIONS_NOT_ASKED = -2147483648
/** No authorizer: all that there are, a bit for each (`AclOperation.code`). */
export const TOPIC_OPERATIONS = bits(3, 4, 5, 6, 7, 8, 10, 11)
export const CLUSTER_OPERATIONS = bits(5, 7, 8, 9, 10, 11, 12)
export const GROUP_OPERATIONS = bits(3, 6, 8, 10, 11)
export const NO_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA'
export const NO_LEADER = { leaderId: -1, leaderEpoch: -1 }

function bits(...operations: number[]): number {
  return operations.reduce((sum, each) => sum | (1 << each), 0)
}

/** Is this leader epoch the one that counts? An unknown one is the client's being ahead of us. -1: it does not say. */
export function epochError(asked: number | undefined, partition: Partition): number {
  if (asked === undefined || asked < 0 || asked === partition.leaderEpoch) return ERROR.NONE
  return asked < partition.leaderEpoch ? ERROR.FENCED_LEADER_EPOCH : ERROR.UNKNOWN_LEADER_EPOCH
}

/** Can this broker answer for the partition as its leader, of the epoch that the client means? */
export function leaderError(partition: Partition | undefined, broker: Broker, epoch?: number): number {
  if (!partition) return ERROR.UNKNOWN_TOPIC_OR_PARTITION
  if (!partition.replicas.includes(broker.id)) return ERROR.NOT_LEADER_OR_FOLLOWER
  return epochError(epoch, partition) || (partition.leader === broker.id ? ERROR.NONE : ERROR.NOT_LEADER_OR_FOLLOWER)
}

/** Where the leader is, for a client that asked the wrong broker (KIP-951). */
export function currentLeader(partition: Partition | undefined): { leaderId: number; leaderEpoch: number } {
  return partition ? { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch } : NO_LEADER
}

/** Errors after which the client is told where the leader is. */
export function isLeaderError(errorCode: number): boolean {
  return errorCode === ERROR.NOT_LEADER_OR_FOLLOWER || errorCode === ERROR.FENCED_LEADER_EPOCH
}

/** Addresses of these brokers, each once. */
export function endpoints(
  state: ClusterState,
  ids: Iterable<number>
): { nodeId: number; host: string; port: number; rack: string | null }[] {
  return [...new Set(ids)]
    .filter(id => state.isAlive(id))
    .map(id => state.brokers.get(id)!)
    .map(({ id, host, port, rack }) => ({ nodeId: id, host, port, rack }))
}

/** What an admin request makes of a failure: its code and words. Anything but a KafkaFault is a mistake of ours. */
export function faultOf(error: unknown): { errorCode: number; errorMessage: string } {
  if (!(error instanceof KafkaFault)) throw error
  return { errorCode: error.errorCode, errorMessage: error.message }
}

/** Names that come more than once. */
export function repeated(names: readonly string[]): Set<string> {
  const [seen, twice] = [new Set<string>(), new Set<string>()]
  for (const name of names) (seen.has(name) ? twice : seen).add(name)
  return twice
}

/** The first of each name. */
export function firsts<T extends { name: string }>(all: readonly T[]): T[] {
  const seen = new Set<string>()
  return all.filter(({ name }) => !seen.has(name) && seen.add(name))
}
