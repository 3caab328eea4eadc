/**
 * A group as the commands show it, whether its members meet in ZooKeeper, at Kafka's coordinator, or it is on its way: the two places read and
 * laid on top of each other.
 */
import type { Cluster, GroupDescription, GroupOffset, ZooKeeperGroup } from '../index.ts'

export type Place = 'zookeeper' | 'kafka'

/** A member, or a node that looks like one. */
export interface ViewMember {
  place: Place
  memberId: string
  instanceId: string | null
  clientId: string | null
  host: string | null
  /** KIP-848's epoch. */
  epoch: number | null
  /** When it registered in ZooKeeper, ms since the epoch. */
  sinceMs: number | null
  /** A topic, `orders:2` (two streams), or a pattern between slashes, with `!` before it where it excludes. */
  subscription: string[]
  /** `orders/0`. */
  owns: string[]
  /** KIP-848: what it waits for. */
  awaits: string[]
  /** False: a node in ZooKeeper that no session holds. */
  alive: boolean
  /** Why it cannot take part, or be read. */
  problem: string | null
}

export interface ViewPartition {
  topic: string
  partition: number
  /** The one that counts: ZooKeeper's, unless the group has moved or ZooKeeper has none. Null: nothing is committed. */
  committed: bigint | null
  /** Both copies. */
  zookeeper: bigint | null
  kafka: bigint | null
  /** A thread of a member (ZooKeeper) or a member id; null: nobody. */
  owner: string | null
  clientId: string | null
  host: string | null
}

export interface GroupView {
  group: string
  zooKeeper: ZooKeeperGroup | null
  /** At its coordinator; null: Kafka knows no such group of consumers. */
  kafka: GroupDescription | null
  members: ViewMember[]
  partitions: ViewPartition[]
  /** Why ZooKeeper could not be read, where there should be one: then this is Kafka's half alone. */
  trouble: Error | null
}

/** Undefined: neither place knows it. `onChange`: see `ZooKeeperGroups.describe`. Rejects when Kafka cannot be asked. */
export async function viewGroup(cluster: Cluster, group: string, onChange?: () => void): Promise<GroupView | undefined> {
  const { admin } = cluster
  const [inZooKeeper, kafka, offsets] = await Promise.all([
    fromZooKeeper(admin.zooKeeperGroups?.describe(group, onChange ? { onChange } : {})),
    admin.describeGroup(group),
    admin.groupOffsets(group)
  ])
  const { found = null, trouble } = inZooKeeper
  if (!found && !kafka && offsets.length === 0 && !trouble) return undefined
  return { ...layGroup(group, found, kafka ?? null, offsets), trouble }
}

/** What ZooKeeper tells, or why it does not: Kafka's half is worth something without it, and a migrated cluster has no other. */
export async function fromZooKeeper<T>(reading: Promise<T> | undefined): Promise<{ found?: T; trouble: Error | null }> {
  try {
    return reading === undefined ? { trouble: null } : { found: await reading, trouble: null }
  } catch (error) {
    return { trouble: error instanceof Error ? error : new Error(String(error)) }
  }
}

/** The two places laid on top of each other. */
export function layGroup(
  group: string,
  zooKeeper: ZooKeeperGroup | null,
  kafka: GroupDescription | null,
  offsets: readonly GroupOffset[]
): GroupView {
  const table = new Map<string, ViewPartition>()
  const entry = (topic: string, partition: number): ViewPartition => {
    const key = `${topic}/${partition}`
    const nobody = { committed: null, zookeeper: null, kafka: null, owner: null, clientId: null, host: null }
    const found = table.get(key) ?? { topic, partition, ...nobody }
    table.set(key, found)
    return found
  }
  const members = [...zooKeeperMembers(zooKeeper), ...kafkaMembers(kafka)]
  const hosts = new Map(members.map(({ memberId, host }) => [memberId, host]))
  for (const { topic, partition, offset, owner } of zooKeeper?.partitions ?? []) {
    const at = entry(topic, partition)
    at.zookeeper = offset
    if (!owner) continue
    at.owner = owner.thread ?? '(not readable)'
    at.host = (owner.memberId !== null && hosts.get(owner.memberId)) || null
  }
  for (const { topic, partition, offset } of offsets) entry(topic, partition).kafka = offset
  for (const { memberId, clientId, host, assignment } of kafka?.members ?? [])
    for (const { topic, partitions } of assignment)
      for (const partition of partitions) Object.assign(entry(topic, partition), { owner: memberId, clientId, host })
  const zooKeeperCounts = zooKeeper !== null && !zooKeeper.moved
  for (const at of table.values()) at.committed = zooKeeperCounts ? (at.zookeeper ?? at.kafka) : (at.kafka ?? at.zookeeper)
  return { group, zooKeeper, kafka, members, partitions: [...table.values()].sort(byPlace), trouble: null }
}

const byPlace = (a: ViewPartition, b: ViewPartition) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1)

function zooKeeperMembers(tree: ZooKeeperGroup | null): ViewMember[] {
  return (tree?.members ?? []).map(({ memberId, host, timestampMs, subscription, problem, session }) => ({
    place: 'zookeeper',
    memberId,
    instanceId: null,
    clientId: null,
    host,
    epoch: null,
    sinceMs: timestampMs,
    subscription: subscription === null ? [] : subscriptionOf(subscription),
    owns: tree!.partitions.filter(({ owner }) => owner?.memberId === memberId).map(({ topic, partition }) => `${topic}/${partition}`),
    awaits: [],
    alive: session !== null,
    problem: problem ?? (session === null ? 'no session holds this node: its process is gone, and nothing will remove it' : null)
  }))
}

function subscriptionOf(subscription: NonNullable<ZooKeeperGroup['members'][number]['subscription']>): string[] {
  if (subscription.kind === 'static')
    return Object.entries(subscription.topics).map(([topic, streams]) => (streams === 1 ? topic : `${topic}:${streams}`))
  const { kind, pattern, streams } = subscription
  return [`${kind === 'black_list' ? '!' : ''}/${pattern}/${streams === 1 ? '' : `:${streams}`}`]
}

function kafkaMembers(group: GroupDescription | null): ViewMember[] {
  return (group?.members ?? []).map(member => {
    const owns = flat(member.assignment)
    const { subscription } = member
    return {
      place: 'kafka',
      memberId: member.memberId,
      instanceId: member.groupInstanceId,
      clientId: member.clientId,
      host: member.host,
      epoch: member.memberEpoch,
      sinceMs: null,
      subscription: subscription === null ? [] : [...subscription.topics, ...(subscription.regex ? [`/${subscription.regex}/`] : [])],
      owns,
      awaits: flat(member.target ?? []).filter(key => !owns.includes(key)),
      alive: true,
      problem: member.problem
    }
  })
}

const flat = (list: readonly { topic: string; partitions: readonly number[] }[]) =>
  list.flatMap(({ topic, partitions }) => partitions.map(partition => `${topic}/${partition}`))

/** Where the group is known. */
export function kindOf({ zooKeeper, kafka, partitions }: GroupView): 'zookeeper' | 'kafka' | 'zookeeper+kafka' {
  if (zooKeeper === null) return 'kafka'
  return kafka !== null || partitions.some(entry => entry.kafka !== null) ? 'zookeeper+kafka' : 'zookeeper'
}

/** `Active` and `Empty` for ZooKeeper; Kafka's word where there is nobody in ZooKeeper. */
export function stateOf({ zooKeeper, kafka, members }: GroupView): string {
  if (members.some(({ place, alive }) => place === 'zookeeper' && alive)) return 'Active'
  if (kafka !== null && (zooKeeper === null || kafka.members.length > 0)) return kafka.state
  return 'Empty'
}

/** Where each topic ends, by partition; topics that are not there are left out. */
export type Ends = ReadonlyMap<string, ReadonlyMap<number, bigint>>

export async function endsOf(cluster: Cluster, topics: readonly string[]): Promise<Ends> {
  const wanted = [...new Set(topics)]
  if (wanted.length === 0) return new Map()
  const there = await cluster.admin.topics(wanted)
  // A partition without a leader has no end that anybody could tell.
  const ends = there.map(async ({ name, partitions }) => {
    const led = partitions.filter(({ leader }) => leader !== null).map(({ partition }) => partition)
    return [name, led.length === 0 ? new Map<number, bigint>() : await cluster.admin.listOffsets(name, 'latest', led)] as const
  })
  return new Map(await Promise.all(ends))
}

/** Null: nothing is committed, or the end is not known. */
export function lagOf({ topic, partition, committed }: ViewPartition, ends: Ends): { end: bigint | null; lag: bigint | null } {
  const end = ends.get(topic)?.get(partition) ?? null
  return { end, lag: committed === null || end === null ? null : end - committed }
}
