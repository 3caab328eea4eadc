/**
 * The promise, while the cluster breaks: every acked message is in the log, once, in order per partition and publisher.
 */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { PublishError, RecordMetadata, Topic } from '../../src/index.ts'
import { type Connected, withClient } from '../support/connected.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

/** Publishes numbered messages, a few at a time, with and without keys, until told to stop; remembers what became of each. */
class Stream {
  readonly acked = new Map<string, RecordMetadata>()
  readonly failed = new Map<string, PublishError>()
  #stop = false
  #sent = 0
  #running: Promise<void>
  #waits: { count: number; resolve: () => void }[] = []

  /** `keyed`: so many of the lanes publish with a key. */
  constructor(topic: Topic, { prefix = 'm', lanes = 20, keyed = 0 }: { prefix?: string; lanes?: number; keyed?: number } = {}) {
    this.#running = Promise.all(Array.from({ length: lanes }, (_, lane) => this.#lane(topic, prefix, lane < keyed))).then(() => {})
  }

  async #lane(topic: Topic, prefix: string, keyed: boolean): Promise<void> {
    while (!this.#stop) {
      const number = this.#sent++
      const value = `${prefix}-${String(number).padStart(8, '0')}`
      await topic.publish(keyed ? { key: `k${number % 30}`, value } : value).then(
        place => this.acked.set(value, place),
        error => this.failed.set(value, error)
      )
      for (const wait of this.#waits) if (this.acked.size >= wait.count) wait.resolve()
    }
  }

  /** Until so many more than now are acked: the stream goes on. */
  more(count: number, limitMs = 60_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`only ${this.acked.size} acked, ${this.failed.size} failed`)), limitMs)
      this.#waits.push({
        count: this.acked.size + count,
        resolve: () => {
          clearTimeout(timer)
          resolve()
        }
      })
    })
  }

  async stop(): Promise<void> {
    this.#stop = true
    await this.#running
  }
}

const cluster = await useCluster()
const url = `zookeeper://${cluster.zookeeper}`

describe('publishing while the cluster breaks', () => {
  beforeEach(() => cluster.heal())

  /** Every acked message is where it was said to be, and nothing is there twice. */
  async function judge(name: string, stream: Stream, { doubled = 0 } = {}): Promise<void> {
    const { records } = await cluster.tool.consume(name, { records: true })
    const places = new Map<string, string[]>()
    for (const record of records)
      places.set(String(record.value), [...(places.get(String(record.value)) ?? []), `${record.partition}/${record.offset}`])
    const lost = [...stream.acked].filter(([value, place]) => !places.get(value)?.includes(`${place.partition}/${place.offset}`))
    assert.deepEqual(lost.slice(0, 5), [], `${lost.length} of ${stream.acked.size} acked messages are not where they were acked`)
    const twice = [...places].filter(([, where]) => where.length > 1)
    assert.ok(twice.length <= doubled, `${twice.length} messages are there twice: ${JSON.stringify(twice.slice(0, 5))}`)
  }

  async function underFault(
    options: Parameters<typeof withClient>[1],
    breakIt: (name: string, stream: Stream, connected: Connected) => Promise<void>
  ) {
    const name = uniqueName('faults')
    await cluster.createTopic(name, { partitions: 6, replicationFactor: 3, config: { 'min.insync.replicas': '2' } })
    await withClient(url, options, async connected => {
      const stream = new Stream(connected.client.topic(name), { lanes: 40, keyed: 20 })
      try {
        await stream.more(500)
        await breakIt(name, stream, connected)
        await stream.more(2_000)
      } finally {
        await stream.stop()
      }
      assert.deepEqual(
        [...stream.failed.values()].slice(0, 3).map(error => `${error.code}: ${error.message}`),
        []
      )
      await judge(name, stream)
    })
  }

  test('the leader is killed and comes back: publishes go on with and without keys, none lost, none twice', () =>
    underFault({}, async (name, stream) => {
      const leader = await cluster.waitForLeader(name, 0)
      await cluster.broker(leader).kill()
      await stream.more(3_000)
      await cluster.broker(leader).start()
    }))

  test('the controller is killed', () =>
    underFault({}, async (_, stream) => {
      const { controller } = await cluster.tool.brokers()
      await cluster.broker(controller).kill()
      await stream.more(3_000)
    }))

  test('ZooKeeper is killed: the data path goes on, and the registry comes back with it', () =>
    underFault({}, async (_, stream, { events }) => {
      await cluster.zk.kill()
      await events.first(event => event.type === 'registry.state' && event.state === 'suspended', 20_000)
      await stream.more(3_000)
      await cluster.zk.start()
      await events.next(event => event.type === 'registry.state' && event.state === 'live', 60_000)
    }))

  test('a rolling restart of all brokers', () =>
    underFault({}, async (name, stream) => {
      for (const broker of cluster.brokers) {
        await broker.stop()
        await stream.more(500)
        await broker.start()
        await cluster.waitForIsr(
          name,
          0,
          cluster.brokers.map(each => each.id),
          60_000
        )
      }
    }))

  test('replication 1 and two of three brokers killed: every unkeyed publish that was not in flight lands on the survivor', async () => {
    const name = uniqueName('survivor')
    await cluster.createTopic(name, { assignment: [[1], [2], [3], [1], [2], [3]] })
    await withClient(url, { publish: { deliveryTimeoutMs: 8_000 } }, async ({ client, events }) => {
      const stream = new Stream(client.topic(name))
      await stream.more(500)
      const survivor = 3
      await Promise.all(cluster.brokers.filter(broker => broker.id !== survivor).map(broker => broker.kill()))
      await stream.more(3_000)
      await stream.stop()
      assert.deepEqual(
        [...stream.failed.values()].map(error => error.code),
        [],
        'nothing failed: in flight ones were rerouted'
      )
      const rerouted = events.all.filter(event => event.type === 'publish.rerouted')
      const maybeDoubled = rerouted.reduce(
        (sum, event) => sum + (event.type === 'publish.rerouted' && event.maybeDoubled ? event.count : 0),
        0
      )
      await cluster.heal()
      await judge(name, stream, { doubled: maybeDoubled })
    })
  })

  test('with onUnknown wait, what was in flight waits for its own leader instead', async () => {
    const name = uniqueName('waits')
    await cluster.createTopic(name, { assignment: [[1]] })
    await withClient(url, { publish: { deliveryTimeoutMs: 1_500, onUnknown: 'wait' } }, async ({ client, events }) => {
      const topic = client.topic(name)
      await topic.publish('before')
      await cluster.broker(1).freeze()
      const waiting = topic.publish('in flight')
      await events
        .next(
          event =>
            event.type === 'trouble' || (event.type === 'publish.retrying' && event.partition === 0) || event.type === 'broker.state',
          60_000
        )
        .catch(() => {})
      await cluster.broker(1).thaw()
      assert.equal((await waiting).partition, 0)
      assert.equal((await cluster.tool.consume(name)).count, 2)
    })
  })

  test('only the ZooKeeper link of the client is cut while leaders move: it follows them by Metadata', async () => {
    const { ZooKeeperProxy } = await import('../support/zookeeper-proxy.ts')
    const [address, chroot] = cluster.zookeeper.split('/')
    const proxy = await ZooKeeperProxy.start(Number(address!.split(':')[1]))
    try {
      const name = uniqueName('cut')
      await cluster.createTopic(name, { partitions: 3, replicationFactor: 3 })
      await withClient(`zookeeper://127.0.0.1:${proxy.port}/${chroot}`, {}, async ({ client, events }) => {
        const stream = new Stream(client.topic(name))
        await stream.more(300)
        proxy.refuse(true)
        proxy.cut()
        await events.first(event => event.type === 'registry.state' && event.state === 'suspended', 20_000)
        for (const partition of [0, 1, 2]) {
          const leader = await cluster.waitForLeader(name, partition)
          await cluster.moveLeader(name, partition, cluster.brokers.find(broker => broker.id !== leader)!.id)
        }
        await stream.more(2_000)
        await stream.stop()
        assert.deepEqual(
          [...stream.failed.values()].map(error => error.code),
          []
        )
        await judge(name, stream)
        proxy.refuse(false)
        await events.next(event => event.type === 'registry.state' && event.state === 'live', 60_000)
      })
    } finally {
      await proxy.close()
    }
  })
})
