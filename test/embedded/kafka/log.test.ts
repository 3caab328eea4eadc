/**
 * A replica's log without a broker: reading, cutting, following, epochs, and what it says of producers after each of them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { markerBatch, storeBatch } from '../../../src/embedded/kafka/log/batch.ts'
import { ReplicaLog } from '../../../src/embedded/kafka/log/log.ts'
import { RecordBatch } from '../../../src/wire/records/index.ts'
import { batchOf, startCluster } from './support.ts'

interface Write {
  count?: number
  producerId?: bigint
  baseSequence?: number
  transactional?: boolean
  epoch?: number
}

function write(log: ReplicaLog, { count = 1, producerId = -1n, baseSequence = -1, transactional = false, epoch = 0 }: Write = {}): void {
  const values = Array.from({ length: count }, (_, i) => `v${log.endOffset + i}`)
  const bytes = batchOf(values, { producerId, producerEpoch: producerId < 0n ? -1 : 0, baseSequence, transactional })
  log.append(storeBatch(bytes, log.endOffset, epoch, 1_000))
}

function end(log: ReplicaLog, producerId: bigint, commit: boolean, epoch = 0): void {
  const marker = { commit, producerId, producerEpoch: 0, coordinatorEpoch: 3 }
  log.append(storeBatch(markerBatch(marker, 5), log.endOffset, epoch, 1_000))
}

test('a marker is a control batch that any client can read', () => {
  for (const commit of [true, false]) {
    const batch = new RecordBatch(markerBatch({ commit, producerId: 7n, producerEpoch: 2, coordinatorEpoch: 3 }, 5))
    batch.verify()
    assert.deepEqual(
      [batch.controlMarker()?.type, batch.isTransactional, batch.producerId, batch.producerEpoch, batch.count],
      [commit ? 'commit' : 'abort', true, 7n, 2, 1]
    )
    assert.deepEqual(storeBatch(batch.buffer, 9, 1, 0).marker, { commit, coordinatorEpoch: 3 })
  }
})

test('transactions under way hold back what is stable, and a cut opens again what was ended behind it', () => {
  const log = new ReplicaLog()
  write(log)
  write(log, { producerId: 1n, baseSequence: 0, transactional: true })
  write(log, { producerId: 2n, baseSequence: 0, transactional: true })
  assert.equal(log.producers.firstUnstable(3), 1)
  end(log, 1n, false)
  assert.equal(log.producers.firstUnstable(3), 1, 'its marker is not replicated yet')
  assert.equal(log.producers.firstUnstable(4), 2)
  assert.deepEqual(log.producers.aborted, [{ producerId: 1n, firstOffset: 1, lastOffset: 3 }])
  assert.equal(log.producers.entries.get(1n)!.coordinatorEpoch, 3)
  log.truncateTo(3)
  assert.deepEqual([log.endOffset, log.producers.firstUnstable(3), log.producers.aborted], [3, 1, []])
})

test('epochs say where each leader ended, also after cuts and deletions', () => {
  const log = new ReplicaLog()
  log.beginEpoch(0, 0)
  write(log, { count: 3 })
  write(log, { count: 2, epoch: 2 })
  write(log, { epoch: 5 })
  const ends = () => [0, 1, 2, 4, 5, 6].map(epoch => Object.values(log.endOfEpoch(epoch)).join('/'))
  assert.deepEqual(ends(), ['0/3', '0/3', '2/5', '2/5', '5/6', '-1/-1'])
  log.moveStart(4)
  assert.deepEqual(ends(), ['0/4', '1/4', '2/5', '2/5', '5/6', '-1/-1'])
  log.truncateTo(5)
  assert.deepEqual(ends(), ['0/4', '1/4', '2/5', '-1/-1', '-1/-1', '-1/-1'])
  assert.equal(log.epochAt(4), 2)
})

test('whatever two replicas hold, the follower becomes what the leader is, and every offset is found in it', () => {
  const step = fc.record({
    count: fc.integer({ min: 1, max: 3 }),
    to: fc.constantFrom('leader', 'follower', 'both'),
    cut: fc.nat(4),
    start: fc.nat(3)
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), steps => {
      const [leader, follower] = [new ReplicaLog(), new ReplicaLog()]
      let epoch = 0
      for (const { count, to, cut, start } of steps) {
        if (to === 'both') {
          follower.follow(leader)
          write(leader, { count, epoch })
          follower.follow(leader)
          if (start === 0) leader.moveStart(Math.min(leader.endOffset, leader.logStartOffset + count))
        } else {
          // Apart from each other they have leaders of different epochs.
          epoch++
          const log = to === 'leader' ? leader : follower
          if (cut === 0) log.truncateTo(Math.max(log.logStartOffset, log.endOffset - count))
          write(log, { count, epoch })
        }
      }
      follower.follow(leader)
      assert.deepEqual([follower.endOffset, follower.logStartOffset], [leader.endOffset, leader.logStartOffset])
      assert.deepEqual(follower.batches.slice(-3), leader.batches.slice(-3))
      assert.equal(
        follower.sizeBytes,
        follower.batches.reduce((sum, { bytes }) => sum + bytes.length, 0)
      )
      for (let offset = leader.logStartOffset; offset < leader.endOffset; offset++) {
        const { chunks, nextOffset } = follower.read(offset, leader.endOffset, 1, true)
        const batch = new RecordBatch(chunks[0]!)
        assert.ok(Number(batch.baseOffset) <= offset && offset < nextOffset && Number(batch.nextOffset) === nextOffset)
      }
    }),
    { numRuns: 300, seed: 6 }
  )
})

test('retention deletes what is too old or too much, but not what is not replicated', async t => {
  const { state } = await startCluster(t, { brokers: 2 })
  const size = batchOf(['x']).length
  state.createTopic({ name: 'old', configs: { 'retention.ms': '1000' } })
  state.createTopic({ name: 'much', assignments: [[1, 2]], configs: { 'retention.ms': '-1', 'retention.bytes': String(2 * size) } })
  const append = (topic: string, timestamp: number) => {
    const bytes = batchOf(['x'], { timestamp })
    return state
      .partition(topic, 0)!
      .append(bytes, { producerId: -1n, producerEpoch: -1, firstSequence: -1, lastSequence: -1, isTransactional: false })
  }
  for (const age of [5_000, 3_000, 0]) append('old', state.world.now() - age)
  for (let i = 0; i < 3; i++) append('much', 1)
  state.partition('much', 0)!.hold(2)
  for (let i = 0; i < 4; i++) append('much', 1)
  state.applyRetention()
  assert.deepEqual([state.partition('old', 0)!.logStartOffset, state.partition('much', 0)!.logStartOffset], [2, 3])
  state.partition('much', 0)!.hold(2, false)
  state.applyRetention()
  assert.equal(state.partition('much', 0)!.logStartOffset, 5)
  assert.equal(state.partition('much', 0)!.logs.get(2)!.sizeBytes, 2 * size)
})
