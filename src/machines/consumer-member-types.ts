/**
 * What a member of a group of the new protocol (KIP-848) remembers and hears. All of it is plain: it is recorded, and replayed.
 */
import type { PlainError } from '../model/errors.ts'
import type { Subscription } from '../model/subscription.ts'
import type { Assigned, Owned } from './consumer.ts'

/** Pauses and limits, ms. Given in the input only by tests. */
export interface ConsumerMemberTiming {
  /** Leaving takes no longer. */
  leaveMs: number
  /** How long a member that has nothing rests before it asks whether there is nothing for it. */
  surplusMs: number
  /** The first pause between heartbeats after something has changed; each next one is longer, up to what the broker asks for. */
  firstBeatMs: number
}

export const defaultTiming: ConsumerMemberTiming = { leaveMs: 3_000, surplusMs: 1_000, firstBeatMs: 100 }

export interface ConsumerMemberInput {
  instance: string
  path: string
  /** Path of the consumer that this member serves. */
  consumer: string
  /** `group` is set, `partitions` is not. */
  subscription: Subscription
  retryBackoffMs: number
  retryBackoffMaxMs: number
  timing?: Partial<ConsumerMemberTiming>
}

/** Partitions of a topic as the protocol names it: by id, so that one that was made again is another one. */
export interface IdPartitions {
  topicId: string
  partitions: number[]
}

export interface NamedId {
  topicId: string
  topic: string
}

/** A partition under both of its names. */
export interface Place extends Owned {
  topicId: string
}

/** What a heartbeat says beside who it is. Null: as it was said before. */
export interface Said {
  /** Given when everything is said, and only then. */
  rebalanceTimeoutMs: number | null
  topics: string[] | null
  /** RE2 syntax, matched by the broker. */
  regex: string | null
  remoteAssignor: string | null
  /** All that this member still holds: what it was told to give up and is not named is given up. */
  held: IdPartitions[] | null
}

export interface ConsumerMemberContext {
  instance: string
  path: string
  consumer: string
  subscription: Subscription
  retryBackoffMs: number
  retryBackoffMaxMs: number
  timing: ConsumerMemberTiming
  /** Null: the broker gives it (version 0 of the heartbeat). It stays the same through every rejoining. */
  memberId: string | null
  /** 0: not a member. */
  memberEpoch: number
  /** Of ConsumerGroupHeartbeat; from 1 on members make their ids, and brokers match patterns. */
  version: number
  /** The pattern is matched here, with the names of all topics. */
  matchesHere: boolean
  /** Topics that are followed. */
  followed: string[]
  /** Names of all topics, where they are followed and known. */
  allTopics: string[] | null
  /** Ids that have a name. */
  names: NamedId[]
  /** What the broker wants this member to have; null: it has not said. */
  target: IdPartitions[] | null
  /** The consumer works on them. */
  owned: Place[]
  /** The consumer was told to let go of them. */
  draining: Place[]
  /** The id under which each topic was owned last. */
  lastIds: NamedId[]
  /** Numbers the requests to the coordinator: answers of older ones are dropped. */
  attempt: number
  /** Numbers the look-ups. */
  lookup: number
  /** Failures in a row. */
  tries: number
  delayMs: number
  /** Refusals in a row because the name of a static member is taken. */
  taken: number
  /** The next heartbeat says everything. */
  full: boolean
  /** What the heartbeat that is under way says; what the broker has heard so far. */
  saying: Said | null
  heard: { topics: string[]; held: IdPartitions[] } | null
  /** Something makes the next heartbeat urgent. */
  nudged: boolean
  /** The group may have this member: it has asked to be one. */
  inside: boolean
  heartbeatIntervalMs: number
  /** Pause before the next heartbeat: shorter while the group is on the move, since what others let go of is told in an answer. */
  beatMs: number
  /** The group's, where the broker tells it, but not more than `groupSessionTimeoutMs`. */
  sessionTimeoutMs: number
  /** How long the last answer was under way: the session counts from when it was asked for. */
  tookMs: number
  /** Of the assignment, as the consumer and the offset store know it. It only grows. */
  epoch: number
  /** The member epoch in which it was asked last whether there is nothing for this member. */
  countedEpoch: number
  /** What the last SURPLUS said. */
  surplusTold: string
  /** Work in hand has stood still for too long, and somebody still works on it. */
  stuck: boolean
  /** Why it is doing what it does, in words. */
  reason: string
}

/** What can be done about a failure: the same `again`, another broker (`elsewhere`), or nothing. */
export type Remedy = 'again' | 'elsewhere' | 'none'

export type ConsumerMemberEvent =
  /** The coordinator is found and its connection is there. `memberId`: a new one, for a member that has none. */
  | { type: 'FOUND'; attempt: number; node: number; version: number; memberId: string; sessionTimeoutMs: number | null }
  /** A heartbeat was answered. `sentMs`: on the World's monotonic clock. */
  | {
      type: 'ANSWERED'
      attempt: number
      sentMs: number
      tookMs: number
      memberId: string | null
      memberEpoch: number
      heartbeatIntervalMs: number
      /** Null: as it was. */
      assignment: IdPartitions[] | null
    }
  | { type: 'ASK_FAILED'; attempt: number; what: 'find' | 'heartbeat'; error: PlainError; remedy: Remedy; random: number }
  /** The group was told that this member leaves, or could not be told. */
  | { type: 'DEPARTED'; attempt: number }
  /** Names of ids; one that is not there has none (yet, or any more). */
  | { type: 'NAMED'; lookup: number; names: NamedId[]; random: number }
  /** Committed offsets. */
  | { type: 'LOOKED_UP'; lookup: number; partitions: Assigned[] }
  /** `due`: how many partitions the broker means to give to this member. */
  | { type: 'COUNTED'; lookup: number; members: number; partitions: number; due: number }
  | { type: 'LOOKUP_FAILED'; lookup: number; what: 'names' | 'offsets' | 'members'; error: PlainError; random: number }
  /** The group refused a commit of this member epoch. */
  | { type: 'COMMIT_REFUSED'; name: string; memberEpoch: number }
  /** Levels of topics (docs/ARCHITECTURE.md). */
  | { type: 'TOPIC'; topic: string; topicId: string | null; partitions: number[] }
  | { type: 'TOPIC_MISSING'; topic: string }
  | { type: 'TOPICS'; topics: string[] }
  /** From the consumer, and from its plane. */
  | { type: 'RELEASED'; epoch: number; partitions: Owned[] }
  | { type: 'STUCK'; topic: string; partition: number; sinceMs: number }
  | { type: 'FREE' }
  | { type: 'CLOSE' }
