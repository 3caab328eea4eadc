import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EpochTrail } from '../../src/flow/epoch-trail.ts'

function trail(begin: [number, number], ...batches: [number, number][]): EpochTrail {
  const out = new EpochTrail()
  out.begin(BigInt(begin[0]), begin[1])
  for (const [base, epoch] of batches) out.note(BigInt(base), epoch, 1_000)
  return out
}

test('the epoch of a position is that of the message before it', () => {
  const read = trail([5, 2], [5, 2], [8, 2], [10, 4])
  assert.deepEqual(
    [4n, 5n, 10n, 11n, 99n].map(position => read.at(position)),
    [-1, 2, 2, 4, 4]
  )
  assert.equal(read.last, 4)
})

test('begun without an epoch, it is known from the first message on', () => {
  const read = trail([5, -1], [5, 3])
  assert.deepEqual([read.at(5n), read.at(6n)], [-1, 3])
})

test('an epoch that goes back, or is above the leader’s own, is not believed', () => {
  const read = trail([0, 3])
  read.note(0n, 2, 5)
  read.note(1n, 2_000_000_000, 5)
  read.note(2n, -1, 5)
  assert.equal(read.last, 3)
  read.note(3n, 5, 5)
  assert.equal(read.last, 5)
})

test('what is dropped takes its epochs along', () => {
  const read = trail([0, 1], [4, 2], [8, 3])
  read.cut(8n)
  assert.equal(read.last, 2)
  read.cut(4n)
  assert.equal(read.last, 1)
})

test('logs part where the leader’s epoch ends, or where the first epoch that it does not have begins', () => {
  const read = trail([0, 1], [10, 2], [20, 5])
  assert.equal(read.parting(5, 25n), 25n)
  assert.equal(read.parting(4, 30n), 20n)
  assert.equal(read.parting(2, 15n), 15n)
  assert.equal(read.parting(1, 40n), 10n)
  // Of the epoch that it began with, only the position is known.
  assert.equal(trail([7, 3]).parting(2, 9n), 7n)
})

test('only the newest epochs are kept', () => {
  const read = trail([0, 0], ...Array.from({ length: 100 }, (_, i): [number, number] => [i * 10, i + 1]))
  assert.equal(read.last, 100)
  assert.equal(read.at(5n), -1)
  assert.equal(read.at(985n), 99)
})

test('property: it answers as a list of every message would', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ count: fc.integer({ min: 1, max: 4 }), rises: fc.nat(2) }), { maxLength: 20 }),
      fc.nat(30),
      fc.nat(30),
      fc.nat(10),
      (batches, cutAt, at, foreign) => {
        const read = trail([0, -1])
        const epochs: number[] = []
        let epoch = 0
        for (const { count, rises } of batches) {
          epoch += rises
          read.note(BigInt(epochs.length), epoch, 1_000)
          for (let i = 0; i < count; i++) epochs.push(epoch)
        }
        // As a buffer does: only what begins beyond the cut is dropped with its batch.
        const kept = epochs.slice(0, cutAt)
        read.cut(BigInt(cutAt))
        if (at <= kept.length) assert.equal(read.at(BigInt(at)), at === 0 ? -1 : kept[at - 1])
        const first = kept.findIndex(each => each > foreign)
        assert.equal(read.parting(foreign, 1_000n), first < 0 ? 1_000n : BigInt(first))
      }
    )
  )
})
