/**
 * The ZooKeeper registry on a real Kafka 3.9.1: what it reports is what Kafka's own tools say, through a leader's death, a lost session, a lost
 * ZooKeeper and a wrong chroot.
 */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { RegistryEvent } from '../../src/registry/registry.ts'
import { openSession } from '../../src/registry/zookeeper/open-session.ts'
import type { ZooKeeperSession } from '../../src/registry/zookeeper/session.ts'
import { ZooKeeperRegistry, type ZooKeeperRegistryOptions } from '../../src/registry/zookeeper.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { Gathered } from '../support/gathered.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'
import { ZooKeeperProxy } from '../support/zookeeper-proxy.ts'

const world = nodeWorld()
const cluster = await useCluster()
const limitMs = 40_000
type Of<T extends RegistryEvent['type']> = Extract<RegistryEvent, { type: T }>

describe('the registry on a real cluster', () => {
  const open: { close(): Promise<void> }[] = []
  after(async () => {
    for (const each of open.reverse()) await each.close()
  })

  function start(options: Partial<ZooKeeperRegistryOptions> = {}) {
    const registry = new ZooKeeperRegistry(world, { connectString: cluster.zookeeper, sessionTimeoutMs: 4_000, ...options })
    open.push(registry)
    const events = new Gathered<RegistryEvent>()
    registry.start(event => events.add(event))
    const until = <T extends RegistryEvent['type']>(type: T, wanted: (event: Of<T>) => boolean = () => true) =>
      events.first(event => event.type === type && wanted(event as Of<T>), limitMs) as Promise<Of<T>>
    const next = <T extends RegistryEvent['type']>(type: T, wanted: (event: Of<T>) => boolean = () => true) =>
      events.next(event => event.type === type && wanted(event as Of<T>), limitMs) as Promise<Of<T>>
    return { registry, events, until, next }
  }

  async function startThroughProxy(options: Partial<ZooKeeperRegistryOptions> = {}) {
    const proxy = await ZooKeeperProxy.start(cluster.facts.zookeeperPort)
    open.push(proxy)
    const chroot = cluster.zookeeper.slice(cluster.zookeeper.indexOf('/'))
    return { proxy, ...start({ connectString: `127.0.0.1:${proxy.port}${chroot}`, ...options }) }
  }

  it('reports brokers, controller, cluster id, topics, partitions and leaders', async () => {
    const topic = uniqueName('registry')
    const info = await cluster.createTopic(topic, { partitions: 3 })
    const { registry, until } = start()
    registry.watchTopics()
    registry.watchTopic(topic)
    const { brokers, quarantined } = await until('brokers')
    assert.deepEqual(
      brokers.map(({ id, host, port, rack }) => ({ id, host, port, rack })),
      cluster.brokers.map(({ id, host, port }) => ({ id, host, port, rack: null }))
    )
    assert.ok(brokers.every(broker => /^\d+$/.test(broker.epoch ?? '')))
    assert.deepEqual(quarantined, [])
    assert.ok(cluster.brokers.some(broker => broker.id === 1))
    const { brokerId } = await until('controller')
    assert.ok(cluster.brokers.some(broker => broker.id === brokerId))
    assert.match((await until('cluster')).clusterId ?? '', /^[A-Za-z0-9_-]{22}$/)
    assert.ok((await until('topics')).topics.includes(topic))
    const assignment = await until('topic')
    assert.match(assignment.topicId ?? '', /^[A-Za-z0-9_-]{22}$/)
    const { leaders } = await until('leaders', event => event.leaders.length === 3)
    assert.deepEqual(
      leaders.map(each => [each.partition, each.leader]),
      info.partitions.map(each => [each.partition, each.leader])
    )
  })

  it('sees a topic made, and the leaders of all its partitions moved by the death of a broker', async () => {
    const topic = uniqueName('registry')
    const { registry, until, next } = start()
    registry.watchTopic(topic)
    await until('topic.missing')
    await cluster.createTopic(topic, { partitions: 6, replicationFactor: 3 })
    const { leaders } = await until('leaders', event => event.leaders.length === 6 && event.leaders.every(each => each.leader > 0))
    const victim = cluster.broker(leaders[0]!.leader)
    const moved = next('leaders', event => event.leaders.every(each => each.leader !== victim.id && each.leader > 0))
    const gone = next('brokers', event => !event.brokers.some(broker => broker.id === victim.id))
    await victim.kill()
    const after = await moved
    await gone
    assert.ok(after.leaders.find(each => each.partition === leaders[0]!.partition)!.leaderEpoch > leaders[0]!.leaderEpoch)
    const back = next('brokers', event => event.brokers.some(broker => broker.id === victim.id))
    await victim.start()
    await back
  })

  it('makes a new session when one expires, reads everything again, and hands the session out', async () => {
    const topic = uniqueName('registry')
    await cluster.createTopic(topic, { partitions: 2 })
    const { proxy, registry, events, until, next } = await startThroughProxy()
    const sessions: ZooKeeperSession[] = []
    registry.onSession(session => sessions.push(session))
    registry.watchTopic(topic)
    await until('leaders')
    await until('brokers')
    assert.equal(registry.currentSession(), sessions[0])
    const expired = next('session', event => event.state === 'expired')
    const connected = next('session', event => event.state === 'connected')
    await proxy.expireSession()
    await expired
    await connected
    assert.equal(sessions.length, 2)
    assert.equal(registry.currentSession(), sessions[1])
    assert.notEqual(sessions[0]!.sessionId, sessions[1]!.sessionId)
    assert.equal(sessions[0]!.state, 'expired')
    registry.refresh(topic)
    await next('leaders')
    const states = events.all.flatMap(event => (event.type === 'session' ? [event.state] : []))
    assert.deepEqual(
      states.filter(state => state !== 'suspended'),
      ['connecting', 'connected', 'expired', 'connecting', 'connected']
    )
  })

  it('goes on with the same session after a cut and has missed nothing', async () => {
    const topic = uniqueName('registry')
    const { proxy, registry, until, next } = await startThroughProxy({ sessionTimeoutMs: 10_000 })
    registry.watchTopic(topic)
    await until('topic.missing')
    proxy.refuse(true)
    proxy.cut()
    await until('session', event => event.state === 'suspended')
    await cluster.createTopic(topic, { partitions: 1 })
    const leaders = next('leaders', event => event.leaders.length === 1)
    proxy.refuse(false)
    await leaders
    assert.equal((await until('session', event => event.state === 'reconnected')).sessionTimeoutMs! > 0, true)
  })

  it('fails on a wrong chroot and says where Kafka is', async () => {
    const servers = cluster.zookeeper.slice(0, cluster.zookeeper.indexOf('/'))
    for (const connectString of [servers, `${servers}/kafak`]) {
      const { events, until } = start({ connectString })
      const { error } = await until('failed')
      assert.equal(error.code, 'CHROOT_EMPTY')
      assert.ok(error.message.includes(`${servers}/kafka`), error.message)
      assert.equal(events.all.at(-1)?.type, 'failed')
    }
  })

  it('quarantines a broker node that somebody else wrote, and takes it up when it is right', async () => {
    const { until, next } = start()
    await until('brokers')
    const session = openSession(world, { connectString: cluster.zookeeper })
    open.push(session)
    const quarantined = next('quarantine')
    const without = next('brokers', event => event.quarantined.length === 1)
    await session.create('/brokers/ids/99', Buffer.from('localhost'), 'ephemeral')
    assert.equal((await quarantined).path, '/brokers/ids/99')
    assert.ok(!(await without).brokers.some(broker => broker.id === 99))
    const healed = next('brokers', event => event.quarantined.length === 0 && event.brokers.some(broker => broker.id === 99))
    await session.setData('/brokers/ids/99', Buffer.from('{"version":1,"host":"h","port":1}'))
    await healed
    const gone = next('brokers', event => !event.brokers.some(broker => broker.id === 99))
    await session.close()
    await gone
  })

  it('closes: the session ends and nothing is told any more', async () => {
    const { registry, events, until } = start()
    await until('brokers')
    await registry.close()
    assert.deepEqual(events.all.at(-1), { type: 'session', state: 'closed' })
    const count = events.all.length
    registry.refresh()
    await registry.close()
    assert.equal(events.all.length, count)
    assert.equal(registry.currentSession(), undefined)
  })

  it('keeps what it knows while ZooKeeper is dead, and reads again when it is back', async () => {
    const topic = uniqueName('registry')
    await cluster.createTopic(topic, { partitions: 1 })
    const { registry, events, until, next } = start()
    registry.watchTopic(topic)
    await until('leaders')
    await until('brokers')
    const suspended = next('session', event => event.state === 'suspended')
    await cluster.zk.kill()
    await suspended
    await next('session', event => event.state === 'expired')
    const reported = events.all.filter(event => event.type === 'brokers').length
    assert.equal(reported, 1, 'the last good state stands')
    const connected = next('session', event => event.state === 'connected')
    await cluster.zk.start()
    await connected
    registry.refresh(topic)
    await next('leaders', event => event.leaders.length === 1)
  })
})
