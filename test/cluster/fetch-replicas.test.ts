/**
 * Reading from a follower in the own rack (KIP-392), and a log that an unclean election cuts (KIP-320): two brokers in two racks.
 */
import assert from 'node:assert/strict'
import { after, afterEach, mock, test } from 'node:test'
import type { FetchResponse } from '../../src/flow/fetch-request.ts'
import type { Consumer } from '../../src/index.ts'
import type { ConsumerEmitted } from '../../src/model/events.ts'
import type { Message } from '../../src/model/message.ts'
import { Connection } from '../../src/wire/connection.ts'
import { startCluster } from '../support/cluster.ts'
import { withClient } from '../support/connected.ts'
import { Gathered } from '../support/gathered.ts'
import { uniqueName } from '../support/use-cluster.ts'

const cluster = await startCluster({
  brokers: 2,
  racks: ['left', 'right'],
  config: {
    'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
    'min.insync.replicas': '1',
    'replica.fetch.wait.max.ms': '50'
  }
})
after(() => cluster.dispose())
afterEach(() => mock.restoreAll())
const zookeeper = `zookeeper://${cluster.zookeeper}`
const kafka = `kafka://${cluster.bootstrap.join(',')}`
const LIMIT_MS = 60_000

/** A topic that broker 1 leads. */
async function fresh(): Promise<string> {
  const topic = uniqueName('fetch-replicas')
  await cluster.createTopic(topic, { assignment: [[1, 2]] })
  return topic
}

type Emitted<T extends ConsumerEmitted['type']> = Extract<ConsumerEmitted, { type: T }>

/** What a consumer emits, and the messages that it was handed, in order. */
class Reader {
  readonly events = new Gathered<ConsumerEmitted>()
  readonly messages = new Gathered<Message>()

  constructor(consumer: Consumer) {
    consumer.on('*', event => {
      if (event.type !== 'message.batch') this.events.add(event)
    })
    consumer.on('message.batch', ({ messages, ack }) => {
      for (const message of messages) this.messages.add(message)
      ack()
    })
  }

  first<T extends ConsumerEmitted['type']>(type: T, wanted: (event: Emitted<T>) => boolean = () => true): Promise<Emitted<T>> {
    return this.events.first(event => event.type === type && wanted(event as Emitted<T>), LIMIT_MS) as Promise<Emitted<T>>
  }

  offsets(): number[] {
    return this.messages.all.map(({ offset }) => Number(offset))
  }
}

const upTo = (count: number) => [...Array(count).keys()]

/** From which brokers records came, one entry for each answer that had some. */
function sources(): number[] {
  const out: number[] = []
  const send = Connection.prototype.send
  mock.method(Connection.prototype, 'send', function (this: Connection, api, body, limits, done) {
    send.call(this, api, body as never, limits, (error, response) => {
      if (api === 'Fetch' && response)
        for (const { partitions } of (response as FetchResponse).responses)
          for (const { records } of partitions) if (records && records.length > 0) out.push(this.node)
      done(error, response as never)
    })
  } as Connection['send'])
  return out
}

test('a reader in the rack of a follower reads everything there; when that dies, the leader goes on; when it is back, it is read again', {
  timeout: 120_000
}, async () => {
  const topic = await fresh()
  await cluster.tool.produce(topic, { count: 300 })
  const from = sources()
  await withClient(zookeeper, { rack: 'right' }, async ({ client, instance }) => {
    const consumer = client.topic(topic).subscribe({ membership: 'manual', from: 'earliest' })
    const reader = new Reader(consumer)
    const { broker, leader, reason } = await reader.first('partition.replica')
    assert.deepEqual([broker, leader], [2, 1])
    assert.match(reason, /prefers/)
    await reader.messages.count(300, LIMIT_MS)
    await cluster.tool.produce(topic, { count: 300 })
    await reader.messages.count(600, LIMIT_MS)
    assert.deepEqual(new Set(from), new Set([2]), 'every record came from the follower')
    const state = () => JSON.stringify(instance.directory.get(`consumers/1/${topic}/0`)!.getSnapshot().value)
    assert.equal(state(), '{"active":{"led":{"fetching":"follower"}}}')

    await cluster.broker(2).kill()
    const back = await reader.first('partition.replica', event => event.broker === 1)
    assert.match(back.reason, /^follower 2: /)
    await cluster.waitForIsr(topic, 0, [1])
    await cluster.tool.produce(topic, { count: 300 })
    await reader.messages.count(900, LIMIT_MS)
    assert.equal(from.at(-1), 1)

    const before = reader.events.all.length
    await cluster.broker(2).start()
    await cluster.waitForIsr(topic, 0, [1, 2])
    await reader.events.first(
      event => event.type === 'partition.replica' && event.broker === 2 && reader.events.all.indexOf(event) >= before,
      LIMIT_MS
    )
    await cluster.tool.produce(topic, { count: 100 })
    await reader.messages.count(1_000, LIMIT_MS)
    assert.equal(from.at(-1), 2)
    assert.deepEqual(reader.offsets(), upTo(1_000))
    await consumer.close()
  })
})

test('a reader without a rack, or in that of the leader, reads from the leader', async () => {
  const topic = await fresh()
  await cluster.tool.produce(topic, { count: 50 })
  for (const rack of [null, 'left']) {
    const from = sources()
    await withClient(kafka, { rack }, async ({ client }) => {
      const consumer = client.topic(topic).subscribe({ membership: 'manual', from: 'earliest' })
      const reader = new Reader(consumer)
      await reader.messages.count(50, LIMIT_MS)
      assert.deepEqual(new Set(from), new Set([1]))
      assert.equal(reader.events.all.filter(({ type }) => type === 'partition.replica').length, 0)
      await consumer.close()
    })
    mock.restoreAll()
  }
})

test('an unclean election cuts the log: told, nothing that is there now is skipped; with `fail` the partition is parked', {
  timeout: 120_000
}, async () => {
  const topic = await fresh()
  await cluster.tool.produce(topic, { count: 100, prefix: 'kept' })
  await withClient(zookeeper, {}, async ({ client }) => {
    const consumers = (['earliest', 'fail'] as const).map(from =>
      client.subscribe({ partitions: [{ topic, partition: 0, offset: 0n }], from, fetchMaxWaitMs: 100 })
    )
    const [reader, failing] = consumers.map(consumer => new Reader(consumer)) as [Reader, Reader]
    await cluster.broker(2).kill()
    await cluster.waitForIsr(topic, 0, [1])
    await cluster.tool.produce(topic, { count: 50, prefix: 'lost', config: { acks: '1', 'enable.idempotence': 'false' } })
    for (const each of [reader, failing]) await each.messages.count(150, LIMIT_MS)

    await cluster.broker(1).kill()
    await cluster.broker(2).start()
    await cluster.waitForBrokers([2], LIMIT_MS)
    await cluster.tool.electLeaders({ topic, partition: 0 }, { unclean: true })
    await cluster.waitForLeader(topic, 0, leader => leader === 2)
    await cluster.tool.produce(topic, { count: 80, prefix: 'new' })

    const { type: _, ...told } = await reader.first('partition.truncated')
    assert.deepEqual(told, { topic, partition: 0, position: '150', divergentOffset: '100' })
    const position = await reader.first('partition.position', ({ why }) => why === 'truncated')
    assert.equal(position.offset, '100')
    await reader.messages.count(230, LIMIT_MS)
    const values = reader.messages.all.map(({ value }) => String(value))
    assert.deepEqual(
      values.slice(150),
      upTo(80).map(index => `new${index}`)
    )
    assert.deepEqual(reader.offsets().slice(150, 152), [100, 101])
    assert.equal((await failing.first('partition.parked')).error.code, 'LOG_TRUNCATED')
    assert.equal(failing.messages.all.length, 150)
    for (const consumer of consumers) await consumer.close()
  })
  await cluster.heal()

  // What a group has committed under the old leader is compared before it is read on.
  await withClient(kafka, {}, async ({ client }) => {
    const subscription = { partitions: [{ topic, partition: 0 }], group: uniqueName('truncated'), autoCommitIntervalMs: false } as const
    const first = client.subscribe({ ...subscription, from: 'earliest' })
    await new Reader(first).messages.count(180, LIMIT_MS)
    await first.commit({ topic, partition: 0, offset: 150n, leaderEpoch: 0 })
    await first.close()
    const second = client.subscribe(subscription)
    const reader = new Reader(second)
    const { position, divergentOffset } = await reader.first('partition.truncated')
    assert.deepEqual([position, divergentOffset], ['150', '100'])
    await reader.messages.count(80, LIMIT_MS)
    assert.equal(reader.offsets()[0], 100)
    await second.commit()
    const [committed] = await second.committed()
    assert.equal(committed!.offset, 180n)
    assert.ok(committed!.leaderEpoch > 0, 'the epoch of the leader that wrote the last message')
    await second.close()
  })
})
