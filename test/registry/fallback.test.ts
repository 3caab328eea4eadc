import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FallbackRegistry } from '../../src/registry/fallback.ts'
import type { Registry, RegistryEvent, RegistryListener } from '../../src/registry/registry.ts'
import { VirtualWorld } from '../support/virtual-world.ts'

/** Says what the test says, and notes what it is asked. */
class Scripted implements Registry {
  readonly asked: string[] = []
  #listener: RegistryListener = () => {}

  start(listener: RegistryListener): void {
    this.asked.push('start')
    this.#listener = listener
  }
  watchTopics(): void {
    this.asked.push('names')
  }
  watchTopic(topic: string): void {
    this.asked.push(`watch ${topic}`)
  }
  unwatchTopic(topic: string): void {
    this.asked.push(`unwatch ${topic}`)
  }
  refresh(topic?: string): void {
    this.asked.push(topic === undefined ? 'refresh' : `refresh ${topic}`)
  }
  brokerUnreachable(): void {
    this.asked.push('unreachable')
  }
  async close(): Promise<void> {
    this.asked.push('close')
  }
  say(event: RegistryEvent): void {
    this.#listener(event)
  }
  brokers(...ids: number[]): void {
    this.say({ type: 'brokers', brokers: ids.map(id => ({ id, host: 'h', port: 9092, rack: null })), quarantined: [] })
  }
  session(state: 'connecting' | 'connected' | 'suspended' | 'reconnected' | 'expired'): void {
    this.say({ type: 'session', state })
  }
}

function start({ canAsk = true, kraft = () => Promise.resolve(false) } = {}) {
  const virtual = new VirtualWorld()
  const [zookeeper, metadata] = [new Scripted(), new Scripted()]
  const told: RegistryEvent[] = []
  const registry = new FallbackRegistry({
    world: virtual.world,
    zookeeper,
    metadata,
    canAsk: () => canAsk,
    isKRaft: kraft,
    silentMs: 10_000,
    firstWaitMs: 2_000,
    goneMs: 30_000
  })
  registry.start(event => told.push(event))
  const sources = () => told.flatMap(event => (event.type === 'source' ? [`${event.source}: ${event.reason}`] : []))
  const lists = () => told.flatMap(event => (event.type === 'brokers' ? [event.brokers.map(({ id }) => id).join()] : []))
  return { virtual, zookeeper, metadata, told, registry, sources, lists }
}
function connected(...brokers: number[]) {
  const all = start()
  all.zookeeper.session('connected')
  all.zookeeper.brokers(...brokers)
  return all
}
const leaders = (leader: number): RegistryEvent => ({
  type: 'leaders',
  topic: 't',
  source: 'zookeeper',
  leaders: [{ partition: 0, leader, leaderEpoch: 1, inSync: [leader] }]
})

describe('ZooKeeper, and Metadata where it falls silent', () => {
  it('as long as ZooKeeper speaks nobody else is asked', async () => {
    const { virtual, metadata, lists, registry } = connected(1, 2)
    registry.watchTopic('t')
    await virtual.advance(600_000)
    assert.deepEqual(metadata.asked, ['watch t'])
    assert.deepEqual(lists(), ['1,2'])
  })

  it('a session that is away for longer than `silentMs`: the brokers tell; when it is back and whole, ZooKeeper does', async () => {
    const { virtual, zookeeper, metadata, sources, lists, told } = connected(1, 2)
    zookeeper.session('suspended')
    await virtual.advance(9_999)
    assert.deepEqual(sources(), [])
    await virtual.advance(1)
    metadata.brokers(1, 2, 3)
    assert.equal(sources().length, 1)
    assert.equal(lists().at(-1), '1,2,3')
    zookeeper.session('reconnected')
    zookeeper.brokers(1, 2, 3)
    assert.match(sources().at(-1)!, /^zookeeper: /)
    const before = told.length
    metadata.brokers(1)
    assert.equal(told.length, before, 'what Metadata says now counts no more')
    assert.equal(zookeeper.asked.at(-1), 'refresh', 'its levels are told anew')
  })

  it('a ZooKeeper that is not there at the beginning is waited for shorter, where brokers are named beside it', async () => {
    const { virtual, zookeeper, metadata, lists } = start()
    zookeeper.session('connecting')
    await virtual.advance(2_000)
    metadata.brokers(1)
    assert.deepEqual(lists(), ['1'])
  })

  it('a broker that cannot be reached: ZooKeeper tells who leads by itself, the brokers are asked', async () => {
    const { virtual, zookeeper, metadata, registry } = connected(1, 2)
    registry.brokerUnreachable()
    assert.ok(![...zookeeper.asked, ...metadata.asked].includes('unreachable'))
    zookeeper.session('suspended')
    await virtual.advance(10_000)
    registry.brokerUnreachable()
    assert.equal(metadata.asked.at(-1), 'unreachable')
  })

  it('where nobody can be asked it is waited for', async () => {
    const { virtual, zookeeper, metadata, sources } = start({ canAsk: false })
    zookeeper.session('connecting')
    await virtual.advance(60_000)
    assert.deepEqual([metadata.asked, sources()], [[], []])
    zookeeper.brokers()
    zookeeper.say({ type: 'failed', error: { name: 'E', code: 'X', message: 'no', retriable: false, details: {} } })
    assert.deepEqual(sources(), [])
  })

  it('a broker that ZooKeeper drops is told at once; that the others still know it makes them the source', async () => {
    const { virtual, zookeeper, metadata, sources, lists } = connected(1, 2, 3)
    zookeeper.brokers(2, 3)
    assert.equal(lists().at(-1), '2,3')
    metadata.brokers(1, 2, 3)
    await virtual.advance(2_999)
    assert.deepEqual(sources(), [])
    await virtual.advance(1)
    assert.match(sources()[0]!, /^metadata: .*1$/)
    metadata.brokers(1, 2, 3)
    assert.equal(lists().at(-1), '1,2,3')
  })

  it('a broker that died is dropped by both, and ZooKeeper goes on', async () => {
    const { virtual, zookeeper, metadata, sources } = connected(1, 2, 3)
    zookeeper.brokers(2, 3)
    metadata.brokers(1, 2, 3)
    await virtual.advance(1_500)
    metadata.brokers(2, 3)
    await virtual.advance(60_000)
    assert.deepEqual(sources(), [])
    assert.ok(metadata.asked.filter(what => what === 'refresh').length <= 4, 'the comparing ends')
  })

  it('brokers that cannot be asked any more: ZooKeeper, which lists some, tells again, also after a time with none at all', async () => {
    const { virtual, zookeeper, metadata, sources, lists } = connected(1, 2)
    // Broker 2 dies, and broker 1 is slow to miss it; then it dies itself, and 2 comes back.
    zookeeper.brokers(1)
    metadata.brokers(1, 2)
    await virtual.advance(3_000)
    assert.match(sources().at(-1)!, /^metadata: /)
    metadata.session('suspended')
    assert.match(sources().at(-1)!, /^zookeeper: the brokers cannot be asked/)
    zookeeper.brokers()
    assert.match(sources().at(-1)!, /^metadata: /)
    zookeeper.brokers(2)
    assert.match(sources().at(-1)!, /^zookeeper: /)
    zookeeper.brokers(2)
    assert.equal(lists().at(-1), '2')
  })

  it('a list without any broker ends no connection before the brokers have been asked', async () => {
    const { zookeeper, metadata, lists, sources } = connected(1, 2)
    zookeeper.brokers()
    assert.deepEqual(lists(), ['1,2'])
    assert.equal(sources().length, 1)
    metadata.brokers(1, 2)
    assert.equal(lists().length, 2)
  })

  it('a ZooKeeper that cannot be used is trouble, no end, where the brokers can be asked', () => {
    const { zookeeper, sources, told } = connected(1)
    zookeeper.say({ type: 'failed', error: { name: 'E', code: 'X', message: 'no', retriable: false, details: {} } })
    assert.equal(sources().length, 1)
    assert.ok(told.some(({ type }) => type === 'trouble'))
    assert.ok(!told.some(({ type }) => type === 'failed'))
  })

  it('brokers in KRaft mode: Metadata tells for good, and the supervisor is not cut off', async () => {
    const all = start({ kraft: () => Promise.resolve(true) })
    all.zookeeper.session('connected')
    all.zookeeper.brokers(1, 2)
    all.zookeeper.brokers()
    await all.virtual.advance(0)
    assert.match(all.sources().at(-1)!, /KRaft/)
    assert.deepEqual(all.told.at(-1)?.type, 'session')
    all.zookeeper.brokers(1, 2)
    all.zookeeper.say(leaders(1))
    all.zookeeper.session('expired')
    await all.virtual.advance(5_000)
    assert.ok(!all.told.some(event => event.type === 'leaders'))
    assert.equal(all.registry.zooKeeperGone, false)
  })

  it('migrated, and silent for long: ZooKeeper is gone, and who lives there is told once', async () => {
    const all = start({ kraft: () => Promise.resolve(true) })
    let gone = 0
    all.registry.onZooKeeperGone(() => gone++)
    all.zookeeper.session('connected')
    all.zookeeper.brokers(1)
    all.zookeeper.brokers()
    await all.virtual.advance(0)
    all.zookeeper.session('suspended')
    await all.virtual.advance(20_000)
    all.zookeeper.session('reconnected')
    await all.virtual.advance(60_000)
    assert.equal(gone, 0, 'it came back')
    all.zookeeper.session('expired')
    await all.virtual.advance(30_000)
    assert.deepEqual([gone, all.registry.zooKeeperGone, all.registry.currentSession()], [1, true, undefined])
    assert.equal(all.zookeeper.asked.at(-1), 'close')
    all.zookeeper.session('connecting')
    await all.virtual.advance(120_000)
    assert.equal(gone, 1)
  })

  it('a process that starts when ZooKeeper is gone already waits shorter for it', async () => {
    const all = start({ kraft: () => Promise.resolve(true) })
    all.zookeeper.session('connecting')
    await all.virtual.advance(2_000 + 9_999)
    assert.equal(all.registry.zooKeeperGone, false)
    await all.virtual.advance(1)
    assert.equal(all.registry.zooKeeperGone, true)
  })

  it('whether they run in KRaft mode is asked again when nobody could say', async () => {
    let asked = 0
    const kraft = () => (++asked < 3 ? Promise.reject(new Error('nobody there')) : Promise.resolve(true))
    const all = start({ kraft })
    all.zookeeper.session('connecting')
    await all.virtual.advance(10_000)
    assert.equal(asked, 3)
    assert.match(all.sources().at(-1)!, /KRaft/)
  })

  it('after the end nothing is told, and no timer is left', async () => {
    const all = connected(1, 2)
    all.zookeeper.brokers(1)
    await all.registry.close()
    assert.deepEqual(all.told.at(-1), { type: 'session', state: 'closed' })
    const before = all.told.length
    all.zookeeper.brokers(1, 2)
    await all.virtual.advance(60_000)
    assert.equal(all.told.length, before)
    assert.equal(all.virtual.timers, 0)
  })
})
