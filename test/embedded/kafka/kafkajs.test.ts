/**
 * kafkajs 2.2.4, unchanged, against embedded brokers: topics, records with each of its codecs, an idempotent producer, a consumer.
 */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { npmPackages } from '../../support/npm.ts'
import { startCluster } from './support.ts'

/** As far as it is used here. */
interface Kafkajs {
  Kafka: new (
    options: object
  ) => {
    admin(): {
      connect(): Promise<void>
      disconnect(): Promise<void>
      createTopics(options: object): Promise<boolean>
      listTopics(): Promise<string[]>
      fetchTopicOffsets(topic: string): Promise<{ partition: number; offset: string }[]>
      describeConfigs(options: object): Promise<{ resources: { configEntries: { configName: string; configValue: string }[] }[] }>
      deleteTopicRecords(options: object): Promise<void>
    }
    producer(options?: object): {
      connect(): Promise<void>
      disconnect(): Promise<void>
      send(options: object): Promise<{ baseOffset: string }[]>
    }
    consumer(options: object): {
      connect(): Promise<void>
      disconnect(): Promise<void>
      subscribe(options: object): Promise<void>
      run(options: { eachMessage(given: { message: { value: Buffer } }): Promise<void> }): Promise<void>
    }
  }
  logLevel: { NOTHING: number }
  CompressionTypes: { None: number; GZIP: number }
}

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'

test('kafkajs makes topics, writes and reads', { timeout: 30_000 }, async t => {
  const folder = await npmPackages('npm', 'kafkajs-2.2.4', { kafkajs: '2.2.4' })
  const { Kafka, logLevel, CompressionTypes } = createRequire(join(folder, 'package.json'))('kafkajs') as Kafkajs
  const { brokers, state, before } = await startCluster(t, { brokers: 2, config: { 'group.min.session.timeout.ms': '100' } })
  const kafka = new Kafka({ brokers: brokers.map(({ address }) => address), logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  before(() => admin.disconnect())
  const configEntries = [{ name: 'retention.ms', value: '5000' }]
  assert.equal(await admin.createTopics({ topics: [{ topic: 'a', numPartitions: 2, replicationFactor: 2, configEntries }] }), true)
  assert.deepEqual(await admin.listTopics(), ['a'])
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: 2, name: 'a', configNames: ['retention.ms'] }]
  })
  assert.equal(resources[0]!.configEntries[0]!.configValue, '5000')

  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  before(() => producer.disconnect())
  const messages = (prefix: string) => Array.from({ length: 10 }, (_, i) => ({ partition: 0, key: `k${i}`, value: prefix + i }))
  for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
    const [written] = await producer.send({ topic: 'a', compression, acks: -1, messages: messages(`v${compression}-`) })
    assert.equal(Number(written!.baseOffset), compression * 10)
  }
  assert.deepEqual((await admin.fetchTopicOffsets('a')).map(({ partition, offset }) => [partition, offset]).sort(), [
    [0, '20'],
    [1, '0']
  ])
  const consumer = kafka.consumer({ groupId: 'g', sessionTimeout: 6_000, maxWaitTimeInMs: 100 })
  await consumer.connect()
  before(() => consumer.disconnect())
  await consumer.subscribe({ topics: ['a'], fromBeginning: true })
  const got: string[] = []
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: { message: { value: Buffer } }) => {
      if (got.push(String(message.value)) === 20) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  assert.deepEqual(
    got,
    [...messages('v0-'), ...messages('v1-')].map(({ value }) => value)
  )
  await admin.deleteTopicRecords({ topic: 'a', partitions: [{ partition: 0, offset: '5' }] })
  assert.equal(state.partition('a', 0)!.logStartOffset, 5)
})
