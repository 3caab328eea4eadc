/** The registry over Metadata: levels, one question at a time, what is asked again and when. The brokers are a script. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BootstrapRegistry, type BootstrapRegistryOptions } from '../../src/registry/bootstrap.ts'
import type { MetadataResponse } from '../../src/registry/metadata/levels.ts'
import type { RegistryEvent } from '../../src/registry/registry.ts'
import { broker, ManualWorld, metadata, partition, topic } from './metadata/manual-world.ts'

type Answer = (topics: readonly string[] | null) => MetadataResponse | Promise<MetadataResponse>

/** A registry, its world, the questions that it asked, and the answer that the brokers give from now on. */
function rig(answer: Answer, options: Partial<BootstrapRegistryOptions> = {}) {
  const time = new ManualWorld()
  const asked: { at: number; topics: readonly string[] | null }[] = []
  const events: RegistryEvent[] = []
  const script = { answer, asking: 0, mostAsking: 0 }
  const registry = new BootstrapRegistry(time.world, {
    ask: async topics => {
      asked.push({ at: time.nowMs - 1_000, topics })
      script.mostAsking = Math.max(script.mostAsking, ++script.asking)
      try {
        return await script.answer(topics)
      } finally {
        script.asking--
      }
    },
    ...options
  })
  const told = (type: RegistryEvent['type']) => events.filter(event => event.type === type)
  const start = () => registry.start(event => events.push(event))
  return { time, asked, events, script, registry, told, start }
}

const good: Answer = topics => metadata((topics ?? ['orders', 'other']).map(name => topic(name, [partition(0, 1), partition(1, 2)])))
const missing = (name: string) => topic(name, [], { errorCode: 3 })
const later = (time: ManualWorld, ms: number, response: MetadataResponse) =>
  new Promise<MetadataResponse>(resolve => time.world.setTimer(() => resolve(response), ms))

describe('BootstrapRegistry', () => {
  it('asks for brokers alone at first, and tells nothing before start has returned', async () => {
    const { time, asked, events, start } = rig(good)
    start()
    assert.equal(events.length, 0)
    await time.advance(10)
    assert.deepEqual(
      events.map(event => (event.type === 'session' ? event.state : event.type)),
      ['connecting', 'connected', 'brokers', 'controller', 'cluster']
    )
    assert.deepEqual(asked, [{ at: 0, topics: [] }])
  })

  it('tells the levels of a watched topic, and again only when they change', async () => {
    const { time, script, registry, told, start, asked } = rig(good, { metadataMaxAgeMs: 10_000 })
    registry.watchTopic('orders')
    start()
    await time.advance(30_000)
    assert.equal(asked.length, 4)
    assert.deepEqual(asked[3]?.topics, ['orders'])
    assert.equal(told('topic').length, 1)
    assert.equal(told('leaders').length, 1)
    assert.equal(told('brokers').length, 1)
    script.answer = () => metadata([topic('orders', [partition(0, 2, { leaderEpoch: 4 }), partition(1, 2)])])
    await time.advance(10_000)
    assert.equal(told('topic').length, 1)
    assert.equal(told('leaders').length, 2)
  })

  it('a broker that cannot be reached: asks who leads, as often as it is told, and tells what is new', async () => {
    const { time, script, registry, told, start, asked } = rig(good, { metadataMaxAgeMs: 60_000 })
    registry.watchTopic('orders')
    registry.watchTopic('other')
    start()
    await time.advance(1_000)
    const before = asked.length
    registry.brokerUnreachable()
    registry.brokerUnreachable()
    await time.advance(1_000)
    assert.deepEqual(
      asked.slice(before).map(({ topics }) => topics),
      [['orders', 'other']]
    )
    assert.deepEqual([told('leaders').length, told('topic').length, told('brokers').length], [2, 2, 1], 'nothing has changed')
    script.answer = topics => metadata(topics!.map(name => topic(name, [partition(0, 2, { leaderEpoch: 4 }), partition(1, 2)])))
    registry.brokerUnreachable()
    await time.advance(1_000)
    assert.equal(told('leaders').length, 4)
  })

  it('asks for a topic as soon as it is watched, and forgets one that is not', async () => {
    const { time, asked, registry, told, start } = rig(good)
    start()
    await time.advance(1_000)
    registry.watchTopic('orders')
    registry.watchTopic('orders')
    registry.watchTopic('other')
    await time.advance(20)
    assert.deepEqual(asked.slice(1), [{ at: 1_005, topics: ['orders', 'other'] }])
    registry.unwatchTopic('orders')
    registry.refresh()
    await time.advance(200)
    assert.deepEqual(asked.at(-1)?.topics, ['other'])
    registry.watchTopic('orders')
    await time.advance(20)
    assert.equal(told('topic').filter(event => event.type === 'topic' && event.topic === 'orders').length, 2)
    assert.throws(() => registry.watchTopic('../etc'), { code: 'INVALID_TOPIC' })
  })

  it('asks for all topics once their names are watched', async () => {
    const { time, asked, registry, told, start } = rig(good)
    registry.watchTopics()
    registry.watchTopic('orders')
    start()
    await time.advance(10)
    assert.deepEqual(asked[0]?.topics, null)
    assert.deepEqual(told('topics'), [{ type: 'topics', topics: ['orders', 'other'] }])
    assert.equal(told('topic').length, 1)
  })

  it('makes one question of a storm of refreshes, keeps the distance, and answers each who asked although nothing has changed', async () => {
    const { time, asked, registry, told, start, script } = rig(good)
    script.answer = topics => later(time, 20, good(topics) as MetadataResponse)
    registry.watchTopic('orders')
    start()
    await time.advance(500)
    const before = asked.length
    for (let i = 0; i < 1_000; i++) {
      registry.refresh('orders')
      await time.advance(1)
    }
    await time.advance(200)
    const more = asked.slice(before)
    assert.ok(more.length >= 9 && more.length <= 11, `${more.length} questions`)
    assert.ok(more.every(({ topics }) => topics?.length === 1))
    assert.equal(script.mostAsking, 1)
    assert.equal(told('leaders').length, 1 + more.length)
    assert.equal(told('brokers').length, 1)
    registry.refresh()
    await time.advance(200)
    assert.equal(told('brokers').length, 2)
    registry.refresh('never-watched')
    await time.advance(1_000)
    assert.equal(asked.length, before + more.length + 1)
  })

  it('asks again, with growing pauses, for topics with a partition that has no leader, and for those alone', async () => {
    const { time, asked, registry, told, start, script } = rig(good)
    script.answer = topics =>
      metadata(
        (topics ?? []).map(name => topic(name, [partition(0, name === 'orders' ? -1 : 1, { errorCode: name === 'orders' ? 5 : 0 })]))
      )
    registry.watchTopic('orders')
    registry.watchTopic('other')
    start()
    await time.advance(4_000)
    const gaps = asked.slice(1).map(({ at }, i) => at - asked[i]!.at)
    assert.deepEqual(gaps, [100, 200, 400, 800, 1_000, 1_000])
    assert.ok(asked.slice(1).every(({ topics }) => topics?.length === 1 && topics[0] === 'orders'))
    script.answer = good
    await time.advance(1_000)
    assert.deepEqual(told('leaders').at(-1), {
      type: 'leaders',
      topic: 'orders',
      source: 'metadata',
      leaders: [
        { partition: 0, leader: 1, leaderEpoch: 3, inSync: [1] },
        { partition: 1, leader: 2, leaderEpoch: 3, inSync: [1] }
      ]
    })
    const settled = asked.length
    await time.advance(60_000)
    assert.equal(asked.length, settled)
  })

  it('tells at once that a topic does not exist, and finds it when it does', async () => {
    const { time, registry, told, start, script } = rig(() => metadata([missing('orders')]))
    registry.watchTopic('orders')
    start()
    await time.advance(10)
    assert.deepEqual(told('topic.missing'), [{ type: 'topic.missing', topic: 'orders' }])
    await time.advance(5_000)
    assert.equal(told('topic.missing').length, 1)
    registry.refresh('orders')
    await time.advance(200)
    assert.equal(told('topic.missing').length, 2)
    script.answer = good
    await time.advance(1_100)
    assert.equal(told('topic').length, 1)
  })

  it('believes that a topic is gone only when it is said twice: one broker may lag behind', async () => {
    const { time, asked, registry, told, start, script } = rig(good)
    registry.watchTopic('orders')
    start()
    await time.advance(1_000)
    script.answer = topics => {
      script.answer = good
      return metadata((topics ?? []).map(missing))
    }
    registry.refresh('orders')
    await time.advance(500)
    assert.equal(told('topic.missing').length, 0)
    assert.equal(told('topic').length, 2)
    script.answer = topics => metadata((topics ?? []).map(missing))
    registry.refresh('orders')
    const before = asked.length
    await time.advance(150)
    assert.equal(asked.length, before + 2)
    assert.equal(told('topic.missing').length, 1)
    script.answer = good
    await time.advance(1_000)
    assert.equal(told('topic').length, 3)
  })

  it('goes on asking after failures, with growing pauses that no refresh cuts short, and says so', async () => {
    const { time, asked, registry, told, start, script } = rig(() => Promise.reject(new Error('nobody there')))
    registry.watchTopic('orders')
    start()
    for (let i = 0; i < 300; i++) {
      registry.refresh('orders')
      await time.advance(10)
    }
    const gaps = asked.slice(1).map(({ at }, i) => at - asked[i]!.at)
    assert.deepEqual(gaps, [100, 200, 400, 800, 1_000])
    assert.equal(told('trouble').length, asked.length)
    assert.deepEqual(
      told('session').map(event => event.type === 'session' && event.state),
      ['connecting']
    )
    script.answer = good
    await time.advance(1_000)
    assert.equal(told('topic').length, 1)
    script.answer = () => metadata([], { brokers: [] })
    registry.refresh()
    await time.advance(2_000)
    script.answer = good
    await time.advance(2_000)
    assert.deepEqual(
      told('session').map(event => event.type === 'session' && event.state),
      ['connecting', 'connected', 'suspended', 'reconnected']
    )
    // What was asked for before the failure is still answered.
    assert.equal(told('brokers').length, 2)
  })

  it('does not wait for ever for an answer, and drops one that comes too late', async () => {
    const { time, registry, told, start, script } = rig(good, { askTimeoutMs: 1_000 })
    script.answer = () => later(time, 5_000, metadata([topic('orders', [partition(0, 9)])]))
    registry.watchTopic('orders')
    start()
    await time.advance(1_050)
    assert.deepEqual(
      told('trouble').map(event => event.type === 'trouble' && event.error.code),
      ['METADATA_TIMEOUT']
    )
    script.answer = good
    await time.advance(10_000)
    assert.equal(told('leaders').length, 1)
    assert.equal(told('trouble').length, 1)
  })

  it('tells once that a topic may not be used, without asking for it every second', async () => {
    const { time, asked, registry, told, start } = rig(topics => metadata((topics ?? []).map(name => topic(name, [], { errorCode: 29 }))))
    registry.watchTopic('orders')
    start()
    await time.advance(60_000)
    assert.equal(asked.length, 1)
    assert.equal(told('trouble').length, 1)
    registry.refresh('orders')
    await time.advance(200)
    assert.equal(told('trouble').length, 2)
  })

  it('asks again for a topic that the answer does not speak of; of all topics, such a one does not exist', async () => {
    const { time, asked, registry, told, start } = rig(() => metadata([]))
    registry.watchTopic('orders')
    start()
    await time.advance(2_000)
    assert.ok(asked.length > 3)
    assert.equal(told('trouble').length, 1)
    registry.watchTopics()
    await time.advance(100)
    assert.equal(told('topic.missing').length, 1)
  })

  it('asks for everything when it is old, also while a single topic is asked for again and again', async () => {
    const { time, asked, registry, start } = rig(
      topics => metadata((topics ?? []).map(name => (name === 'no' ? missing(name) : topic(name, [partition(0, 1)])))),
      {
        metadataMaxAgeMs: 20_000
      }
    )
    registry.watchTopic('no')
    registry.watchTopic('orders')
    start()
    await time.advance(60_000)
    assert.equal(asked.filter(({ topics }) => topics?.includes('orders')).length, 4)
  })

  it('refuses hostile metadata and keeps what it knew', async () => {
    const { time, registry, told, start, script } = rig(good)
    registry.watchTopic('orders')
    start()
    await time.advance(100)
    script.answer = () => metadata([], { brokers: Array.from({ length: 10_001 }, (_, i) => broker(i)) })
    registry.refresh()
    await time.advance(5_000)
    assert.equal(told('brokers').length, 1)
    assert.ok(told('trouble').every(event => event.type === 'trouble' && event.error.code === 'METADATA_TOO_LARGE'))
    assert.ok(told('trouble').length >= 3)
  })

  it('closes for good: no timer, no event, and the answer on its way counts no more', async () => {
    const { time, events, registry, start, script } = rig(good)
    script.answer = topics => later(time, 100, good(topics) as MetadataResponse)
    start()
    await time.advance(10)
    await registry.close()
    await registry.close()
    assert.deepEqual(events.at(-1), { type: 'session', state: 'closed' })
    const count = events.length
    registry.refresh()
    registry.watchTopics()
    await time.advance(120_000)
    assert.equal(events.length, count)
    assert.equal(time.timers, 0)
  })

  it('leaves no timer behind when it closes with a question that nobody answers', async () => {
    const { time, registry, start, script } = rig(good)
    script.answer = () => new Promise(() => {})
    start()
    await time.advance(10)
    await registry.close()
    assert.equal(time.timers, 0)
  })

  it('survives a listener that throws, and one that asks back', async () => {
    const { time, registry, asked } = rig(good)
    const types: string[] = []
    registry.watchTopic('orders')
    registry.start(event => {
      types.push(event.type)
      if (event.type === 'topic') registry.refresh('orders')
      if (event.type === 'brokers') throw new Error('a broken listener')
    })
    await time.advance(1_000)
    assert.ok(types.includes('trouble') && types.includes('leaders'))
    assert.ok(asked.length >= 9 && asked.length <= 11, `${asked.length} questions`)
    assert.throws(() => registry.start(() => {}), { code: 'REGISTRY_STARTED' })
  })
})
