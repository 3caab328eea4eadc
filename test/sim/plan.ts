/**
 * What a seed is about: who publishes and reads what, how the group lives, and which change its topics see. Drawn from the seed before anything else, so
 * that 200 seeds meet every kind of user and no seed meets all of them at once.
 */
import type { SubscribeOptions } from '../../src/index.ts'

export const MEMBERSHIPS = ['zookeeper', 'classic', 'consumer'] as const
export type SimMembership = (typeof MEMBERSHIPS)[number]

/** What happens to a topic, at most once in a run. */
export type Ordeal = 'delete and make a topic again' | 'add partitions' | 'make another topic'

export interface Plan {
  /** A cluster with ZooKeeper and a group in it, the same with a classic group, or one without ZooKeeper and the new protocol. */
  membership: SimMembership
  topics: readonly string[]
  partitions: number
  /** How the members name what they read. */
  by: 'topic' | 'topics' | 'pattern'
  members: number
  /** They keep names of their own (`group.instance.id`), by which they come back. */
  static: boolean
  assignor: SubscribeOptions['assignor'] | undefined
  /** Members close, join and die in the middle. */
  storms: boolean
  /** They pause, resume and seek back. */
  restless: boolean
  /** Some batches take longer than a poll may. */
  slow: boolean
  /** Some handlers throw. */
  clumsy: boolean
  /** Publishes have little time: some end as failed, some as unknown. */
  hurried: boolean
  /** The publisher has an outbox: it is killed, or its machine loses power, its disk fills up, and another goes on with what it left. */
  outbox: boolean
  /** Batches of a message or two. */
  smallBatches: boolean
  /** Reads beside the group: named partitions that change, or a topic without a group. */
  reader: 'partitions' | 'topic' | undefined
  /** A transactional producer, and members that read what is committed. */
  transactions: boolean
  ordeal: Ordeal | undefined
}

export const GROUP = 'workers'
export const ORDEALS: readonly Ordeal[] = ['delete and make a topic again', 'add partitions', 'make another topic']

/** What matches the pattern of those that subscribe by one. */
export const PATTERN = 'orders.*|returns'
/** How old metadata may be, where a topic changes. */
export const METADATA_MS = 3_000
export const LATER = 'orders.later'

export function planOf(seed: number, random: () => number): Plan {
  const chance = (of: number) => random() < of
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const membership = MEMBERSHIPS[seed % MEMBERSHIPS.length]!
  const by = one(['topic', 'topic', 'topics', 'pattern'] as const)
  const ordeal = chance(0.4) ? one(ORDEALS) : undefined
  // What is accepted for a topic that is deleted is put aside.
  const outbox = ordeal !== 'delete and make a topic again' && chance(0.35)
  const ways = one(['storms', 'restless', 'slow', 'clumsy', 'none', 'storms'] as const)
  return {
    ...{ membership, by, topics: by === 'topic' ? ['orders'] : ['orders', 'returns'] },
    partitions: by === 'topic' ? 4 : 2,
    members: one([1, 2, 2, 3, 5]),
    static: membership !== 'zookeeper' && chance(0.25),
    assignor: membership === 'classic' && chance(0.4) ? one(['range', 'roundrobin', 'sticky']) : undefined,
    ...{ storms: ways === 'storms', restless: ways === 'restless', slow: ways === 'slow', clumsy: ways === 'clumsy' },
    ...{ outbox, hurried: !outbox && chance(0.25), smallBatches: chance(0.3) },
    reader: one(['partitions', 'topic', undefined, undefined, undefined] as const),
    transactions: chance(0.2),
    ordeal: ordeal === 'make another topic' && by !== 'pattern' ? 'add partitions' : ordeal
  }
}
