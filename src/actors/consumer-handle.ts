/**
 * What a user holds of a running consumer: the typed `on`, pause and resume, commit, close. A thin face of its plane and its machine.
 */
import { SamsaError, UsageError } from '../model/errors.ts'
import type { ConsumerEmitted, ConsumerHandle, TopicPartition } from '../model/events.ts'
import type { CommittedPosition, OffsetCommit, PartitionLag, Position, SeekPosition } from '../model/positions.ts'
import { assignManually } from './consumer-assign.ts'
import type { ConsumerPlane } from './consumer-plane.ts'
import { findInstance, tell } from './instance.ts'

type EventOf<T> = T extends '*' ? ConsumerEmitted : Extract<ConsumerEmitted, { type: T }>

export class PlaneHandle implements ConsumerHandle {
  readonly id: string
  readonly group: string | undefined
  /** For the face with `for await`, which takes batches itself. */
  readonly plane: ConsumerPlane

  constructor(plane: ConsumerPlane) {
    this.plane = plane
    this.id = plane.path
    this.group = plane.subscription.group ?? undefined
  }

  on<T extends ConsumerEmitted['type'] | '*'>(type: T, listener: (event: EventOf<T>) => void | Promise<void>): () => void {
    return this.plane.listeners.add(type, listener as (event: never) => void | Promise<void>)
  }

  pause(partitions?: readonly TopicPartition[]): void {
    this.plane.setPaused(true, partitions)
  }

  resume(partitions?: readonly TopicPartition[]): void {
    this.plane.setPaused(false, partitions)
  }

  isPaused(partition: TopicPartition): boolean {
    return this.plane.isPaused(partition)
  }

  assignment(): TopicPartition[] {
    return this.plane.positions.assignment()
  }

  positions(): Position[] {
    return this.plane.positions.list()
  }

  async committed(partitions?: readonly TopicPartition[]): Promise<CommittedPosition[]> {
    this.#mustBeOpen('nothing can be looked up')
    return this.plane.positions.committed(partitions)
  }

  async lag(partitions?: readonly TopicPartition[]): Promise<PartitionLag[]> {
    this.#mustBeOpen('it has no lag')
    return this.plane.lag(partitions)
  }

  async seek(positions: SeekPosition | readonly SeekPosition[]): Promise<void> {
    this.#mustBeOpen('it goes nowhere')
    await this.plane.positions.seek(positions)
  }

  async commit(offsets?: OffsetCommit | readonly OffsetCommit[]): Promise<void> {
    this.#mustBeOpen('nothing can be committed')
    await this.plane.commit(offsets)
  }

  async assign(partitions: readonly (TopicPartition & { offset?: bigint })[]): Promise<void> {
    this.#mustBeOpen('nothing can be assigned to it')
    await assignManually(this.plane, partitions)
  }

  async close(options: { timeoutMs?: number } = {}): Promise<void> {
    const { plane } = this
    if (!plane.ended) {
      const instance = findInstance(plane.instance.id)
      const told = instance && tell(instance, plane.path, { type: 'CLOSE', ...options } as { type: string })
      if (!told) plane.end(undefined)
    }
    const error = await plane.closed
    if (error) throw new SamsaError(error.code, error.message, { retriable: error.retriable, details: { ...error.details } })
  }

  #mustBeOpen(what: string): void {
    if (this.plane.ended) throw new UsageError('CONSUMER_CLOSED', `The consumer is closed; ${what} any more.`)
  }
}
