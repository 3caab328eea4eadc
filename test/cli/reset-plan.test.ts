/**
 * What `groups reset` would write, for each way and at both ends of the log.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { planReset, type ResetInput } from '../../src/cli/reset-plan.ts'
import type { ResetTarget } from '../../src/cli/reset-target.ts'
import { SamsaError } from '../../src/index.ts'

const at = (fields: Partial<ResetInput> = {}): ResetInput => ({
  topic: 'orders',
  partition: 2,
  current: 50n,
  earliest: 10n,
  latest: 100n,
  atTime: null,
  ...fields
})
/** The new offset and the note of one partition. */
const plan = (target: ResetTarget, fields: Partial<ResetInput> = {}) => {
  const [row] = planReset(target, [at(fields)])
  return [row!.new, row!.note]
}

describe('the plan of a reset', () => {
  test('to the ends of the log, whatever is committed', () => {
    assert.deepEqual(plan({ to: 'earliest' }), [10n, null])
    assert.deepEqual(plan({ to: 'latest' }), [100n, null])
    assert.deepEqual(plan({ to: 'earliest' }, { current: null }), [10n, null])
    assert.deepEqual(plan({ to: 'latest' }, { earliest: 0n, latest: 0n }), [0n, null])
  })

  test('to an offset, inside the log', () => {
    assert.deepEqual(plan({ to: 'offset', offset: 42n }), [42n, null])
    assert.deepEqual(plan({ to: 'offset', offset: 10n }), [10n, null])
    assert.deepEqual(plan({ to: 'offset', offset: 100n }), [100n, null], 'the end itself is the next one to be written')
    assert.deepEqual(plan({ to: 'offset', offset: 9n }), [10n, '9 is before the beginning'])
    assert.deepEqual(plan({ to: 'offset', offset: 101n }), [100n, '101 is past the end'])
  })

  test('shifted on and back, inside the log', () => {
    assert.deepEqual(plan({ to: 'shift', by: 5n }), [55n, null])
    assert.deepEqual(plan({ to: 'shift', by: -40n }), [10n, null])
    assert.deepEqual(plan({ to: 'shift', by: -41n }), [10n, '9 is before the beginning'])
    assert.deepEqual(plan({ to: 'shift', by: -1_000n }), [10n, '-950 is before the beginning'])
    assert.deepEqual(plan({ to: 'shift', by: 51n }), [100n, '101 is past the end'])
    assert.deepEqual(plan({ to: 'shift', by: 0n }, { current: 5n }), [10n, '5 is before the beginning'])
  })

  test('what has no offset cannot be shifted: all of them are named, and nothing is planned', () => {
    const inputs = [at({ partition: 0 }), at({ partition: 1, current: null }), at({ partition: 2, current: null })]
    assert.throws(
      () => planReset({ to: 'shift', by: 1n }, inputs),
      (error: unknown) => error instanceof SamsaError && error.code === 'NO_OFFSET' && /orders\/1, orders\/2,/.test(error.message)
    )
  })

  test('to a time: the first message from there on, or the end', () => {
    assert.deepEqual(plan({ to: 'time', timestampMs: 1 }, { atTime: 70n }), [70n, null])
    assert.deepEqual(plan({ to: 'time', timestampMs: 1 }, { atTime: null }), [100n, 'no message is as new: the end'])
    assert.deepEqual(plan({ to: 'time', timestampMs: 1 }, { atTime: 3n }), [10n, '3 is before the beginning'])
  })

  test('to what is committed: the same, and the end where there is nothing', () => {
    assert.deepEqual(plan({ to: 'current' }), [50n, null])
    assert.deepEqual(plan({ to: 'current' }, { current: null }), [100n, 'nothing is committed: the end'])
    assert.deepEqual(plan({ to: 'current' }, { current: 3n }), [10n, '3 is before the beginning'])
  })

  test('to what a file says, each partition its own', () => {
    const offsets = new Map([
      ['orders/0', 20n],
      ['orders/1', 2_000n],
      ['a/b', 0n]
    ])
    assert.deepEqual(planReset({ to: 'file', offsets }, [at({ partition: 0 }), at({ partition: 1 })]), [
      { topic: 'orders', partition: 0, current: 50n, new: 20n, note: null },
      { topic: 'orders', partition: 1, current: 50n, new: 100n, note: '2000 is past the end' }
    ])
  })

  test('offsets beyond what a double can hold stay exact', () => {
    const far = 9_007_199_254_740_993n
    assert.deepEqual(plan({ to: 'shift', by: 1n }, { current: far, latest: far + 5n }), [far + 1n, null])
  })
})
