/**
 * Fetch sessions (KIP-227) on real brokers: by topic id, by name with an old broker; taken away, and ended.
 */
import assert from 'node:assert/strict'
import { afterEach, mock, test } from 'node:test'
import type { FetchBody, FetchResponse } from '../../src/flow/fetch-request.ts'
import type { ConsumerEmitted } from '../../src/model/events.ts'
import { Connection } from '../../src/wire/connection.ts'
import { withClient } from '../support/connected.ts'
import { Gathered } from '../support/gathered.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const clusters = { zookeeper: await useCluster(), kraft: await useCluster('kraft'), old: await useCluster('old') }
const PARTITIONS = 12
afterEach(() => mock.restoreAll())

/** Every Fetch of this process, as it was sent, with its answer once that is there. */
function fetches(): { body: FetchBody; response?: FetchResponse }[] {
  const out: { body: FetchBody; response?: FetchResponse }[] = []
  const send = Connection.prototype.send
  mock.method(Connection.prototype, 'send', function (this: Connection, api, body, limits, done) {
    if (api !== 'Fetch') return send.call(this, api, body as never, limits, done as never)
    const entry: (typeof out)[number] = { body: structuredClone(body) as FetchBody }
    out.push(entry)
    send.call(this, api, body as never, limits, (error, response) => {
      if (response) entry.response = response as FetchResponse
      done(error, response as never)
    })
  } as Connection['send'])
  return out
}

for (const kind of ['zookeeper', 'kraft', 'old'] as const)
  test(`${kind}: only what changes is sent; a session that is taken away is told and made anew; closing ends it`, async () => {
    const cluster = clusters[kind]
    const topic = uniqueName('fetch-sessions')
    await cluster.createTopic(topic, kind === 'zookeeper' ? { assignment: Array(PARTITIONS).fill([1]) } : { partitions: PARTITIONS })
    const produce = async (partition: number, value: string) => cluster.tool.produce(topic, { records: [{ partition, value }] })
    const url = kind === 'kraft' ? `kafka://${cluster.bootstrap.join(',')}` : `zookeeper://${cluster.zookeeper}`
    const sent = fetches()
    await withClient(url, {}, async ({ client, instance }) => {
      const consumer = client.topic(topic).subscribe({ membership: 'manual', from: 'earliest', fetchMaxWaitMs: 100 })
      const events = new Gathered<ConsumerEmitted>()
      const values = new Gathered<string>()
      consumer.on('*', event => events.add(event))
      consumer.on('message.batch', ({ messages, ack }) => {
        for (const { value } of messages) values.add(String(value))
        ack()
      })
      await events.first(event => event.type === 'fetch.session' && event.state === 'open')
      for (let partition = 0; partition < PARTITIONS; partition++) await produce(partition, `a${partition}`)
      await values.count(PARTITIONS)

      const from = sent.length
      await produce(3, 'b3')
      await values.count(PARTITIONS + 1)
      const meanwhile = sent.slice(from).map(({ body }) => body)
      assert.ok(meanwhile.every(({ sessionId, sessionEpoch }) => sessionId !== 0 && sessionEpoch! > 0))
      assert.ok(meanwhile.flatMap(({ topics }) => topics.flatMap(({ partitions }) => partitions)).length <= 1)

      const link = await instance.links.acquire(cluster.brokers[0]!.id, 'data', 10_000)
      const end = { maxWaitMs: 0, minBytes: 0, topics: [] }
      const id = () => sent.at(-1)!.body.sessionId!
      await link.request('Fetch', { ...end, sessionId: id(), sessionEpoch: -1 })
      await events.first(event => event.type === 'fetch.session' && event.state === 'none')
      await produce(7, 'b7')
      await values.count(PARTITIONS + 2)
      const levels = events.all.flatMap(event => (event.type === 'fetch.session' ? [event.state] : []))
      assert.deepEqual(levels, ['open', 'none', 'open'])
      assert.equal(events.all.filter(({ type }) => type === 'trouble').length, 0)

      const last = id()
      await consumer.close()
      const final = sent.at(-1)!
      assert.deepEqual([final.body.sessionId, final.body.sessionEpoch], [last, -1])
      const gone = await link.request('Fetch', { ...end, sessionId: last, sessionEpoch: 1 })
      assert.equal(gone.errorCode, 70)
      assert.deepEqual(values.all.slice(PARTITIONS), ['b3', 'b7'])
    })
  })
