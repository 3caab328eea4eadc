/**
 * Where a consumer stands, on real brokers: sought, asked, committed by offset, assigned by hand, with topics that come and go. What is
 * committed is judged by Java's admin client.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Cluster as Client, Consumer, Message } from '../../src/index.ts'
import type { ConsumerEmitted, SubscribeOptions } from '../../src/model/events.ts'
import type { Cluster } from '../support/cluster.ts'
import { withClient } from '../support/connected.ts'
import { Gathered } from '../support/gathered.ts'
import type { ClusterKind } from '../support/shared-clusters.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

type Of<T extends ConsumerEmitted['type']> = Extract<ConsumerEmitted, { type: T }>

const KINDS = ['kraft', 'zookeeper'] as const satisfies readonly ClusterKind[]
/** Where members of a group can meet there. */
const MEMBERSHIPS = { kraft: ['manual', 'classic', 'consumer'], zookeeper: ['manual', 'zookeeper'] } as const
const quick = { fetchMaxWaitMs: 100, from: 'earliest' } as const

/** A loop that is asked message by message, and everything that the consumer tells. */
class Reading {
  readonly events = new Gathered<ConsumerEmitted>()
  readonly consumer: Consumer
  readonly #messages: AsyncIterator<Message>

  constructor(client: Client, options: SubscribeOptions) {
    this.consumer = client.subscribe({ ...quick, ...options })
    this.consumer.on('*', event => this.events.add(event))
    this.#messages = this.consumer[Symbol.asyncIterator]()
  }

  async next(): Promise<string> {
    const { value } = await this.#messages.next()
    return `${value.partition}/${value.offset}`
  }

  async take(count: number): Promise<string[]> {
    const out = []
    for (let i = 0; i < count; i++) out.push(await this.next())
    return out
  }

  of<T extends ConsumerEmitted['type']>(type: T, limitMs = 20_000): Promise<Of<T>> {
    return this.events.first(event => event.type === type, limitMs) as Promise<Of<T>>
  }

  async end(): Promise<void> {
    await this.#messages.return!()
  }
}

function testPositions(kind: (typeof KINDS)[number], cluster: Cluster): void {
  const url = kind === 'kraft' ? `kafka://${cluster.bootstrap.join(',')}` : `zookeeper://${cluster.zookeeper}`
  const fresh = async (partitions = 1) => {
    const topic = uniqueName('positions')
    await cluster.createTopic(topic, { partitions, replicationFactor: 1 })
    return topic
  }
  const run = (body: (client: Client) => Promise<void>) => withClient(url, { metadataMaxAgeMs: 500 }, ({ client }) => body(client))

  for (const membership of MEMBERSHIPS[kind])
    test(`membership ${membership}: sought back and forth, the next message is the sought one, and the commit goes back with it`, async () => {
      const [topic, group] = [await fresh(), uniqueName('group')]
      const at = 1_700_000_000_000
      await cluster.tool.produce(topic, { records: Array.from({ length: 20 }, (_, i) => ({ value: `${i}`, timestamp: at + i * 1_000 })) })
      await run(async client => {
        const reading = new Reading(client, { topic, group, membership })
        const { consumer } = reading
        const seek = (to: bigint | 'beginning' | 'end' | 'committed' | Date) => consumer.seek({ topic, partition: 0, to })
        assert.deepEqual(await reading.take(3), ['0/0', '0/1', '0/2'])
        await seek(15n)
        assert.deepEqual(await reading.take(3), ['0/15', '0/16', '0/17'])
        await consumer.commit()
        assert.equal((await consumer.committed())[0]!.offset, 17n)
        await seek('beginning')
        assert.equal(await reading.next(), '0/0')
        await seek(new Date(at + 7_500))
        assert.deepEqual(await reading.take(2), ['0/8', '0/9'])
        await seek('committed')
        assert.equal(await reading.next(), '0/17')
        await seek(4n)
        await consumer.commit()
        assert.equal((await consumer.committed())[0]!.offset, 4n)
        await until('the commit in Kafka', async () => (await cluster.tool.groupOffsets(group))[topic]?.[0] === 4)
        await seek('end')
        const waiting = reading.next()
        await cluster.tool.produce(topic, { records: [{ value: 'new' }] })
        assert.equal(await waiting, '0/20')
        // Behind the end, so the reset policy decides.
        await seek(1_000n)
        assert.equal(await reading.next(), '0/0')
        assert.ok(reading.events.all.some(event => event.type === 'trouble' && event.error.code === 'OFFSET_OUT_OF_RANGE'))
        await assert.rejects(consumer.seek({ topic, partition: 9, to: 0n }), { code: 'NOT_ASSIGNED' })
        await reading.end()
        assert.deepEqual((await cluster.tool.groupOffsets(group))[topic], { 0: 0 })
      })
    })

  test('sought in the moment of its assignment, it begins there', async () => {
    const topic = await fresh(2)
    for (const partition of [0, 1]) await cluster.tool.produce(topic, { count: 10, partition })
    await run(async client => {
      const got = new Gathered<string>()
      const consumer = client.subscribe({ topic, ...quick })
      const handle = await consumer.handle
      handle.on('partition.assigned', ({ partitions }) => handle.seek({ partitions, to: 8n }))
      handle.on('message.batch', ({ messages, ack }) => {
        for (const { partition, offset } of messages) got.add(`${partition}/${offset}`)
        ack()
      })
      await got.count(4)
      assert.deepEqual([...got.all].sort(), ['0/8', '0/9', '1/8', '1/9'])
      await consumer.close()
    })
  })

  test('metadata goes with an offset, and comes back; offsets of others are refused whole', async () => {
    const [topic, group] = [await fresh(2), uniqueName('group')]
    await run(async client => {
      const reading = new Reading(client, { partitions: [{ topic, partition: 0 }], group, autoCommitIntervalMs: false })
      const { consumer } = reading
      await reading.of('partition.assigned')
      await consumer.commit({ topic, partition: 0, offset: 7n, metadata: 'où', leaderEpoch: 0 })
      const expected = { [`${topic}/0`]: { offset: 7, metadata: 'où', leaderEpoch: 0 } }
      assert.deepEqual(await cluster.tool.groupCommits(group), expected)
      assert.deepEqual(await consumer.committed(), [{ topic, partition: 0, offset: 7n, leaderEpoch: 0, metadata: 'où' }])
      const both = [0, 1].map(partition => ({ topic, partition, offset: 9n }))
      await assert.rejects(consumer.commit(both), { code: 'NOT_OWNER' })
      assert.deepEqual(await cluster.tool.groupCommits(group), expected)
      const long = consumer.commit({ ...both[0]!, metadata: 'x'.repeat(5_000) })
      if (kind === 'kraft') await assert.rejects(long, { code: 'OFFSET_METADATA_TOO_LARGE' })
      else {
        // ZooKeeper has the offset; that its copy was refused is told, as of every copy.
        await long
        assert.equal((await reading.of('trouble')).error.code, 'MIRROR_FAILED')
      }
      await reading.end()
    })
    if (kind === 'kraft') return
    assert.equal((await cluster.tool.znodes(`/consumers/${group}/offsets/${topic}/0`))[`/consumers/${group}/offsets/${topic}/0`]!.data, '9')
    await run(async client => {
      const bare = new Reading(client, { partitions: [{ topic, partition: 0 }], group, mirrorOffsets: false })
      await bare.of('partition.assigned')
      const commit = { topic, partition: 0, offset: 8n }
      await assert.rejects(bare.consumer.commit({ ...commit, metadata: 'x' }), { code: 'METADATA_UNSUPPORTED' })
      await bare.consumer.commit(commit)
      assert.deepEqual(await bare.consumer.committed(), [{ ...commit, leaderEpoch: -1, metadata: '' }])
      await bare.end()
    })
  })

  test('lag as value and as event, also of a partition that rests', async () => {
    const topic = await fresh(2)
    for (const partition of [0, 1]) await cluster.tool.produce(topic, { count: 10, partition, keyed: false })
    await run(async client => {
      const partitions = [0, 1].map(partition => ({ topic, partition, offset: 0n }))
      const reading = new Reading(client, { partitions, lagIntervalMs: 50 })
      const { consumer } = reading
      await consumer.pause([{ topic, partition: 1 }])
      assert.deepEqual(await reading.take(4), ['0/0', '0/1', '0/2', '0/3'])
      const lag = async () => (await consumer.lag()).sort((a, b) => a.partition - b.partition)
      assert.deepEqual(await lag(), [
        { topic, partition: 0, position: 3n, end: 10n, lag: 7n },
        { topic, partition: 1, position: 0n, end: 10n, lag: 10n }
      ])
      await cluster.tool.produce(topic, { count: 5, partition: 1, keyed: false })
      assert.equal((await lag())[1]!.lag, 15n)
      consumer.on('partition.lag', () => {})
      const { partitions: told } = await reading.of('partition.lag')
      assert.equal(told.find(({ partition }) => partition === 1)!.lag, 15n)
      await reading.end()
    })
  })

  test('an assignment by hand that changes: what goes is committed, what stays is not interrupted, what comes begins where it should', async () => {
    const [topic, group] = [await fresh(3), uniqueName('group')]
    for (const partition of [0, 1, 2]) await cluster.tool.produce(topic, { count: 10, partition })
    await run(async client => {
      const partitions = [{ topic, partition: 0 }]
      const reading = new Reading(client, { partitions, group, autoCommitIntervalMs: 60_000, revokeTimeoutMs: 300 })
      const { consumer } = reading
      assert.deepEqual(await reading.take(4), ['0/0', '0/1', '0/2', '0/3'])
      await consumer.assign([
        { topic, partition: 0 },
        { topic, partition: 1, offset: 9n }
      ])
      assert.deepEqual((await consumer.assignment()).map(({ partition }) => partition).sort(), [0, 1])
      assert.deepEqual((await reading.take(7)).sort(), ['0/4', '0/5', '0/6', '0/7', '0/8', '0/9', '1/9'])
      const assigning = consumer.assign([{ topic, partition: 2 }])
      // The message in hand is done when the next one is asked for.
      assert.equal(await reading.next(), '2/0')
      await assigning
      assert.deepEqual(await consumer.assignment(), [{ topic, partition: 2 }])
      assert.deepEqual((await cluster.tool.groupOffsets(group))[topic], { 0: 10, 1: 10 })
      await cluster.tool.produce(topic, { count: 1, partition: 1 })
      const back = consumer.assign([{ topic, partition: 1 }])
      assert.equal(await reading.next(), '1/10')
      await back
      await consumer.assign([])
      assert.deepEqual(await consumer.assignment(), [])
      await reading.end()
      // 2/0 was done when 1/10 was asked for; 1/10 was in hand when its partition was let go of.
      assert.deepEqual((await cluster.tool.groupOffsets(group))[topic], { 0: 10, 1: 10, 2: 1 })
    })
  })

  test('topics that match come and go, and one that is made again is another one', { timeout: 60_000 }, async () => {
    const prefix = uniqueName('live')
    const [one, two] = [`${prefix}-one`, `${prefix}-two`]
    await cluster.createTopic(one, { replicationFactor: 1 })
    await cluster.tool.produce(one, { count: 5 })
    await run(async client => {
      const reading = new Reading(client, { pattern: `${prefix}-.*` })
      assert.deepEqual(await reading.take(5), ['0/0', '0/1', '0/2', '0/3', '0/4'])
      await cluster.createTopic(two, { partitions: 2, replicationFactor: 1 })
      await cluster.tool.produce(two, { count: 3, partition: 1 })
      assert.deepEqual(await reading.take(3), ['1/0', '1/1', '1/2'])
      const waiting = reading.next()
      await cluster.tool.deleteTopics(two)
      const { partitions } = (await reading.events.first(
        event => event.type === 'partition.revoked' && event.partitions.some(({ topic }) => topic === two),
        20_000
      )) as Of<'partition.revoked'>
      assert.equal(partitions.length, 2)
      assert.ok(reading.events.all.some(event => event.type === 'member.state' && event.reason.includes(two)))
      await until('the topic anew', () => cluster.createTopic(two, { partitions: 2, replicationFactor: 1 }))
      await cluster.tool.produce(two, { count: 2, partition: 1 })
      assert.deepEqual([await waiting, await reading.next()], ['1/0', '1/1'])
      await reading.end()
    })
  })

  test('made again under a consumer that goes by `latest`: told with both ids, and none of its messages is missed', {
    timeout: 60_000
  }, async () => {
    const [topic, group] = [await fresh(), uniqueName('group')]
    await cluster.tool.produce(topic, { count: 5 })
    const { topicId: oldId } = await cluster.tool.describe(topic)
    await run(async client => {
      const reading = new Reading(client, { partitions: [{ topic, partition: 0 }], group, from: 'latest', autoCommitIntervalMs: 100 })
      await reading.of('partition.position')
      const first = reading.next()
      await cluster.tool.produce(topic, { count: 1 })
      assert.equal(await first, '0/5')
      const waiting = reading.next()
      await reading.events.first(event => event.type === 'committed' && event.offsets[0]!.offset === '6')
      await cluster.tool.deleteTopics(topic)
      const { topicId: newId } = await until('the topic anew', () => cluster.createTopic(topic, { replicationFactor: 1 }))
      await cluster.tool.produce(topic, { count: 3 })
      assert.deepEqual(await reading.of('topic.recreated'), { type: 'topic.recreated', topic, oldId, newId })
      assert.deepEqual([await waiting, ...(await reading.take(2))], ['0/0', '0/1', '0/2'])
      const third = reading.next()
      await until('the commit', async () => (await cluster.tool.groupOffsets(group))[topic]?.[0] === 3)
      await cluster.tool.produce(topic, { count: 1 })
      await third
      await reading.end()
    })
  })

  for (const membership of MEMBERSHIPS[kind].filter(each => each !== 'manual'))
    test(`made again under a member (${membership}): read from its beginning, and nothing of the old one is committed into it`, {
      timeout: 60_000
    }, async () => {
      const [topic, group] = [await fresh(), uniqueName('group')]
      await cluster.tool.produce(topic, { count: 50 })
      await run(async client => {
        const reading = new Reading(client, { topic, group, membership, autoCommitIntervalMs: 50 })
        assert.equal((await reading.take(50)).at(-1), '0/49')
        const waiting = reading.next()
        await reading.events.first(event => event.type === 'committed' && event.offsets[0]!.offset === '50')
        await cluster.tool.deleteTopics(topic)
        await until('the topic anew', () => cluster.createTopic(topic, { replicationFactor: 1 }))
        await cluster.tool.produce(topic, { count: 60 })
        assert.deepEqual(
          [await waiting, ...(await reading.take(59))].map((at, index) => at === `0/${index}`),
          Array(60).fill(true)
        )
        const third = reading.next()
        await until('the commit', async () => (await cluster.tool.groupOffsets(group))[topic]?.[0] === 60)
        await cluster.tool.produce(topic, { count: 1 })
        await third
        await reading.end()
      })
    })
}

for (const kind of KINDS) {
  const cluster = await useCluster(kind)
  describe(kind, () => testPositions(kind, cluster))
}
