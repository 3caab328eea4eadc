/**
 * What a subscription in a ZooKeeper group means for its user: where it begins, what counts as processed, what is committed where, which
 * partitions are read, and what one slow or paused partition does to the others.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Message, SubscribeOptions } from '../../src/index.ts'
import { withClient } from '../support/connected.ts'
import { GroupRun, placeOf } from '../support/group-run.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster()
const url = `zookeeper://${cluster.zookeeper}`

/** Reads so many messages and breaks with the last one in hand. */
async function read(consumer: AsyncIterable<Message>, count: number): Promise<string[]> {
  const values: string[] = []
  for await (const { value } of consumer) if (values.push(String(value)) === count) break
  return values
}
/** Offsets of a group where ZooKeeper has them, and where Kafka's tools see them. */
async function offsetsOf(group: string, topic: string): Promise<{ zookeeper: Record<string, number>; kafka: Record<string, number> }> {
  const nodes = await cluster.tool.znodes(`/consumers/${group}/offsets/${topic}`)
  const partitions = Object.entries(nodes).flatMap(([path, { data }]) => {
    const partition = /\/(\d+)$/.exec(path)?.[1]
    return partition === undefined ? [] : [[partition, Number(data)] as const]
  })
  return { zookeeper: Object.fromEntries(partitions), kafka: (await cluster.tool.groupOffsets(group))[topic] ?? {} }
}

describe('reading in a group', { timeout: 90_000 }, () => {
  test('a loop that breaks commits what it was through with: the message in hand comes again, nothing else does', async () => {
    const [topic, group] = [uniqueName('reading'), uniqueName('group')]
    await cluster.createTopic(topic)
    const values = Array.from({ length: 100 }, (_, i) => `v${i}`)
    await cluster.tool.produce(topic, { records: values.map(value => ({ value })) })
    await withClient(url, {}, async ({ client }) => {
      const subscribe = () => client.topic(topic).subscribe({ group, from: 'earliest' })
      assert.deepEqual(await read(subscribe(), 40), values.slice(0, 40))
      assert.deepEqual(await offsetsOf(group, topic), { zookeeper: { 0: 39 }, kafka: { 0: 39 } })
      assert.deepEqual(await read(subscribe(), 61), values.slice(39))
      assert.deepEqual(await offsetsOf(group, topic), { zookeeper: { 0: 99 }, kafka: { 0: 99 } })
      // Closed by a signal while it waits for more: then all of it counts.
      const done = new AbortController()
      for await (const _ of client.topic(topic).subscribe({ group, signal: done.signal })) setImmediate(() => done.abort())
      assert.deepEqual(await offsetsOf(group, topic), { zookeeper: { 0: 100 }, kafka: { 0: 100 } })
    })
  })

  test('what is committed lies in ZooKeeper, and the same in Kafka; without the copy Kafka knows nothing of the group', async () => {
    const topic = uniqueName('reading')
    await cluster.createTopic(topic, { partitions: 3 })
    for (const partition of [0, 1, 2]) await cluster.tool.produce(topic, { partition, count: 10 * (partition + 1) })
    for (const mirrorOffsets of [true, false]) {
      await using run = await GroupRun.start(cluster, [1])
      const one = await run.join({ topic, mirrorOffsets, autoCommitIntervalMs: false })
      await one.waitForRecords(60)
      assert.deepEqual(await offsetsOf(run.group, topic), { zookeeper: {}, kafka: {} }, 'nothing before the commit')
      await one.handle.commit()
      const expected = { 0: 10, 1: 20, 2: 30 }
      assert.deepEqual((await offsetsOf(run.group, topic)).zookeeper, expected)
      if (mirrorOffsets)
        await until('the copy', async () => JSON.stringify((await offsetsOf(run.group, topic)).kafka) === JSON.stringify(expected))
      await run.leave(one)
      assert.deepEqual(await offsetsOf(run.group, topic), { zookeeper: expected, kafka: mirrorOffsets ? expected : {} })
    }
  })

  test('four members on three partitions: one says that it is surplus, and takes over when another leaves', async () => {
    await using run = await GroupRun.start(cluster, [3])
    const members = await Promise.all([1, 2, 3, 4].map(() => run.join()))
    const counts = () => members.map(({ owned }) => owned.length).sort()
    await until('all are owned', () => counts().join() === '0,1,1,1')
    const surplus = members.find(({ owned }) => owned.length === 0)!
    await until('it is told', () => surplus.told('member.surplus').some(event => event.partitions === 3 && event.members === 4))
    const stream = run.publish()
    await stream.more(50)
    assert.equal(surplus.records.length, 0)
    await run.leave(members.find(({ owned }) => owned.length === 1)!)
    await surplus.waitForOwned(1)
    await surplus.waitForRecords(20)
    assert.equal((await run.allDelivered()).size, 0, 'nothing comes twice')
  })

  test('a pattern takes up partitions and topics that are added, from their first message', async () => {
    await using run = await GroupRun.start(cluster, [2])
    const pattern = `${run.topic.slice(0, -2)}-.*`
    const members = [await run.join({ pattern }), await run.join({ pattern })]
    await Promise.all(members.map(member => member.waitForOwned(1)))
    const added = `${run.topic.slice(0, -2)}-1`
    await cluster.createTopic(added, { partitions: 2 })
    const stream = run.publish([run.topic, added])
    await Promise.all(members.map(member => member.waitForOwned(2)))
    await stream.more(50)
    await cluster.tool.addPartitions(run.topic, 6)
    await Promise.all(members.map(member => member.waitForOwned(4)))
    await until('messages are published to them', () => [...stream.places.values()].some(place => place.startsWith(`${run.topic}/5/`)))
    assert.equal((await run.allDelivered()).size, 0, 'nothing comes twice')
  })

  test('where nothing is committed it begins as it was told: earliest, latest, at a time, or not at all', async () => {
    const topic = uniqueName('reading')
    await cluster.createTopic(topic)
    const at = 1_700_000_000_000
    await cluster.tool.produce(topic, { records: [0, 1, 2].map(i => ({ value: `v${i}`, timestamp: at + i * 1000 })) })
    await withClient(url, {}, async ({ client }) => {
      const subscribe = (from: NonNullable<SubscribeOptions['from']>) => client.topic(topic).subscribe({ group: uniqueName('group'), from })
      assert.deepEqual(await read(subscribe('earliest'), 3), ['v0', 'v1', 'v2'])
      assert.deepEqual(await read(subscribe(new Date(at + 500)), 2), ['v1', 'v2'])
      await assert.rejects(read(subscribe('fail'), 1), { code: 'NO_COMMITTED_OFFSET' })
      const latest = subscribe('latest')
      const located = new Promise(resolve => latest.on('partition.position', resolve))
      const reading = read(latest, 1)
      assert.deepEqual(await located, { type: 'partition.position', topic, partition: 0, offset: '3', why: 'reset' })
      await cluster.tool.produce(topic, { records: [{ value: 'new' }] })
      assert.deepEqual(await reading, ['new'])
    })
  })

  test('a paused partition, and one whose handler hangs, hold up nobody; revoked, the hanging work is aborted and comes again', async () => {
    await using run = await GroupRun.start(cluster, [3])
    const { topic } = run
    for (const partition of [0, 1, 2]) await cluster.tool.produce(topic, { partition, count: 200 })
    await withClient(url, {}, async ({ client }) => {
      const subscribe = { group: run.group, from: 'earliest', autoCommitIntervalMs: 100, revokeTimeoutMs: 500 } as const
      const consumer = client.topic(topic).subscribe(subscribe)
      await consumer.pause([{ topic, partition: 1 }])
      const seen: { topic: string; partition: number; offset: number }[] = []
      let aborted: unknown
      consumer.on('message.batch', ({ partition, messages, signal, ack }) => {
        for (const { offset } of messages) seen.push({ topic, partition, offset: Number(offset) })
        if (partition !== 2) return ack()
        return new Promise(resolve => signal.addEventListener('abort', () => resolve(void (aborted = signal.reason)), { once: true }))
      })
      const count = (partition: number) => seen.filter(record => record.partition === partition).length
      await until('the free one is read to its end', () => count(0) === 200)
      assert.ok(count(1) === 0 && count(2) > 0 && count(2) <= 200)
      await consumer.resume([{ topic, partition: 1 }])
      await until('the other goes on', () => count(1) === 200)
      const committed = { 0: 200, 1: 200, 2: 0 }
      await until('they are committed', async () => {
        return JSON.stringify((await offsetsOf(run.group, topic)).zookeeper) === JSON.stringify(committed)
      })
      // The younger member gets the last partition of three.
      const heir = await run.join({ topic })
      await heir.waitForOwned(1)
      assert.deepEqual(heir.owned, [`${topic}/2`])
      assert.equal((aborted as { code?: string }).code, 'REVOKED')
      await heir.waitForRecords(200)
      assert.deepEqual(
        heir.records.map(placeOf),
        Array.from({ length: 200 }, (_, i) => `${topic}/2/${i}`)
      )
      await consumer.close()
    })
  })
})
