/**
 * The harness itself: a real cluster comes up, does what it is told, survives what is done to it, and a real Scala member reads from it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ScalaMember } from '../support/scala-member.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster()

test('three brokers are registered in Kafka and in ZooKeeper', async () => {
  assert.deepEqual((await cluster.tool.brokers()).ids, [1, 2, 3])
  const znodes = await cluster.tool.znodes('/brokers/ids')
  assert.deepEqual(Object.keys(znodes), ['/brokers/ids', '/brokers/ids/1', '/brokers/ids/2', '/brokers/ids/3'])
  const { endpoints } = JSON.parse(znodes['/brokers/ids/1']!.data!) as { endpoints: string[] }
  assert.deepEqual(endpoints, [`PLAINTEXT://${cluster.bootstrap[0]}`])
})

test("what Java's producer wrote is what Java's consumer reads", async () => {
  const topic = uniqueName('harness')
  await cluster.createTopic(topic, { partitions: 3, replicationFactor: 3 })
  const written = await cluster.tool.produce(topic, { count: 500, valueBytes: 50, config: { 'compression.type': 'lz4' } })
  const read = await cluster.tool.consume(topic)
  assert.equal(read.count, 500)
  assert.equal(read.distinct, 500)
  for (const [partition, range] of Object.entries(written)) {
    const { crc, ...found } = read.partitions[partition]!
    assert.deepEqual(found, range)
    assert.ok(crc > 0)
  }
  const ends = await cluster.tool.offsets(topic)
  assert.equal(
    Object.values(ends).reduce((sum, each) => sum + each, 0),
    500
  )
})

test('records keep their keys, headers and nulls, and an aborted transaction is not read as committed', async () => {
  const topic = uniqueName('harness')
  await cluster.createTopic(topic, { replicationFactor: 3 })
  await cluster.tool.produce(topic, { records: [{ value: 'gone' }], transaction: 'abort' })
  await cluster.tool.produce(topic, { records: [{ key: 'k', value: null, timestamp: 1700000000000, headers: { trace: 'x' } }] })
  const { records } = await cluster.tool.consume(topic, { committed: true, records: true })
  assert.equal(records.length, 1)
  const { partition, timestamp, key, value, headers } = records[0]!
  assert.deepEqual(
    { partition, timestamp, key, value, headers },
    {
      partition: 0,
      timestamp: 1700000000000,
      key: Buffer.from('k'),
      value: null,
      headers: [['trace', Buffer.from('x')]]
    }
  )
})

test('a killed leader is followed by another, comes back, and the cluster heals', async () => {
  const topic = uniqueName('harness')
  await cluster.createTopic(topic, { assignment: [[2, 3, 1]] })
  assert.equal(await cluster.waitForLeader(topic, 0), 2)
  const { pid } = cluster.broker(2)
  await cluster.broker(2).kill()
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  const next = await cluster.waitForLeader(topic, 0, leader => leader !== 2)
  assert.ok([1, 3].includes(next))
  await cluster.tool.produce(topic, { count: 10 })
  await cluster.broker(2).start()
  await cluster.waitForIsr(topic, 0, [1, 2, 3])
  await cluster.heal()
  assert.equal(await cluster.waitForLeader(topic, 0), 2)
  assert.equal((await cluster.tool.consume(topic)).count, 10)
})

test('a leader moves where it is told to', async () => {
  const topic = uniqueName('harness')
  await cluster.createTopic(topic, { assignment: [[1, 2, 3]] })
  await cluster.moveLeader(topic, 0, 3)
  assert.equal((await cluster.tool.describe(topic)).partitions[0]!.leader, 3)
})

test('a frozen ZooKeeper answers nothing and goes on when thawed', async () => {
  await cluster.zk.freeze()
  assert.equal(cluster.zk.state, 'frozen')
  await cluster.zk.thaw()
  assert.ok((await cluster.tool.znodes('/controller'))['/controller'])
})

test('two real Scala members share a topic, and the second takes over what the first leaves', async () => {
  const topic = uniqueName('harness')
  const group = uniqueName('group')
  await cluster.createTopic(topic, { partitions: 4, replicationFactor: 1 })
  await cluster.tool.produce(topic, { count: 100 })
  const first = await ScalaMember.start({ zookeeper: cluster.zookeeper, group, topics: { [topic]: 2 } })
  await first.waitForRecords(100)
  const ids = Object.keys(await cluster.tool.znodes(`/consumers/${group}/ids`))
  assert.deepEqual(ids, [`/consumers/${group}/ids`, `/consumers/${group}/ids/${first.memberId}`])

  const second = await ScalaMember.start({ zookeeper: cluster.zookeeper, group, whitelist: topic })
  await Promise.all([first.waitForAssigned(3), second.waitForAssigned(1)])
  await first.commit()
  await first.close()
  await second.waitForAssigned(4)
  await cluster.tool.produce(topic, { count: 20, prefix: 'w' })
  const records = await second.waitForRecords(20)
  assert.deepEqual(new Set(records.map(record => record.value)).size, 20)
  assert.ok(records.every(record => record.value!.startsWith('w')))
  await second.kill()
})
