/**
 * `samsa consume TOPIC…`: messages to standard output. A message counts as processed, and may be committed, once it was handed to the
 * operating system; the last of `--count` is committed before the command ends.
 */
import type { Cluster, Consumer, Message, SubscribeOptions } from '../../index.ts'
import type { Timer } from '../../model/world.ts'
import { CommandLineError, choice, duration, wholeNumber } from '../arguments.ts'
import { type Command, type Context, EXIT } from '../command.ts'
import { compileFormat, FORMAT_HELP, type Formatter, jsonMessage } from '../format.ts'

/** Written to the output in pieces of about this size. */
const PIECE_BYTES = 256 * 1024

export const consume: Command = {
  summary: 'print the messages of topics',
  usage: 'TOPIC… [options]',
  takes: [1, 100],
  handlesInterrupt: true,
  options: {
    group: { value: 'NAME', short: 'g', help: 'share the partitions with the members of this group, and commit what was printed' },
    'from-beginning': { short: 'b', help: 'begin with the oldest message where nothing is committed (default: with new ones)' },
    count: { value: 'N', short: 'n', help: 'end after so many messages' },
    timeout: { value: 'TIME', help: 'end with exit code 124 when no message came for this long (30s, 500ms, 2m)' },
    format: { value: 'FORMAT', short: 'f', help: "how to print a message (default '%v\\n'); see below" },
    partition: { value: 'N', short: 'p', multiple: true, help: 'only this partition, assigned by hand' },
    offset: { value: 'O', short: 'o', help: 'with --partition: an offset, beginning, end, or -N for the last N' },
    membership: { value: 'KIND', help: 'where members of the group meet: zookeeper or manual (every partition for this one)' },
    committed: { help: 'only messages of committed transactions' }
  },
  notes: [
    'Without --group the command is a group of its own: it gets every message and commits nothing.',
    '--timeout counts from the start, then from the last message. Ctrl-C leaves the group in order (exit code 130); a second one kills.',
    '',
    ...FORMAT_HELP
  ],
  examples: [
    ['samsa consume orders --from-beginning', 'everything, then what comes'],
    ['samsa consume orders --group billing --count 10', 'ten messages, committed'],
    ["samsa consume orders -f '%t/%p@%o %k=%v\\n'", 'with where they are'],
    ['samsa consume orders --json --timeout 5s | jq .value', 'as NDJSON until nothing comes'],
    ['samsa consume orders --partition 2 --offset -10 --count 10', 'the last ten of a partition']
  ],
  async run(context) {
    const { args } = context
    const format = args.one('format')
    if (format !== undefined && context.json) throw new CommandLineError('give --format or --json, not both')
    const print = context.json ? jsonMessage : compileFormat(format ?? '%v\\n')
    const limits = limitsOf(context)
    checkPartitions(context)
    const cluster = await context.connect()
    for (const topic of args.positionals) await cluster.topic(topic).describe()
    const subscription = await subscriptionOf(context, cluster)
    return new Consuming(context, cluster, print, limits).run(subscription)
  }
}

interface Limits {
  count: number
  timeoutMs: number | undefined
}

function limitsOf({ args }: Context): Limits {
  const count = args.one('count')
  const timeout = args.one('timeout')
  return {
    count: count === undefined ? Number.POSITIVE_INFINITY : wholeNumber('count', count, 1),
    timeoutMs: timeout === undefined ? undefined : duration('timeout', timeout)
  }
}

function checkPartitions({ args }: Context): void {
  const offset = args.one('offset')
  if (offset !== undefined && !args.has('partition')) throw new CommandLineError('--offset needs --partition; without it: --from-beginning')
  if (args.has('partition') && args.positionals.length > 1) throw new CommandLineError('--partition takes one topic')
  if (offset !== undefined && !/^(-?\d{1,18}|beginning|end)$/.test(offset))
    throw new CommandLineError(`--offset is "${offset}"; give an offset, beginning, end, or -N for the last N`)
  for (const partition of args.all('partition')) wholeNumber('partition', partition, 0, 2 ** 31 - 1)
}

async function subscriptionOf({ args }: Context, cluster: Cluster): Promise<SubscribeOptions> {
  const group = args.one('group')
  const membership = args.one('membership')
  const common: SubscribeOptions = {
    from: args.has('from-beginning') ? 'earliest' : 'latest',
    isolation: args.has('committed') ? 'read_committed' : 'read_uncommitted',
    ...(group === undefined ? {} : { group }),
    ...(membership === undefined ? {} : { membership: choice<'zookeeper' | 'manual'>('membership', membership, ['zookeeper', 'manual']) })
  }
  const topics = args.positionals
  if (!args.has('partition')) return { ...common, ...(topics.length === 1 ? { topic: topics[0]! } : { topics }) }
  const topic = topics[0]!
  const partitions = args.all('partition').map(Number)
  const there = cluster.topic(topic).partitions.map(({ number }) => number)
  const missing = partitions.find(partition => !there.includes(partition))
  if (missing !== undefined) throw new CommandLineError(`topic ${topic} has no partition ${missing}; it has ${there.length}, from 0`)
  const offsets = await offsetsOf(cluster, topic, partitions, args.one('offset'))
  return { ...common, partitions: partitions.map(partition => ({ topic, partition, ...offsets(partition) })) }
}

async function offsetsOf(
  cluster: Cluster,
  topic: string,
  partitions: number[],
  given: string | undefined
): Promise<(partition: number) => { offset?: bigint }> {
  if (given === undefined) return () => ({})
  if (/^\d/.test(given)) return () => ({ offset: BigInt(given) })
  const first = await cluster.admin.listOffsets(topic, 'earliest', partitions)
  if (given === 'beginning') return partition => ({ offset: first.get(partition)! })
  const end = await cluster.admin.listOffsets(topic, 'latest', partitions)
  const back = given === 'end' ? 0n : -BigInt(given)
  return partition => {
    const offset = end.get(partition)! - back
    return { offset: offset > first.get(partition)! ? offset : first.get(partition)! }
  }
}

class Consuming {
  #context: Context
  #cluster: Cluster
  #print: Formatter
  #limits: Limits
  #consumed = 0
  #stop = new AbortController()
  #timedOut = false
  #timer: Timer | undefined
  #uncommitted: string | undefined

  constructor(context: Context, cluster: Cluster, print: Formatter, limits: Limits) {
    this.#context = context
    this.#cluster = cluster
    this.#print = print
    this.#limits = limits
  }

  async run(subscription: SubscribeOptions): Promise<number> {
    const { interrupted, terminal } = this.#context
    const stop = () => this.#stop.abort()
    if (interrupted.aborted) return this.#context.interruptCode!
    interrupted.addEventListener('abort', stop)
    terminal.out.whenBroken(stop)
    const consumer = this.#cluster.subscribe({ ...subscription, signal: this.#stop.signal })
    this.#listen(consumer)
    this.#arm()
    try {
      for await (const batch of consumer.batches()) {
        const last = await this.#write(batch.messages)
        if (last) batch.ack(last)
        if (this.#consumed >= this.#limits.count || terminal.out.broken) break
        this.#arm()
      }
    } finally {
      this.#disarm()
    }
    await consumer.close()
    return this.#verdict()
  }

  /** Prints, and waits until it is out. Answers with the last message that is. */
  async #write(messages: readonly Message[]): Promise<Message | undefined> {
    const { out } = this.#context.terminal
    this.#disarm()
    let pieces: Buffer[] = []
    let bytes = 0
    let last: Message | undefined
    let written: Message | undefined
    for (const message of messages) {
      if (this.#consumed === this.#limits.count || out.broken) break
      const before = pieces.length
      this.#print(message, pieces)
      for (let i = before; i < pieces.length; i++) bytes += pieces[i]!.length
      this.#consumed++
      last = message
      if (bytes < PIECE_BYTES) continue
      out.write(Buffer.concat(pieces))
      await out.room()
      if (!out.broken) written = last
      pieces = []
      bytes = 0
    }
    out.write(Buffer.concat(pieces))
    await out.flush()
    return out.broken ? written : last
  }

  #listen(consumer: Consumer): void {
    const { note, terminal } = { note: (text: string) => this.#context.note(text), terminal: this.#context.terminal }
    this.#context.tellEvents(listener => consumer.on('*', listener))
    consumer.on('member.surplus', ({ group, partitions, members }) =>
      note(`Group ${group} has more members than partitions (${members} and ${partitions}): this one has nothing to do until one leaves.`)
    )
    consumer.on('commit.failed', ({ error }) => {
      this.#uncommitted = error.message
      if (!this.#context.args.has('events')) terminal.say(`samsa: a commit failed: ${error.message}`)
    })
    consumer.on('committed', () => {
      this.#uncommitted = undefined
    })
  }

  #arm(): void {
    const { timeoutMs } = this.#limits
    this.#disarm()
    if (timeoutMs === undefined) return
    this.#timer = this.#context.world.setTimer(() => {
      this.#timedOut = true
      this.#stop.abort()
    }, timeoutMs)
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#context.world.clearTimer(this.#timer)
    this.#timer = undefined
  }

  #verdict(): number {
    const { count, timeoutMs } = this.#limits
    if (this.#uncommitted !== undefined) {
      this.#context.terminal.say(`samsa: what was printed last is not committed: ${this.#uncommitted}`)
      return EXIT.failed
    }
    if (this.#consumed >= count) return EXIT.ok
    if (this.#context.interruptCode !== undefined) return this.#context.interruptCode
    if (!this.#timedOut) return EXIT.ok
    this.#context.note(`No message for ${timeoutMs! / 1_000} s; ${this.#consumed} printed${Number.isFinite(count) ? ` of ${count}` : ''}.`)
    return EXIT.timeout
  }
}
