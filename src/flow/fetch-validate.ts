/**
 * Asks a leader where the epoch of a position ends in its log (OffsetForLeaderEpoch, KIP-320): lower than the position means that the log was
 * cut, and that what was read beyond is not what is there now.
 */
import { brokerError } from '../model/error-classes.ts'
import type { World } from '../model/world.ts'
import { type Asked, AskTogether, byTopic } from './ask-together.ts'
import { leftOut } from './fetch-locate.ts'
import type { Link } from './link.ts'

/** Consumers may ask from here on; older versions were for brokers only (KIP-320, `hasUsableOffsetForLeaderEpochVersion`). */
const FIRST_VERSION = 3
/** `ReplicaId` of a consumer. */
const CONSUMER = -1

interface Question {
  topic: string
  partition: number
  currentLeaderEpoch: number
  leaderEpoch: number
}

/** The leader's newest epoch not above the one asked for, and where it ends; both -1: it knows none. */
export interface EpochEnd {
  epoch: number
  endOffset: bigint
}

export class EpochFinder {
  #acquire: (node: number) => Promise<Link>
  #questions: AskTogether<Question, EpochEnd | undefined>

  constructor(world: World, acquire: (node: number) => Promise<Link>) {
    this.#acquire = acquire
    this.#questions = new AskTogether(world, (node, questions) => this.#request(node, questions))
  }

  /** Undefined: this broker is older than Kafka 2.3 and cannot tell. Rejects with SamsaError; `mustSeek` tells whether to look for another leader. */
  find(node: number, topic: string, partition: number, currentLeaderEpoch: number, leaderEpoch: number): Promise<EpochEnd | undefined> {
    return this.#questions.ask(node, { topic, partition, currentLeaderEpoch, leaderEpoch })
  }

  async #request(node: number, questions: readonly Asked<Question, EpochEnd | undefined>[]): Promise<void> {
    const link = await this.#acquire(node)
    if ((link.version('OffsetForLeaderEpoch') ?? 0) < FIRST_VERSION) {
      for (const { resolve } of questions) resolve(undefined)
      return
    }
    const topics = byTopic(questions, ({ partition, currentLeaderEpoch, leaderEpoch }) => ({ partition, currentLeaderEpoch, leaderEpoch }))
    const response = await link.request('OffsetForLeaderEpoch', { replicaId: CONSUMER, topics }, { minVersion: FIRST_VERSION })
    const answers = new Map<string, (typeof response)['topics'][number]['partitions'][number]>()
    for (const { topic, partitions } of response.topics) for (const entry of partitions) answers.set(`${entry.partition}/${topic}`, entry)
    for (const { topic, partition, resolve, reject } of questions) {
      const answer = answers.get(`${partition}/${topic}`)
      if (answer?.errorCode === 0) resolve({ epoch: answer.leaderEpoch, endOffset: answer.endOffset })
      else if (answer) reject(brokerError('OffsetForLeaderEpoch', answer.errorCode, `of ${topic}/${partition} at broker ${node}`))
      else reject(leftOut(node, topic, partition))
    }
  }
}
