/**
 * What a SUBSCRIBE asks for, checked and filled: plain data that may lie in a machine's context.
 * Defaults follow Kafka's Java consumer where the meaning is the same.
 */
import { ASSIGNOR_NAMES, type Assignor } from './assignor.ts'
import { checkTopicName } from './config.ts'
import { UsageError } from './errors.ts'
import type { SubscribeOptions } from './events.ts'

/**
 * Where a partition begins when nothing tells its offset. `timestamp`: the first message at or after it, else the end;
 * `duration`: the same, that long before the moment at which it is asked for (KIP-1106).
 */
export type ResetPolicy =
  | { at: 'earliest' | 'latest' | 'fail' }
  | { at: 'timestamp'; timestampMs: number }
  | { at: 'duration'; durationMs: number }

/** How the members of a group find each other. `auto` becomes one of the others before a member starts. */
export type Membership = 'zookeeper' | 'classic' | 'consumer' | 'manual'

export interface Subscription {
  /** Empty when `pattern` or `partitions` is given. */
  topics: string[]
  pattern: string | null
  /** `offset`: decimal, or null when the committed one or the reset policy decides. */
  partitions: { topic: string; partition: number; offset: string | null }[] | null
  group: string | null
  membership: Membership | 'auto'
  /** A static member's name (KIP-345). */
  groupInstanceId: string | null
  /** Names of a classic group's assignors, the preferred one first; empty: the user leaves it to us. */
  assignors: string[]
  /** The server's assignor in the new protocol (KIP-848); null: the broker's default. */
  remoteAssignor: string | null
  from: ResetPolicy
  /** null: only `commit()` commits. */
  autoCommitIntervalMs: number | null
  mirrorOffsets: boolean
  roundrobinOrder: 'modern' | 'legacy'
  batchMaxMessages: number
  partitionCreditBytes: number
  fetchMinBytes: number
  fetchMaxBytes: number
  fetchMaxWaitMs: number
  partitionFetchMaxBytes: number
  maxPollIntervalMs: number
  /** null: it follows the kind of membership (`revokeLimitMs`). */
  revokeTimeoutMs: number | null
  groupSessionTimeoutMs: number
  heartbeatIntervalMs: number
  /** 0: the event `partition.lag` never comes. */
  lagIntervalMs: number
  onHandlerError: 'retry' | 'park' | 'stop'
  isolation: 'read_uncommitted' | 'read_committed'
}

const MiB = 1024 * 1024

/** name: [default, least, most], in the unit that ends the name. */
const NUMBERS = {
  batchMaxMessages: [500, 1, 1_000_000],
  partitionCreditBytes: [4 * MiB, 1, 1024 * MiB],
  fetchMinBytes: [1, 0, 1024 * MiB],
  fetchMaxBytes: [50 * MiB, 1, 1024 * MiB],
  fetchMaxWaitMs: [500, 0, 300_000],
  partitionFetchMaxBytes: [MiB, 1, 1024 * MiB],
  maxPollIntervalMs: [300_000, 1, 86_400_000],
  groupSessionTimeoutMs: [45_000, 1_000, 1_800_000],
  heartbeatIntervalMs: [3_000, 50, 600_000],
  lagIntervalMs: [5_000, 0, 86_400_000]
} as const
/** A Scala peer gives up after 8 s. */
const ZOOKEEPER_REVOKE_MS = 4_000
const REVOKE_MOST_MS = 86_400_000

const CHOICES = {
  roundrobinOrder: ['modern', 'legacy'],
  onHandlerError: ['retry', 'park', 'stop'],
  isolation: ['read_uncommitted', 'read_committed']
} as const

const OTHERS = [
  ...['topic', 'topics', 'pattern', 'partitions', 'group', 'membership', 'groupInstanceId', 'assignor', 'remoteAssignor'],
  ...['from', 'autoCommitIntervalMs', 'mirrorOffsets', 'revokeTimeoutMs']
]
const MEMBERSHIPS = ['auto', 'zookeeper', 'classic', 'consumer', 'manual']
/** What a member over ZooKeeper can be: Scala's two. */
const ZOOKEEPER_ASSIGNORS = ['range', 'roundrobin']
const SOURCES = ['topic', 'topics', 'pattern', 'partitions'] as const
/** A group's name becomes a znode and a topic key: Kafka allows any text, a path does not. */
const GROUP_NAME = /^[a-zA-Z0-9._-]{1,249}$/
const PATTERN_MAX_LENGTH = 1_000

const invalid = (option: string, message: string) => new UsageError('INVALID_OPTION', message, { details: { option } })

function numbersOf(given: SubscribeOptions): { [K in keyof typeof NUMBERS]: number } {
  const out: Record<string, number> = {}
  for (const [name, [fallback, least, most]] of Object.entries(NUMBERS)) {
    const value = given[name as keyof typeof NUMBERS] ?? fallback
    if (typeof value !== 'number' || !Number.isFinite(value) || value < least || value > most)
      throw invalid(name, `${name} is ${String(value)}; give a number from ${least} to ${most}.`)
    out[name] = value
  }
  return out as { [K in keyof typeof NUMBERS]: number }
}

function choice<K extends keyof typeof CHOICES>(given: SubscribeOptions, name: K): (typeof CHOICES)[K][number] {
  const allowed: readonly string[] = CHOICES[name]
  const value = given[name] ?? allowed[0]!
  if (!allowed.includes(value)) throw invalid(name, `${name} is ${String(value)}; it must be one of ${allowed.join(', ')}.`)
  return value as (typeof CHOICES)[K][number]
}

function resetPolicy(from: SubscribeOptions['from']): ResetPolicy {
  if (from === undefined) return { at: 'latest' }
  if (from instanceof Date) {
    if (Number.isNaN(from.getTime())) throw invalid('from', 'from is an invalid Date.')
    return { at: 'timestamp', timestampMs: from.getTime() }
  }
  if (from === 'earliest' || from === 'latest' || from === 'fail') return { at: from }
  const durationMs = typeof from === 'object' && from !== null ? from.durationMs : undefined
  if (Number.isSafeInteger(durationMs) && durationMs! >= 0) return { at: 'duration', durationMs: durationMs! }
  throw invalid('from', `from is ${String(from)}; it must be earliest, latest, fail, a Date or { durationMs }.`)
}

/** Partitions by hand, checked. Throws UsageError. */
export function manualPartitions(given: NonNullable<SubscribeOptions['partitions']>): NonNullable<Subscription['partitions']> {
  const seen = new Set<string>()
  return given.map(({ topic, partition, offset }) => {
    checkTopicName(topic)
    if (!Number.isInteger(partition) || partition < 0 || partition > 0x7fffffff)
      throw invalid('partitions', `Partition ${String(partition)} of ${topic} is not a partition number.`)
    if (offset !== undefined && (typeof offset !== 'bigint' || offset < 0n))
      throw invalid('partitions', `The offset of ${topic}/${partition} must be a bigint from 0n.`)
    if (seen.has(`${topic}/${partition}`)) throw invalid('partitions', `${topic}/${partition} is listed twice.`)
    seen.add(`${topic}/${partition}`)
    return { topic, partition, offset: offset === undefined ? null : String(offset) }
  })
}

function topicsOf(given: SubscribeOptions): string[] {
  const topics = given.topic !== undefined ? [given.topic] : [...(given.topics ?? [])]
  for (const topic of topics) checkTopicName(topic)
  return [...new Set(topics)]
}

function checkPattern(pattern: string): string {
  if (typeof pattern !== 'string' || pattern.length === 0 || pattern.length > PATTERN_MAX_LENGTH)
    throw invalid('pattern', `pattern must be a regular expression of 1 to ${PATTERN_MAX_LENGTH} characters.`)
  try {
    new RegExp(`^(?:${pattern})$`)
  } catch (error) {
    throw invalid('pattern', `pattern is not a regular expression: ${(error as Error).message}.`)
  }
  return pattern
}

function autoCommit(given: SubscribeOptions['autoCommitIntervalMs']): number | null {
  if (given === false) return null
  const value = given ?? 5_000
  if (typeof value !== 'number' || !(value >= 1 && value <= 86_400_000))
    throw invalid('autoCommitIntervalMs', `autoCommitIntervalMs is ${String(value)}; give 1 to 86,400,000, or false.`)
  return value
}

/** Throws UsageError INVALID_OPTION. */
export function checkGroupName(group: string): void {
  if (typeof group !== 'string' || !GROUP_NAME.test(group))
    throw invalid('group', 'group must be 1 to 249 of the characters a-z A-Z 0-9 . _ -')
}

function nameOf(option: 'groupInstanceId' | 'remoteAssignor', value: string | undefined): string | null {
  if (value === undefined) return null
  if (typeof value !== 'string' || !GROUP_NAME.test(value))
    throw invalid(option, `${option} must be 1 to 249 of the characters a-z A-Z 0-9 . _ -`)
  return value
}

function instanceIdOf({ groupInstanceId }: SubscribeOptions, membership: Subscription['membership']): string | null {
  if (groupInstanceId !== undefined && (membership === 'zookeeper' || membership === 'manual'))
    throw invalid(
      'groupInstanceId',
      `groupInstanceId makes a static member of a group in Kafka; with membership ${membership} there is none.`
    )
  return nameOf('groupInstanceId', groupInstanceId)
}

/** The assignors of a subscription, in order: those that come with samsa by name, own ones as they are. */
export function assignorsOf(given: SubscribeOptions['assignor']): readonly (string | Assignor)[] {
  if (given === undefined) return []
  return Array.isArray(given) ? given : [given as string | Assignor]
}

function assignorNames(given: SubscribeOptions['assignor']): string[] {
  const names = assignorsOf(given).map(entry => (typeof entry === 'string' ? entry : entry.name))
  for (const entry of assignorsOf(given)) {
    const known = typeof entry === 'string' ? ASSIGNOR_NAMES.includes(entry as never) : typeof entry.assign === 'function'
    if (!known) throw invalid('assignor', `assignor must be one of ${ASSIGNOR_NAMES.join(', ')}, or an object with name and assign.`)
  }
  if (new Set(names).size < names.length) throw invalid('assignor', 'assignor names one assignor twice.')
  return names
}

function revokeTimeout(value: number | undefined): number | null {
  if (value === undefined) return null
  if (typeof value !== 'number' || !(value >= 0 && value <= REVOKE_MOST_MS))
    throw invalid('revokeTimeoutMs', `revokeTimeoutMs is ${String(value)}; give a number from 0 to ${REVOKE_MOST_MS}.`)
  return value
}

/**
 * How long a revoked partition may take to finish the work in hand. Kafka's own groups wait as long as a poll may take, counted from when the coordinator
 * began to: a member hears of that a heartbeat later, and must have let go when others are given its partitions.
 */
export function revokeLimitMs({ membership, revokeTimeoutMs, maxPollIntervalMs, heartbeatIntervalMs }: Subscription): number {
  if (revokeTimeoutMs !== null) return revokeTimeoutMs
  if (membership !== 'classic' && membership !== 'consumer') return ZOOKEEPER_REVOKE_MS
  return Math.max(maxPollIntervalMs / 2, maxPollIntervalMs - heartbeatIntervalMs)
}

/** `auto` is asked for by saying nothing, where there is a group to be a member of. */
function membershipOf(given: SubscribeOptions, byZooKeeper: boolean, assignors: readonly string[]): Subscription['membership'] {
  const membership = given.membership ?? (given.group === undefined || given.partitions ? 'manual' : 'auto')
  if (!MEMBERSHIPS.includes(membership)) throw invalid('membership', `membership must be one of ${MEMBERSHIPS.join(', ')}.`)
  if (membership === 'manual') return membership
  if (given.group === undefined || given.partitions)
    throw invalid('membership', `membership ${membership} needs a group, and no list of partitions.`)
  if (membership !== 'zookeeper') return membership
  if (!byZooKeeper) throw invalid('membership', 'membership zookeeper needs a cluster that is named by its ZooKeeper.')
  if (assignors.length > 0 && !ZOOKEEPER_ASSIGNORS.includes(assignors[0]!))
    throw invalid('assignor', `assignor must be one of ${ZOOKEEPER_ASSIGNORS.join(', ')} for a group that meets in ZooKeeper.`)
  return membership
}

/**
 * Checks and fills. `byZooKeeper`: the cluster is named by its ZooKeeper, so that a group can meet there.
 * Throws UsageError (UNKNOWN_OPTION, INVALID_OPTION, INVALID_TOPIC).
 */
export function resolveSubscription(given: SubscribeOptions, byZooKeeper: boolean): Subscription {
  const known = [...Object.keys(NUMBERS), ...Object.keys(CHOICES), ...OTHERS]
  for (const name of Object.keys(given))
    if (!known.includes(name))
      throw new UsageError('UNKNOWN_OPTION', `There is no option ${name} of a subscription. Known: ${known.join(', ')}.`)
  const sources = SOURCES.filter(name => given[name] !== undefined)
  if (sources.length !== 1) throw invalid('topic', `Give exactly one of topic, topics, pattern and partitions, not ${sources.length}.`)
  if (given.group !== undefined) checkGroupName(given.group)
  const partitions = given.partitions ? manualPartitions(given.partitions) : null
  const topics = topicsOf(given)
  if (partitions?.length === 0 || (given.topics && topics.length === 0)) throw invalid(sources[0]!, `${sources[0]} is empty.`)
  const assignors = assignorNames(given.assignor)
  const membership = membershipOf(given, byZooKeeper, assignors)
  return {
    topics,
    pattern: given.pattern === undefined ? null : checkPattern(given.pattern),
    partitions,
    group: given.group ?? null,
    membership,
    groupInstanceId: instanceIdOf(given, membership),
    assignors,
    remoteAssignor: nameOf('remoteAssignor', given.remoteAssignor),
    from: resetPolicy(given.from),
    autoCommitIntervalMs: autoCommit(given.autoCommitIntervalMs),
    mirrorOffsets: given.mirrorOffsets ?? true,
    roundrobinOrder: choice(given, 'roundrobinOrder'),
    revokeTimeoutMs: revokeTimeout(given.revokeTimeoutMs),
    onHandlerError: choice(given, 'onHandlerError'),
    isolation: choice(given, 'isolation'),
    ...numbersOf(given)
  }
}
