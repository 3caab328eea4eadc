/**
 * Committed offsets in Kafka itself, by the group's name alone (no generation, no member id): for a consumer whose partitions are
 * assigned by hand. The coordinator is found when it is needed, and again when it says that it is another one.
 */
import type { Link } from '../flow/link.ts'
import type { OffsetStore, OffsetToCommit } from '../flow/offset-store.ts'
import { keyOf, type Owned } from '../machines/consumer.ts'
import { SamsaError } from '../model/errors.ts'
import { brokerError, kafkaError } from '../model/kafka-errors.ts'
import type { RequestOf, ResponseOf } from '../wire/apis.ts'
import type { Instance } from './instance.ts'
import { DATA } from './links.ts'

/** How often one call looks for the coordinator before it gives up. */
const ATTEMPTS = 5
/** From version 8 OffsetFetch takes several groups; from 10 both APIs name topics by id only, which a group of any age need not know. */
const GROUPS_FROM = 8
const NAMES_UP_TO = 9

type Committed = Awaited<ReturnType<OffsetStore['commit']>>

export class KafkaOffsets implements OffsetStore {
  #instance: Instance
  #group: string
  #coordinator: number | undefined

  constructor(instance: Instance, group: string) {
    this.#instance = instance
    this.#group = group
  }

  async committed(topic: string, partition: number): Promise<bigint | undefined> {
    return (await this.read([{ topic, partition }])).get(keyOf({ topic, partition }))
  }

  /** Committed next offsets by `topic/partition` (null: of all); one that is not there has none. Rejects with SamsaError. */
  read(partitions: readonly Owned[] | null): Promise<Map<string, bigint>> {
    return this.#atCoordinator(async link => {
      const topics =
        partitions && [...byTopic(partitions)].map(([name, list]) => ({ name, partitionIndexes: list.map(({ partition }) => partition) }))
      const grouped = (link.version('OffsetFetch') ?? 0) >= GROUPS_FROM
      const body: RequestOf<'OffsetFetch'> = grouped ? { groups: [{ groupId: this.#group, topics }] } : { groupId: this.#group, topics }
      const answer = await link.request('OffsetFetch', body, { minVersion: topics ? 1 : 2, maxVersion: NAMES_UP_TO })
      return this.#offsetsOf(answer, grouped)
    })
  }

  async commit(_epoch: number, offsets: readonly OffsetToCommit[]): Promise<Committed> {
    return this.#atCoordinator(async link => {
      const topics = [...byTopic(offsets)].map(([name, list]) => ({
        name,
        partitions: list.map(({ partition, offset }) => ({ partitionIndex: partition, committedOffset: offset, committedMetadata: '' }))
      }))
      const body: RequestOf<'OffsetCommit'> = { groupId: this.#group, topics }
      const answer = await link.request('OffsetCommit', body, { minVersion: 2, maxVersion: NAMES_UP_TO })
      const codes = new Map<string, number>()
      for (const topic of answer.topics)
        for (const { partitionIndex, errorCode } of topic.partitions) codes.set(`${topic.name}/${partitionIndex}`, errorCode)
      for (const code of codes.values()) this.#throwIfElsewhere(code, 'OffsetCommit')
      return offsets.map(({ topic, partition, offset }) => {
        const code = codes.get(`${topic}/${partition}`)
        if (code === 0) return { topic, partition, offset }
        return {
          topic,
          partition,
          offset,
          error: brokerError(code ?? -1, `OffsetCommit of ${topic}/${partition} for group ${this.#group}`)
        }
      })
    })
  }

  #offsetsOf(answer: ResponseOf<'OffsetFetch'>, grouped: boolean): Map<string, bigint> {
    const group = grouped ? answer.groups.find(({ groupId }) => groupId === this.#group) : answer
    if (!group) throw new SamsaError('LEFT_OUT', `The coordinator said nothing of group ${this.#group}.`, { retriable: true })
    this.#check(group.errorCode, `OffsetFetch of group ${this.#group}`)
    const out = new Map<string, bigint>()
    for (const topic of group.topics)
      for (const { partitionIndex, errorCode, committedOffset } of topic.partitions) {
        this.#check(errorCode, `OffsetFetch of ${topic.name}/${partitionIndex} for group ${this.#group}`)
        if (committedOffset >= 0n) out.set(`${topic.name}/${partitionIndex}`, committedOffset)
      }
    return out
  }

  #check(code: number, what: string): void {
    if (code === 0) return
    this.#throwIfElsewhere(code, what)
    throw brokerError(code, what)
  }

  /** The coordinator is loading, moved, or gone: look for it again. */
  #throwIfElsewhere(code: number, what: string): void {
    const { class: errorClass } = kafkaError(code)
    if (code === 0 || (errorClass !== 'refresh' && errorClass !== 'retry')) return
    throw new SamsaError('COORDINATOR_MOVED', brokerError(code, what).message, { retriable: true })
  }

  async #atCoordinator<T>(call: (link: Link) => Promise<T>): Promise<T> {
    const { world, links, options } = this.#instance
    for (let attempt = 1; ; attempt++) {
      try {
        this.#coordinator ??= await this.#find()
        return await call(await links.acquire(this.#coordinator, DATA, options.requestTimeoutMs))
      } catch (error) {
        this.#coordinator = undefined
        if (!(error instanceof SamsaError) || !error.retriable || attempt === ATTEMPTS || this.#instance.closed) throw error
        const pauseMs = Math.min(options.retryBackoffMaxMs, options.retryBackoffMs * 2 ** (attempt - 1))
        await new Promise<void>(resolve => void world.setTimer(resolve, pauseMs))
      }
    }
  }

  async #find(): Promise<number> {
    const { links, options } = this.#instance
    const link = await links.any(options.requestTimeoutMs)
    const batched = (link.version('FindCoordinator') ?? 0) >= 4
    const body: RequestOf<'FindCoordinator'> = batched ? { coordinatorKeys: [this.#group] } : { key: this.#group }
    const answer = await link.request('FindCoordinator', body)
    const { errorCode, nodeId } = batched ? (answer.coordinators[0] ?? { errorCode: -1, nodeId: -1 }) : answer
    this.#check(errorCode, `FindCoordinator of group ${this.#group}`)
    return nodeId
  }
}

function byTopic<T extends Owned>(list: readonly T[]): Map<string, T[]> {
  const out = new Map<string, T[]>()
  for (const entry of list) out.set(entry.topic, [...(out.get(entry.topic) ?? []), entry])
  return out
}
