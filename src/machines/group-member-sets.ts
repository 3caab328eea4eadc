/**
 * Sums over a member's context: what must go, what must come, what has changed. Pure functions, for the machine of the group member.
 */
import { keyOf, type Owned } from './consumer.ts'
import type { GroupMemberContext, TopicLevel, Unowned } from './group-member-types.ts'

export function without<T extends Owned>(list: readonly T[], gone: readonly Owned[]): T[] {
  const keys = new Set(gone.map(keyOf))
  return list.filter(entry => !keys.has(keyOf(entry)))
}

export function among<T extends Owned>(list: readonly T[], others: readonly Owned[]): T[] {
  const keys = new Set(others.map(keyOf))
  return list.filter(entry => keys.has(keyOf(entry)))
}

/** Everything that is, or may be, claimed in ZooKeeper. */
export const held = ({ owned, draining, drained }: GroupMemberContext): Owned[] => [...owned, ...draining, ...drained]

/** Only these leave the consumer: what stays goes on without interruption. */
export function toRevoke({ owned, target, condemned }: GroupMemberContext): Owned[] {
  const staying = new Set(target.map(keyOf))
  return owned.filter(entry => !staying.has(keyOf(entry)) || condemned.includes(entry.topic))
}

export function toClaim(context: GroupMemberContext): Owned[] {
  return without(context.target, held(context))
}

/** A new level of a topic; undefined: nothing new in it. */
export function nextLevels(context: GroupMemberContext, level: TopicLevel): { levels: TopicLevel[]; recreated: boolean } | undefined {
  const known = context.levels.find(({ topic }) => topic === level.topic)
  const topicId = level.topicId ?? known?.topicId ?? null
  const recreated = known !== undefined && known.topicId !== null && topicId !== known.topicId
  if (known && !recreated && topicId === known.topicId && sameNumbers(known.partitions, level.partitions)) return undefined
  const others = context.levels.filter(({ topic }) => topic !== level.topic)
  return { levels: [...others, { topic: level.topic, topicId, partitions: level.partitions }], recreated }
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every(number => b.includes(number))
}

export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  const known = new Set(a)
  return a.length === b.length && b.every(name => known.has(name))
}

/** Without an owner at two looks in a row: whoever should own them has given up. */
export function stillUnowned(before: readonly Unowned[], now: readonly Unowned[]): Unowned[] {
  return now.filter(entry => before.some(other => keyOf(other) === keyOf(entry) && other.member === entry.member))
}

/** `orders/3 (held by g_h-1-ab-0), …`, a few of them. */
export function list<T extends Owned>(entries: readonly T[], more: (entry: T) => string = () => ''): string {
  const shown = entries.slice(0, 5).map(entry => keyOf(entry) + more(entry))
  return entries.length > 5 ? `${shown.join(', ')} and ${entries.length - 5} more` : shown.join(', ')
}

/** Half to whole of a pause that doubles up to its limit. */
export function backoff({ timing, tries }: GroupMemberContext, random: number): number {
  const limitMs = Math.min(timing.backoffMaxMs, timing.backoffMs * 2 ** Math.min(tries, 20))
  return Math.round(limitMs * (0.5 + random / 2))
}
