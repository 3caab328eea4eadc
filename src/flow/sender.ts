/**
 * Sends the flights of all partitions that one broker leads in as few Produce requests as possible, and hands each answer to its queue.
 * One sender per link; it is as short-lived as that. What several partitions release in one turn goes together.
 */
import type { ResolvedPublishOptions } from '../model/config.ts'
import { UsageError } from '../model/errors.ts'
import type { World } from '../model/world.ts'
import type { RequestOf, ResponseOf } from '../wire/apis.ts'
import type { PublishBatch } from './batch.ts'
import type { Link } from './link.ts'
import type { PartitionQueue } from './partition-queue.ts'

interface Ready {
  queue: PartitionQueue
  batch: PublishBatch
  attempt: number
  topicId: string | null
}

const ACKS = { all: -1, leader: 1, none: 0 } as const
const NO_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA'
/** Produce carries zstd from this version on (KIP-110, Kafka 2.1); an older broker would take it for damage. */
const ZSTD_FROM = 7
/** From this version on Produce names topics by id only (KIP-516). */
const BY_ID = 13

export interface SenderOptions {
  world: World
  link: Link
  publish: ResolvedPublishOptions
  requestTimeoutMs: number
}

export class Sender {
  readonly link: Link
  #options: SenderOptions
  #ready: Ready[] = []
  #scheduled = false
  #heldUntilMs = 0

  constructor(options: SenderOptions) {
    this.link = options.link
    this.#options = options
  }

  /** Takes flights of one partition; they leave at the end of this turn. */
  add(queue: PartitionQueue, batches: readonly PublishBatch[], topicId: string | null): void {
    for (const batch of batches) this.#ready.push({ queue, batch, attempt: batch.attempt, topicId })
    this.#schedule()
  }

  /** The broker asked for a pause (`throttle_time_ms`, KIP-219): nothing is sent until then. */
  hold(throttleMs: number): void {
    this.#heldUntilMs = Math.max(this.#heldUntilMs, this.#options.world.monotonicMs() + throttleMs)
  }

  #schedule(): void {
    if (this.#scheduled || this.#ready.length === 0) return
    this.#scheduled = true
    const wait = this.#heldUntilMs === 0 ? 0 : this.#heldUntilMs - this.#options.world.monotonicMs()
    if (wait > 0) this.#options.world.setTimer(() => this.#flush(), wait)
    else queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    this.#scheduled = false
    if (this.#heldUntilMs > this.#options.world.monotonicMs()) return this.#schedule() // the pause has become longer
    // Given up, or on its way over another connection, while it waited here.
    this.#ready = this.#ready.filter(({ batch, attempt }) => !batch.settled && batch.attempt === attempt)
    this.#refuseZstd()
    const { maxRequestBytes } = this.#options.publish
    while (this.#ready.length > 0) {
      let bytes = 0
      let count = 0
      const seen = new Set<PartitionQueue>()
      // One batch per partition and request, as the protocol has it; the next of the same partition goes in the next request.
      while (count < this.#ready.length) {
        const { queue, batch } = this.#ready[count]!
        bytes += batch.sealed.buffer.length
        if (seen.has(queue) || (count > 0 && bytes > maxRequestBytes)) break
        seen.add(queue)
        count++
      }
      this.#produce(this.#ready.splice(0, count))
    }
  }

  #produce(ready: Ready[]): void {
    const { link, publish, requestTimeoutMs } = { ...this.#options, link: this.link }
    const acks = ACKS[publish.acks]
    const body = this.#body(ready, acks)
    if (acks === 0) {
      let sent: boolean
      try {
        sent = link.sendUnanswered('Produce', body)
      } catch (error) {
        return this.#unfit(ready, error as Error)
      }
      for (const { queue, batch, attempt } of ready)
        if (sent) queue.answered(batch, attempt, { errorCode: 0, errorMessage: null, baseOffset: -1n, logAppendTimeMs: -1 })
        else queue.unsent(batch, attempt, 'the connection had ended')
      return
    }
    // Without the topic's id the version must be one that names topics.
    const byId = (link.version('Produce') ?? 0) >= BY_ID && ready.every(one => one.topicId !== null)
    const limits = byId ? { timeoutMs: requestTimeoutMs } : { timeoutMs: requestTimeoutMs, maxVersion: BY_ID - 1 }
    link.send('Produce', body, limits, (error, response) => {
      // Nothing was written: what one batch has made impossible is no other one's fault.
      if (error instanceof UsageError) this.#unfit(ready, error)
      else if (error) for (const { queue, batch, attempt } of ready) queue.lost(batch, attempt, error.message)
      else this.#answer(ready, response!, byId)
    })
  }

  #refuseZstd(): void {
    const version = this.link.version('Produce')
    if (version === undefined || version >= ZSTD_FROM || this.#options.publish.compression !== 'zstd') return
    const packed = this.#ready.filter(({ batch }) => batch.sealed.compression === 'zstd')
    if (packed.length === 0) return
    this.#ready = this.#ready.filter(({ batch }) => batch.sealed.compression !== 'zstd')
    const what = `Broker ${this.link.node} does not know zstd (Kafka before 2.1). Set publish.compression to gzip, snappy or lz4.`
    for (const { queue, batch, attempt } of packed) queue.unfit(batch, attempt, new UsageError('UNSUPPORTED_COMPRESSION', what))
  }

  /** Together they are no request; each alone shows which one is at fault. */
  #unfit(ready: Ready[], error: Error): void {
    if (ready.length > 1) for (const one of ready) this.#produce([one])
    else for (const { queue, batch, attempt } of ready) queue.unfit(batch, attempt, error)
  }

  #body(ready: Ready[], acks: number): RequestOf<'Produce'> {
    const byTopic = new Map<string, { name: string; topicId: string; partitionData: { index: number; records: Buffer }[] }>()
    for (const { queue, batch, topicId } of ready) {
      let topic = byTopic.get(queue.topic)
      if (!topic) byTopic.set(queue.topic, (topic = { name: queue.topic, topicId: topicId ?? NO_TOPIC_ID, partitionData: [] }))
      topic.partitionData.push({ index: queue.partition, records: batch.sealed.buffer })
    }
    return {
      transactionalId: null,
      acks,
      timeoutMs: this.#options.requestTimeoutMs,
      topicData: [...byTopic.values()]
    } as RequestOf<'Produce'>
  }

  #answer(ready: Ready[], response: ResponseOf<'Produce'>, byId: boolean): void {
    if (response.throttleTimeMs > 0) this.hold(response.throttleTimeMs)
    const unanswered = new Map<string, Ready>()
    for (const one of ready) unanswered.set(keyOf(byId ? one.topicId! : one.queue.topic, one.queue.partition), one)
    for (const topic of response.responses) {
      const name = byId ? topic.topicId : topic.name
      for (const partition of topic.partitionResponses) {
        const key = keyOf(name, partition.index)
        const one = unanswered.get(key)
        if (!one) continue
        unanswered.delete(key)
        one.queue.answered(one.batch, one.attempt, {
          errorCode: partition.errorCode,
          errorMessage: partition.errorMessage ?? null,
          baseOffset: partition.baseOffset,
          logAppendTimeMs: Number(partition.logAppendTimeMs)
        })
      }
    }
    // A broker that leaves a partition out has said nothing: the same batch goes again.
    for (const { queue, batch, attempt } of unanswered.values()) queue.lost(batch, attempt, 'the broker did not answer for this partition')
  }
}

const keyOf = (topic: string, partition: number) => `${partition}/${topic}`
