import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PublishOptions } from '../../src/model/config.ts'
import { UsageError } from '../../src/model/errors.ts'
import { type KeptBatch, PublishBench, reply } from '../support/publish-bench.ts'

async function bench(publish: PublishOptions = {}, partitions = 1): Promise<PublishBench> {
  const made = new PublishBench(publish)
  made.topic('t', partitions)
  await made.go()
  return made
}

const identity = ({ producerId, epoch, sequence }: KeptBatch) => `${producerId}/${epoch}/${sequence}`
const sequences = (made: PublishBench) => made.sent.map(({ batches }) => identity(batches[0]!))
/** Everything is settled, once, and all memory is back. */
function assertDone(made: PublishBench): void {
  for (const outcome of made.outcomes) assert.equal(outcome.settled, 1, `${outcome.values} settled ${outcome.settled} times`)
  assert.equal(made.publisher.bufferedBytes, 0)
}
const publishEach = async (made: PublishBench, values: string[]) => {
  const outcomes = []
  for (const value of values) {
    outcomes.push(made.publish('t', { value, partition: 0 }))
    await made.go()
  }
  return outcomes
}

test('one batch flies until the leader has acked once, then five; sequences follow each other', async () => {
  const made = await bench()
  await publishEach(made, ['a', 'b', 'c'])
  assert.equal(made.waiting.length, 1)
  reply(made.waiting[0]!)
  await made.go()
  await publishEach(made, ['d', 'e', 'f', 'g', 'h'])
  assert.equal(made.waiting.length, 5)
  assert.deepEqual(
    made.sent.map(({ batches }) => batches[0]!.sequence),
    [0, 1, 2, 3, 4, 5]
  )
  while (made.waiting.length > 0) {
    reply(made.waiting[0]!)
    await made.go()
  }
  assertDone(made)
})

test('kafkajs 598: publishes that overlap never send a sequence out of order', async () => {
  const made = await bench()
  await made.widen('t', 0)
  for (let i = 0; i < 50; i++) made.publish('t', { value: `${i}`, partition: 0 })
  await made.go()
  for (let i = 50; i < 60; i++) await publishEach(made, [`${i}`])
  while (made.waiting.length > 0) {
    reply(made.waiting.at(-1)!) // the order of answers does not matter
    await made.go()
  }
  let next = 0
  for (const { batches } of made.sent) {
    assert.equal(batches[0]!.sequence, next)
    next += batches[0]!.count
  }
  assertDone(made)
})

test('librdkafka 4438: after a send without an answer the same bytes go again under the same sequence', async () => {
  const made = await bench()
  await made.widen('t', 0)
  const [outcome] = await publishEach(made, ['x'])
  const first = made.waiting[0]!
  first.link.cut()
  await made.go(2_000)
  const again = made.waiting[0]!
  assert.notEqual(again.link, first.link)
  assert.deepEqual(again.batches[0]!.bytes, first.batches[0]!.bytes)
  reply(again, { errorCode: 46 })
  await made.go()
  assert.equal(outcome!.error, undefined, 'a duplicate was written: it counts as acked')
  assert.equal(outcome!.offset, -1n, 'and its offset is not told')
  assertDone(made)
})

test('sarama 2619, 2860: after a lost link all flights go again first, in order, one at a time until one is acked', async () => {
  const made = await bench()
  await made.widen('t', 0)
  await publishEach(made, ['a', 'b', 'c', 'd', 'e', 'f'])
  const before = made.sent.length
  made.link(1).cut()
  await publishEach(made, ['g'])
  await made.go(2_000)
  const order: string[] = []
  while (made.waiting.length > 0) {
    if (order.length === 0) assert.equal(made.waiting.length, 1)
    order.push(...made.waiting[0]!.batches[0]!.values)
    reply(made.waiting[0]!)
    await made.go()
  }
  assert.deepEqual(order, ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
  assert.deepEqual(
    made.sent.slice(before).map(({ batches }) => batches[0]!.sequence),
    [1, 2, 3, 4, 5, 6, 7]
  )
  assertDone(made)
})

test('45 behind a refused head: the followers keep their numbers and go again in order', async () => {
  const made = await bench()
  await made.widen('t', 0)
  await publishEach(made, ['a', 'b', 'c'])
  const [a, b, c] = made.waiting
  reply(a!, { errorCode: 19 })
  reply(b!, { errorCode: 45 })
  assert.equal(made.waiting.length, 1, 'nothing goes before all are answered')
  reply(c!, { errorCode: 45 })
  await made.go(1_000)
  while (made.waiting.length > 0) {
    reply(made.waiting[0]!)
    await made.go()
  }
  assert.deepEqual(sequences(made), ['7/0/0', '7/0/1', '7/0/2', '7/0/3', '7/0/1', '7/0/2', '7/0/3'])
  assertDone(made)
})

for (const errorCode of [45, 59])
  test(`${errorCode} at the head, and surely not written: a new epoch from sequence 0`, async () => {
    const made = await bench()
    await made.widen('t', 0)
    await publishEach(made, ['a', 'b'])
    for (const sent of made.waiting) reply(sent, { errorCode })
    await made.go(1_000)
    while (made.waiting.length > 0) {
      reply(made.waiting[0]!)
      await made.go()
    }
    assert.deepEqual(sequences(made).slice(3), ['7/1/0', '7/1/1'])
    assert.ok(made.outcomes.every(({ error }) => !error))
    assertDone(made)
  })

for (const [name, first] of [
  ['a lost answer', undefined],
  ['NOT_LEADER_OR_FOLLOWER', 6],
  ['REQUEST_TIMED_OUT', 7],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 20],
  ['UNKNOWN_SERVER_ERROR', -1]
] as const)
  test(`${name}, then 59: whether it was written is unknown, it is not sent under another number`, async () => {
    const made = await bench()
    await made.widen('t', 0)
    const [outcome] = await publishEach(made, ['a'])
    if (first === undefined) made.link(1).cut()
    else reply(made.waiting[0]!, { errorCode: first })
    await made.go(2_000)
    reply(made.waiting[0]!, { errorCode: 59 })
    await made.go(2_000)
    assert.equal(outcome!.error?.outcome, 'unknown')
    const { sent } = await made.send('t', { value: 'b', partition: 0 })
    assert.equal(identity(sent.batches[0]!), '7/1/0')
    reply(sent)
    await made.go()
    assertDone(made)
  })

test('a final error in the middle fails that batch alone; what flew ahead keeps its number, the rest goes on in a new epoch', async () => {
  const made = await bench()
  await made.widen('t', 0)
  const [a, b, c] = await publishEach(made, ['a', 'b', 'c'])
  const [first, second, third] = made.waiting
  reply(second!, { errorCode: 87 })
  reply(third!, { errorCode: 45 })
  first!.link.fail(first!)
  await made.go(2_000)
  assert.deepEqual([b!.error?.code, b!.error?.outcome], ['INVALID_RECORD', 'failed'])
  assert.equal(identity(made.waiting[0]!.batches[0]!), '7/0/1', 'the head goes again as it was')
  assert.equal(made.waiting.length, 1, 'and nothing of the new epoch beside it')
  reply(made.waiting[0]!)
  await made.go()
  assert.equal(identity(made.waiting[0]!.batches[0]!), '7/1/0')
  reply(made.waiting[0]!)
  await made.go()
  assert.ok(!a!.error && !c!.error)
  assertDone(made)
})

test('a follower that lost its number and then its answer is unknown, and not sent again', async () => {
  const made = await bench()
  await made.widen('t', 0)
  const [a, b] = await publishEach(made, ['a', 'b'])
  const [first, second] = made.waiting
  reply(first!, { errorCode: 87 })
  second!.link.cut()
  await made.go(2_000)
  assert.equal(a!.error?.outcome, 'failed')
  assert.equal(b!.error?.outcome, 'unknown')
  assert.equal(made.waiting.length, 0)
  assertDone(made)
})

test('librdkafka 1.9: a topic said to be missing and back has no sequence used twice', async () => {
  const made = await bench()
  await made.widen('t', 0)
  const [outcome] = await publishEach(made, ['a'])
  made.publisher.setTopicMissing('t', null, true)
  assert.equal(outcome!.error?.outcome, 'unknown')
  made.topic('t', 1)
  made.leader('t', 0, 1, 2)
  const { sent } = await made.send('t', { value: 'b', partition: 0 })
  assert.equal(identity(sent.batches[0]!), '7/1/0', 'a new epoch: the broker cannot take it for the old one')
  reply(sent)
  await made.go()
  assertDone(made)
})

test('another leader: flights go to it with their numbers, and a late ack of the old one counts', async () => {
  const made = await bench()
  await made.widen('t', 0)
  const [outcome] = await publishEach(made, ['a'])
  const old = made.waiting[0]!
  made.leader('t', 0, 2, 2)
  await made.go()
  const again = made.link(2).sent[0]!
  assert.deepEqual(again.batches[0]!.bytes, old.batches[0]!.bytes)
  reply(old)
  await made.go()
  assert.equal(outcome!.settled, 1)
  reply(again, { errorCode: 46 })
  await made.go()
  assertDone(made)
})

test('past the deadline: never sent is failed, sent without an answer is unknown', async () => {
  const made = await bench({ deliveryTimeoutMs: 5_000 })
  await made.widen('t', 0)
  await publishEach(made, ['1', '2', '3', '4', '5', 'never sent'])
  await made.go(6_000)
  const outcomes = made.outcomes.slice(1)
  assert.deepEqual(
    outcomes.map(({ error }) => error?.outcome),
    ['unknown', 'unknown', 'unknown', 'unknown', 'unknown', 'failed']
  )
  for (const { error } of outcomes) assert.equal(error!.code, 'DELIVERY_TIMEOUT')
  assertDone(made)
  const { sent } = await made.send('t', { value: 'after', partition: 0 })
  assert.equal(identity(sent.batches[0]!), '7/1/0')
})

test('what was surely refused until its deadline is failed, and who has time left goes on', async () => {
  const made = await bench({ deliveryTimeoutMs: 10_000 })
  await made.widen('t', 0)
  const [early] = await publishEach(made, ['early'])
  await made.go(6_000)
  const [late] = await publishEach(made, ['late'])
  for (let i = 0; i < 200 && !early!.error; i++) {
    for (const sent of made.waiting) reply(sent, sent.batches[0]!.values[0] === 'early' ? { errorCode: 19 } : { errorCode: 45 })
    await made.go(50)
  }
  assert.equal(early!.error?.outcome, 'failed')
  for (let i = 0; i < 60 && late!.settled === 0; i++) {
    for (const sent of made.waiting) reply(sent)
    await made.go(50)
  }
  assert.equal(late!.error, undefined)
  assertDone(made)
})

test('what queues behind flights that were given up goes on by itself', async () => {
  const made = await bench({ deliveryTimeoutMs: 5_000 })
  await made.widen('t', 0)
  await publishEach(made, ['1', '2', '3', '4', '5'])
  await made.go(3_000)
  const [behind] = await publishEach(made, ['behind'])
  await made.go(2_500)
  const sent = made.waiting.at(-1)!
  assert.deepEqual(sent.batches[0]!.values, ['behind'])
  reply(sent)
  await made.go()
  assert.equal(behind!.error, undefined)
  assertDone(made)
})

test('unkeyed messages past their deadline go to another partition, and are told as possibly doubled', async () => {
  const made = await bench({ deliveryTimeoutMs: 5_000 }, 2)
  const outcome = made.publish('t', 'free')
  await made.go()
  const first = made.waiting[0]!
  await made.go(6_000)
  const again = made.waiting.at(-1)!
  assert.notEqual(again.batches[0]!.partition, first.batches[0]!.partition)
  const told = made.events.find(event => event.type === 'publish.rerouted')
  assert.ok(told?.type === 'publish.rerouted' && told.maybeDoubled)
  reply(again)
  await made.go()
  assert.equal(outcome.partition, again.batches[0]!.partition)
  assertDone(made)
})

test('with onUnknown wait the partition is parked, asks its leader again, and the answer settles it', async () => {
  const made = await bench({ deliveryTimeoutMs: 5_000, onUnknown: 'wait' }, 2)
  const outcome = made.publish('t', 'free')
  await made.go(20_000)
  assert.equal(outcome.settled, 0)
  const { partition } = made.waiting[0]!.batches[0]!
  assert.ok(made.sent.length > 1, 'it is asked again')
  assert.ok(made.sent.every(({ batches }) => batches[0]!.partition === partition))
  assert.equal(new Set(sequences(made)).size, 1, 'under one number')
  reply(made.waiting.at(-1)!, { errorCode: 46 })
  await made.go(5_000)
  assert.equal(outcome.error, undefined)
  assertDone(made)
})

test('a dead leader: unkeyed batches that were never sent move, keyed ones wait for it', async () => {
  const made = new PublishBench()
  made.publisher.setTopic('t', null, [0, 1], { 0: { node: 1 }, 1: { node: 2 } })
  made.dead.add(1)
  const keyed = made.publish('t', { value: 'keyed', partition: 0 })
  const free = [made.publish('t', 'free'), made.publish('t', 'free too')]
  await made.go(500)
  const [sent] = made.waiting
  assert.equal(sent!.batches[0]!.partition, 1)
  reply(sent!)
  await made.go()
  assert.ok(free.every(({ partition }) => partition === 1))
  assert.equal(keyed.settled, 0)
  made.dead.delete(1)
  await made.go(2_000)
  reply(made.waiting[0]!)
  await made.go()
  assertDone(made)
})

test('a list over several batches stays in one partition once a part of it was sent', async () => {
  const made = await bench({ batchBytes: 1_024, deliveryTimeoutMs: 5_000 }, 3)
  const list = Array.from({ length: 40 }, (_, i) => `${i}`.padStart(100, '.'))
  const outcome = made.publish('t', list)
  await made.go()
  const { partition } = made.waiting[0]!.batches[0]!
  made.publisher.reroute('t', partition, 'test')
  while (made.waiting.length > 0) {
    for (const { batches } of made.waiting)
      assert.deepEqual(
        batches.map(batch => batch.partition),
        [partition]
      )
    reply(made.waiting[0]!, { baseOffset: BigInt(made.sent.length) })
    await made.go()
  }
  assert.deepEqual(
    made.sent.flatMap(({ batches }) => batches[0]!.values),
    list
  )
  assert.equal(outcome.offset, 1n, 'the first batch says where the list begins')
  assertDone(made)
})

test('a list of which a part was refused is unknown as a whole, not failed', async () => {
  const made = await bench({ batchBytes: 1_024 })
  const outcome = made.publish(
    't',
    Array.from({ length: 20 }, () => 'x'.repeat(100))
  )
  await made.go()
  reply(made.waiting[0]!)
  await made.go()
  reply(made.waiting[0]!, { errorCode: 87 })
  await made.go()
  while (made.waiting.length > 0 || outcome.settled === 0) {
    for (const sent of made.waiting) reply(sent)
    await made.go(200)
  }
  assert.equal(outcome.error?.outcome, 'unknown')
  assert.match(outcome.error!.message, /2 of the list's 3 batches were written/)
  assertDone(made)
})

test('a batch that the topic finds too large goes in parts, under the same numbers, and each delivery hears its own offset', async () => {
  const made = await bench({ compression: 'gzip' })
  await made.widen('t', 0)
  const outcomes = ['a', 'b', 'c', 'd'].map(value =>
    made.publish('t', {
      key: 'k',
      value: value.repeat(50),
      partition: 0,
      headers: [
        ['h', '1'],
        ['h', '2']
      ],
      timestamp: 5
    })
  )
  await made.go()
  const [behind] = await publishEach(made, ['behind'])
  const [big, follower] = made.waiting
  reply(big!, { errorCode: 10 })
  reply(follower!, { errorCode: 45 })
  await made.go(1_000)
  let offset = 100n
  while (made.waiting.length > 0) {
    const sent = made.waiting[0]!
    reply(sent, { baseOffset: offset })
    offset += BigInt(sent.batches[0]!.count)
    await made.go()
  }
  assert.deepEqual(sequences(made), ['7/0/0', '7/0/1', '7/0/5', '7/0/1', '7/0/3', '7/0/5'])
  assert.deepEqual(follower!.batches[0]!.bytes, made.sent.at(-1)!.batches[0]!.bytes)
  assert.deepEqual(
    outcomes.map(({ offset }) => offset),
    [100n, 101n, 102n, 103n]
  )
  assert.equal(behind!.offset, 104n)
  assertDone(made)
  assert.ok(made.publisher.plane('t').batchBytesMax < Number.POSITIVE_INFINITY, 'later batches are built smaller')
})

test('a list too large for its topic is cut until it fits; one record that does not fit is refused', async () => {
  const made = await bench()
  await made.widen('t', 0)
  const list = Array.from({ length: 9 }, (_, i) => `${i}`.repeat(100))
  const outcome = made.publish(
    't',
    list.map(value => ({ value, partition: 0 }))
  )
  await made.go()
  const written: string[] = []
  for (let i = 0; i < 100 && outcome.settled === 0; i++) {
    for (const sent of made.waiting) {
      const [batch] = sent.batches
      if (batch!.count > 2) reply(sent, { errorCode: 10 })
      else {
        reply(sent, { baseOffset: BigInt(written.length + 1) })
        written.push(...batch!.values)
      }
    }
    await made.go(500)
  }
  assert.deepEqual(written, list)
  assert.equal(outcome.offset, 1n)
  const { outcome: single, sent } = await made.send('t', { value: 'too large', partition: 0 })
  reply(sent, { errorCode: 10 })
  await made.go(500)
  assert.deepEqual([single.error?.code, single.error?.outcome], ['MESSAGE_TOO_LARGE', 'failed'])
  assertDone(made)
})

test('a batch that may have been written is not cut: its bytes belong to its number', async () => {
  const made = await bench()
  await made.widen('t', 0)
  const outcomes = [made.publish('t', { value: 'a', partition: 0 }), made.publish('t', { value: 'b', partition: 0 })]
  await made.go()
  made.link(1).cut()
  await made.go(2_000)
  reply(made.waiting[0]!, { errorCode: 10 })
  await made.go(2_000)
  assert.deepEqual(
    outcomes.map(({ error }) => error?.outcome),
    ['unknown', 'unknown']
  )
  assertDone(made)
})

test('a batch that cannot be encoded fails by itself and is not repeated; the one beside it goes', async () => {
  const made = await bench({}, 2)
  const bad = made.publish('t', { value: 'bad', partition: 0 })
  const good = made.publish('t', { value: 'good', partition: 1 })
  made.link(1).encodeError = batches =>
    batches.some(({ values }) => values.includes('bad')) ? new UsageError('INVALID_FIELD', 'records is too long.') : undefined
  await made.go(1_000)
  assert.deepEqual([bad.error?.code, bad.error?.outcome], ['INVALID_FIELD', 'failed'])
  reply(made.waiting[0]!)
  await made.go()
  assert.equal(good.error, undefined)
  assertDone(made)
})

test('a throttled broker is sent nothing until its time is over', async () => {
  const made = await bench()
  const { sent } = await made.send('t', { value: 'a', partition: 0 })
  reply(sent, {}, 3_000)
  await publishEach(made, ['b'])
  await made.go(2_900)
  assert.equal(made.waiting.length, 0)
  await made.go(200)
  assert.equal(made.waiting.length, 1)
  reply(made.waiting[0]!)
  await made.go()
  assertDone(made)
})

test('a broker that leaves a partition out of its answer is asked again for that one, with the same bytes', async () => {
  const made = await bench({}, 2)
  made.publish('t', { value: 'a', partition: 0 })
  made.publish('t', { value: 'b', partition: 1 })
  await made.go(10)
  const [both] = made.waiting
  assert.equal(both!.batches.length, 2, 'one request for all partitions of a broker')
  reply(both!, batch => (batch.partition === 0 ? {} : null))
  await made.go(1_000)
  assert.deepEqual(made.waiting[0]!.batches[0]!.bytes, both!.batches[1]!.bytes)
  reply(made.waiting[0]!)
  await made.go()
  assertDone(made)
})

test('acks none: settled as soon as written, without an offset; with the connection gone it goes again on the next', async () => {
  const made = await bench({ acks: 'none' })
  const { outcome } = await made.send('t', { value: 'a', partition: 0 })
  assert.deepEqual([outcome.offset, outcome.error], [-1n, undefined])
  made.link(1).cut()
  const { outcome: second } = await made.send('t', { value: 'b', partition: 0 })
  await made.go(1_000)
  assert.equal(second.error, undefined)
  assert.equal(made.link(1).sent[0]!.acks, 0)
  assertDone(made)
})

test('without idempotence one batch flies at a time, so that a repetition keeps the order', async () => {
  const made = await bench({ idempotent: false })
  await made.widen('t', 0)
  await publishEach(made, ['a', 'b'])
  assert.equal(made.waiting.length, 1)
  assert.equal(identity(made.waiting[0]!.batches[0]!), '-1/-1/-1')
  reply(made.waiting[0]!, { errorCode: 6 })
  await made.go(1_000)
  assert.deepEqual(made.waiting[0]!.batches[0]!.values, ['a'])
  reply(made.waiting[0]!)
  await made.go()
  reply(made.waiting[0]!)
  await made.go()
  assertDone(made)
})

test('a link that the broker closed while idle is replaced in silence', async () => {
  const made = await bench()
  await made.widen('t', 0)
  made.link(1).cut()
  const { outcome, sent } = await made.send('t', { value: 'a', partition: 0 })
  reply(sent)
  await made.go()
  assert.equal(outcome.error, undefined)
  assert.equal(made.sought, 0)
  assertDone(made)
})

test('a used-up epoch asks for a new producer id; what flies under the old one is settled first', async () => {
  const made = await bench()
  await made.widen('t', 0)
  await publishEach(made, ['a'])
  reply(made.waiting[0]!, { errorCode: 47 })
  await made.go(2_000)
  assert.equal(identity(made.waiting[0]!.batches[0]!), '8/0/0')
  reply(made.waiting[0]!)
  await made.go()
  assertDone(made)
})

test('memory: publishes wait while it is full, and all of it is back in the end', async () => {
  const made = await bench({ bufferMemoryBytes: 65_536, batchBytes: 16_384 })
  for (let i = 0; i < 100; i++) made.publish('t', { value: 'x'.repeat(3_000), partition: 0 })
  await made.go()
  assert.ok(made.publisher.bufferedBytes >= 65_536 && made.publisher.bufferedBytes < 65_536 + 4_096)
  assert.ok(made.events.some(event => event.type === 'publish.blocked'))
  while (made.waiting.length > 0) {
    reply(made.waiting[0]!)
    await made.go()
  }
  assert.ok(made.events.some(event => event.type === 'publish.unblocked'))
  assertDone(made)
})

test('settle: who still waits for memory or a topic is let in and sent without lingering, or has failed', async () => {
  const made = await bench({ bufferMemoryBytes: 65_536, batchBytes: 16_384, lingerMs: 60_000, maxBlockMs: 5_000 })
  for (let i = 0; i < 40; i++) made.publish('t', { value: 'x'.repeat(3_000), partition: 0 })
  const lost = made.publish('nowhere', 'x')
  let settled = false
  made.publisher.settle(() => {
    settled = true
  })
  for (let i = 0; i < 100 && !settled; i++) {
    for (const sent of made.waiting) reply(sent)
    await made.go(100)
  }
  assert.ok(settled)
  assert.equal(lost.error?.code, 'BLOCKED_TIMEOUT')
  assertDone(made)
})

test('a deleted topic fails what is open, queued and in flight, and gives its memory back', async () => {
  const made = await bench({ lingerMs: 1_000, batchBytes: 512 })
  for (let i = 0; i < 10; i++) made.publish('t', { value: 'x'.repeat(100), partition: 0 })
  await made.go(10)
  made.publisher.setTopicMissing('t', null, true)
  await made.go()
  assert.ok(made.outcomes.every(({ error }) => error?.code === 'UNKNOWN_TOPIC'))
  assert.deepEqual(new Set(made.outcomes.map(({ error }) => error!.outcome)), new Set(['unknown', 'failed']))
  assertDone(made)
})

test('close: never sent is failed, in flight is unknown, and later publishes say that it is closed', async () => {
  const made = await bench()
  await publishEach(made, ['flies', 'waits'])
  made.publisher.close()
  const [flies, waits] = made.outcomes
  assert.deepEqual([flies!.error?.outcome, waits!.error?.outcome], ['unknown', 'failed'])
  assert.equal(made.publish('t', 'late').error?.code, 'CLUSTER_CLOSED')
  reply(made.waiting[0]!)
  await made.go(5_000)
  assertDone(made)
})

test('what waits for its topic is a copy: the caller may use its bytes again', async () => {
  const made = new PublishBench()
  const [value, key, header] = ['value', 'key', 'header'].map(text => Buffer.from(text)) as [Buffer, Buffer, Buffer]
  made.publish('t', value)
  made.publish('t', [{ key, value, headers: { list: [header], one: header } }])
  made.publish('t', { key, value, headers: [['pair', header]] })
  for (const bytes of [value, key, header]) bytes.fill('#')
  made.topic('t', 1)
  await made.go()
  while (made.waiting.length > 0) {
    reply(made.waiting[0]!)
    await made.go()
  }
  const bytes = Buffer.concat(made.sent.flatMap(({ batches }) => batches.map(batch => batch.bytes)))
  assert.equal(bytes.includes('#'), false)
  assert.deepEqual(
    ['value', 'key', 'header'].map(text => bytes.toString('latin1').split(text).length - 1),
    [3, 2, 3]
  )
  assertDone(made)
})
