/**
 * Where the partitions of one consumer are read from: a fetch loop for each broker, and the questions that go before reading: where to begin,
 * whether what was read is still what is there, and whether a nearer replica can be reached. A partition's machine asks, answers are its events.
 */

import { mustSeek, OffsetFinder } from '../flow/fetch-locate.ts'
import type { FetchPartition } from '../flow/fetch-partition.ts'
import { type EpochEnd, EpochFinder } from '../flow/fetch-validate.ts'
import { Fetcher, type FetcherEvents } from '../flow/fetcher.ts'
import type { Link } from '../flow/link.ts'
import { meaningOfError } from '../model/error-classes.ts'
import { BrokerError, type PlainError, SamsaError } from '../model/errors.ts'
import type { ResetPolicy, Subscription } from '../model/subscription.ts'
import { loadApi } from '../wire/apis.ts'
import type { Flow } from './consumer-flow.ts'
import type { Listeners } from './consumer-listeners.ts'
import type { Instance } from './instance.ts'
import { DATA } from './links.ts'

export interface FetchingOptions {
  instance: Instance
  /** The consumer's path. */
  path: string
  subscription: Subscription
  listeners: Listeners
  /** Tells the machine of this flow, while the flow is the partition's current one. */
  report: (flow: FetchPartition, event: Record<string, unknown> & { type: string }) => void
  /** Messages may be ready. */
  onData: (flow: Flow) => void
}

/** One stay of a partition with one broker. */
export interface Stay {
  term: number
  node: number
  leaderEpoch: number
  topicId: string | null
  /** A leader may name a follower (KIP-392). */
  nearby: boolean
  /** This is one. */
  follower: boolean
}

export class Fetching {
  readonly finder: OffsetFinder
  readonly #options: FetchingOptions
  readonly #epochs: EpochFinder
  readonly #purpose: string
  #fetchers = new Map<number, Fetcher>()
  #ended = false

  constructor(options: FetchingOptions) {
    const { instance, path, subscription } = options
    const { world } = instance
    const { requestTimeoutMs } = instance.options
    this.#options = options
    this.#purpose = `fetch:${path}`
    const acquire = (node: number) => instance.links.acquire(node, DATA, requestTimeoutMs)
    this.finder = new OffsetFinder({ world, isolation: subscription.isolation, requestTimeoutMs, acquire })
    this.#epochs = new EpochFinder(world, acquire)
  }

  /** Answers LOCATED or LOCATE_FAILED. */
  locate(flow: Flow, term: number, node: number, leaderEpoch: number, from: ResetPolicy): void {
    const { report } = this.#options
    this.finder.locate(node, flow.topic, flow.partition, leaderEpoch, from).then(
      found => report(flow, { type: 'LOCATED', term, offset: String(found.offset), leaderEpoch: found.leaderEpoch }),
      (error: Error) => report(flow, { type: 'LOCATE_FAILED', term, ...this.#failure(error) })
    )
  }

  /** Answers VALIDATED, TRUNCATED or VALIDATE_FAILED. Where no epoch is known there is nothing to be compared. */
  validate(flow: Flow, term: number, node: number, leaderEpoch: number): void {
    const { report } = this.#options
    const { ledger, lastEpoch } = flow
    flow.term = term
    if (lastEpoch < 0 || leaderEpoch < 0) return report(flow, { type: 'VALIDATED', term })
    this.#epochs.find(node, flow.topic, flow.partition, leaderEpoch, lastEpoch).then(
      // Sought elsewhere, or asked of another leader meanwhile: it was about what is not there any more.
      end => flow.term === term && flow.ledger === ledger && this.#compare(flow, term, end),
      (error: Error) => report(flow, { type: 'VALIDATE_FAILED', term, ...this.#failure(error) })
    )
  }

  #compare(flow: Flow, term: number, end: EpochEnd | undefined): void {
    const { report, listeners } = this.#options
    if (!end) return report(flow, { type: 'VALIDATED', term })
    const position = String(flow.handedOut)
    const known = end.epoch >= 0 && end.endOffset >= 0n
    if (!known) return report(flow, { type: 'TRUNCATED', term, position, divergentOffset: null, offset: null, leaderEpoch: -1 })
    const parting = flow.compare(end.epoch, end.endOffset)
    if (parting === undefined) return report(flow, { type: 'VALIDATED', term })
    const divergentOffset = String(parting)
    if (parting >= flow.handedOut) {
      const { topic, partition } = flow
      // Only what nobody has seen is concerned: it is read again.
      listeners.emit({ type: 'partition.truncated', topic, partition, position, divergentOffset })
      return report(flow, { type: 'VALIDATED', term })
    }
    // What is in somebody's hand and not processed comes again.
    const processed = flow.ledger!.position
    const back = processed < parting
    const offset = back ? processed : parting
    const leaderEpoch = back ? (flow.epochAt(processed) ?? -1) : end.epoch
    report(flow, { type: 'TRUNCATED', term, position, divergentOffset, offset: String(offset), leaderEpoch })
  }

  /** From now on it is in the loop of this broker, and in no other. */
  join(flow: Flow, { term, node, leaderEpoch, topicId, nearby, follower }: Stay): void {
    if (this.#ended) return
    flow.term = term
    flow.leaderEpoch = leaderEpoch
    flow.topicId = topicId
    flow.nearby = nearby
    flow.fromFollower = follower
    const fetcher = this.#fetcherOf(node)
    if (flow.fetcher !== fetcher) flow.fetcher?.remove(flow)
    flow.fetcher = fetcher
    fetcher.add(flow)
  }

  leave(flow: Flow): void {
    flow.fetcher?.remove(flow)
    flow.fetcher = undefined
  }

  /** Connects to the follower that a leader has named. Answers REACHED or UNREACHED. */
  reach(flow: Flow, term: number, node: number): void {
    const { report } = this.#options
    this.#linkTo(flow.fetcher?.node === node ? undefined : node).then(
      () => report(flow, { type: 'REACHED', term, node }),
      (error: Error) => report(flow, { type: 'UNREACHED', term, reason: error.message })
    )
  }

  corrupt(flow: FetchPartition, error: SamsaError): void {
    const { instance, report } = this.#options
    report(flow, { type: 'CORRUPT', term: flow.term, error: error.toJSON(), random: instance.world.random() })
  }

  end(): void {
    this.#ended = true
    for (const [node, fetcher] of this.#fetchers) {
      fetcher.close()
      this.#options.instance.links.release(node, this.#purpose)
    }
    this.#fetchers.clear()
  }

  #failure(error: Error): { reason: string; seek: boolean; random: number; final?: PlainError } {
    const final = error instanceof BrokerError && meaningOfError(error)?.class === 'fatal' ? { final: error.toJSON() } : {}
    return { reason: error.message, seek: mustSeek(error), random: this.#options.instance.world.random(), ...final }
  }

  /** The loop of a node is listed with the first wish for its link, so that it is released at the end. */
  async #linkTo(node: number | undefined): Promise<Link> {
    if (node === undefined) throw new SamsaError('NOT_A_FOLLOWER', 'The leader has named itself.')
    if (this.#ended) throw new SamsaError('CONSUMER_CLOSED', 'The consumer is closed.')
    this.#fetcherOf(node)
    const { links, options } = this.#options.instance
    return links.acquire(node, this.#purpose, options.requestTimeoutMs)
  }

  #fetcherOf(node: number): Fetcher {
    let fetcher = this.#fetchers.get(node)
    if (fetcher) return fetcher
    const { instance, subscription } = this.#options
    const { world, options, links } = instance
    const { fetchMinBytes, fetchMaxBytes, fetchMaxWaitMs, isolation } = subscription
    fetcher = new Fetcher({
      world,
      node,
      limits: {
        minBytes: fetchMinBytes,
        maxBytes: Math.min(fetchMaxBytes, options.maxFrameBytes),
        maxWaitMs: fetchMaxWaitMs,
        isolation,
        rackId: options.rack ?? ''
      },
      requestTimeoutMs: options.requestTimeoutMs,
      acquire: async () => {
        await loadApi('Fetch')
        return links.acquire(node, this.#purpose, options.requestTimeoutMs)
      },
      aside: () => links.get(node, DATA),
      events: this.#eventsOf(node)
    })
    this.#fetchers.set(node, fetcher)
    return fetcher
  }

  #eventsOf(node: number): FetcherEvents {
    const { instance, report, listeners, onData } = this.#options
    const { world } = instance
    return {
      onFailed: (flow, reason, seek) => report(flow, { type: 'FETCH_FAILED', term: flow.term, reason, seek, random: world.random() }),
      onOutOfRange: (flow, error) =>
        report(flow, { type: 'OUT_OF_RANGE', term: flow.term, offset: String(flow.fetchOffset), error: error.toJSON() }),
      onCorrupt: (flow, error) => this.corrupt(flow, error),
      onFinal: (flow, error) => report(flow, { type: 'PARK', error: error.toJSON() }),
      onData: flow => onData(flow as Flow),
      onFetched: flow => report(flow, { type: 'FETCHED', term: flow.term }),
      onPreferred: (flow, preferred) => report(flow, { type: 'PREFERRED', term: flow.term, node: preferred }),
      onDiverged: flow =>
        report(flow, {
          type: 'DIVERGED',
          term: flow.term,
          reason: `broker ${node} has another log than the one that was read`,
          random: world.random()
        }),
      onSession: (state, reason) => listeners.emit({ type: 'fetch.session', broker: node, state, reason })
    }
  }
}
