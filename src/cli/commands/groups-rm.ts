/**
 * `samsa groups rm GROUP…`: a group, or what it has committed of some topics, removed from ZooKeeper and from Kafka. Never under live members.
 */
import type { Cluster } from '../../index.ts'
import { SamsaError } from '../../model/errors.ts'
import { type Command, type Context, EXIT } from '../command.ts'
import { noGroup, tellTrouble, UNCHANGED } from '../group-list.ts'
import { refuseLive } from '../group-live.ts'
import { type GroupView, viewGroup } from '../group-view.ts'

export const rm: Command = {
  summary: 'remove groups, or their offsets of topics',
  usage: 'GROUP… [--topic T] [options]',
  takes: [1, 100],
  options: { topic: { value: 'T', short: 't', multiple: true, help: 'only what the group has committed of this topic' } },
  notes: [
    'A group with live members is left as it is (exit code 1, naming them). There is no way back;',
    '`samsa groups reset G --all-topics --to-current --export > FILE` keeps its offsets.'
  ],
  examples: [
    ['samsa groups rm old-report', 'it begins anew, if it ever comes again'],
    ['samsa groups rm billing --topic orders', 'only its offsets of orders']
  ],
  async run(context) {
    const topics = context.args.all('topic')
    const cluster = await context.connect()
    for (const group of context.args.positionals) {
      const view = await viewGroup(cluster, group)
      if (!view) throw await noGroup(cluster, group)
      if (tellTrouble(context, view.trouble, UNCHANGED)) return EXIT.failed
      if (topics.length === 0) await removeGroup(context, cluster, view)
      else for (const topic of topics) await removeTopic(context, cluster, view, topic)
    }
    return EXIT.ok
  }
}

async function removeGroup(context: Context, cluster: Cluster, view: GroupView): Promise<void> {
  const { group, zooKeeper, kafka, partitions } = view
  refuseLive(view, 'removed')
  // ZooKeeper first: it refuses whoever has joined meanwhile, and Kafka's copy is nothing without it.
  const places: string[] = []
  if (zooKeeper && (await cluster.admin.zooKeeperGroups!.remove(group))) places.push('ZooKeeper')
  if (kafka || partitions.some(entry => entry.kafka !== null)) {
    try {
      await unlessGone(cluster.admin.deleteGroup(group))
    } catch (error) {
      if (places.length === 0 || !(error instanceof SamsaError)) throw error
      const message = `Group ${group} is removed from ZooKeeper, but its copy in Kafka is not: ${error.message}`
      throw new SamsaError(error.code, `${message} Run the command again.`, { cause: error })
    }
    places.push('Kafka')
  }
  context.note(`Removed group ${group} from ${places.join(' and ')}.`)
}

/**
 * Kafka first: it may not be able to (before 2.4), and refuses what members of its own subscribe to. Should a member in ZooKeeper then turn out to
 * consume the topic, its next commit writes the copy anew.
 */
async function removeTopic(context: Context, cluster: Cluster, view: GroupView, topic: string): Promise<void> {
  const { group, zooKeeper, partitions } = view
  const places: string[] = []
  const copied = partitions.filter(entry => entry.topic === topic && entry.kafka !== null)
  if (copied.length > 0) {
    await unlessGone(cluster.admin.deleteGroupOffsets(group, copied))
    places.push('Kafka')
  }
  if (zooKeeper && (await cluster.admin.zooKeeperGroups!.remove(group, { topic }))) places.unshift('ZooKeeper')
  if (places.length > 0) context.note(`Removed what group ${group} had committed of ${topic} from ${places.join(' and ')}.`)
  else context.note(`Group ${group} has committed nothing of ${topic}.`)
}

/** A copy that has expired meanwhile is as good as removed. */
async function unlessGone(removal: Promise<void>): Promise<void> {
  try {
    await removal
  } catch (error) {
    if ((error as { kafka?: { name: string } }).kafka?.name !== 'GROUP_ID_NOT_FOUND') throw error
  }
}
