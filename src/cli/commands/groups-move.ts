/**
 * `samsa groups move GROUP --to kafka`: a live group out of ZooKeeper, without losing or repeating what was committed.
 */
import { UsageError } from '../../model/errors.ts'
import { duration } from '../arguments.ts'
import { type Command, EXIT } from '../command.ts'

export const move: Command = {
  summary: 'move a live group from ZooKeeper to Kafka',
  usage: 'GROUP --to kafka [options]',
  takes: [1, 1],
  options: {
    to: { value: 'PLACE', help: 'where to: kafka' },
    'dry-run': { help: 'tell what would be carried over, and change nothing' },
    timeout: { value: 'TIME', help: 'for the members to finish what they have in hand and leave; default 60s' }
  },
  notes: [
    'Members that subscribed with membership auto (the default) commit, leave, and meet again in Kafka, on the offsets that were carried over.',
    'Scala consumers, and members that asked for membership zookeeper, cannot follow: while there is one, nothing is moved.',
    'Until the last step all of it is undone when something fails, also when this command is killed.'
  ],
  examples: [
    ['samsa groups move billing --to kafka --dry-run', 'members, and the offsets of both places'],
    ['samsa groups move billing --to kafka', 'while messages flow']
  ],
  async run(context) {
    const { args } = context
    const group = args.positionals[0]!
    const to = args.one('to')
    if (to !== 'kafka')
      throw new UsageError('INVALID_OPTION', `--to is ${to ?? 'missing'}; groups move from ZooKeeper to Kafka: give --to kafka.`)
    const timeout = args.one('timeout')
    const cluster = await context.connect()
    const places = cluster.admin.zooKeeperGroups
    if (!places)
      throw new UsageError(
        'NO_ZOOKEEPER',
        'A group moves out of ZooKeeper: name the cluster by it (--cluster zookeeper://host:2181[/chroot]).'
      )
    const dryRun = args.has('dry-run')
    const { moved, members, offsets } = await places.moveToKafka(group, {
      dryRun,
      signal: context.interrupted,
      onProgress: text => context.note(text),
      ...(timeout === undefined ? {} : { timeoutMs: duration('timeout', timeout) })
    })
    context.table(
      offsets.map(({ topic, partition, offset, kafka }) => ({ group, topic, partition, zookeeper: offset, kafka, moved })),
      ['topic', 'partition', 'zookeeper', 'kafka']
    )
    const fixed = members.filter(({ movable }) => !movable)
    if (dryRun)
      context.note(
        fixed.length > 0
          ? `Not movable now: ${fixed.map(({ memberId }) => memberId).join(', ')} would stay in ZooKeeper. Nothing was changed.`
          : `${members.length} members would follow. Nothing was changed; without --dry-run it is done.`
      )
    else context.note(`Group ${group} meets in Kafka from now on.`)
    return dryRun && fixed.length > 0 ? EXIT.failed : EXIT.ok
  }
}
