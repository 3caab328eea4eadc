/**
 * The outbox on embedded brokers, at their worst moments: killed publishers, killed leaders, brokers that forget, brokers that cannot say.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'
import { type Cluster, type ClusterEmitted, type ConnectOptions, connect, type Topic } from '../../src/index.ts'
import { type EmbeddedCluster, startCluster } from '../../src/testing.ts'
import type { ResponseOf } from '../../src/wire/apis.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { MemoryFiles } from '../support/memory-files.ts'
import { killPublishers } from '../support/outbox-kills.ts'
import { samsa } from '../support/samsa-command.ts'
import { until } from '../support/until.ts'
import { VirtualWorld } from '../support/virtual-world.ts'

const DESCRIBE_PRODUCERS = 61
const folder = await mkdtemp(join(tmpdir(), 'samsa-outbox-'))
after(() => rm(folder, { recursive: true, force: true }))

/** Every value in the log, by partition. */
async function readAll(cluster: EmbeddedCluster, topic: string): Promise<string[][]> {
  const ends = [0, 1, 2, 3].map(partition => cluster.partition(topic, partition).highWatermark)
  const count = ends.reduce((sum, end) => sum + end, 0)
  const { lines } = await samsa(['consume', topic, '-b', '-n', String(count), '-f', '%p %v\\n', '--cluster', cluster.url])
  return ends.map((_, partition) => lines.filter(line => line.startsWith(`${partition} `)).map(line => line.slice(line.indexOf(' ') + 1)))
}

test('publishers and leaders are killed: nothing that was accepted is lost, nothing doubled, the order of every key is kept', async () => {
  await using cluster = await startCluster({ brokers: 3, topics: { orders: { partitions: 4, replicationFactor: 3 } } })
  const { random } = new VirtualWorld({ seed: 7 }).world
  const figures = await killPublishers({
    ...{ url: cluster.url, topic: 'orders', directory: join(folder, 'kills'), kills: 12, random },
    killLeader: async () => {
      const leader = cluster.leaderOf('orders', Math.floor(random() * 4))!.id
      cluster.kill(leader)
      await new Promise(resolve => setTimeout(resolve, 500))
      await cluster.restart(leader)
    },
    readAll: () => readAll(cluster, 'orders')
  })
  assert.deepEqual([figures.lost, figures.doubled, figures.disordered, figures.maybeDoubled], [[], [], [], []])
  assert.ok(figures.recoveries >= 3 && figures.leaderKills >= 2 && figures.accepted >= 500, JSON.stringify(figures))
})

interface Lives {
  cluster: EmbeddedCluster
  directory: string
  /** Brokers take nothing, and say nothing, until the answer is called. `stay`: their connections stay. */
  hold: (more?: { stay: boolean }) => () => void
  open: (options?: ConnectOptions) => Promise<{ client: Cluster; events: ClusterEmitted[]; topic: Topic }>
}

let lives = 0

/** An embedded cluster, an outbox beside it, and clients that come one after the other. */
async function life(run: (lives: Lives) => Promise<void>, config: Record<string, string> = {}): Promise<void> {
  await using cluster = await startCluster({ brokers: 3, topics: { orders: { partitions: 1, replicationFactor: 3, config } } })
  const directory = join(folder, String(++lives))
  const clients: Cluster[] = []
  try {
    await run({
      cluster,
      directory,
      hold: more => cluster.control('Produce', () => ({ drop: 'before', ...more })),
      open: async options => {
        const client = await connect(cluster.url, { outbox: directory, retryBackoffMs: 10, retryBackoffMaxMs: 50, ...options })
        clients.push(client)
        const events: ClusterEmitted[] = []
        client.on('*', event => events.push(event))
        return { client, events, topic: client.topic('orders') }
      }
    })
  } finally {
    for (const client of clients) await client.close({ timeoutMs: 1_000 })
  }
}

const refusal = (name: string, errorCode: number): ResponseOf<'Produce'> => ({
  throttleTimeMs: 0,
  nodeEndpoints: [],
  responses: [
    {
      ...{ name, topicId: '' },
      partitionResponses: [
        {
          ...{ index: 0, errorCode, baseOffset: -1n, logAppendTimeMs: -1n, logStartOffset: -1n, recordErrors: [], errorMessage: null },
          currentLeader: { leaderId: -1, leaderEpoch: -1 }
        }
      ]
    }
  ]
})

/** As if the process had been killed: nothing more is said, and the directory is free. */
const leave = (client: Cluster) => client.close({ timeoutMs: 1 })

const emptied = (client: Cluster) => until('an empty outbox', () => client.outbox?.batches === 0)
const valuesOf = async (cluster: EmbeddedCluster) => {
  const count = cluster.partition('orders', 0).highWatermark
  return (await samsa(['consume', 'orders', '-b', '-n', String(count), '--cluster', cluster.url])).lines
}
const of = <T extends ClusterEmitted['type']>(events: readonly ClusterEmitted[], type: T) =>
  events.filter((event): event is Extract<ClusterEmitted, { type: T }> => event.type === type)

test('accepted is a moment of its own: it comes while no broker takes anything, and the ack when one does', () =>
  life(async ({ open, hold }) => {
    const { client, topic } = await open()
    await topic.publish('warm')
    const release = hold()
    const { acked } = await topic.publish(['one', 'two'], { until: 'accepted' })
    assert.equal(client.outbox?.batches, 1)
    release()
    assert.equal((await acked).offset, 1n)
    await emptied(client)
  }))

test('an actor hears both moments', () =>
  life(async ({ open }) => {
    const { client, events } = await open()
    client.actor.send({ type: 'PUBLISH', id: 7, topic: 'orders', messages: ['a', 'b'] })
    await until('an ack', () => of(events, 'published').length === 1)
    const moments = events.filter(event => event.type === 'publish.accepted' || event.type === 'published').map(event => event.type)
    assert.deepEqual(moments, ['publish.accepted', 'published'])
    assert.deepEqual(of(events, 'publish.accepted'), [{ type: 'publish.accepted', id: 7, topic: 'orders', count: 2 }])
  }))

test('without an outbox nothing can be waited for but the ack, and settings that contradict one are refused', () =>
  life(async ({ cluster, open }) => {
    const plain = await connect(cluster.url)
    await assert.rejects(plain.topic('orders').publish('x', { until: 'accepted' }), { code: 'NO_OUTBOX' })
    await plain.close()
    for (const publish of [
      { idempotent: false },
      { deliveryTimeoutMs: 1_000 },
      { onUnknown: 'wait' as const },
      { bufferMemoryBytes: 1e6 },
      { acks: 'leader' as const }
    ])
      await assert.rejects(open({ publish }), { code: 'INVALID_OPTION' }, JSON.stringify(publish))
  }))

test('a directory has one writer, and nobody else looks into it: a second says so, and how to go on', () =>
  life(async ({ open, directory, hold }) => {
    const { client, topic } = await open()
    const release = hold()
    await topic.publish('x', { until: 'accepted' })
    const log = (await readdir(directory)).find(name => name.endsWith('.log'))!
    const modes = await Promise.all([directory, join(directory, log)].map(async path => (await stat(path)).mode & 0o777))
    assert.deepEqual(modes, [0o700, 0o600])
    release()
    await assert.rejects(open(), { code: 'OUTBOX_LOCKED', retriable: true })
    await client.close()
    await open()
  }))

test('what was sent and never answered is asked for, and not sent twice', () =>
  life(async ({ cluster, open }) => {
    const first = await open()
    await first.topic.publish('zero')
    const forget = cluster.control('Produce', () => ({ drop: 'after', stay: true }))
    for (const value of ['one', 'two', 'three']) await first.topic.publish(value, { until: 'accepted' })
    await until('that the broker has the first of them', () => cluster.partition('orders', 0).highWatermark >= 2)
    await leave(first.client)
    forget()
    const second = await open()
    await second.topic.publish('four')
    assert.deepEqual(await valuesOf(cluster), ['zero', 'one', 'two', 'three', 'four'])
    assert.deepEqual(of(second.events, 'publish.maybeDoubled'), [])
  }))

test('a leader has it, is asked, and dies before its followers have it: it is sent to the next one', () =>
  life(async ({ cluster, open }) => {
    const first = await open()
    await first.topic.publish('zero')
    const leader = cluster.leaderOf('orders', 0)!
    // Followers stand still: what comes now lies on the leader alone.
    const others = [1, 2, 3].filter(id => id !== leader.id)
    for (const id of others) cluster.freeze(id)
    await first.topic.publish('one', { until: 'accepted' })
    await until('that the leader has it', () => cluster.partition('orders', 0).log!.endOffset >= 2)
    await leave(first.client)
    const second = await open({ outbox: join(folder, String(lives)) })
    await until('that the leader was asked', () => of(second.events, 'outbox.verified').length > 0)
    assert.equal(of(second.events, 'outbox.verified')[0]!.written, 1)
    assert.equal(second.client.outbox?.batches, 1, 'it is not yet believed')
    cluster.kill(leader.id)
    for (const id of others) cluster.thaw(id)
    await emptied(second.client)
    assert.deepEqual(await valuesOf(cluster), ['zero', 'one'])
  }))

test('a broker that cannot say what it has (before 2.8) is tried: nothing is doubled while it remembers', () =>
  life(async ({ cluster, open }) => {
    cluster.control('ApiVersions', () => ({
      change: answer => ({ ...answer, apiKeys: answer.apiKeys.filter(({ apiKey }) => apiKey !== DESCRIBE_PRODUCERS) })
    }))
    const first = await open()
    await first.topic.publish('zero')
    const forget = cluster.control('Produce', () => ({ drop: 'after', stay: true }))
    for (const value of ['one', 'two', 'three']) await first.topic.publish(value, { until: 'accepted' })
    await until('that the broker has the first of them', () => cluster.partition('orders', 0).highWatermark >= 2)
    await leave(first.client)
    forget()
    const second = await open()
    await emptied(second.client)
    assert.deepEqual(await valuesOf(cluster), ['zero', 'one', 'two', 'three'])
    assert.deepEqual(
      of(second.events, 'outbox.verified').map(({ asked }) => asked),
      [false]
    )
    assert.deepEqual(of(second.events, 'publish.maybeDoubled'), [])
  }))

test('a broker that has forgotten the producer after a day: it goes again, and that it may be doubled is told', () =>
  life(async ({ cluster, open, hold }) => {
    const first = await open()
    await first.topic.publish('zero')
    const release = hold()
    await first.topic.publish({ value: 'old', timestamp: Date.now() - 90_000_000 }, { until: 'accepted' })
    await leave(first.client)
    cluster.expireProducers()
    release()
    const second = await open()
    await emptied(second.client)
    assert.deepEqual(await valuesOf(cluster), ['zero', 'old'])
    assert.deepEqual(
      of(second.events, 'publish.maybeDoubled').map(({ reason }) => reason),
      ['the broker does not know its producer any more']
    )
  }))

test('a batch that a broker refuses for good is put aside, with an event and the reason beside it', () =>
  life(async ({ open, cluster, directory }) => {
    const { client, events, topic } = await open()
    await topic.publish('fine')
    cluster.control('Produce', ({ body }) => ({ answer: refusal(body.topicData[0]!.name ?? 'orders', 87) }), { times: 1 })
    const { acked } = await topic.publish('poison', { until: 'accepted' })
    await assert.rejects(acked, { code: 'INVALID_RECORD', outcome: 'failed' })
    await until('an event', () => of(events, 'outbox.rejected').length === 1)
    const [{ file, error }] = of(events, 'outbox.rejected') as [Extract<ClusterEmitted, { type: 'outbox.rejected' }>]
    assert.ok(file.startsWith(`${directory}/rejected/`))
    assert.equal(error.code, 'INVALID_RECORD')
    assert.match(await readFile(file, 'utf8'), /INVALID_RECORD/)
    assert.match(String(await readFile(file.replace('.json', '.batch'))), /poison/)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.equal((await topic.publish('next')).offset, 1n)
    assert.equal(client.outbox?.batches, 0)
  }))

test('a full disk refuses a publish before it is accepted, and takes the next when there is room', () =>
  life(async ({ cluster, open }) => {
    const files = new MemoryFiles()
    const { events, topic } = await open({ outbox: 'memory', world: { ...nodeWorld(), files } })
    await topic.publish('one')
    files.capacityBytes = 0
    await assert.rejects(topic.publish('two', { until: 'accepted' }), { code: 'OUTBOX_WRITE_FAILED', outcome: 'failed', retriable: true })
    await assert.rejects(topic.publish('three'), { code: 'OUTBOX_WRITE_FAILED', outcome: 'failed' })
    files.capacityBytes = Number.POSITIVE_INFINITY
    await topic.publish('four')
    assert.deepEqual([of(events, 'outbox.failing').length, of(events, 'outbox.writing').length], [1, 1])
    assert.deepEqual(await valuesOf(cluster), ['one', 'four'])
  }))

test('an outbox that is full refuses before it accepts, after maxBlockMs', () =>
  life(async ({ open, hold }) => {
    const { client, topic } = await open({ outboxMaxBytes: 65_536, publish: { maxBlockMs: 100 } })
    await topic.publish('warm')
    const release = hold()
    const accepted = []
    for (let i = 0; i < 8; i++) accepted.push(await topic.publish(Buffer.alloc(10_000), { until: 'accepted' }).catch(error => error))
    assert.deepEqual(
      accepted.slice(0, 7).map(({ code }) => code),
      Array(7).fill(undefined)
    )
    assert.deepEqual([accepted[7].code, accepted[7].outcome], ['OUTBOX_FULL', 'failed'])
    release()
    await emptied(client)
  }))

test('a flipped bit costs that batch, and says so; what comes behind it is delivered under a new identity', () =>
  life(async ({ cluster, open, hold, directory }) => {
    const first = await open()
    await first.topic.publish('zero')
    const release = hold({ stay: true })
    for (const value of ['one', 'two', 'three']) await first.topic.publish(value, { until: 'accepted' })
    await leave(first.client)
    const file = join(directory, (await readdir(directory)).find(name => name.endsWith('.log'))!)
    const bytes = await readFile(file)
    bytes[bytes.indexOf('two')]! ^= 1
    await writeFile(file, bytes)
    release()
    const second = await open()
    assert.deepEqual(
      second.client.outbox!.damages.map(({ topic, partition, mayDouble, mayLose }) => ({ topic, partition, mayDouble, mayLose })),
      [{ topic: 'orders', partition: 0, mayDouble: false, mayLose: true }]
    )
    assert.match(second.client.outbox!.damages[0]!.reason, /a batch of 1 messages for orders\/0 is damaged/)
    await emptied(second.client)
    assert.deepEqual(await valuesOf(cluster), ['zero', 'one', 'three'])
    assert.equal(of(second.events, 'outbox.verified')[0]!.renewed, 1)
    assert.deepEqual(of(second.events, 'publish.maybeDoubled'), [])
    await second.client.close()
    assert.deepEqual(
      (await readdir(directory)).filter(name => name.includes('.log')),
      [`${basename(file)}.damaged`]
    )
  }))

test('a topic that is deleted: what was accepted for it is put aside', () =>
  life(async ({ cluster, open, hold }) => {
    const { client, events, topic } = await open()
    await topic.publish('one')
    hold({ stay: true })
    const { acked } = await topic.publish('two', { until: 'accepted' })
    const other = await connect(cluster.url)
    await other.admin.deleteTopic('orders')
    await other.close()
    await assert.rejects(acked, { code: 'UNKNOWN_TOPIC' })
    await until('an event', () => of(events, 'outbox.rejected').length === 1)
    assert.equal(client.outbox?.batches, 0)
  }))

test('a list of several batches stays together over a death', () =>
  life(async ({ cluster, open, hold }) => {
    const first = await open({ publish: { batchBytes: 200 } })
    await first.topic.publish('zero')
    const release = hold()
    const values = Array.from({ length: 40 }, (_, i) => `value ${String(i).padStart(3, '0')}`)
    await first.topic.publish(values, { until: 'accepted' })
    await leave(first.client)
    release()
    const second = await open()
    await emptied(second.client)
    assert.deepEqual(await valuesOf(cluster), ['zero', ...values])
  }))
