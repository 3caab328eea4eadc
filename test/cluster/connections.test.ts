/**
 * What connections go through on a cluster of its own: brokers that close what is idle, a broker that comes back elsewhere, a host
 * with a dead address, a topic that takes small batches only.
 */
import assert from 'node:assert/strict'
import { type AddressInfo, connect as connectTo, createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { nodeWorld } from '../../src/world/node.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { withClient } from '../support/connected.ts'
import { until } from '../support/until.ts'
import { uniqueName } from '../support/use-cluster.ts'

describe('connections', () => {
  let cluster: Cluster
  before(async () => {
    cluster = await startCluster({ brokers: 1, config: { 'connections.max.idle.ms': '1500' } })
  })
  after(() => cluster.dispose())
  const fresh = async (spec = {}) => {
    const topic = uniqueName('connections')
    await cluster.createTopic(topic, { partitions: 1, replicationFactor: 1, ...spec }).catch(error => {
      // This broker closes idle connections soon, those of Java's admin client too, which then asks again for what is done already.
      if (!/TopicExists/.test(String(error))) throw error
    })
    return topic
  }

  test('a broker that closes an idle connection: no word of it, and publishing goes on', async () => {
    const name = await fresh()
    await withClient(`zookeeper://${cluster.zookeeper}`, {}, async ({ client, events, instance }) => {
      const topic = client.topic(name)
      await topic.publish('warm')
      const from = events.all.length
      for (let round = 0; round < 2; round++) {
        await topic.publish(`round ${round}`)
        await until('the broker to close the idle connection', async () => instance.links.get(1, 'data') === undefined)
      }
      assert.equal((await topic.publish('after')).offset, 3n)
      assert.deepEqual(
        events.all.slice(from).filter(event => event.type === 'publish.retrying' || event.type === 'trouble'),
        []
      )
    })
  })

  test('a broker that the registry lists at another address is followed there', async () => {
    const name = await fresh()
    const broker = cluster.broker(1)
    let taken = 0
    const elsewhere = createServer(socket => {
      taken++
      const onward = connectTo(broker.port, broker.host)
      socket.pipe(onward).pipe(socket)
      for (const [one, other] of [
        [socket, onward],
        [onward, socket]
      ] as const)
        one.on('error', () => other.destroy()).on('close', () => other.destroy())
    })
    await new Promise<void>(resolve => elsewhere.listen(0, '127.0.0.1', resolve))
    const { port } = elsewhere.address() as AddressInfo
    const path = '/brokers/ids/1'
    try {
      await withClient(`zookeeper://${cluster.zookeeper}`, {}, async ({ client }) => {
        const topic = client.topic(name)
        await topic.publish('before')
        const znode = (await cluster.tool.znodes(path))[path]!
        const registration = JSON.parse(znode.data!)
        const moved = { ...registration, port, endpoints: [`PLAINTEXT://127.0.0.1:${port}`] }
        await cluster.tool.putZnode(path, JSON.stringify(moved))
        await until('the new address', async () => client.brokers.get(1)?.port === port)
        await until('a publish by the new address', async () => {
          await topic.publish('after')
          return taken > 0
        })
        await cluster.tool.putZnode(path, JSON.stringify(registration))
        await until('the old address', async () => client.brokers.get(1)?.port === broker.port)
        await topic.publish('back')
      })
    } finally {
      elsewhere.close()
    }
  })

  test('of several addresses of one host a dead one is passed over', async () => {
    const name = await fresh()
    const real = nodeWorld()
    const dialled: string[] = []
    const world = {
      ...real,
      resolve: async () => ['127.0.0.9', '127.0.0.1'],
      dial: (target: Parameters<typeof real.dial>[0], handlers: Parameters<typeof real.dial>[1]) => {
        dialled.push(target.host)
        return real.dial(target, handlers)
      }
    }
    await withClient(`kafka://several.example:${cluster.broker(1).port}`, { world } as never, async ({ client }) => {
      assert.equal((await client.topic(name).publish('x')).offset, 0n)
    })
    assert.ok(dialled.includes('127.0.0.9') && dialled.includes('127.0.0.1'))
  })

  test("batches larger than the topic's limit go in parts, every message once and in order", async () => {
    const name = await fresh({ config: { 'max.message.bytes': '2000' } })
    await withClient(`zookeeper://${cluster.zookeeper}`, {}, async ({ client, events }) => {
      const topic = client.topic(name)
      await topic.publish('first')
      const values = Array.from({ length: 300 }, (_, i) => `${i}`.padStart(100, '.'))
      const places = await Promise.all(values.map(value => topic.publish(value)))
      const list = await topic.publish(values)
      const { records } = await cluster.tool.consume(name, { records: true })
      const written = records.sort((a, b) => a.offset - b.offset).map(record => String(record.value))
      assert.deepEqual(written, ['first', ...values, ...values])
      assert.deepEqual(
        places.map(({ offset }) => offset),
        values.map((_, i) => BigInt(i + 1))
      )
      assert.equal(list.offset, 301n)
      assert.ok(events.all.some(event => event.type === 'publish.split'))
    })
  })
})
