/**
 * What a member of a ZooKeeper group remembers and hears. All of it is plain: it is recorded, and replayed.
 */
import type { PlainError } from '../model/errors.ts'
import type { Subscription } from '../model/subscription.ts'
import type { Assigned, Owned } from './consumer.ts'

/** Pauses and limits, ms. Given in the input only by tests. */
export interface GroupTiming {
  /** Changes within this time are one rebalance. */
  settleMs: number
  /** First and longest pause after a failed or blocked attempt; watches end it earlier. */
  backoffMs: number
  backoffMaxMs: number
  /** How long the partition lists of topics may take to come before everything is read again. */
  learnMs: number
  /** On top of `revokeTimeoutMs`: for the commit of what was drained. */
  revokeSlackMs: number
  /** How often a member that is at rest looks whether every partition has its owner. */
  auditMs: number
  /** Leaving takes no longer; what is left to do then goes on behind it. */
  leaveMs: number
}

export const defaultTiming: GroupTiming = {
  settleMs: 30,
  backoffMs: 200,
  backoffMaxMs: 2_000,
  learnMs: 5_000,
  revokeSlackMs: 2_000,
  auditMs: 10_000,
  leaveMs: 3_000
}

export interface GroupMemberInput {
  instance: string
  path: string
  /** Path of the consumer that this member serves. */
  consumer: string
  /** `group` is set, `partitions` is not. */
  subscription: Subscription
  /** See the context. Default false. */
  movable?: boolean
  timing?: Partial<GroupTiming>
}

/** The partitions of a topic that is followed, as last told. */
export interface TopicLevel {
  topic: string
  topicId: string | null
  /** Empty while the topic does not exist. */
  partitions: number[]
}

/** A run of the group's assignment: what the rules give to one thread of one topic. */
export interface Share {
  thread: string
  topic: string
  partitions: number[]
}

export interface Blocked extends Owned {
  /** Thread id in the owner node that stands in the way. */
  owner: string
}

export interface Unowned extends Owned {
  /** Whose it is by the assignment. */
  member: string
}

export interface GroupMemberContext {
  instance: string
  path: string
  consumer: string
  subscription: Subscription
  /** Nothing but ZooKeeper was asked for: then it does not follow a group that moves. */
  movable: boolean
  timing: GroupTiming
  /** Of the session in use; 0: there is none. */
  session: number
  memberId: string | null
  registered: boolean
  /** Numbers the steps that wait for an answer: answers of older ones are dropped. */
  attempt: number
  /** Failed or blocked attempts in a row. */
  tries: number
  delayMs: number
  /** From the suspension to the end of delivery: 2/3 of the session timeout after the last answered ping. */
  stallMs: number
  /** Of the assignment, as the consumer and the offset store know it. */
  epoch: number
  levels: TopicLevel[]
  followed: string[]
  namesFollowed: boolean
  /** Names of all topics, where they are followed and known. */
  names: string[] | null
  /** Something has changed that the last plan does not know. */
  dirty: boolean
  /** Claimed, and the consumer works on them. */
  owned: Owned[]
  /** The consumer was told to let go of them. */
  draining: Owned[]
  /** The consumer has let go of them; the owner nodes still stand. */
  drained: Owned[]
  /** Mine by the last plan. */
  target: Owned[]
  /** Topics that were made again: their partitions are let go of, and their committed offsets with them. */
  condemned: string[]
  /** The group's whole assignment by the last plan. */
  shares: Share[]
  members: number
  /** How many partitions the topics of this member have. */
  partitions: number
  /** Members left out, with what is wrong with their node. */
  quarantined: { memberId: string; problem: string }[]
  /** Why the last claim did not succeed. */
  blockedBy: Blocked[]
  /** Partitions of others that the last look found without an owner. */
  unowned: Unowned[]
  /** Looks to let pass before peers are nudged again. */
  nudgeRest: number
  /** What the last SURPLUS said. */
  surplusTold: string
  /** Why it is doing what it does, in words. */
  reason: string
}

/** What a step that talks to ZooKeeper asks for. */
export type Step = 'register' | 'read' | 'release' | 'claim' | 'verify' | 'drop' | 'audit'

export type GroupMemberEvent =
  | { type: 'SESSION_CONNECTED'; session: number; sessionId: string; negotiatedTimeoutMs: number }
  | { type: 'SESSION_SUSPENDED'; session: number; reason: string; stallInMs: number }
  | { type: 'SESSION_RECONNECTED'; session: number }
  | { type: 'SESSION_EXPIRED'; session: number; reason: string }
  /** Levels of topics (docs/ARCHITECTURE.md). */
  | { type: 'TOPIC'; topic: string; topicId: string | null; partitions: number[] }
  | { type: 'TOPIC_MISSING'; topic: string }
  | { type: 'TOPICS'; topics: string[] }
  /** The watch on the members has fired. */
  | { type: 'GROUP_CHANGED'; session: number }
  /** The sign that this group moves to Kafka, or has moved. */
  | { type: 'GROUP_MOVED'; session: number; sign: 'moving' | 'moved' }
  /** There will be no session any more: the brokers run without ZooKeeper. */
  | { type: 'ZOOKEEPER_GONE' }
  /** An owner node of ours, or one that stood in our way, has gone or changed. */
  | { type: 'OWNER_CHANGED'; session: number; topic: string; partition: number; mine: boolean }
  /** Answers of steps. */
  | { type: 'REGISTERED'; attempt: number; memberId: string }
  | { type: 'PLANNED'; attempt: number; plan: Plan }
  | { type: 'GIVEN_BACK'; attempt: number }
  | { type: 'CLAIMED'; attempt: number; partitions: Assigned[] }
  | { type: 'CLAIM_BLOCKED'; attempt: number; blockedBy: Blocked[]; random: number }
  | { type: 'VERIFIED'; attempt: number; registered: boolean; lost: Owned[] }
  | { type: 'DROPPED'; attempt: number }
  | { type: 'AUDITED'; attempt: number; lost: Owned[]; unowned: Unowned[] }
  | { type: 'STEP_FAILED'; attempt: number; step: Step; error: PlainError; final: boolean; random: number }
  | { type: 'UNREGISTERED'; attempt: number }
  /** From the consumer. */
  | { type: 'RELEASED'; epoch: number; partitions: Owned[] }
  | { type: 'CLOSE' }

/** What the members, the topics and the assignor make of each other. */
export interface Plan {
  /** This member's own node is there, and of this session. */
  registered: boolean
  /** False: partition lists or names are missing; nothing below but `follow` and `names` counts. */
  ready: boolean
  /** Topics whose partitions must be known. */
  follow: string[]
  /** The names of all topics must be known. */
  names: boolean
  mine: Owned[]
  shares: Share[]
  members: number
  partitions: number
  quarantined: { memberId: string; problem: string }[]
}
