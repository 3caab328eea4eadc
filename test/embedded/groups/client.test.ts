/**
 * The real client's group members against embedded brokers: shared, handed over, gone on with at another coordinator, with nothing lost.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Groups } from '../../../src/embedded/kafka/groups/index.ts'
import { type Cluster, type Consumer, connect } from '../../../src/index.ts'
import { until } from '../../support/until.ts'
import { startCluster, type TestCluster } from '../kafka/support.ts'

const QUICK = { 'group.consumer.heartbeat.interval.ms': '40' }
const TOPIC = 'shared'
const PARTITIONS = 4

interface Reader {
  consumer: Consumer
  seen: string[]
  done: Promise<void>
}

async function connected(t: TestContext, url: string): Promise<Cluster> {
  const cluster = await connect(url, { retryBackoffMs: 10, reconnectBackoffMs: 10 })
  t.after(() => cluster.close({ timeoutMs: 1_000 }))
  return cluster
}

function read(cluster: Cluster, membership: 'classic' | 'consumer', group = 'g'): Reader {
  const consumer = cluster.subscribe({
    topic: TOPIC,
    group,
    membership,
    from: 'earliest',
    heartbeatIntervalMs: 50,
    autoCommitIntervalMs: 50
  })
  const seen: string[] = []
  const done = (async () => {
    for await (const message of consumer) seen.push(String(message.value))
  })()
  return { consumer, seen, done }
}

async function publish(cluster: Cluster, from: number, count: number): Promise<string[]> {
  const values = Array.from({ length: count }, (_, i) => `m${from + i}`)
  await Promise.all(values.map((value, i) => cluster.topic(TOPIC).publish({ partition: i % PARTITIONS, value })))
  return values
}

const owned = async (...readers: Reader[]) =>
  (await Promise.all(readers.map(({ consumer }) => consumer.assignment()))).map(({ length }) => length)
const shares = (counts: number[], readers: Reader[]) =>
  until(`shares ${counts}`, async () => (await owned(...readers)).sort().join() === [...counts].sort().join(), 6_000)

async function begin(t: TestContext): Promise<{ cluster: TestCluster; client: () => Promise<Cluster>; publisher: Cluster }> {
  const cluster = await startCluster(t, { brokers: 3, config: { ...QUICK, 'default.replication.factor': '3' } })
  const client = () => connected(t, cluster.url)
  const publisher = await client()
  await publisher.admin.createTopic(TOPIC, { partitions: PARTITIONS, replicationFactor: 3 })
  return { cluster, client, publisher }
}

for (const membership of ['classic', 'consumer'] as const)
  test(`two ${membership} members share a topic; when one leaves the other goes on from where it was`, async t => {
    const { cluster, client, publisher } = await begin(t)
    const first = read(await client(), membership)
    await shares([4], [first])
    const second = read(await client(), membership)
    await shares([2, 2], [first, second])
    const sent = await publish(publisher, 0, 40)
    await until('all of it', () => first.seen.length + second.seen.length >= 40, 6_000)
    await second.consumer.close()
    await second.done
    await shares([4], [first])
    sent.push(...(await publish(publisher, 40, 20)))
    await until('the rest', () => new Set([...first.seen, ...second.seen]).size === 60, 6_000)
    assert.deepEqual([...first.seen, ...second.seen].sort(), sent.sort())
    await first.consumer.close()
    await first.done
    const { coordinator } = cluster.state.part(Groups)
    assert.equal(coordinator.group('g')!.state, 'Empty')
    const offsets = [0, 1, 2, 3].map(partition => coordinator.keeper.fetch('g', TOPIC, partition, true))
    assert.deepEqual(
      offsets.map(each => each && 'offset' in each && each.offset),
      [15n, 15n, 15n, 15n]
    )
  })

for (const membership of ['classic', 'consumer'] as const)
  test(`${membership} members go on when their coordinator dies`, async t => {
    const { cluster, client, publisher } = await begin(t)
    const readers = [read(await client(), membership), read(await client(), membership)]
    await shares([2, 2], readers)
    const dead = cluster.state.coordinatorOf('group', 'g')
    cluster.broker(dead).kill()
    const sent = await publish(publisher, 0, 40)
    const seen = () => readers.flatMap(reader => reader.seen)
    await until('all of it', () => new Set(seen()).size === 40, 6_000)
    await shares([2, 2], readers)
    assert.deepEqual([...new Set(seen())].sort(), sent.sort())
    assert.notEqual(cluster.state.coordinatorOf('group', 'g'), dead)
    for (const { consumer, done } of readers) {
      await consumer.close()
      await done
    }
  })

test('groups are listed, described and deleted', async t => {
  const { client, publisher } = await begin(t)
  await publish(publisher, 0, 8)
  const reader = read(await client(), 'classic', 'admin')
  await until('all of it', () => reader.seen.length === 8, 6_000)
  const groups = await publisher.admin.groups()
  assert.equal(groups.find(({ group }) => group === 'admin')?.state, 'Stable')
  await assert.rejects(publisher.admin.deleteGroup('admin'), { code: 'NON_EMPTY_GROUP' })
  await reader.consumer.close()
  await reader.done
  await publisher.admin.deleteGroup('admin')
  assert.equal((await publisher.admin.groups()).length, 0)
})
