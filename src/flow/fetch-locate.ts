/**
 * Finds where a partition begins, ends, or what its first offset at a time is (ListOffsets). What is asked of one broker in one
 * turn of the event loop goes in one request, so that a consumer of many partitions starts with as many round trips as brokers.
 */
import { BrokerError, ProtocolError, SamsaError } from '../model/errors.ts'
import { brokerError } from '../model/kafka-errors.ts'
import type { ResetPolicy } from '../model/subscription.ts'
import type { World } from '../model/world.ts'
import type { RequestOf, ResponseOf } from '../wire/apis.ts'
import { fetchVerdict } from './fetch-errors.ts'
import type { Link } from './link.ts'

/** Timestamps with a meaning of their own (`ListOffsetsRequest`). */
const EARLIEST = -2n
const LATEST = -1n
/** One offset per partition; version 0 answered lists. */
const MIN_VERSION = 1

export interface OffsetFinderOptions {
  world: World
  isolation: 'read_uncommitted' | 'read_committed'
  requestTimeoutMs: number
  acquire: (node: number) => Promise<Link>
}

interface Question {
  topic: string
  partition: number
  leaderEpoch: number
  timestamp: bigint
  resolve: (offset: bigint) => void
  reject: (error: SamsaError) => void
}

/** Did the broker say that it is not the leader? Then the leader must be asked for. */
export function mustSeek(error: unknown): boolean {
  return !(error instanceof BrokerError) || !error.kafka || fetchVerdict(error.kafka.code) === 'seek'
}

export class OffsetFinder {
  #options: OffsetFinderOptions
  #waiting = new Map<number, Question[]>()

  constructor(options: OffsetFinderOptions) {
    this.#options = options
  }

  /** The offset of this policy. Rejects with SamsaError; `mustSeek` tells whether to look for another leader. */
  async find(node: number, topic: string, partition: number, leaderEpoch: number, policy: ResetPolicy): Promise<bigint> {
    const timestamp = policy.at === 'timestamp' ? BigInt(policy.timestampMs) : policy.at === 'earliest' ? EARLIEST : LATEST
    const offset = await this.#ask(node, { topic, partition, leaderEpoch, timestamp })
    if (offset >= 0n) return offset
    // No message is as late as that: the end is where the first such message will be.
    if (timestamp >= 0n) return this.#ask(node, { topic, partition, leaderEpoch, timestamp: LATEST })
    throw new ProtocolError('BAD_OFFSET', `Broker ${node} answered offset ${offset} for ${topic}/${partition}.`)
  }

  #ask(node: number, question: Omit<Question, 'resolve' | 'reject'>): Promise<bigint> {
    return new Promise((resolve, reject) => {
      const entry = { ...question, resolve, reject }
      const list = this.#waiting.get(node)
      if (list) return void list.push(entry)
      this.#waiting.set(node, [entry])
      this.#options.world.defer(() => {
        const questions = this.#waiting.get(node)!
        this.#waiting.delete(node)
        this.#request(node, questions).catch((error: unknown) => {
          const failure =
            error instanceof SamsaError
              ? error
              : new SamsaError('LOOKUP_FAILED', `Offsets could not be looked up: ${String(error)}.`, { cause: error, retriable: true })
          for (const waiting of questions) waiting.reject(failure)
        })
      })
    })
  }

  async #request(node: number, questions: readonly Question[]): Promise<void> {
    const link = await this.#options.acquire(node)
    const topics = new Map<string, RequestOf<'ListOffsets'>['topics'][number]>()
    for (const { topic, partition, leaderEpoch, timestamp } of questions) {
      let entry = topics.get(topic)
      if (!entry) topics.set(topic, (entry = { name: topic, partitions: [] }))
      entry.partitions.push({ partitionIndex: partition, currentLeaderEpoch: leaderEpoch, timestamp })
    }
    const isolationLevel = this.#options.isolation === 'read_committed' ? 1 : 0
    const body = {
      replicaId: -1,
      isolationLevel,
      topics: [...topics.values()],
      timeoutMs: this.#options.requestTimeoutMs
    } as RequestOf<'ListOffsets'>
    this.#answer(node, questions, await link.request('ListOffsets', body, { minVersion: MIN_VERSION }))
  }

  #answer(node: number, questions: readonly Question[], response: ResponseOf<'ListOffsets'>): void {
    const answers = new Map<string, { errorCode: number; offset: bigint }>()
    for (const topic of response.topics) for (const entry of topic.partitions) answers.set(`${entry.partitionIndex}/${topic.name}`, entry)
    for (const { topic, partition, resolve, reject } of questions) {
      const answer = answers.get(`${partition}/${topic}`)
      if (answer?.errorCode === 0) resolve(answer.offset)
      else if (answer) reject(brokerError(answer.errorCode, `ListOffsets of ${topic}/${partition} at broker ${node}`))
      else reject(new ProtocolError('LEFT_OUT', `Broker ${node} said nothing of ${topic}/${partition}.`, { retriable: true }))
    }
  }
}
