/**
 * Consuming from real brokers with a manual assignment, written to by Java's producer: the same for every kind of cluster
 * (`consume-kraft.test.ts`, `consume-zookeeper.test.ts`).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ActorRefFrom, createActor } from 'xstate'
import { ClusterActor, type Consumer } from '../../src/index.ts'
import type { ConsumerEmitted, ConsumerHandle } from '../../src/model/events.ts'
import type { Message } from '../../src/model/message.ts'
import type { Cluster } from '../support/cluster.ts'
import { withClient } from '../support/connected.ts'
import { Gathered } from '../support/gathered.ts'
import type { ClusterKind } from '../support/shared-clusters.ts'
import { uniqueName } from '../support/use-cluster.ts'

/** Reads so many messages and breaks. */
async function read(consumer: AsyncIterable<Message>, count: number): Promise<Message[]> {
  const out: Message[] = []
  if (count > 0)
    for await (const message of consumer) {
      out.push(message)
      if (out.length === count) break
    }
  return out
}

const values = (messages: readonly Message[]) => messages.map(({ value }) => String(value))

function eventsOf(consumer: Consumer): Gathered<ConsumerEmitted> {
  const events = new Gathered<ConsumerEmitted>()
  consumer.on('*', event => events.add(event))
  return events
}

export function testConsuming(kind: ClusterKind, cluster: Cluster): void {
  const url = kind === 'kraft' ? `kafka://${cluster.bootstrap.join(',')}` : `zookeeper://${cluster.zookeeper}`
  /** On a cluster named by ZooKeeper a group would live there. */
  const manual = { membership: 'manual', from: 'earliest' } as const
  const fresh = async (partitions = 1, config: Record<string, string> = {}) => {
    const topic = uniqueName('consume')
    await cluster.createTopic(topic, { partitions, config })
    return topic
  }

  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    test(`every message with ${codec}, once, in order per partition, with key, headers and timestamp`, async () => {
      const topic = await fresh(3)
      const config = { 'compression.type': codec, 'batch.size': '4000' }
      await cluster.tool.produce(topic, { count: 2_000, config })
      await cluster.tool.produce(topic, {
        partition: 1,
        records: [{ key: 'k', value: 'last', timestamp: 1_700_000_000_000, headers: { trace: 'x' } }],
        config
      })
      const java = await cluster.tool.consume(topic, { records: true })
      await withClient(url, {}, async ({ client }) => {
        const messages = await read(client.topic(topic).subscribe(manual), 2_001)
        for (const partition of [0, 1, 2]) {
          const ours = messages.filter(message => message.partition === partition)
          const theirs = java.records.filter(record => record.partition === partition)
          assert.deepEqual(
            ours.map(({ offset, key, value }) => [Number(offset), String(key), String(value)]),
            theirs.map(({ offset, key, value }) => [offset, String(key), String(value)])
          )
        }
        const last = messages.find(({ value }) => String(value) === 'last')!
        assert.equal(last.timestamp, 1_700_000_000_000n)
        assert.deepEqual(last.headerList, [['trace', Buffer.from('x')]])
      })
    })

  test('a group goes on where it was: the message in hand at a break comes again, nothing else does', async () => {
    const topic = await fresh()
    const group = uniqueName('group')
    await cluster.tool.produce(topic, { count: 100, keyed: false })
    await withClient(url, {}, async ({ client }) => {
      const first = await read(client.topic(topic).subscribe({ ...manual, group }), 40)
      assert.deepEqual((await cluster.tool.groupOffsets(group))[topic], { 0: 39 })
      const second = await read(client.topic(topic).subscribe({ ...manual, group }), 61)
      assert.deepEqual(
        values([...first.slice(0, 39), ...second]),
        Array.from({ length: 100 }, (_, i) => `${values(first)[0]!.replace(/\d+$/, '')}${i}`)
      )
    })
  })

  test('a throw in the loop commits what was processed before it', async () => {
    const topic = await fresh()
    const group = uniqueName('group')
    await cluster.tool.produce(topic, { count: 10 })
    await withClient(url, {}, async ({ client }) => {
      await assert.rejects(
        async () => {
          for await (const { offset } of client.topic(topic).subscribe({ ...manual, group })) if (offset === 4n) throw new Error('mine')
        },
        { message: 'mine' }
      )
      assert.deepEqual((await cluster.tool.groupOffsets(group))[topic], { 0: 4 })
    })
  })

  test('automatic commits are made while it runs, only of what was processed', async () => {
    const topic = await fresh()
    const group = uniqueName('group')
    await cluster.tool.produce(topic, { count: 10 })
    await withClient(url, {}, async ({ client }) => {
      const consumer = client.topic(topic).subscribe({ ...manual, group, autoCommitIntervalMs: 50 })
      const events = eventsOf(consumer)
      const messages = consumer[Symbol.asyncIterator]()
      for (let i = 0; i < 6; i++) await messages.next()
      await events.first(event => event.type === 'committed' && event.offsets[0]!.offset === '5')
      assert.deepEqual((await cluster.tool.groupOffsets(group))[topic], { 0: 5 })
      await consumer.commit()
      await messages.return!()
    })
  })

  test('reset: earliest, latest, by timestamp, and fail', async () => {
    const topic = await fresh()
    const at = 1_700_000_000_000
    await cluster.tool.produce(topic, { records: [0, 1, 2, 3].map(i => ({ value: `v${i}`, timestamp: at + i * 1000, partition: 0 })) })
    await withClient(url, {}, async ({ client }) => {
      const subscribe = (from: 'earliest' | 'latest' | 'fail' | Date) => client.topic(topic).subscribe({ membership: 'manual', from })
      assert.deepEqual(values(await read(subscribe('earliest'), 1)), ['v0'])
      assert.deepEqual(values(await read(subscribe(new Date(at + 1500)), 1)), ['v2'])
      await assert.rejects(read(subscribe('fail'), 1), { code: 'NO_COMMITTED_OFFSET' })
      const latest = subscribe('latest')
      const late = subscribe(new Date(at + 3_600_000))
      const located = [latest, late].map(consumer => eventsOf(consumer).first(({ type }) => type === 'partition.position'))
      const reading = [read(latest, 1), read(late, 1)]
      for (const event of await Promise.all(located))
        assert.deepEqual(event, { type: 'partition.position', topic, partition: 0, offset: '4', why: 'reset' })
      await cluster.tool.produce(topic, { records: [{ value: 'new', partition: 0 }] })
      for (const messages of await Promise.all(reading)) assert.deepEqual(values(messages), ['new'])
    })
  })

  test('an offset that is gone: told, and reset by the policy', async () => {
    const topic = await fresh()
    const group = uniqueName('group')
    await cluster.tool.produce(topic, { count: 10 })
    await cluster.tool.setGroupOffset(group, topic, 0, 2)
    await cluster.tool.deleteRecords(topic, 0, 5)
    await withClient(url, {}, async ({ client }) => {
      const consumer = client.topic(topic).subscribe({ ...manual, group })
      const events = eventsOf(consumer)
      const [first] = await read(consumer, 1)
      assert.equal(first!.offset, 5n)
      assert.ok(events.all.some(event => event.type === 'trouble' && event.error.code === 'OFFSET_OUT_OF_RANGE'))
      await assert.rejects(
        read(client.topic(topic).subscribe({ partitions: [{ topic, partition: 0, offset: 1n }], from: 'fail' } as never), 1),
        {
          code: 'OFFSET_OUT_OF_RANGE'
        }
      )
    })
  })

  test('given partitions at given offsets', async () => {
    const topic = await fresh(3)
    for (const partition of [0, 1, 2]) await cluster.tool.produce(topic, { count: 5, partition })
    await withClient(url, {}, async ({ client }) => {
      const partitions = [
        { topic, partition: 2, offset: 3n },
        { topic, partition: 0, offset: 4n }
      ]
      const messages = await read(client.subscribe({ partitions }), 3)
      assert.deepEqual(messages.map(({ partition, offset }) => `${partition}/${offset}`).sort(), ['0/4', '2/3', '2/4'])
    })
  })

  test('read_committed hides aborted transactions, several of one producer too; markers are hidden from everybody', async () => {
    const topic = await fresh()
    for (const [transaction, value] of [
      ['abort', 'a1'],
      ['commit', 'c1'],
      ['abort', 'a2'],
      ['abort', 'a3'],
      ['commit', 'c2']
    ] as const)
      await cluster.tool.produce(topic, { records: [{ value, partition: 0 }], transaction })
    await cluster.tool.produce(topic, { records: [{ value: 'plain', partition: 0 }] })
    await withClient(url, {}, async ({ client }) => {
      const committed = await read(client.topic(topic).subscribe({ ...manual, isolation: 'read_committed' }), 3)
      assert.deepEqual(values(committed), ['c1', 'c2', 'plain'])
      const all = await read(client.topic(topic).subscribe(manual), 6)
      assert.deepEqual(values(all), ['a1', 'c1', 'a2', 'a3', 'c2', 'plain'])
    })
  })

  test('a message larger than every limit of a fetch still comes', async () => {
    const topic = await fresh(2)
    await cluster.tool.produce(topic, { count: 20, valueBytes: 200_000, config: { 'batch.size': '1000' } })
    await withClient(url, {}, async ({ client }) => {
      const options = { ...manual, fetchMaxBytes: 10_000, partitionFetchMaxBytes: 5_000, partitionCreditBytes: 1_000 }
      assert.equal((await read(client.topic(topic).subscribe(options), 20)).length, 20)
    })
  })

  test('a partition that is not acked, or paused, does not hold up the others', async () => {
    const topic = await fresh(3)
    for (const partition of [0, 1, 2]) await cluster.tool.produce(topic, { count: 500, partition, valueBytes: 1_000 })
    await withClient(url, {}, async ({ client }) => {
      const consumer = client
        .topic(topic)
        .subscribe({ ...manual, partitionCreditBytes: 20_000, partitionFetchMaxBytes: 10_000, batchMaxMessages: 5 })
      const counts = [0, 0, 0]
      const seen = new Gathered<number>()
      await consumer.pause([{ topic, partition: 1 }])
      consumer.on('message.batch', ({ partition, messages, ack }) => {
        counts[partition]! += messages.length
        if (partition !== 0) ack()
        for (const _ of messages) seen.add(partition)
      })
      await seen.first(() => counts[2] === 500)
      assert.ok(counts[0]! < 100, `${counts[0]} messages of the partition without acks`)
      assert.equal(counts[1], 0)
      await consumer.resume([{ topic, partition: 1 }])
      await seen.first(() => counts[1] === 500)
      assert.ok(counts[0]! < 100)
      await consumer.close({ timeoutMs: 1_000 })
    })
  })

  test('partitions that are added later are read too', async () => {
    const topic = await fresh()
    await cluster.tool.produce(topic, { records: [{ value: 'first', partition: 0 }] })
    await withClient(url, { metadataMaxAgeMs: 1_000 }, async ({ client }) => {
      const consumer = client.topic(topic).subscribe(manual)
      const messages = consumer[Symbol.asyncIterator]()
      assert.equal(String((await messages.next()).value.value), 'first')
      await cluster.tool.addPartitions(topic, 2)
      await cluster.tool.produce(topic, { records: [{ value: 'second', partition: 1 }] })
      assert.equal(String((await messages.next()).value.value), 'second')
      await messages.return!()
    })
  })

  test('an aborted signal ends the loop and commits; closing the cluster ends a loop that waits', async () => {
    const topic = await fresh()
    const group = uniqueName('group')
    await cluster.tool.produce(topic, { count: 3 })
    await withClient(url, {}, async ({ client }) => {
      const controller = new AbortController()
      let count = 0
      for await (const _ of client.topic(topic).subscribe({ ...manual, group, signal: controller.signal }))
        if (++count === 3) setImmediate(() => controller.abort())
      assert.deepEqual((await cluster.tool.groupOffsets(group))[topic], { 0: 3 })
      const waiting = read(client.topic(topic).subscribe({ membership: 'manual', from: 'latest' }), 1)
      await client.close()
      assert.deepEqual(await waiting, [])
    })
  })

  test('by actors: SUBSCRIBE, consumer.started, message.batch, ack; what was not acked is not committed', async () => {
    const topic = await fresh()
    const group = uniqueName('group')
    await cluster.tool.produce(topic, { count: 50 })
    const input = kind === 'kraft' ? { brokers: cluster.bootstrap.join(',') } : { zookeeper: cluster.zookeeper }
    const actor: ActorRefFrom<typeof ClusterActor> = createActor(ClusterActor, { input })
    const got = new Gathered<string>()
    const closed = new Gathered<string>()
    let handle: ConsumerHandle | undefined
    actor.on('consumer.started', ({ id, consumer }) => {
      assert.equal(id, 7)
      handle = consumer
      consumer.on('message.batch', ({ messages, ack }) => {
        ack(messages[messages.length - 2])
        for (const text of values(messages)) got.add(text)
      })
    })
    actor.on('consumer.closed', ({ consumer }) => closed.add(consumer))
    actor.start()
    actor.send({ type: 'SUBSCRIBE', id: 7, topic, group, ...manual, batchMaxMessages: 50, revokeTimeoutMs: 100 })
    await got.count(50)
    actor.send({ type: 'UNSUBSCRIBE', consumer: handle!.id })
    await closed.first(path => path === handle!.id)
    assert.deepEqual((await cluster.tool.groupOffsets(group))[topic], { 0: 49 })
    actor.send({ type: 'CLOSE' })
    await new Promise<void>(resolve => actor.subscribe({ complete: resolve }))
  })
}
