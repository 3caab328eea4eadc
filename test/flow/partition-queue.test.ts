import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Delivery, type ListGroup, PublishBatch } from '../../src/flow/batch.ts'
import { PartitionQueue } from '../../src/flow/partition-queue.ts'
import { PublishError } from '../../src/model/errors.ts'
import { BatchWriter, RecordBatch } from '../../src/wire/records/index.ts'

const silent: Delivery = { acked: () => {}, failed: () => {} }

function batch(
  values: string[],
  more: { deadlineMs?: number; count?: number; free?: boolean; delivery?: Delivery; group?: ListGroup } = {}
): PublishBatch {
  const writer = new BatchWriter({ limitBytes: 1 << 20 })
  for (const value of values) writer.append(1, null, value, undefined)
  const sealed = writer.seal('none')
  return new PublishBatch({
    topic: 't',
    sealed: more.count === undefined ? sealed : { ...sealed, count: more.count },
    free: more.free ?? false,
    group: more.group,
    deadlineMs: more.deadlineMs ?? 1_000,
    memoryBytes: 10,
    deliveries: [more.delivery ?? silent],
    starts: [0],
    timestampsMs: [1]
  })
}

function queue(idempotent = true, givesUp = true) {
  const told: string[] = []
  const made = new PartitionQueue({
    topic: 't',
    partition: 0,
    path: 'topics/t/0',
    idempotent,
    givesUp,
    events: {
      acked: () => told.push('acked'),
      refused: (_, reason, seek) => told.push(`refused ${reason}${seek ? ' seek' : ''}`),
      linkLost: () => told.push('lost'),
      done: () => told.push('done'),
      split: () => told.push('split'),
      mayDouble: (_, batch, reason) => told.push(`maybe doubled ${batch.producerId}: ${reason}`),
      needIdentity: () => told.push('identity')
    }
  })
  made.setIdentity(9n, 0)
  return { made, told }
}

const ok = { errorCode: 0, errorMessage: null, baseOffset: 5n, logAppendTimeMs: -1 }
const refusal = (errorCode: number) => ({ ...ok, errorCode })

test('sequences are int32 and wrap to 0, as Java increments them', () => {
  const { made } = queue()
  const sizes = [0x7fffffff, 3, 2]
  for (const count of sizes) made.sealed.push(batch(['x'], { count }))
  const sent = made.take(1, 5)
  assert.deepEqual(
    sent.map(one => one.sequence),
    [0, 0x7fffffff, 2]
  )
  assert.equal(new RecordBatch(sent[1]!.sealed.buffer).baseSequence, 0x7fffffff)
})

test('without an identity nothing is handed out; with one the bytes carry it', () => {
  const { made } = queue()
  const other = new PartitionQueue({ topic: 't', partition: 0, path: 'p', idempotent: true, givesUp: true, events: {} as never })
  other.sealed.push(batch(['x']))
  assert.deepEqual(other.take(1, 5), [])
  made.sealed.push(batch(['x']))
  const [one] = made.take(1, 5)
  const bytes = new RecordBatch(one!.sealed.buffer)
  bytes.verify()
  assert.deepEqual([bytes.producerId, bytes.producerEpoch, bytes.baseSequence], [9n, 0, 0])
})

test('acks are told at once, a refusal when all that is on a wire is answered', () => {
  const { made, told } = queue()
  made.sealed.push(batch(['a']), batch(['b']), batch(['c']))
  const [a, b, c] = made.take(1, 5)
  made.answered(a!, 1, ok)
  assert.deepEqual(told.splice(0), ['done', 'acked'])
  made.answered(b!, 1, refusal(6))
  assert.deepEqual(told, [])
  assert.deepEqual(made.take(1, 5), [], 'nothing new meanwhile')
  made.answered(c!, 1, refusal(45))
  assert.deepEqual(told, ['refused broker answered NOT_LEADER_OR_FOLLOWER seek'])
  assert.deepEqual(made.take(2, 1), [b], 'first the head alone')
})

test('what an older send was refused for does not count any more, its ack does', () => {
  const { made, told } = queue()
  made.sealed.push(batch(['a']))
  const [a] = made.take(1, 5)
  assert.deepEqual(made.take(2, 1), [a], 'another term: it goes again')
  made.answered(a!, 1, refusal(6))
  assert.deepEqual(told, [])
  made.answered(a!, 1, ok)
  assert.deepEqual(told, ['done', 'acked'])
  assert.equal(made.isEmpty, true)
})

test('what the old connection still says of a flight that waits for its turn on the new one is stale', () => {
  const { made, told } = queue()
  made.sealed.push(batch(['a']), batch(['b']))
  const [a, b] = made.take(1, 5)
  assert.deepEqual(made.take(2, 1), [a])
  made.answered(b!, 1, refusal(6))
  made.unsent(b!, 1, 'cut')
  assert.deepEqual(told, [])
  made.answered(a!, a!.attempt, ok)
  assert.deepEqual(told, ['done', 'acked'], 'nothing was refused meanwhile')
})

test('what was never put on a wire goes again after the link; its older sends say nothing of it', () => {
  const { made, told } = queue()
  made.sealed.push(batch(['a']))
  const [a] = made.take(1, 1)
  made.take(2, 1)
  made.unsent(a!, 1, 'its file is full')
  made.unfit(a!, 1, new Error('no'))
  assert.deepEqual([told, a!.onWire], [[], true])
  made.unsent(a!, a!.attempt, 'its file is full')
  assert.deepEqual([told, a!.onWire, a!.maybeWritten], [['lost'], false, true])
  assert.deepEqual(made.take(3, 1), [a])
})

test('a connection that ends after the ack says nothing of it', () => {
  const { made, told } = queue()
  made.sealed.push(batch(['a']))
  const [a] = made.take(1, 1)
  made.answered(a!, 1, ok)
  made.lost(a!, 1, 'cut')
  assert.deepEqual(told, ['done', 'acked'])
})

test('once flights are given up, what was refused before does not hold the rest', () => {
  const { made } = queue()
  const [a, b] = [batch(['a'], { deadlineMs: 500 }), batch(['b'])]
  made.sealed.push(a, b)
  made.take(1, 1)
  made.answered(a, 1, refusal(6))
  assert.deepEqual(made.abandonFlights(600), [a])
  assert.deepEqual(made.take(1, 5), [b])
})

test('without idempotence nothing has a number to lose: what may have been written stays, whatever fails ahead of it', () => {
  const { made, told } = queue(false)
  made.sealed.push(batch(['a']), batch(['b']))
  const [a, b] = made.take(1, 5)
  made.lost(b!, 1, 'cut')
  made.answered(a!, 1, refusal(87))
  assert.deepEqual([a!.error?.code, b!.error], ['INVALID_RECORD', undefined])
  assert.deepEqual(told, ['done', 'lost'])
  assert.deepEqual(made.take(2, 1), [b])
})

test('a producer id may be 0', () => {
  const { made } = queue()
  made.setIdentity(0n, 0)
  made.sealed.push(batch(['a']))
  assert.equal(made.take(1, 1)[0]?.producerId, 0n)
})

test('once one batch of a list is sent, the others stay with it', () => {
  const { made } = queue()
  const group = { sent: false, partition: 0 }
  const [first, second] = [batch(['a'], { free: true, group }), batch(['b'], { free: true, group })]
  made.sealed.push(first, second)
  made.take(1, 1)
  assert.equal(group.sent, true)
  assert.deepEqual(made.takeMovable(), [])
})

test('a batch that is too large is split where it is: the parts share its numbers, and what flies behind keeps its own', () => {
  for (const idempotent of [true, false]) {
    const { made, told } = queue(idempotent)
    made.sealed.push(batch(['a', 'b', 'c']), batch(['d']))
    const [large, small] = made.take(1, 5)
    made.answered(large!, 1, refusal(10))
    assert.deepEqual(told, ['split'])
    made.answered(large!, 1, ok)
    assert.deepEqual(told, ['split'], 'the whole is no more')
    if (idempotent) made.answered(small!, 1, refusal(45))
    else made.answered(small!, 1, ok)
    const parts = made.take(2, 5)
    assert.equal(parts.includes(large!), false)
    const counts = parts.map(({ count }) => count)
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      idempotent ? 4 : 3
    )
    if (!idempotent) assert.deepEqual(new Set(parts.map(({ sequence }) => sequence)), new Set([-1]))
    else
      for (const [i, part] of parts.entries())
        assert.equal(
          part.sequence,
          counts.slice(0, i).reduce((sum, count) => sum + count, 0)
        )
  }
})

test('an identity that the broker does not take any more is renewed', () => {
  const { made, told } = queue()
  made.sealed.push(batch(['a']))
  const [a] = made.take(1, 1)
  made.answered(a!, 1, refusal(47))
  assert.deepEqual(told, ['identity', 'refused broker answered INVALID_PRODUCER_EPOCH'])
  assert.deepEqual(made.take(2, 1), [], 'not before there is one')
  made.setIdentity(10n, 0)
  assert.deepEqual(made.take(2, 1), [a])
  assert.deepEqual([a!.producerId, a!.producerEpoch, a!.sequence], [10n, 0, 0])
})

test('the ack of the newest recovered flight settles those that were held for it', () => {
  const { made, told } = queue()
  const left = [0, 1].map(sequence =>
    Object.assign(batch(['x']), { sequence, producerId: 7n, producerEpoch: 0, recovered: true, maybeWritten: true })
  )
  for (const one of left) made.recovered.add(one)
  made.verify(1, new Map([[7n, { producerEpoch: 0, lastSequence: 1 }]]), 0)
  const [newest] = made.take(1, 5)
  assert.deepEqual([newest, made.recovered.unverified], [left[1], true])
  made.answered(newest!, newest!.attempt, ok)
  assert.deepEqual([told, made.recovered.unverified], [['done', 'done', 'acked'], false])
})

test('a new producer id waits until what flies under the old one is settled', () => {
  const { made } = queue()
  made.sealed.push(batch(['a']), batch(['b']))
  const [a] = made.take(1, 1)
  made.setIdentity(10n, 0)
  assert.deepEqual(made.take(1, 5), [])
  made.answered(a!, 1, ok)
  const [b] = made.take(1, 5)
  assert.deepEqual([b!.producerId, b!.sequence], [10n, 0])
})

test('without idempotence a new term does not send again what may still be answered', () => {
  const { made, told } = queue(false)
  made.sealed.push(batch(['a']))
  const [a] = made.take(1, 1)
  assert.deepEqual(made.take(2, 1), [])
  made.lost(a!, 1, 'cut')
  assert.deepEqual(told, ['lost'])
  assert.deepEqual(made.take(3, 1), [a])
  assert.equal(a!.maybeWritten, true)
})

test('expired batches are found behind younger ones too: a rerouted one may be older', () => {
  const { made } = queue()
  const [young, old] = [batch(['young'], { deadlineMs: 2_000 }), batch(['old'], { deadlineMs: 500 })]
  made.sealed.push(young, old)
  assert.deepEqual(made.takeExpiredSealed(600), [old])
  assert.deepEqual(made.sealed, [young])
})

test('only unkeyed batches that were never sent may move', () => {
  const { made } = queue()
  const [sent, keyed, free] = [batch(['s'], { free: true }), batch(['k']), batch(['f'], { free: true })]
  made.sealed.push(sent, keyed, free)
  made.take(1, 1)
  assert.deepEqual(made.takeMovable(), [free])
  assert.deepEqual(made.sealed, [keyed])
})

test('flights given up end the epoch; those behind that were surely refused and have time wait again', () => {
  const { made } = queue()
  made.sealed.push(batch(['a'], { deadlineMs: 100 }), batch(['b'], { deadlineMs: 900 }))
  const [a, b] = made.take(1, 5)
  made.answered(a!, 1, refusal(19))
  made.answered(b!, 1, refusal(45))
  assert.deepEqual(made.abandonFlights(200), [a])
  assert.deepEqual(made.sealed, [b])
  const [again] = made.take(2, 5)
  assert.deepEqual([again!.producerEpoch, again!.sequence], [1, 0])
})

test('levels and pending bytes count both what waits and what flies', () => {
  const { made } = queue()
  made.sealed.push(batch(['a']), batch(['b']))
  const bytes = made.pendingBytes
  made.take(1, 1)
  assert.deepEqual(made.levels, { inFlight: 1, queued: 1 })
  assert.equal(made.pendingBytes, bytes)
})

describe('with an outbox nothing is given up', () => {
  test('what may have been written, and whose sequence is of no use any more, goes again with a new one, and that is told', () => {
    const { made, told } = queue(true, false)
    const [first, second] = [batch(['a']), batch(['b'])]
    made.sealed.push(first, second)
    made.take(1, 5)
    made.lost(first, first.attempt, 'gone')
    made.lost(second, second.attempt, 'gone')
    made.take(2, 1)
    made.answered(first, first.attempt, refusal(59))
    assert.deepEqual(told, [
      'lost',
      'maybe doubled 9: the broker has lost its sequence',
      'maybe doubled 9: the broker has lost its sequence',
      'refused broker answered UNKNOWN_PRODUCER_ID'
    ])
    const again = made.take(3, 5)
    assert.deepEqual(
      again.map(one => [one, one.producerEpoch, one.sequence]),
      [
        [first, 1, 0],
        [second, 1, 1]
      ]
    )
    told.length = 0
    for (const one of again) made.answered(one, one.attempt, refusal(45))
    assert.deepEqual(told, ['refused broker answered OUT_OF_ORDER_SEQUENCE_NUMBER'], 'with these numbers it was surely not written')
  })

  test('one that was not accepted is taken out, whether it waits or has a number already; those behind get new ones', () => {
    const { made, told } = queue(true, false)
    const [first, second, third] = [batch(['a']), batch(['b']), batch(['c'])]
    made.sealed.push(first, second, third)
    const error = new PublishError('OUTBOX_WRITE_FAILED', 'full', 'failed')
    made.withdraw(third, error, 'not accepted')
    assert.deepEqual([made.sealed.length, told], [2, ['done']])
    made.take(1, 5)
    made.withdraw(first, error, 'not accepted')
    assert.equal(first.error, error)
    made.unsent(second, second.attempt, 'its number was given up')
    const [next] = made.take(2, 5)
    assert.deepEqual([next, next!.producerEpoch, next!.sequence], [second, 1, 0])
  })

  test('what two processes left is not mixed on one wire: across two identities no broker keeps the order', () => {
    const { made } = queue(true, false)
    const [old, older] = [batch(['b']), batch(['a'])]
    for (const [one, producerId] of [
      [older, 3n],
      [old, 4n]
    ] as const) {
      Object.assign(one, { recovered: true, maybeWritten: true, attempt: 1, producerId, producerEpoch: 0, sequence: 0 })
      made.recovered.add(one)
    }
    made.sealed.push(batch(['new']))
    made.verify(1, new Map(), 0)
    assert.deepEqual(made.take(1, 5), [older])
    made.answered(older, older.attempt, ok)
    assert.deepEqual(made.take(1, 5), [old])
    made.answered(old, old.attempt, ok)
    assert.equal(made.take(1, 5)[0]!.producerId, 9n)
  })
})
