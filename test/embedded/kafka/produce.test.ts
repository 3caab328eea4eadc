/**
 * Produce, frame by frame: every check of a batch, sequences of idempotent producers, acks and what becomes of them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  CONTROL_BIT,
  COUNT_AT,
  LAST_OFFSET_DELTA_AT,
  LENGTH_AT,
  MAGIC_AT
} from '../../../src/wire/records/layout.ts'
import { batchOf, nameOf, produce, resealed, startCluster } from './support.ts'

const idempotent = (
  baseSequence: number,
  options: { producerId?: bigint; producerEpoch?: number; count?: number; transactional?: boolean } = {}
) => {
  const { producerId = 7n, producerEpoch = 0, count = 1, transactional = false } = options
  return batchOf(
    Array.from({ length: count }, (_, i) => `v${baseSequence + i}`),
    { producerId, producerEpoch, baseSequence, transactional }
  )
}

test('a batch that is not as it must be is refused with the code that Kafka gives it', async t => {
  const { state, dial } = await startCluster(t)
  state.createTopic({ name: 'a' })
  state.createTopic({ name: 'compact', configs: { 'cleanup.policy': 'compact' } })
  state.createTopic({ name: 'recent', configs: { 'message.timestamp.before.max.ms': '1000', 'max.message.bytes': '200' } })
  const client = await dial()
  const good = batchOf(['x', 'y'])
  const flipped = Buffer.from(good)
  flipped[good.length - 2]! ^= 1
  const refusals: [what: string, batch: Buffer, code: string, topic?: string, version?: number][] = [
    ['a flipped bit', flipped, 'CORRUPT_MESSAGE'],
    ['a base offset', resealed(good, each => each.writeBigInt64BE(5n, 0)), 'INVALID_RECORD'],
    ['an older format', resealed(good, each => each.writeInt8(1, MAGIC_AT)), 'INVALID_RECORD'],
    ['a format of the future', resealed(good, each => each.writeInt8(3, MAGIC_AT)), 'CORRUPT_MESSAGE'],
    ['more offsets than records', resealed(good, each => each.writeInt32BE(2, LAST_OFFSET_DELTA_AT)), 'INVALID_RECORD'],
    [
      'fewer records than it says',
      resealed(good, each => each.writeInt32BE(3, COUNT_AT) & each.writeInt32BE(2, LAST_OFFSET_DELTA_AT)),
      'INVALID_RECORD'
    ],
    ['no records', resealed(good, each => each.writeInt32BE(0, COUNT_AT)), 'INVALID_RECORD'],
    ['a control batch', resealed(good, each => each.writeInt16BE(CONTROL_BIT, ATTRIBUTES_AT)), 'INVALID_RECORD'],
    ['two batches', Buffer.concat([good, good]), 'INVALID_RECORD'],
    ['nothing', Buffer.alloc(0), 'INVALID_RECORD'],
    ['a length that is too small', resealed(good, each => each.writeInt32BE(5, LENGTH_AT)), 'CORRUPT_MESSAGE'],
    ['a cut batch', good.subarray(0, good.length - 4), 'INVALID_RECORD'],
    ['a producer without a sequence', batchOf(['x'], { producerId: 1n, producerEpoch: 0 }), 'INVALID_RECORD'],
    ['no key where the topic is compacted', good, 'INVALID_RECORD', 'compact'],
    ['an old time', good, 'INVALID_TIMESTAMP', 'recent'],
    ['too many bytes', batchOf(['x'.repeat(300)]), 'MESSAGE_TOO_LARGE', 'recent'],
    ['zstd before it was there', batchOf(['x'.repeat(500)], { compression: 'zstd' }), 'UNSUPPORTED_COMPRESSION_TYPE', 'a', 6],
    ['no such topic', good, 'UNKNOWN_TOPIC_OR_PARTITION', 'b'],
    ['an internal topic', good, 'INVALID_TOPIC_EXCEPTION', '__consumer_offsets'],
    ['a transaction without an id', idempotent(0, { transactional: true }), 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED']
  ]
  state.coordinatorOf('group', 'g')
  for (const [what, batch, code, topic = 'a', version = 9] of refusals) {
    const { errorCode, baseOffset } = await produce(client, topic, batch, { version })
    assert.equal(nameOf(errorCode), code, what)
    assert.equal(baseOffset, -1n, what)
  }
  assert.equal(nameOf((await produce(client, 'a', good, { acks: 2 })).errorCode), 'INVALID_REQUIRED_ACKS')
  assert.equal(nameOf((await produce(client, 'a', good, { partition: 1 })).errorCode), 'UNKNOWN_TOPIC_OR_PARTITION')
  const { recordErrors } = await produce(client, 'compact', batchOf(['x', 'y']))
  assert.deepEqual(
    recordErrors.map(({ batchIndex }) => batchIndex),
    [0, 1]
  )
  assert.equal(state.partition('a', 0)!.log!.endOffset, 0)
  assert.equal((await produce(client, 'a', good)).errorCode, 0)
  // Whatever lies behind a whole batch and is none is left out.
  assert.equal((await produce(client, 'a', Buffer.concat([good, Buffer.alloc(5)]))).baseOffset, 2n)
  assert.equal((await produce(client, 'compact', batchOf(['x'], { keyless: false }))).errorCode, 0)
})

test('an idempotent producer is kept in order, and what it sends again is answered with its first place', async t => {
  const { state, dial } = await startCluster(t)
  state.createTopic({ name: 'a' })
  const client = await dial()
  const send = async (batch: Buffer) => {
    const { errorCode, baseOffset } = await produce(client, 'a', batch)
    return errorCode === 0 ? Number(baseOffset) : nameOf(errorCode)
  }
  assert.equal(await send(batchOf(['before'])), 0)
  // Nobody knows it: any first sequence is taken.
  assert.equal(await send(idempotent(40)), 1)
  for (let i = 1; i <= 5; i++) assert.equal(await send(idempotent(40 + i)), 1 + i)
  assert.equal(await send(idempotent(45)), 6)
  assert.equal(await send(idempotent(41)), 2, 'the oldest of five is known')
  assert.equal(await send(idempotent(40)), 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'the sixth is forgotten')
  assert.equal(await send(idempotent(47)), 'OUT_OF_ORDER_SEQUENCE_NUMBER')
  assert.equal(await send(idempotent(46, { count: 3 })), 7)
  assert.equal(await send(idempotent(46, { count: 2 })), 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'another batch from the same sequence on')
  assert.equal(await send(idempotent(1, { producerEpoch: 1 })), 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'a new epoch begins with 0')
  assert.equal(await send(idempotent(0, { producerEpoch: 1 })), 10)
  assert.equal(await send(idempotent(49)), 'INVALID_PRODUCER_EPOCH')
  assert.equal(await send(idempotent(0x7fffffff, { producerId: 8n })), 11)
  assert.equal(await send(idempotent(0, { producerId: 8n })), 12, 'after the last sequence comes 0')
  const described = await client.ask('DescribeProducers', 0, { topics: [{ name: 'a', partitionIndexes: [0] }] })
  assert.deepEqual(
    described.topics[0]!.partitions[0]!.activeProducers.map(({ producerId, producerEpoch, lastSequence }) => [
      producerId,
      producerEpoch,
      lastSequence
    ]),
    [
      [7n, 1, 0],
      [8n, 0, 0]
    ]
  )
  state.partition('a', 0)!.log!.producers.expire(7n)
  assert.equal(await send(idempotent(99, { producerEpoch: 1 })), 13, 'forgotten, so any sequence is its first')
})

test('acks all waits for who is in sync, and says which way it ended', async t => {
  const { state, dial, broker } = await startCluster(t, { brokers: 3, config: { 'replica.lag.time.max.ms': '100' } })
  state.createTopic({ name: 'a', assignments: [[1, 2, 3]], configs: { 'min.insync.replicas': '2' } })
  const partition = state.partition('a', 0)!
  const client = await dial()
  const other = await dial(2)
  const { errorCode, currentLeader } = await produce(other, 'a', batchOf(['x']), { version: 10 })
  assert.equal(nameOf(errorCode), 'NOT_LEADER_OR_FOLLOWER')
  assert.deepEqual(currentLeader, { leaderId: 1, leaderEpoch: 0 })

  partition.hold(3)
  assert.equal(nameOf((await produce(client, 'a', batchOf(['late']), { timeoutMs: 10 })).errorCode), 'REQUEST_TIMED_OUT')
  assert.equal(partition.highWatermark, 0)
  assert.equal((await produce(client, 'a', batchOf(['by the leader']), { acks: 1 })).baseOffset, 1n)
  // Who lags behind leaves, and those who are left have it.
  assert.equal((await produce(client, 'a', batchOf(['waited']))).baseOffset, 2n)
  assert.deepEqual(partition.isr, [1, 2])
  assert.equal(partition.highWatermark, 3)
  partition.hold(2)
  // In sync are fewer than there must be: what nobody but the leader has is not shown to anybody.
  assert.equal(nameOf((await produce(client, 'a', batchOf(['alone']), { timeoutMs: 300 })).errorCode), 'REQUEST_TIMED_OUT')
  assert.deepEqual([partition.isr, partition.highWatermark, partition.log!.endOffset], [[1], 3, 4])
  assert.equal(nameOf((await produce(client, 'a', batchOf(['too few']))).errorCode), 'NOT_ENOUGH_REPLICAS')
  partition.hold(2, false)
  partition.hold(3, false)
  assert.deepEqual(partition.isr, [1, 2, 3])

  partition.hold(2)
  const waiting = produce(client, 'a', batchOf(['in between']))
  await produce(await dial(), 'a', batchOf(['x']), { acks: 1 })
  partition.elect(3)
  assert.equal(nameOf((await waiting).errorCode), 'NOT_LEADER_OR_FOLLOWER')
  assert.equal(broker(1).running, true)
})

test('without acks there is no answer, and a closed connection where it failed', async t => {
  const { state, dial } = await startCluster(t)
  state.createTopic({ name: 'a' })
  const client = await dial()
  const ask = (name: string) => ({ acks: 0, timeoutMs: 1, topicData: [{ name, partitionData: [{ index: 0, records: batchOf(['x']) }] }] })
  client.send((await client.frame('Produce', 9, ask('a'))).frame.chunks)
  // The answer to what comes next is the first that there is.
  assert.equal((await client.ask('ApiVersions', 0, {})).errorCode, 0)
  assert.equal(state.partition('a', 0)!.log!.endOffset, 1)
  client.send((await client.frame('Produce', 9, ask('b'))).frame.chunks)
  await client.closed
})

test('a topic by its id, its own times, and the bytes as they came', async t => {
  const { state, dial } = await startCluster(t, { broker: { profile: '4.x' } })
  const topic = state.createTopic({ name: 'a', configs: { 'message.timestamp.type': 'LogAppendTime' } })
  const client = await dial()
  const ask = async (topicId: string) => {
    const topicData = [{ topicId, partitionData: [{ index: 0, records: batchOf(['x']) }] }]
    return (await client.ask('Produce', 13, { acks: 1, timeoutMs: 1_000, topicData })).responses[0]!.partitionResponses[0]!
  }
  assert.equal(nameOf((await ask('AAAAAAAAAAAAAAAAAAAAAQ')).errorCode), 'UNKNOWN_TOPIC_ID')
  const { errorCode, logAppendTimeMs } = await ask(topic.id)
  assert.equal(errorCode, 0)
  assert.ok(logAppendTimeMs > 1_700_000_000_000n)
  const [stored] = topic.partitions[0]!.log!.batches
  assert.equal(stored!.maxTimestamp, Number(logAppendTimeMs))
  assert.equal(Number(stored!.bytes.readBigInt64BE(BASE_TIMESTAMP_AT)), 1_700_000_000_000)
})
