/**
 * `samsa verifiable-consumer`: a member of a group that prints what happens to it as JSON lines. In place of Kafka's tool of this name in system tests:
 * `partitions_assigned`, `partitions_revoked`, `records_consumed`, `record_data`, `offsets_committed` and the ends of its life.
 */
import type { Cluster, Consumer, ConsumerEmitted, Message, SubscribeOptions } from '../../index.ts'
import { CommandLineError, choice, wholeNumber } from '../arguments.ts'
import { type Command, type Context, EXIT } from '../command.ts'
import { errorText } from '../errors.ts'
import type { Properties } from '../java-properties.ts'
import { JAVA_OPTIONS, Lines, needed, readConfiguration, verifiableUrl } from '../verifiable.ts'

const SESSION_TIMEOUT_MS = 30_000
/** Only when partitions go, and at the end: what is committed in between says `commit` itself. */
const COMMIT_AT_THE_END_MS = 86_400_000
const PROTOCOLS = ['classic', 'consumer', 'zookeeper', 'auto'] as const
const ASSIGNORS: Readonly<Record<string, string>> = {
  'org.apache.kafka.clients.consumer.RangeAssignor': 'range',
  'org.apache.kafka.clients.consumer.RoundRobinAssignor': 'roundrobin',
  'org.apache.kafka.clients.consumer.StickyAssignor': 'sticky',
  'org.apache.kafka.clients.consumer.CooperativeStickyAssignor': 'cooperative-sticky'
}
/** Settings of the configuration that are options of the command, too. */
const HANDLED = [
  ...['group.id', 'group.protocol', 'group.remote.assignor', 'partition.assignment.strategy'],
  ...['auto.offset.reset', 'enable.auto.commit', 'key.deserializer', 'value.deserializer']
]

export const verifiableConsumer: Command = {
  summary: "be a member of a group and print what happens to it, as Kafka's tool does",
  usage: '--topic TOPIC --group-id GROUP [options]',
  takes: [0, 0],
  handlesInterrupt: true,
  options: {
    ...JAVA_OPTIONS,
    'group-id': { value: 'GROUP', help: 'the group; needed' },
    'group-instance-id': { value: 'NAME', help: 'a static member of this name' },
    'group-protocol': { value: 'KIND', help: 'how the members meet: classic (default), consumer (KIP-848), zookeeper, auto' },
    'group-remote-assignor': { value: 'NAME', help: "with consumer: the broker's assignor" },
    'assignment-strategy': { value: 'NAME,…', help: "with classic: assignors, ours or Java's class names (default range)" },
    'max-messages': { value: 'N', help: 'end after so many; -1 (default): when it is interrupted' },
    'session-timeout': { value: 'MS', help: `out of the group after so long without a sign of life (default ${SESSION_TIMEOUT_MS})` },
    verbose: { help: 'a line for every message' },
    'enable-autocommit': { help: 'commit every 5 s and say nothing of it (default: commit every batch, and say so)' },
    'reset-policy': { value: 'POLICY', help: 'where nothing is committed: earliest (default), latest, none, by_duration:PT1H' },
    'consumer.config': { value: 'FILE', help: 'the same as --command-config, as older tools call it' }
  },
  notes: [
    'partitions_revoked also tells of what was lost. A batch is committed before the next is taken, so little is consumed twice.',
    'Ctrl-C and SIGTERM finish the batch in hand, commit, leave the group, and print shutdown_complete (exit code 130, 143).'
  ],
  examples: [
    ['samsa verifiable-consumer --topic t --group-id g', 'until it is interrupted'],
    [
      'samsa verifiable-consumer --bootstrap-server h:9092 --topic t --group-id g --max-messages 1000 --verbose',
      'a thousand, each in a line'
    ]
  ],
  async run(context) {
    const topic = needed(context, 'topic')
    const group = needed(context, 'group-id')
    const { properties, settings } = await readConfiguration(context, 'consumer', HANDLED)
    const subscription = { ...settings.subscribe, ...subscriptionOf(context, properties), topic, group }
    const limit = wholeNumber('max-messages', context.args.one('max-messages') ?? '-1', -1, 2 ** 31 - 1)
    const cluster = await context.connect(settings.cluster, verifiableUrl(context, properties))
    return new VerifiableConsumer(context, cluster, subscription, limit < 0 ? Number.POSITIVE_INFINITY : limit).run()
  }
}

/** Options, else the configuration, else Java's defaults. */
function subscriptionOf({ args }: Context, properties: Properties): SubscribeOptions {
  const either = (option: string, property: string) => args.one(option) ?? properties.get(property)
  const protocol = either('group-protocol', 'group.protocol') ?? 'classic'
  const membership = choice('group-protocol', protocol.toLowerCase(), PROTOCOLS)
  const instance = args.one('group-instance-id')
  const remoteAssignor = either('group-remote-assignor', 'group.remote.assignor')
  const timeout = args.one('session-timeout') ?? properties.get('session.timeout.ms') ?? String(SESSION_TIMEOUT_MS)
  const auto = args.has('enable-autocommit') || properties.get('enable.auto.commit') === 'true'
  return {
    membership,
    from: resetPolicy(either('reset-policy', 'auto.offset.reset') ?? 'earliest'),
    groupSessionTimeoutMs: wholeNumber('session-timeout', timeout, 1),
    ...(auto ? {} : { autoCommitIntervalMs: COMMIT_AT_THE_END_MS }),
    ...(instance === undefined ? {} : { groupInstanceId: instance }),
    ...(membership === 'consumer' && remoteAssignor !== undefined ? { remoteAssignor } : {}),
    ...(membership === 'classic' || membership === 'zookeeper'
      ? { assignor: assignors(either('assignment-strategy', 'partition.assignment.strategy') ?? 'range') }
      : {})
  }
}

function assignors(text: string): Exclude<SubscribeOptions['assignor'], undefined> {
  return text.split(',').map(name => {
    const ours = Object.hasOwn(ASSIGNORS, name.trim()) ? ASSIGNORS[name.trim()]! : name.trim()
    return choice('assignment-strategy', ours, ['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const)
  })
}

function resetPolicy(text: string): NonNullable<SubscribeOptions['from']> {
  if (text === 'none') return 'fail'
  if (text === 'earliest' || text === 'latest') return text
  const match = /^by_duration:P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text)
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match ?? []
  if (!match) throw new CommandLineError(`--reset-policy is "${text}"; it must be one of earliest, latest, none, by_duration:PT1H`)
  return { durationMs: Math.round(((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1_000) }
}

const keyOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`
const textOf = (bytes: Buffer | null) => bytes?.toString('utf8') ?? null

class VerifiableConsumer {
  readonly #context: Context
  readonly #cluster: Cluster
  readonly #subscription: SubscribeOptions
  readonly #maxMessages: number
  readonly #lines: Lines
  readonly #verbose: boolean
  readonly #tellsCommits: boolean
  /** After what was consumed of partitions that it owns, and up to where that is committed. */
  readonly #positions = new Map<string, { topic: string; partition: number; offset: bigint; committed: boolean }>()
  #consumed = 0
  /** It has said what it owns since it began, or since it last gave something up. */
  #hasSaid = false

  constructor(context: Context, cluster: Cluster, subscription: SubscribeOptions, maxMessages: number) {
    this.#context = context
    this.#cluster = cluster
    this.#maxMessages = maxMessages
    this.#lines = new Lines(context)
    this.#verbose = context.args.has('verbose')
    this.#subscription = subscription
    this.#tellsCommits = subscription.autoCommitIntervalMs === COMMIT_AT_THE_END_MS
  }

  async run(): Promise<number> {
    const { interrupted, terminal } = this.#context
    if (interrupted.aborted) return this.#context.interruptCode!
    const stop = new AbortController()
    const request = () => {
      this.#lines.print('shutdown_requested')
      stop.abort()
    }
    interrupted.addEventListener('abort', request)
    terminal.out.whenBroken(() => stop.abort())
    this.#lines.print('startup_complete')
    let failure: unknown
    try {
      await this.#consume(this.#cluster.subscribe({ ...this.#subscription, signal: stop.signal }))
    } catch (error) {
      failure = error
    }
    interrupted.removeEventListener('abort', request)
    this.#lines.print('shutdown_complete')
    await this.#lines.flush()
    if (failure !== undefined) terminal.say(errorText(failure))
    return failure === undefined ? (this.#context.interruptCode ?? EXIT.ok) : EXIT.failed
  }

  async #consume(consumer: Consumer): Promise<void> {
    this.#context.tellEvents(listener => consumer.on('*', listener))
    consumer.on('*', event => this.#heard(event))
    if (this.#maxMessages > 0)
      for await (const batch of consumer.batches()) {
        const taken = batch.messages.slice(0, this.#maxMessages - this.#consumed)
        this.#tell(batch.topic, batch.partition, taken)
        // What is committed must have been told, also if this is the last thing that it does.
        await this.#lines.flush()
        batch.ack(taken.at(-1))
        if (this.#tellsCommits) await this.#commit(consumer)
        if (this.#consumed >= this.#maxMessages || this.#context.terminal.out.broken) break
      }
    await consumer.close()
  }

  #tell(topic: string, partition: number, messages: readonly Message[]): void {
    const count = messages.length
    const [minOffset, maxOffset] = [messages[0]!.offset, messages[count - 1]!.offset]
    if (this.#verbose)
      for (const { key, value, offset } of messages)
        this.#lines.print('record_data', { key: textOf(key), value: textOf(value), topic, partition, offset })
    this.#lines.print('records_consumed', { count, partitions: [{ topic, partition, count, minOffset, maxOffset }] })
    this.#consumed += count
    this.#positions.set(keyOf({ topic, partition }), { topic, partition, offset: maxOffset + 1n, committed: false })
  }

  async #commit(consumer: Consumer): Promise<void> {
    try {
      await consumer.commit()
    } catch (error) {
      // Those that went through were told by their event.
      const failed = [...this.#positions.values()].filter(({ committed }) => !committed)
      const offsets = failed.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
      this.#lines.print('offsets_committed', { offsets, error: (error as Error).message, success: false })
    }
  }

  #heard(event: ConsumerEmitted): void {
    if (event.type === 'partition.assigned') this.#assigned(event.partitions)
    else if (event.type === 'partition.revoked' || event.type === 'partition.lost') this.#gone(event.partitions)
    else if (event.type === 'committed') this.#committed(event.offsets)
    else if (event.type === 'member.state' && ['steady', 'owning', 'surplus'].includes(event.state) && !this.#hasSaid) this.#assigned([])
  }

  #assigned(partitions: readonly { topic: string; partition: number }[]): void {
    this.#hasSaid = true
    this.#lines.print('partitions_assigned', { partitions: partitions.map(({ topic, partition }) => ({ topic, partition })) })
  }

  #gone(partitions: readonly { topic: string; partition: number }[]): void {
    this.#hasSaid = false
    for (const each of partitions) this.#positions.delete(keyOf(each))
    this.#lines.print('partitions_revoked', { partitions: partitions.map(({ topic, partition }) => ({ topic, partition })) })
  }

  #committed(committed: readonly { topic: string; partition: number; offset: string }[]): void {
    const offsets = []
    for (const { topic, partition, offset } of committed) {
      const position = this.#positions.get(keyOf({ topic, partition }))
      // Where it begins is committed, too; Java's tool speaks of what it has consumed.
      if (!position) continue
      offsets.push({ topic, partition, offset: BigInt(offset) })
      position.committed = position.offset === BigInt(offset)
    }
    if (this.#tellsCommits && offsets.length > 0) this.#lines.print('offsets_committed', { offsets, success: true })
  }
}
