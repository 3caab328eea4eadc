/**
 * The embedded cluster as a whole: brokers on their ZooKeeper, the client on both, and the deaths in between.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Cluster, connect } from '../../src/index.ts'
import { openSession } from '../../src/registry/zookeeper/open-session.ts'
import { type EmbeddedCluster, type EmbeddedOptions, startCluster } from '../../src/testing.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { until } from '../support/until.ts'

const world = nodeWorld()

async function withCluster(options: EmbeddedOptions, test: (kafka: EmbeddedCluster, client: Cluster) => Promise<void>): Promise<void> {
  const kafka = await startCluster(options)
  const client = await connect(kafka.url, { connectTimeoutMs: 5_000 })
  try {
    await test(kafka, client)
    for (const broker of kafka.brokers) assert.deepEqual(broker.troubles, [], `troubles of broker ${broker.id}`)
  } finally {
    await client.close({ timeoutMs: 2_000 })
    await kafka.stop()
  }
}

/** All values of a topic, by partitions assigned by hand. */
async function readAll(client: Cluster, topic: string, partitions: number, count: number): Promise<string[]> {
  const values: string[] = []
  const consumer = client.subscribe({
    partitions: Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    from: 'earliest',
    signal: AbortSignal.timeout(10_000)
  })
  for await (const { value } of consumer) {
    values.push(String(value))
    if (values.length === count) break
  }
  return values
}

describe('an embedded cluster', () => {
  for (const zookeeper of [true, false])
    it(`takes what is published and gives it back (${zookeeper ? 'with' : 'without'} ZooKeeper)`, () =>
      withCluster({ brokers: 3, zookeeper, topics: { orders: 3 } }, async (_, client) => {
        const topic = client.topic('orders')
        const { offset, partition } = await topic.publish({ key: 'a', value: 'first' })
        assert.equal(offset, 0n)
        assert.equal((await topic.publish({ key: 'a', value: 'second' })).partition, partition)
        assert.deepEqual(await readAll(client, 'orders', 3, 2), ['first', 'second'])
        assert.deepEqual([...client.brokers.keys()].sort(), [1, 2, 3])
      }))

  it('loses and doubles nothing when a leader dies in the middle of a publish', () =>
    withCluster({ brokers: 3, topics: { orders: 6 } }, async (kafka, client) => {
      const topic = client.topic('orders')
      await topic.publish('before')
      const count = 2_000
      const publishes = Array.from({ length: count }, (_, i) => topic.publish({ key: String(i), value: `message ${i}` }))
      kafka.kill(kafka.leaderOf('orders', 0)!.id)
      await Promise.all(publishes)
      const values = await readAll(client, 'orders', 6, count + 1)
      assert.equal(new Set(values).size, count + 1)
    }))

  it('has another controller when the first one dies, and the old broker follows when it is back', () =>
    withCluster({ brokers: 3, topics: { orders: { partitions: 3, replicationFactor: 3 } } }, async (kafka, client) => {
      const first = kafka.state.controllerId
      kafka.kill(first)
      await until('another controller', () => kafka.state.controllerId > 0 && kafka.state.controllerId !== first)
      await until('a broker less', () => client.brokers.size === 2)
      assert.ok(!kafka.partition('orders', 0).isr.includes(first))
      await kafka.restart(first)
      await until('all in sync again', () => kafka.partition('orders', 0).isr.length === 3)
      assert.equal(client.brokers.get(first)?.port, kafka.broker(first).port)
    }))

  it('hears of deaths after the controller has moved to and fro', () =>
    withCluster({ brokers: 3, topics: { orders: { partitions: 3, replicationFactor: 3 } } }, async kafka => {
      for (const to of [2, 1, 2]) {
        kafka.moveController(to)
        assert.equal(kafka.state.controllerId, to)
        await new Promise(resolve => setImmediate(resolve))
      }
      kafka.kill(3)
      await until('the death is known', () => !kafka.state.aliveIds.includes(3))
      await kafka.restart(3)
      await until('it is back', () => kafka.partition('orders', 0).isr.length === 3)
      assert.equal(kafka.state.controllerId, 2)
    }))

  it('has a killed broker in ZooKeeper until its session is over, unless it is started again before', () =>
    withCluster({ brokers: 3, brokerSessionTimeoutMs: 600_000, topics: { orders: { replicationFactor: 3 } } }, async kafka => {
      const session = kafka.zookeeper!.session()
      const ids = () => session.getChildren('/brokers/ids').sort()
      kafka.kill(2)
      assert.deepEqual(ids(), ['1', '2', '3'])
      await kafka.restart(2)
      assert.deepEqual(ids(), ['1', '2', '3'])
      await until('it is in sync', () => kafka.partition('orders', 0).isr.length === 3)
      // Its timer must not keep this process alive.
      kafka.kill(3)
      assert.deepEqual(kafka.state.aliveIds, [1, 2, 3])
    }))

  it('lets a broker follow again that was started before anybody missed it: what waits for it is written at once', () =>
    withCluster({ brokers: 3, brokerSessionTimeoutMs: 600_000, topics: { orders: { replicationFactor: 3 } } }, async (kafka, client) => {
      const topic = client.topic('orders')
      await topic.publish('before')
      const partition = kafka.partition('orders', 0)
      const follower = partition.replicas.find(id => id !== partition.leader && id !== kafka.state.controllerId)!
      kafka.kill(follower)
      const end = partition.logs.get(partition.leader)!.endOffset
      const waiting = topic.publish('while it is dead')
      await until('the leader has it', () => partition.logs.get(partition.leader)!.endOffset > end)
      assert.equal(partition.highWatermark, end)
      await kafka.restart(follower)
      const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('it still waits')), 5_000).unref())
      assert.equal((await Promise.race([waiting, late])).offset, BigInt(end))
    }))

  it('says what cannot be: a leader that is not in sync, a topic that no broker would make', () =>
    withCluster({ brokers: 3, topics: { orders: { replicationFactor: 2 } } }, async kafka => {
      const partition = kafka.partition('orders', 0)
      const follower = partition.replicas[1]!
      const stranger = [1, 2, 3].find(id => !partition.replicas.includes(id))!
      partition.hold(follower)
      partition.shrink(follower)
      assert.throws(() => kafka.moveLeader('orders', 0, follower), { code: 'CANNOT_LEAD', message: /unclean/ })
      assert.throws(() => kafka.moveLeader('orders', 0, stranger, { unclean: true }), { code: 'CANNOT_LEAD', message: /no replica/ })
      assert.throws(() => kafka.moveLeader('orders', 0, 9), { code: 'NO_SUCH_BROKER' })
      assert.throws(() => kafka.createTopic('a b'), { code: 'INVALID_TOPIC_EXCEPTION' })
      assert.throws(() => kafka.createTopic('orders'), { code: 'TOPIC_ALREADY_EXISTS' })
      assert.throws(() => kafka.createTopic('large', { partitions: 2 ** 31 - 1 }), { code: 'POLICY_VIOLATION' })
    }))

  it('deletes what is too old, as often as it is told to look', () =>
    withCluster(
      { brokers: 2, config: { 'log.retention.check.interval.ms': '20' }, topics: { orders: { config: { 'retention.ms': '1' } } } },
      async (kafka, client) => {
        await client.topic('orders').publish('old')
        await until('it is gone', () => kafka.partition('orders', 0).logStartOffset === 1)
      }
    ))

  for (const [option, options] of [
    ['profile', { profile: '4.0' as '4.x' }],
    ['config', { config: { 'num.partitions': 'many' } }],
    ['ports.brokers', { ports: { brokers: [9092] } }],
    ['ports.brokers', { ports: { brokers: [1, 2, 70_000] } }],
    ['ports.zookeeper', { ports: { zookeeper: -1 } }],
    ['racks', { racks: ['a'] }]
  ] as const)
    it(`refuses ${option}: ${JSON.stringify(options)}`, () =>
      assert.rejects(startCluster(options), { code: 'INVALID_OPTION', details: { option } }))

  it('keeps a broker whose session expires: it registers anew', () =>
    withCluster({ brokers: 2 }, async (kafka, client) => {
      const controller = kafka.state.controllerId
      kafka.expireBroker(controller)
      await until('both are there', () => kafka.state.aliveIds.length === 2 && client.brokers.size === 2)
      assert.ok(kafka.state.controllerId > 0)
    }))

  it('writes the znodes that Kafka 3.9 writes', () =>
    withCluster({ brokers: 2, racks: ['a', 'b'], topics: { orders: { partitions: 2, replicationFactor: 2 } } }, async kafka => {
      const session = openSession(world, { connectString: kafka.zookeeper!.address })
      const read = async (path: string) => JSON.parse(String((await session.getData(path)).data)) as Record<string, unknown>
      try {
        const broker = await read('/brokers/ids/1')
        assert.deepEqual(
          { ...broker, timestamp: '' },
          {
            features: {},
            listener_security_protocol_map: { PLAINTEXT: 'PLAINTEXT' },
            endpoints: [`PLAINTEXT://127.0.0.1:${kafka.broker(1).port}`],
            jmx_port: -1,
            port: kafka.broker(1).port,
            host: '127.0.0.1',
            version: 5,
            timestamp: '',
            rack: 'a'
          }
        )
        assert.equal((await session.getData('/brokers/ids/1')).stat.ephemeralOwner > 0n, true)
        const topic = await read('/brokers/topics/orders')
        assert.deepEqual(Object.keys(topic), ['removing_replicas', 'partitions', 'topic_id', 'adding_replicas', 'version'])
        assert.equal(topic.topic_id, kafka.state.topic('orders')!.id)
        const { leader, isr } = kafka.partition('orders', 1)
        const state = { controller_epoch: 1, leader, version: 1, leader_epoch: 0, isr }
        assert.deepEqual(await read('/brokers/topics/orders/partitions/1/state'), state)
        assert.equal((await read('/controller')).brokerid, kafka.state.controllerId)
        assert.equal(String((await session.getData('/controller_epoch')).data), '1')
        assert.deepEqual(await read('/cluster/id'), { version: '1', id: kafka.state.clusterId })
        assert.deepEqual(await read('/config/topics/orders'), { version: 1, config: {} })
        kafka.moveLeader('orders', 1, isr.find(id => id !== leader)!)
        assert.equal((await read('/brokers/topics/orders/partitions/1/state')).leader_epoch, 1)
      } finally {
        await session.close()
      }
    }))

  it('takes up topics that are made, and deleted, in ZooKeeper alone', () =>
    withCluster({ brokers: 2 }, async (kafka, client) => {
      const session = openSession(world, { connectString: kafka.zookeeper!.address })
      try {
        await session.create('/brokers/topics/old', Buffer.from('{"version":1,"partitions":{"0":[1,2],"1":[2,1]}}'), 'persistent')
        await until('the topic is there', () => kafka.state.topic('old')?.partitions.length === 2)
        await client.topic('old').publish('hello')
        await session.create('/admin/delete_topics/old', null, 'persistent')
        await until('the topic is gone', () => kafka.state.topic('old') === undefined)
        assert.equal(await session.exists('/brokers/topics/old'), undefined)
        await session.create('/brokers/topics/broken', Buffer.from('what'), 'persistent')
        await client.topic('fine').create()
        assert.equal(kafka.state.topic('broken'), undefined)
      } finally {
        await session.close()
      }
    }))

  it('asks a control before a request is handled, as often as it is told', () =>
    withCluster({ brokers: 2, topics: { orders: 2 } }, async (kafka, client) => {
      let asked = 0
      kafka.control(
        'Produce',
        ({ body }) => {
          asked++
          assert.equal(body.topicData[0]?.name, 'orders')
          return { drop: 'after' }
        },
        { times: 1 }
      )
      const values = Array.from({ length: 20 }, (_, i) => `message ${i}`)
      await Promise.all(values.map(value => client.topic('orders').publish(value)))
      assert.equal(asked, 1)
      const read = await readAll(client, 'orders', 2, values.length)
      assert.deepEqual(read.sort(), values.sort(), 'applied, its answer lost, sent again, and there once')
    }))
})

describe('embedded://', () => {
  it('is a cluster of its own, which ends with the connection', async () => {
    const cluster = await connect('embedded://?brokers=2&topics=orders:4,events')
    assert.equal(cluster.brokers.size, 2)
    assert.equal((await cluster.topic('orders').describe()).length, 4)
    await cluster.topic('events').publish('hello')
    const { port } = [...cluster.brokers.values()][0]!
    await cluster.close()
    await assert.rejects(connect(`kafka://127.0.0.1:${port}`, { connectTimeoutMs: 200 }), { code: 'CONNECT_TIMEOUT' })
  })

  for (const [url, what] of [
    ['embedded://?brokers=0', /brokers/],
    ['embedded://?brokers=x', /brokers/],
    ['embedded://?colour=red', /colour/],
    ['embedded://?topics=a:0', /topics/],
    ['embedded://somewhere', /embedded:\/\//]
  ] as const)
    it(`refuses ${url}`, () => assert.rejects(connect(url), { code: 'INVALID_OPTION', message: what }))
})
