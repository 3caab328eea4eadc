/**
 * `samsa groups`: groups of both kinds, those that meet in ZooKeeper and Kafka's own. `ls` and `lag` are here, the others in files of their own.
 */
import { type Command, type CommandGroup, EXIT } from '../command.ts'
import { listGroups, noGroup, tellTrouble } from '../group-list.ts'
import { endsOf, lagOf, viewGroup } from '../group-view.ts'
import { describe } from './groups-describe.ts'
import { move } from './groups-move.ts'
import { reset } from './groups-reset.ts'
import { rm } from './groups-rm.ts'

const ls: Command = {
  summary: 'the groups, of ZooKeeper and of Kafka',
  usage: '[options]',
  takes: [0, 0],
  options: {},
  notes: ['Members are counted in ZooKeeper only; `samsa groups describe GROUP` knows those of Kafka too.'],
  examples: [['samsa groups ls', 'name, kind, state, members, type']],
  async run(context) {
    const { groups: found, trouble } = await listGroups(await context.connect())
    context.table(
      found.map(row => ({ ...row })),
      ['group', 'kind', 'state', 'members', 'type']
    )
    return tellTrouble(context, trouble) ? EXIT.failed : EXIT.ok
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
    const view = await viewGroup(cluster, group)
    if (!view || (view.partitions.length === 0 && !view.trouble)) throw await noGroup(cluster, group, view !== undefined)
    const topics = [...new Set(view.partitions.map(({ topic }) => topic))]
    const ends = await endsOf(cluster, topics)
    const rows = view.partitions.map(entry => {
      const { topic, partition, committed, owner } = entry
      return { group, topic, partition, committed, ...lagOf(entry, ends), owner }
    })
    context.table(rows, ['topic', 'partition', 'committed', 'end', 'lag', 'owner'])
    const gone = topics.filter(topic => !ends.has(topic))
    if (gone.length > 0) context.note(`These topics do not exist any more: ${gone.join(', ')}.`)
    return tellTrouble(context, view.trouble) ? EXIT.failed : EXIT.ok
  }
}

export const groups: CommandGroup = { summary: 'groups of consumers', commands: { ls, describe, lag, reset, rm, move } }
