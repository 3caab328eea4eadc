/**
 * The deadlines of what was published: now and then it looks through the partitions that hold something. What no leader took within
 * `deliveryTimeoutMs` fails; what was sent and not acknowledged is rerouted, ends as unknown, or goes on waiting, as `onUnknown` says.
 */
import type { PublishBatch } from '../flow/batch.ts'
import type { PartitionQueue } from '../flow/partition-queue.ts'
import { pickAvailable } from '../flow/partitioner.ts'
import type { TopicPlane } from '../flow/topic-plane.ts'
import type { ResolvedOptions } from '../model/config.ts'
import { PublishError } from '../model/errors.ts'
import type { Timer, World } from '../model/world.ts'

export interface PublishDeadlinesOptions {
  world: World
  publish: ResolvedOptions['publish']
  /** Sends to an actor of the cluster. */
  tell: (path: string, event: { type: string } & Record<string, unknown>) => void
  plane: (topic: string) => TopicPlane
  settle: (batch: PublishBatch, error: PublishError) => void
  /** There is room in this queue now. */
  feed: (queue: PartitionQueue) => void
  moveTo: (from: PartitionQueue, target: number, batch: PublishBatch, maybeDoubled: boolean, reason: string) => void
}

export class PublishDeadlines {
  #options: PublishDeadlinesOptions
  #active = new Set<PartitionQueue>()
  #timer: Timer | undefined
  #everyMs: number

  constructor(options: PublishDeadlinesOptions) {
    this.#options = options
    this.#everyMs = Math.min(1_000, Math.max(20, options.publish.deliveryTimeoutMs / 20))
  }

  /** Looks after this queue until it is empty. */
  watch(queue: PartitionQueue): void {
    this.#active.add(queue)
    this.#arm()
  }

  /** Looks no more; the queues that held something. */
  close(): PartitionQueue[] {
    const queues = [...this.#active]
    this.#active.clear()
    if (this.#timer !== undefined) this.#options.world.clearTimer(this.#timer)
    this.#timer = undefined
    return queues
  }

  #arm(): void {
    if (this.#timer !== undefined) return
    const { world } = this.#options
    this.#timer = world.setTimer(() => {
      this.#timer = undefined
      this.#expire(world.monotonicMs())
      if (this.#active.size > 0) this.#arm()
    }, this.#everyMs)
  }

  #expire(nowMs: number): void {
    for (const queue of [...this.#active]) {
      if (queue.isEmpty) this.#active.delete(queue)
      else this.#expireQueue(queue, nowMs)
    }
  }

  #expireQueue(queue: PartitionQueue, nowMs: number): void {
    const { publish, settle, feed, tell } = this.#options
    const neverSent = queue.takeExpiredSealed(nowMs)
    const what = `No leader took it within ${publish.deliveryTimeoutMs} ms; it was not written.`
    const details = { topic: queue.topic, partition: queue.partition }
    for (const batch of neverSent) settle(batch, new PublishError('DELIVERY_TIMEOUT', what, 'failed', { details }))
    const overdue = (queue.flights[0]?.deadlineMs ?? Number.POSITIVE_INFINITY) <= nowMs
    const waiting =
      overdue && publish.onUnknown === 'wait' && queue.flights.some(flight => flight.free && (flight.maybeWritten || flight.onWire))
    if (overdue && !waiting) this.#abandon(queue, nowMs)
    if (!overdue && neverSent.length === 0) return
    feed(queue)
    tell(queue.path, { type: 'EXPIRED', waiting, ...queue.levels })
  }

  /** The leader did not come back in time: its flights are rerouted (unkeyed) or end as unknown, those surely refused as failed. */
  #abandon(queue: PartitionQueue, nowMs: number): void {
    const { publish, plane, settle, moveTo } = this.#options
    for (const flight of queue.abandonFlights(nowMs)) {
      const unknown = flight.maybeWritten || flight.onWire
      const target =
        flight.free && !flight.rerouted && publish.onUnknown === 'reroute' && !flight.group
          ? pickAvailable(plane(queue.topic), queue.partition)
          : undefined
      if (target !== undefined) {
        const copy = flight.copyForReroute(nowMs + publish.deliveryTimeoutMs)
        flight.settled = true
        moveTo(queue, target, copy, unknown, 'its leader did not answer before the delivery deadline')
        continue
      }
      const what = unknown
        ? `It was sent and not acknowledged within ${publish.deliveryTimeoutMs} ms: whether it was written cannot be told.`
        : `The broker refused it until its ${publish.deliveryTimeoutMs} ms were over.`
      const details = { topic: queue.topic, partition: queue.partition }
      settle(flight, new PublishError('DELIVERY_TIMEOUT', what, unknown ? 'unknown' : 'failed', { details }))
    }
  }
}
