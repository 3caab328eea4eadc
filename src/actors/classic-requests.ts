/**
 * JoinGroup, SyncGroup, Heartbeat, LeaveGroup and DescribeGroups as a classic member says them, and what their answers, good or bad, mean to it.
 */
import type { Link } from '../flow/link.ts'
import type { Verdict } from '../machines/classic-member-types.ts'
import { asksAgain, brokerError, meaningOf, meaningOfError, type Remedy, type SentApi } from '../model/error-classes.ts'
import { ProtocolError, SamsaError } from '../model/errors.ts'
import type { ResponseOf } from '../wire/apis.ts'
import { remedyOf } from './coordinator.ts'

/** A JoinGroup is answered when every member has joined, or the rebalance timeout has passed; Java grants the same on top. */
const JOIN_SLACK_MS = 5_000
/** From here LeaveGroup names members in a list, with static ones and reasons (KIP-345, KIP-800). */
const LEAVE_LIST_FROM = 3
/** From here static members can say their names (KIP-345). */
const STATIC_FROM = 5

/** Who the member is to the coordinator, for as long as it runs. */
export interface Who {
  group: string
  groupInstanceId: string | null
  protocolType: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
}

type Identity = { memberId: string; generation: number }

const VERDICTS: Readonly<Partial<Record<Remedy, Verdict>>> = {
  rebalance: 'rebalance',
  waits: 'rebalance',
  stale: 'stale',
  outcast: 'unknown',
  foreign: 'inconsistent'
}
/** Bytes that other members wrote: the coordinator would give the same ones again. */
const FOREIGN_BYTES = ['INVALID_ASSIGNMENT', 'INVALID_SUBSCRIPTION']

/** What an error of a step, a heartbeat or a commit asks the member for. */
export function verdictOf(error: unknown): Verdict {
  if (!(error instanceof SamsaError)) return 'final'
  const meaning = meaningOfError(error)
  const known = meaning?.remedy && VERDICTS[meaning.remedy]
  if (known) return known
  // A commit is refused to a member that the group does not know, or not in this generation.
  if (meaning?.class === 'rejoin') return error.kafka?.name === 'ILLEGAL_GENERATION' ? 'stale' : 'unknown'
  const remedy = remedyOf(error)
  if (remedy !== 'none') return remedy
  // The broker failed in a way that it does not explain, or its bytes could not be read: the connection, not the member, is at its end.
  if (meaning?.class === 'unknown' && asksAgain(error.kafka!.api as SentApi, error.kafka!.code)) return 'again'
  if (error instanceof ProtocolError && !FOREIGN_BYTES.includes(error.code)) return 'elsewhere'
  return 'final'
}

export type Joined = { kind: 'id'; memberId: string } | ({ kind: 'joined' } & ResponseOf<'JoinGroup'>)

/** Rejects with BrokerError. `protocols`: by the preference of this member. */
export async function joinGroup(
  link: Link,
  who: Who,
  memberId: string,
  protocols: readonly { name: string; metadata: Uint8Array }[],
  reason: string
): Promise<Joined> {
  const { group, groupInstanceId, protocolType, sessionTimeoutMs, rebalanceTimeoutMs } = who
  const body = {
    groupId: group,
    sessionTimeoutMs,
    rebalanceTimeoutMs,
    memberId,
    ...(groupInstanceId === null ? {} : { groupInstanceId }),
    protocolType,
    protocols: [...protocols],
    reason
  }
  const limits = { timeoutMs: rebalanceTimeoutMs + JOIN_SLACK_MS, ...(groupInstanceId === null ? {} : { minVersion: STATIC_FROM }) }
  const answer = await link.request('JoinGroup', body, limits)
  if (meaningOf('JoinGroup', answer.errorCode).remedy === 'named') return { kind: 'id', memberId: answer.memberId }
  const what = `of group ${group}`
  if (answer.errorCode !== 0) throw brokerError('JoinGroup', answer.errorCode, what)
  if ((answer.protocolType ?? protocolType) !== protocolType)
    throw brokerError('JoinGroup', INCONSISTENT, what, `the group is one of ${answer.protocolType}, not of consumers`)
  return { kind: 'joined', ...answer }
}
const INCONSISTENT = 23

/** The bytes of this member's assignment. `assignments`: of a leader. Rejects with BrokerError. */
export async function syncGroup(
  link: Link,
  who: Who,
  { memberId, generation }: Identity,
  protocol: string,
  assignments: ReadonlyMap<string, Uint8Array>
): Promise<Buffer> {
  const answer = await link.request(
    'SyncGroup',
    {
      groupId: who.group,
      generationId: generation,
      memberId,
      ...(who.groupInstanceId === null ? {} : { groupInstanceId: who.groupInstanceId }),
      protocolType: who.protocolType,
      protocolName: protocol,
      assignments: [...assignments].map(([id, assignment]) => ({ memberId: id, assignment }))
    },
    { timeoutMs: who.rebalanceTimeoutMs + JOIN_SLACK_MS }
  )
  const what = `of group ${who.group}`
  if (answer.errorCode !== 0) throw brokerError('SyncGroup', answer.errorCode, what)
  if ((answer.protocolType ?? who.protocolType) !== who.protocolType || (answer.protocolName ?? protocol) !== protocol)
    throw brokerError(
      'SyncGroup',
      INCONSISTENT,
      what,
      `it was synced as ${answer.protocolType} with ${answer.protocolName}, not with ${protocol}`
    )
  return answer.assignment
}

/** Resolves when the coordinator takes it for a member of this generation. Rejects with BrokerError. */
export async function heartbeat(link: Link, who: Who, { memberId, generation }: Identity, timeoutMs: number): Promise<void> {
  const body = {
    groupId: who.group,
    generationId: generation,
    memberId,
    ...(who.groupInstanceId === null ? {} : { groupInstanceId: who.groupInstanceId })
  }
  const { errorCode } = await link.request('Heartbeat', body, { timeoutMs })
  if (errorCode !== 0) throw brokerError('Heartbeat', errorCode, `of group ${who.group}`)
}

/** Rejects with BrokerError (UNKNOWN_MEMBER_ID: it was none). */
export async function leaveGroup(link: Link, who: Who, memberId: string, reason: string, timeoutMs: number): Promise<void> {
  const listed = (link.version('LeaveGroup') ?? 0) >= LEAVE_LIST_FROM
  const members = listed ? { members: [{ memberId, groupInstanceId: null, reason }] } : { memberId }
  const answer = await link.request('LeaveGroup', { groupId: who.group, ...members }, { timeoutMs })
  const code = answer.errorCode || (listed ? (answer.members[0]?.errorCode ?? 0) : 0)
  if (code !== 0) throw brokerError('LeaveGroup', code, `of group ${who.group}`)
}

export interface GroupSight {
  state: string
  protocolType: string
  /** The assignor that its members have in common; empty while it rebalances. */
  protocol: string
  members: number
}

/** Rejects with BrokerError. */
export async function describeGroup(link: Link, group: string): Promise<GroupSight> {
  const answer = await link.request('DescribeGroups', { groups: [group] })
  const found = answer.groups.find(({ groupId }) => groupId === group)
  const what = `of group ${group}`
  if (!found) throw new SamsaError('LEFT_OUT', `DescribeGroups ${what}: broker ${link.node} said nothing of it.`, { retriable: true })
  // From version 6 on a group that is not there, or is of another kind, is an error.
  if (meaningOf('DescribeGroups', found.errorCode).remedy === 'absent') return { state: 'Dead', protocolType: '', protocol: '', members: 0 }
  if (found.errorCode !== 0) throw brokerError('DescribeGroups', found.errorCode, what, found.errorMessage)
  return { state: found.groupState, protocolType: found.protocolType, protocol: found.protocolData, members: found.members.length }
}
