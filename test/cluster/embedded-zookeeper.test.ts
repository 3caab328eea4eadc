/**
 * Real Kafka 3.9.1 brokers live on the embedded ZooKeeper: they register, elect a controller, make topics, serve a producer and a group, and get over
 * the death of their controller.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { EmbeddedZooKeeper } from '../../src/embedded/zookeeper/server.ts'
import type { LocalSession } from '../../src/embedded/zookeeper/session.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { startJavaMember } from '../support/java-member.ts'
import { until } from '../support/until.ts'

describe('real brokers on the embedded ZooKeeper', { timeout: 240_000 }, () => {
  let zookeeper: EmbeddedZooKeeper
  let session: LocalSession
  let cluster: Cluster

  before(async () => {
    zookeeper = await EmbeddedZooKeeper.start({ world: nodeWorld() })
    session = zookeeper.session()
    // The group must be served by the one that is left.
    cluster = await startCluster({ brokers: 2, zookeeper: zookeeper.address, config: { 'min.insync.replicas': '1' } })
  })

  after(async () => {
    await cluster?.dispose()
    zookeeper?.stop()
  })

  const json = (path: string) => JSON.parse(session.getData(`/kafka${path}`).data.toString())
  const controller = () => (session.exists('/kafka/controller') ? Number(json('/controller').brokerid) : undefined)

  it('has them registered under their ephemeral nodes, with one of them as the controller', async () => {
    assert.deepEqual(session.getChildren('/kafka/brokers/ids').sort(), ['1', '2'])
    for (const { id, port } of cluster.brokers) {
      assert.equal(json(`/brokers/ids/${id}`).port, port)
      const { stat } = session.getData(`/kafka/brokers/ids/${id}`)
      assert.ok(zookeeper.sessionIds.includes(stat.ephemeralOwner))
    }
    const { controller: told, ids } = await cluster.tool.brokers()
    assert.deepEqual([told, ids], [controller(), [1, 2]])
  })

  it('keeps what they say of a topic, its leaders and its configuration', async () => {
    await cluster.createTopic('orders', { partitions: 4, replicationFactor: 2 })
    assert.deepEqual(Object.keys(json('/brokers/topics/orders').partitions).sort(), ['0', '1', '2', '3'])
    for (const partition of [0, 1, 2, 3]) assert.equal(json(`/brokers/topics/orders/partitions/${partition}/state`).isr.length, 2)
    await cluster.tool.addPartitions('orders', 6)
    await until('six partitions', async () => session.exists('/kafka/brokers/topics/orders/partitions/5/state'))
  })

  it('lets them serve a producer and a group, before and after the controller is killed', async () => {
    await cluster.tool.produce('orders', { count: 300, prefix: 'a' })
    const member = await startJavaMember({ bootstrap: cluster.bootstrap, group: 'readers', topics: ['orders'] })
    after(() => member.kill())
    const seen = () => new Set(member.records.map(({ value }) => value)).size
    await until('300 records at the member', () => seen() === 300)
    const dead = controller()!
    const epoch = Number(session.getData('/kafka/controller_epoch').data.toString())
    await cluster.broker(dead).kill()
    const next = await until('another controller', async () => {
      const id = controller()
      return id === dead ? undefined : id
    })
    assert.notEqual(next, dead)
    assert.ok(Number(session.getData('/kafka/controller_epoch').data.toString()) > epoch)
    await cluster.waitForBrokers([next])
    await cluster.waitForLeader('orders', 0, leader => leader === next)
    await cluster.coordinatorOf('readers', broker => broker.id === next)
    await cluster.tool.produce('orders', { count: 200, prefix: 'b' })
    await until('500 records at the member', () => seen() === 500)
    await until('all of it committed', async () => {
      const { orders = {} } = await cluster.tool.groupOffsets('readers')
      return Object.values(orders).reduce((sum, offset) => sum + offset, 0) === 500
    })
    await member.close()
    await cluster.heal()
    assert.deepEqual(session.getChildren('/kafka/brokers/ids').sort(), ['1', '2'])
  })

  it('lets them delete a topic', async () => {
    await cluster.tool.deleteTopics('orders')
    await until('the end of the topic', async () => !session.exists('/kafka/brokers/topics/orders'))
  })
})
