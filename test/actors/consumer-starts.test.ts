/**
 * Where an assigned partition begins, and of which topic that place is.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Flow } from '../../src/actors/consumer-flow.ts'
import { Starts } from '../../src/actors/consumer-starts.ts'
import type { Assigned } from '../../src/machines/consumer.ts'
import type { Subscription } from '../../src/model/subscription.ts'

const place = { topic: 'orders', partition: 0 }
const assigned = (offset: string | null) => ({ ...place, offset }) as Assigned
/** Has been there, up to `position`, in the topic of this id. */
const been = (position: bigint, topicId: string) =>
  ({ ...place, topicId, seeking: false, ledger: { position }, epochAt: () => undefined }) as unknown as Flow

function starts(): Starts {
  return new Starts({ partitions: null } as unknown as Subscription)
}

test('what this process has committed itself is a place in the topic that it knew: one that was made again meanwhile is noticed', () => {
  const mine = starts()
  mine.leave(been(30n, 'old'))
  const { offset, why, topicId } = mine.of(assigned('30'))
  assert.deepEqual({ offset, why, topicId }, { offset: '30', why: 'committed', topicId: 'old' })
})

test('what somebody else has committed further on is a place in the topic as it is', () => {
  const mine = starts()
  mine.leave(been(30n, 'old'))
  const { offset, why, topicId } = mine.of(assigned('40'))
  assert.deepEqual({ offset, why, topicId }, { offset: '40', why: 'committed', topicId: null })
})

test('where it has been is carried over what was committed before', () => {
  const mine = starts()
  mine.leave(been(30n, 'old'))
  const { offset, why, topicId } = mine.of(assigned('20'))
  assert.deepEqual({ offset, why, topicId }, { offset: '30', why: 'carried', topicId: 'old' })
})
