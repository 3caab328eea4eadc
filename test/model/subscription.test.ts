import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveSubscription } from '../../src/model/subscription.ts'

test('the defaults, and where membership lives by default', () => {
  const given = resolveSubscription({ topic: 't', group: 'g' }, true)
  assert.deepEqual(
    [given.topics, given.group, given.membership, given.from, given.autoCommitIntervalMs],
    [['t'], 'g', 'zookeeper', { at: 'latest' }, 5_000]
  )
  assert.equal(resolveSubscription({ topic: 't', group: 'g' }, false).membership, 'manual')
  assert.equal(resolveSubscription({ topic: 't' }, true).membership, 'manual')
  assert.equal(resolveSubscription({ partitions: [{ topic: 't', partition: 0 }], group: 'g' }, true).membership, 'manual')
})

test('it is plain data: offsets as text, dates as milliseconds', () => {
  const { partitions, from } = resolveSubscription({ partitions: [{ topic: 't', partition: 1, offset: 5n }], from: new Date(7) }, false)
  assert.deepEqual(partitions, [{ topic: 't', partition: 1, offset: '5' }])
  assert.deepEqual(from, { at: 'timestamp', timestampMs: 7 })
})

test('what cannot be is refused, with the name of the option', () => {
  const wrong: [object, string][] = [
    [{}, 'topic'],
    [{ topic: 't', topics: ['u'] }, 'topic'],
    [{ topics: [] }, 'topics'],
    [{ partitions: [] }, 'partitions'],
    [{ topic: 't', group: 'a/b' }, 'group'],
    [{ topic: 't', from: 'begin' }, 'from'],
    [{ topic: 't', from: new Date(Number.NaN) }, 'from'],
    [{ topic: 't', batchMaxMessages: 0 }, 'batchMaxMessages'],
    [{ topic: 't', fetchMaxWaitMs: Number.NaN }, 'fetchMaxWaitMs'],
    [{ topic: 't', onHandlerError: 'ignore' }, 'onHandlerError'],
    [{ topic: 't', autoCommitIntervalMs: 0 }, 'autoCommitIntervalMs'],
    [{ topic: 't', membership: 'zookeeper' }, 'membership'],
    [{ pattern: '(' }, 'pattern'],
    [{ pattern: '' }, 'pattern'],
    [{ partitions: [{ topic: 't', partition: -1 }] }, 'partitions'],
    [{ partitions: [{ topic: 't', partition: 0, offset: -1n }] }, 'partitions'],
    [
      {
        partitions: [
          { topic: 't', partition: 0 },
          { topic: 't', partition: 0 }
        ]
      },
      'partitions'
    ]
  ]
  for (const [options, name] of wrong)
    assert.throws(
      () => resolveSubscription(options, true),
      { code: 'INVALID_OPTION', details: { option: name } },
      JSON.stringify(options, (_, value) => (typeof value === 'bigint' ? String(value) : value))
    )
  assert.throws(() => resolveSubscription({ topic: '../x' }, true), { code: 'INVALID_TOPIC' })
  assert.throws(() => resolveSubscription({ topic: 't', fromBeginning: true } as never, true), { code: 'UNKNOWN_OPTION' })
})
