/**
 * What a member of a classic Kafka group remembers and hears. All of it is plain: it is recorded, and replayed.
 */
import type { PlainError } from '../model/errors.ts'
import type { Subscription } from '../model/subscription.ts'
import type { Assigned, Owned } from './consumer.ts'

/** Pauses and limits, ms. Given in the input only by tests. */
export interface ClassicTiming {
  /** Changes of topics within this time are one rebalance. */
  settleMs: number
  /** First and longest pause after a failed step. */
  backoffMs: number
  backoffMaxMs: number
  /** How long the leader waits for the partition lists of the group's topics before it divides those that it knows. */
  learnMs: number
  /** On top of the limit of a revocation: for the commit of what was drained. */
  revokeSlackMs: number
  /** Leaving takes no longer. */
  leaveMs: number
  /** The first pause between heartbeats after a join; each next one is half as long again, up to that of a group at rest. */
  firstBeatMs: number
  /** Between heartbeats of a group at rest: so much for each member, within `leastBeatMs` and the subscription's `heartbeatIntervalMs`. */
  beatPerMemberMs: number
  leastBeatMs: number
  /** A member without partitions says so when it still has none after this long: the first generation often gives it none. */
  surplusMs: number
}

export const defaultTiming: ClassicTiming = {
  settleMs: 50,
  backoffMs: 100,
  backoffMaxMs: 1_000,
  learnMs: 5_000,
  revokeSlackMs: 2_000,
  leaveMs: 3_000,
  firstBeatMs: 50,
  beatPerMemberMs: 100,
  leastBeatMs: 300,
  surplusMs: 1_000
}

export interface ClassicMemberInput {
  instance: string
  path: string
  /** Path of the consumer that this member serves. */
  consumer: string
  /** `group` is set, `partitions` is not. */
  subscription: Subscription
  retryBackoffMs?: number
  retryBackoffMaxMs?: number
  timing?: Partial<ClassicTiming>
}

/** An assignor that the member offers, the preferred one first. */
export interface Offer {
  name: string
  /** Members give everything back before they join. One such assignor makes the member eager. */
  eager: boolean
}

/** The partitions of a topic that is followed, as last told. */
export interface TopicLevel {
  topic: string
  topicId: string | null
  /** Empty while the topic does not exist. */
  partitions: number[]
}

export interface ClassicMemberContext {
  instance: string
  path: string
  consumer: string
  subscription: Subscription
  timing: ClassicTiming
  offers: Offer[]
  /** The user named none: what the group speaks already may be taken. */
  defaultOffers: boolean
  /** Empty: the coordinator has given none (yet, or any more). */
  memberId: string
  /** -1: of no generation. */
  generation: number
  /** The assignor that this generation has in common. */
  protocol: string
  leader: boolean
  /** The coordinator keeps what it has (KIP-814): the leader sends no assignment. */
  skipAssignment: boolean
  /** How many members this generation has, as the leader knows; 0: unknown. */
  members: number
  /** Numbers the steps that wait for an answer: answers of older ones are dropped. */
  attempt: number
  /** Failed steps in a row. */
  tries: number
  delayMs: number
  /** Counts accepted assignments, as the consumer and the offset store know them; never goes back. */
  epoch: number
  /** Topics of the subscription: named, or matching the pattern now. */
  topics: string[]
  /** Those that the coordinator was told. */
  joinedTopics: string[]
  /** Topics of all members, while this one leads. */
  groupTopics: string[]
  levels: TopicLevel[]
  followed: string[]
  /** Names of all topics, where they are followed and known. */
  names: string[] | null
  /** How many partitions each of the group's topics had when the leader divided them. */
  divided: { topic: string; partitions: number }[]
  /** The same of the last generation that it divided itself; it outlives its membership. */
  lastDivided: { generation: number; topics: { topic: string; partitions: number }[] } | null
  /** Joined with something that is not so any more. */
  dirty: boolean
  /** Join again as soon as what is under way is done. */
  rejoin: boolean
  /** Claimed, and the consumer works on them. */
  owned: Owned[]
  /** The consumer was told to let go of them. */
  draining: Owned[]
  /** Given in this generation; their committed offsets are read before the consumer gets them. */
  added: Owned[]
  /** A JoinGroup or SyncGroup holds the member's own connection. */
  blocked: boolean
  /** Numbers the heartbeats. */
  beat: number
  /** Pause before the next heartbeat, and that of a group at rest. */
  beatMs: number
  restBeatMs: number
  /** Heartbeats in a row that were not heard, and the pause after the last one. */
  beatTries: number
  beatDelayMs: number
  /** What is left of the session from the last answer on. */
  leaseMs: number
  surplusTold: string
  /** Why it is doing what it does, in words: told to the listeners, and to the coordinator (KIP-800). */
  reason: string
}

export function firstContext(input: ClassicMemberInput): ClassicMemberContext {
  const { retryBackoffMs: backoffMs, retryBackoffMaxMs: backoffMaxMs, timing, ...rest } = input
  return {
    ...rest,
    timing: { ...defaultTiming, ...(backoffMs && { backoffMs }), ...(backoffMaxMs && { backoffMaxMs }), ...timing },
    offers: [],
    defaultOffers: true,
    memberId: '',
    generation: -1,
    protocol: '',
    leader: false,
    skipAssignment: false,
    members: 0,
    attempt: 0,
    tries: 0,
    delayMs: 0,
    epoch: 0,
    topics: [],
    joinedTopics: [],
    groupTopics: [],
    levels: [],
    followed: [],
    names: null,
    divided: [],
    lastDivided: null,
    dirty: false,
    rejoin: false,
    owned: [],
    draining: [],
    added: [],
    blocked: false,
    beat: 0,
    beatMs: input.subscription.heartbeatIntervalMs,
    restBeatMs: input.subscription.heartbeatIntervalMs,
    beatTries: 0,
    beatDelayMs: 0,
    leaseMs: 0,
    surplusTold: '',
    reason: 'it joins for the first time'
  }
}

/** What a step asks the coordinator, or this process, for. */
export type Step = 'find' | 'join' | 'divide' | 'sync' | 'claim' | 'look'

/**
 * What an error asks for: the same `again`, another coordinator (`elsewhere`); the group is rebalancing, has another generation (`stale`), does not
 * know this member (`unknown`), speaks other assignors (`inconsistent`); or nothing more (`final`).
 */
export type Verdict = 'again' | 'elsewhere' | 'rebalance' | 'stale' | 'unknown' | 'inconsistent' | 'final'

export type ClassicMemberEvent =
  /** The live side is there. */
  | { type: 'READY'; offers: Offer[]; defaultOffers: boolean }
  /** Levels of topics (docs/ARCHITECTURE.md). */
  | { type: 'TOPIC'; topic: string; topicId: string | null; partitions: number[] }
  | { type: 'TOPIC_MISSING'; topic: string }
  | { type: 'TOPICS'; topics: string[] }
  /** Answers of steps. `leaseMs`: what is left of the session. */
  | { type: 'FOUND'; attempt: number; node: number }
  | { type: 'MEMBER_ID_GIVEN'; attempt: number; memberId: string }
  | {
      type: 'JOINED'
      attempt: number
      memberId: string
      generation: number
      protocol: string
      leader: boolean
      skipAssignment: boolean
      members: number
      groupTopics: string[]
      leaseMs: number
    }
  | { type: 'DIVIDED'; attempt: number }
  | { type: 'SYNCED'; attempt: number; partitions: Owned[]; leaseMs: number }
  | { type: 'CLAIMED'; attempt: number; partitions: Assigned[] }
  /** What the group speaks; null: that cannot be seen now. */
  | { type: 'LOOKED'; attempt: number; protocol: string | null; state: string; offer: Offer | null; random: number }
  | { type: 'STEP_FAILED'; attempt: number; step: Step; verdict: Verdict; error: PlainError; random: number }
  /** Of a heartbeat. `verdict` alive: all is well. */
  | { type: 'HEARTBEAT'; beat: number; verdict: 'alive' | Verdict; error: PlainError | null; leaseMs: number; random: number }
  /** The coordinator refused a commit as this generation. */
  | { type: 'REFUSED'; generation: number; verdict: Verdict; error: PlainError }
  | { type: 'LEFT_GROUP'; attempt: number }
  /** From the consumer's plane: a batch in hand stands still for `maxPollIntervalMs`; and nobody works on such a one any more. */
  | { type: 'STUCK'; topic: string; partition: number; sinceMs: number }
  | { type: 'FREE' }
  /** From the consumer. */
  | { type: 'RELEASED'; epoch: number; partitions: Owned[] }
  | { type: 'CLOSE' }
  /** Within the machine: the session is over as far as is known here. */
  | { type: 'LEASE_OVER' }
