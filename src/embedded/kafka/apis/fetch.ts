/**
 * Fetch: batches from an offset on, at once if there are enough, else when there are, or when the client has waited long enough.
 *
 * v4: isolation and aborted transactions. v7: sessions (KIP-227). v9: leader epochs. v11: from followers too (KIP-392). v12: flexible, diverging
 * epochs. v13: topic ids. v15: the replica's state. v16: where the leader is (KIP-951).
 */
import type { RequestOf, ResponseOf } from '../../../wire/apis.ts'
import type { Broker } from '../broker.ts'
import { ERROR } from '../errors.ts'
import type { FetchedPartition, FetchPlan } from '../fetch-sessions.ts'
import type { Peer } from '../handler.ts'
import { type PartitionRead, readPartition } from '../read.ts'
import type { ClusterState } from '../state.ts'
import { type CoreHandler, endpoints, isLeaderError, NO_LEADER } from './common.ts'

type FetchRequest = RequestOf<'Fetch'>
type FetchResponse = ResponseOf<'Fetch'>

const READ_COMMITTED = 1
/** The version from which a partition's answer says who leads it. */
const LEADERS_FROM = 16
const MAX_BYTES = 0x7fffffff

interface Asked {
  request: FetchRequest
  version: number
  plan: FetchPlan
  broker: Broker
  state: ClusterState
}

/** What one look at all partitions has found. */
interface Found {
  reads: { of: FetchedPartition; read: PartitionRead }[]
  bytes: number
  /** Something that is not to wait: an error, a diverging epoch. */
  urgent: boolean
}

export const fetch: CoreHandler<'Fetch'> = {
  api: 'Fetch',
  versions: [4, 18],
  async handle(request, { version, broker, state, connection }) {
    const plan = broker.sessions.plan(request, version, id => state.topicById(id)?.name)
    if (plan.errorCode !== ERROR.NONE) return answer(plan.errorCode, 0)
    const asked = { request, version, plan, broker, state }
    let found = look(asked)
    if (!isEnough(asked, found)) {
      await enough(asked, connection)
      found = look(asked)
    }
    return tell(asked, found)
  }
}

function answer(errorCode: number, sessionId: number): FetchResponse {
  return { throttleTimeMs: 0, errorCode, sessionId, responses: [], nodeEndpoints: [] }
}

/** Reads all partitions within the limits; the first that has something gives one batch at least. */
function look({ request, version, plan, broker, state }: Asked): Found {
  const replicaId = request.replicaState?.replicaId ?? request.replicaId ?? -1
  const found: Found = { reads: [], bytes: 0, urgent: false }
  const most = Math.min(request.maxBytes ?? MAX_BYTES, state.configs.brokerNumber('fetch.max.bytes'))
  for (const of of plan.partitions) {
    const read = readPartition(state, broker, {
      topic: of.topic,
      topicId: of.topicId,
      byId: version >= 13,
      asked: of.asked,
      replicaId,
      fromFollowers: version >= 11,
      committedOnly: request.isolationLevel === READ_COMMITTED,
      maxBytes: Math.min(of.asked.partitionMaxBytes, Math.max(0, most - found.bytes)),
      leastOne: found.bytes === 0
    })
    found.bytes += read.bytes
    found.urgent ||= read.errorCode !== ERROR.NONE || read.divergingEpoch !== undefined
    found.reads.push({ of, read })
  }
  return found
}

function isEnough({ request, plan }: Asked, { bytes, urgent }: Found): boolean {
  return urgent || request.maxWaitMs <= 0 || plan.partitions.length === 0 || bytes >= request.minBytes
}

/** Until there is enough, the time is over, or nobody listens any more. */
function enough(asked: Asked, connection: Peer): Promise<void> {
  const { plan, state, request } = asked
  return new Promise(resolve => {
    let over = false
    let looking = false
    const stops = new Set(plan.partitions.map(({ topic, partition }) => state.partition(topic, partition)?.onChange(again)))
    const timer = state.world.setTimer(end, request.maxWaitMs)
    stops.add(connection.onClosed(end))
    // Several changes of one turn are looked at once.
    function again() {
      if (looking || over) return
      looking = true
      queueMicrotask(() => {
        looking = false
        if (!over && isEnough(asked, look(asked))) end()
      })
    }
    function end() {
      over = true
      state.world.clearTimer(timer)
      for (const stop of stops) stop?.()
      resolve()
    }
  })
}

function tell({ plan, version, broker, state }: Asked, { reads }: Found): FetchResponse {
  const response = answer(ERROR.NONE, plan.sessionId)
  const leaders: number[] = []
  for (const { of, read } of reads) {
    const { records, highWatermark, logStartOffset } = read
    const isNew = of.highWatermark !== highWatermark || of.logStartOffset !== logStartOffset
    const urgent = read.errorCode !== ERROR.NONE || read.divergingEpoch !== undefined
    of.highWatermark = highWatermark
    of.logStartOffset = logStartOffset
    // A failed one is told again the next time, whatever it says then.
    if (read.errorCode !== ERROR.NONE) of.highWatermark = -1n
    if (plan.incremental && !isNew && !urgent && records.length === 0) continue
    if (records.length > 0) broker.sessions.served(plan, of)
    if (isLeaderError(read.errorCode)) leaders.push(read.currentLeader.leaderId)
    let topic = response.responses.at(-1)
    if (!topic || topic.topic !== of.topic || topic.topicId !== of.topicId) {
      topic = { topic: of.topic, topicId: of.topicId, partitions: [] }
      response.responses.push(topic)
    }
    topic.partitions.push(partitionOf(of, version < LEADERS_FROM ? { ...read, currentLeader: NO_LEADER } : read))
  }
  if (version >= 16) response.nodeEndpoints = endpoints(state, leaders)
  return response
}

function partitionOf({ partition }: FetchedPartition, read: PartitionRead): FetchResponse['responses'][number]['partitions'][number] {
  const { errorCode, highWatermark, lastStableOffset, logStartOffset, divergingEpoch, currentLeader, abortedTransactions, records } = read
  return {
    partitionIndex: partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    divergingEpoch: divergingEpoch ?? { epoch: -1, endOffset: -1n },
    currentLeader,
    snapshotId: { endOffset: -1n, epoch: -1 },
    abortedTransactions,
    preferredReadReplica: -1,
    // Written as they are, one behind the other, without being joined.
    records: records as unknown as Buffer
  }
}
