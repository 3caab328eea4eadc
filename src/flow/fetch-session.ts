/**
 * One fetch session (KIP-227): a broker remembers the partitions that it was asked for, a request carries only what has changed since the last
 * one, and an answer only those with something new. Strictly sequential: a request, its answer, the next request.
 *
 *   none ──full (id 0, epoch 0)──► the answer has an id ──► open: epochs 1, 2 … 2^31-1, 1 …
 *    ▲ └─ it has none: full again, each time                  │ the broker knows it no more, a connection lost, ids of topics learnt or lost
 *    └───────────── full again, ending the old one (id, epoch 0) ◄┘
 *
 * Brokers before Kafka 1.1 have none, and a broker whose cache is full gives none: then every request is a full one.
 */
import { meaningOf } from '../model/error-classes.ts'
import { kafkaError } from '../model/kafka-errors.ts'
import type { FetchPartition } from './fetch-partition.ts'
import {
  asForgotten,
  asTopics,
  BY_ID,
  COMPARES_FROM,
  type FetchBody,
  type FetchedPartition,
  type FetchLimits,
  type FetchResponse,
  SESSIONS_FROM,
  topicKey
} from './fetch-request.ts'

const FETCH_SESSION_ID_NOT_FOUND = 70
/** Epochs of a request (`FetchMetadata`): 0 asks for a session, -1 ends one. */
const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const LAST_EPOCH = 0x7fffffff

/** What the broker remembers of one partition. */
interface Held {
  partition: FetchPartition
  key: string
  number: number
  /** Of the partition, when it was last asked for: an answer for an older one is dropped. */
  generation: number
  fetchOffset: bigint
  maxBytes: number
  leaderEpoch: number
  lastEpoch: number
  /** The last request that wanted it, and the last whose answer spoke of it. */
  round: number
  answered: number
}

/** Told when it changes. */
export type SessionListener = (state: 'open' | 'none', reason: string) => void

/** 0 would ask for a new session. */
export const epochAfter = (epoch: number) => (epoch === LAST_EPOCH ? 1 : epoch + 1)

export class FetchSession {
  #onState: SessionListener
  #state: 'open' | 'none' | 'unknown' = 'unknown'
  #id = 0
  /** Of the next request; 0: it will be a full one. */
  #epoch = INITIAL_EPOCH
  #byId = false
  #held = new Map<FetchPartition, Held>()
  /** The same by the key of the topic and the partition's number, for answers. */
  #byKey = new Map<string, Map<number, Held>>()
  /** What the next request tells the broker to forget. */
  #gone: Held[] = []
  /** Numbers the requests. */
  #round = 0
  #full = true
  #usable = true

  constructor(onState: SessionListener) {
    this.#onState = onState
  }

  /** The next request for these partitions, in this order. Its answer must come to `take`, or `lost` be told, before the next one. */
  next(wanting: readonly FetchPartition[], linkVersion: number, limits: FetchLimits): { body: FetchBody; maxVersion: number | undefined } {
    const byId = linkVersion >= BY_ID && wanting.every(({ topicId }) => topicId !== null)
    // One session speaks of topics in one way (FETCH_SESSION_TOPIC_ID_ERROR).
    if (byId !== this.#byId) this.#epoch = INITIAL_EPOCH
    this.#byId = byId
    this.#usable = linkVersion >= SESSIONS_FROM
    this.#full = !this.#usable || this.#epoch === INITIAL_EPOCH
    this.#round++
    this.#gone = []
    if (this.#full) this.#forgetAll()
    const changed = this.#hold(wanting)
    if (this.#held.size > wanting.length) for (const held of this.#held.values()) if (held.round !== this.#round) this.#forget(held)
    return {
      body: {
        maxWaitMs: limits.maxWaitMs,
        minBytes: limits.minBytes,
        maxBytes: limits.maxBytes,
        isolationLevel: limits.isolation === 'read_committed' ? 1 : 0,
        sessionId: this.#id,
        sessionEpoch: this.#epoch,
        topics: asTopics(changed, linkVersion >= COMPARES_FROM),
        forgottenTopicsData: asForgotten(this.#gone, byId),
        rackId: limits.rackId
      },
      maxVersion: byId ? undefined : BY_ID - 1
    }
  }

  /**
   * Takes the head of the answer. False: the broker does not take the session as we have it, nothing in the answer counts, and the next
   * request will be a full one. Other errors are the caller's.
   */
  take({ errorCode, sessionId, responses, throttleTimeMs }: FetchResponse): boolean {
    if (errorCode !== 0) {
      const refused = !this.#full && meaningOf('Fetch', errorCode).remedy === 'session'
      this.#restart(`the broker answered ${kafkaError(errorCode).name}`, errorCode !== FETCH_SESSION_ID_NOT_FOUND)
      return !refused
    }
    if (!this.#usable) this.#tell('none', 'the broker is older than Kafka 1.1, which has none')
    else if (this.#full && sessionId === 0 && responses.length === 0 && throttleTimeMs > 0) this.#id = 0
    else if (this.#full) this.#begin(sessionId)
    else if (sessionId !== this.#id) this.#restart('the broker ended it', false)
    else this.#epoch = epochAfter(this.#epoch)
    return true
  }

  /**
   * Calls `each` for every partition that the answer speaks of and that has not jumped since it was asked for; after a full request
   * `leftOut` for those that it should speak of and does not. After an incremental one these have nothing new.
   */
  match(
    response: FetchResponse,
    each: (partition: FetchPartition, answer: FetchedPartition) => void,
    leftOut: (partition: FetchPartition) => void
  ): void {
    const round = this.#round
    let strangers = false
    for (const topic of response.responses) {
      const numbers = this.#byKey.get(this.#byId ? topic.topicId : topic.topic)
      for (const answer of topic.partitions) {
        const held = numbers?.get(answer.partitionIndex)
        if (!held) strangers = true
        else if (held.answered !== round) {
          held.answered = round
          // What is not said again must not be missed, even where the records are not wanted any more.
          if (answer.errorCode === 0) held.partition.see(answer)
          if (held.generation === held.partition.generation) each(held.partition, answer)
        }
      }
    }
    if (strangers && !this.#full) this.#restart('the broker answered for partitions that it was not asked for', true)
    // A broker that asks for a pause answers a full request with nothing (KIP-219).
    if (!this.#full || (response.responses.length === 0 && response.throttleTimeMs > 0)) return
    for (const held of this.#held.values())
      if (held.answered !== round && held.generation === held.partition.generation) leftOut(held.partition)
  }

  /** The connection has ended, or another one is used: what the broker knows is uncertain. */
  lost(reason: string): void {
    this.#restart(reason, true)
  }

  /** The request that ends it, once; undefined when there is none. */
  farewell(): FetchBody | undefined {
    if (this.#id === 0) return undefined
    const sessionId = this.#id
    this.#id = 0
    return { maxWaitMs: 0, minBytes: 0, maxBytes: 0, sessionId, sessionEpoch: FINAL_EPOCH, topics: [] }
  }

  #begin(sessionId: number): void {
    this.#id = sessionId
    this.#epoch = sessionId === 0 ? INITIAL_EPOCH : 1
    if (sessionId === 0) this.#tell('none', 'the broker gave none: its cache of sessions is full, or turned off')
    else this.#tell('open', 'from now on requests carry what has changed, and answers what is new')
  }

  /** `known`: the broker may still have the session, so the next request ends it. */
  #restart(reason: string, known: boolean): void {
    this.#epoch = INITIAL_EPOCH
    if (!known) this.#id = 0
    if (this.#state === 'open') this.#tell('none', reason)
  }

  #tell(state: 'open' | 'none', reason: string): void {
    if (state === this.#state) return
    this.#state = state
    this.#onState(state, reason)
  }

  /** Remembers what is asked for; those come back of which the broker does not know just that. */
  #hold(wanting: readonly FetchPartition[]): FetchPartition[] {
    const changed: FetchPartition[] = []
    for (const partition of wanting) {
      const { generation, fetchOffset, maxBytes, leaderEpoch, lastEpoch } = partition
      const held = this.#held.get(partition)
      // A topic that was made again has another id: for the broker that is another partition.
      if (held && held.key !== topicKey(partition, this.#byId)) this.#forget(held)
      if (!this.#held.has(partition)) this.#add(partition)
      else if (held) {
        held.round = this.#round
        held.generation = generation
        const samePlace = held.fetchOffset === fetchOffset && held.lastEpoch === lastEpoch
        if (samePlace && held.maxBytes === maxBytes && held.leaderEpoch === leaderEpoch) continue
        held.fetchOffset = fetchOffset
        held.maxBytes = maxBytes
        held.leaderEpoch = leaderEpoch
        held.lastEpoch = lastEpoch
      }
      changed.push(partition)
    }
    return changed
  }

  #add(partition: FetchPartition): void {
    const key = topicKey(partition, this.#byId)
    const { partition: number, generation, fetchOffset, maxBytes, leaderEpoch, lastEpoch } = partition
    const entry = { partition, key, number, generation, fetchOffset, maxBytes, leaderEpoch, lastEpoch, round: this.#round, answered: 0 }
    let numbers = this.#byKey.get(key)
    if (!numbers) this.#byKey.set(key, (numbers = new Map()))
    // The same partition claimed anew: the broker takes it for the one that it has.
    const before = numbers.get(number)
    if (before) this.#held.delete(before.partition)
    numbers.set(number, entry)
    this.#held.set(partition, entry)
  }

  #forget(held: Held): void {
    this.#gone.push(held)
    this.#held.delete(held.partition)
    const numbers = this.#byKey.get(held.key)!
    numbers.delete(held.number)
    if (numbers.size === 0) this.#byKey.delete(held.key)
  }

  #forgetAll(): void {
    this.#held.clear()
    this.#byKey.clear()
  }
}
