/**
 * Brokers that answer well-formed nonsense: bombs, leaders that go round in circles, brokers without number. The client says so, stays within its bounds,
 * and goes on with what is sane.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ClusterEmitted, connect } from '../../src/index.ts'
import { type EmbeddedCluster, startCluster } from '../../src/testing.ts'
import { compress } from '../../src/wire/records/index.ts'
import { until } from '../support/until.ts'

const NOT_LEADER = 6
const CAP_BYTES = 65_536

/** How often this partition was asked for: by name, or by the session that it is part of. */
function fetchesOf(kafka: EmbeddedCluster, partition: number): () => number {
  let count = 0
  kafka.control('Fetch', () => ({
    change: answer => {
      const of = answer.responses.flatMap(topic => topic.partitions).find(each => each.partitionIndex === partition)
      if (of?.records?.length) count++
      return undefined
    }
  }))
  return () => count
}

/** How often each API was asked for since. */
function counted(kafka: EmbeddedCluster): Map<string, number> {
  const counts = new Map<string, number>()
  for (const api of ['Metadata', 'Produce', 'Fetch'] as const)
    kafka.control(api, () => {
      counts.set(api, (counts.get(api) ?? 0) + 1)
      return undefined
    })
  return counts
}

for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const)
  test(`a bomb of ${compression} parks its partition once, and is not fetched again and again; the other partition goes on`, async () => {
    await using kafka = await startCluster({ brokers: 1, topics: { orders: 2 } })
    await using writer = await connect(kafka.url, { publish: { compression, maxRequestBytes: 4 << 20, batchBytes: 2 << 20 } })
    await writer.topic('orders').publish({ value: Buffer.alloc(1 << 20), partition: 0 })
    // What is packed twice is unpacked once: the inner bomb is a value like any other.
    const inner = Buffer.from(compress(compression, Buffer.alloc(200_000)))
    await writer.topic('orders').publish({ value: inner, partition: 1 })
    await using reader = await connect(kafka.url, { maxDecompressedBytes: CAP_BYTES })
    const fetched = fetchesOf(kafka, 0)
    const parked: { partition: number; code: string }[] = []
    const read: Buffer[] = []
    const partitions = [0, 1].map(partition => ({ topic: 'orders', partition, offset: 0n }))
    const consumer = reader.subscribe({ partitions })
    consumer.on('partition.parked', ({ partition, error }) => void parked.push({ partition, code: error.code }))
    consumer.on('message.batch', ({ messages, ack }) => {
      read.push(...messages.map(({ value }) => value!))
      ack()
    })
    await until('the bomb is parked and the other partition read', () => parked.length > 0 && read.length > 0)
    const before = fetched()
    for (let i = 0; i < 20; i++) await writer.topic('orders').publish({ value: `goes on ${i}`, partition: 1 })
    await until('the other partition goes on', () => read.length === 21)
    assert.deepEqual(parked, [{ partition: 0, code: 'DECOMPRESSION_LIMIT' }])
    assert.ok(read[0]!.equals(inner))
    assert.ok(before <= 3 && fetched() === before, `the bomb was fetched ${before} times, and then ${fetched() - before} times more`)
    await consumer.close()
  })

test('leaders that go round in circles cost a bounded number of requests, and the publish ends as what it is', async () => {
  await using kafka = await startCluster({ brokers: 3, topics: { orders: { partitions: 1, replicationFactor: 3 } } })
  const counts = counted(kafka)
  let epoch = 100
  kafka.control('Metadata', () => ({
    change: answer => ({
      ...answer,
      topics: answer.topics.map(topic => ({
        ...topic,
        partitions: topic.partitions.map(each => ({ ...each, leaderId: kafka.brokers[epoch % 3]!.id, leaderEpoch: epoch++ }))
      }))
    })
  }))
  kafka.control('Produce', () => ({
    change: answer => ({
      ...answer,
      responses: answer.responses.map(topic => ({
        ...topic,
        partitionResponses: topic.partitionResponses.map(each => ({ ...each, errorCode: NOT_LEADER }))
      }))
    })
  }))
  await using client = await connect(`kafka://${kafka.bootstrap}`, { publish: { deliveryTimeoutMs: 3_000 } })
  const told: ClusterEmitted[] = []
  client.on('*', event => told.push(event))
  await assert.rejects(client.topic('orders').publish('never'), { name: 'PublishError' })
  assert.ok((counts.get('Produce') ?? 0) >= 2, 'the circle was never entered')
  assert.ok((counts.get('Produce') ?? 0) <= 60 && (counts.get('Metadata') ?? 0) <= 120, JSON.stringify([...counts]))
  assert.ok(told.length <= 1_000, `${told.length} events`)
})

test('far too many brokers in Metadata: refused whole, the brokers that were known stay, and publishes go on', async () => {
  await using kafka = await startCluster({ brokers: 1, zookeeper: false, topics: { orders: 1 } })
  await using client = await connect(kafka.url, { metadataMaxAgeMs: 200 })
  await client.topic('orders').publish('before')
  let lied = 0
  kafka.control('Metadata', () => ({
    change: answer => {
      lied++
      return { ...answer, brokers: Array.from({ length: 100_000 }, (_, i) => ({ ...answer.brokers[0]!, nodeId: i })) }
    }
  }))
  await until('Metadata has lied', () => lied >= 2)
  assert.equal(client.brokers.size, 1)
  await client.topic('orders').publish('during')
  assert.equal(kafka.partition('orders', 0).highWatermark, 2)
})
