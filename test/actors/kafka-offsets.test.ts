/**
 * Committed offsets in Kafka: without members, and as a member that the group may refuse, move on, or forget.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KafkaOffsets, type KafkaOffsetsOptions } from '../../src/actors/kafka-offsets.ts'
import { dispatch } from '../../src/actors/registry-session.ts'
import type { OffsetToCommit } from '../../src/flow/offset-store.ts'
import { type Asked, committedWith, connectionLost, coordinatorAt, ScriptedLinks } from '../support/scripted-links.ts'

const at = (partition: number, offset: bigint, more: Partial<OffsetToCommit> = {}) => ({ topic: 't', partition, offset, ...more })
const owned = (...partitions: number[]) => partitions.map(partition => ({ topic: 't', partition }))
const me = (epoch: number, generation: number) => ({ epoch, generation, memberId: 'm', groupInstanceId: null })

function bench(answer: (asked: Asked, times: number) => unknown, options: KafkaOffsetsOptions = {}) {
  const times = new Map<string, number>()
  const brokers = new ScriptedLinks(asked => {
    if (asked.api === 'FindCoordinator') return coordinatorAt('g', 1)
    times.set(asked.api, (times.get(asked.api) ?? 0) + 1)
    return answer(asked, times.get(asked.api)!)
  })
  return { brokers, store: new KafkaOffsets(brokers.instance, 'g', options) }
}
function asMember(answer: (asked: Asked, times: number) => unknown) {
  const refusals: string[] = []
  return { refusals, ...bench(answer, { onRefused: ({ code }) => refusals.push(code) }) }
}
const errorsOf = (results: { partition: number; error?: Error }[]) =>
  results.filter(({ error }) => error).map(({ partition, error }) => [partition, (error as { code?: string }).code])

describe('offsets of a group without members', () => {
  it('are committed by the name alone, with leader epoch and metadata', async () => {
    const { brokers, store } = bench(({ body }) => committedWith(body))
    const results = await store.commit(1, [at(0, 5n, { leaderEpoch: 3, metadata: 'here' }), at(1, 6n)])
    assert.deepEqual(errorsOf(results), [])
    assert.deepEqual(brokers.bodies('OffsetCommit'), [
      {
        groupId: 'g',
        topics: [
          {
            name: 't',
            partitions: [
              { partitionIndex: 0, committedOffset: 5n, committedLeaderEpoch: 3, committedMetadata: 'here' },
              { partitionIndex: 1, committedOffset: 6n, committedLeaderEpoch: -1, committedMetadata: '' }
            ]
          }
        ]
      }
    ])
  })

  it('one partition that is refused does not hold up the others, nor an unknown topic for ever', async () => {
    const { brokers, store } = bench(({ body }) => committedWith(body, { 't/0': 12, 't/1': 3 }))
    const results = await brokers.run(store.commit(1, [at(0, 1n), at(1, 1n), at(2, 1n)]))
    assert.deepEqual(errorsOf(results), [
      [0, 'OFFSET_METADATA_TOO_LARGE'],
      [1, 'UNKNOWN_TOPIC_OR_PARTITION']
    ])
    assert.equal(brokers.bodies('OffsetCommit').length, 3, 'a new topic may be unknown for a moment')
  })

  it('name topics by id where the broker can and every id is known; an id that is gone is not tried for ever', async () => {
    const { brokers, store } = bench(({ body }) => committedWith(body, { 'gone/1': 100 }))
    const offsets = [at(0, 5n, { topicId: 'here' }), at(1, 6n, { topicId: 'gone' })]
    await store.commit(1, offsets)
    brokers.versions.OffsetCommit = 10
    await store.commit(1, [offsets[0]!, at(1, 6n)])
    const named = brokers.bodies('OffsetCommit').map(({ topics }) => topics.map(({ name }: { name: string }) => name))
    assert.deepEqual(named, [['t'], ['t']])
    const results = await brokers.run(store.commit(1, offsets))
    assert.deepEqual(errorsOf(results), [[1, 'UNKNOWN_TOPIC_ID']])
    const ids = brokers
      .bodies('OffsetCommit')
      .at(-1)
      .topics.map(({ topicId }: { topicId: string }) => topicId)
    assert.deepEqual(ids, ['here', 'gone'])
    assert.equal(brokers.bodies('OffsetCommit').length, 2 + 3)
  })

  it('of a topic that was made again are refused without asking, and not tried on behalf of the new one', async () => {
    const { brokers, store } = bench(({ body }) => committedWith(body, { 't/0': 3 }))
    const told = (topicId: string) => dispatch(brokers.instance, { type: 'topic', topic: 't', topicId, partitions: [] })
    told('old')
    const committing = store.commit(1, [at(0, 5n, { topicId: 'old' }), at(1, 5n)])
    await brokers.virtual.advance(50)
    told('new')
    assert.deepEqual(errorsOf(await brokers.run(committing)), [[0, 'UNKNOWN_TOPIC_ID']])
    const asked = brokers.bodies('OffsetCommit').map(({ topics }) => topics[0].partitions.length)
    assert.deepEqual(asked, [2, 1])
    assert.deepEqual(errorsOf(await store.commit(1, [at(0, 6n, { topicId: 'old' })])), [[0, 'UNKNOWN_TOPIC_ID']])
    assert.equal(brokers.bodies('OffsetCommit').length, 2)
  })

  it('go again when the coordinator moved, loads or was cut off, and each time is told', async () => {
    const { brokers, store } = bench(({ body }, times) => {
      if (times === 1) throw connectionLost()
      return committedWith(body, [16, 14, 0][times - 2])
    })
    assert.deepEqual(errorsOf(await brokers.run(store.commit(1, [at(0, 1n)]))), [])
    const told = brokers.emitted.map(event => (event.type === 'trouble' ? event.error.code : event.type))
    assert.deepEqual(told, ['CONNECTION_LOST', 'NOT_COORDINATOR', 'COORDINATOR_LOAD_IN_PROGRESS'])
  })

  it('are read with what was committed along; what is open in a transaction is waited for', async () => {
    const row = (errorCode: number) => ({ partitionIndex: 0, committedOffset: 7n, committedLeaderEpoch: 2, metadata: 'x', errorCode })
    const none = { partitionIndex: 1, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode: 0 }
    const { brokers, store } = bench(
      (_, times) => ({ groups: [{ groupId: 'g', errorCode: 0, topics: [{ name: 't', partitions: [row(times < 3 ? 88 : 0), none] }] }] }),
      { stable: true }
    )
    const found = await brokers.run(store.fetch(owned(0, 1)))
    assert.deepEqual([...found], [['t/0', { offset: 7n, leaderEpoch: 2, metadata: 'x' }]])
    assert.equal(brokers.bodies('OffsetFetch').length, 3)
    assert.equal(brokers.bodies('OffsetFetch')[0].requireStable, true)
    assert.equal(await brokers.run(store.committed('t', 0)), 7n)
  })

  it('are read in the older form too', async () => {
    const { brokers, store } = bench(() => ({
      errorCode: 0,
      topics: [
        { name: 't', partitions: [{ partitionIndex: 0, committedOffset: 4n, committedLeaderEpoch: -1, metadata: null, errorCode: 0 }] }
      ]
    }))
    brokers.versions.OffsetFetch = 3
    assert.deepEqual([...(await store.read(null))], [['t/0', 4n]])
    assert.deepEqual(brokers.bodies('OffsetFetch'), [{ groupId: 'g', topics: null }])
  })
})

describe('offsets that a member commits', () => {
  it('carry its member id, generation and instance id, and only what it owns since that epoch', async () => {
    const { brokers, store } = asMember(({ body }) => committedWith(body))
    store.become({ epoch: 2, generation: 7, memberId: 'm', groupInstanceId: 'static-1' }, owned(0, 1))
    assert.deepEqual(errorsOf(await store.commit(2, [at(0, 5n), at(9, 5n)])), [[9, 'NOT_OWNER']])
    const { memberId, generationIdOrMemberEpoch, groupInstanceId, topics } = brokers.bodies('OffsetCommit')[0]
    assert.deepEqual([memberId, generationIdOrMemberEpoch, groupInstanceId, topics[0].partitions.length], ['m', 7, 'static-1', 1])
  })

  it('before it is a member, and after it was one, nothing is', async () => {
    const { store, brokers } = asMember(({ body }) => committedWith(body))
    await assert.rejects(store.commit(1, [at(0, 1n)]), { code: 'NOT_OWNER' })
    store.become(me(1, 1), owned(0))
    store.lose()
    await assert.rejects(store.commit(1, [at(0, 1n)]), { code: 'NOT_OWNER' })
    assert.deepEqual(brokers.bodies('OffsetCommit'), [])
  })

  it('what stays owned may be committed by the word of an older epoch, as the present generation', async () => {
    const { store, brokers } = asMember(({ body }) => committedWith(body))
    store.become(me(1, 1), owned(0, 1))
    store.become(me(2, 2), owned(0))
    assert.deepEqual(errorsOf(await store.commit(1, [at(0, 5n), at(1, 5n)])), [[1, 'NOT_OWNER']])
    assert.equal(brokers.bodies('OffsetCommit')[0].generationIdOrMemberEpoch, 2)
  })

  it('what was given away and came back is not committed by the word of before', async () => {
    const { store } = asMember(({ body }) => committedWith(body))
    store.become(me(1, 1), owned(0))
    store.become(me(2, 2), [])
    store.become(me(3, 3), owned(0))
    assert.deepEqual(errorsOf(await store.commit(1, [at(0, 5n)])), [[0, 'STALE_EPOCH']])
    assert.deepEqual(errorsOf(await store.commit(3, [at(0, 5n)])), [])
    store.release(owned(0))
    assert.deepEqual(errorsOf(await store.commit(3, [at(0, 5n)])), [[0, 'NOT_OWNER']])
  })

  it('a refusal is final, and the member hears of it', async () => {
    for (const [code, name] of [
      [22, 'ILLEGAL_GENERATION'],
      [25, 'UNKNOWN_MEMBER_ID'],
      [82, 'FENCED_INSTANCE_ID'],
      [110, 'FENCED_MEMBER_EPOCH']
    ] as const) {
      const { brokers, store, refusals } = asMember(({ body }) => committedWith(body, code))
      store.become(me(1, 1), owned(0))
      await assert.rejects(brokers.run(store.commit(1, [at(0, 5n)])), { code: name })
      assert.deepEqual(refusals, [name])
      assert.equal(brokers.bodies('OffsetCommit').length, 1, 'it is not tried as anybody else')
    }
  })

  it('during a rebalance it is kept, and goes as the new generation for what is still owned', async () => {
    const { brokers, store } = asMember(({ body }) => committedWith(body, body.generationIdOrMemberEpoch === 1 ? 27 : 0))
    store.become(me(1, 1), owned(0, 1))
    const commit = store.commit(1, [at(0, 5n), at(1, 6n)])
    await brokers.virtual.advance(1_000)
    store.become(me(2, 2), owned(1))
    assert.deepEqual(errorsOf(await commit), [[0, 'NOT_OWNER']])
    const bodies = brokers.bodies('OffsetCommit')
    assert.deepEqual(
      bodies.map(({ generationIdOrMemberEpoch, topics }) => [generationIdOrMemberEpoch, topics[0].partitions.length]),
      [
        [1, 2],
        [2, 1]
      ]
    )
    assert.equal(brokers.virtual.timers, 0)
  })

  it('while a join is under way the old generation may be refused: that is waited for too', async () => {
    const { brokers, store } = asMember(({ body }) => committedWith(body, body.generationIdOrMemberEpoch === 1 ? 22 : 0))
    store.become(me(1, 1), owned(0))
    store.changing()
    const commit = store.commit(1, [at(0, 5n)])
    await brokers.virtual.advance(1_000)
    store.become(me(2, 2), owned(0))
    assert.deepEqual(errorsOf(await commit), [])
  })

  it('what is kept fails when the member is none any more, and when its time is over', async () => {
    const { brokers, store } = asMember(({ body }) => committedWith(body, 27))
    store.become(me(1, 1), owned(0))
    const lost = assert.rejects(store.commit(1, [at(0, 5n)]), { code: 'NOT_OWNER' })
    await brokers.virtual.advance(100)
    store.lose()
    await lost
    store.become(me(2, 2), owned(0))
    await assert.rejects(brokers.run(store.commit(2, [at(0, 5n)])), { code: 'REBALANCE_IN_PROGRESS' })
    assert.equal(brokers.virtual.timers, 0)
  })

  it('what is tried again is nothing to a member that was lost meanwhile, and goes as what it has become', async () => {
    const { brokers, store } = asMember((_, times) => {
      if (times % 2 === 1) throw connectionLost()
      return committedWith(brokers.bodies('OffsetCommit').at(-1))
    })
    store.become(me(1, 1), owned(0))
    const lost = assert.rejects(store.commit(1, [at(0, 5n)]), { code: 'NOT_OWNER' })
    await brokers.virtual.advance(10)
    store.lose()
    await brokers.virtual.advance(1_000)
    await lost
    assert.equal(brokers.bodies('OffsetCommit').length, 1, 'not even the coordinator is asked')
    store.become(me(2, 2), owned(0, 1))
    await brokers.run(store.commit(2, [at(0, 5n)]))
    const moved = store.commit(2, [at(0, 6n), at(1, 6n)])
    await brokers.virtual.advance(10)
    store.become(me(3, 3), owned(1))
    assert.deepEqual(errorsOf(await brokers.run(moved)), [[0, 'NOT_OWNER']])
    assert.deepEqual(
      brokers
        .bodies('OffsetCommit')
        .map(({ generationIdOrMemberEpoch, topics }) => [generationIdOrMemberEpoch, topics[0].partitions.length]),
      [
        [1, 1],
        [2, 1],
        [2, 2],
        [3, 1]
      ]
    )
  })

  it('an answer that comes after the member has moved on is judged by what it is now', async () => {
    const { brokers, store, refusals } = asMember(({ body }, times) => {
      if (times === 1) store.become(me(2, 2), owned(0))
      return committedWith(body, times === 1 ? 22 : 0)
    })
    store.become(me(1, 1), owned(0))
    assert.deepEqual(errorsOf(await brokers.run(store.commit(1, [at(0, 5n)]))), [])
    assert.deepEqual(refusals, [])
  })
})
