import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FetchPartition } from '../../src/flow/fetch-partition.ts'
import { type BatchSpec, batch, batches, damaged } from '../support/record-batches.ts'

function partition(from = 0, options: { creditBytes?: number; fetchMaxBytes?: number } = {}): FetchPartition {
  const out = new FetchPartition({
    topic: 't',
    partition: 0,
    creditBytes: 1 << 20,
    fetchMaxBytes: 1 << 20,
    growToBytes: 10_000,
    limits: { maxDecompressedBytes: 100_000 },
    ...options
  })
  out.begin(BigInt(from))
  return out
}

function verifyAll(of: FetchPartition): void {
  while (of.hasUnverified) of.verifyNext()
}

function read(of: FetchPartition, most = 100): string[] {
  const out: string[] = []
  for (let handed = of.take(most); handed; handed = of.take(most)) {
    for (const message of handed.messages) out.push(`${message.offset}:${message.value}`)
    of.ledger!.acknowledge(handed.entry, handed.messages.length - 1)
  }
  return out
}

const offsetsOf = (list: string[]) => list.map(text => Number(text.split(':')[0]))

test('batches are handed out in order, from the offset asked for on, in parts of any size', () => {
  for (const most of [1, 2, 3, 100]) {
    const p = partition(3)
    p.accept(batches({ base: 2, values: ['a', 'b', 'c'] }, { base: 5, values: ['d'] }, { base: 6, values: ['e', 'f'] }), null)
    assert.equal(p.fetchOffset, 8n)
    assert.equal(p.ready, false)
    verifyAll(p)
    assert.deepEqual(read(p, most), ['3:b', '4:c', '5:d', '6:e', '7:f'])
    assert.equal(p.ledger!.position, 8n)
    assert.equal(p.usedBytes, 0)
  }
})

test('a hand-out fills up over small batches', () => {
  const p = partition()
  p.accept(batches({ base: 0 }, { base: 1 }, { base: 2 }, { base: 3 }), null)
  verifyAll(p)
  assert.equal(p.take(3)!.messages.length, 3)
  assert.equal(p.take(3)!.messages.length, 1)
})

test('batches that end before the offset asked for are passed over', () => {
  const p = partition(4)
  p.accept(batches({ base: 0, values: ['a', 'b'] }, { base: 4, values: ['c'] }), null)
  verifyAll(p)
  assert.deepEqual(read(p), ['4:c'])
})

test('compacted holes, emptied batches and markers move the position, in front, in the middle and at the end', () => {
  const p = partition()
  p.accept(
    batches(
      { base: 0, empty: true, last: 4 },
      { base: 5, values: ['a'], last: 9 },
      { base: 10, producer: 7n, marker: 'commit' },
      { base: 12, values: ['b'] },
      { base: 13, empty: true, last: 20 }
    ),
    null
  )
  verifyAll(p)
  assert.equal(p.ledger!.position, 5n)
  const first = p.take(1)!
  p.ledger!.acknowledge(first.entry, 0)
  assert.equal(p.ledger!.position, 11n)
  assert.deepEqual(read(p), ['12:b'])
  assert.equal(p.ledger!.position, 21n)
  assert.equal(p.fetchOffset, 21n)
})

test('a whole answer of markers moves the position with nothing handed out, also behind a batch in hand', () => {
  const p = partition()
  p.accept(batches({ base: 0 }), null)
  verifyAll(p)
  const inHand = p.take(10)!
  p.accept(batches({ base: 1, producer: 7n, marker: 'abort' }), null)
  verifyAll(p)
  assert.equal(p.handedOut, 2n)
  assert.equal(p.take(10), undefined)
  assert.equal(p.ledger!.position, 0n)
  p.ledger!.acknowledge(inHand.entry, 0)
  assert.equal(p.ledger!.position, 2n)
})

test('credit counts what is fetched and not processed', () => {
  const one = batch({ base: 0 })
  const p = partition(0, { creditBytes: one.length * 2 })
  p.accept(batches({ base: 0 }, { base: 1 }), null)
  assert.equal(p.wants, false)
  verifyAll(p)
  const handed = p.take(1)!
  assert.equal(p.wants, false)
  p.ledger!.acknowledge(handed.entry, 0)
  assert.equal(p.wants, true)
  assert.equal(p.usedBytes, one.length)
})

test('a damaged batch: what came before it is handed out, the rest is fetched again from there', () => {
  const p = partition()
  p.accept(Buffer.concat([batch({ base: 0 }), damaged({ base: 1 }), batch({ base: 2 })]), null)
  p.verifyNext()
  assert.throws(() => p.verifyNext(), { code: 'CORRUPT_BATCH' })
  const { generation } = p
  p.refetch()
  assert.equal(p.fetchOffset, 1n)
  assert.equal(p.generation, generation + 1)
  assert.deepEqual(read(p), ['0:0'])
  assert.equal(p.ledger!.position, 1n)
})

test('a batch that cannot be decoded stays until it is fetched again, and nothing behind it is handed out', () => {
  const bomb = 'x'.repeat(200_000)
  const p = partition()
  p.accept(batches({ base: 0 }, { base: 1, values: [bomb], compression: 'gzip' }, { base: 2 }), null)
  verifyAll(p)
  assert.deepEqual(
    p.take(100)!.messages.map(({ offset }) => offset),
    [0n]
  )
  assert.throws(() => p.take(100), { name: 'LimitError' })
  p.refetchAll()
  assert.equal(p.fetchOffset, 1n)
  assert.equal(p.ready, false)
})

test('an answer without one whole batch asks for more next time, up to what a frame may hold', () => {
  const p = partition(0, { fetchMaxBytes: 100 })
  const large = batch({ base: 0, values: ['x'.repeat(500)] })
  p.accept(large.subarray(0, 100), null)
  assert.equal(p.maxBytes, large.length)
  assert.equal(p.fetchOffset, 0n)
  p.accept(large, null)
  assert.equal(p.maxBytes, 100)
  assert.throws(
    () => partition(0, { fetchMaxBytes: 100 }).accept(batch({ base: 0, values: ['x'.repeat(20_000)] }).subarray(0, 100), null),
    { code: 'MESSAGE_TOO_LARGE' }
  )
})

test('beginning anew drops what was buffered and what is on its way', () => {
  const p = partition()
  p.accept(batches({ base: 0 }), null)
  verifyAll(p)
  const { generation } = p
  p.begin(40n)
  assert.equal(p.ready, false)
  assert.equal(p.usedBytes, 0)
  assert.equal(p.fetchOffset, 40n)
  assert.ok(p.generation > generation)
})

test('aborted transactions: several of one producer, interleaved ones, and one whose marker comes in a later answer', () => {
  const p = partition()
  const a = 1n
  const b = 2n
  p.accept(
    batches(
      { base: 0, producer: a },
      { base: 1, producer: b },
      { base: 2, producer: a, marker: 'abort' },
      { base: 3, producer: a },
      { base: 4, producer: a, marker: 'commit' },
      { base: 5, producer: a },
      { base: 6 },
      { base: 7, producer: a, marker: 'abort' },
      { base: 8, producer: b, marker: 'commit' },
      { base: 9, producer: a }
    ),
    // As the broker's index has it: by the markers, not by the first offsets.
    [
      { producerId: a, firstOffset: 0n },
      { producerId: a, firstOffset: 5n },
      { producerId: a, firstOffset: 9n }
    ]
  )
  p.accept(
    batches(
      { base: 10, producer: a },
      { base: 11, producer: a, marker: 'abort' },
      { base: 12, producer: a },
      { base: 13, producer: a, marker: 'commit' }
    ),
    [{ producerId: a, firstOffset: 9n }]
  )
  verifyAll(p)
  assert.deepEqual(offsetsOf(read(p)), [1, 3, 6, 12])
  assert.equal(p.ledger!.position, 14n)
})

test('an aborted transaction without messages hides nothing of what its producer commits later', () => {
  const p = partition()
  p.accept(batches({ base: 0, producer: 1n, marker: 'abort' }, { base: 1, producer: 1n }, { base: 2, producer: 1n, marker: 'commit' }), [
    { producerId: 1n, firstOffset: 0n }
  ])
  verifyAll(p)
  assert.deepEqual(offsetsOf(read(p)), [1])
})

test('property: read_committed shows exactly what a model of transactions commits', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('write' as const), producer: fc.integer({ min: 0, max: 2 }), count: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constantFrom('commit' as const, 'abort' as const), producer: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ kind: fc.constant('plain' as const) })
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(30), fc.integer({ min: 1, max: 7 }), (steps, from, most) => {
      const specs: BatchSpec[] = []
      const open = new Map<number, { first: number; offsets: number[] }>()
      const aborted: { producerId: bigint; firstOffset: bigint; end: number }[] = []
      const visible: number[] = []
      let at = 0
      for (const one of steps) {
        if (one.kind === 'plain') {
          visible.push(at)
          specs.push({ base: at++ })
        } else if (one.kind === 'write') {
          const offsets = Array.from({ length: one.count }, (_, i) => at + i)
          const transaction = open.get(one.producer) ?? { first: at, offsets: [] }
          transaction.offsets.push(...offsets)
          open.set(one.producer, transaction)
          specs.push({ base: at, values: offsets.map(String), producer: BigInt(one.producer) })
          at += one.count
        } else {
          const transaction = open.get(one.producer)
          open.delete(one.producer)
          if (transaction && one.kind === 'commit') visible.push(...transaction.offsets)
          if (transaction && one.kind === 'abort')
            aborted.push({ producerId: BigInt(one.producer), firstOffset: BigInt(transaction.first), end: at })
          specs.push({ base: at++, producer: BigInt(one.producer), marker: one.kind })
        }
      }
      // A broker answers read_committed up to the first open transaction, and lists what overlaps the answer.
      const stable = Math.min(at, ...[...open.values()].map(({ first }) => first))
      const readable = specs.filter(spec => spec.base < stable && spec.base + (spec.values?.length ?? 1) > from)
      const p = partition(from)
      const half = Math.ceil(readable.length / 2)
      for (const part of [readable.slice(0, half), readable.slice(half)]) {
        const start = part[0]?.base
        if (start !== undefined)
          p.accept(
            batches(...part),
            aborted.filter(({ end, firstOffset }) => end >= start && firstOffset < stable)
          )
      }
      verifyAll(p)
      const expected = visible.filter(offset => offset < stable && offset >= from).sort((x, y) => x - y)
      assert.deepEqual(offsetsOf(read(p, most)), expected)
      if (readable.length > 0) assert.equal(p.ledger!.position, p.fetchOffset)
      assert.equal(p.usedBytes, 0)
    })
  )
})

// ── leader epochs (KIP-320) ──

/** Read from 0: ten messages of epoch 1, ten of epoch 2; the first five are handed out. */
function readInEpochs(): FetchPartition {
  const p = partition()
  p.leaderEpoch = 2
  const numbers = (from: number) => Array.from({ length: 10 }, (_, i) => String(from + i))
  p.accept(batches({ base: 0, values: numbers(0), epoch: 1 }, { base: 10, values: numbers(10), epoch: 2 }), null)
  verifyAll(p)
  p.take(5)
  return p
}

test('the leader epoch of every position is known, as far as it was read, and begun with', () => {
  const p = readInEpochs()
  assert.equal(p.lastEpoch, 2)
  assert.deepEqual([p.epochAt(0n), p.epochAt(5n), p.epochAt(10n), p.epochAt(11n)], [undefined, 1, 1, 2])
  p.begin(7n, undefined, 6)
  assert.deepEqual([p.lastEpoch, p.epochAt(7n), p.epochAt(6n)], [6, 6, undefined])
})

test('a leader that has the epoch to its end, and more: nothing parts', () => {
  const p = readInEpochs()
  assert.equal(p.compare(2, 20n), undefined)
  assert.deepEqual([p.fetchOffset, p.ready, p.lastEpoch], [20n, true, 2])
})

test('a log that was cut behind what was handed out: what is buffered beyond is dropped, and read again from where it was handed out', () => {
  const p = readInEpochs()
  assert.equal(p.compare(2, 15n), 15n)
  assert.deepEqual([p.fetchOffset, p.handedOut, p.ready, p.lastEpoch], [5n, 5n, false, 1])
})

test('a leader that does not have our epoch at all parts where that epoch began, however long its log is', () => {
  const p = readInEpochs()
  assert.equal(p.compare(1, 40n), 10n)
  assert.deepEqual([p.fetchOffset, p.lastEpoch], [5n, 1])
})

test('a log that was cut below what was handed out is for others to decide: nothing is touched', () => {
  const p = readInEpochs()
  assert.equal(p.compare(1, 3n), 3n)
  assert.deepEqual([p.fetchOffset, p.ready], [20n, true])
})

test('begun at a position whose epoch the leader does not have, with nothing read: it goes on there, in the epoch of the leader', () => {
  const p = partition()
  p.begin(7n, undefined, 5)
  assert.equal(p.compare(4, 9n), undefined)
  assert.deepEqual([p.fetchOffset, p.lastEpoch], [7n, 4])
})

test('what is fetched again takes its epochs along', () => {
  const p = readInEpochs()
  p.refetchAll()
  assert.deepEqual([p.fetchOffset, p.lastEpoch], [5n, 1])
  p.accept(Buffer.concat([batch({ base: 5, epoch: 1 }), damaged({ base: 6, epoch: 3 })]), null)
  p.verifyNext()
  assert.throws(() => p.verifyNext(), { code: 'CORRUPT_BATCH' })
  p.refetch()
  assert.deepEqual([p.fetchOffset, p.lastEpoch], [6n, 1], 'the epoch of damaged bytes is none')
})

test('a jump goes on behind it, in its epoch; what was handed out before is processed and then the jump is the position', () => {
  const p = partition()
  p.accept(batches({ base: 0, values: ['a', 'b', 'c'], epoch: 1 }), null)
  verifyAll(p)
  const { entry } = p.take(2)!
  p.skipTo(50n, 4)
  assert.deepEqual([p.handedOut, p.fetchOffset, p.lastEpoch, p.epochAt(50n), p.ready], [50n, 50n, 4, 4, false])
  assert.equal(p.ledger!.position, 0n)
  p.ledger!.acknowledge(entry, 1)
  assert.equal(p.ledger!.position, 50n)
})

test('0 is a leader epoch like any other, and what a broker says of the ends of its log is kept', () => {
  const p = partition()
  p.begin(7n, undefined, 0)
  assert.equal(p.epochAt(7n), 0)
  p.see({ logStartOffset: 1n, highWatermark: 9n, lastStableOffset: 8n })
  assert.deepEqual([p.logStartOffset, p.highWatermark, p.lastStableOffset], [1n, 9n, 8n])
})

test('the length alone of a batch is enough to ask for as much', () => {
  const head = batch({ base: 0, values: ['x'.repeat(5_000)] })
  const p = partition(0, { fetchMaxBytes: 100 })
  p.accept(head.subarray(0, 12), null)
  assert.equal(p.maxBytes, head.length)
})
