/**
 * `samsa verifiable-producer`: increasing numbers to a topic, a JSON line for each that is acked or is not. In place of Kafka's tool of this name in
 * system tests: `startup_complete`, `producer_send_success`, `producer_send_error`, `shutdown_complete`, `tool_data`.
 */
import type { OutgoingRecord, PublishOptions, Topic } from '../../index.ts'
import { wholeNumber } from '../arguments.ts'
import { type Command, type Context, EXIT } from '../command.ts'
import { acksOf } from '../java-properties.ts'
import { JAVA_OPTIONS, Lines, needed, readConfiguration, verifiableUrl } from '../verifiable.ts'
import { Window } from '../window.ts'

/** Published and not settled, at most. */
const WINDOW_MESSAGES = 20_000
const WINDOW_BYTES = 32 * 1024 * 1024
/** So many at a time, then timers and sockets have their turn. */
const TURN_MESSAGES = 64
const INT_MAX = 2 ** 31 - 1

export const verifiableProducer: Command = {
  summary: "publish numbers and print what came of each, as Kafka's tool does",
  usage: '--topic TOPIC [options]',
  takes: [0, 0],
  handlesInterrupt: true,
  options: {
    ...JAVA_OPTIONS,
    'max-messages': { value: 'N', help: 'publish so many; -1 (default): until it is interrupted' },
    throughput: { value: 'N', help: 'at most about so many a second; -1 (default): as fast as it goes' },
    acks: { value: 'ACKS', help: '-1 (default): all in-sync replicas, 1: the leader, 0: none' },
    'repeating-keys': { value: 'N', help: 'keys 0 to N-1, over and over (default: no keys)' },
    'value-prefix': { value: 'N', help: 'values are PREFIX.NUMBER (default: NUMBER)' },
    'message-create-time': { value: 'MS', help: 'the first message is of this time (ms since the epoch; default: now)' },
    'producer.config': { value: 'FILE', help: 'the same as --command-config, as older tools call it' }
  },
  notes: [
    'A JSON line for each message, in the order of answers; producer_send_error also says in "outcome" whether it certainly failed or is unknown.',
    'Ctrl-C and SIGTERM stop publishing, wait for the answers, and print the summary (exit code 130, 143). 1: not every message was acked.'
  ],
  examples: [
    ['samsa verifiable-producer --topic t --max-messages 1000', 'a thousand numbers'],
    ['samsa verifiable-producer --bootstrap-server h:9092 --topic t --throughput 100', 'until it is interrupted']
  ],
  async run(context) {
    const { args } = context
    const settings = settingsOf(context)
    const { properties, settings: java } = await readConfiguration(context, 'producer', ['retries'])
    const acks = args.one('acks')
    const publish: PublishOptions = { ...java.publish, ...(acks === undefined ? {} : { acks: acksOf('acks', acks) }) }
    const cluster = await context.connect({ ...java.cluster, publish }, verifiableUrl(context, properties))
    return new VerifiableProducer(context, cluster.topic(settings.topic), settings).run()
  }
}

type Settings = ReturnType<typeof settingsOf>

function settingsOf(context: Context) {
  const { args } = context
  const number = (name: string, least: number, most = INT_MAX) => {
    const text = args.one(name)
    return text === undefined ? undefined : wholeNumber(name, text, least, most)
  }
  const maxMessages = number('max-messages', -1) ?? -1
  return {
    topic: needed(context, 'topic'),
    maxMessages: maxMessages < 0 ? Number.POSITIVE_INFINITY : maxMessages,
    throughput: number('throughput', -1) ?? -1,
    repeatingKeys: number('repeating-keys', 1),
    valuePrefix: number('value-prefix', -INT_MAX),
    createTimeMs: number('message-create-time', -1, Number.MAX_SAFE_INTEGER) ?? -1
  }
}

class VerifiableProducer {
  readonly #context: Context
  readonly #topic: Topic
  readonly #settings: Settings
  readonly #lines: Lines
  readonly #window = new Window(WINDOW_MESSAGES, WINDOW_BYTES)
  readonly #sinceMs: number
  #sent = 0
  #acked = 0
  #over = false

  constructor(context: Context, topic: Topic, settings: Settings) {
    this.#context = context
    this.#topic = topic
    this.#settings = settings
    this.#lines = new Lines(context)
    this.#sinceMs = context.world.monotonicMs()
  }

  async run(): Promise<number> {
    const { interrupted, terminal } = this.#context
    this.#lines.print('startup_complete')
    while (this.#sent < this.#settings.maxMessages && !interrupted.aborted && !this.#over && !terminal.out.broken) {
      this.#send(this.#sent)
      await this.#pace()
    }
    await this.#window.empty()
    this.#lines.print('shutdown_complete')
    this.#lines.print('tool_data', this.#summary())
    await this.#lines.flush()
    return this.#verdict()
  }

  #send(number: number): void {
    const { repeatingKeys, valuePrefix, createTimeMs } = this.#settings
    const key = repeatingKeys === undefined ? null : String(number % repeatingKeys)
    const value = valuePrefix === undefined ? String(number) : `${valuePrefix}.${number}`
    const record: OutgoingRecord = { key, value }
    if (createTimeMs >= 0) record.timestamp = createTimeMs + Math.round(this.#elapsedMs)
    this.#sent++
    this.#window.enter(value.length)
    this.#topic.publish(record).then(
      ({ topic, partition, offset }) => {
        this.#acked++
        this.#lines.print('producer_send_success', { key, value, offset, topic, partition })
        this.#window.leave(value.length)
      },
      (error: Error & { code?: string; outcome?: string }) => {
        if (error.code === 'CLUSTER_CLOSED') this.#over = true
        const { name: exception, message, outcome = 'failed' } = error
        this.#lines.print('producer_send_error', { topic: this.#topic.name, key, value, exception, message, outcome })
        this.#window.leave(value.length)
      }
    )
  }

  get #elapsedMs(): number {
    return this.#context.world.monotonicMs() - this.#sinceMs
  }

  /** Not faster than asked for, than the answers come, than the output is read. */
  async #pace(): Promise<void> {
    const { throughput } = this.#settings
    const { world } = this.#context
    const aheadMs = throughput < 0 ? 0 : throughput === 0 ? Number.POSITIVE_INFINITY : (this.#sent / throughput) * 1_000 - this.#elapsedMs
    if (aheadMs >= 1) await this.#pause(aheadMs)
    else if (this.#sent % TURN_MESSAGES === 0) await new Promise<void>(resolve => world.defer(resolve))
    await this.#lines.room()
    await this.#window.room()
  }

  /** Ends early when it is interrupted. */
  #pause(pauseMs: number): Promise<void> {
    const { world, interrupted } = this.#context
    if (interrupted.aborted) return Promise.resolve()
    return new Promise(resolve => {
      const timer = pauseMs === Number.POSITIVE_INFINITY ? undefined : world.setTimer(end, pauseMs)
      function end() {
        if (timer) world.clearTimer(timer)
        interrupted.removeEventListener('abort', end)
        resolve()
      }
      interrupted.addEventListener('abort', end)
    })
  }

  #summary(): Record<string, unknown> {
    const avgThroughput = (1_000 * this.#acked) / Math.max(1, this.#elapsedMs)
    return { sent: this.#sent, acked: this.#acked, target_throughput: this.#settings.throughput, avg_throughput: avgThroughput }
  }

  #verdict(): number {
    const { interruptCode } = this.#context
    if (this.#acked < this.#sent) this.#context.terminal.say(`samsa: ${this.#acked} of ${this.#sent} messages were acked`)
    return interruptCode ?? (this.#acked < this.#sent ? EXIT.failed : EXIT.ok)
  }
}
