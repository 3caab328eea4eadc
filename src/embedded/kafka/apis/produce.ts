/**
 * Produce: one batch per partition, appended by its leader, answered when as many replicas have it as `acks` says.
 *
 * v3: batches of format 2 alone. v7: zstd. v8: errors of single records. v9: flexible. v10: where the leader is (KIP-951). v12: a partition joins
 * its transaction by the write (KIP-890). v13: topic ids. Acks 0 has no answer; where there would be an error, the connection ends.
 */
import { ProtocolError } from '../../../model/errors.ts'
import type { ResponseOf } from '../../../wire/apis.ts'
import type { Broker } from '../broker.ts'
import { ERROR } from '../errors.ts'
import type { Partition } from '../partition.ts'
import { checkBatch, refused } from '../produce-checks.ts'
import type { ClusterState } from '../state.ts'
import { type CoreHandler, currentLeader, endpoints, isLeaderError, NO_LEADER, NO_TOPIC_ID } from './common.ts'

type Told = ResponseOf<'Produce'>['responses'][number]['partitionResponses'][number]

const ALL = -1
/** The version from which the answer says where the leader is. */
const LEADERS_FROM = 10
/** May write into internal topics, as Kafka has it. */
const ADMIN_CLIENT = '__admin_client'

interface Write {
  told: Told
  /** Where it was appended, and up to where replicas must have it. */
  partition: Partition | undefined
  endOffset: number
  leaderEpoch: number
}

interface Asked {
  topic: string | undefined
  index: number
  records: Buffer | null
  version: number
  acks: number
  transactionalId: string | null
  clientId: string | null
}

export const produce: CoreHandler<'Produce'> = {
  api: 'Produce',
  versions: [3, 13],
  async handle(request, { version, clientId, broker, state }) {
    const { acks, transactionalId = null } = request
    const names = request.topicData.map(({ name, topicId }) => (version >= 13 ? state.topicById(topicId ?? '')?.name : name))
    // All appends begin in this turn; only transactions may have to be asked for elsewhere.
    const writes = await Promise.all(
      request.topicData.map(({ partitionData }, at) =>
        Promise.all(
          partitionData.map(({ index, records }) =>
            write({ topic: names[at], index, records: records as Buffer | null, version, acks, transactionalId, clientId }, broker, state)
          )
        )
      )
    )
    if (acks === ALL) await replicated(writes.flat(), request.timeoutMs, state)
    const all = writes.flat().map(({ told }) => told)
    if (acks === 0) {
      const bad = all.find(({ errorCode }) => errorCode !== ERROR.NONE)
      if (bad) throw new ProtocolError('PRODUCE_UNANSWERED', `Produce without acks failed with error ${bad.errorCode}.`)
      return null
    }
    return {
      // Nothing that a version cannot carry is said in it.
      responses: request.topicData.map(({ name = '', topicId = NO_TOPIC_ID }, at) => ({
        name,
        topicId,
        partitionResponses: writes[at]!.map(({ told }) => (version < LEADERS_FROM ? { ...told, currentLeader: NO_LEADER } : told))
      })),
      throttleTimeMs: 0,
      nodeEndpoints: version < LEADERS_FROM ? [] : endpoints(state, leadersOf(all))
    }
  }
}

function leadersOf(all: Told[]): number[] {
  return all.filter(({ errorCode }) => isLeaderError(errorCode)).map(({ currentLeader: { leaderId } }) => leaderId)
}

async function write(asked: Asked, broker: Broker, state: ClusterState): Promise<Write> {
  const { topic, index, version, acks } = asked
  const none = { partition: undefined, endOffset: -1, leaderEpoch: -1 }
  if (topic === undefined) return { told: failed(index, ERROR.UNKNOWN_TOPIC_ID), ...none }
  const partition = state.partition(topic, index)
  if (!partition) return { told: failed(index, ERROR.UNKNOWN_TOPIC_OR_PARTITION), ...none }
  const bad = (errorCode: number, message?: string | null, recordErrors: Told['recordErrors'] = []): Write => ({
    told: { ...failed(index, errorCode, partition), errorMessage: message ?? null, recordErrors },
    ...none
  })
  const checked =
    asked.records === null ? refused('INVALID_RECORD', 'There are no records') : checkBatch(asked.records, version, topic, state)
  // Formats are looked at first, acks and leaders next, and only a leader reads further.
  if ('errorCode' in checked && checked.early) return bad(checked.errorCode, checked.message)
  if (acks !== ALL && acks !== 0 && acks !== 1) return bad(ERROR.INVALID_REQUIRED_ACKS)
  if (state.topic(topic)!.internal && asked.clientId !== ADMIN_CLIENT)
    return bad(ERROR.INVALID_TOPIC_EXCEPTION, `Cannot append to internal topic ${topic}`)
  if (partition.leader !== broker.id) return bad(ERROR.NOT_LEADER_OR_FOLLOWER)
  if (acks === ALL && partition.isUnderMinIsr)
    return bad(ERROR.NOT_ENOUGH_REPLICAS, `The size of the current ISR ${partition.isr} is insufficient to satisfy the min.isr requirement`)
  if ('errorCode' in checked) return fromLog(partition, bad(checked.errorCode, checked.message, checked.recordErrors))
  if (checked.batch.isTransactional) {
    const errorCode = await mayWrite(asked, checked.batch, partition, state)
    if (errorCode !== ERROR.NONE) return bad(errorCode)
    if (partition.leader !== broker.id) return bad(ERROR.NOT_LEADER_OR_FOLLOWER)
  }
  const { errorCode, message, baseOffset, endOffset, duplicateTime } = partition.append(checked.bytes, checked.batch)
  if (errorCode !== ERROR.NONE) return fromLog(partition, bad(errorCode, message))
  const told = {
    ...failed(index, ERROR.NONE),
    baseOffset: BigInt(baseOffset),
    logAppendTimeMs: duplicateTime === undefined ? checked.logAppendTimeMs : BigInt(duplicateTime),
    logStartOffset: BigInt(partition.logStartOffset)
  }
  return { told, partition, endOffset, leaderEpoch: partition.leaderEpoch }
}

/** What the log itself refuses is told with where it begins, but for what is damaged or too large (`ReplicaManager.appendToLocalLog`). */
function fromLog(partition: Partition, write: Write): Write {
  const { errorCode } = write.told
  if (errorCode === ERROR.CORRUPT_MESSAGE || errorCode === ERROR.MESSAGE_TOO_LARGE) return write
  return { ...write, told: { ...write.told, logStartOffset: BigInt(partition.logStartOffset) } }
}

/** A transaction that is open on this partition needs no question; neither does one that nobody coordinates here. */
function mayWrite(
  { transactionalId, version }: Asked,
  batch: { producerId: bigint; producerEpoch: number },
  partition: Partition,
  state: ClusterState
): number | Promise<number> {
  const { transactionDoor } = state
  if (transactionalId === null) return ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  const known = partition.log?.producers.entries.get(batch.producerId)
  if (!transactionDoor || (known?.transactionFrom !== undefined && known.epoch === batch.producerEpoch)) return ERROR.NONE
  const { topic, index } = partition
  return transactionDoor.mayWrite({ transactionalId, ...batch, topic, partition: index, join: version >= 12 })
}

/** Waits until all in sync have it, for as long as the client does; sets what became of each. */
function replicated(writes: Write[], timeoutMs: number, state: ClusterState): Promise<void> {
  const waiting = new Set(writes.filter(({ partition }) => partition !== undefined))
  const settle = () => {
    for (const write of waiting) {
      const errorCode = outcome(write)
      if (errorCode === undefined) continue
      waiting.delete(write)
      if (errorCode !== ERROR.NONE) write.told = { ...failed(write.told.index, errorCode, write.partition), baseOffset: -1n }
    }
    return waiting.size === 0
  }
  if (settle()) return Promise.resolve()
  return new Promise(resolve => {
    const ends = [...waiting].map(({ partition }) => partition!.onChange(() => settle() && end()))
    const timer = state.world.setTimer(
      () => {
        for (const write of waiting) write.told = failed(write.told.index, ERROR.REQUEST_TIMED_OUT)
        end()
      },
      Math.max(0, timeoutMs)
    )
    function end() {
      state.world.clearTimer(timer)
      for (const stop of ends) stop()
      resolve()
    }
  })
}

/** Undefined: not decided yet. */
function outcome({ partition, endOffset, leaderEpoch }: Write): number | undefined {
  if (partition!.deleted) return ERROR.UNKNOWN_TOPIC_OR_PARTITION
  if (partition!.leaderEpoch !== leaderEpoch) return ERROR.NOT_LEADER_OR_FOLLOWER
  if (partition!.highWatermark < endOffset) return undefined
  return partition!.isUnderMinIsr ? ERROR.NOT_ENOUGH_REPLICAS_AFTER_APPEND : ERROR.NONE
}

function failed(index: number, errorCode: number, partition?: Partition): Told {
  return {
    index,
    errorCode,
    baseOffset: -1n,
    logAppendTimeMs: -1n,
    logStartOffset: -1n,
    recordErrors: [],
    errorMessage: null,
    currentLeader: isLeaderError(errorCode) ? currentLeader(partition) : NO_LEADER
  }
}
