/**
 * The data plane of one consumer: its partitions' flows, the fetch loops, the delivery, the commits. The machines `consumer` and
 * `consumed-partition` decide, this does; it tells them one event per trouble or end, none per message or good fetch.
 * What a flow reports counts only while that flow is the partition's current one.
 */

import { NO_EPOCH } from '../flow/epoch-trail.ts'
import type { FetchPartition } from '../flow/fetch-partition.ts'
import type { OffsetStore } from '../flow/offset-store.ts'
import type { PositionReason } from '../machines/consumed-partition.ts'
import { type Assigned, keyOf, type Owned } from '../machines/consumer.ts'
import type { Assignor } from '../model/assignor.ts'
import { LimitError, type PlainError, plainError, SamsaError } from '../model/errors.ts'
import type { ConsumerEmitted, TopicPartition } from '../model/events.ts'
import type { OffsetCommit, PartitionLag } from '../model/positions.ts'
import type { ResetPolicy, Subscription } from '../model/subscription.ts'
import { Commits, noGroup } from './consumer-commits.ts'
import { Deliveries } from './consumer-delivery.ts'
import { Fetching, type Stay } from './consumer-fetching.ts'
import { type Claim, Flow } from './consumer-flow.ts'
import { Lag } from './consumer-lag.ts'
import { Listeners } from './consumer-listeners.ts'
import { Positions } from './consumer-positions.ts'
import { Starts } from './consumer-starts.ts'
import type { Instance } from './instance.ts'
import { tell } from './instance.ts'

const alwaysProven = () => Number.POSITIVE_INFINITY

export class ConsumerPlane {
  readonly instance: Instance
  /** The consumer's path. */
  readonly path: string
  readonly subscription: Subscription
  /** Of the SUBSCRIBE that asked for it. */
  readonly requestId: string | number | undefined
  readonly listeners: Listeners
  readonly deliveries: Deliveries
  readonly positions: Positions
  readonly starts: Starts
  /** Resolves when the consumer is closed, with the error that ended it, if one did. */
  readonly closed: Promise<PlainError | undefined>
  ended = false
  endError: PlainError | undefined
  /** `world.monotonicMs()` up to which what is owned is proven to be: a member whose ownership can end unheard sets it. */
  provenUntilMs: () => number = alwaysProven
  /** The user's own, by name. */
  assignors: ReadonlyMap<string, Assignor> = new Map()
  #commits: Commits
  #flows = new Map<string, Flow>()
  #fetching: Fetching
  #lag: Lag
  /** Ids of topics that were told to be made again, by name. */
  #recreated = new Map<string, string>()
  #pausedAll = false
  /** With `pausedAll` those that are not paused, else those that are. */
  #exceptions = new Set<string>()
  #settleClosed: (error: PlainError | undefined) => void = () => {}

  constructor(instance: Instance, path: string, subscription: Subscription, requestId?: string | number) {
    this.instance = instance
    this.path = path
    this.subscription = subscription
    this.requestId = requestId
    const { world, options } = instance
    this.closed = new Promise(resolve => {
      this.#settleClosed = resolve
    })
    this.listeners = new Listeners(type => {
      if (type === 'message.batch') this.deliveries.pump()
      if (type === 'partition.lag') this.#lag.listen()
    })
    const { retryBackoffMs, retryBackoffMaxMs } = options
    this.#commits = new Commits({
      world,
      listeners: this.listeners,
      retryBackoffMs,
      retryBackoffMaxMs,
      flows: this.#flows
    })
    this.starts = new Starts(subscription)
    this.deliveries = new Deliveries({
      world,
      subscription,
      listeners: this.listeners,
      retryBackoffMs: options.retryBackoffMs,
      retryBackoffMaxMs: options.retryBackoffMaxMs,
      flows: () => this.#flows.values(),
      provenUntilMs: () => this.provenUntilMs(),
      onDamaged: (flow, error) => this.#damaged(flow, error),
      onPark: (flow, error) => this.#report(flow, { type: 'PARK', error: plainError(error) }),
      onStop: error => void tell(instance, path, { type: 'HANDLER_STOP', error: plainError(error) } as { type: string }),
      onStuck: ({ topic, partition }, sinceMs) =>
        void tell(instance, `${path}/member`, { type: 'STUCK', topic, partition, sinceMs } as { type: string }),
      onFree: () => void tell(instance, `${path}/member`, { type: 'FREE' })
    })
    this.#fetching = new Fetching({
      instance,
      path,
      subscription,
      listeners: this.listeners,
      report: (flow, event) => this.#report(flow, event),
      onData: flow => this.#arrived(flow)
    })
    const parts = { instance, subscription, listeners: this.listeners, deliveries: this.deliveries, flows: this.#flows }
    this.#lag = new Lag({ ...parts, finder: this.#fetching.finder })
    this.positions = new Positions({ ...parts, store: () => this.#store() })
  }

  /** Where processed offsets go: the member sets it. */
  get offsets(): OffsetStore | undefined {
    return this.#commits.store
  }
  set offsets(store: OffsetStore | undefined) {
    this.#commits.store = store
  }

  /** Its member is gone, another one comes: of another kind perhaps. */
  forgetMember(): void {
    this.#commits.store = undefined
    this.provenUntilMs = alwaysProven
  }

  emit(event: ConsumerEmitted): void {
    this.listeners.emit(event)
  }

  lag(partitions: readonly TopicPartition[] | undefined): Promise<PartitionLag[]> {
    return this.#lag.of(partitions ? partitions.map(entry => this.positions.owned(entry)) : [...this.#flows.values()])
  }

  // ── what the consumer's machine asks for ──

  setDelivery(handOut: boolean, commits: boolean, epoch: number): void {
    this.#commits.allowed = commits
    this.#commits.epoch = epoch
    this.deliveries.setHandOut(handOut)
  }

  /** Makes the flows of these partitions; where each begins comes back. */
  claim(epoch: number, partitions: readonly Assigned[]): Claim[] {
    const { options } = this.instance
    const { partitionCreditBytes, partitionFetchMaxBytes } = this.subscription
    return partitions.map(assigned => {
      const { topic, partition } = assigned
      const flow = new Flow(
        `${this.path}/${topic}/${partition}`,
        epoch,
        {
          topic,
          partition,
          creditBytes: partitionCreditBytes,
          fetchMaxBytes: Math.min(partitionFetchMaxBytes, options.maxFrameBytes),
          growToBytes: options.maxFrameBytes,
          limits: { maxDecompressedBytes: options.maxDecompressedBytes }
        },
        { onSettled: settled => this.#settled(settled) }
      )
      flow.paused = this.isPaused(assigned)
      flow.claim = { topic, partition, paused: flow.paused, ...this.starts.of(assigned) }
      this.#flows.set(keyOf(assigned), flow)
      return flow.claim
    })
  }

  /** See `Commits.processed`. Never rejects: listeners are told. */
  async commitFor(partitions: readonly Owned[] | null, last = false): Promise<void> {
    if (this.offsets) await this.#commits.processed(partitions, last).catch(() => {})
  }

  /** Before these are given back: what is processed is committed; without automatic commits, what the user asked for ends. Never rejects. */
  async lastWord(partitions: readonly Owned[] | null): Promise<void> {
    if (this.subscription.autoCommitIntervalMs === null) await this.#commits.settled()
    else await this.commitFor(partitions, true)
  }

  /** The user's commit: of what was processed, or of these. Rejects when nothing may be committed, and when something was not. */
  async commit(offsets?: OffsetCommit | readonly OffsetCommit[]): Promise<void> {
    this.#store()
    await (offsets === undefined ? this.#commits.processed(null) : this.#commits.these(offsets))
  }

  #store(): OffsetStore {
    if (this.subscription.group === null) throw noGroup()
    if (this.offsets) return this.offsets
    throw new SamsaError('NOT_OWNER', `This consumer is no member of group ${this.subscription.group} at the moment.`, { retriable: true })
  }

  /** Forgets these partitions; returns those that were there. */
  release(partitions: readonly Owned[] | null): TopicPartition[] {
    const keys = partitions ? partitions.map(keyOf) : [...this.#flows.keys()]
    const gone: TopicPartition[] = []
    for (const key of keys) {
      const flow = this.#flows.get(key)
      if (!flow) continue
      gone.push({ topic: flow.topic, partition: flow.partition })
      this.#forget(flow, new SamsaError('REVOKED', `${key} belongs to another member now.`))
    }
    return gone
  }

  #forget(flow: Flow, reason: Error): void {
    this.starts.leave(flow)
    this.#fetching.leave(flow)
    this.deliveries.interruptions++
    flow.abort(reason)
    flow.drop()
    this.#flows.delete(keyOf(flow))
  }

  /** The topic was made again: positions in the old one mean nothing. */
  forgetPositions(topic: string): void {
    this.starts.forget(topic)
  }

  /** A partition's machine has found that its topic is another one. */
  recreated(owned: Owned, oldId: string, newId: string): void {
    const flow = this.#flows.get(keyOf(owned))
    flow?.see({ logStartOffset: -1n, highWatermark: -1n, lastStableOffset: -1n })
    if (flow) flow.recreated = true
    if (this.#recreated.get(owned.topic) === newId) return
    this.#recreated.set(owned.topic, newId)
    this.emit({ type: 'topic.recreated', topic: owned.topic, oldId, newId })
  }

  // ── what a partition's machine asks for ──

  /** `leaderEpoch`: of the message before it; -1: not known. */
  begin({ topic, partition }: Owned, offset: string, why: PositionReason, leaderEpoch: number = NO_EPOCH): void {
    const flow = this.#flows.get(keyOf({ topic, partition }))
    if (!flow) return
    const at = BigInt(offset)
    // The log begins later by now: what is in hand is worked on, and only then is the position there.
    const goesOn = why === 'reset' && flow.ledger && !flow.recreated && at >= flow.handedOut
    if (goesOn) flow.skipTo(at, leaderEpoch)
    else flow.begin(at, why === 'committed' ? at : flow.recreated ? undefined : flow.ledger?.committed, leaderEpoch)
    this.emit({ type: 'partition.position', topic, partition, offset, why })
  }

  locate(owned: Owned, term: number, node: number, leaderEpoch: number, from: ResetPolicy): void {
    const flow = this.#flows.get(keyOf(owned))
    if (flow) this.#fetching.locate(flow, term, node, leaderEpoch, from)
  }

  validate(owned: Owned, term: number, node: number, leaderEpoch: number): void {
    const flow = this.#flows.get(keyOf(owned))
    if (flow) this.#fetching.validate(flow, term, node, leaderEpoch)
  }

  fetch(owned: Owned, stay: Stay): void {
    const flow = this.#flows.get(keyOf(owned))
    if (flow) this.#fetching.join(flow, stay)
  }

  reach(owned: Owned, term: number, node: number): void {
    const flow = this.#flows.get(keyOf(owned))
    if (flow) this.#fetching.reach(flow, term, node)
  }

  stopFetching(owned: Owned): void {
    const flow = this.#flows.get(keyOf(owned))
    if (flow) this.#fetching.leave(flow)
  }

  /** Hands out nothing more of it; says DRAINED as soon as nothing is in hand. */
  drain(owned: Owned, limitMs = 0): void {
    const flow = this.#flows.get(keyOf(owned))
    if (!flow) return
    flow.drainUntilMs = this.instance.world.monotonicMs() + limitMs
    this.deliveries.interruptions++
    flow.stopped = true
    flow.draining = true
    flow.again = undefined
    flow.drop()
    this.#settled(flow)
  }

  /** Its time is over: aborts what is in hand. What was processed until now still counts. */
  abandon(owned: Owned, reason: string): void {
    const flow = this.#flows.get(keyOf(owned))
    if (!flow || flow.inHand.size === 0) return
    const error = new SamsaError('REVOKED', `${keyOf(owned)} is released with work in hand: ${reason}.`)
    flow.ledger?.freeze()
    this.deliveries.interruptions++
    flow.abort(error)
    this.emit({ type: 'trouble', where: flow.path, error: error.toJSON() })
  }

  /** Lost: aborts what is in hand and forgets it. */
  interrupt(owned: Owned, reason: string): void {
    const flow = this.#flows.get(keyOf(owned))
    if (flow) this.#forget(flow, new SamsaError('LOST', `${keyOf(owned)} was lost: ${reason}.`))
  }

  park(owned: Owned, error: PlainError): void {
    const flow = this.#flows.get(keyOf(owned))
    if (!flow) return
    flow.stopped = true
    flow.parked = error
    flow.drop()
    this.emit({ type: 'partition.parked', topic: flow.topic, partition: flow.partition, error })
  }

  /** Why a partition is parked that nobody was told of. */
  get unheardParking(): PlainError | undefined {
    if (this.listeners.has('partition.parked')) return undefined
    for (const { parked } of this.#flows.values()) if (parked) return parked
    return undefined
  }

  // ── pause and resume ──

  isPaused(owned: Owned): boolean {
    return this.#pausedAll !== this.#exceptions.has(keyOf(owned))
  }

  /** Without a list: all, those that come later too, until `resume`. */
  setPaused(paused: boolean, partitions: readonly TopicPartition[] | undefined): void {
    if (!partitions) {
      this.#pausedAll = paused
      this.#exceptions.clear()
    } else
      for (const entry of partitions) {
        if (paused === this.#pausedAll) this.#exceptions.delete(keyOf(entry))
        else this.#exceptions.add(keyOf(entry))
      }
    this.deliveries.interruptions++
    for (const flow of this.#flows.values()) {
      const now = this.isPaused(flow)
      if (flow.paused === now) continue
      flow.paused = now
      this.#report(flow, { type: now ? 'PAUSE' : 'RESUME' })
      if (!now) this.deliveries.offer(flow)
    }
  }

  // ── the end ──

  /** Idempotent. Whatever is still in hand is aborted; who waits for the end learns it. */
  end(error: PlainError | undefined): void {
    if (this.ended) return
    this.ended = true
    this.endError = error
    for (const flow of [...this.#flows.values()]) this.#forget(flow, new SamsaError('CONSUMER_CLOSED', 'The consumer is closed.'))
    this.#commits.stop()
    this.#lag.stop()
    this.deliveries.close()
    this.#fetching.end()
    this.emit({ type: 'closed' })
    this.#settleClosed(error)
  }

  // ── inside ──

  #report(from: FetchPartition, event: Record<string, unknown> & { type: string }): void {
    const flow = from as Flow
    if (this.#flows.get(keyOf(flow)) === flow) tell(this.instance, flow.path, event)
  }

  /** Bytes that passed their checksum and still cannot be decoded. A limit of ours will not be another one at the next try. */
  #damaged(flow: Flow, error: unknown): void {
    flow.refetchAll()
    if (error instanceof SamsaError && !(error instanceof LimitError)) this.#fetching.corrupt(flow, error)
    else this.#report(flow, { type: 'PARK', error: plainError(error) })
  }

  #arrived(flow: Flow): void {
    if (this.#flows.get(keyOf(flow)) !== flow) return
    this.deliveries.offer(flow)
    if (!flow.hasWork && flow.wants) flow.fetcher?.wake()
  }

  /** Credit may have returned; and a draining flow may be through. */
  #settled(flow: Flow): void {
    if (flow.draining) {
      if (flow.inHand.size === 0) this.#report(flow, { type: 'DRAINED' })
    } else if (flow.wants) flow.fetcher?.wake()
  }
}
