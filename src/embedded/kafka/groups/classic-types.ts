/**
 * Requests and answers of classic groups, apart from the wire: what a member is, what it asks and what it is told.
 */
import type { Timer } from '../../../model/world.ts'
import type { Client } from './host.ts'

export type ClassicState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export interface Protocol {
  name: string
  metadata: Buffer
}

export interface JoinRequest extends Client {
  groupId: string
  /** '': a new member. */
  memberId: string
  instanceId: string | null
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocolType: string
  protocols: readonly Protocol[]
  /** From version 4 on: a new member is told its id first, and comes again (KIP-394). */
  requireKnownMemberId: boolean
  /** From version 9 on: a leader that came back can be told not to assign (KIP-814). */
  supportSkippingAssignment: boolean
}

export interface JoinResult {
  errorCode: number
  memberId: string
  generationId: number
  protocolType: string | null
  protocolName: string | null
  leader: string
  skipAssignment: boolean
  members: { memberId: string; groupInstanceId: string | null; metadata: Buffer }[]
}

export interface SyncRequest {
  groupId: string
  generationId: number
  memberId: string
  instanceId: string | null
  protocolType: string | null
  protocolName: string | null
  assignments: readonly { memberId: string; assignment: Uint8Array }[]
}

export interface SyncResult {
  errorCode: number
  protocolType: string | null
  protocolName: string | null
  assignment: Buffer
}

export interface MemberIdentity {
  memberId: string
  instanceId: string | null
}

export interface ClassicMember extends Client {
  id: string
  readonly instanceId: string | null
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly Protocol[]
  assignment: Buffer
  /** Has not been told of any generation yet. */
  isNew: boolean
  /** Waits for an answer to JoinGroup, or to SyncGroup. */
  join: ((result: JoinResult) => void) | undefined
  sync: ((result: SyncResult) => void) | undefined
  /** Of its session. */
  timer: Timer | undefined
}

/** What a group's coordinator writes down, and a new one reads. */
export interface ClassicSnapshot {
  generationId: number
  protocolType: string | null
  protocolName: string | null
  leaderId: string | null
  members: readonly Omit<ClassicMember, 'isNew' | 'join' | 'sync' | 'timer'>[]
}

export const NO_BYTES = Buffer.alloc(0)

export function joinError(errorCode: number, memberId: string): JoinResult {
  return {
    ...{ errorCode, memberId, generationId: -1, protocolType: null, protocolName: null, leader: '', skipAssignment: false },
    members: []
  }
}

export function syncError(errorCode: number): SyncResult {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_BYTES }
}
