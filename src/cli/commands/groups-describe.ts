/**
 * `samsa groups describe GROUP`: its partitions with both copies of their offsets, its members, or its state; both kinds of groups.
 */
import type { Cluster } from '../../index.ts'
import { CommandLineError } from '../arguments.ts'
import { type Command, type Context, EXIT } from '../command.ts'
import { noGroup, tellTrouble } from '../group-list.ts'
import { type Ends, endsOf, type GroupView, kindOf, lagOf, stateOf, type ViewPartition, viewGroup } from '../group-view.ts'
import { printable, type Row } from '../table.ts'

export const describe: Command = {
  summary: 'partitions, owners, lag; members; state',
  usage: 'GROUP [--members|--state] [options]',
  takes: [1, 1],
  options: {
    members: { short: 'm', help: 'a line for each member: where it runs, what it subscribes to, what it owns' },
    state: { short: 's', help: 'a line for each place where the group is known: state, protocol, assignor, coordinator' }
  },
  notes: [
    'Without an option: every partition of the topics that the group has to do with. `committed` counts; `zookeeper` and `kafka` are',
    "its two copies. ZooKeeper's counts for a group that meets there, unless it has moved to Kafka.",
    'A member of ZooKeeper whose node cannot be read, or that no session holds, is told with the reason.'
  ],
  examples: [
    ['samsa groups describe billing', 'who owns what, how far behind'],
    ['samsa groups describe billing --members', 'who is in it'],
    ['samsa groups describe billing --state --json', 'for programs']
  ],
  async run(context) {
    const { args } = context
    const group = args.positionals[0]!
    if (args.has('members') && args.has('state')) throw new CommandLineError('--members and --state cannot both be; give one of them')
    const cluster = await context.connect()
    const view = await viewGroup(cluster, group)
    if (!view) throw await noGroup(cluster, group)
    if (args.has('members')) tellMembers(context, view)
    else if (args.has('state')) tellState(context, cluster, view)
    else await tellPartitions(context, cluster, view)
    return tellTrouble(context, view.trouble) ? EXIT.failed : EXIT.ok
  }
}

async function tellPartitions(context: Context, cluster: Cluster, view: GroupView): Promise<void> {
  const ends = await endsOf(cluster, topicsOf(view))
  const rows = completed(view, ends).map(entry => {
    const { topic, partition, committed, zookeeper, kafka, owner, clientId, host } = entry
    return { group: view.group, topic, partition, committed, zookeeper, kafka, ...lagOf(entry, ends), owner, clientId, host }
  })
  const copies = kindOf(view) === 'zookeeper+kafka' ? ['zookeeper', 'kafka'] : []
  context.table(rows, ['topic', 'partition', 'committed', ...copies, 'end', 'lag', 'owner', 'host', 'clientId'])
  const idle = view.members.filter(({ owns, alive }) => alive && owns.length === 0)
  if (idle.length > 0) context.note(`These members own nothing: ${idle.map(({ memberId }) => printable(memberId)).join(', ')}.`)
  tellProblems(context, view)
}

/** Also topics that a member names and of which nothing is committed nor owned. */
function topicsOf({ partitions, zooKeeper, kafka }: GroupView): string[] {
  const named = (zooKeeper?.members ?? []).flatMap(({ subscription }) =>
    subscription?.kind === 'static' ? Object.keys(subscription.topics) : []
  )
  const subscribed = (kafka?.members ?? []).flatMap(({ subscription }) => subscription?.topics ?? [])
  return [...new Set([...partitions.map(({ topic }) => topic), ...named, ...subscribed])]
}

/** With the partitions of those topics that nobody owns and of which nothing is committed. */
function completed({ partitions }: GroupView, ends: Ends): ViewPartition[] {
  const known = new Set(partitions.map(({ topic, partition }) => `${topic}/${partition}`))
  const nothing = { committed: null, zookeeper: null, kafka: null, owner: null, clientId: null, host: null }
  const others = [...ends].flatMap(([topic, offsets]) =>
    [...offsets.keys()].filter(partition => !known.has(`${topic}/${partition}`)).map(partition => ({ topic, partition, ...nothing }))
  )
  return [...partitions, ...others].sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}

function tellMembers(context: Context, view: GroupView): void {
  const rows = view.members.map(
    ({ place, memberId, instanceId, clientId, host, epoch, sinceMs, subscription, owns, awaits, alive, problem }): Row => ({
      group: view.group,
      place,
      member: memberId,
      instanceId,
      clientId,
      host,
      epoch,
      since: sinceMs === null ? null : new Date(sinceMs).toISOString(),
      alive,
      subscription,
      partitions: owns.length,
      owns,
      awaits,
      problem
    })
  )
  const inKafka = view.members.some(({ place }) => place === 'kafka')
  const inZooKeeper = view.members.some(({ place }) => place === 'zookeeper')
  const columns = [
    ...(inKafka && inZooKeeper ? ['place'] : []),
    'member',
    ...(inKafka ? ['instanceId', 'clientId'] : []),
    'host',
    ...(view.kafka?.type === 'consumer' ? ['epoch'] : []),
    ...(inZooKeeper ? ['since'] : []),
    'subscription',
    'partitions',
    'owns',
    ...(view.kafka?.type === 'consumer' ? ['awaits'] : [])
  ]
  if (rows.length > 0) context.table(rows, columns)
  else context.note(`Group ${view.group} has no members (${stateOf(view)}).`)
  tellProblems(context, view)
}

function tellState(context: Context, cluster: Cluster, view: GroupView): void {
  const { group, zooKeeper, kafka, members } = view
  const nothing = {
    group,
    place: '',
    type: null,
    state: '',
    members: 0,
    assignor: null,
    coordinator: null,
    address: null,
    groupEpoch: null,
    assignmentEpoch: null
  }
  const rows: Row[] = []
  if (zooKeeper) {
    const alive = members.filter(each => each.place === 'zookeeper' && each.alive).length
    rows.push({ ...nothing, place: 'zookeeper', state: alive > 0 ? 'Active' : 'Empty', members: alive, moved: zooKeeper.moved })
  }
  if (kafka) {
    const broker = cluster.brokers.get(kafka.coordinator)
    rows.push({
      ...nothing,
      place: 'kafka',
      state: kafka.state,
      members: kafka.members.length,
      moved: false,
      type: kafka.type,
      assignor: kafka.assignor || null,
      coordinator: kafka.coordinator,
      address: broker ? `${broker.host}:${broker.port}` : null,
      groupEpoch: kafka.groupEpoch,
      assignmentEpoch: kafka.assignmentEpoch
    })
  }
  context.table(rows, ['place', 'type', 'state', 'members', 'assignor', 'coordinator', 'address', 'groupEpoch', 'assignmentEpoch', 'moved'])
  tellProblems(context, view)
}

function tellProblems(context: Context, { group, zooKeeper, members }: GroupView): void {
  for (const { memberId, problem } of members) if (problem !== null) context.note(`Member ${printable(memberId)}: ${problem}`)
  if (zooKeeper?.moved) context.note(`Group ${group} has moved to Kafka: members of samsa meet there, and Kafka's offsets count.`)
  if (zooKeeper?.moving) context.note(`Group ${group} is being moved to Kafka at this moment.`)
}
