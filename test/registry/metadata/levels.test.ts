/** Metadata responses, as brokers give them and as no broker would, turned into the events of a registry. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BrokerError, LimitError, RegistryError, SamsaError } from '../../../src/model/errors.ts'
import { metadataLevels } from '../../../src/registry/metadata/levels.ts'
import type { RegistryEvent } from '../../../src/registry/registry.ts'
import { broker, metadata, partition, topic } from './manual-world.ts'

const of = <T extends RegistryEvent['type']>(events: RegistryEvent[], type: T) =>
  events.filter((event): event is Extract<RegistryEvent, { type: T }> => event.type === type)

describe('metadataLevels', () => {
  it('tells brokers, controller, cluster, topics and leaders, brokers first and everything in order', () => {
    const response = metadata([topic('orders', [partition(1, 2), partition(0, 1)])], { brokers: [broker(2, { rack: 'r2' }), broker(1)] })
    const { events, unsettled } = metadataLevels(response)
    assert.deepEqual(events, [
      {
        type: 'brokers',
        brokers: [
          { id: 1, host: 'host1', port: 9092, rack: null },
          { id: 2, host: 'host2', port: 9092, rack: 'r2' }
        ],
        quarantined: []
      },
      { type: 'controller', brokerId: 1 },
      { type: 'cluster', clusterId: 'cluster-a' },
      {
        type: 'topic',
        topic: 'orders',
        topicId: 'uKL0dQXkRR2SsSTNmwGNHg',
        partitions: [
          { partition: 0, replicas: [1, 2] },
          { partition: 1, replicas: [1, 2] }
        ]
      },
      {
        type: 'leaders',
        topic: 'orders',
        source: 'metadata',
        leaders: [
          { partition: 0, leader: 1, leaderEpoch: 3, inSync: [1] },
          { partition: 1, leader: 2, leaderEpoch: 3, inSync: [1] }
        ]
      }
    ])
    assert.deepEqual(unsettled, [])
  })

  it('tells the names of all topics only when all were asked for, and levels only of those that are wanted', () => {
    const response = metadata([topic('b', [partition(0, 1)]), topic('a', [partition(0, 1)]), topic('gone', [], { errorCode: 3 })])
    const { events } = metadataLevels(response, { all: true, wanted: name => name === 'a' })
    assert.deepEqual(of(events, 'topics'), [{ type: 'topics', topics: ['a', 'b'] }])
    assert.deepEqual(
      of(events, 'topic').map(event => event.topic),
      ['a']
    )
    assert.deepEqual(of(events, 'topic.missing'), [])
  })

  it('knows no topic id, no epoch and no controller from brokers that do not tell them', () => {
    const old = topic('t', [partition(0, 1, { leaderEpoch: -1 })], { topicId: 'AAAAAAAAAAAAAAAAAAAAAA' })
    const { events } = metadataLevels(metadata([old], { controllerId: -1, clusterId: null }))
    assert.equal(of(events, 'topic')[0]?.topicId, null)
    assert.equal(of(events, 'leaders')[0]?.leaders[0]?.leaderEpoch, -1)
    assert.equal(of(events, 'controller')[0]?.brokerId, null)
    assert.equal(of(events, 'cluster')[0]?.clusterId, null)
  })

  it('gives each error of a topic its meaning', () => {
    const errors: [number, string[], string[]][] = [
      [3, ['topic.missing'], ['t']],
      [100, ['topic.missing'], ['t']],
      [5, [], ['t']],
      [29, ['trouble'], []],
      [17, ['trouble'], []],
      [-1, ['trouble'], ['t']],
      [12_345, ['trouble'], ['t']]
    ]
    for (const [errorCode, types, again] of errors) {
      const { events, unsettled } = metadataLevels(metadata([topic('t', [], { errorCode })]))
      assert.deepEqual(
        events.slice(3).map(({ type }) => type),
        types,
        `error ${errorCode}`
      )
      assert.deepEqual(unsettled, again, `error ${errorCode}`)
    }
    const [denied] = of(metadataLevels(metadata([topic('t', [], { errorCode: 29 })])).events, 'trouble')
    assert.equal(denied?.error.code, 'TOPIC_AUTHORIZATION_FAILED')
    assert.deepEqual(denied?.error.details, { topic: 't' })
  })

  it('gives each error of a partition its meaning: no leader and again, or a leader all the same', () => {
    const parts = [
      partition(0, -1, { errorCode: 5 }),
      partition(1, 2, { errorCode: 9 }),
      partition(2, 2, { errorCode: 72 }),
      partition(3, -1)
    ]
    const { events, unsettled } = metadataLevels(metadata([topic('t', parts)]))
    assert.deepEqual(
      of(events, 'leaders')[0]?.leaders.map(({ leader }) => leader),
      [-1, 2, -1, -1]
    )
    assert.deepEqual(unsettled, ['t'])
  })

  it('refuses a response with an error of its own, without a broker, or out of proportion', () => {
    const refusal = (response: Parameters<typeof metadataLevels>[0], type: typeof SamsaError, code: string) =>
      assert.throws(
        () => metadataLevels(response),
        (error: unknown) => error instanceof type && error.code === code
      )
    refusal(metadata([], { errorCode: 129 }), BrokerError, 'REBOOTSTRAP_REQUIRED')
    refusal(metadata([], { brokers: [] }), RegistryError, 'METADATA_INVALID')
    refusal(metadata([], { brokers: Array.from({ length: 1_000_000 }, (_, i) => broker(i)) }), LimitError, 'METADATA_TOO_LARGE')
    refusal(metadata(Array.from({ length: 200_001 }, (_, i) => topic(`t${i}`, []))), LimitError, 'METADATA_TOO_LARGE')
  })

  it('quarantines brokers that cannot be dialled, and keeps the others', () => {
    const bad = [
      broker(3, { host: 'bad host' }),
      broker(4, { host: '' }),
      broker(5, { port: 0 }),
      broker(6, { port: 70_000 }),
      broker(-7),
      broker(1, { host: 'other' })
    ]
    const { events } = metadataLevels(metadata([], { brokers: [broker(1), ...bad] }))
    const [level] = of(events, 'brokers')
    assert.deepEqual(
      level?.brokers.map(({ id, host }) => [id, host]),
      [[1, 'host1']]
    )
    assert.equal(level?.quarantined.length, 6)
    assert.equal(of(events, 'quarantine').length, 1)
    assert.match(of(events, 'quarantine')[0]?.error.message ?? '', /bad host[\s\S]*and 1 more/)
  })

  it('quarantines a topic whose partitions cannot be, and names that no topic can have, in one word each', () => {
    const cases = [
      [partition(-1, 1)],
      [partition(0, 1), partition(0, 2)],
      [partition(0, -2)],
      [partition(0, 1, { leaderEpoch: -5 })],
      [partition(0, 1, { replicaNodes: [-1] })],
      [partition(0, 1, { isrNodes: Array.from({ length: 1_001 }, (_, i) => i) })],
      Array.from({ length: 100_001 }, (_, i) => partition(i, 1))
    ]
    for (const parts of cases) {
      const { events } = metadataLevels(metadata([topic('bad', parts), topic('good', [partition(0, 1)])]))
      assert.deepEqual(
        of(events, 'quarantine').map(({ path }) => path),
        ['metadata/topics/bad']
      )
      assert.deepEqual(
        of(events, 'leaders').map(event => event.topic),
        ['good']
      )
    }
    const misnamed = metadataLevels(metadata(['../x', 'a\0b', '', null, '.', 'x'.repeat(250)].map(name => topic(name, [partition(0, 1)]))))
    assert.equal(of(misnamed.events, 'quarantine').length, 1)
    assert.equal(of(misnamed.events, 'topic').length, 0)
  })

  it('gives plain events or a SamsaError for any numbers and texts', () => {
    const int = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -2, max: 5 }))
    const parts = fc.array(fc.record({ partitionIndex: int, leaderId: int, leaderEpoch: int, errorCode: int, replicaNodes: fc.array(int) }))
    const topics = fc.array(
      fc.record({ name: fc.oneof(fc.string(), fc.constantFrom('a', '__proto__', null)), errorCode: int, partitions: parts })
    )
    const brokers = fc.array(fc.record({ nodeId: int, host: fc.string(), port: int }))
    fc.assert(
      fc.property(brokers, topics, int, (someBrokers, someTopics, controllerId) => {
        const response = metadata(
          someTopics.map(({ name, errorCode, partitions }) =>
            topic(
              name,
              partitions.map(each => partition(0, 0, each)),
              { errorCode }
            )
          ),
          { brokers: someBrokers.map(each => broker(0, each)), controllerId }
        )
        try {
          const { events } = metadataLevels(response)
          assert.deepEqual(JSON.parse(JSON.stringify(events)), events)
        } catch (error) {
          assert.ok(error instanceof SamsaError, String(error))
        }
      }),
      { numRuns: 1_000, seed: 1 }
    )
  })
})
