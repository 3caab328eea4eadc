/**
 * Sums over the context of a classic member: what must go, what has come, how often it is heard of. Pure functions, for its machine.
 */
import type { PlainError } from '../model/errors.ts'
import type { ClassicMemberContext, ClassicMemberEvent, ClassicTiming, Offer, TopicLevel } from './classic-member-types.ts'
import { keyOf, type Owned } from './consumer.ts'
import { sameNames } from './group-member-sets.ts'

/** A heartbeat's pause grows by this from one to the next, until it is that of a group at rest. */
const BEAT_GROWTH = 1.5
/** The coordinator keeps no more of a reason (KIP-800). */
const REASON_MAX_LENGTH = 255

export const isEager = (offers: readonly Offer[]) => offers.some(({ eager }) => eager)

/** Claimed or on its way out: the consumer still works on it. */
export const held = ({ owned, draining }: ClassicMemberContext): Owned[] => [...owned, ...draining]

/** An eager member gives back everything before it joins; a cooperative one what it no longer subscribes to. */
export function toRevoke({ offers, owned, topics }: ClassicMemberContext): Owned[] {
  return isEager(offers) ? owned : owned.filter(({ topic }) => !topics.includes(topic))
}

/** Names that the pattern matches as a whole, in order. */
export function matching(pattern: string, names: readonly string[]): string[] {
  const expression = new RegExp(`^(?:${pattern})$`)
  return names.filter(name => expression.test(name)).sort()
}

/** A new level of a topic; undefined: nothing new in it. */
export function nextLevels(
  { levels }: ClassicMemberContext,
  level: TopicLevel
): { levels: TopicLevel[]; recreated: boolean; resized: boolean } | undefined {
  const known = levels.find(({ topic }) => topic === level.topic)
  // While it is gone its id is kept, so that one that is made again is told apart.
  const topicId = level.topicId ?? known?.topicId ?? null
  const recreated = known !== undefined && known.topicId !== null && topicId !== known.topicId
  const resized = known?.partitions.length !== level.partitions.length
  if (known && !recreated && !resized && topicId === known.topicId) return undefined
  const others = levels.filter(({ topic }) => topic !== level.topic)
  return { levels: [...others, { topic: level.topic, topicId, partitions: level.partitions }], recreated, resized }
}

/** The group's topics as the leader divides them. */
export function countsOf({ groupTopics, levels }: ClassicMemberContext): { topic: string; partitions: number }[] {
  return groupTopics.map(topic => ({ topic, partitions: levels.find(level => level.topic === topic)?.partitions.length ?? 0 }))
}

/** The leader's duty: another number of partitions than it divided. */
export function dividedOtherwise(context: ClassicMemberContext): string | undefined {
  const now = new Map(countsOf(context).map(({ topic, partitions }) => [topic, partitions]))
  const other = context.divided.find(({ topic, partitions }) => (now.get(topic) ?? 0) !== partitions)
  return other && `topic ${other.topic} has ${now.get(other.topic) ?? 0} partitions now, not ${other.partitions}`
}

/**
 * What it divides now. A static leader that comes back into its generation divides nothing (KIP-814): that of this generation counts, as far as it
 * was this member's own. If the topics have changed since, nobody else will say so.
 */
export function noteDivided(context: ClassicMemberContext): Partial<ClassicMemberContext> {
  const { leader, generation, skipAssignment, lastDivided } = context
  if (!leader) return { divided: [] }
  const now = countsOf(context)
  if (!skipAssignment) return { divided: now, lastDivided: { generation, topics: now } }
  if (lastDivided?.generation !== generation) return { divided: now }
  const divided = lastDivided.topics
  const change = dividedOtherwise({ ...context, divided })
  return change === undefined ? { divided } : { divided, dirty: true, reason: change }
}

/** Every member's duty: it subscribes to other topics than it joined with. */
export function subscribesOtherwise({ topics, joinedTopics }: ClassicMemberContext): string | undefined {
  if (sameNames(topics, joinedTopics)) return undefined
  const added = topics.filter(topic => !joinedTopics.includes(topic))
  const gone = joinedTopics.filter(topic => !topics.includes(topic))
  const parts = [added.length > 0 && `${shown(added)} added`, gone.length > 0 && `${shown(gone)} gone`].filter(Boolean)
  return `the topics that match have changed: ${parts.join(', ')}`
}

const shown = (names: readonly string[]) =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')

/**
 * Pause between the heartbeats of a group at rest. Only by them a member hears that others come or go, so a small group, where they cost
 * little, is asked more often than it must be; a large one no more often than the user said. Who does not lead guesses the size by its share.
 */
export function restBeatMs({ leader, members, topics, levels, timing, subscription }: ClassicMemberContext, share: number): number {
  const partitions = levels.filter(({ topic }) => topics.includes(topic)).reduce((sum, level) => sum + level.partitions.length, 0)
  const size = leader && members > 0 ? members : share > 0 ? Math.ceil(partitions / share) : partitions + 1
  return Math.round(Math.min(subscription.heartbeatIntervalMs, Math.max(timing.leastBeatMs, size * timing.beatPerMemberMs)))
}

export const nextBeatMs = ({ beatMs, restBeatMs: rest }: ClassicMemberContext) => Math.min(rest, Math.ceil(beatMs * BEAT_GROWTH))

/** Half to whole of a pause that doubles up to its limit. */
export function backoff({ timing, tries }: { timing: ClassicTiming; tries: number }, random: number): number {
  const limitMs = Math.min(timing.backoffMaxMs, timing.backoffMs * 2 ** Math.min(tries, 20))
  return Math.round(limitMs * (0.5 + random / 2))
}

/** The last third of the session: nobody can say any more that what is owned still is, and commits wait. */
export const agingMs = ({ leaseMs }: ClassicMemberContext) => Math.round(leaseMs / 3)

export const cut = (reason: string) => reason.slice(0, REASON_MAX_LENGTH)

/** Those of the list that are given and not there yet, and those that are there and not given. */
export function difference(owned: readonly Owned[], given: readonly Owned[]): { added: Owned[]; gone: Owned[] } {
  const before = new Set(owned.map(keyOf))
  const after = new Set(given.map(keyOf))
  return { added: given.filter(entry => !before.has(keyOf(entry))), gone: owned.filter(entry => !after.has(keyOf(entry))) }
}

function speaksOtherwise({ offers, subscription }: ClassicMemberContext, protocol: string | null): PlainError {
  const mine = offers.map(({ name }) => name).join(', ')
  const message = `Group ${subscription.group} has no assignor in common with this member: it offers ${mine}, the group speaks ${protocol}. Give the member the group's assignor, or use another group.`
  const details = { group: subscription.group, protocol }
  return { name: 'BrokerError', code: 'INCONSISTENT_GROUP_PROTOCOL', message, retriable: false, details }
}

/** With what it failed. */
export function errorOf(context: ClassicMemberContext, event: ClassicMemberEvent): PlainError {
  if (event.type === 'LOOKED') return speaksOtherwise(context, event.protocol)
  if ('error' in event && event.error) return event.error
  return { name: 'SamsaError', code: 'MEMBER_FAILED', message: context.reason, retriable: false, details: {} }
}
