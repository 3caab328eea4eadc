/**
 * Each test that names a client is a bug which that client had: messages of aborted transactions shown, or committed ones hidden.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AbortedTransactions } from '../../src/flow/fetch-aborted.ts'
import { readBatches } from '../../src/wire/records/batch-reader.ts'
import { type BatchSpec, batches } from '../support/record-batches.ts'

/** Base offsets of the batches that are shown, markers left out. The list: producer, first offset. */
function shown(aborted: [bigint, number][], ...specs: BatchSpec[]): number[] {
  const filter = new AbortedTransactions(aborted.map(([producerId, first]) => ({ producerId, firstOffset: BigInt(first) })))
  const out: number[] = []
  for (const batch of readBatches(batches(...specs))) if (!filter.hides(batch, {}) && !batch.isControl) out.push(Number(batch.baseOffset))
  return out
}

const write = (base: number, producer: bigint): BatchSpec => ({ base, producer })
const abort = (base: number, producer: bigint): BatchSpec => ({ base, producer, marker: 'abort' })
const commit = (base: number, producer: bigint): BatchSpec => ({ base, producer, marker: 'commit' })
const a = 1n
const b = 2n

test('platformatic: two aborted transactions of one producer in one answer, a committed one between them', () => {
  const list: [bigint, number][] = [
    [a, 0],
    [a, 4]
  ]
  assert.deepEqual(
    shown(list, write(0, a), abort(1, a), write(2, a), commit(3, a), write(4, a), abort(5, a), write(6, a), commit(7, a)),
    [2, 6]
  )
})

test('platformatic: the marker comes many batches later, those of others in between are shown', () => {
  assert.deepEqual(
    shown([[a, 0]], write(0, a), write(1, b), write(2, a), { base: 3 }, commit(4, b), write(5, a), abort(6, a), write(7, a)),
    [1, 3, 7]
  )
})

test('librdkafka 1.7.0: an aborted transaction without a message does not hide what its producer commits later', () => {
  // The entry begins at its own marker: there was nothing before it.
  assert.deepEqual(shown([[a, 0]], abort(0, a), write(1, a), commit(2, a)), [1])
  assert.deepEqual(shown([[a, 2]], write(0, a), commit(1, a), abort(2, a), write(3, a), commit(4, a)), [0, 3])
})

test('the list comes in the order of the markers: a long transaction that began first stands last', () => {
  const list: [bigint, number][] = [
    [b, 2],
    [a, 0]
  ]
  assert.deepEqual(
    shown(list, write(0, a), { base: 1 }, write(2, b), abort(3, b), write(4, b), write(5, a), abort(6, a), write(7, a)),
    [1, 4, 7]
  )
})

test('an answer that begins in the middle of an aborted transaction hides its rest', () => {
  assert.deepEqual(shown([[a, 0]], write(10, a), write(11, b), abort(12, a), write(13, a)), [11, 13])
})

test('a transaction that begins in the middle of a batch’s offsets is that batch’s', () => {
  assert.deepEqual(shown([[a, 5]], { base: 3, producer: a, values: ['x', 'y', 'z'] }, abort(6, a)), [])
})

test('an aborted transaction whose marker is not in the answer yet hides to its end', () => {
  assert.deepEqual(shown([[a, 1]], write(0, b), write(1, a), write(2, b), write(3, a)), [0, 2])
})

test('a commit marker ends nothing that was aborted, and messages outside of transactions are always shown', () => {
  assert.deepEqual(shown([[a, 0]], write(0, a), commit(1, b), { base: 2 }, write(3, a), abort(4, a)), [2])
})

test('a marker that the cleaner has emptied marks nothing and is no damage', () => {
  assert.deepEqual(shown([[a, 0]], { base: 0, producer: a, marker: 'abort', empty: true }, write(1, a), abort(2, a), write(3, a)), [3])
})
