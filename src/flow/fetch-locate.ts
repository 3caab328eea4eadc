/**
 * Finds where a partition begins, ends, or what its first offset at a time is (ListOffsets).
 */

import { brokerError, meaningOfError } from '../model/error-classes.ts'
import { BrokerError, ProtocolError, type SamsaError } from '../model/errors.ts'
import type { ResetPolicy } from '../model/subscription.ts'
import type { World } from '../model/world.ts'
import type { RequestOf, ResponseOf } from '../wire/apis.ts'
import { type Asked, AskTogether, byTopic } from './ask-together.ts'
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
  currentLeaderEpoch: number
  timestamp: bigint
}

/** An offset, and the leader epoch that goes with it; -1: not known (brokers before Kafka 2.1). */
export interface FoundOffset {
  offset: bigint
  leaderEpoch: number
}

/** Did the broker say that it is not the leader? Then the leader must be asked for. */
export function mustSeek(error: unknown): boolean {
  return !(error instanceof BrokerError) || !error.kafka || meaningOfError(error)?.class === 'refresh'
}

export class OffsetFinder {
  #options: OffsetFinderOptions
  #questions: AskTogether<Question, FoundOffset>

  constructor(options: OffsetFinderOptions) {
    this.#options = options
    this.#questions = new AskTogether(options.world, (node, questions) => this.#request(node, questions))
  }

  /** The offset of this policy. Rejects with SamsaError; `mustSeek` tells whether to look for another leader. */
  async find(node: number, topic: string, partition: number, leaderEpoch: number, policy: ResetPolicy): Promise<bigint> {
    return (await this.locate(node, topic, partition, leaderEpoch, policy)).offset
  }

  /** The same with its epoch. */
  async locate(node: number, topic: string, partition: number, leaderEpoch: number, policy: ResetPolicy): Promise<FoundOffset> {
    const question = { topic, partition, currentLeaderEpoch: leaderEpoch, timestamp: this.#timestampOf(policy) }
    const found = await this.#questions.ask(node, question)
    if (found.offset >= 0n) return found
    // No message is as late as that: the end is where the first such message will be.
    if (question.timestamp >= 0n) return this.#questions.ask(node, { ...question, timestamp: LATEST })
    throw new ProtocolError('BAD_OFFSET', `Broker ${node} answered offset ${found.offset} for ${topic}/${partition}.`)
  }

  /** A duration counts back from the moment at which it is asked (KIP-1106). */
  #timestampOf(policy: ResetPolicy): bigint {
    if (policy.at === 'timestamp') return BigInt(policy.timestampMs)
    if (policy.at === 'duration') return BigInt(Math.max(0, Math.floor(this.#options.world.now() - policy.durationMs)))
    return policy.at === 'earliest' ? EARLIEST : LATEST
  }

  async #request(node: number, questions: readonly Asked<Question, FoundOffset>[]): Promise<void> {
    const link = await this.#options.acquire(node)
    const topics = byTopic(questions, ({ partition, currentLeaderEpoch, timestamp }) => ({
      partitionIndex: partition,
      currentLeaderEpoch,
      timestamp
    }))
    const body: RequestOf<'ListOffsets'> = {
      replicaId: -1,
      isolationLevel: this.#options.isolation === 'read_committed' ? 1 : 0,
      topics: topics.map(({ topic, partitions }) => ({ name: topic, partitions })),
      timeoutMs: this.#options.requestTimeoutMs
    }
    this.#answer(node, questions, await link.request('ListOffsets', body, { minVersion: MIN_VERSION }))
  }

  #answer(node: number, questions: readonly Asked<Question, FoundOffset>[], response: ResponseOf<'ListOffsets'>): void {
    const answers = new Map<string, FoundOffset & { errorCode: number }>()
    for (const topic of response.topics) for (const entry of topic.partitions) answers.set(`${entry.partitionIndex}/${topic.name}`, entry)
    for (const { topic, partition, resolve, reject } of questions) {
      const answer = answers.get(`${partition}/${topic}`)
      if (answer?.errorCode === 0) resolve({ offset: answer.offset, leaderEpoch: answer.leaderEpoch })
      else if (answer) reject(brokerError('ListOffsets', answer.errorCode, `of ${topic}/${partition} at broker ${node}`))
      else reject(leftOut(node, topic, partition))
    }
  }
}

export function leftOut(node: number, topic: string, partition: number): SamsaError {
  return new ProtocolError('LEFT_OUT', `Broker ${node} said nothing of ${topic}/${partition}.`, { retriable: true })
}
