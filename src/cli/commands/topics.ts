/**
 * `samsa topics ls|describe|create|rm`.
 */
import { pair, wholeNumber } from '../arguments.ts'
import { type Command, type CommandGroup, type Context, EXIT } from '../command.ts'
import { nearest } from '../suggest.ts'

const ls: Command = {
  summary: 'the topics of the cluster',
  usage: '[options]',
  takes: [0, 0],
  options: { internal: { help: "also Kafka's own, such as __consumer_offsets" } },
  examples: [
    ['samsa topics ls', 'name, partitions, replicas'],
    ['samsa topics ls | cut -f1', 'only the names']
  ],
  async run(context) {
    const cluster = await context.connect()
    const topics = (await cluster.admin.topics()).filter(({ internal }) => context.args.has('internal') || !internal)
    const rows = topics.map(({ name, partitions, internal }) => ({
      topic: name,
      partitions: partitions.length,
      replicas: Math.max(0, ...partitions.map(({ replicas }) => replicas.length)),
      leaderless: partitions.filter(({ leader }) => leader === null).length,
      underReplicated: partitions.filter(({ replicas, inSync }) => inSync.length < replicas.length).length,
      internal
    }))
    context.table(rows, ['topic', 'partitions', 'replicas', 'leaderless', 'underReplicated'])
    return EXIT.ok
  }
}

const describe: Command = {
  summary: 'partitions, leaders, replicas and offsets of a topic',
  usage: 'TOPIC [options]',
  takes: [1, 1],
  options: {},
  examples: [['samsa topics describe orders', 'a line for each partition']],
  async run(context) {
    const name = context.args.positionals[0]!
    const cluster = await context.connect()
    const topic = (await cluster.admin.topics([name]))[0]
    if (!topic)
      return missing(
        context,
        name,
        (await cluster.admin.topics()).map(each => each.name)
      )
    const led = topic.partitions.filter(({ leader }) => leader !== null).map(({ partition }) => partition)
    const [first, end] = await Promise.all([
      cluster.admin.listOffsets(name, 'earliest', led),
      cluster.admin.listOffsets(name, 'latest', led)
    ])
    const rows = topic.partitions.map(({ partition, leader, leaderEpoch, replicas, inSync }) => ({
      topic: name,
      topicId: topic.topicId,
      partition,
      leader,
      leaderEpoch,
      replicas,
      inSync,
      first: first.get(partition) ?? null,
      end: end.get(partition) ?? null
    }))
    context.table(rows, ['partition', 'leader', 'leaderEpoch', 'replicas', 'inSync', 'first', 'end'])
    return EXIT.ok
  }
}

function missing(context: Context, name: string, known: readonly string[]): number {
  const near = nearest(name, known)
  context.terminal.say(`samsa: topic ${name} does not exist${near ? `; did you mean ${near}?` : '.'}\n  next: samsa topics create ${name}`)
  return EXIT.failed
}

const create: Command = {
  summary: 'create a topic',
  usage: 'TOPIC [options]',
  takes: [1, 1],
  options: {
    partitions: { value: 'N', short: 'p', help: "default: the broker's" },
    'replication-factor': { value: 'N', short: 'r', help: "default: the broker's" },
    config: { value: 'NAME=VALUE', multiple: true, help: 'a setting of the topic, such as retention.ms=3600000' }
  },
  examples: [
    ['samsa topics create orders', "with the broker's defaults"],
    ['samsa topics create orders --partitions 6 --replication-factor 3 --config cleanup.policy=compact', 'as wanted']
  ],
  async run(context) {
    const { args } = context
    const name = args.positionals[0]!
    const partitions = args.one('partitions')
    const replicationFactor = args.one('replication-factor')
    const spec = {
      ...(partitions === undefined ? {} : { partitions: wholeNumber('partitions', partitions, 1, 1_000_000) }),
      ...(replicationFactor === undefined ? {} : { replicationFactor: wholeNumber('replication-factor', replicationFactor, 1, 32_767) }),
      configs: Object.fromEntries(args.all('config').map(text => pair('config', text)))
    }
    const cluster = await context.connect()
    await cluster.admin.createTopic(name, spec)
    context.note(`Created topic ${name}.`)
    return EXIT.ok
  }
}

const rm: Command = {
  summary: 'delete topics and all that is in them',
  usage: 'TOPIC… [options]',
  takes: [1, 100],
  options: {},
  examples: [['samsa topics rm orders', 'there is no way back']],
  async run(context) {
    const cluster = await context.connect()
    let code: number = EXIT.ok
    for (const name of context.args.positionals) {
      try {
        await cluster.admin.deleteTopic(name)
        context.note(`Deleted topic ${name}.`)
      } catch (error) {
        if ((error as { kafka?: { name: string } }).kafka?.name !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
        code = missing(
          context,
          name,
          (await cluster.admin.topics()).map(each => each.name)
        )
      }
    }
    return code
  }
}

export const topics: CommandGroup = { summary: 'the topics of a cluster', commands: { ls, describe, create, rm } }
