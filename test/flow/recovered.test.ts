/** What becomes of flights that an earlier process left, by what their leader knows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PublishBatch } from '../../src/flow/batch.ts'
import { RecoveredFlights } from '../../src/flow/recovered.ts'

const NOW = 1_800_000_000_000

function flight(
  sequence: number,
  more: { count?: number; producerId?: bigint; producerEpoch?: number; ageMs?: number } = {}
): PublishBatch {
  const { count = 3, producerId = 9n, producerEpoch = 0, ageMs = 1_000 } = more
  const timestamp = NOW - ageMs
  const sealed = {
    buffer: Buffer.alloc(61),
    count,
    sizeBytes: 61,
    uncompressedBytes: 61,
    compression: 'none' as const,
    baseTimestamp: timestamp,
    maxTimestamp: timestamp
  }
  const batch = new PublishBatch({
    ...{ topic: 't', sealed, free: true, group: undefined, deadlineMs: Number.POSITIVE_INFINITY, memoryBytes: 61 },
    ...{ deliveries: [], starts: [], timestampsMs: [] }
  })
  return Object.assign(batch, { sequence, producerId, producerEpoch, recovered: true, maybeWritten: true, attempt: 1 })
}

function recovered(...batches: PublishBatch[]) {
  const flights: PublishBatch[] = []
  const told: string[] = []
  const made = new RecoveredFlights(flights, {
    written: batch => told.push(`written ${batch.sequence}`),
    mayDouble: (_, reason) => told.push(reason)
  })
  for (const batch of batches) made.add(batch)
  const verify = (...known: [bigint, number, number][]) =>
    made.verify(new Map(known.map(([id, producerEpoch, lastSequence]) => [id, { producerEpoch, lastSequence }])), NOW)
  return { made, flights, told, verify, sequences: () => flights.map(({ sequence }) => sequence) }
}

test('written ones are held until the newest of them, sent again, is acked by the replicas', () => {
  const all = [flight(0), flight(3), flight(6), flight(9)]
  const { made, told, verify, sequences } = recovered(...all)
  assert.equal(made.unverified, true)
  assert.deepEqual(verify([9n, 0, 8]), { written: 3, again: 1, renewed: 0 })
  assert.deepEqual([sequences(), told, made.unverified], [[6, 9], [], true])
  made.acked(all[2]!)
  assert.deepEqual([told, made.unverified], [['written 0', 'written 3'], false])
})

test('a new leader that has less is asked anew, and gets the rest', () => {
  const { told, verify, sequences } = recovered(flight(0), flight(3), flight(6))
  verify([9n, 0, 8])
  assert.deepEqual(sequences(), [6])
  assert.deepEqual(verify([9n, 0, 2]), { written: 1, again: 2, renewed: 0 })
  assert.deepEqual([sequences(), told], [[0, 3, 6], []])
})

test('behind a gap they were not written, and get a new identity', () => {
  const { flights, told, verify, sequences } = recovered(flight(0), flight(6), flight(9))
  assert.deepEqual(verify([9n, 0, 2]), { written: 1, again: 0, renewed: 2 })
  assert.deepEqual([sequences(), flights.map(({ maybeWritten }) => maybeWritten), told], [[0, -1, -1], [true, false, false], []])
})

test('a leader with an older epoch has none of them, one with a newer epoch all', () => {
  assert.deepEqual(recovered(flight(0, { producerEpoch: 2 }), flight(3, { producerEpoch: 2 })).verify([9n, 1, 50]), {
    written: 0,
    again: 2,
    renewed: 0
  })
  const newer = recovered(flight(0), flight(3))
  assert.deepEqual(newer.verify([9n, 1, 2]), { written: 2, again: 0, renewed: 0 })
  assert.deepEqual([newer.told, newer.sequences()], [['written 0', 'written 3'], []])
})

test('a producer that no leader knows: they go again, and where it may have been forgotten that is told', () => {
  const young = recovered(flight(0), flight(3))
  assert.deepEqual([young.verify(), young.told], [{ written: 0, again: 2, renewed: 0 }, []])
  const old = recovered(flight(30, { ageMs: 90_000_000 }))
  assert.deepEqual([old.verify(), old.told], [{ written: 0, again: 1, renewed: 0 }, ['the broker does not know its producer any more']])
})

test('sequences wrap to 0', () => {
  const last = 0x7fffffff
  const { verify, sequences } = recovered(flight(last - 2), flight(0), flight(3))
  assert.deepEqual(verify([9n, 0, last]), { written: 1, again: 2, renewed: 0 })
  assert.deepEqual(sequences(), [last - 2, 0, 3])
  const wrapped = recovered(flight(last - 2), flight(0), flight(3))
  assert.deepEqual(wrapped.verify([9n, 0, 2]), { written: 2, again: 1, renewed: 0 })
})

test('each of two processes that died is judged by what the leader knows of it', () => {
  const { verify, sequences } = recovered(flight(6), flight(0, { producerId: 10n }), flight(3, { producerId: 10n }))
  assert.deepEqual(verify([9n, 0, 8], [10n, 0, 2]), { written: 2, again: 1, renewed: 0 })
  assert.deepEqual(sequences(), [6, 0, 3])
})

test('a broker that cannot say is tried from the oldest on: those that it is beyond are written as soon as a later one is acked', () => {
  const all = [flight(0), flight(3), flight(6)]
  const { made, told, sequences } = recovered(...all)
  assert.deepEqual(made.verify(undefined, NOW), { written: 0, again: 3, renewed: 0 })
  assert.equal(made.stepOver(all[1]!), false, 'not in its turn')
  assert.deepEqual([made.stepOver(all[0]!), made.stepOver(all[1]!), sequences()], [true, true, [6]])
  made.acked(all[2]!)
  assert.deepEqual(told, ['written 0', 'written 3'])
})

test('only what was left is stepped over, and only where the broker cannot say', () => {
  const left = flight(0x7ffffffe, { count: 2 })
  const next = flight(0)
  const { made, flights } = recovered(left, next)
  made.verify(new Map(), NOW)
  assert.equal(made.stepOver(left), false, 'this one says what it has')
  made.verify(undefined, NOW)
  const own = Object.assign(flight(0), { recovered: false })
  flights.unshift(own)
  assert.equal(made.stepOver(own), false, 'it is no recovered one')
  flights.shift()
  assert.equal(made.stepOver(left), true)
  assert.deepEqual([flights, left.sequence], [[next], 0x7ffffffe], 'the next one, whose sequence is 0, may still be acked')
})

test('what this process has sent since is not judged with what was left', () => {
  const own = Object.assign(flight(6), { recovered: false, maybeWritten: true })
  const { flights, verify, sequences } = recovered(flight(0), flight(3))
  flights.push(own)
  assert.deepEqual(verify([9n, 0, 8]), { written: 2, again: 0, renewed: 0 })
  assert.deepEqual(sequences(), [3, 6])
})

test('where none is acked, all of them go again with a new identity, and that is told', () => {
  const all = [flight(0), flight(3)]
  const { made, told, sequences } = recovered(...all)
  made.verify(undefined, NOW)
  made.stepOver(all[0]!)
  made.stepOver(all[1]!)
  assert.deepEqual(sequences(), [-1, -1])
  assert.deepEqual(told, Array(2).fill('the broker does not say whether it has it'))
  assert.equal(made.unverified, false)
})
