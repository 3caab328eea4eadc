/**
 * Publishing to a real cluster, judged by Kafka's own consumer.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PublishError, UsageError } from '../../src/index.ts'
import { withClient } from '../support/connected.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster()
const url = `zookeeper://${cluster.zookeeper}`

describe('publishing', () => {
  const fresh = async (spec = {}) => {
    const topic = uniqueName('publish')
    await cluster.createTopic(topic, { partitions: 6, replicationFactor: 3, ...spec })
    return topic
  }

  test('a message, a record with key, headers and timestamp, a tombstone, a list: each is where it says', async () => {
    const name = await fresh()
    await withClient(url, {}, async ({ client }) => {
      const topic = client.topic(name)
      const places = [
        await topic.publish('plain'),
        await topic.publish({ key: 'k', value: Buffer.from([1, 2, 3]), headers: { trace: 'x' }, timestamp: 1_700_000_000_000 }),
        await topic.publish({ key: 'k', value: null }),
        await topic.publish(['a', 'b', 'c'])
      ]
      assert.equal(places[1]!.timestamp, 1_700_000_000_000n)
      assert.equal(places[2]!.partition, places[1]!.partition, 'one key, one partition')
      const { records } = await cluster.tool.consume(name, { records: true })
      const at = (place: { partition: number; offset: bigint }, step = 0) =>
        records.find(record => record.partition === place.partition && record.offset === Number(place.offset) + step)!
      assert.equal(String(at(places[0]!).value), 'plain')
      assert.deepEqual(at(places[1]!).headers, [['trace', Buffer.from('x')]])
      assert.equal(at(places[1]!).timestamp, 1_700_000_000_000)
      assert.equal(at(places[2]!).value, null)
      assert.deepEqual(
        [0, 1, 2].map(step => String(at(places[3]!, step).value)),
        ['a', 'b', 'c']
      )
      assert.equal(records.length, 6)
    })
  })

  test('brokers and topics of a cluster are live maps: a topic made later appears in the map that is in hand', async () => {
    await withClient(url, {}, async ({ client, instance }) => {
      const { topics, brokers } = client
      assert.deepEqual([...brokers.keys()].sort(), [1, 2, 3])
      const name = uniqueName('live')
      const seen = new Promise<void>(resolve => instance.onLevel.add(() => topics.has(name) && resolve()))
      await cluster.createTopic(name, { partitions: 2, replicationFactor: 3 })
      await seen
      assert.equal((await topics.get(name)!.describe()).length, 2)
      assert.ok(topics.get(name)!.partitions.every(partition => partition.leader !== null && partition.inSync.length === 3))
    })
  })

  test('keys go where Java sends them', async () => {
    const name = await fresh()
    const keys = Array.from({ length: 200 }, (_, i) => `key-${i}-ü`)
    await withClient(url, {}, async ({ client }) => {
      const topic = client.topic(name)
      await Promise.all(keys.map(key => topic.publish({ key, value: 'ours' })))
      await cluster.tool.produce(name, { records: keys.map(key => ({ key, value: 'java' })) })
      const { records } = await cluster.tool.consume(name, { records: true })
      const where = new Map<string, Set<number>>()
      for (const { key, partition } of records) where.set(String(key), (where.get(String(key)) ?? new Set()).add(partition))
      assert.equal(where.size, keys.length)
      for (const [key, partitions] of where) assert.equal(partitions.size, 1, `${key} lies in ${[...partitions]}`)
    })
  })

  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)
    test(`20,000 messages with compression ${compression}: every one once, in order per partition`, async () => {
      const name = await fresh()
      await withClient(url, { publish: { compression } }, async ({ client }) => {
        const topic = client.topic(name)
        const places = await Promise.all(Array.from({ length: 20_000 }, (_, i) => topic.publish(`message ${i} ${'x'.repeat(i % 97)}`)))
        assert.ok(new Set(places.map(place => place.partition)).size > 1, 'unkeyed messages spread')
        const { count, values } = await cluster.tool.consume(name, { values: true })
        assert.equal(count, 20_000)
        assert.equal(new Set(values.map(String)).size, 20_000)
      })
    })

  test('a list larger than a batch stays in one partition, in order', async () => {
    const name = await fresh()
    await withClient(url, { publish: { batchBytes: 4_096 } }, async ({ client, events }) => {
      const list = Array.from({ length: 2_000 }, (_, i) => `${i}`.padStart(50, '.'))
      const place = await client.topic(name).publish(list)
      assert.equal(place.offset, 0n)
      const { records } = await cluster.tool.consume(name, { records: true })
      assert.deepEqual(new Set(records.map(record => record.partition)), new Set([place.partition]))
      assert.deepEqual(
        records.sort((a, b) => a.offset - b.offset).map(record => String(record.value)),
        list
      )
      void events
    })
  })

  test('a list whose keys differ is refused, and nothing of it is written', async () => {
    const name = await fresh()
    await withClient(url, {}, async ({ client }) => {
      const list = [
        { key: 'a', value: '1' },
        { key: 'b', value: '2' }
      ]
      await assert.rejects(client.topic(name).publish(list), (error: PublishError) => error.code === 'DIFFERENT_KEYS')
      assert.equal((await cluster.tool.consume(name)).count, 0)
    })
  })

  test('bad input is a typed error and disturbs nothing else', async () => {
    const name = await fresh()
    await withClient(url, {}, async ({ client }) => {
      const topic = client.topic(name)
      const good = topic.publish('good')
      await assert.rejects(topic.publish({ value: 'x'.repeat(2_000_000) }), (error: UsageError) => error.code === 'MESSAGE_TOO_LARGE')
      await assert.rejects(topic.publish(42 as never), (error: UsageError) => error.code === 'INVALID_MESSAGE')
      await assert.rejects(
        topic.publish({ value: 'x', partition: 99 }),
        (error: PublishError) => error.code === 'INVALID_PARTITION' && error.outcome === 'failed'
      )
      assert.throws(
        () => client.topic('../x'),
        (error: UsageError) => error.code === 'INVALID_TOPIC'
      )
      assert.equal((await good).offset, 0n)
    })
  })

  test('a topic that does not exist is a clear error; with createTopics it is made', async () => {
    await withClient(url, {}, async ({ client }) => {
      await assert.rejects(
        client.topic(uniqueName('missing')).publish('x'),
        (error: PublishError) => error.code === 'UNKNOWN_TOPIC' && error.outcome === 'failed'
      )
    })
    await withClient(url, {}, async ({ client }) => {
      const topic = client.topic(uniqueName('missing'))
      const unknown = (error: PublishError) => error.code === 'UNKNOWN_TOPIC'
      await assert.rejects(topic.publish('first'), unknown)
      await assert.rejects(topic.publish('second'), unknown, 'it is known by now: no waiting')
      await assert.rejects(topic.describe(), unknown)
      await cluster.createTopic(topic.name, { partitions: 1, replicationFactor: 3 })
      await until('the topic is seen', () => topic.publish('third'))
    })
    await withClient(url, { createTopics: true }, async ({ client }) => {
      const name = uniqueName('made')
      assert.equal((await client.topic(name).publish('x')).offset, 0n)
      assert.equal((await cluster.tool.consume(name)).count, 1)
    })
  })

  test("an error of the broker that is final fails that batch alone: a message larger than the topic's limit", async () => {
    const name = await fresh({ partitions: 1, config: { 'max.message.bytes': '2000' } })
    await withClient(url, {}, async ({ client }) => {
      const topic = client.topic(name)
      await topic.publish('before')
      await assert.rejects(
        topic.publish('x'.repeat(5_000)),
        (error: PublishError) => error.code === 'MESSAGE_TOO_LARGE' && error.outcome === 'failed'
      )
      const after = await Promise.all(Array.from({ length: 10 }, (_, i) => topic.publish(`after ${i}`)))
      assert.equal(after.length, 10)
      const { values } = await cluster.tool.consume(name, { values: true })
      assert.equal(values.length, 11)
    })
  })

  test('when memory is full a publish waits, and fails after maxBlockMs without being written', async () => {
    const name = await fresh()
    await withClient(
      url,
      { publish: { bufferMemoryBytes: 65_536, batchBytes: 16_384, maxBlockMs: 60_000 } },
      async ({ client, events }) => {
        const topic = client.topic(name)
        await topic.publish('warm')
        const all = Array.from({ length: 3_000 }, (_, i) => topic.publish(`${i}`.padEnd(200)))
        await events.first(event => event.type === 'publish.blocked' && event.bufferedBytes > 0)
        await Promise.all(all)
        assert.equal((await cluster.tool.consume(name)).count, 3_001)
      }
    )
  })

  test('acks none and leader work, and a closed cluster says so', async () => {
    for (const acks of ['none', 'leader'] as const) {
      const name = await fresh()
      await withClient(url, { publish: { acks } }, async ({ client }) => {
        const place = await client.topic(name).publish('x')
        assert.equal(place.offset, acks === 'none' ? -1n : 0n)
        await client.close()
        await assert.rejects(client.topic(name).publish('y'), (error: PublishError) => error.code === 'CLUSTER_CLOSED')
      }).catch(error => {
        if (error.code !== 'CLUSTER_CLOSED') throw error
      })
    }
  })

  test('an own partitioner decides', async () => {
    const name = await fresh()
    await withClient(url, { publish: { partitioner: () => 4 } }, async ({ client }) => {
      const places = await Promise.all(['a', 'b'].map(value => client.topic(name).publish({ key: value, value })))
      assert.deepEqual(
        places.map(place => place.partition),
        [4, 4]
      )
    })
  })
})
