/**
 * `samsa groups ls|lag`: groups of both kinds, those that meet in ZooKeeper and Kafka's own.
 */
import type { Cluster } from '../../index.ts'
import { SamsaError } from '../../model/errors.ts'
import { type Command, type CommandGroup, type Context, EXIT } from '../command.ts'
import { nearest } from '../suggest.ts'
import { type GroupPartition, zooKeeperGroup, zooKeeperGroups } from '../zookeeper-groups.ts'

interface Listing {
  group: string
  kind: string
  state: string | null
  members: number | null
}

async function listings(context: Context, cluster: Cluster): Promise<Listing[]> {
  const found = new Map<string, Listing>()
  if (context.usesZooKeeper)
    for (const { group, members } of await zooKeeperGroups(await context.zooKeeper()))
      found.set(group, { group, kind: 'zookeeper', state: members > 0 ? 'Active' : 'Empty', members })
  for (const { group, state } of await cluster.admin.groups()) {
    const there = found.get(group)
    // Its offsets are mirrored to Kafka: one group, two places.
    if (there) there.kind = 'zookeeper+kafka'
    else found.set(group, { group, kind: 'kafka', state: state || null, members: null })
  }
  return [...found.values()].sort((a, b) => (a.group < b.group ? -1 : 1))
}

const ls: Command = {
  summary: 'the groups, of ZooKeeper and of Kafka',
  usage: '[options]',
  takes: [0, 0],
  options: {},
  examples: [['samsa groups ls', 'name, kind, state, members']],
  async run(context) {
    const rows = await listings(context, await context.connect())
    context.table(
      rows.map(row => ({ ...row })),
      ['group', 'kind', 'state', 'members']
    )
    return EXIT.ok
  }
}

const lag: Command = {
  summary: 'how far a group is behind, by partition',
  usage: 'GROUP [options]',
  takes: [1, 1],
  options: {},
  notes: ['A group that meets in ZooKeeper is read there (its offsets and owners), any other from its coordinator in Kafka.'],
  examples: [
    ['samsa groups lag billing', 'committed, end, lag, owner'],
    ["samsa groups lag billing --json | jq -s 'map(.lag) | add'", 'the sum']
  ],
  async run(context) {
    const group = context.args.positionals[0]!
    const cluster = await context.connect()
    const partitions = await committedOf(context, cluster, group)
    if (partitions === undefined || partitions.length === 0) throw await noGroup(context, cluster, group, partitions !== undefined)
    const ends = new Map<string, ReadonlyMap<number, bigint>>()
    const topics = [...new Set(partitions.map(({ topic }) => topic))]
    const there = (await cluster.admin.topics(topics)).map(({ name }) => name)
    for (const topic of there) ends.set(topic, await cluster.admin.listOffsets(topic, 'latest'))
    const rows = partitions.map(({ topic, partition, committed, owner }) => {
      const end = ends.get(topic)?.get(partition) ?? null
      return { group, topic, partition, committed, end, lag: committed === null || end === null ? null : end - committed, owner }
    })
    context.table(rows, ['topic', 'partition', 'committed', 'end', 'lag', 'owner'])
    const gone = topics.filter(topic => !there.includes(topic))
    if (gone.length > 0) context.note(`These topics do not exist any more: ${gone.join(', ')}.`)
    return EXIT.ok
  }
}

async function committedOf(context: Context, cluster: Cluster, group: string): Promise<GroupPartition[] | undefined> {
  const inZooKeeper = context.usesZooKeeper ? await zooKeeperGroup(await context.zooKeeper(), group) : undefined
  if (inZooKeeper !== undefined && inZooKeeper.length > 0) return inZooKeeper
  const inKafka = await cluster.admin.groupOffsets(group)
  if (inKafka.length === 0) return inZooKeeper
  return inKafka.map(({ topic, partition, offset }) => ({ topic, partition, committed: offset, owner: null }))
}

async function noGroup(context: Context, cluster: Cluster, group: string, known: boolean): Promise<SamsaError> {
  if (known)
    return new SamsaError('NO_GROUP', `Group ${group} has members or traces in ZooKeeper, but neither offsets nor owned partitions.`)
  const near = nearest(
    group,
    (await listings(context, cluster)).map(listing => listing.group)
  )
  return new SamsaError('NO_GROUP', `Group ${group} has committed nothing, or does not exist${near ? `; did you mean ${near}?` : '.'}`)
}

export const groups: CommandGroup = { summary: 'groups of consumers', commands: { ls, lag } }
