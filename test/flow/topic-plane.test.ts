import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TopicPlane } from '../../src/flow/topic-plane.ts'
import { PublishError } from '../../src/model/errors.ts'

test('available: a leader is known and there is no trouble', () => {
  const plane = new TopicPlane('t')
  assert.equal(plane.known, false)
  plane.setLevel('id', [2, 0, 1], { 0: { node: 1 }, 1: { node: null }, 2: { node: 3 } })
  assert.deepEqual([plane.known, plane.partitions, plane.topicId, plane.available], [true, 3, 'id', [0, 2]])
  plane.setTrouble(0, true)
  assert.deepEqual(plane.available, [2])
  plane.setTrouble(0, false)
  assert.deepEqual(plane.available, [0, 2])
  assert.deepEqual([plane.leaderOf(2), plane.leaderOf(1), plane.leaderOf(9)], [3, null, null])
})

test('trouble outlives a new level; a missing topic forgets everything', () => {
  const plane = new TopicPlane('t')
  plane.setLevel(null, [0, 1], { 0: { node: 1 }, 1: { node: 1 } })
  plane.setTrouble(1, true)
  plane.batchBytesMax = 100
  plane.setLevel(null, [0, 1, 2], { 0: { node: 1 }, 1: { node: 2 }, 2: { node: 2 } })
  assert.deepEqual(plane.available, [0, 2])
  const reason = new PublishError('UNKNOWN_TOPIC', 'gone', 'failed')
  plane.setMissing(reason)
  assert.equal(plane.missing, reason)
  assert.deepEqual([plane.known, plane.partitions, plane.available, plane.batchBytesMax], [false, 0, [], Number.POSITIVE_INFINITY])
})
