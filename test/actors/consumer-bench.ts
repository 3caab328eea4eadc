/**
 * A consumer's plane without machines and sockets: a broker that is a list of values per partition, a clock that moves when told,
 * and what the plane tells its machines.
 */

import { PlaneHandle } from '../../src/actors/consumer-handle.ts'
import { ConsumerPlane } from '../../src/actors/consumer-plane.ts'
import { addInstance, type Instance, removeInstance } from '../../src/actors/instance.ts'
import { Consumer } from '../../src/client/consumer.ts'
import type { CommittedOffset, OffsetToCommit } from '../../src/flow/offset-store.ts'
import { keyOf } from '../../src/machines/consumer.ts'
import { resolveOptions } from '../../src/model/config.ts'
import type { ConsumerEmitted, SubscribeOptions } from '../../src/model/events.ts'
import { resolveSubscription } from '../../src/model/subscription.ts'
import type { Timer, World } from '../../src/model/world.ts'
import { loadApi, type RequestOf } from '../../src/wire/apis.ts'
import { batch } from '../support/record-batches.ts'

// An import in the middle of a run takes as long as the machine likes: what a step leads to would be chance.
await Promise.all([loadApi('Fetch'), loadApi('ListOffsets')])

const ID = 'uKL0dQXkRR2SsSTNmwGNHg'

interface Poll {
  body: RequestOf<'Fetch'>
  done: (error: Error | undefined, response: never) => void
}

export class ConsumerBench {
  readonly plane: ConsumerPlane
  readonly handle: PlaneHandle
  readonly emitted: ConsumerEmitted[] = []
  /** Events to machines: `path TYPE`. */
  readonly told: { path: string; event: { type: string } & Record<string, unknown> }[] = []
  readonly committed: OffsetToCommit[][] = []
  refuseCommit: Error | undefined
  /** What `committed` finds, by `topic/partition`. */
  readonly stored = new Map<string, CommittedOffset>()
  refuseFetch: Error | undefined
  nowMs = 1_000
  /** No machine is there yet. */
  deaf = false
  /** Messages at the end of each partition whose transaction is open. */
  openTransaction = 0
  /** How often ends were asked for. */
  asked = 0
  #logs = new Map<number, Buffer[]>()
  #ends = new Map<number, number>()
  #polls: Poll[] = []
  #timers: { at: number; callback: () => void }[] = []
  #instance: Instance

  constructor(options: Partial<SubscribeOptions> = {}) {
    const world = {
      now: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      random: () => 0.5,
      setTimer: (callback: () => void, delayMs: number) => {
        const timer = { at: this.nowMs + delayMs, callback }
        this.#timers.push(timer)
        return timer
      },
      clearTimer: (timer: Timer) => {
        this.#timers = this.#timers.filter(other => other !== timer)
      },
      defer: (callback: () => void) => void setImmediate(callback)
    } as unknown as World
    const link = {
      open: true,
      version: () => 17,
      request: async (_: string, body: RequestOf<'ListOffsets'>) => this.#listOffsets(body),
      send: (_: string, body: RequestOf<'Fetch'>, __: unknown, done: Poll['done']) => {
        this.#polls.push({ body, done })
        setImmediate(() => this.#serve())
      }
    }
    this.#instance = {
      id: `bench-${Math.trunc(performance.now() * 1e6)}`,
      world,
      options: resolveOptions({ brokers: 'h:1' }),
      links: { acquire: async () => link, get: () => undefined, release: () => {} },
      directory: { get: (path: string) => (this.deaf ? undefined : { send: (event: { type: string }) => this.#hear(path, event) }) },
      consumers: new Map(),
      leaderDetails: new Map([['t', [0, 1].map(partition => ({ partition, leader: 1, leaderEpoch: 0, inSync: [1] }))]])
    } as unknown as Instance
    addInstance(this.#instance)
    const subscription = resolveSubscription({ topic: 't', group: 'g', ...options }, false)
    this.plane = new ConsumerPlane(this.#instance, 'consumers/1', subscription)
    this.plane.offsets = {
      commit: async (_, offsets) => {
        if (this.refuseCommit) throw this.refuseCommit
        this.committed.push(offsets.map(({ topicId: _, ...rest }) => rest))
        return [...offsets]
      },
      fetch: async partitions => {
        if (this.refuseFetch) throw this.refuseFetch
        return new Map(partitions.map(keyOf).flatMap(key => (this.stored.has(key) ? [[key, this.stored.get(key)!]] : [])))
      }
    }
    this.plane.listeners.add('*', (event: ConsumerEmitted) => void this.emitted.push(event))
    this.handle = new PlaneHandle(this.plane)
  }

  /** As a machine would: owned, begun at 0, fetched. */
  own(...partitions: number[]): void {
    this.plane.setDelivery(true, true, 1)
    this.plane.claim(
      1,
      partitions.map(partition => ({ topic: 't', partition, offset: '0' }))
    )
    for (const partition of partitions) {
      this.plane.begin({ topic: 't', partition }, '0', 'committed')
      this.plane.fetch({ topic: 't', partition }, { term: 1, node: 1, leaderEpoch: 0, topicId: ID, nearby: true, follower: false })
    }
  }

  consumer(options: { signal?: AbortSignal } = {}): Consumer {
    return new Consumer(Promise.resolve(this.handle), this.#instance.world, options)
  }

  /** Appends messages with their offsets as values, in one batch. */
  append(partition: number, count: number): void {
    const base = this.#ends.get(partition) ?? 0
    const values = Array.from({ length: count }, (_, i) => String(base + i))
    this.appendRaw(partition, batch({ base, values }), base + count)
  }

  appendRaw(partition: number, records: Buffer, end: number): void {
    const log = this.#logs.get(partition) ?? []
    log.push(records)
    this.#logs.set(partition, log)
    this.#ends.set(partition, end)
    this.#serve()
  }

  /** Everything that can happen without the clock happens. */
  async settle(): Promise<void> {
    for (let i = 0; i < 12; i++) await new Promise(resolve => setImmediate(resolve))
  }

  async advance(ms: number): Promise<void> {
    const until = this.nowMs + ms
    for (;;) {
      await this.settle()
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.nowMs = Math.max(this.nowMs, next.at)
      this.#timers = this.#timers.filter(timer => timer !== next)
      next.callback()
    }
    this.nowMs = until
    await this.settle()
  }

  of<T extends ConsumerEmitted['type']>(type: T): Extract<ConsumerEmitted, { type: T }>[] {
    return this.emitted.filter((event): event is Extract<ConsumerEmitted, { type: T }> => event.type === type)
  }

  toldTypes(): string[] {
    return this.told.map(({ event }) => event.type)
  }

  get timers(): number {
    return this.#timers.length
  }

  end(): void {
    this.plane.end(undefined)
    removeInstance(this.#instance.id)
  }

  /** As a machine that has looked it up. */
  begin(partition: number, offset: number): void {
    const owned = { topic: 't', partition }
    this.plane.stopFetching(owned)
    this.plane.begin(owned, String(offset), 'sought')
    this.plane.fetch(owned, { term: 2, node: 1, leaderEpoch: 0, topicId: ID, nearby: true, follower: false })
  }

  /**
   * The machines' part, as far as these tests need it: a drained partition is known by its word, a close drains, commits and ends, a sought offset
   * is begun at.
   */
  #hear(path: string, event: { type: string }): void {
    this.told.push({ path, event: event as never })
    const { offset } = event as { offset?: string | null }
    if (event.type === 'SEEK' && typeof offset === 'string') this.begin(Number(path.slice(path.lastIndexOf('/') + 1)), Number(offset))
    if (path !== 'consumers/1' || event.type !== 'CLOSE') return
    for (const { topic, partition } of this.plane.positions.list()) this.plane.drain({ topic, partition })
    void this.plane.commitFor(null).then(() => this.plane.end(undefined))
  }

  #listOffsets({ topics }: RequestOf<'ListOffsets'>) {
    this.asked++
    const partitions = topics[0]!.partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: 0,
      offset: BigInt(this.#ends.get(partitionIndex) ?? 0)
    }))
    return { topics: [{ name: 't', partitions }] }
  }

  /** The broker's longest wait is over: what is asked for is answered as it is, and everything happens that follows. */
  async answered(): Promise<void> {
    await this.settle()
    this.#serve(true)
    await this.settle()
  }

  #serve(anything = false): void {
    for (const poll of [...this.#polls]) {
      const partitions = poll.body.topics.flatMap(topic =>
        topic.partitions.map(({ partition, fetchOffset, partitionMaxBytes }) => {
          const left = (this.#logs.get(partition) ?? []).filter(
            bytes => bytes.readBigInt64BE(0) + BigInt(bytes.readInt32BE(23)) >= fetchOffset
          )
          // As a broker does: whole batches up to the limit, and one at least.
          let bytes = 0
          const records = Buffer.concat(left.filter((one, index) => (bytes += one.length) <= partitionMaxBytes || index === 0))
          const end = BigInt(this.#ends.get(partition) ?? 0)
          const ends = { highWatermark: end, lastStableOffset: end - BigInt(this.openTransaction), logStartOffset: 0n }
          return { partitionIndex: partition, errorCode: 0, records, abortedTransactions: null, ...ends }
        })
      )
      if (!anything && partitions.every(({ records }) => records.length === 0)) continue
      this.#polls.splice(this.#polls.indexOf(poll), 1)
      poll.done(undefined, { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses: [{ topic: 't', topicId: ID, partitions }] } as never)
    }
  }
}
