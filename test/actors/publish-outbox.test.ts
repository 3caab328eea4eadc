/** What a user is told of damage in an outbox. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeDamage } from '../../src/actors/publish-outbox.ts'

const batch = {
  ...{ id: 7, topic: 'orders', partition: 2, free: false, list: 0, count: 3 },
  ...{ uncompressedBytes: 90, compression: 'none', baseTimestamp: 1, maxTimestamp: 1 }
}

test('a torn end was not accepted yet, a damaged batch is named, and what may have been an identity may double', () => {
  const told = (damage: object) => describeDamage({ file: 'box/0000000001.log', at: 40, bytes: 90, needed: true, ...damage } as never)
  assert.deepEqual(told({ kind: 'torn' }), {
    ...{ file: 'box/0000000001.log', at: 40, bytes: 90, topic: null, partition: null, mayDouble: false, mayLose: false },
    reason: 'the process or the machine died while it was written: it was not accepted yet (if nobody has cut the file)'
  })
  const named = told({ kind: 'damaged', frame: 'accepted', batch })
  assert.deepEqual([named.topic, named.partition, named.mayDouble, named.mayLose], ['orders', 2, false, true])
  const reason = 'a batch of 3 messages for orders/2 is damaged, and cannot be delivered; the file is kept as box/0000000001.log.damaged'
  assert.equal(named.reason, reason)
  const needless = told({ kind: 'damaged', frame: 'accepted', batch, needed: false })
  assert.deepEqual([needless.mayLose, needless.reason], [false, 'a batch of 3 messages for orders/2 is damaged, and not needed any more'])
  const kinds = ['accepted', 'assigned', 'done', 'split', null] as const
  assert.deepEqual(
    kinds.map(frame => told({ kind: 'damaged', frame, batch: null })).map(({ mayDouble, mayLose }) => [mayDouble, mayLose]),
    [
      [false, true],
      [true, false],
      [false, false],
      [true, true],
      [true, true]
    ]
  )
})
