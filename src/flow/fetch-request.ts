/**
 * Builds one full Fetch request (KIP-227 session id 0, epoch -1: no session) and finds its partitions again in the answer.
 * From version 13 on topics go by id (KIP-516); while one id is unknown, the version is held below that.
 */
import type { RequestOf, ResponseOf } from '../wire/apis.ts'
import type { FetchPartition } from './fetch-partition.ts'

export type FetchResponse = ResponseOf<'Fetch'>
export type FetchedPartition = FetchResponse['responses'][number]['partitions'][number]

const NO_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA'
/** The first version that names topics by id only. */
const BY_ID = 13
/** Record batches of format 2 and read_committed. Brokers from 0.11. */
export const FETCH_MIN_VERSION = 4

export interface FetchLimits {
  maxWaitMs: number
  minBytes: number
  maxBytes: number
  isolation: 'read_uncommitted' | 'read_committed'
}

interface Asked {
  partition: FetchPartition
  generation: number
  /** An answer for it has come. */
  answered: boolean
}

export class FetchRequest {
  readonly body: RequestOf<'Fetch'>
  /** The highest version that may be used; undefined: whatever both speak. */
  readonly maxVersion: number | undefined
  #asked = new Map<string, Asked[]>()
  #byId: boolean

  constructor(partitions: readonly FetchPartition[], linkVersion: number, limits: FetchLimits) {
    this.#byId = linkVersion >= BY_ID && partitions.every(partition => partition.topicId !== null)
    this.maxVersion = this.#byId ? undefined : BY_ID - 1
    this.body = {
      maxWaitMs: limits.maxWaitMs,
      minBytes: limits.minBytes,
      maxBytes: limits.maxBytes,
      isolationLevel: limits.isolation === 'read_committed' ? 1 : 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: this.#topics(partitions)
    }
  }

  /** In the order of `partitions`: consecutive ones of a topic share its entry, so that the order of fairness stays. */
  #topics(partitions: readonly FetchPartition[]): RequestOf<'Fetch'>['topics'] {
    const topics: RequestOf<'Fetch'>['topics'] = []
    for (const partition of partitions) {
      let last = topics[topics.length - 1]
      if (last?.topic !== partition.topic) {
        last = { topic: partition.topic, topicId: partition.topicId ?? NO_TOPIC_ID, partitions: [] }
        topics.push(last)
      }
      last.partitions.push({
        partition: partition.partition,
        currentLeaderEpoch: partition.leaderEpoch,
        fetchOffset: partition.fetchOffset,
        partitionMaxBytes: partition.maxBytes
      })
      const key = this.#byId ? partition.topicId! : partition.topic
      const list = this.#asked.get(key)
      const asked = { partition, generation: partition.generation, answered: false }
      if (list) list.push(asked)
      else this.#asked.set(key, [asked])
    }
    return topics
  }

  /**
   * Calls `take` for every partition that the answer speaks of and that has not jumped since it was asked for, `leftOut` for those that
   * it should speak of and does not. What was never asked for is ignored.
   */
  match(
    response: FetchResponse,
    take: (partition: FetchPartition, answer: FetchedPartition) => void,
    leftOut: (partition: FetchPartition) => void
  ): void {
    for (const topic of response.responses) {
      const list = this.#asked.get(this.#byId ? topic.topicId : topic.topic)
      if (!list) continue
      const byNumber = new Map(list.map(asked => [asked.partition.partition, asked]))
      for (const answer of topic.partitions) {
        const asked = byNumber.get(answer.partitionIndex)
        if (!asked || asked.answered) continue
        asked.answered = true
        if (asked.generation === asked.partition.generation) take(asked.partition, answer)
      }
    }
    for (const list of this.#asked.values())
      for (const asked of list) if (!asked.answered && asked.generation === asked.partition.generation) leftOut(asked.partition)
  }
}
