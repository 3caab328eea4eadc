/**
 * The fetch loop of one consumer and one broker. All partitions that are read from this broker share one request in flight, on a connection
 * of its own, and one fetch session; partitions without credit, paused or drained are left out; with none left the loop rests until `wake`.
 *
 *   wake ─► collect ─► send ─► answer ─┬─ headers of all partitions ─► send the next ─► check the batches of the last (in slices
 *                                      └─ errors: told, that partition leaves the loop       of time) ─► `onData`
 *
 * An answer that comes while the last one is still being checked waits for it, so damage is found before anything beyond it counts.
 * Fairness: a partition that had data goes behind the others; in a session the broker does just that itself.
 */

import { brokerError } from '../model/error-classes.ts'
import { LimitError, ProtocolError, type SamsaError } from '../model/errors.ts'
import { kafkaError } from '../model/kafka-errors.ts'
import type { Timer, World } from '../model/world.ts'
import { fetchVerdict } from './fetch-errors.ts'
import type { FetchPartition } from './fetch-partition.ts'
import { FETCH_MIN_VERSION, type FetchedPartition, type FetchLimits, type FetchResponse } from './fetch-request.ts'
import { FetchSession, type SessionListener } from './fetch-session.ts'
import type { Link } from './link.ts'

/** The longest that checking goes on without letting timers and sockets have their turn. */
const SLICE_MS = 10
/** A request waits at most this long at the broker while partitions are joining, or while one is left out for lack of credit. */
const SHORT_WAIT_MS = 20
/** How long after a partition has joined others are expected. */
const JOINING_MS = 500

/** Called in the turn of an answer. A partition that is told of has left the loop already (`onData`, `onFetched`: it stays). */
export interface FetcherEvents {
  /** Not fetched: the reason, and whether its leader must be asked for. */
  onFailed(partition: FetchPartition, reason: string, seek: boolean): void
  onOutOfRange(partition: FetchPartition, error: SamsaError): void
  onCorrupt(partition: FetchPartition, error: SamsaError): void
  /** No retry will help. */
  onFinal(partition: FetchPartition, error: SamsaError): void
  /** Messages may be ready, or its position has moved over some that are nobody's. */
  onData(partition: FetchPartition): void
  /** The first good answer after a trouble. */
  onFetched(partition: FetchPartition): void
  /** The leader would rather have it read from this replica, and gives nothing itself as long as the request names our rack (KIP-392). */
  onPreferred(partition: FetchPartition, node: number): void
  /** The log here is not the one that was read (KIP-320). */
  onDiverged(partition: FetchPartition): void
  onSession: SessionListener
}

export interface FetcherOptions {
  world: World
  node: number
  limits: FetchLimits
  requestTimeoutMs: number
  /** A ready link to this node; rejects when there is none in time. */
  acquire: () => Promise<Link>
  /** Another link to this node, if one is ready: the loop's own may be held by a request that waits for data. */
  aside: () => Link | undefined
  events: FetcherEvents
}

export class Fetcher {
  readonly node: number
  #options: FetcherOptions
  #partitions = new Set<FetchPartition>()
  #link: Link | undefined
  #acquiring = false
  #inFlight = false
  #scheduled = false
  #closed = false
  #session: FetchSession
  #joinedMs = Number.NEGATIVE_INFINITY
  #heldUntilMs = 0
  #holdTimer: Timer | undefined
  /** Partitions of the last answer whose batches are not checked yet. */
  #checking: FetchPartition[] = []
  /** An answer that waits for that. */
  #waiting: (() => void) | undefined

  constructor(options: FetcherOptions) {
    this.#options = options
    this.node = options.node
    this.#session = new FetchSession(options.events.onSession)
  }

  get size(): number {
    return this.#partitions.size
  }

  add(partition: FetchPartition): void {
    this.#partitions.add(partition)
    this.#joinedMs = this.#options.world.monotonicMs()
    this.wake()
  }

  /** What is on its way for it does not count any more. */
  remove(partition: FetchPartition): void {
    if (this.#partitions.delete(partition)) partition.generation++
  }

  /** Some partition may want data now. Calls in one turn of the event loop are one. */
  wake(): void {
    if (this.#scheduled || this.#closed || this.#inFlight) return
    this.#scheduled = true
    this.#options.world.defer(() => {
      this.#scheduled = false
      this.#pump()
    })
  }

  /** Ends the session too, without waiting for it: a broker keeps only so many. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#partitions.clear()
    this.#checking = []
    this.#waiting = undefined
    if (this.#holdTimer) this.#options.world.clearTimer(this.#holdTimer)
    const link = this.#options.aside() ?? this.#link
    const farewell = link?.open ? this.#session.farewell() : undefined
    // Whatever becomes of it: a session that nobody uses goes by itself, later.
    if (farewell) link!.send('Fetch', farewell, this.#options.requestTimeoutMs, () => {})
  }

  #pump(): void {
    if (this.#closed || this.#inFlight || this.#acquiring) return
    const wanting: FetchPartition[] = []
    let starved = false
    for (const partition of this.#partitions) {
      if (partition.wants) wanting.push(partition)
      else if (partition.outOfCredit && !partition.paused) starved = true
    }
    if (wanting.length === 0) return
    const link = this.#link
    if (!link?.open) return this.#acquire()
    const { world } = this.#options
    const heldMs = this.#heldUntilMs - world.monotonicMs()
    if (heldMs > 0) return this.#hold(heldMs)
    this.#send(link, wanting, starved)
  }

  #acquire(): void {
    this.#acquiring = true
    this.#options.acquire().then(
      link => {
        this.#acquiring = false
        if (this.#link && this.#link !== link) this.#session.lost('the connection is another one')
        this.#link = link
        this.#pump()
      },
      (error: Error) => {
        this.#acquiring = false
        this.#failAll(error.message, true)
      }
    )
  }

  #hold(forMs: number): void {
    if (this.#holdTimer) return
    this.#holdTimer = this.#options.world.setTimer(() => {
      this.#holdTimer = undefined
      this.#pump()
    }, forMs)
  }

  #send(link: Link, wanting: readonly FetchPartition[], starved: boolean): void {
    const { limits, world, requestTimeoutMs } = this.#options
    const version = link.version('Fetch')
    if (version === undefined || version < FETCH_MIN_VERSION) {
      const error = new ProtocolError(
        'UNSUPPORTED_VERSION',
        `Broker ${this.node} does not offer Fetch from version ${FETCH_MIN_VERSION} on: Kafka 0.11 is the oldest.`
      )
      return this.#finalAll(error)
    }
    const joining = world.monotonicMs() - this.#joinedMs < JOINING_MS
    const maxWaitMs = joining || starved ? Math.min(limits.maxWaitMs, SHORT_WAIT_MS) : limits.maxWaitMs
    const rackId = wanting.every(({ nearby }) => nearby) ? limits.rackId : ''
    const { body, maxVersion } = this.#session.next(wanting, version, { ...limits, maxWaitMs, rackId })
    const timeoutMs = requestTimeoutMs + maxWaitMs
    this.#inFlight = true
    link.send('Fetch', body, maxVersion === undefined ? { timeoutMs } : { timeoutMs, maxVersion }, (error, response) => {
      this.#inFlight = false
      if (this.#closed) return
      if (error) return this.#failAll(error.message, true)
      if (this.#checking.length === 0) return this.#take(response!)
      // One answer at most can wait: the next request is only sent once it is taken.
      this.#inFlight = true
      this.#waiting = () => {
        this.#inFlight = false
        this.#take(response!)
      }
    })
  }

  #take(response: FetchResponse): void {
    if (response.throttleTimeMs > 0) this.#heldUntilMs = this.#options.world.monotonicMs() + response.throttleTimeMs
    if (!this.#session.take(response)) return this.#pump()
    if (response.errorCode !== 0) return this.#failAll(`the broker answered ${kafkaError(response.errorCode).name}`, false)
    const damaged: [FetchPartition, SamsaError][] = []
    this.#session.match(
      response,
      (partition, answer) => {
        if (answer.errorCode !== 0) return this.#refused(partition, answer.errorCode)
        if (answer.divergingEpoch?.epoch >= 0) return this.#diverged(partition)
        if (answer.preferredReadReplica >= 0) this.#options.events.onPreferred(partition, answer.preferredReadReplica)
        const error = this.#accept(partition, answer)
        if (error) damaged.push([partition, error])
      },
      partition => this.#failed(partition, 'the broker left it out of its answer', false)
    )
    this.#pump()
    this.#check(damaged)
  }

  #accept(partition: FetchPartition, answer: FetchedPartition): SamsaError | undefined {
    try {
      if (answer.records && answer.records.length > 0) {
        this.#partitions.delete(partition)
        this.#partitions.add(partition)
        partition.accept(answer.records, this.#options.limits.isolation === 'read_committed' ? answer.abortedTransactions : null)
      }
    } catch (error) {
      return error as SamsaError
    } finally {
      if (partition.hasUnverified) this.#checking.push(partition)
    }
    if (partition.troubled) {
      partition.troubled = false
      this.#options.events.onFetched(partition)
    }
    return undefined
  }

  /** Checks what has come, in slices of time; then headers that could not be read count, and a waiting answer has its turn. */
  #check(damaged: [FetchPartition, SamsaError][]): void {
    const { world } = this.#options
    const untilMs = world.monotonicMs() + SLICE_MS
    let at = 0
    while (at < this.#checking.length) {
      if (this.#checkOne(this.#checking[at]!, untilMs)) at++
      if (this.#closed) return
      if (world.monotonicMs() >= untilMs && at < this.#checking.length) {
        this.#checking.splice(0, at)
        return world.defer(() => this.#closed || this.#check(damaged))
      }
    }
    this.#checking = []
    for (const [partition, error] of damaged) if (this.#partitions.has(partition)) this.#damaged(partition, error)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }

  /** True when nothing of it is left to check. */
  #checkOne(partition: FetchPartition, untilMs: number): boolean {
    const { world, events } = this.#options
    try {
      while (partition.hasUnverified) {
        partition.verifyNext()
        if (world.monotonicMs() >= untilMs) break
      }
    } catch (error) {
      this.#damaged(partition, error as SamsaError)
    }
    if (this.#partitions.has(partition) || !partition.hasUnverified) events.onData(partition)
    return !partition.hasUnverified
  }

  #damaged(partition: FetchPartition, error: SamsaError): void {
    partition.refetch()
    this.#leave(partition)
    if (error instanceof LimitError) this.#options.events.onFinal(partition, error)
    else this.#options.events.onCorrupt(partition, error)
  }

  #refused(partition: FetchPartition, code: number): void {
    const { events } = this.#options
    const verdict = fetchVerdict('Fetch', code)
    if (verdict === 'seek' || verdict === 'retry')
      return this.#failed(partition, `broker ${this.node} answered ${kafkaError(code).name}`, verdict === 'seek')
    this.#leave(partition)
    const { topic, partition: number, fetchOffset } = partition
    const error = brokerError('Fetch', code, `of ${topic}/${number} from offset ${fetchOffset} at broker ${this.node}`)
    if (verdict === 'reset') events.onOutOfRange(partition, error)
    else if (verdict === 'corrupt') events.onCorrupt(partition, error)
    else events.onFinal(partition, error)
  }

  #diverged(partition: FetchPartition): void {
    this.#leave(partition)
    this.#options.events.onDiverged(partition)
  }

  #leave(partition: FetchPartition): void {
    partition.troubled = true
    this.remove(partition)
  }

  #failed(partition: FetchPartition, reason: string, seek: boolean): void {
    if (!this.#partitions.has(partition)) return
    this.#leave(partition)
    this.#options.events.onFailed(partition, reason, seek)
  }

  #failAll(reason: string, seek: boolean): void {
    this.#session.lost(reason)
    this.#link = undefined
    for (const partition of [...this.#partitions]) this.#failed(partition, reason, seek)
  }

  #finalAll(error: SamsaError): void {
    for (const partition of [...this.#partitions]) {
      this.#leave(partition)
      this.#options.events.onFinal(partition, error)
    }
  }
}
