/**
 * The promise face of a topic: publish, subscribe, look at its partitions.
 */
import { createTopic } from '../actors/admin.ts'
import type { Instance } from '../actors/instance.ts'
import { useTopic } from '../actors/topics.ts'
import { type PublishError, SamsaError, TimeoutError, UsageError } from '../model/errors.ts'
import type { SubscribeOptions } from '../model/events.ts'
import type { AcceptedPublish, OutgoingMessage, RecordMetadata } from '../model/message.ts'
import type { Cluster } from './cluster.ts'
import type { Consumer } from './consumer.ts'
import { Promised, PromisedAccepted } from './promised.ts'

export interface Partition {
  readonly number: number
  /** Broker id, or null: none at the moment. */
  readonly leader: number | null
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
}

export const closedError = () => new SamsaError('CLUSTER_CLOSED', 'The cluster is closed.')

/** A topic of a cluster, by name. */
export class Topic {
  readonly name: string
  #cluster: Cluster
  #instance: Instance

  /** Made by `cluster.topic(name)`. */
  constructor(name: string, cluster: Cluster, instance: Instance) {
    this.name = name
    this.#cluster = cluster
    this.#instance = instance
  }

  /** Its partitions as last heard; empty until the topic is in use (`describe` waits for it). */
  get partitions(): readonly Partition[] {
    const leaders = new Map((this.#instance.leaderDetails.get(this.name) ?? []).map(leader => [leader.partition, leader]))
    return (this.#instance.topicDetails.get(this.name) ?? []).map(({ partition, replicas }) => {
      const leader = leaders.get(partition)
      return {
        number: partition,
        leader: leader && leader.leader >= 0 ? leader.leader : null,
        leaderEpoch: leader?.leaderEpoch ?? -1,
        replicas,
        inSync: leader?.inSync ?? []
      }
    })
  }

  /**
   * Publishes a message, or a list (one partition, in order). Resolves when every in-sync replica has it (`publish.acks`), to where the
   * first message is. Rejects with PublishError, whose `outcome` is `failed` (certainly not written) or `unknown`, or UsageError.
   * With `until: 'accepted'` (needs `outbox`) it resolves as soon as it is on this machine's disk, from where it is delivered whatever dies, and
   * rejects only where it is not accepted (`OUTBOX_FULL`, `OUTBOX_WRITE_FAILED`).
   */
  publish(messages: OutgoingMessage | readonly OutgoingMessage[], options?: { until?: 'acked' }): Promise<RecordMetadata>
  publish(messages: OutgoingMessage | readonly OutgoingMessage[], options: { until: 'accepted' }): Promise<AcceptedPublish>
  publish(
    messages: OutgoingMessage | readonly OutgoingMessage[],
    { until = 'acked' }: { until?: 'acked' | 'accepted' } = {}
  ): Promise<RecordMetadata | AcceptedPublish> {
    const refusal = until === 'acked' ? undefined : this.#acceptsNot(until)
    if (refusal) return Promise.reject(refusal)
    const promised = until === 'acked' ? new Promised() : new PromisedAccepted(this.name)
    try {
      this.#instance.publisher.publish(this.name, messages, promised)
    } catch (error) {
      promised.failed(error as PublishError)
    }
    return promised.promise
  }

  #acceptsNot(until: unknown): UsageError | undefined {
    if (until !== 'accepted') return new UsageError('INVALID_OPTION', `until is ${String(until)}; it must be acked or accepted.`)
    if (this.#instance.options.outbox !== null) return undefined
    return new UsageError('NO_OUTBOX', "Without an outbox nothing is accepted before it is acked. Connect with `outbox: './directory'`.")
  }

  /** Subscribes to this topic. A string names the group; members of one group share the partitions. */
  subscribe(group?: string | (Omit<SubscribeOptions, 'topic' | 'topics' | 'pattern'> & { signal?: AbortSignal })): Consumer {
    const options = typeof group === 'string' ? { group } : (group ?? {})
    // Partitions that are named say their topic themselves.
    return this.#cluster.subscribe(options.partitions ? options : { topic: this.name, ...options })
  }

  /** Waits until the topic's partitions and leaders are known. Rejects with UsageError UNKNOWN_TOPIC, or TimeoutError. */
  async describe(options: { timeoutMs?: number } = {}): Promise<readonly Partition[]> {
    const { publisher, leaderDetails } = this.#instance
    await this.#wait(options.timeoutMs, 'not described', () => {
      const missing = publisher.planes.get(this.name)?.missing
      if (missing) throw new UsageError('UNKNOWN_TOPIC', missing.message, { details: { topic: this.name } })
      return this.partitions.length > 0 && leaderDetails.has(this.name)
    })
    return this.partitions
  }

  /** Has the topic in use, and waits until `done`, looked at after every report of the registry; what it throws ends the wait. */
  #wait(timeoutMs = this.#instance.options.requestTimeoutMs, what: string, done: () => boolean): Promise<void> {
    const { world, onLevel } = this.#instance
    return new Promise((resolve, reject) => {
      const timer = world.setTimer(
        () => end(() => reject(new TimeoutError('TOPIC_TIMEOUT', `Topic ${this.name} was ${what} within ${timeoutMs} ms.`))),
        timeoutMs
      )
      const end = (finish: () => void) => {
        world.clearTimer(timer)
        onLevel.delete(look)
        finish()
      }
      const look = () => {
        try {
          if (done()) end(resolve)
          else if (this.#instance.closed) end(() => reject(closedError()))
        } catch (error) {
          end(() => reject(error))
        }
      }
      onLevel.add(look)
      useTopic(this.#instance, this.name)
      look()
    })
  }

  /** Creates it with the broker's defaults (one that exists already is as good); resolves when it can be published to. */
  async create(options: { timeoutMs?: number } = {}): Promise<void> {
    await createTopic(this.#instance, this.name)
    // Other brokers hear of it a little later: until the registry does too, it would be said not to exist.
    await this.#wait(options.timeoutMs, 'created, but not seen', () => this.#instance.publisher.planes.get(this.name)?.known ?? false)
  }
}
