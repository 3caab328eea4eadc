/**
 * The parts of a Fetch request: its limits, and its partitions grouped by topic, by id from version 13 on (KIP-516), else by name.
 * Which partitions go into one is the session's business (`fetch-session.ts`).
 */
import type { RequestOf, ResponseOf } from '../wire/apis.ts'
import { NO_EPOCH } from './epoch-trail.ts'
import type { FetchPartition } from './fetch-partition.ts'

export type FetchBody = RequestOf<'Fetch'>
export type FetchResponse = ResponseOf<'Fetch'>
export type FetchedPartition = FetchResponse['responses'][number]['partitions'][number]

const NO_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA'
/** The first version that names topics by id only. */
export const BY_ID = 13
/** The first in which a broker compares the epoch of what was fetched last (KIP-595). */
export const COMPARES_FROM = 12
/** The first with fetch sessions (Kafka 1.1). */
export const SESSIONS_FROM = 7
/** Record batches of format 2 and read_committed. Brokers from 0.11. */
export const FETCH_MIN_VERSION = 4

export interface FetchLimits {
  maxWaitMs: number
  minBytes: number
  maxBytes: number
  isolation: 'read_uncommitted' | 'read_committed'
  /** Of this client (KIP-392): a leader may name a replica that is nearer. Empty: fetch from the leader. */
  rackId: string
}

/** How a topic is called in requests and answers. */
export function topicKey(partition: FetchPartition, byId: boolean): string {
  return byId ? partition.topicId! : partition.topic
}

/** In the order of `partitions`: consecutive ones of a topic share its entry, so that the order of fairness stays. */
export function asTopics(partitions: readonly FetchPartition[], compares: boolean): FetchBody['topics'] {
  const topics: FetchBody['topics'] = []
  for (const { topic, topicId, partition, leaderEpoch, fetchOffset, lastEpoch, maxBytes, fromFollower } of partitions) {
    let last = topics[topics.length - 1]
    if (last?.topic !== topic) {
      last = { topic, topicId: topicId ?? NO_TOPIC_ID, partitions: [] }
      topics.push(last)
    }
    last.partitions.push({
      partition,
      currentLeaderEpoch: leaderEpoch,
      fetchOffset,
      lastFetchedEpoch: compares && !fromFollower ? lastEpoch : NO_EPOCH,
      partitionMaxBytes: maxBytes
    })
  }
  return topics
}

/** Partitions by the key of their topic, as `forgottenTopicsData` wants them. */
export function asForgotten(gone: readonly { key: string; number: number }[], byId: boolean): FetchBody['forgottenTopicsData'] {
  const topics = new Map<string, number[]>()
  for (const { key, number } of gone) {
    const list = topics.get(key)
    if (list) list.push(number)
    else topics.set(key, [number])
  }
  return [...topics].map(([key, partitions]) =>
    byId ? { topic: '', topicId: key, partitions } : { topic: key, topicId: NO_TOPIC_ID, partitions }
  )
}
