import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Consumer } from '../../src/client/consumer.ts'
import { SamsaError } from '../../src/model/errors.ts'
import type { Message } from '../../src/model/message.ts'
import { ConsumerBench } from '../actors/consumer-bench.ts'

const at = ({ partition, offset }: Message) => `${partition}/${offset}`

/** Reads so many messages, then breaks. */
async function read(messages: AsyncIterable<Message>, count: number): Promise<string[]> {
  const out: string[] = []
  for await (const message of messages) {
    out.push(at(message))
    if (out.length === count) break
  }
  return out
}

test('messages of a partition come in order over batches; the one in hand at a break is not committed', async () => {
  const bench = new ConsumerBench({ batchMaxMessages: 4 })
  bench.own(0)
  bench.append(0, 6)
  bench.append(0, 6)
  assert.deepEqual(
    await read(bench.consumer(), 10),
    Array.from({ length: 10 }, (_, i) => `0/${i}`)
  )
  assert.deepEqual(bench.committed, [[{ topic: 't', partition: 0, offset: 9n }]])
  assert.equal(bench.plane.ended, true)
})

test('a throw in the loop closes the consumer, commits what was processed before, and comes out as it was', async () => {
  const bench = new ConsumerBench()
  bench.own(0)
  bench.append(0, 3)
  await assert.rejects(
    async () => {
      for await (const { offset } of bench.consumer()) if (offset === 2n) throw new Error('mine')
    },
    { message: 'mine' }
  )
  assert.deepEqual(bench.committed, [[{ topic: 't', partition: 0, offset: 2n }]])
})

test('partitions take turns', async () => {
  const bench = new ConsumerBench({ batchMaxMessages: 2 })
  bench.own(0, 1)
  bench.append(0, 4)
  bench.append(1, 4)
  const got = await read(bench.consumer(), 8)
  assert.deepEqual(
    got
      .slice(0, 4)
      .map(text => text[0])
      .sort(),
    ['0', '0', '1', '1']
  )
})

test('a loop waits for messages that are not there yet', async () => {
  const bench = new ConsumerBench()
  bench.own(0)
  const reading = read(bench.consumer(), 2)
  await bench.settle()
  bench.append(0, 1)
  await bench.settle()
  bench.append(0, 1)
  assert.deepEqual(await reading, ['0/0', '0/1'])
})

test('next() without waiting for the last gives the messages in order, each once', async () => {
  const bench = new ConsumerBench()
  bench.own(0)
  const messages = bench.consumer()[Symbol.asyncIterator]()
  const five = [1, 2, 3, 4, 5].map(() => messages.next())
  bench.append(0, 5)
  const values = (await Promise.all(five)).map(({ value }) => at(value as Message))
  assert.deepEqual(values, ['0/0', '0/1', '0/2', '0/3', '0/4'])
  await messages.return!()
  assert.deepEqual(bench.committed, [[{ topic: 't', partition: 0, offset: 4n }]])
})

test('a revoked partition waits for the message in hand only; the rest of its batch is not handed out, the others go on', async () => {
  const bench = new ConsumerBench({ batchMaxMessages: 100 })
  bench.own(0, 1)
  bench.append(0, 50)
  const messages = bench.consumer()[Symbol.asyncIterator]()
  for (let i = 0; i < 3; i++) await messages.next()
  bench.plane.drain({ topic: 't', partition: 0 })
  assert.ok(!bench.toldTypes().includes('DRAINED'))
  bench.append(1, 1)
  assert.equal(at((await messages.next()).value as Message), '1/0')
  assert.ok(bench.toldTypes().includes('DRAINED'))
  await bench.plane.commitFor([{ topic: 't', partition: 0 }])
  assert.deepEqual(bench.committed, [[{ topic: 't', partition: 0, offset: 3n }]])
  await messages.return!()
})

test('a lost partition ends its batch at once, and the message in hand may come again', async () => {
  const bench = new ConsumerBench()
  bench.own(0, 1)
  bench.append(0, 50)
  const messages = bench.consumer()[Symbol.asyncIterator]()
  for (let i = 0; i < 3; i++) await messages.next()
  bench.plane.interrupt({ topic: 't', partition: 0 }, 'expired')
  bench.append(1, 1)
  assert.equal(at((await messages.next()).value as Message), '1/0')
  assert.equal(bench.plane.claim(2, [{ topic: 't', partition: 0, offset: '0' }])[0]!.offset, '2')
  await messages.return!()
})

test('pause holds the rest of the batch in hand; after resume it goes on with the next message', async () => {
  const bench = new ConsumerBench()
  bench.own(0, 1)
  bench.append(0, 5)
  const messages = bench.consumer()[Symbol.asyncIterator]()
  await messages.next()
  await messages.next()
  bench.handle.pause([{ topic: 't', partition: 0 }])
  bench.append(1, 1)
  assert.equal(at((await messages.next()).value as Message), '1/0')
  const waiting = messages.next()
  await bench.settle()
  bench.handle.resume()
  assert.equal(at((await waiting).value as Message), '0/2')
  await messages.return!()
})

test('stalled, a loop waits; afterwards it goes on with the next message', async () => {
  const bench = new ConsumerBench()
  bench.own(0)
  bench.append(0, 5)
  const messages = bench.consumer()[Symbol.asyncIterator]()
  await messages.next()
  bench.plane.setDelivery(false, false, 1)
  let came = false
  const waiting = messages.next().then(result => {
    came = true
    return result
  })
  await bench.settle()
  assert.equal(came, false)
  bench.plane.setDelivery(true, true, 1)
  assert.equal(at((await waiting).value as Message), '0/1')
  await messages.return!()
})

test('an aborted signal ends the loop as if there were no more messages, and commits', async () => {
  const bench = new ConsumerBench()
  const controller = new AbortController()
  bench.own(0)
  bench.append(0, 3)
  const got: string[] = []
  for await (const message of bench.consumer({ signal: controller.signal })) {
    got.push(at(message))
    if (got.length === 3) setImmediate(() => controller.abort())
  }
  assert.equal(got.length, 3)
  assert.deepEqual(bench.committed, [[{ topic: 't', partition: 0, offset: 3n }]])
})

test('a signal that is aborted already closes it before the first message', async () => {
  const bench = new ConsumerBench()
  bench.own(0)
  bench.append(0, 3)
  const consumer = bench.consumer({ signal: AbortSignal.abort() })
  assert.deepEqual(await read(consumer, 1), [])
})

test('a closed consumer ends its loop; closing twice is once; await using closes', async () => {
  const bench = new ConsumerBench()
  bench.own(0)
  const consumer = bench.consumer()
  const reading = read(consumer, 1)
  await bench.settle()
  await Promise.all([consumer.close(), consumer.close(), consumer[Symbol.asyncDispose]()])
  assert.deepEqual(await reading, [])
})

test('what ended the consumer comes out of the loop', async () => {
  const bench = new ConsumerBench()
  bench.own(0)
  const reading = read(bench.consumer(), 1)
  await bench.settle()
  bench.plane.end({ name: 'SamsaError', code: 'BAD_HANDLER', message: 'm', retriable: false, details: {} })
  await assert.rejects(reading, { code: 'BAD_HANDLER' })
})

test('a subscription that is refused comes out of the loop, of close, and of nothing else', async () => {
  const refused = () => Promise.reject(new SamsaError('INVALID_OPTION', 'no'))
  const bench = new ConsumerBench()
  const { world } = bench.plane.instance
  await assert.rejects(read(new Consumer(refused(), world), 1), { code: 'INVALID_OPTION' })
  await assert.rejects(new Consumer(refused(), world).close(), { code: 'INVALID_OPTION' })
  new Consumer(refused(), world).on('closed', () => {})
  await bench.settle()
})

test('a parked partition ends the loop with its error, unless somebody listens for it', async () => {
  const error = { name: 'E', code: 'CORRUPT_BATCH', message: 'm', retriable: false, details: {} }
  const park = (bench: ConsumerBench) => bench.plane.park({ topic: 't', partition: 0 }, error)
  const silent = new ConsumerBench()
  silent.own(0, 1)
  const reading = read(silent.consumer(), 1)
  await silent.settle()
  park(silent)
  await assert.rejects(reading, { code: 'CORRUPT_BATCH' })
  assert.equal(silent.plane.ended, true)

  const before = new ConsumerBench()
  before.own(0)
  park(before)
  await assert.rejects(read(before.consumer(), 1), { code: 'CORRUPT_BATCH' }, 'parked before the loop began')

  const heard = new ConsumerBench()
  heard.own(0, 1)
  const consumer = heard.consumer()
  consumer.on('partition.parked', () => {})
  const goesOn = read(consumer, 1)
  await heard.settle()
  park(heard)
  heard.append(1, 1)
  assert.deepEqual(await goesOn, ['1/0'])
})

test('a second loop over the same consumer is refused', async () => {
  const bench = new ConsumerBench()
  bench.own(0)
  bench.append(0, 1)
  const consumer = bench.consumer()
  const first = consumer[Symbol.asyncIterator]()
  await first.next()
  await assert.rejects(consumer[Symbol.asyncIterator]().next(), { code: 'ALREADY_ITERATED' })
  await first.return!()
})

test('batches: processed when the next is asked for, in parts by ack, not at all at a break', async () => {
  const bench = new ConsumerBench({ batchMaxMessages: 3 })
  bench.own(0)
  bench.append(0, 9)
  const sizes: number[] = []
  for await (const { topic, partition, messages, ack, signal } of bench.consumer().batches()) {
    assert.deepEqual([topic, partition, signal.aborted], ['t', 0, false])
    sizes.push(messages.length)
    if (sizes.length === 2) ack(messages[1])
    if (sizes.length === 2) break
  }
  assert.deepEqual(sizes, [3, 3])
  assert.deepEqual(bench.committed, [[{ topic: 't', partition: 0, offset: 5n }]])
})

test('a loop over a backlog lets timers have their turn', async () => {
  const bench = new ConsumerBench({ batchMaxMessages: 100 })
  bench.own(0)
  bench.append(0, 2_000)
  let turns = 0
  const turn = () => {
    turns++
    immediate = setImmediate(turn)
  }
  let count = 0
  let immediate = setImmediate(() => {})
  for await (const _ of bench.consumer()) {
    if (count === 0) immediate = setImmediate(turn)
    // Each message takes a millisecond of the loop's clock.
    bench.nowMs++
    if (++count === 2_000) break
  }
  clearImmediate(immediate)
  assert.ok(turns >= 20, `${turns} turns of the event loop in 2 s of work`)
})

test('a seek inside the loop: the rest of the batch in hand is not handed out, the next message is the sought one', async () => {
  const bench = new ConsumerBench()
  bench.own(0)
  bench.append(0, 10)
  const consumer = bench.consumer()
  const got: string[] = []
  for await (const message of consumer) {
    got.push(at(message))
    if (got.length === 3) await consumer.seek({ topic: 't', partition: 0, to: 1n })
    if (got.length === 3) void bench.answered()
    if (got.length === 5) await consumer.seek({ topic: 't', partition: 0, to: 8n })
    if (got.length === 5) void bench.answered()
    if (got.length === 7) break
  }
  assert.deepEqual(got, ['0/0', '0/1', '0/2', '0/1', '0/2', '0/8', '0/9'])
  assert.deepEqual(bench.committed, [[{ topic: 't', partition: 0, offset: 9n }]])
})

test('a seek from outside reaches a loop that waits; batches, too, go on at the sought place', async () => {
  const bench = new ConsumerBench({ batchMaxMessages: 2 })
  bench.own(0)
  bench.append(0, 4)
  const consumer = bench.consumer()
  const batches = consumer.batches()
  const offsets = async () => (await batches.next()).value.messages.map(({ offset }: Message) => Number(offset))
  assert.deepEqual(await offsets(), [0, 1])
  assert.deepEqual(await offsets(), [2, 3])
  const waiting = offsets()
  await bench.settle()
  await consumer.seek({ topic: 't', partition: 0, to: 1n })
  void bench.answered()
  assert.deepEqual(await waiting, [1, 2])
  await batches.return!()
  assert.deepEqual(bench.committed.at(-1), [{ topic: 't', partition: 0, offset: 1n }])
})

test('positions, assignment, lag, committed and pauses are there for a loop as well', async () => {
  const bench = new ConsumerBench()
  bench.own(0)
  bench.append(0, 5)
  const consumer = bench.consumer()
  const messages = consumer[Symbol.asyncIterator]()
  for (let i = 0; i < 3; i++) await messages.next()
  const where = { topic: 't', partition: 0 }
  bench.stored.set('t/0', { offset: 1n, leaderEpoch: -1, metadata: '' })
  assert.deepEqual(await consumer.assignment(), [where])
  assert.deepEqual(await consumer.positions(), [{ ...where, offset: 2n }])
  assert.deepEqual(await consumer.lag(), [{ ...where, position: 2n, end: 5n, lag: 3n }])
  assert.deepEqual(await consumer.committed(), [{ ...where, offset: 1n, leaderEpoch: -1, metadata: '' }])
  await consumer.pause([where])
  assert.equal(await consumer.isPaused(where), true)
  await messages.return!()
  await assert.rejects(consumer.seek({ to: 'beginning' }), { code: 'CONSUMER_CLOSED' })
})
