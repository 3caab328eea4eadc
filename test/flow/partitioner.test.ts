import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partitionOfKey, pickAvailable } from '../../src/flow/partitioner.ts'
import { TopicPlane } from '../../src/flow/topic-plane.ts'

function plane(nodes: (number | null)[], waiting: Record<number, number> = {}): TopicPlane {
  const made = new TopicPlane('t')
  made.setLevel(
    null,
    nodes.map((_, i) => i),
    Object.fromEntries(nodes.map((node, i) => [i, { node }]))
  )
  for (const [partition, pendingBytes] of Object.entries(waiting)) made.queues.set(Number(partition), { pendingBytes } as never)
  return made
}

test('a key goes where Java sends it, as text or as bytes', () => {
  // org.apache.kafka.common.utils.Utils.toPositive(murmur2(key)) % partitions
  assert.equal(partitionOfKey('kafka', 100), partitionOfKey(Buffer.from('kafka'), 100))
  for (const key of ['', 'a', 'ü', 'x'.repeat(1_000)]) {
    const partition = partitionOfKey(key, 7)
    assert.ok(Number.isInteger(partition) && partition >= 0 && partition < 7)
  }
})

test('unkeyed: in turn over those that have a leader', () => {
  const made = plane([1, null, 1, 1])
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map(() => pickAvailable(made)),
    [0, 2, 3, 0, 2, 3]
  )
})

test('of the next few the one with the least waiting', () => {
  const made = plane([1, 1, 1], { 0: 500, 1: 100, 2: 300 })
  assert.equal(pickAvailable(made), 1)
})

test('not the one that is excluded; with none left, none', () => {
  assert.equal(pickAvailable(plane([1, 1]), 0), 1)
  assert.equal(pickAvailable(plane([1]), 0), undefined)
  assert.equal(pickAvailable(plane([null, null])), undefined)
})
