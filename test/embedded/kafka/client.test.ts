/**
 * The real client over sockets against embedded brokers: what is published is read, whatever dies in between.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Cluster, connect, type Message } from '../../../src/index.ts'
import { startCluster, type TestCluster } from './support.ts'

const deadlineMs = 8_000

async function connected({ url, before }: TestCluster, options: object = {}): Promise<Cluster> {
  const cluster = await connect(url, { retryBackoffMs: 10, reconnectBackoffMs: 10, ...options })
  before(() => cluster.close({ timeoutMs: 1_000 }))
  return cluster
}

/** The first `count` messages of a partition. */
async function read(cluster: Cluster, topic: string, partition: number, count: number, offset = 0n): Promise<Message[]> {
  const consumer = cluster.subscribe({ partitions: [{ topic, partition, offset }], signal: AbortSignal.timeout(deadlineMs) })
  const messages: Message[] = []
  for await (const message of consumer) {
    messages.push(message)
    if (messages.length === count) break
  }
  return messages
}

const values = (messages: readonly Message[]) => messages.map(({ value }) => String(value))

test('what is published with each compression is read, with keys, headers and times', async t => {
  const embedded = await startCluster(t)
  const cluster = await connected(embedded)
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const topic = `with-${compression}`
    await cluster.admin.createTopic(topic, { partitions: 1 })
    const other = await connected(embedded, { publish: { compression } })
    const sent = Array.from({ length: 20 }, (_, i) => ({ key: `k${i}`, value: 'v'.repeat(50) + i, headers: { h: String(i) } }))
    await Promise.all(sent.map(each => other.topic(topic).publish({ partition: 0, ...each })))
    const messages = await read(cluster, topic, 0, 20)
    assert.deepEqual(
      messages.map(({ key, value, headers }) => ({ key: String(key), value: String(value), headers: { h: String(headers.h) } })),
      sent
    )
    assert.deepEqual(
      messages.map(({ offset }) => offset),
      sent.map((_, i) => BigInt(i))
    )
  }
})

test('topics are created, described, listed and deleted; offsets are listed by end, beginning and time', async t => {
  const embedded = await startCluster(t, { brokers: 3 })
  const cluster = await connected(embedded)
  await cluster.admin.createTopic('orders', { partitions: 3, replicationFactor: 3 })
  await assert.rejects(cluster.admin.createTopic('orders'), { code: 'TOPIC_ALREADY_EXISTS' })
  const [described] = await cluster.admin.topics(['orders'])
  assert.equal(described!.partitions.length, 3)
  for (let i = 0; i < 3; i++)
    await cluster.topic('orders').publish({ partition: 1, value: String(i), timestamp: new Date(1_000 * (i + 1)) })
  assert.deepEqual(
    [...(await cluster.admin.listOffsets('orders'))],
    [
      [0, 0n],
      [1, 3n],
      [2, 0n]
    ]
  )
  assert.deepEqual(
    [...(await cluster.admin.listOffsets('orders', 'earliest'))],
    [
      [0, 0n],
      [1, 0n],
      [2, 0n]
    ]
  )
  assert.deepEqual([...(await cluster.admin.listOffsets('orders', new Date(2_000), [1]))], [[1, 1n]])
  assert.deepEqual(await cluster.listTopics(), ['orders'])
  assert.equal((await cluster.admin.describeCluster()).controller, 1)
  await cluster.admin.deleteTopic('orders')
  assert.deepEqual(await cluster.listTopics(), [])
})

test('a topic that is not there is made when a publish may make it', async t => {
  const embedded = await startCluster(t, { config: { 'num.partitions': '2' } })
  const cluster = await connected(embedded, { createTopics: true })
  await cluster.topic('new').publish({ value: 'first' })
  const ends = await cluster.admin.listOffsets('new')
  assert.equal(
    [...ends.values()].reduce((sum, end) => sum + end, 0n),
    1n
  )
})

test('a leader dies in the middle of a publish: each message is there once, in order, on the next one', async t => {
  const embedded = await startCluster(t, { brokers: 3, config: { 'min.insync.replicas': '2' } })
  const { state, broker } = embedded
  const cluster = await connected(embedded)
  await cluster.admin.createTopic('orders', { partitions: 1, replicationFactor: 3 })
  const first = state.partition('orders', 0)!.leader
  const published: Promise<unknown>[] = []
  // Applied, but the answer is lost: the publisher must send it again, and it must not be doubled.
  broker(first).control(
    'Produce',
    () => {
      queueMicrotask(() => setImmediate(() => broker(first).kill()))
      return { drop: 'after', stay: true }
    },
    { times: 1 }
  )
  for (let i = 0; i < 50; i++) {
    published.push(cluster.topic('orders').publish({ partition: 0, value: String(i) }))
    if (i % 10 === 9) await new Promise(resolve => setImmediate(resolve))
  }
  await Promise.all(published)
  const partition = state.partition('orders', 0)!
  assert.notEqual(partition.leader, first)
  assert.deepEqual(
    values(await read(cluster, 'orders', 0, 50)),
    Array.from({ length: 50 }, (_, i) => String(i))
  )
  assert.equal(partition.highWatermark, 50)
  await broker(first).restart()
  assert.deepEqual([...partition.isr].sort(), [1, 2, 3])
  assert.equal(partition.logs.get(first)!.endOffset, 50)
})

test('a consumer waits for what is published later, and goes on where a leader was moved', async t => {
  const embedded = await startCluster(t, { brokers: 2 })
  const { state } = embedded
  const cluster = await connected(embedded)
  await cluster.admin.createTopic('orders', { partitions: 1, replicationFactor: 2 })
  const consumer = cluster.subscribe({
    partitions: [{ topic: 'orders', partition: 0, offset: 0n }],
    signal: AbortSignal.timeout(deadlineMs)
  })
  const got: string[] = []
  const reading = (async () => {
    for await (const { value } of consumer) if (got.push(String(value)) === 3) break
  })()
  await cluster.topic('orders').publish({ partition: 0, value: 'a' })
  const partition = state.partition('orders', 0)!
  partition.elect(partition.isr.find(id => id !== partition.leader)!)
  await cluster.topic('orders').publish({ partition: 0, value: 'b' })
  await cluster.topic('orders').publish({ partition: 0, value: 'c' })
  await reading
  assert.deepEqual(got, ['a', 'b', 'c'])
})
