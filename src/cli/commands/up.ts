/**
 * `samsa up`: brokers and their ZooKeeper in this process, until Ctrl-C.
 */
import { CommandLineError, wholeNumber } from '../arguments.ts'
import { type Command, type Context, EXIT } from '../command.ts'
import { jsonText } from '../table.ts'

export const up: Command = {
  summary: 'a cluster in this process: brokers and their ZooKeeper',
  usage: '[options]',
  takes: [0, 0],
  handlesInterrupt: true,
  options: {
    brokers: { value: 'N', short: 'b', help: 'so many brokers (default 3, or as many as the directory has)' },
    topic: {
      value: 'NAME[:PARTITIONS]',
      short: 't',
      multiple: true,
      help: 'a topic that is there from the beginning (repeat it for more)'
    },
    port: { value: 'PORT', short: 'p', help: 'the first broker listens there, the others on the next (default: free ones)' },
    'zookeeper-port': { value: 'PORT', help: 'ZooKeeper listens there (default: a free one)' },
    directory: { value: 'DIR', short: 'd', help: 'keep everything there, and have it again the next time (default: in memory)' },
    'no-zookeeper': { help: 'brokers alone, as from Kafka 4 on' }
  },
  notes: ['It ends on Ctrl-C, and everything with it unless a directory is named. It listens on loopback only.'],
  examples: [
    ['samsa up', 'three brokers and a ZooKeeper on free ports'],
    ['samsa up --port 9092 --zookeeper-port 2181 --topic orders:6', 'where other tools look for them'],
    ['samsa up --brokers 1 --no-zookeeper --json', 'the addresses as JSON']
  ],
  async run(context) {
    const { args } = context
    const number = (name: string) => {
      const text = args.one(name)
      return text === undefined ? undefined : wholeNumber(name, text, 1)
    }
    const [brokers, first, zookeeper, directory] = [number('brokers'), number('port'), number('zookeeper-port'), args.one('directory')]
    const { startCluster } = await import('../../testing.ts')
    const cluster = await startCluster({
      ...(brokers === undefined ? {} : { brokers }),
      ...(directory === undefined ? {} : { directory }),
      zookeeper: !args.has('no-zookeeper'),
      topics: Object.fromEntries(args.all('topic').map(topicOf)),
      ports: { ...(first === undefined ? {} : { brokers: first }), ...(zookeeper === undefined ? {} : { zookeeper }) }
    })
    tell(context, { url: cluster.url, bootstrap: cluster.bootstrap, zookeeper: cluster.zookeeper?.addresses ?? null })
    await new Promise<void>(resolve => context.interrupted.addEventListener('abort', () => resolve(), { once: true }))
    await cluster.stop()
    // Ctrl-C is how it ends.
    return EXIT.ok
  }
}

function topicOf(text: string): [string, number] {
  const [name, partitions = '1', ...rest] = text.split(':')
  if (!name || rest.length > 0) throw new CommandLineError(`--topic is "${text}"; give NAME or NAME:PARTITIONS`)
  return [name, wholeNumber('topic', partitions, 1)]
}

function tell(context: Context, { url, bootstrap, zookeeper }: { url: string; bootstrap: string[]; zookeeper: string | null }): void {
  const { out } = context.terminal
  if (context.json) return out.write(`${jsonText({ cluster: url, bootstrap, zookeeper })}\n`)
  out.write(
    [
      `${bootstrap.length === 1 ? 'A broker' : `${bootstrap.length} brokers`}${zookeeper ? ' and a ZooKeeper' : ''} are up, in this process. Ctrl-C ends them.`,
      '',
      `  samsa   export SAMSA_CLUSTER=${url}`,
      `  kcat    kcat -b ${bootstrap[0]} -L`,
      `  others  bootstrap.servers=${bootstrap.join(',')}`,
      ...(zookeeper ? [`          zookeeper.connect=${zookeeper}`] : []),
      ''
    ].join('\n')
  )
}
