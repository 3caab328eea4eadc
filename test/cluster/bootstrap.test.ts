/**
 * Clusters named by `kafka://`: Kafka 4 without ZooKeeper, 3.9.1 by its brokers alone, and a broker as old as 1.1.1, by both.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Cluster as Client, connect, type RecordMetadata, type TimeoutError } from '../../src/index.ts'
import type { Cluster } from '../support/cluster.ts'
import { type Connected, withClient } from '../support/connected.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const byBrokers = (cluster: Cluster) => `kafka://${cluster.bootstrap.join(',')}`

async function publishesEverything({ client }: Connected, cluster: Cluster): Promise<void> {
  const name = uniqueName('bootstrap')
  await cluster.createTopic(name, { partitions: 3 })
  const topic = client.topic(name)
  const keyed = await Promise.all(Array.from({ length: 50 }, (_, i) => topic.publish({ key: `k${i % 5}`, value: `keyed ${i}` })))
  assert.equal(new Set(keyed.filter((_, i) => i % 5 === 0).map(place => place.partition)).size, 1, 'one key, one partition')
  await Promise.all(Array.from({ length: 50 }, (_, i) => topic.publish(`free ${i}`)))
  const list = Array.from({ length: 20 }, (_, i) => `list ${i}`)
  const place = await topic.publish(list)
  const { records, count } = await cluster.tool.consume(name, { records: true })
  assert.equal(count, 120)
  assert.equal(new Set(records.map(record => String(record.value))).size, 120)
  const listed = records.filter(record => String(record.value).startsWith('list')).sort((a, b) => a.offset - b.offset)
  assert.deepEqual(
    listed.map(record => [record.partition, record.offset, String(record.value)]),
    list.map((value, i) => [place.partition, Number(place.offset) + i, value])
  )
}

async function compresses(url: string, cluster: Cluster, codecs: readonly ('gzip' | 'snappy' | 'lz4' | 'zstd')[]): Promise<void> {
  for (const compression of codecs) {
    const name = uniqueName('packed')
    await cluster.createTopic(name, { partitions: 2 })
    await withClient(url, { publish: { compression } }, async ({ client }) => {
      const values = Array.from({ length: 500 }, (_, i) => `${i} ${'x'.repeat(i % 90)}`)
      await Promise.all(values.map(value => client.topic(name).publish(value)))
      const read = await cluster.tool.consume(name, { values: true })
      assert.deepEqual(read.values.map(String).sort(), [...values].sort(), compression)
    })
  }
}

async function knowsTopics({ client }: Connected, cluster: Cluster): Promise<void> {
  const name = uniqueName('described')
  await cluster.createTopic(name, { partitions: 4 })
  const partitions = await client.topic(name).describe()
  const said = await cluster.tool.describe(name)
  assert.deepEqual(
    partitions.map(({ number, leader, replicas }) => ({ number, leader, replicas: [...replicas] })),
    said.partitions.map(({ partition, leader, replicas }) => ({ number: partition, leader, replicas }))
  )
  const made = client.topic(uniqueName('created'))
  await made.create()
  await until('the new topic in the list', async () => {
    const topics = await client.listTopics()
    return topics.includes(made.name) && topics.includes(name)
  })
  assert.equal((await made.publish('x')).offset, 0n)
  assert.deepEqual(
    [...client.brokers.keys()].sort(),
    cluster.brokers.map(({ id }) => id)
  )
}

/** The broker knows the producer and its sequences. */
async function isIdempotent({ client }: Connected, cluster: Cluster): Promise<void> {
  const name = uniqueName('idempotent')
  await cluster.createTopic(name, { partitions: 1 })
  const topic = client.topic(name)
  const places: RecordMetadata[] = []
  for (let i = 0; i < 30; i++) places.push(await topic.publish(`${i}`))
  assert.deepEqual(
    places.map(({ offset }) => offset),
    places.map((_, i) => BigInt(i))
  )
}

/** Publishes until told to stop; each value once, whatever happens to the broker. */
function keepPublishing(
  client: Client,
  name: string
): { acked: string[]; failed: unknown[]; more(count: number): Promise<unknown>; stop(): Promise<void> } {
  const acked: string[] = []
  const failed: unknown[] = []
  let stopped = false
  const running = (async () => {
    for (let i = 0; !stopped; i++) {
      const value = `value ${i}`
      await client
        .topic(name)
        .publish(value)
        .then(
          () => acked.push(value),
          error => failed.push(error)
        )
    }
  })()
  return {
    acked,
    failed,
    more: count => {
      const wanted = acked.length + count
      return until(`${wanted} acks`, async () => acked.length >= wanted, 90_000)
    },
    stop: async () => {
      stopped = true
      await running
    }
  }
}

const clusters = { kraft: await useCluster('kraft'), zookeeper: await useCluster(), old: await useCluster('old') }

describe('Kafka 4 in KRaft mode', () => {
  const cluster = clusters.kraft
  const url = byBrokers(cluster)

  test('every kind of publish', () => withClient(url, {}, connected => publishesEverything(connected, cluster)))
  test('every compression', () => compresses(url, cluster, ['gzip', 'snappy', 'lz4', 'zstd']))
  test('topics are described, listed and created', () => withClient(url, {}, connected => knowsTopics(connected, cluster)))
  test('idempotence', () => withClient(url, {}, connected => isIdempotent(connected, cluster)))

  test('a topic that does not exist is a clear error; with createTopics it is made', async () => {
    await withClient(url, {}, async ({ client }) => {
      await assert.rejects(client.topic(uniqueName('missing')).publish('x'), { code: 'UNKNOWN_TOPIC', outcome: 'failed' })
    })
    await withClient(url, { createTopics: true }, async ({ client }) => {
      assert.equal((await client.topic(uniqueName('made')).publish('x')).offset, 0n)
    })
  })

  test('some of the addresses are dead: the others are enough', async () => {
    for (const seeds of [
      `127.0.0.1:1,${cluster.bootstrap[0]}`,
      `${cluster.bootstrap[0]},127.0.0.1:1`,
      `no-such-host.invalid:9092,${cluster.bootstrap[0]}`
    ])
      await withClient(`kafka://${seeds}`, {}, async ({ client }) => {
        assert.deepEqual([...client.brokers.keys()], [1])
      })
  })

  test('all addresses are dead: CONNECT_TIMEOUT says what was tried and why it failed', async () => {
    await assert.rejects(connect('kafka://127.0.0.1:1,127.0.0.1:2', { connectTimeoutMs: 1_500 }), (error: TimeoutError) => {
      assert.equal(error.code, 'CONNECT_TIMEOUT')
      assert.match(error.message, /1500 ms/)
      assert.match(error.message, /127\.0\.0\.1:[12]/)
      assert.match(error.message, /ECONNREFUSED|refused/i)
      return true
    })
  })

  test('the broker is killed and started again: publishing goes on, and every ack is in the log once', async () => {
    const name = uniqueName('restart')
    await cluster.createTopic(name, { partitions: 2 })
    await withClient(url, {}, async ({ client, events }) => {
      const stream = keepPublishing(client, name)
      await stream.more(50)
      await cluster.broker(1).restart()
      await stream.more(50)
      await stream.stop()
      assert.deepEqual(stream.failed, [])
      const { values } = await cluster.tool.consume(name, { values: true })
      const written = values.map(String)
      assert.equal(new Set(written).size, written.length, 'nothing twice')
      for (const value of stream.acked) assert.ok(written.includes(value), `${value} was acked`)
      assert.ok(events.all.some(event => event.type === 'publish.retrying' || event.type === 'registry.state'))
    })
  })
})

describe('Kafka 3.9.1 by its brokers alone', () => {
  const cluster = clusters.zookeeper

  test('every kind of publish, and topics', async () => {
    await withClient(byBrokers(cluster), {}, async connected => {
      await publishesEverything(connected, cluster)
      await knowsTopics(connected, cluster)
      await isIdempotent(connected, cluster)
    })
  })

  test('the one address that was given dies: the brokers that it named carry on', async () => {
    const name = uniqueName('seedless')
    await cluster.createTopic(name, { partitions: 6, replicationFactor: 3 })
    await withClient(`kafka://${cluster.bootstrap[0]}`, {}, async ({ client }) => {
      const stream = keepPublishing(client, name)
      await stream.more(30)
      await cluster.broker(1).kill()
      await stream.more(200)
      await stream.stop()
      assert.deepEqual(stream.failed, [])
      await until(
        'another leader everywhere',
        async () => {
          const partitions = await client.topic(name).describe()
          return partitions.every(({ leader }) => leader !== null && leader !== 1)
        },
        60_000
      )
      const { values } = await cluster.tool.consume(name, { values: true })
      const written = values.map(String)
      assert.equal(new Set(written).size, written.length)
      for (const value of stream.acked) assert.ok(written.includes(value))
    })
    await cluster.heal()
  })
})

describe('Kafka 1.1.1', () => {
  const cluster = clusters.old
  const urls: [string, () => string][] = [
    ['its ZooKeeper', () => `zookeeper://${cluster.zookeeper}`],
    ['its broker', () => byBrokers(cluster)]
  ]
  for (const [name, url] of urls) {
    test(`by ${name}: every kind of publish, idempotent`, () =>
      withClient(url(), {}, async connected => {
        await publishesEverything(connected, cluster)
        await isIdempotent(connected, cluster)
      }))
    test(`by ${name}: compression that it knows`, () => compresses(url(), cluster, ['gzip', 'snappy', 'lz4']))
    test(`by ${name}: topics are described, listed and created`, () => withClient(url(), {}, connected => knowsTopics(connected, cluster)))
  }

  test('zstd, which it does not know, is a clear error at once', async () => {
    const name = uniqueName('zstd')
    await cluster.createTopic(name, { partitions: 1 })
    await withClient(byBrokers(cluster), { publish: { compression: 'zstd' } }, async ({ client }) => {
      await assert.rejects(client.topic(name).publish('x'.repeat(1_000)), { code: 'UNSUPPORTED_COMPRESSION', outcome: 'failed' })
    })
  })
})
