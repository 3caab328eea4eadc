import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveSubscription, revokeLimitMs } from '../../src/model/subscription.ts'

test('the defaults, and where membership lives by default', () => {
  const given = resolveSubscription({ topic: 't', group: 'g' }, true)
  assert.deepEqual(
    [given.topics, given.group, given.membership, given.from, given.autoCommitIntervalMs],
    [['t'], 'g', 'auto', { at: 'latest' }, 5_000]
  )
  assert.equal(resolveSubscription({ topic: 't', group: 'g' }, false).membership, 'auto')
  assert.equal(resolveSubscription({ topic: 't' }, true).membership, 'manual')
  assert.equal(resolveSubscription({ partitions: [{ topic: 't', partition: 0 }], group: 'g' }, true).membership, 'manual')
})

test('it is plain data: offsets as text, dates as milliseconds', () => {
  const { partitions, from } = resolveSubscription({ partitions: [{ topic: 't', partition: 1, offset: 5n }], from: new Date(7) }, false)
  assert.deepEqual(partitions, [{ topic: 't', partition: 1, offset: '5' }])
  assert.deepEqual(from, { at: 'timestamp', timestampMs: 7 })
  assert.deepEqual(resolveSubscription({ topic: 't', from: { durationMs: 7 } }, false).from, { at: 'duration', durationMs: 7 })
})

test("assignors come with samsa, or are a user's own, the preferred one first", () => {
  const own = { name: 'mine', rebalanceProtocol: 'eager', assign: () => new Map() } as const
  const names = (assignor: never) => resolveSubscription({ topic: 't', group: 'g', assignor }, false).assignors
  assert.deepEqual(names(undefined as never), [])
  assert.deepEqual(names('range' as never), ['range'])
  assert.deepEqual(names(['cooperative-sticky', own] as never), ['cooperative-sticky', 'mine'])
})

test('work in hand may take as long as its kind of group waits, less what passes until a member hears that it does', () => {
  const limit = (options: object) => revokeLimitMs(resolveSubscription({ topic: 't', group: 'g', ...options }, true))
  assert.equal(limit({ membership: 'zookeeper' }), 4_000)
  assert.equal(limit({ membership: 'classic', maxPollIntervalMs: 7_000, heartbeatIntervalMs: 500 }), 6_500)
  assert.equal(limit({ membership: 'consumer', maxPollIntervalMs: 2_000 }), 1_000)
  assert.equal(limit({ membership: 'classic', revokeTimeoutMs: 7_000 }), 7_000)
  assert.equal(limit({ membership: 'consumer', revokeTimeoutMs: 0 }), 0)
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
    [{ topic: 't', membership: 'classic' }, 'membership'],
    [{ topic: 't', group: 'g', membership: 'kafka' }, 'membership'],
    [{ topic: 't', group: 'g', membership: 'zookeeper', assignor: 'sticky' }, 'assignor'],
    [{ topic: 't', group: 'g', assignor: 'fair' }, 'assignor'],
    [{ topic: 't', group: 'g', assignor: ['range', 'range'] }, 'assignor'],
    [{ topic: 't', group: 'g', assignor: { name: 'mine' } }, 'assignor'],
    [{ topic: 't', group: 'g', groupInstanceId: '' }, 'groupInstanceId'],
    [{ topic: 't', group: 'g', membership: 'zookeeper', groupInstanceId: 'a' }, 'groupInstanceId'],
    [{ topic: 't', group: 'g', membership: 'manual', groupInstanceId: 'a' }, 'groupInstanceId'],
    [{ topic: 't', group: 'g', remoteAssignor: 'a b' }, 'remoteAssignor'],
    [{ topic: 't', revokeTimeoutMs: -1 }, 'revokeTimeoutMs'],
    [{ topic: 't', from: { durationMs: -1 } }, 'from'],
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
