/**
 * Committed offsets in Kafka itself. Without a membership: by the group's name alone, as for partitions assigned by hand. A member of one of
 * Kafka's own groups says who it is and what it owns; then only that is committed, as that member, and a refusal by the group is final
 * unless the group has moved on and the partition is still owned.
 */
import type { Link } from '../flow/link.ts'
import type { CommittedOffset, OffsetStore, OffsetToCommit } from '../flow/offset-store.ts'
import { keyOf, type Owned } from '../machines/consumer.ts'
import { brokerError, meaningOf } from '../model/error-classes.ts'
import { SamsaError } from '../model/errors.ts'
import type { Timer } from '../model/world.ts'
import { Coordinator, remedyOf } from './coordinator.ts'
import type { Instance } from './instance.ts'
import { type CommitAs, commitOffsets, fetchOffsets } from './offset-requests.ts'
import { isAnotherTopic } from './registry-session.ts'

export type { CommitAs } from './offset-requests.ts'

const UNKNOWN_TOPIC_TRIES = 3
const UNKNOWN_TOPIC_ID = 100
/** The group refuses who commits, not what. */
const isRefusal = (code: number) => ['refused', 'waits'].includes(meaningOf('OffsetCommit', code).remedy ?? '')

export interface KafkaOffsetsOptions {
  /** Shared with the member. Default: one of its own, whose retries are told as trouble of the cluster. */
  coordinator?: Coordinator
  /** Offsets that an open transaction may still change are waited for (KIP-447). Default false. */
  stable?: boolean
  /** Of one call, retries included. Default `requestTimeoutMs`. */
  limitMs?: number
  /** Given: commits are a member's, and refused until `become`. Called when the group refused a commit: the member may not know it yet. */
  onRefused?: (error: SamsaError, as: CommitAs) => void
}

type Results = Awaited<ReturnType<OffsetStore['commit']>>

interface Waiter {
  wake: () => void
  timer: Timer
}

export class KafkaOffsets implements OffsetStore {
  readonly #instance: Instance
  readonly #group: string
  readonly #options: KafkaOffsetsOptions
  readonly #coordinator: Coordinator
  #as: CommitAs | undefined
  /** By `topic/partition`: the epoch from which on it is owned without a break. */
  #owned = new Map<string, number>()
  #changing = false
  #waiters = new Set<Waiter>()

  constructor(instance: Instance, group: string, options: KafkaOffsetsOptions = {}) {
    this.#instance = instance
    this.#group = group
    this.#options = options
    this.#coordinator = options.coordinator ?? new Coordinator(instance, group)
  }

  async committed(topic: string, partition: number): Promise<bigint | undefined> {
    return (await this.read([{ topic, partition }])).get(keyOf({ topic, partition }))
  }

  /** Committed next offsets by `topic/partition` (null: of all); one that is not there has none. Rejects with SamsaError. */
  async read(partitions: readonly Owned[] | null): Promise<Map<string, bigint>> {
    const found = await this.fetch(partitions)
    return new Map([...found].map(([key, { offset }]) => [key, offset]))
  }

  /** The same, with the leader epoch and the metadata that were committed along. */
  fetch(partitions: readonly Owned[] | null, limitMs?: number): Promise<Map<string, CommittedOffset>> {
    const { stable = false } = this.#options
    return this.#call(`OffsetFetch of group ${this.#group}`, link => fetchOffsets(link, this.#group, partitions, stable), limitMs)
  }

  /**
   * See OffsetStore. A member's commit goes out as what the member is when it goes out; a partition that was not owned all the time since
   * `epoch` is refused (STALE_EPOCH, NOT_OWNER). Rejects with SamsaError NOT_OWNER, or with the group's refusal.
   */
  async commit(epoch: number, offsets: readonly OffsetToCommit[]): Promise<Results> {
    if (this.#options.onRefused) return this.#commitAsMember(epoch, offsets)
    const codes = await this.#send(null, offsets)
    return offsets.map(offset => this.#result(offset, codes))
  }

  // ── from the member ──

  /** This is what the member is, and owns, from now on: all of it, what stays included. Its epoch never goes back. */
  become(as: CommitAs, owned: readonly Owned[]): void {
    const before = this.#owned
    this.#as = as
    this.#owned = new Map(owned.map(entry => [keyOf(entry), before.get(keyOf(entry)) ?? as.epoch]))
    this.#changing = false
    this.#wake()
  }

  /** The group may move on at any moment (a JoinGroup is under way): a refusal by generation is then no loss, what comes of it is waited for. */
  changing(): void {
    this.#changing = true
  }

  /** Given back: not committed any more. */
  release(partitions: readonly Owned[]): void {
    for (const entry of partitions) this.#owned.delete(keyOf(entry))
  }

  /** The member is none any more: nothing is committed until it becomes one again. */
  lose(): void {
    this.#as = undefined
    this.#owned = new Map()
    this.#changing = false
    this.#wake()
  }

  /** Nothing is tried again any more. */
  stop(): void {
    this.lose()
    this.#coordinator.stop()
  }

  // ── inside ──

  async #commitAsMember(epoch: number, offsets: readonly OffsetToCommit[]): Promise<Results> {
    const { world, options } = this.#instance
    const untilMs = world.monotonicMs() + (this.#options.limitMs ?? options.requestTimeoutMs)
    const refused: Results = []
    let left = offsets
    for (;;) {
      const as = this.#as
      if (!as) throw notMember(this.#group)
      const owned = left.filter(offset => (this.#owned.get(keyOf(offset)) ?? Number.POSITIVE_INFINITY) <= epoch)
      for (const offset of left) if (!owned.includes(offset)) refused.push({ ...offset, error: this.#notOwned(offset, epoch) })
      left = owned
      if (left.length === 0) return refused
      const codes = await this.#send(as, left)
      if (!codes) continue
      const refusal = [...codes.values()].find(isRefusal)
      if (refusal === undefined) return [...refused, ...left.map(offset => this.#result(offset, codes))]
      await this.#newerThan(as, refusal, untilMs)
    }
  }

  /** Resolves when the member is another generation than `as`; rejects when it is none, or stays what was refused. */
  async #newerThan(as: CommitAs, code: number, untilMs: number): Promise<void> {
    const { world } = this.#instance
    const error = brokerError('OffsetCommit', code, `for group ${this.#group} as generation ${as.generation}`)
    const { class: errorClass, remedy } = meaningOf('OffsetCommit', code)
    if (this.#as === as) {
      const wait = this.#changing || remedy === 'waits'
      this.#options.onRefused?.(error, as)
      if (!wait || errorClass === 'fatal') throw error
      const waitMs = untilMs - world.monotonicMs()
      if (waitMs > 0) await this.#woken(waitMs)
    }
    if (!this.#as) throw notMember(this.#group, error)
    if (this.#as === as) throw error
  }

  #woken(limitMs: number): Promise<void> {
    const { world } = this.#instance
    return new Promise(resolve => {
      const wake = () => {
        world.clearTimer(waiter.timer)
        this.#waiters.delete(waiter)
        resolve()
      }
      const waiter: Waiter = { wake, timer: world.setTimer(wake, limitMs) }
      this.#waiters.add(waiter)
    })
  }

  #wake(): void {
    for (const { wake } of [...this.#waiters]) wake()
  }

  /** Undefined: before a try it had become somebody else, or nobody. The coordinator may not have missed it yet, and would take it. */
  #send(as: CommitAs, offsets: readonly OffsetToCommit[]): Promise<Map<string, number> | undefined>
  #send(as: null, offsets: readonly OffsetToCommit[]): Promise<Map<string, number>>
  #send(as: CommitAs | null, offsets: readonly OffsetToCommit[]): Promise<Map<string, number> | undefined> {
    let tries = 0
    return this.#call(`OffsetCommit of group ${this.#group}`, async link => {
      if (as && this.#as !== as) return undefined
      tries++
      // Looked at for each try: meanwhile the topic may have been made again, and brokers before 4.1 go by its name.
      const there = offsets.filter(offset => !isAnotherTopic(this.#instance, offset))
      const codes = there.length > 0 ? await commitOffsets(link, this.#group, as, there) : new Map<string, number>()
      for (const [key, code] of codes) {
        if (meaningOf('OffsetCommit', code).remedy === 'few' && tries >= UNKNOWN_TOPIC_TRIES) continue
        const error = brokerError('OffsetCommit', code, `of ${key} for group ${this.#group}`)
        if (code !== 0 && remedyOf(error) !== 'none') throw error
      }
      for (const offset of offsets) if (!there.includes(offset)) codes.set(keyOf(offset), UNKNOWN_TOPIC_ID)
      return codes
    })
  }

  #call<T>(what: string, ask: (link: Link) => Promise<T>, limitMs = this.#options.limitMs): Promise<T> {
    return this.#coordinator.call(what, ask, limitMs === undefined ? {} : { limitMs })
  }

  #result(offset: OffsetToCommit, codes: ReadonlyMap<string, number>): Results[number] {
    const code = codes.get(keyOf(offset))
    if (code === 0) return offset
    return { ...offset, error: brokerError('OffsetCommit', code ?? -1, `of ${keyOf(offset)} for group ${this.#group}`) }
  }

  #notOwned(offset: OffsetToCommit, epoch: number): SamsaError {
    const since = this.#owned.get(keyOf(offset))
    const details = { topic: offset.topic, partition: offset.partition, epoch }
    if (since === undefined) {
      const message = `${keyOf(offset)} is not owned by this member of group ${this.#group}; it was not committed.`
      return new SamsaError('NOT_OWNER', message, { details })
    }
    const message = `${keyOf(offset)} was owned by somebody else since epoch ${epoch} (again by this member since ${since}); it was not committed.`
    return new SamsaError('STALE_EPOCH', message, { details })
  }
}

function notMember(group: string, cause?: Error): SamsaError {
  const message = `This is no member of group ${group} at the moment, so it owns nothing; nothing was committed.`
  return new SamsaError('NOT_OWNER', message, { retriable: true, ...(cause ? { cause } : {}) })
}
