/**
 * `samsa consume TOPIC…`: messages to standard output. A message counts as processed, and may be committed, once it was handed to the
 * operating system; the last of `--count` is committed before the command ends.
 */
import type { Cluster, Consumer, Message, SubscribeOptions } from '../../index.ts'
import type { Timer } from '../../model/world.ts'
import { CommandLineError, duration, wholeNumber } from '../arguments.ts'
import { type Command, type Context, EXIT } from '../command.ts'
import { compileFormat, FORMAT_HELP, type Formatter, jsonMessage } from '../format.ts'
import { checkSubscription, SUBSCRIBE_OPTIONS, subscriptionOf } from './consume-options.ts'

/** Written to the output in pieces of about this size. */
const PIECE_BYTES = 256 * 1024

export const consume: Command = {
  summary: 'print the messages of topics',
  usage: 'TOPIC… [options]',
  takes: [1, 100],
  handlesInterrupt: true,
  options: {
    ...SUBSCRIBE_OPTIONS,
    count: { value: 'N', short: 'n', help: 'end after so many messages' },
    timeout: { value: 'TIME', help: 'end with exit code 124 when no message came for this long (30s, 500ms, 2m)' },
    format: { value: 'FORMAT', short: 'f', help: "how to print a message (default '%v\\n'); see below" }
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
    ['samsa consume orders --partition 2 --offset -10 --count 10', 'the last ten of a partition'],
    ['samsa consume orders --from -1h --isolation read_committed', 'the last hour, committed transactions only'],
    ['samsa consume orders -g billing --membership classic --group-instance-id a', 'a static member of a group in Kafka']
  ],
  async run(context) {
    const { args } = context
    const format = args.one('format')
    if (format !== undefined && context.json) throw new CommandLineError('give --format or --json, not both')
    const print = context.json ? jsonMessage : compileFormat(format ?? '%v\\n')
    const limits = limitsOf(context)
    checkSubscription(args)
    const cluster = await context.connect()
    for (const topic of args.positionals) await cluster.topic(topic).describe()
    const subscription = await subscriptionOf(args, cluster)
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
    if (this.#context.args.has('group') && !this.#context.args.has('events'))
      consumer.on('membership.chosen', ({ membership, reason }) => note(`Membership: ${membership} (${reason}).`))
    consumer.on('topic.recreated', ({ topic }) => note(`Topic ${topic} was deleted and made again: the new one is read.`))
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
