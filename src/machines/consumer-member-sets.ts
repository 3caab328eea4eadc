/**
 * Sums over a KIP-848 member's context: what must go, what must come, what the next heartbeat says, what a refusal means. Pure functions,
 * for its machine.
 */
import { meaningOfError } from '../model/error-classes.ts'
import type { PlainError } from '../model/errors.ts'
import type { ConsumerMemberContext, IdPartitions, NamedId, Place, Remedy, Said } from './consumer-member-types.ts'

const idOf = ({ topicId, partition }: Pick<Place, 'topicId' | 'partition'>) => `${topicId}/${partition}`

export function withoutPlaces<T extends Place>(list: readonly T[], gone: readonly Place[]): T[] {
  const ids = new Set(gone.map(idOf))
  return list.filter(entry => !ids.has(idOf(entry)))
}

/** Everything that this member has not let go of. */
export const held = ({ owned, draining }: Pick<ConsumerMemberContext, 'owned' | 'draining'>): Place[] => [...owned, ...draining]

const nameOf = (names: readonly NamedId[], topicId: string) => names.find(entry => entry.topicId === topicId)?.topic

/** The target, as far as its topics have names. */
export function wanted({ target, names }: Pick<ConsumerMemberContext, 'target' | 'names'>): Place[] {
  return (target ?? []).flatMap(({ topicId, partitions }) => {
    const topic = nameOf(names, topicId)
    return topic === undefined ? [] : partitions.map(partition => ({ topicId, topic, partition }))
  })
}

/** Ids in the target that nobody has named yet. */
export function unnamed({ target, names }: Pick<ConsumerMemberContext, 'target' | 'names'>): string[] {
  return (target ?? []).map(({ topicId }) => topicId).filter(topicId => nameOf(names, topicId) === undefined)
}

/** Only these leave the consumer: what stays goes on without interruption. */
export function toRevoke(context: ConsumerMemberContext): Place[] {
  return context.target === null ? [] : withoutPlaces(context.owned, wanted(context))
}

export function toTake(context: ConsumerMemberContext): Place[] {
  return withoutPlaces(wanted(context), held(context))
}

/** Names that are still needed: of topics that are wanted, held, or followed under that id. */
export function neededNames(context: ConsumerMemberContext, target: readonly IdPartitions[]): NamedId[] {
  const ids = new Set([...target, ...held(context)].map(({ topicId }) => topicId))
  return context.names.filter(({ topicId, topic }) => ids.has(topicId) || context.followed.includes(topic))
}

export function withNames(names: readonly NamedId[], more: readonly NamedId[]): NamedId[] {
  const ids = new Set(more.map(({ topicId }) => topicId))
  return [...names.filter(({ topicId }) => !ids.has(topicId)), ...more]
}

/** As the protocol wants them, in one order, so that two can be compared. */
export function byId(places: readonly Place[]): IdPartitions[] {
  const out = new Map<string, number[]>()
  for (const { topicId, partition } of places) out.set(topicId, [...(out.get(topicId) ?? []), partition])
  return [...out]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([topicId, partitions]) => ({ topicId, partitions: partitions.sort((a, b) => a - b) }))
}

/** The names that this member asks for; with a pattern that the broker matches, none. */
export function subscribedTopics({ subscription, matchesHere, allTopics }: ConsumerMemberContext): string[] {
  const { pattern, topics } = subscription
  if (pattern === null) return [...topics].sort()
  if (!matchesHere) return []
  const whole = new RegExp(`^(?:${pattern})$`)
  return (allTopics ?? []).filter(topic => whole.test(topic)).sort()
}

export const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

/** Everything, or what is not as the broker has heard it (null). Somebody who joins holds nothing. */
export function toSay(context: ConsumerMemberContext): Said {
  const { subscription, full, heard, matchesHere } = context
  const topics = subscribedTopics(context)
  const holding = byId(held(context))
  const all = full || heard === null
  return {
    rebalanceTimeoutMs: all ? subscription.maxPollIntervalMs : null,
    topics: all || !same(topics, heard.topics) ? topics : null,
    regex: all && !matchesHere ? subscription.pattern : null,
    remoteAssignor: all ? subscription.remoteAssignor : null,
    held: all || !same(holding, heard.held) ? holding : null
  }
}

/** The broker should hear of it now: partitions were given up or taken, other topics match. While something drains, that is awaited. */
export function isUrgent(context: ConsumerMemberContext): boolean {
  const { nudged, draining, heard } = context
  if (nudged || heard === null) return true
  if (!same(subscribedTopics(context), heard.topics)) return true
  return draining.length === 0 && !same(byId(context.owned), heard.held)
}

/** Heartbeats of a group at rest grow apart; those of a member that has nothing do so slowly: it waits for others to let go. */
const GROWTH = 2
const GROWTH_WAITING = 1.25

/**
 * What others let go of is told in the answer to a heartbeat: while the group is on the move the member asks sooner than the broker wants
 * it to, so that nobody waits for the rest of an interval; then less and less.
 */
export function nextBeatMs(
  { timing, memberEpoch, beatMs, target }: ConsumerMemberContext,
  answer: { memberEpoch: number; heartbeatIntervalMs: number; assignment: readonly IdPartitions[] | null }
): number {
  const moved = answer.memberEpoch !== memberEpoch || answer.assignment !== null
  const growth = (answer.assignment ?? target ?? []).length > 0 ? GROWTH : GROWTH_WAITING
  return Math.round(Math.min(answer.heartbeatIntervalMs, moved ? timing.firstBeatMs : beatMs * growth))
}

/** What a refusal comes to: the same again after a pause, out of the group, a classic group, a pattern to be matched here, or the end. */
export type Verdict = 'retry' | 'fenced' | 'classic' | 'pattern' | 'final'

export function verdictOf(context: ConsumerMemberContext, error: PlainError, remedy: Remedy): Verdict {
  const meaning = meaningOfError(error)
  if (meaning?.remedy === 'foreign') return context.memberEpoch > 0 ? 'fenced' : 'classic'
  if (meaning?.class === 'rejoin') return 'fenced'
  if (meaning?.remedy === 'pattern' && context.subscription.pattern !== null && !context.matchesHere) return 'pattern'
  if (meaning?.remedy === 'taken') return context.taken < takenLimit(context) ? 'retry' : 'final'
  return remedy !== 'none' || meaning?.class === 'retry' ? 'retry' : 'final'
}

/** A static member that has died is in its group until its session ends; one that lives stays. */
const TAKEN_SLACK_MS = 5_000

export function takenLimit({ sessionTimeoutMs, retryBackoffMaxMs }: ConsumerMemberContext): number {
  return Math.ceil((sessionTimeoutMs + TAKEN_SLACK_MS) / (retryBackoffMaxMs * 0.8))
}

/** A pause that doubles up to its limit, give or take a fifth. The name of a static member is waited for in the longest ones. */
export function pauseMs(context: ConsumerMemberContext, random: number, longest = false): number {
  const { retryBackoffMs, retryBackoffMaxMs, tries } = context
  const pause = longest ? retryBackoffMaxMs : Math.min(retryBackoffMaxMs, retryBackoffMs * 2 ** Math.min(tries, 20))
  return Math.round(pause * (0.8 + 0.4 * random))
}

/** Of the session after the last answered heartbeat was sent: from then on nothing is committed. */
const SUSPEND_AFTER = 2 / 3

export function suspendInMs({ sessionTimeoutMs, tookMs }: ConsumerMemberContext): number {
  return Math.round(Math.max(0, sessionTimeoutMs * SUSPEND_AFTER - tookMs))
}

export function expireInMs(context: ConsumerMemberContext): number {
  return Math.round(Math.max(0, context.sessionTimeoutMs - context.tookMs - suspendInMs(context)))
}
