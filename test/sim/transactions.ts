/**
 * A transactional producer in single requests (the client has none): transactions over several partitions, committed, aborted, and such without a message,
 * which leave nothing but markers.
 */
import { findInstance, type Instance } from '../../src/actors/instance.ts'
import type { Cluster } from '../../src/index.ts'
import type { EmbeddedCluster } from '../../src/testing.ts'
import { BatchWriter, stamp } from '../../src/wire/records/batch-writer.ts'
import { ATTRIBUTES_AT, TRANSACTIONAL_BIT } from '../../src/wire/records/layout.ts'
import type { Step } from '../checker/operation.ts'
import type { History } from '../checker/record.ts'
import type { SimWorld } from './sim-world.ts'

const ID = 'payments'
const TRANSACTION = 1
const TIMEOUT_MS = 5_000
const AGAIN_MS = 150
const TRIES = 200
const BATCH_BYTES = 1 << 20

export interface TransactionParts {
  sim: SimWorld
  kafka: EmbeddedCluster
  client: Cluster
  history: History
  topic: string
  /** Committed. */
  acked: (values: readonly string[]) => void
}

type End = 'committed' | 'aborted' | 'unknown'

export class SimTransactions {
  #parts: TransactionParts
  #instance: Instance
  #identity: { producerId: bigint; producerEpoch: number } | undefined
  /** Next sequences of this identity. */
  #sequences = new Map<number, number>()
  #begun = 0

  constructor(parts: TransactionParts) {
    this.#parts = parts
    this.#instance = findInstance((parts.client.actor.getSnapshot() as unknown as { context: { instance: string } }).context.instance)!
  }

  /** One after the other, until the time is over. */
  async run(untilMs: number): Promise<void> {
    const { sim } = this.#parts
    while (sim.nowMs < untilMs) {
      await sim.sleep(100 + sim.random() * 500)
      await this.#transaction()
    }
  }

  async #transaction(): Promise<void> {
    const { sim, kafka, history, topic, acked } = this.#parts
    const number = ++this.#begun
    const count = kafka.state.topicPartitions(topic)
    if (count === undefined || !(await this.#identify())) return
    const partitions = [...new Set([Math.floor(sim.random() * count), Math.floor(sim.random() * count)])]
    const empty = sim.random() < 0.2
    const values = partitions.map(partition => ({ partition, value: `transaction ${number}/${partition}` }))
    const steps = (offsets: ReadonlyMap<number, number>) =>
      values.map(({ partition, value }): Step => ['send', `${topic}/${partition}`, [offsets.get(partition) ?? null, value]])
    if (!empty) history.record(ID, 'invoke', 'txn', steps(new Map()))
    const offsets = new Map<number, number>()
    let whole = await this.#join(partitions)
    for (const { partition, value } of empty || !whole ? [] : values) {
      const offset = await this.#write(partition, value).catch(() => undefined)
      if (offset === undefined) whole = false
      else offsets.set(partition, offset)
    }
    const commit = whole && sim.random() < 0.6
    const end = await this.#end(commit)
    // What was written to nobody knows where goes to nobody knows which sequence.
    if (!whole || end === 'unknown') this.#identity = undefined
    if (empty) return
    const type = end === 'committed' ? 'ok' : end === 'aborted' ? 'fail' : 'info'
    history.record(ID, type, 'txn', steps(type === 'ok' ? offsets : new Map()))
    if (type === 'ok') acked(values.map(({ value }) => value))
  }

  async #identify(): Promise<boolean> {
    if (this.#identity) return true
    const answer = await this.#ask(async link => {
      const body = { transactionalId: ID, transactionTimeoutMs: 60_000, producerId: -1n, producerEpoch: -1 }
      return link.request('InitProducerId', body, { maxVersion: 4 })
    })
    if (!answer) return false
    this.#identity = { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
    this.#sequences.clear()
    return true
  }

  async #join(partitions: readonly number[]): Promise<boolean> {
    const { producerId, producerEpoch } = this.#identity!
    const answer = await this.#ask(async link => {
      const body = {
        ...{ v3AndBelowTransactionalId: ID, v3AndBelowProducerId: producerId, v3AndBelowProducerEpoch: producerEpoch },
        v3AndBelowTopics: [{ name: this.#parts.topic, partitions: [...partitions] }]
      }
      const { resultsByTopicV3AndBelow } = await link.request('AddPartitionsToTxn', body, { maxVersion: 3 })
      const wrong = resultsByTopicV3AndBelow[0]?.resultsByPartition.find(({ partitionErrorCode }) => partitionErrorCode !== 0)
      return { errorCode: wrong?.partitionErrorCode ?? 0 }
    })
    return answer !== undefined
  }

  /** Its offset. Rejects when it may not have been written. */
  async #write(partition: number, value: string): Promise<number | undefined> {
    const { kafka, sim, topic } = this.#parts
    const leader = kafka.state.partition(topic, partition)?.leader ?? -1
    const link = await this.#instance.links.acquire(leader, 'data', TIMEOUT_MS)
    const writer = new BatchWriter({ limitBytes: BATCH_BYTES })
    writer.append(Math.floor(sim.nowMs), null, value, undefined)
    const sealed = writer.seal('none')
    sealed.buffer.writeInt16BE(TRANSACTIONAL_BIT, ATTRIBUTES_AT)
    const baseSequence = this.#sequences.get(partition) ?? 0
    this.#sequences.set(partition, baseSequence + 1)
    stamp(sealed, { ...this.#identity!, baseSequence })
    const topicData = [{ name: topic, partitionData: [{ index: partition, records: sealed.buffer }] }]
    const answer = await link.request('Produce', { transactionalId: ID, acks: -1, timeoutMs: TIMEOUT_MS, topicData }, { maxVersion: 11 })
    const { errorCode, baseOffset } = answer.responses[0]!.partitionResponses[0]!
    return errorCode === 0 ? Number(baseOffset) : undefined
  }

  async #end(committed: boolean): Promise<End> {
    const body = { transactionalId: ID, ...this.#identity!, committed }
    const answer = await this.#ask(link => link.request('EndTxn', body, { maxVersion: 4 }))
    return answer === undefined ? 'unknown' : committed ? 'committed' : 'aborted'
  }

  /** Asks the coordinator until it says yes; undefined: it says no for good. */
  async #ask<T extends { errorCode: number }>(
    ask: (link: Awaited<ReturnType<Instance['links']['any']>>) => Promise<T>
  ): Promise<T | undefined> {
    const { links } = this.#instance
    for (let i = 0; i < TRIES; i++) {
      try {
        const any = await links.any(TIMEOUT_MS)
        const { errorCode, nodeId } = await any.request('FindCoordinator', { key: ID, keyType: TRANSACTION }, { maxVersion: 3 })
        if (errorCode === 0) {
          const answer = await ask(await links.acquire(nodeId, 'data', TIMEOUT_MS))
          if (answer.errorCode === 0) return answer
          if (!AGAIN.includes(answer.errorCode)) return undefined
        }
      } catch {
        // The broker has gone; the next answer tells who coordinates now.
      }
      await this.#parts.sim.sleep(AGAIN_MS)
    }
    return undefined
  }
}

/** Not loaded, not there, not the coordinator, the last transaction's markers are on their way, the topic is not there yet. */
const AGAIN = [3, 14, 15, 16, 51]
