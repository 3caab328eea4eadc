/**
 * Kafka's own clients and tools, 3.9.1 and 4.x, unchanged against embedded brokers.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { decodeRecords, RecordBatch } from '../../../src/wire/records/index.ts'
import { quickStart } from '../../support/java.ts'
import { KafkaTool } from '../../support/kafka-tool.ts'
import { jarsFor } from '../../support/maven.ts'
import { toolFor } from '../../support/tool-process.ts'
import { VerifiableTool } from '../../support/verifiable-tool.ts'
import { startCluster } from './support.ts'

const limitMs = 60_000

/** A console tool of 3.9.1: what it prints. */
async function consoleTool(main: string, args: string[]): Promise<string> {
  const jars = await jarsFor('kafka-3.9.1')
  return new Promise((resolve, reject) => {
    const all = [...quickStart, '-Xmx128m', '-cp', join(jars, '*'), `org.apache.kafka.tools.${main}`, ...args]
    execFile('java', all, { timeout: limitMs }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${main} failed: ${error.message}\n${stdout}\n${stderr}`))
      else resolve(stdout)
    })
  })
}

test("Kafka's console tools make, list and describe topics, and find offsets", async t => {
  const { brokers, state } = await startCluster(t, { brokers: 3 })
  const at = ['--bootstrap-server', brokers.map(({ address }) => address).join(',')]
  assert.match(
    await consoleTool('TopicCommand', [
      ...at,
      '--create',
      '--topic',
      'a',
      '--partitions',
      '3',
      '--replication-factor',
      '3',
      '--config',
      'retention.ms=1000'
    ]),
    /Created topic a\./
  )
  assert.equal(state.topic('a')!.partitions.length, 3)
  const described = await consoleTool('TopicCommand', [...at, '--describe', '--topic', 'a'])
  assert.match(described, /PartitionCount: 3\s+ReplicationFactor: 3\s+Configs: retention\.ms=1000/)
  assert.match(described, /Partition: 2\s+Leader: 3\s+Replicas: 3,1,2\s+Isr: 1,2,3|Partition: 2\s+Leader: 3\s+Replicas: 3,1,2\s+Isr: 3,1,2/)
  assert.match(await consoleTool('GetOffsetShell', [...at, '--topic', 'a']), /a:0:0\na:1:0\na:2:0/)
})

test("Java's clients write with each codec, in transactions and out of them, and read it all back; admins change what they like", async t => {
  const { brokers, state, broker } = await startCluster(t, { brokers: 3 })
  const bootstrap = brokers.map(({ address }) => address)
  const tool = new KafkaTool(toolFor(bootstrap, undefined))
  assert.deepEqual(await tool.brokers(), { clusterId: state.clusterId, controller: 1, ids: [1, 2, 3] })
  await tool.createTopics({ a: { partitions: 2, replicationFactor: 3 }, b: { partitions: 1 } })
  assert.deepEqual((await tool.topics()).sort(), ['a', 'b'])
  for (const [at, codec] of ['none', 'gzip', 'snappy', 'lz4', 'zstd'].entries()) {
    const written = await tool.produce('a', { partition: 0, count: 50, valueBytes: 100, config: { 'compression.type': codec } })
    assert.deepEqual(written['0'], { first: at * 50, last: at * 50 + 49, count: 50 })
  }
  await tool.produce('b', { partition: 0, count: 3, prefix: 'c', transaction: 'commit' })
  await tool.produce('b', { partition: 0, count: 3, prefix: 'd', transaction: 'abort' })
  await tool.produce('b', { partition: 0, count: 1, prefix: 'e' })
  assert.deepEqual(await tool.offsets('b'), { 0: 9 })
  assert.deepEqual((await tool.consume('b', { partition: 0, committed: true, values: true })).values, ['c0', 'c1', 'c2', 'e0'])
  assert.equal((await tool.consume('b', { partition: 0, values: true })).values.length, 7)
  assert.equal((await tool.consume('a', { partition: 0, values: true })).values.length, 250)
  assert.deepEqual(await tool.offsets('a', 'earliest'), { 0: 0, 1: 0 })
  assert.ok((await tool.offsets('a', 'maxTimestamp'))['0']! >= 200)
  await tool.deleteRecords('a', 0, 100)
  assert.deepEqual(await tool.offsets('a', 'earliest'), { 0: 100, 1: 0 })
  assert.ok((await tool.producers('b', 0)).length >= 2)
  await tool.addPartitions('a', 3)
  await tool.alterConfig({ topic: 'a' }, { 'retention.ms': '5000' })
  assert.equal(state.configs.topic('a', 'retention.ms'), '5000')
  const { leader } = state.partition('a', 0)!
  broker(leader).kill()
  assert.equal((await tool.describe('a')).partitions[0]!.isr.length, 2)
  await broker(leader).restart()
  await tool.electLeaders('all')
  assert.equal((await tool.describe('a')).partitions[0]!.leader, leader)
  await tool.deleteTopics('b')
  assert.equal(state.topic('b'), undefined)
})

for (const profile of ['3.9', '4.x'] as const)
  test(`Java's verifiable producer 4.x writes on while the leader dies, to brokers as of ${profile}`, async t => {
    const { brokers, state, broker } = await startCluster(t, { brokers: 3, broker: { profile } })
    state.createTopic({ name: 'a', assignments: [[1, 2, 3]] })
    const bootstrap = brokers.map(({ address }) => address).join(',')
    const args = ['--bootstrap-server', bootstrap, '--topic', 'a', '--max-messages', '2000', '--throughput', '2000', '--acks', '-1']
    const producer = await VerifiableTool.start({ whose: 'java', tool: 'producer', args })
    await producer.until('500 acknowledged', () => producer.named('producer_send_success').length >= 500, limitMs)
    broker(1).kill()
    assert.equal(await producer.ended, 0)
    const partition = state.partition('a', 0)!
    const acked = producer.named('producer_send_success')
    // It never sends anything again; what was on its way when the leader died is told as failed.
    assert.equal(acked.length + producer.named('producer_send_error').length, 2_000)
    assert.ok(acked.length > 1_000)
    const values = new Map<number, string>()
    for (const { bytes } of partition.log!.batches)
      for (const { offset, value } of decodeRecords(new RecordBatch(bytes), { topic: 'a', partition: 0 }, 0n))
        values.set(Number(offset), String(value))
    for (const { offset, value } of acked) assert.equal(values.get(offset!), value)
    assert.equal(new Set(values.values()).size, values.size, 'each is there once')
    assert.equal(partition.highWatermark, values.size)
    assert.notEqual(partition.leader, 1)
  })
