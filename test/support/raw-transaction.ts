/**
 * A transactional producer in single requests, for histories that no well-behaved producer makes: transactions of several producers in
 * one another, and such without a message. (Old versions of the APIs: what the newest do by themselves is done here in steps.)
 */
import type { Instance } from '../../src/actors/instance.ts'
import type { Link } from '../../src/flow/link.ts'
import { BatchWriter, stamp } from '../../src/wire/records/batch-writer.ts'
import { ATTRIBUTES_AT, TRANSACTIONAL_BIT } from '../../src/wire/records/layout.ts'
import { until } from './until.ts'
import { uniqueName } from './use-cluster.ts'

const TRANSACTION = 1

export class RawTransactions {
  readonly #id: string
  readonly #coordinator: Link
  readonly #leader: Link
  readonly #topic: string
  #producerId = -1n
  #producerEpoch = -1
  #sequence = 0

  /** One producer on partition 0 of a topic that this broker leads. */
  static async begin(instance: Instance, topic: string, leader: number): Promise<RawTransactions> {
    const id = uniqueName('raw-transactions')
    const any = await instance.links.any(10_000)
    const node = await until('a transaction coordinator', async () => {
      const answer = await any.request('FindCoordinator', { key: id, keyType: TRANSACTION }, { maxVersion: 3 })
      return answer.errorCode === 0 && answer.nodeId
    })
    const out = new RawTransactions(
      id,
      await instance.links.acquire(node, 'data', 10_000),
      await instance.links.acquire(leader, 'data', 10_000),
      topic
    )
    await until('a producer id', async () => {
      const answer = await out.#coordinator.request(
        'InitProducerId',
        { transactionalId: id, transactionTimeoutMs: 60_000 },
        { maxVersion: 4 }
      )
      out.#producerId = answer.producerId
      out.#producerEpoch = answer.producerEpoch
      return answer.errorCode === 0
    })
    return out
  }

  private constructor(id: string, coordinator: Link, leader: Link, topic: string) {
    this.#id = id
    this.#coordinator = coordinator
    this.#leader = leader
    this.#topic = topic
  }

  /** The partition is part of the transaction from here on. */
  async join(): Promise<void> {
    // CONCURRENT_TRANSACTIONS while the markers of the last one are being written.
    await until('the partition in the transaction', async () => {
      const answer = await this.#coordinator.request(
        'AddPartitionsToTxn',
        {
          v3AndBelowTransactionalId: this.#id,
          v3AndBelowProducerId: this.#producerId,
          v3AndBelowProducerEpoch: this.#producerEpoch,
          v3AndBelowTopics: [{ name: this.#topic, partitions: [0] }]
        },
        { maxVersion: 3 }
      )
      return answer.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode === 0
    })
  }

  /** A batch of its own. */
  async write(...values: string[]): Promise<void> {
    const writer = new BatchWriter({ limitBytes: 1 << 20 })
    for (const value of values) writer.append(Date.now(), null, value, undefined)
    const sealed = writer.seal('none')
    sealed.buffer.writeInt16BE(TRANSACTIONAL_BIT, ATTRIBUTES_AT)
    stamp(sealed, { producerId: this.#producerId, producerEpoch: this.#producerEpoch, baseSequence: this.#sequence })
    this.#sequence += values.length
    const topicData = [{ name: this.#topic, partitionData: [{ index: 0, records: sealed.buffer }] }]
    const answer = await this.#leader.request(
      'Produce',
      { transactionalId: this.#id, acks: -1, timeoutMs: 10_000, topicData },
      { maxVersion: 11 }
    )
    const { errorCode } = answer.responses[0]!.partitionResponses[0]!
    if (errorCode !== 0) throw new Error(`Produce answered ${errorCode}`)
  }

  /** Returns when the markers are on their way: `join` waits until they are written. */
  async end(committed: boolean): Promise<void> {
    await until('the end of the transaction', async () => {
      const body = { transactionalId: this.#id, producerId: this.#producerId, producerEpoch: this.#producerEpoch, committed }
      return (await this.#coordinator.request('EndTxn', body, { maxVersion: 4 })).errorCode === 0
    })
  }
}
