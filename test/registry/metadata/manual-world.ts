/** A World whose clock only moves when told, for what needs timers alone; and Metadata responses in a few words. */
import type { Timer, World } from '../../../src/model/world.ts'
import type { MetadataResponse } from '../../../src/registry/metadata/levels.ts'

export class ManualWorld {
  #now = 1_000
  #timers: { at: number; callback: () => void }[] = []
  /** What `random` gives. 0.5: no jitter. */
  chance = 0.5

  readonly world = {
    now: () => this.#now,
    monotonicMs: () => this.#now,
    random: () => this.chance,
    setTimer: (callback: () => void, delayMs: number) => {
      const timer = { at: this.#now + delayMs, callback }
      this.#timers.push(timer)
      return timer
    },
    clearTimer: (timer: Timer) => {
      this.#timers = this.#timers.filter(other => other !== timer)
    },
    defer: (callback: () => void) => void this.#timers.push({ at: this.#now, callback })
  } as unknown as World

  get timers(): number {
    return this.#timers.length
  }

  get nowMs(): number {
    return this.#now
  }

  /** Runs every timer of the next `ms` in order, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      await settled()
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#now = Math.max(this.#now, next.at)
      this.#timers = this.#timers.filter(timer => timer !== next)
      next.callback()
    }
    this.#now = until
    await settled()
  }
}

const settled = () => new Promise(resolve => setImmediate(resolve))

type Topic = MetadataResponse['topics'][number]
type Partition = Topic['partitions'][number]

export const broker = (nodeId: number, more: Partial<MetadataResponse['brokers'][number]> = {}) => ({
  nodeId,
  host: `host${nodeId}`,
  port: 9092,
  rack: null,
  ...more
})

export const partition = (partitionIndex: number, leaderId: number, more: Partial<Partition> = {}): Partition => ({
  errorCode: 0,
  partitionIndex,
  leaderId,
  leaderEpoch: 3,
  replicaNodes: [1, 2],
  isrNodes: [1],
  offlineReplicas: [],
  ...more
})

export const topic = (name: string | null, partitions: Partition[], more: Partial<Topic> = {}): Topic => ({
  errorCode: 0,
  name,
  topicId: 'uKL0dQXkRR2SsSTNmwGNHg',
  isInternal: false,
  partitions,
  topicAuthorizedOperations: 0,
  ...more
})

export const metadata = (topics: Topic[] = [], more: Partial<MetadataResponse> = {}): MetadataResponse => ({
  throttleTimeMs: 0,
  brokers: [broker(1), broker(2)],
  clusterId: 'cluster-a',
  controllerId: 1,
  topics,
  clusterAuthorizedOperations: 0,
  errorCode: 0,
  ...more
})
