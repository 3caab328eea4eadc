/**
 * One partition read for one Fetch: which log, up to where, and what the reader must know beside the bytes.
 */
import type { RequestOf } from '../../wire/apis.ts'
import { currentLeader, epochError, isLeaderError, NO_LEADER } from './apis/common.ts'
import type { Broker } from './broker.ts'
import { ERROR } from './errors.ts'
import type { ReplicaLog } from './log/log.ts'
import type { Partition } from './partition.ts'
import type { ClusterState } from './state.ts'

export interface ReadOptions {
  /** Empty: there is none of this id. */
  topic: string
  topicId: string
  /** Topics are asked for by their ids. */
  byId: boolean
  asked: RequestOf<'Fetch'>['topics'][number]['partitions'][number]
  /** -1: a consumer. */
  replicaId: number
  /** A consumer may read from a follower too. */
  fromFollowers: boolean
  committedOnly: boolean
  maxBytes: number
  /** One whole batch at least, even if it is larger. */
  leastOne: boolean
}

export interface PartitionRead {
  errorCode: number
  highWatermark: bigint
  lastStableOffset: bigint
  logStartOffset: bigint
  divergingEpoch: { epoch: number; endOffset: bigint } | undefined
  currentLeader: { leaderId: number; leaderEpoch: number }
  /** Null: the reader takes everything. */
  abortedTransactions: { producerId: bigint; firstOffset: bigint }[] | null
  records: readonly Buffer[]
  bytes: number
}

const UNKNOWN = -1n

export function readPartition(state: ClusterState, broker: Broker, options: ReadOptions): PartitionRead {
  const { topic, topicId, byId, asked, replicaId, fromFollowers } = options
  // Where there is no log, there is a list of aborted transactions, and it is empty: so Kafka has it.
  if (byId && topic === '') return { ...failed(ERROR.UNKNOWN_TOPIC_ID), abortedTransactions: [] }
  const partition = state.partition(topic, asked.partition)
  if (!partition) return { ...failed(ERROR.UNKNOWN_TOPIC_OR_PARTITION), abortedTransactions: [] }
  if (byId && partition.topicId !== topicId) return failed(ERROR.INCONSISTENT_TOPIC_ID)
  const log = partition.logs.get(broker.id)
  if (!log) return failed(ERROR.NOT_LEADER_OR_FOLLOWER, partition)
  const isLeader = partition.leader === broker.id
  const errorCode =
    epochError(asked.currentLeaderEpoch, partition) || (isLeader || (fromFollowers && replicaId < 0) ? 0 : ERROR.NOT_LEADER_OR_FOLLOWER)
  return errorCode === ERROR.NONE ? readLog(partition, log, options) : failed(errorCode, partition)
}

function readLog(
  partition: Partition,
  log: ReplicaLog,
  { asked, replicaId, committedOnly, maxBytes, leastOne }: ReadOptions
): PartitionRead {
  const from = Number(asked.fetchOffset)
  const highWatermark = Math.min(partition.highWatermark, log.endOffset)
  const stable = Math.min(highWatermark, log.producers.firstUnstable(highWatermark) ?? highWatermark)
  const read: PartitionRead = {
    ...failed(ERROR.NONE),
    highWatermark: BigInt(highWatermark),
    lastStableOffset: BigInt(stable),
    logStartOffset: BigInt(log.logStartOffset),
    abortedTransactions: committedOnly ? [] : null
  }
  const diverging = divergence(log, from, asked.lastFetchedEpoch)
  if (diverging === 'unknown' || from < log.logStartOffset || from > log.endOffset) return failed(ERROR.OFFSET_OUT_OF_RANGE, partition)
  if (diverging) return { ...read, divergingEpoch: diverging }
  const before = replicaId >= 0 ? log.endOffset : committedOnly ? stable : highWatermark
  const { chunks, bytes, nextOffset } = log.read(from, before, maxBytes, leastOne)
  if (committedOnly && chunks.length > 0)
    read.abortedTransactions = log
      .abortedIn(from, nextOffset)
      .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: BigInt(firstOffset) }))
  return { ...read, records: chunks, bytes }
}

/** The reader has batches of an epoch that ended before its position: its log is not ours any more (KIP-595). */
function divergence(log: ReplicaLog, from: number, epoch = -1): { epoch: number; endOffset: bigint } | 'unknown' | undefined {
  if (epoch < 0) return undefined
  const end = log.endOfEpoch(epoch)
  if (end.endOffset < 0) return 'unknown'
  return end.epoch < epoch || end.endOffset < from ? { epoch: end.epoch, endOffset: BigInt(end.endOffset) } : undefined
}

function failed(errorCode: number, partition?: Partition): PartitionRead {
  return {
    errorCode,
    highWatermark: UNKNOWN,
    lastStableOffset: UNKNOWN,
    logStartOffset: UNKNOWN,
    divergingEpoch: undefined,
    currentLeader: isLeaderError(errorCode) ? currentLeader(partition) : NO_LEADER,
    abortedTransactions: null,
    records: [],
    bytes: 0
  }
}
