/**
 * The whole publishing side without a network: Publisher, the real partition machine on a virtual clock, and a link whose requests
 * the test answers. `KeptBatch` reads what was sent as a broker would.
 */
import { type Actor, createActor } from 'xstate'
import { Publisher } from '../../src/actors/publisher.ts'
import type { Delivery } from '../../src/flow/batch.ts'
import type { Link } from '../../src/flow/link.ts'
import { partitionMachine, WINDOW_MAX } from '../../src/machines/partition.ts'
import { type PublishOptions, type ResolvedOptions, resolveOptions } from '../../src/model/config.ts'
import { ConnectionError, type PublishError } from '../../src/model/errors.ts'
import type { ClusterEmitted } from '../../src/model/events.ts'
import type { OutgoingMessage } from '../../src/model/message.ts'
import type { RequestOf, ResponseOf } from '../../src/wire/apis.ts'
import { decodeRecords, RecordBatch } from '../../src/wire/records/index.ts'
import { VirtualWorld } from './virtual-world.ts'

type Response = ResponseOf<'Produce'>
export type Done = (error: Error | undefined, response: Response | undefined) => void

/** A batch in a request. */
export interface KeptBatch {
  topic: string
  partition: number
  bytes: Buffer
  producerId: bigint
  epoch: number
  sequence: number
  count: number
  values: string[]
}

export interface Sent {
  link: ScriptedLink
  atMs: number
  acks: number
  batches: KeptBatch[]
  answered: boolean
  done: Done
}

export interface Reply {
  errorCode?: number
  errorMessage?: string | null
  baseOffset?: bigint
  logAppendTimeMs?: bigint
}

/** One connection to a broker that answers what and when the test says. */
export class ScriptedLink implements Link {
  readonly node: number
  readonly purpose = 'data'
  open = true
  produceVersion = 11
  /** Thrown, or told, instead of sending. */
  encodeError: ((batches: KeptBatch[]) => Error | undefined) | undefined
  readonly sent: Sent[] = []
  onSent: ((sent: Sent) => void) | undefined
  #nowMs: () => number

  constructor(node: number, nowMs: () => number) {
    this.node = node
    this.#nowMs = nowMs
  }

  get inFlight(): number {
    return this.sent.filter(sent => !sent.answered).length
  }

  version(): number {
    return this.produceVersion
  }

  request(): Promise<never> {
    return Promise.reject(new Error('not scripted'))
  }

  send(_api: string, body: RequestOf<never>, _limits: unknown, done: (error: Error | undefined, response: never) => void): void {
    if (!this.open) return done(lost(), undefined as never)
    const sent = this.#sent(body as unknown as RequestOf<'Produce'>, done as Done)
    const error = this.encodeError?.(sent.batches)
    if (error) return done(error, undefined as never)
    this.sent.push(sent)
    this.onSent?.(sent)
  }

  sendUnanswered(_api: string, body: RequestOf<never>): boolean {
    if (!this.open) return false
    const sent = this.#sent(body as unknown as RequestOf<'Produce'>, () => {})
    const error = this.encodeError?.(sent.batches)
    if (error) throw error
    this.sent.push({ ...sent, answered: true })
    return true
  }

  /** Every request that waits ends without an answer. */
  cut(): void {
    this.open = false
    for (const sent of this.sent) if (!sent.answered) this.fail(sent)
  }

  fail(sent: Sent): void {
    sent.answered = true
    sent.done(lost(), undefined)
  }

  #sent(body: RequestOf<'Produce'>, done: Done): Sent {
    const batches = body.topicData.flatMap(({ name, partitionData }) =>
      partitionData.map(({ index, records }) => keep(name ?? '', index, records as Buffer))
    )
    return { link: this, atMs: this.#nowMs(), acks: body.acks, batches, answered: false, done }
  }
}

const lost = () => new ConnectionError('CONNECTION_LOST', 'the connection was cut', { retriable: true })

function keep(topic: string, partition: number, records: Buffer): KeptBatch {
  const bytes = Buffer.from(records)
  const batch = new RecordBatch(bytes)
  batch.verify()
  return {
    topic,
    partition,
    bytes,
    producerId: batch.producerId,
    epoch: batch.producerEpoch,
    sequence: batch.baseSequence,
    count: batch.count,
    values: decodeRecords(batch, { topic, partition }, 0n).map(message => String(message.value))
  }
}

/** Answers a request: by partition, or all alike; `null` leaves a partition out. */
export function reply(sent: Sent, by: Reply | ((batch: KeptBatch) => Reply | null) = {}, throttleTimeMs = 0): void {
  sent.answered = true
  const responses = new Map<string, Response['responses'][number]>()
  for (const batch of sent.batches) {
    const answer = typeof by === 'function' ? by(batch) : by
    if (!answer) continue
    const topic = responses.get(batch.topic) ?? ({ name: batch.topic, topicId: '', partitionResponses: [] } as never)
    responses.set(batch.topic, topic)
    topic.partitionResponses.push({
      index: batch.partition,
      errorCode: 0,
      errorMessage: null,
      baseOffset: 0n,
      logAppendTimeMs: -1n,
      ...answer
    } as never)
  }
  sent.done(undefined, { throttleTimeMs, responses: [...responses.values()], nodeEndpoints: [] } as unknown as Response)
}

export interface Outcome {
  values: string[]
  settled: number
  offset?: bigint
  partition?: number
  error?: PublishError
}

export class PublishBench {
  readonly virtual: VirtualWorld
  readonly options: ResolvedOptions
  readonly publisher: Publisher
  readonly events: ClusterEmitted[] = []
  readonly told: { path: string; event: { type: string } & Record<string, unknown> }[] = []
  readonly outcomes: Outcome[] = []
  readonly actors = new Map<string, Actor<typeof partitionMachine>>()
  readonly links = new Map<number, ScriptedLink>()
  /** Every link that ever was. */
  readonly allLinks: ScriptedLink[] = []
  onSent: ((sent: Sent) => void) | undefined
  /** Brokers that take no connection. */
  readonly dead = new Set<number>()
  sought = 0
  nextProducerId = 7n
  #partitionLinks = new Map<string, Link>()

  constructor(publish: PublishOptions = {}, seed = 1) {
    this.virtual = new VirtualWorld({ seed })
    this.options = resolveOptions({ brokers: 'h:1', publish: { lingerMs: 0, ...publish } })
    this.publisher = new Publisher({
      world: this.virtual.world,
      options: this.options,
      emit: event => this.events.push(event),
      tell: (path, event) => this.#tell(path, event as never),
      useTopic: () => {},
      usePartition: (topic, partition) => this.#use(topic, partition)
    })
  }

  /** A topic whose partitions all have this leader. */
  topic(name: string, partitions: number, node = 1): void {
    const numbers = Array.from({ length: partitions }, (_, i) => i)
    this.publisher.setTopic(name, null, numbers, Object.fromEntries(numbers.map(i => [i, { node, leaderEpoch: 1 }])))
  }

  link(node: number): ScriptedLink {
    let link = this.links.get(node)
    if (!link?.open) {
      link = new ScriptedLink(node, () => this.virtual.nowMs)
      link.onSent = sent => this.onSent?.(sent)
      this.links.set(node, link)
      this.allLinks.push(link)
    }
    return link
  }

  get sent(): Sent[] {
    return this.allLinks.flatMap(link => link.sent).sort((a, b) => a.atMs - b.atMs)
  }

  /** Requests that wait for an answer. */
  get waiting(): Sent[] {
    return this.sent.filter(sent => !sent.answered)
  }

  publish(topic: string, messages: OutgoingMessage | readonly OutgoingMessage[]): Outcome {
    const list = Array.isArray(messages) ? messages : [messages]
    const outcome: Outcome = { values: list.map(one => String(typeof one === 'object' && 'value' in one ? one.value : one)), settled: 0 }
    this.outcomes.push(outcome)
    const delivery: Delivery = {
      acked: (_topic, partition, offset) => Object.assign(outcome, { partition, offset, settled: outcome.settled + 1 }),
      failed: error => Object.assign(outcome, { error, settled: outcome.settled + 1 })
    }
    this.publisher.publish(topic, messages, delivery)
    return outcome
  }

  /** What one turn of the event loop publishes goes together; then the machines have acted. */
  go(ms = 0): Promise<void> {
    return this.virtual.advance(ms)
  }

  /** Publishes, lets it be sent, and gives the request. */
  async send(topic: string, message: OutgoingMessage | readonly OutgoingMessage[]): Promise<{ outcome: Outcome; sent: Sent }> {
    const outcome = this.publish(topic, message)
    await this.go()
    return { outcome, sent: this.waiting.at(-1)! }
  }

  /** The first batch on a leader has been acked: from now on five may fly. */
  async widen(topic: string, partition: number): Promise<void> {
    const { sent } = await this.send(topic, { value: 'first', partition })
    reply(sent)
    await this.go()
  }

  leader(topic: string, partition: number, node: number, leaderEpoch: number): void {
    this.actors.get(`topics/${topic}/${partition}`)!.send({ type: 'LEADER', topic, partition, node, leaderEpoch, topicId: null })
  }

  stop(): void {
    for (const actor of this.actors.values()) actor.stop()
    this.publisher.close()
  }

  #tell(path: string, event: { type: string } & Record<string, unknown>): void {
    this.told.push({ path, event })
    if (path === 'cluster/identity')
      this.virtual.world.defer(() => this.publisher.identity.give(event.type === 'RENEW' ? ++this.nextProducerId : this.nextProducerId, 0))
    else this.actors.get(path)?.send(event as never)
  }

  #use(topic: string, partition: number): void {
    const path = `topics/${topic}/${partition}`
    if (this.actors.has(path)) return
    const { publisher, options, virtual } = this
    const machine = partitionMachine.provide({
      actions: {
        follow: () => {},
        seek: () => void this.sought++,
        link: ({ self }, { term, node }) => {
          const failed = () => self.send({ type: 'LINK_FAILED', term, reason: 'refused', random: 0.5 })
          if (this.dead.has(node)) return void virtual.world.defer(failed)
          publisher.identity.needed().then(() => {
            this.#partitionLinks.set(path, this.link(node))
            self.send({ type: 'LINKED', term, ...publisher.levels(topic, partition) })
          }, failed)
        },
        drain: ({ self }, { term, window }) => {
          const link = this.#partitionLinks.get(path)!
          if (link.open) publisher.drain(topic, partition, term, window, link)
          else self.send({ type: 'LINK_ENDED', term })
        },
        reroute: (_, { reason }) => publisher.reroute(topic, partition, reason),
        setAvailable: (_, { available }) => publisher.setAvailable(topic, partition, available)
      }
    })
    const { retryBackoffMs, retryBackoffMaxMs, publish } = options
    const input = {
      instance: 'i',
      path,
      topic,
      partition,
      retryBackoffMs,
      retryBackoffMaxMs,
      windowMax: publish.idempotent ? WINDOW_MAX : 1
    }
    const actor = createActor(machine, { input, clock: this.virtual.clock as never })
    this.actors.set(path, actor)
    actor.start()
    const node = publisher.plane(topic).leaderOf(partition)
    if (node !== null) actor.send({ type: 'LEADER', topic, partition, node, leaderEpoch: 1, topicId: null })
  }
}
