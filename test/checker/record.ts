/**
 * Running clients as a history: `const history = new History(); history.watchConsumer(consumer, 'c1'); …; assertHistory(history, { mode })`.
 * Members in other processes and Java's verifiable tools go in as well. Everything is dated when it happens, and sorted before it is checked.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Consumer,
  type ConsumerEmitted,
  type ConsumerHandle,
  type Message,
  type OutgoingMessage,
  PublishError,
  type RecordMetadata,
  type Topic
} from '../../src/index.ts'
import type { MemberEvent, MemberView } from '../support/group-member.ts'
import { type CheckOptions, check, type Report } from './checker.ts'
import type { Entry, Named, Operation, Outcome, Step } from './operation.ts'
import { Verifiable, type VerifiableOptions } from './verifiable.ts'

/** Between the clocks of processes of one machine, and for those that tell whole milliseconds. */
const FOREIGN_SKEW_MS = 5

export interface WatchOptions {
  /** Default the consumer's own. Null: it is no member, whatever name its offsets are committed under (manual assignment). */
  group?: string | null
  /** Does the group begin with the first message there is? Default earliest: it must read everything. */
  from?: 'earliest' | 'latest'
  /** The unique text of a message. Default its value. */
  textOf?: (message: Message) => string | null
}

interface Place {
  topic: string
  partition: number
}

const keyOf = ({ topic, partition }: Place) => `${topic}/${partition}`
const nowMs = () => performance.timeOrigin + performance.now()
const valueText = ({ value }: Message) => (value === null ? null : value.toString('utf8'))
let written = 0

export class History {
  readonly operations: Operation[] = []
  #now: () => number
  #foreign = false
  /** By process and key: where its last batch began. */
  #begins = new Map<string, number>()

  /** `now`: another clock than this machine's, in ms. */
  constructor(now: () => number = nowMs) {
    this.#now = now
  }

  /** Adds an operation of now, or of `atMs`. */
  record(process: string, type: Outcome, f: Named, value?: unknown, atMs = this.#now()): void {
    this.operations.push({ index: this.operations.length, time: atMs, process, type, f, value } as Operation)
  }

  /** Publishes and records what came of it. Rejects as the topic does. Texts of values must be unique in the history. */
  async publish(
    topic: Topic,
    messages: OutgoingMessage | readonly OutgoingMessage[],
    process: string,
    textOf: (message: OutgoingMessage) => string = outgoingText
  ): Promise<RecordMetadata> {
    return this.#send(topic, messages, process, textOf, () => topic.publish(messages))
  }

  /** With an outbox: accepted counts as written. `isDead`: the process was killed before it could hear what comes now. */
  async accept(
    topic: Topic,
    messages: OutgoingMessage | readonly OutgoingMessage[],
    process: string,
    isDead: () => boolean
  ): Promise<void> {
    await this.#send(topic, messages, process, outgoingText, async () => {
      try {
        await topic.publish(messages, { until: 'accepted' })
      } catch (error) {
        throw isDead() ? new PublishError('KILLED', 'The process was killed.', 'unknown') : error
      }
      if (isDead()) throw new PublishError('KILLED', 'The process was killed.', 'unknown')
      return { topic: topic.name, partition: -1, offset: null }
    })
  }

  async #send<T extends { topic: string; partition: number; offset: bigint | null }>(
    topic: Topic,
    messages: OutgoingMessage | readonly OutgoingMessage[],
    process: string,
    textOf: (message: OutgoingMessage) => string,
    send: () => Promise<T>
  ): Promise<T> {
    const list = Array.isArray(messages) ? (messages as readonly OutgoingMessage[]) : [messages as OutgoingMessage]
    // Of a list only the place of the first is told; the others may be in later batches.
    const steps = (key: string, offset: number | null): Step[] =>
      list.map((message, at) => ['send', key, [at === 0 ? offset : null, textOf(message)]])
    this.record(process, 'invoke', 'send', steps(topic.name, null))
    try {
      const metadata = await send()
      if (metadata.offset === null) {
        this.record(process, 'ok', 'send', steps(topic.name, null))
        return metadata
      }
      const offset = Number(metadata.offset)
      // Without an offset there is no promise (acks none).
      this.record(process, offset < 0 ? 'info' : 'ok', 'send', steps(keyOf(metadata), offset < 0 ? null : offset))
      return metadata
    } catch (error) {
      this.record(process, (error as { outcome?: unknown }).outcome === 'unknown' ? 'info' : 'fail', 'send', steps(topic.name, null))
      throw error
    }
  }

  /**
   * Records what a consumer emits: deliveries to listeners, assignments, commits, its end. One that is iterated over hands nothing to listeners:
   * tell its messages by `delivered`. Returns what ends the watch.
   */
  watchConsumer(consumer: Consumer | ConsumerHandle, process: string, options: WatchOptions = {}): () => void {
    const begin = (group: string | null | undefined) => this.#subscribe(process, group, options)
    // Before anything that it emits.
    if (options.group !== undefined) begin(options.group)
    else if ('handle' in consumer)
      consumer.handle.then(
        ({ group }) => begin(group),
        () => {}
      )
    else begin(consumer.group)
    const manual = options.group === null
    return consumer.on('*', (event: ConsumerEmitted) => this.#emitted(process, event, this.#now(), manual, options.textOf))
  }

  /** The same of a member of `test/support/group-member.ts`, in this process or another; what it has told so far included. */
  watchMember(member: MemberView, process: string, options: WatchOptions = {}): void {
    this.#foreign = true
    const { group, ...rest } = options
    const past = member.events.all
    this.#subscribe(process, group, rest, past[0]?.atMs)
    const take = member.take
    const recorded = (event: MemberEvent) => this.#memberTold(process, event, group === null)
    for (const event of past) recorded(event)
    member.take = event => {
      recorded(event)
      take.call(member, event)
    }
  }

  /** Takes the lines of a VerifiableProducer or VerifiableConsumer as they are printed, with their own time. */
  watchVerifiable(process: string, options: VerifiableOptions = {}): (line: string) => void {
    this.#foreign = true
    const verifiable = new Verifiable(process, options)
    return line => this.operations.push(...verifiable.line(line))
  }

  /** Messages that a loop was given. */
  delivered(
    process: string,
    messages: Iterable<Message>,
    options: { textOf?: WatchOptions['textOf'] | undefined; atMs?: number } = {}
  ): void {
    const reads: Record<string, Entry[]> = {}
    for (const message of messages) {
      const key = keyOf(message)
      reads[key] ??= []
      reads[key].push([Number(message.offset), (options.textOf ?? valueText)(message)])
    }
    for (const [key, [first]] of Object.entries(reads)) this.#begins.set(`${process}\u0000${key}`, first![0]!)
    this.record(process, 'ok', 'poll', [['poll', reads]], options.atMs)
  }

  /** This message, and those before it in its partition, are processed. With it, commits are held against what is processed. */
  processed(process: string, message: Message): void {
    this.record(process, 'ok', 'ack', { offsets: { [keyOf(message)]: Number(message.offset) + 1 } })
  }

  /** The process was killed: what it owned it can no longer act upon. */
  crash(process: string): void {
    this.record(process, 'info', 'crash')
  }

  /** Something is done to the system while `body` runs. */
  async fault<T>(name: string, body: () => Promise<T> | T): Promise<T> {
    this.record('nemesis', 'info', 'fault', { name, phase: 'begin' })
    try {
      return await body()
    } finally {
      this.record('nemesis', 'info', 'fault', { name, phase: 'end' })
    }
  }

  check(options: CheckOptions = {}): Report {
    return check(this.sorted(), { skewMs: this.#foreign ? FOREIGN_SKEW_MS : 0, ...options })
  }

  /** In the order of time, numbered anew. */
  sorted(): Operation[] {
    return [...this.operations].sort((a, b) => a.time - b.time).map((operation, index) => ({ ...operation, index }))
  }

  /** As NDJSON, for `main.ts`. */
  write(path: string): void {
    writeFileSync(
      path,
      this.sorted()
        .map(operation => `${JSON.stringify(operation)}\n`)
        .join('')
    )
  }

  #subscribe(process: string, group: string | null | undefined, { from }: WatchOptions, atMs?: number): void {
    const value = { ...(group === undefined || group === null ? {} : { group }), ...(from === undefined ? {} : { from }) }
    this.record(process, 'ok', 'subscribe', value, atMs)
  }

  #memberTold(process: string, event: MemberEvent, manual: boolean): void {
    const atMs = event.atMs ?? nowMs()
    if (event.type === 'told') return this.#emitted(process, event.event, atMs, manual)
    if (event.type !== 'record') return
    const { offset, value } = event.record
    this.record(process, 'ok', 'poll', [['poll', { [keyOf(event.record)]: [[offset, value]] }]], atMs)
  }

  #emitted(process: string, event: ConsumerEmitted, atMs: number, manual: boolean, textOf?: WatchOptions['textOf'] | undefined): void {
    switch (event.type) {
      case 'message.batch':
        return this.delivered(process, event.messages, { textOf, atMs })
      case 'partition.assigned': {
        const partitions = event.partitions.map(keyOf)
        return this.record(process, 'ok', manual ? 'assign' : 'assigned', manual ? partitions : { partitions, epoch: event.epoch }, atMs)
      }
      case 'partition.revoked':
      case 'partition.lost': {
        const f = event.type === 'partition.lost' ? 'lost' : 'revoked'
        return manual ? undefined : this.record(process, 'ok', f, { partitions: event.partitions.map(keyOf), epoch: event.epoch }, atMs)
      }
      case 'partition.position':
        // It was moved on purpose, or reset: no jump of its own.
        if (event.why !== 'committed' && event.why !== 'carried')
          this.record(process, 'ok', 'seek', { offsets: { [keyOf(event)]: Number(event.offset) }, exact: true }, atMs)
        return
      case 'handler.failed': {
        const began = this.#begins.get(`${process}\u0000${keyOf(event)}`)
        // What was acked of it does not come again.
        if (event.policy === 'retry' && began !== undefined)
          this.record(process, 'ok', 'seek', { offsets: { [keyOf(event)]: began } }, atMs)
        return
      }
      case 'committed': {
        const offsets = Object.fromEntries(event.offsets.map(each => [keyOf(each), Number(each.offset)]))
        return this.record(process, 'ok', 'commit', { offsets }, atMs)
      }
      case 'closed':
        return this.record(process, 'ok', 'close', undefined, atMs)
    }
  }
}

function outgoingText(message: OutgoingMessage): string {
  const value = typeof message === 'object' && 'value' in message ? message.value : message
  assert.ok(value !== null, 'a message without a value cannot be told from another: give textOf')
  return typeof value === 'string' ? value : Buffer.from(value).toString('utf8')
}

/** Throws with the anomalies in words, and keeps the history in a file for `main.ts`. */
export function assertHistory(history: History, options: CheckOptions = {}): Report {
  const report = history.check(options)
  if (report.valid === true) return report
  const path = join(tmpdir(), `samsa-history-${process.pid}-${++written}.ndjson`)
  history.write(path)
  const found = report.anomalies.slice(0, 10).map(({ anomaly, what }) => `${anomaly}: ${what}`)
  const why = report.valid === 'unknown' ? [`the run proves nothing: ${report.summary.missing.join(', ')}`] : found
  throw new assert.AssertionError({ message: [...why, JSON.stringify(report.summary), `the history is in ${path}`].join('\n') })
}
