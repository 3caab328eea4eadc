import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { indexOfOffset, Ledger } from '../../src/flow/ledger.ts'

const messages = (...offsets: number[]) => offsets.map(offset => ({ offset: BigInt(offset) }))

test('the position moves over what is processed without a gap, whatever the order of acks', () => {
  const ledger = new Ledger(0n)
  const first = ledger.handOut(messages(0, 1), 2n, 10)
  const second = ledger.handOut(messages(2, 3), 4n, 20)
  assert.equal(ledger.acknowledge(second, 1), true)
  assert.equal(ledger.position, 0n)
  ledger.acknowledge(first, 0)
  assert.equal(ledger.position, 1n)
  ledger.acknowledge(first, 1)
  assert.equal(ledger.position, 4n)
  assert.equal(ledger.idle, true)
})

test('a batch that is through commits the hole behind it; in the middle the next offset is the one after the message', () => {
  const ledger = new Ledger(5n)
  const entry = ledger.handOut(messages(5, 9), 20n, 1)
  entry.processed++
  assert.equal(ledger.position, 6n)
  entry.processed++
  assert.equal(ledger.position, 20n)
})

test('what is skipped counts behind what is in hand, and at once where nothing is', () => {
  const ledger = new Ledger(0n)
  ledger.skipTo(3n)
  assert.equal(ledger.position, 3n)
  const entry = ledger.handOut(messages(3), 4n, 1)
  ledger.skipTo(8n)
  assert.equal(ledger.position, 3n)
  ledger.acknowledge(entry, 0)
  assert.equal(ledger.position, 8n)
})

test('credit returns once per batch, when all of it is processed', () => {
  const ledger = new Ledger(0n)
  const entry = ledger.handOut(messages(0, 1), 2n, 10)
  assert.equal(ledger.acknowledge(entry, 0), false)
  assert.equal(ledger.unprocessedBytes, 10)
  assert.equal(ledger.acknowledge(entry, 1), true)
  assert.equal(ledger.acknowledge(entry, 1), false)
  assert.equal(ledger.unprocessedBytes, 0)
})

test('an ack never goes back', () => {
  const ledger = new Ledger(0n)
  const entry = ledger.handOut(messages(0, 1, 2), 3n, 1)
  ledger.acknowledge(entry, 1)
  ledger.acknowledge(entry, 0)
  assert.equal(ledger.position, 2n)
})

test('frozen, it stays where it was', () => {
  const ledger = new Ledger(0n)
  const entry = ledger.handOut(messages(0, 1), 2n, 1)
  ledger.acknowledge(entry, 0)
  ledger.freeze()
  ledger.acknowledge(entry, 1)
  assert.equal(ledger.position, 1n)
})

test('an offset is found in its batch, holes and all', () => {
  const list = messages(3, 7, 8)
  assert.deepEqual(
    [2n, 3n, 5n, 7n, 8n, 9n].map(offset => indexOfOffset(list, offset)),
    [-1, 0, 0, 1, 2, 2]
  )
})

test('property: position = the end of the longest run of processed messages; credit = bytes of batches that are not through', () => {
  const plan = fc.array(fc.record({ count: fc.integer({ min: 1, max: 4 }), gap: fc.integer({ min: 0, max: 3 }), bytes: fc.nat(100) }), {
    maxLength: 12
  })
  const acks = fc.array(fc.record({ batch: fc.nat(11), index: fc.nat(3), iterate: fc.boolean() }), { maxLength: 40 })
  fc.assert(
    fc.property(plan, acks, (specs, steps) => {
      const ledger = new Ledger(0n)
      let at = 0
      const entries = specs.map(({ count, gap, bytes }) => {
        const offsets = Array.from({ length: count }, (_, i) => at + i)
        at += count + gap
        return { entry: ledger.handOut(messages(...offsets), BigInt(at), bytes), offsets, end: at, done: 0, bytes }
      })
      let before = 0n
      for (const { batch, index, iterate } of steps) {
        const model = entries[batch]
        if (!model) continue
        if (iterate) {
          if (model.entry.processed < model.offsets.length) model.entry.processed++
        } else ledger.acknowledge(model.entry, Math.min(index, model.offsets.length - 1))
        model.done = iterate
          ? Math.min(model.offsets.length, model.done + 1)
          : Math.max(model.done, Math.min(index + 1, model.offsets.length))
        let expected = 0
        for (const { done, offsets, end } of entries) {
          if (done > 0) expected = done === offsets.length ? end : offsets[done - 1]! + 1
          if (done < offsets.length) break
        }
        assert.equal(ledger.position, BigInt(expected))
        assert.ok(ledger.position >= before)
        before = ledger.position
      }
      for (const { entry } of entries) ledger.settle(entry)
      const open = entries.filter(({ done, offsets }) => done < offsets.length).reduce((sum, { bytes }) => sum + bytes, 0)
      assert.equal(ledger.unprocessedBytes, open)
    })
  )
})
