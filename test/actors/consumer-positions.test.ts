import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsumerEmitted, SubscribeOptions } from '../../src/model/events.ts'
import type { SeekTarget } from '../../src/model/positions.ts'
import { ConsumerBench } from './consumer-bench.ts'

type Batch = Extract<ConsumerEmitted, { type: 'message.batch' }>
const offsets = ({ messages }: Batch) => messages.map(({ offset }) => Number(offset))
const zero = { topic: 't', partition: 0 }
const seek = (to: SeekTarget, partition = 0) => ({ topic: 't', partition, to })

function listening(options: Partial<SubscribeOptions> = {}, handle: (batch: Batch) => void | Promise<void> = () => {}) {
  const bench = new ConsumerBench(options)
  const got: Batch[] = []
  bench.handle.on('message.batch', event => {
    got.push(event)
    return handle(event)
  })
  return { bench, got }
}

test('what is handed out after a seek is the sought message; what was in hand is told, and its acks do not count', async () => {
  const { bench, got } = listening({ batchMaxMessages: 4 }, ({ messages }) => void messages)
  bench.own(0)
  bench.append(0, 10)
  await bench.settle()
  const before = got.length
  const [old] = got
  const { signal } = old!
  await bench.handle.seek(seek(1n))
  assert.equal(signal.aborted, true)
  assert.equal((signal.reason as { code: string }).code, 'SOUGHT')
  old!.ack()
  assert.deepEqual(bench.handle.positions(), [{ ...zero, offset: 1n }])
  await bench.answered()
  const after = got.slice(before)
  assert.equal(offsets(after[0]!)[0], 1)
  assert.equal(after[0]!.signal.aborted, false)
  after[0]!.ack()
  assert.equal(bench.handle.positions()[0]!.offset, BigInt(offsets(after[0]!).at(-1)! + 1))
  assert.deepEqual(bench.of('partition.position').at(-1), { type: 'partition.position', ...zero, offset: '1', why: 'sought' })
  bench.end()
})

test('a signal that is looked at after the seek is aborted all the same', async () => {
  const { bench, got } = listening()
  bench.own(0)
  bench.append(0, 2)
  await bench.settle()
  await bench.handle.seek(seek(0n))
  assert.equal(got[0]!.signal.aborted, true)
  bench.end()
})

test('a step back is committed, and so is a seek after which nothing was processed', async () => {
  const { bench, got } = listening()
  bench.own(0)
  bench.append(0, 10)
  await bench.settle()
  got[0]!.ack()
  await bench.handle.commit()
  await bench.handle.seek(seek(3n))
  await bench.handle.commit()
  assert.deepEqual(
    bench.committed.map(([entry]) => entry!.offset),
    [10n, 3n]
  )
  bench.end()
})

test('while the new place is looked up nothing is handed out, nothing counts but what was done before, and no position is told', async () => {
  const { bench, got } = listening({ batchMaxMessages: 2 })
  bench.own(0)
  bench.append(0, 6)
  await bench.settle()
  got[0]!.ack()
  const before = got.length
  const seeking = bench.handle.seek(seek('end'))
  const [told] = bench.told.filter(({ event }) => event.type === 'SEEK')
  assert.deepEqual(told, { path: 'consumers/1/t/0', event: { type: 'SEEK', offset: null, target: { at: 'latest' } } })
  got[1]!.ack()
  bench.append(0, 1)
  await bench.settle()
  assert.equal(got.length, before)
  assert.deepEqual(bench.handle.positions(), [])
  await bench.plane.commitFor(null)
  assert.deepEqual(bench.committed, [[{ ...zero, offset: 2n }]])
  bench.begin(0, 7)
  await seeking
  assert.deepEqual(bench.handle.positions(), [{ ...zero, offset: 7n }])
  bench.end()
})

test('a handler that works on the old place is waited for; that it throws changes nothing', async () => {
  let fail: (error: Error) => void = () => {}
  const { bench, got } = listening({}, () => (got.length === 1 ? new Promise((_, reject) => (fail = reject)) : undefined))
  bench.own(0)
  bench.append(0, 5)
  await bench.settle()
  await bench.handle.seek(seek(2n))
  await bench.answered()
  assert.equal(got.length, 1, 'handlers of one partition never overlap')
  fail(new Error('aborted'))
  await bench.advance(5_000)
  assert.deepEqual(got.slice(1).map(offsets), [[2, 3, 4]])
  bench.end()
})

test('what was to be handed out again after a failure is not, once it was sought elsewhere', async () => {
  const { bench, got } = listening({}, () => {
    if (got.length === 1) throw new Error('no luck')
  })
  bench.own(0)
  bench.append(0, 5)
  await bench.settle()
  await bench.handle.seek(seek(4n))
  await bench.answered()
  await bench.advance(1_000)
  assert.deepEqual(got.map(offsets), [[0, 1, 2, 3, 4], [4]])
  bench.end()
})

test('a paused partition stays paused; a parked one goes on', async () => {
  const { bench, got } = listening({}, ({ ack }) => ack())
  bench.own(0)
  bench.append(0, 5)
  bench.handle.pause()
  await bench.handle.seek(seek(3n))
  await bench.settle()
  assert.equal(got.length, 0)
  bench.handle.resume()
  bench.plane.park(zero, { name: 'E', code: 'X', message: 'm', retriable: false, details: {} })
  await bench.handle.seek(seek(4n))
  await bench.answered()
  assert.deepEqual(got.flatMap(offsets).at(-1), 4)
  assert.equal(bench.plane.unheardParking, undefined)
  bench.end()
})

test('all, several, or one: and nothing is done when one of them is not owned', async () => {
  const { bench } = listening()
  bench.own(0, 1)
  await bench.handle.seek({ to: 5n })
  assert.deepEqual(
    bench.handle.positions().map(({ offset }) => offset),
    [5n, 5n]
  )
  await bench.handle.seek([seek(1n), { partitions: [{ topic: 't', partition: 1 }], to: 2n }])
  assert.deepEqual(
    bench.handle.positions().map(({ offset }) => offset),
    [1n, 2n]
  )
  await assert.rejects(bench.handle.seek([seek(9n), seek(9n, 7)]), { code: 'NOT_ASSIGNED', message: /t\/7 .*t\/0, t\/1/ })
  assert.equal(bench.handle.positions()[0]!.offset, 1n)
  bench.plane.drain(zero)
  await assert.rejects(bench.handle.seek(seek(0n)), { code: 'NOT_ASSIGNED', message: /given back/ })
  for (const to of [-1n, 2n ** 63n, new Date(Number.NaN), 'start' as never])
    await assert.rejects(bench.handle.seek(seek(to, 1)), { code: 'INVALID_OPTION' })
  bench.end()
  await assert.rejects(bench.handle.seek(seek(0n, 1)), { code: 'CONSUMER_CLOSED' })
})

test('to what is committed; to the reset policy without a commit; back to where it was when that cannot be read', async () => {
  const { bench, got } = listening({ batchMaxMessages: 2 }, ({ ack }) => ack())
  bench.own(0)
  bench.append(0, 6)
  await bench.settle()
  bench.stored.set('t/0', { offset: 2n, leaderEpoch: 1, metadata: '' })
  await bench.handle.seek(seek('committed'))
  assert.deepEqual(bench.handle.positions(), [{ ...zero, offset: 2n }])
  await bench.answered()
  assert.equal(got.flatMap(offsets).filter(offset => offset === 2).length, 2)
  bench.refuseFetch = new Error('no coordinator')
  await assert.rejects(bench.handle.seek(seek('committed')), { message: 'no coordinator' })
  assert.deepEqual(bench.handle.positions(), [{ ...zero, offset: 6n }])
  bench.refuseFetch = undefined
  bench.stored.clear()
  const seeking = bench.handle.seek(seek('committed'))
  await bench.settle()
  assert.deepEqual(bench.told.at(-1)!.event, { type: 'SEEK', offset: null, target: null })
  bench.begin(0, 0)
  await seeking
  bench.end()
})

test('of two seeks the last counts, whatever the first one finds', async () => {
  const { bench } = listening()
  bench.own(0)
  bench.stored.set('t/0', { offset: 2n, leaderEpoch: 1, metadata: '' })
  const first = bench.handle.seek(seek('committed'))
  const second = bench.handle.seek(seek(9n))
  await Promise.all([first, second])
  assert.deepEqual(bench.handle.positions(), [{ ...zero, offset: 9n }])
  bench.end()
})

test('a seek whose partition goes meanwhile, or that finds nothing in time, says so; nothing is left behind', async () => {
  const { bench } = listening()
  bench.own(0, 1)
  const lost = bench.handle.seek(seek('end'))
  bench.plane.interrupt(zero, 'expired')
  bench.plane.emit({ type: 'partition.lost', partitions: [zero], epoch: 1, reason: 'expired' })
  await assert.rejects(lost, { code: 'REVOKED' })
  const late = bench.handle.seek(seek('end', 1))
  const rejected = assert.rejects(late, { name: 'TimeoutError' })
  await bench.advance(60_000)
  await rejected
  const ended = bench.handle.seek(seek('beginning', 1))
  bench.end()
  await assert.rejects(ended, { code: 'REVOKED' })
  assert.equal(bench.timers, 0)
})

test('sought as soon as it is assigned, before its machine is there: it begins there', () => {
  const bench = new ConsumerBench()
  bench.deaf = true
  const [claim] = bench.plane.claim(1, [{ ...zero, offset: '4' }])
  assert.deepEqual([claim!.offset, claim!.why], ['4', 'committed'])
  bench.handle.seek(seek(9n)).catch(() => {})
  assert.deepEqual([claim!.offset, claim!.target, claim!.why], ['9', null, 'sought'])
  bench.handle.seek(seek('beginning')).catch(() => {})
  assert.deepEqual([claim!.offset, claim!.target], [null, { at: 'earliest' }])
  bench.end()
})

test('a seek that was not done when the partition was lost does not bring the old place back', () => {
  const { bench } = listening()
  bench.own(0)
  const start = () => bench.plane.claim(2, [{ ...zero, offset: null }])[0]!
  bench.handle.seek(seek('end')).catch(() => {})
  bench.plane.interrupt(zero, 'expired')
  assert.equal(start().offset, null)
  bench.end()
})

test('a position is a place in one topic: of another one with that name it says nothing', () => {
  const { bench } = listening()
  bench.own(0)
  bench.plane.begin(zero, '50', 'reset')
  bench.plane.interrupt(zero, 'expired')
  const id = 'uKL0dQXkRR2SsSTNmwGNHg'
  const start = (offset: string | null) => {
    const [claim] = bench.plane.claim(2, [{ ...zero, offset }])
    bench.plane.interrupt(zero, 'expired')
    const { why, topicId, committed } = claim!
    return { offset: claim!.offset, why, topicId, committed }
  }
  assert.deepEqual(start('7'), { offset: '50', why: 'carried', topicId: id, committed: '7' })
  assert.deepEqual(start('60'), { offset: '60', why: 'committed', topicId: null, committed: null })
  bench.plane.forgetPositions('t')
  assert.deepEqual(start('7'), { offset: '7', why: 'committed', topicId: null, committed: null })
  assert.deepEqual(start(null), { offset: null, why: 'committed', topicId: id, committed: null })
  bench.end()
})

test('reset to where the log begins by now, what is in hand still counts; reset backwards, or in another topic, it does not', async () => {
  const { bench, got } = listening()
  bench.own(0)
  bench.append(0, 4)
  await bench.settle()
  const position = () => bench.handle.positions()[0]!.offset
  bench.plane.begin(zero, '50', 'reset')
  assert.equal(position(), 0n)
  got[0]!.ack(got[0]!.messages[1])
  assert.equal(position(), 2n)
  got[0]!.ack()
  assert.equal(position(), 50n)
  bench.plane.begin(zero, '10', 'reset')
  assert.equal(position(), 10n)
  bench.plane.recreated(zero, 'a', 'b')
  bench.plane.begin(zero, '70', 'reset')
  assert.equal(position(), 70n)
  bench.end()
})

test('a topic that was made again is told once, however many partitions find it', () => {
  const { bench } = listening()
  bench.own(0, 1)
  for (const partition of [0, 1]) bench.plane.recreated({ topic: 't', partition }, 'a', 'b')
  assert.deepEqual(bench.of('topic.recreated'), [{ type: 'topic.recreated', topic: 't', oldId: 'a', newId: 'b' }])
  bench.plane.recreated(zero, 'b', 'c')
  assert.equal(bench.of('topic.recreated').length, 2)
  bench.end()
})

test('assignment, isPaused and committed', async () => {
  const bench = new ConsumerBench()
  bench.own(0, 1)
  assert.deepEqual(bench.handle.assignment(), [zero, { topic: 't', partition: 1 }])
  bench.handle.pause([zero])
  assert.deepEqual(
    [0, 1].map(partition => bench.handle.isPaused({ topic: 't', partition })),
    [true, false]
  )
  bench.stored.set('t/1', { offset: 5n, leaderEpoch: 3, metadata: 'mine' })
  const committed = { topic: 't', partition: 1, offset: 5n, leaderEpoch: 3, metadata: 'mine' }
  assert.deepEqual(await bench.handle.committed(), [committed])
  assert.deepEqual(await bench.handle.committed([zero]), [])
  bench.end()
})

test('lag is known from fetches, and asked for where nothing is fetched', async () => {
  const { bench, got } = listening({ partitionCreditBytes: 1 })
  bench.own(0, 1)
  bench.append(0, 10)
  await bench.settle()
  bench.append(0, 5)
  await bench.settle()
  // Out of credit: nothing is fetched of it, so only the leader knows of the last five.
  assert.deepEqual(await bench.handle.lag([zero]), [{ ...zero, position: 0n, end: 15n, lag: 15n }])
  assert.equal(bench.asked, 1)
  for (let i = 0; i < 3; i++) {
    for (const one of got) one.ack()
    await bench.answered()
  }
  assert.deepEqual(await bench.handle.lag([zero]), [{ ...zero, position: 15n, end: 15n, lag: 0n }])
  assert.equal(bench.asked, 1)
  await assert.rejects(bench.handle.lag([{ topic: 't', partition: 9 }]), { code: 'NOT_ASSIGNED' })
  bench.end()
})

test('under read_committed the lag ends where the first open transaction begins', async () => {
  const { bench, got } = listening({ isolation: 'read_committed' })
  bench.openTransaction = 3
  bench.own(0)
  bench.append(0, 10)
  await bench.settle()
  assert.equal((await bench.handle.lag())[0]!.end, 7n)
  got[0]!.ack()
  assert.equal((await bench.handle.lag())[0]!.lag, 0n)
  bench.end()
})

test('the event comes at its interval, only while somebody listens for it, and leaves no timer', async () => {
  const bench = new ConsumerBench({ lagIntervalMs: 1_000 })
  bench.own(0)
  bench.append(0, 4)
  await bench.advance(5_000)
  assert.equal(bench.timers, 0)
  const remove = bench.handle.on('partition.lag', () => {})
  await bench.advance(2_500)
  assert.deepEqual(bench.of('partition.lag'), [
    { type: 'partition.lag', partitions: [{ ...zero, position: 0n, end: 4n, lag: 4n }] },
    { type: 'partition.lag', partitions: [{ ...zero, position: 0n, end: 4n, lag: 4n }] }
  ])
  remove()
  await bench.advance(5_000)
  assert.equal(bench.of('partition.lag').length, 2)
  bench.handle.on('partition.lag', () => {})
  bench.end()
  assert.equal(bench.timers, 0)
  const off = new ConsumerBench({ lagIntervalMs: 0 })
  off.handle.on('partition.lag', () => {})
  assert.equal(off.timers, 0)
  off.end()
})

test('a manual assignment that changes: the member is told, given offsets are where new ones begin and stayed ones go', async () => {
  const bench = new ConsumerBench({ topic: undefined, partitions: [{ ...zero, offset: 3n }] } as never)
  bench.own(0)
  assert.equal(bench.of('partition.position').length, 1)
  const one = { topic: 't', partition: 1 }
  const assigning = bench.handle.assign([
    { ...zero, offset: 6n },
    { ...one, offset: 8n }
  ])
  const told = bench.told.find(({ event }) => event.type === 'ASSIGN')
  assert.deepEqual(told, { path: 'consumers/1/member', event: { type: 'ASSIGN', partitions: [zero, one] } })
  const [claim] = bench.plane.claim(1, [{ ...one, offset: '2' }])
  assert.deepEqual([claim!.offset, claim!.why], ['8', 'given'])
  bench.plane.emit({ type: 'partition.assigned', partitions: [one], epoch: 1 })
  await assigning
  assert.deepEqual(bench.handle.positions(), [{ ...zero, offset: 6n }])
  const fewer = bench.handle.assign([one])
  bench.plane.release([zero])
  bench.plane.emit({ type: 'partition.revoked', partitions: [zero], epoch: 1 })
  await fewer
  await assert.rejects(bench.handle.assign([{ topic: 't', partition: -1 }]), { code: 'INVALID_OPTION' })
  bench.end()
  const byTopic = new ConsumerBench()
  await assert.rejects(byTopic.handle.assign([zero]), { code: 'NOT_MANUAL' })
  byTopic.end()
})
