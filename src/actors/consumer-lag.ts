/**
 * How far a consumer is behind the ends of its partitions: as a value, and as an event while somebody listens for it. A fetch tells the end
 * of what it fetches; of a partition that rests (paused, out of credit, parked) it says nothing, so there the leader is asked.
 */
import type { OffsetFinder } from '../flow/fetch-locate.ts'
import { keyOf } from '../machines/consumer.ts'
import { SamsaError } from '../model/errors.ts'
import type { PartitionLag } from '../model/positions.ts'
import type { Subscription } from '../model/subscription.ts'
import type { Timer } from '../model/world.ts'
import type { Flow } from './consumer-flow.ts'
import type { Listeners } from './consumer-listeners.ts'
import type { Instance } from './instance.ts'

export interface LagOptions {
  instance: Instance
  subscription: Subscription
  listeners: Listeners
  flows: ReadonlyMap<string, Flow>
  finder: OffsetFinder
}

export class Lag {
  readonly #options: LagOptions
  #timer: Timer | undefined
  #looking = false
  #ended = false

  constructor(options: LagOptions) {
    this.#options = options
  }

  /** Of these; those whose position is not known are left out. Rejects when an end is not known and cannot be had. */
  async of(flows: readonly Flow[]): Promise<PartitionLag[]> {
    const located = flows.filter(({ ledger, seeking }) => ledger && !seeking)
    const ends = await Promise.all(located.map(flow => this.#end(flow)))
    return located.map((flow, index) => lagOf(flow, ends[index]!))
  }

  /** Somebody listens for the event. */
  listen(): void {
    const { instance, subscription, listeners } = this.#options
    if (this.#timer || this.#looking || this.#ended || subscription.lagIntervalMs === 0 || !listeners.has('partition.lag')) return
    this.#timer = instance.world.setTimer(() => {
      this.#timer = undefined
      void this.#tell()
    }, subscription.lagIntervalMs)
  }

  stop(): void {
    this.#ended = true
    if (this.#timer) this.#options.instance.world.clearTimer(this.#timer)
    this.#timer = undefined
  }

  async #tell(): Promise<void> {
    const { flows, listeners } = this.#options
    if (this.#ended || !listeners.has('partition.lag')) return
    this.#looking = true
    // An end that cannot be had now: why is told elsewhere (leaders, connections), and the next round comes.
    const found = await Promise.allSettled([...flows.values()].map(flow => this.of([flow])))
    this.#looking = false
    const partitions = found.flatMap(result => (result.status === 'fulfilled' ? result.value : []))
    if (!this.#ended && partitions.length > 0) listeners.emit({ type: 'partition.lag', partitions })
    this.listen()
  }

  async #end(flow: Flow): Promise<bigint> {
    const known = this.#known(flow)
    if (known >= 0n && flow.wants && flow.fetcher) return known
    const { instance, finder } = this.#options
    const { topic, partition } = flow
    const leader = instance.leaderDetails.get(topic)?.find(each => each.partition === partition)
    try {
      if (!leader || leader.leader < 0)
        throw new SamsaError('NO_LEADER', `${keyOf(flow)} has no leader at the moment, so where it ends is not known.`, { retriable: true })
      return await finder.find(leader.leader, topic, partition, -1, { at: 'latest' })
    } catch (error) {
      if (known >= 0n) return known
      throw error
    }
  }

  #known({ highWatermark, lastStableOffset }: Flow): bigint {
    return this.#options.subscription.isolation === 'read_committed' && lastStableOffset >= 0n ? lastStableOffset : highWatermark
  }
}

function lagOf({ topic, partition, ledger }: Flow, end: bigint): PartitionLag {
  const { position } = ledger!
  return { topic, partition, position, end, lag: end > position ? end - position : 0n }
}
