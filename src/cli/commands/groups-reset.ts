/**
 * `samsa groups reset GROUP`: committed offsets moved, as kafka-consumer-groups.sh does, in ZooKeeper and in Kafka alike. Without `--execute` it
 * only shows what it would write.
 */
import type { Cluster, GroupOffsetToSet, TopicDescription } from '../../index.ts'
import { SamsaError } from '../../model/errors.ts'
import { CommandLineError } from '../arguments.ts'
import { type Command, type Context, EXIT } from '../command.ts'
import { isOfOthers, noGroup, tellTrouble, UNCHANGED } from '../group-list.ts'
import { liveText, refuseLive } from '../group-live.ts'
import { type GroupView, viewGroup } from '../group-view.ts'
import { type PlannedReset, planReset, type ResetInput } from '../reset-plan.ts'
import { RESET_OPTIONS, type ResetScope, type ResetTarget, resetScope, resetTarget } from '../reset-target.ts'
import { nearest } from '../suggest.ts'

export const reset: Command = {
  summary: 'move committed offsets; a dry run, unless --execute',
  usage: 'GROUP --topic T|--all-topics --to-… [options]',
  takes: [1, 1],
  options: RESET_OPTIONS,
  notes: [
    'Offsets outside the log become its beginning or its end, with a note. A group that is known to ZooKeeper, or not known at all, is',
    'written there and in Kafka; one that only Kafka knows, in Kafka. A group with live members is not written (exit code 1, naming them).'
  ],
  examples: [
    ['samsa groups reset billing --topic orders --to-earliest', 'what would be written'],
    ['samsa groups reset billing --topic orders:0,3 --shift-by -100 --execute', 'two partitions, a hundred messages back'],
    ['samsa groups reset billing --all-topics --by-duration PT1H --execute', 'the last hour once more'],
    ['samsa groups reset billing --all-topics --to-current --export > offsets.csv', 'keep them'],
    ['samsa groups reset billing --from-file offsets.csv --execute', 'and put them back']
  ],
  async run(context) {
    const { args, world } = context
    const execute = args.has('execute')
    if (execute && args.has('dry-run')) throw new CommandLineError('--dry-run and --execute cannot both be; give one of them')
    if (args.has('export') && context.json) throw new CommandLineError('give --export or --json, not both')
    const file = args.one('from-file')
    const target = resetTarget(args, world.now(), file === undefined ? undefined : await readFile(context, file))
    const scope = resetScope(args, target)
    const cluster = await context.connect()
    const group = args.positionals[0]!
    const view = await viewGroup(cluster, group)
    if (!view && ('all' in scope || (await isOfOthers(cluster, group)))) throw await noGroup(cluster, group)
    if (execute && tellTrouble(context, view?.trouble ?? null, UNCHANGED)) return EXIT.failed
    if (execute && view) refuseLive(view, 'reset')
    const rows = planReset(target, await inputs(context, cluster, target, scope, view))
    if (execute) await write(cluster, group, view, rows)
    tell(context, group, rows)
    if (execute) context.note(`Written for group ${group}: ${rows.length} offsets in ${placesOf(cluster, view).join(' and ')}.`)
    else tellDryRun(context, group, view)
    return tellTrouble(context, view?.trouble ?? null) ? EXIT.failed : EXIT.ok
  }
}

async function readFile({ world }: Context, path: string): Promise<string> {
  try {
    return (await world.files.read(path)).toString('utf8')
  } catch (error) {
    throw new CommandLineError(`--from-file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** What there is to know of each partition that is meant. */
async function inputs(
  context: Context,
  cluster: Cluster,
  target: ResetTarget,
  scope: ResetScope,
  view: GroupView | undefined
): Promise<ResetInput[]> {
  const committed = new Map((view?.partitions ?? []).map(entry => [`${entry.topic}/${entry.partition}`, entry.committed]))
  const wanted = 'all' in scope ? committedScope(view!) : scope.topics
  const known = await cluster.admin.topics(wanted.map(({ topic }) => topic))
  const out: ResetInput[] = []
  for (const { topic, partitions } of wanted) {
    const there = known.find(({ name }) => name === topic)
    if (!there && 'all' in scope) context.note(`Topic ${topic} does not exist any more: its offsets are left as they are.`)
    if (!there && !('all' in scope)) throw await missingTopic(cluster, topic)
    if (!there) continue
    const numbers = numbersOf(there, partitions)
    const [earliest, latest, atTime] = await Promise.all([
      cluster.admin.listOffsets(topic, 'earliest', numbers),
      cluster.admin.listOffsets(topic, 'latest', numbers),
      target.to === 'time' ? cluster.admin.listOffsets(topic, new Date(target.timestampMs), numbers) : new Map<number, bigint>()
    ])
    for (const partition of numbers) {
      const found = atTime.get(partition) ?? -1n
      const current = committed.get(`${topic}/${partition}`) ?? null
      const range = { earliest: earliest.get(partition)!, latest: latest.get(partition)! }
      out.push({ topic, partition, current, ...range, atTime: found >= 0n ? found : null })
    }
  }
  return out
}

/** Everything of which something is committed. */
function committedScope({ group, partitions }: GroupView): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition, committed } of partitions)
    if (committed !== null) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  if (topics.size === 0) throw new SamsaError('NO_OFFSET', `Group ${group} has committed nothing; name its topics with --topic.`)
  return [...topics].map(([topic, list]) => ({ topic, partitions: list }))
}

function numbersOf({ name, partitions }: TopicDescription, wanted: readonly number[] | null): number[] {
  const all = partitions.map(({ partition }) => partition)
  const missing = wanted?.find(partition => !all.includes(partition))
  if (missing !== undefined) throw new CommandLineError(`topic ${name} has no partition ${missing}; it has ${all.length}, from 0`)
  return wanted === null ? all : [...wanted].sort((a, b) => a - b)
}

async function missingTopic(cluster: Cluster, topic: string): Promise<SamsaError> {
  const near = nearest(
    topic,
    (await cluster.admin.topics()).map(({ name }) => name)
  )
  return new SamsaError('UNKNOWN_TOPIC_OR_PARTITION', `Topic ${topic} does not exist${near ? `; did you mean ${near}?` : '.'}`)
}

function placesOf(cluster: Cluster, view: GroupView | undefined): string[] {
  const inZooKeeper = cluster.admin.zooKeeperGroups !== null && (view === undefined || view.zooKeeper !== null)
  return inZooKeeper ? ['ZooKeeper', 'Kafka'] : ['Kafka']
}

/** ZooKeeper first: it is the copy that counts, and nothing is written under a member that has joined meanwhile. */
async function write(cluster: Cluster, group: string, view: GroupView | undefined, rows: readonly PlannedReset[]): Promise<void> {
  const offsets: GroupOffsetToSet[] = rows.map(({ topic, partition, new: offset }) => ({ topic, partition, offset }))
  const both = placesOf(cluster, view).length === 2
  if (both) await cluster.admin.zooKeeperGroups!.setOffsets(group, offsets)
  try {
    await cluster.admin.alterGroupOffsets(group, offsets)
  } catch (error) {
    if (!both || !(error instanceof SamsaError)) throw error
    throw new SamsaError(
      error.code,
      `The offsets of group ${group} are written in ZooKeeper, but their copy in Kafka is not: ${error.message} Run the command again.`,
      { cause: error }
    )
  }
}

function tell(context: Context, group: string, rows: readonly PlannedReset[]): void {
  if (context.args.has('export')) {
    context.terminal.out.write(rows.map(row => `${row.topic},${row.partition},${row.new}\n`).join(''))
    for (const { topic, partition, note } of rows) if (note !== null) context.note(`${topic}/${partition}: ${note}`)
    return
  }
  context.table(
    rows.map(row => ({ group, ...row })),
    ['topic', 'partition', 'current', 'new', ...(rows.some(({ note }) => note !== null) ? ['note'] : [])]
  )
}

function tellDryRun(context: Context, group: string, view: GroupView | undefined): void {
  if (!context.args.has('dry-run') && !context.args.has('export'))
    context.note('Nothing was written: add --execute to write these offsets.')
  if (!view) context.note(`Group ${group} does not exist yet; it would come to be.`)
  const live = view && liveText(view)
  if (live !== undefined) context.note(`--execute will refuse: group ${group} has ${live}.`)
}
