import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsumerEmitted, SubscribeOptions } from '../../src/model/events.ts'
import { batch } from '../support/record-batches.ts'
import { ConsumerBench } from './consumer-bench.ts'

type Batch = Extract<ConsumerEmitted, { type: 'message.batch' }>
const offsets = ({ messages }: Batch) => messages.map(({ offset }) => Number(offset))

/** A bench whose batches are collected; `handle` may do more with each. */
function listening(options: Partial<SubscribeOptions>, handle: (batch: Batch) => void | Promise<void> = () => {}) {
  const bench = new ConsumerBench(options)
  const got: Batch[] = []
  bench.handle.on('message.batch', event => {
    got.push(event)
    return handle(event)
  })
  return { bench, got }
}

test('batches go to listeners in order, at most so many messages at once, while their credit lasts', async () => {
  const size = batch({ base: 0, values: ['0', '1', '2', '3'] }).length
  const { bench, got } = listening({ batchMaxMessages: 3, partitionCreditBytes: size * 2, partitionFetchMaxBytes: size })
  bench.own(0)
  for (let i = 0; i < 4; i++) bench.append(0, 4)
  await bench.settle()
  const first = got.map(offsets)
  assert.deepEqual(first.flat(), [...first.flat().keys()])
  assert.ok(first.every(list => list.length <= 3))
  assert.ok(first.flat().length >= 8 && first.flat().length < 16, `it rests when the credit is used: ${first.flat().length}`)
  for (let i = 0; got.flatMap(offsets).length < 16 && i < 20; i++) {
    for (const one of got) one.ack()
    await bench.settle()
  }
  assert.deepEqual(got.flatMap(offsets), [...Array(16).keys()])
  for (const one of got) one.ack()
  assert.deepEqual(bench.handle.positions(), [{ topic: 't', partition: 0, offset: 16n }])
  bench.end()
})

test('a slow partition does not hold up the others', async () => {
  const { bench, got } = listening({ partitionCreditBytes: 1 }, ({ partition, ack }) => {
    if (partition === 1) ack()
  })
  bench.own(0, 1)
  bench.append(0, 2)
  bench.append(1, 2)
  await bench.settle()
  for (let i = 0; i < 5; i++) {
    bench.append(0, 1)
    bench.append(1, 1)
    await bench.settle()
  }
  assert.deepEqual(got.filter(({ partition }) => partition === 1).flatMap(offsets), [0, 1, 2, 3, 4, 5, 6])
  assert.deepEqual(got.filter(({ partition }) => partition === 0).flatMap(offsets), [0, 1])
  bench.end()
})

test('handlers of one partition never overlap; those of two partitions do', async () => {
  let finish: (() => void)[] = []
  const { bench, got } = listening({}, () => new Promise<void>(resolve => finish.push(resolve)))
  bench.own(0, 1)
  bench.append(0, 1)
  bench.append(1, 1)
  await bench.settle()
  bench.append(0, 1)
  await bench.settle()
  assert.deepEqual(got.map(({ partition }) => partition).sort(), [0, 1])
  for (const one of finish) one()
  finish = []
  await bench.settle()
  assert.deepEqual(got.map(({ partition }) => partition).sort(), [0, 0, 1])
  bench.end()
})

test('ack up to a message processes that much; acks of parts never go back; a message of another batch is refused', async () => {
  const { bench, got } = listening({})
  bench.own(0)
  bench.append(0, 4)
  await bench.settle()
  const { messages, ack } = got[0]!
  ack(messages[2])
  ack(messages[0])
  assert.equal(bench.handle.positions()[0]!.offset, 3n)
  assert.throws(() => ack({ ...messages[0]!, topic: 't', partition: 9, offset: 0n }), { code: 'NOT_IN_BATCH' })
  assert.throws(() => ack({ ...messages[0]!, topic: 't', partition: 0, offset: 77n }), { code: 'NOT_IN_BATCH' })
  ack()
  assert.equal(bench.handle.positions()[0]!.offset, 4n)
  bench.end()
})

test('a handler that throws leaves its batch unacked: told, and handed out again from where it was acked, after a growing pause', async () => {
  let failures = 2
  const { bench, got } = listening({}, async ({ messages, ack }) => {
    if (failures-- > 0) {
      if (failures === 1) ack(messages[0])
      throw new Error('no luck')
    }
    ack()
  })
  bench.own(0)
  bench.append(0, 3)
  await bench.settle()
  assert.equal(bench.of('handler.failed')[0]!.policy, 'retry')
  assert.equal(got.length, 1)
  bench.append(0, 1)
  await bench.advance(100)
  assert.deepEqual(offsets(got[1]!), [1, 2])
  await bench.advance(199)
  assert.equal(got.length, 2)
  await bench.advance(1)
  assert.deepEqual(got.slice(2).map(offsets), [[1, 2], [3]])
  assert.equal(bench.handle.positions()[0]!.offset, 4n)
  bench.end()
})

test('a late ack of a batch that failed does not count; the one handed out again does', async () => {
  let fail = true
  const { bench, got } = listening({}, () => {
    if (fail) throw new Error('no luck')
  })
  bench.own(0)
  bench.append(0, 1)
  await bench.settle()
  fail = false
  got[0]!.ack()
  assert.equal(bench.handle.positions()[0]!.offset, 0n)
  await bench.advance(100)
  got[1]!.ack()
  assert.equal(bench.handle.positions()[0]!.offset, 1n)
  bench.end()
})

test('the policies park and stop tell the machines', async () => {
  for (const [policy, path, type] of [
    ['park', 'consumers/1/t/0', 'PARK'],
    ['stop', 'consumers/1', 'HANDLER_STOP']
  ] as const) {
    const { bench } = listening({ onHandlerError: policy }, () => {
      throw new Error('no luck')
    })
    bench.own(0)
    bench.append(0, 1)
    await bench.settle()
    assert.ok(bench.told.some(({ path: to, event }) => to === path && event.type === type))
    await bench.advance(10_000)
    assert.equal(bench.of('handler.failed').length, 1)
    bench.end()
  }
})

test('a batch that nobody listens for is held and told once; a listener that comes gets it', async () => {
  const bench = new ConsumerBench()
  bench.own(0)
  bench.append(0, 1)
  await bench.settle()
  bench.append(0, 1)
  await bench.settle()
  assert.deepEqual(bench.of('batch.unheard'), [{ type: 'batch.unheard', topic: 't', partition: 0 }])
  const got: Batch[] = []
  bench.handle.on('message.batch', event => void got.push(event))
  await bench.settle()
  assert.deepEqual(got.flatMap(offsets), [0, 1])
  bench.end()
})

test('a listener of anything else that throws is told as trouble and harms nobody', async () => {
  const { bench, got } = listening({})
  bench.handle.on('partition.position', () => {
    throw new Error('no luck')
  })
  bench.own(0)
  bench.append(0, 1)
  await bench.settle()
  assert.equal(bench.of('trouble')[0]!.where, 'listener of partition.position')
  assert.equal(got.length, 1)
  bench.end()
})

test('pause holds what is buffered too, per partition; resume goes on where it was', async () => {
  const { bench, got } = listening({}, ({ ack }) => ack())
  bench.own(0, 1)
  bench.handle.pause([{ topic: 't', partition: 0 }])
  bench.append(0, 1)
  bench.append(1, 1)
  await bench.settle()
  assert.deepEqual(
    got.map(({ partition }) => partition),
    [1]
  )
  assert.ok(bench.told.some(({ path, event }) => path === 'consumers/1/t/0' && event.type === 'PAUSE'))
  bench.handle.resume()
  bench.append(1, 1)
  await bench.settle()
  assert.deepEqual(
    got.map(({ partition }) => partition),
    [1, 1, 0]
  )
  bench.end()
})

test('pause without a list holds partitions that come later too; resume of one excepts it', async () => {
  const { bench, got } = listening({}, ({ ack }) => ack())
  bench.handle.pause()
  bench.own(0, 1)
  bench.handle.resume([{ topic: 't', partition: 1 }])
  bench.append(0, 1)
  bench.append(1, 1)
  await bench.settle()
  assert.deepEqual(
    got.map(({ partition }) => partition),
    [1]
  )
  bench.end()
})

test('stalled, nothing is handed out; afterwards it goes on', async () => {
  const { bench, got } = listening({})
  bench.own(0)
  bench.plane.setDelivery(false, false, 1)
  bench.append(0, 1)
  await bench.settle()
  assert.equal(got.length, 0)
  bench.plane.setDelivery(true, true, 1)
  assert.equal(got.length, 1)
  bench.end()
})

test('past the time up to which ownership is proven nothing is handed out, though nobody has said so yet; proven again, it goes on', async () => {
  const { bench, got } = listening({})
  let untilMs = bench.nowMs + 1_000
  bench.plane.provenUntilMs = () => untilMs
  bench.own(0)
  bench.append(0, 1)
  await bench.settle()
  assert.equal(got.length, 1)
  await bench.advance(1_000)
  bench.append(0, 1)
  await bench.advance(1_000)
  assert.equal(got.length, 1)
  untilMs = bench.nowMs + 1_000
  await bench.advance(100)
  assert.equal(got.length, 2)
  bench.end()
  assert.equal(bench.timers, 0)
})

test('a loop, too, is given nothing past that time, and then the rest of what it had begun', async () => {
  const bench = new ConsumerBench()
  let untilMs = bench.nowMs + 1_000
  bench.plane.provenUntilMs = () => untilMs
  bench.own(0)
  bench.append(0, 1)
  const messages = bench.consumer()[Symbol.asyncIterator]()
  assert.equal((await messages.next()).value.offset, 0n)
  await bench.advance(2_000)
  bench.append(0, 1)
  let next: bigint | undefined
  const reading = messages.next().then(({ value }) => {
    next = value.offset
  })
  await bench.advance(500)
  assert.equal(next, undefined)
  untilMs = bench.nowMs + 1_000
  await bench.advance(100)
  await reading
  assert.equal(next, 1n)
  bench.end()
})

test('drained when nothing is in hand; nothing that was buffered is handed out any more', async () => {
  const { bench, got } = listening({ batchMaxMessages: 1, partitionCreditBytes: 1 })
  bench.own(0)
  bench.append(0, 3)
  await bench.settle()
  const { signal } = got[0]!
  const inHand = got.length
  bench.plane.drain({ topic: 't', partition: 0 })
  assert.ok(!bench.toldTypes().includes('DRAINED'))
  for (const one of got) one.ack()
  assert.ok(bench.toldTypes().includes('DRAINED'))
  await bench.settle()
  assert.equal(got.length, inHand)
  assert.equal(signal.aborted, false)
  bench.end()
})

test('at the limit the signal is aborted, and what is acked afterwards does not count', async () => {
  const { bench, got } = listening({})
  bench.own(0)
  bench.append(0, 3)
  await bench.settle()
  const { signal, ack, messages } = got[0]!
  ack(messages[0])
  bench.plane.drain({ topic: 't', partition: 0 })
  bench.plane.abandon({ topic: 't', partition: 0 }, 'too slow')
  assert.equal(signal.aborted, true)
  ack()
  await bench.plane.commitFor(null)
  assert.deepEqual(bench.committed.at(-1), [{ topic: 't', partition: 0, offset: 1n }])
  assert.equal(bench.of('trouble')[0]!.error.code, 'REVOKED')
  bench.end()
})

test('lost: the signal is aborted, late acks are dropped, and claimed again it goes on where it was processed', async () => {
  const { bench, got } = listening({})
  bench.own(0)
  bench.append(0, 3)
  await bench.settle()
  const { signal, ack, messages } = got[0]!
  ack(messages[1])
  bench.plane.interrupt({ topic: 't', partition: 0 }, 'expired')
  assert.equal(signal.aborted, true)
  ack()
  const at = (offset: string | null) => bench.plane.claim(2, [{ topic: 't', partition: 0, offset }])[0]!
  assert.deepEqual([at('1').offset, at('1').why], ['2', 'carried'])
  assert.deepEqual([at(null).offset, at(null).why], ['2', 'carried'])
  assert.deepEqual([at('9').offset, at('9').why], ['9', 'committed'])
  bench.end()
})

test('a batch that is not worked on for too long is told, once', async () => {
  const { bench, got } = listening({ maxPollIntervalMs: 1_000 })
  bench.own(0)
  bench.append(0, 2)
  await bench.advance(900)
  got[0]!.ack(got[0]!.messages[0])
  await bench.advance(900)
  assert.equal(bench.of('consumer.stalled').length, 0)
  await bench.advance(5_000)
  assert.equal(bench.of('consumer.stalled').length, 1)
  assert.ok(bench.of('consumer.stalled')[0]!.sinceMs >= 1_000)
  bench.end()
})

test('bytes that cannot be unpacked within the limit park the partition, once', async () => {
  const { bench } = listening({})
  bench.own(0, 1)
  bench.appendRaw(0, batch({ base: 0, values: ['x'.repeat(130 << 20)], compression: 'gzip' }), 1)
  await bench.settle()
  const parked = bench.told.find(({ event }) => event.type === 'PARK')!
  assert.equal(parked.path, 'consumers/1/t/0')
  assert.equal((parked.event.error as { name: string }).name, 'LimitError')
  bench.end()
})

test('commits only what was processed, says what, and nothing when nothing is new', async () => {
  const { bench, got } = listening({})
  bench.own(0, 1)
  bench.append(0, 3)
  await bench.settle()
  await bench.handle.commit()
  assert.deepEqual(bench.committed, [])
  got[0]!.ack(got[0]!.messages[1])
  await bench.handle.commit()
  await bench.handle.commit()
  assert.deepEqual(bench.committed, [[{ topic: 't', partition: 0, offset: 2n }]])
  assert.deepEqual(bench.of('committed')[0]!.offsets, [{ topic: 't', partition: 0, offset: '2' }])
  bench.end()
})

test('suspended, a commit is refused and told; a store that refuses is told too, and tried again next time', async () => {
  const { bench, got } = listening({})
  bench.own(0)
  bench.append(0, 1)
  await bench.settle()
  got[0]!.ack()
  bench.plane.setDelivery(true, false, 1)
  await assert.rejects(bench.handle.commit(), { code: 'SUSPENDED' })
  bench.plane.setDelivery(true, true, 1)
  bench.refuseCommit = new Error('stale')
  await assert.rejects(bench.handle.commit(), { message: 'stale' })
  assert.equal(bench.of('commit.failed').length, 2)
  bench.refuseCommit = undefined
  await bench.handle.commit()
  assert.equal(bench.committed.length, 1)
  bench.end()
})

test('without a group a commit says that there is no place for it', async () => {
  const bench = new ConsumerBench({ group: undefined } as never)
  bench.plane.offsets = undefined
  await assert.rejects(bench.handle.commit(), { code: 'NO_GROUP' })
  bench.end()
})

test('the end leaves no timer', async () => {
  const { bench } = listening({}, () => {
    throw new Error('no luck')
  })
  bench.own(0)
  bench.append(0, 1)
  await bench.settle()
  assert.ok(bench.timers > 0)
  bench.end()
  assert.equal(bench.timers, 0)
})
