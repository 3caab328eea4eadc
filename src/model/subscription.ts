/**
 * What a SUBSCRIBE asks for, checked and filled: plain data that may lie in a machine's context.
 * Defaults follow Kafka's Java consumer where the meaning is the same.
 */
import { checkTopicName } from './config.ts'
import { UsageError } from './errors.ts'
import type { SubscribeOptions } from './events.ts'

/** Where a partition begins when nothing tells its offset. `timestamp`: the first message at or after it, else the end. */
export type ResetPolicy = { at: 'earliest' | 'latest' | 'fail' } | { at: 'timestamp'; timestampMs: number }

export interface Subscription {
  /** Empty when `pattern` or `partitions` is given. */
  topics: string[]
  pattern: string | null
  /** `offset`: decimal, or null when the committed one or the reset policy decides. */
  partitions: { topic: string; partition: number; offset: string | null }[] | null
  group: string | null
  membership: 'zookeeper' | 'manual'
  from: ResetPolicy
  /** null: only `commit()` commits. */
  autoCommitIntervalMs: number | null
  mirrorOffsets: boolean
  assignor: 'range' | 'roundrobin'
  roundrobinOrder: 'modern' | 'legacy'
  batchMaxMessages: number
  partitionCreditBytes: number
  fetchMinBytes: number
  fetchMaxBytes: number
  fetchMaxWaitMs: number
  partitionFetchMaxBytes: number
  maxPollIntervalMs: number
  revokeTimeoutMs: number
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
  revokeTimeoutMs: [4_000, 0, 600_000]
} as const

const CHOICES = {
  assignor: ['range', 'roundrobin'],
  roundrobinOrder: ['modern', 'legacy'],
  onHandlerError: ['retry', 'park', 'stop'],
  isolation: ['read_uncommitted', 'read_committed']
} as const

const OTHERS = ['topic', 'topics', 'pattern', 'partitions', 'group', 'membership', 'from', 'autoCommitIntervalMs', 'mirrorOffsets']
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
  throw invalid('from', `from is ${String(from)}; it must be earliest, latest, fail or a Date.`)
}

function manualPartitions(given: NonNullable<SubscribeOptions['partitions']>): NonNullable<Subscription['partitions']> {
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

/**
 * Checks and fills. `byZooKeeper`: the cluster is named by ZooKeeper, which then is the default place of a group's membership.
 * Throws UsageError (UNKNOWN_OPTION, INVALID_OPTION, INVALID_TOPIC).
 */
export function resolveSubscription(given: SubscribeOptions, byZooKeeper: boolean): Subscription {
  const known = [...Object.keys(NUMBERS), ...Object.keys(CHOICES), ...OTHERS]
  for (const name of Object.keys(given))
    if (!known.includes(name))
      throw new UsageError('UNKNOWN_OPTION', `There is no option ${name} of a subscription. Known: ${known.join(', ')}.`)
  const sources = SOURCES.filter(name => given[name] !== undefined)
  if (sources.length !== 1) throw invalid('topic', `Give exactly one of topic, topics, pattern and partitions, not ${sources.length}.`)
  if (given.group !== undefined && !GROUP_NAME.test(given.group))
    throw invalid('group', 'group must be 1 to 249 of the characters a-z A-Z 0-9 . _ -')
  const partitions = given.partitions ? manualPartitions(given.partitions) : null
  const topics = topicsOf(given)
  if (partitions?.length === 0 || (given.topics && topics.length === 0)) throw invalid(sources[0]!, `${sources[0]} is empty.`)
  const membership = given.membership ?? (byZooKeeper && given.group !== undefined && !partitions ? 'zookeeper' : 'manual')
  if (membership !== 'zookeeper' && membership !== 'manual') throw invalid('membership', 'membership must be zookeeper or manual.')
  if (membership === 'zookeeper' && (!byZooKeeper || partitions || given.group === undefined))
    throw invalid('membership', 'membership zookeeper needs a cluster named by ZooKeeper, a group, and no list of partitions.')
  return {
    topics,
    pattern: given.pattern === undefined ? null : checkPattern(given.pattern),
    partitions,
    group: given.group ?? null,
    membership,
    from: resetPolicy(given.from),
    autoCommitIntervalMs: autoCommit(given.autoCommitIntervalMs),
    mirrorOffsets: given.mirrorOffsets ?? true,
    assignor: choice(given, 'assignor'),
    roundrobinOrder: choice(given, 'roundrobinOrder'),
    onHandlerError: choice(given, 'onHandlerError'),
    isolation: choice(given, 'isolation'),
    ...numbersOf(given)
  }
}
