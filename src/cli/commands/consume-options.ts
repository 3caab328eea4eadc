/**
 * What `samsa consume` is to read: its options as a subscription, checked before anything is asked of a broker.
 */
import type { Cluster, SubscribeOptions } from '../../index.ts'
import { CommandLineError, choice, duration, type OptionSpecs, type Parsed, wholeNumber } from '../arguments.ts'
import { dateTime } from '../reset-target.ts'

export const SUBSCRIBE_OPTIONS: OptionSpecs = {
  group: { value: 'NAME', short: 'g', help: 'share the partitions with the members of this group, and commit what was printed' },
  from: {
    value: 'WHERE',
    help: 'where to begin when nothing is committed: earliest, latest (default), a time (2026-03-01T12:00:00), or so long ago (-1h)'
  },
  'from-beginning': { short: 'b', help: 'the same as --from earliest' },
  partition: { value: 'N[,N]', short: 'p', multiple: true, help: 'only these partitions, assigned by hand' },
  offset: { value: 'O', short: 'o', help: 'with --partition: an offset, beginning, end, or -N for the last N' },
  membership: {
    value: 'KIND',
    help: 'where members of the group meet: auto (default), zookeeper, classic, consumer (Kafka 4), or manual (every partition for this one)'
  },
  'group-instance-id': { value: 'NAME', help: 'a static member: it may be away for 45 s without losing its partitions' },
  assignor: {
    value: 'NAME',
    multiple: true,
    help: 'who gets what: range, roundrobin, sticky, cooperative-sticky (the preferred one first); with --membership consumer: one that the broker has'
  },
  isolation: { value: 'LEVEL', help: 'read_uncommitted (default) or read_committed: only messages of committed transactions' },
  committed: { help: 'the same as --isolation read_committed' }
}

const MEMBERSHIPS = ['auto', 'zookeeper', 'classic', 'consumer', 'manual'] as const
/** Kinds without a member that Kafka could know by a name. */
const NAMELESS: readonly string[] = ['zookeeper', 'manual']
const ASSIGNORS = ['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const
const ISOLATIONS = ['read_uncommitted', 'read_committed'] as const
const PARTITION_MOST = 2 ** 31 - 1

/** Throws CommandLineError. */
export function checkSubscription(args: Parsed): void {
  const offset = args.one('offset')
  if (offset !== undefined && !args.has('partition')) throw new CommandLineError('--offset needs --partition; without it: --from')
  if (args.has('partition') && args.positionals.length > 1) throw new CommandLineError('--partition takes one topic')
  if (offset !== undefined && !/^(-?\d{1,18}|beginning|end)$/.test(offset))
    throw new CommandLineError(`--offset is "${offset}"; give an offset, beginning, end, or -N for the last N`)
  partitionsOf(args)
  commonOf(args)
}

export async function subscriptionOf(args: Parsed, cluster: Cluster): Promise<SubscribeOptions> {
  const common = commonOf(args)
  const topics = args.positionals
  const partitions = partitionsOf(args)
  if (partitions.length === 0) return { ...common, ...(topics.length === 1 ? { topic: topics[0]! } : { topics }) }
  const topic = topics[0]!
  const there = cluster.topic(topic).partitions.map(({ number }) => number)
  const missing = partitions.find(partition => !there.includes(partition))
  if (missing !== undefined) throw new CommandLineError(`topic ${topic} has no partition ${missing}; it has ${there.length}, from 0`)
  const offsets = await offsetsOf(cluster, topic, partitions, args.one('offset'))
  return { ...common, partitions: partitions.map(partition => ({ topic, partition, ...offsets(partition) })) }
}

function commonOf(args: Parsed): SubscribeOptions {
  const group = args.one('group')
  const membership = args.one('membership')
  const kind = membership === undefined ? undefined : choice('membership', membership, MEMBERSHIPS)
  const needsMember = kind !== undefined && kind !== 'manual'
  for (const name of ['group-instance-id', 'assignor', ...(needsMember ? ['membership'] : [])]) {
    if (!args.has(name)) continue
    if (group === undefined) throw new CommandLineError(`--${name} needs --group`)
    if (args.has('partition')) throw new CommandLineError(`--${name} and --partition cannot both be: partitions by hand have no members`)
  }
  return {
    from: fromOf(args),
    isolation: isolationOf(args),
    ...(group === undefined ? {} : { group }),
    ...(kind === undefined ? {} : { membership: kind }),
    ...instanceIdOf(args, kind),
    ...assignorOf(args, kind)
  }
}

/** `1,2` and `-p 1 -p 2` are the same. */
function partitionsOf(args: Parsed): number[] {
  const numbers = args
    .all('partition')
    .flatMap(list => list.split(','))
    .map(text => wholeNumber('partition', text, 0, PARTITION_MOST))
  const twice = numbers.find((number, index) => numbers.indexOf(number) !== index)
  if (twice !== undefined) throw new CommandLineError(`--partition names ${twice} twice`)
  return numbers
}

function fromOf(args: Parsed): NonNullable<SubscribeOptions['from']> {
  const from = args.one('from')
  if (from === undefined) return args.has('from-beginning') ? 'earliest' : 'latest'
  if (args.has('from-beginning')) throw new CommandLineError('give --from or --from-beginning, not both')
  if (from === 'earliest' || from === 'latest' || from === 'fail') return from
  if (from.startsWith('-')) return { durationMs: duration('from', from.slice(1)) }
  // A bare number is what messages carry: ms since 1970.
  return new Date(/^\d{10,15}$/.test(from) ? Number(from) : dateTime(from, 'from'))
}

function isolationOf(args: Parsed): 'read_uncommitted' | 'read_committed' {
  const given = args.one('isolation')
  const level = given === undefined ? undefined : choice('isolation', given, ISOLATIONS)
  if (!args.has('committed')) return level ?? 'read_uncommitted'
  if (level === 'read_uncommitted') throw new CommandLineError('--committed and --isolation read_uncommitted contradict each other')
  return 'read_committed'
}

function instanceIdOf(args: Parsed, kind: string | undefined): { groupInstanceId?: string } {
  const groupInstanceId = args.one('group-instance-id')
  if (groupInstanceId === undefined) return {}
  if (kind !== undefined && NAMELESS.includes(kind))
    throw new CommandLineError(`--group-instance-id needs a group of Kafka's own; with --membership ${kind} there is none`)
  return { groupInstanceId }
}

function assignorOf(args: Parsed, kind: string | undefined): Pick<SubscribeOptions, 'assignor' | 'remoteAssignor'> {
  const names = args.all('assignor')
  if (names.length === 0) return {}
  if (kind === 'manual') throw new CommandLineError('--assignor and --membership manual cannot both be: nothing is shared')
  if (kind !== 'consumer') return { assignor: names.map(name => choice('assignor', name, ASSIGNORS)) }
  if (names.length > 1) throw new CommandLineError('--assignor with --membership consumer names one that the broker has, not several')
  return { remoteAssignor: names[0]! }
}

async function offsetsOf(
  cluster: Cluster,
  topic: string,
  partitions: number[],
  given: string | undefined
): Promise<(partition: number) => { offset?: bigint }> {
  if (given === undefined) return () => ({})
  if (/^\d/.test(given)) return () => ({ offset: BigInt(given) })
  const first = await cluster.admin.listOffsets(topic, 'earliest', partitions)
  if (given === 'beginning') return partition => ({ offset: first.get(partition)! })
  const end = await cluster.admin.listOffsets(topic, 'latest', partitions)
  const back = given === 'end' ? 0n : -BigInt(given)
  return partition => {
    const offset = end.get(partition)! - back
    return { offset: offset > first.get(partition)! ? offset : first.get(partition)! }
  }
}
