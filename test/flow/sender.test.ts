import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PublishBatch } from '../../src/flow/batch.ts'
import type { PartitionQueue } from '../../src/flow/partition-queue.ts'
import { Sender } from '../../src/flow/sender.ts'
import { resolveOptions } from '../../src/model/config.ts'
import type { SamsaError } from '../../src/model/errors.ts'
import { BatchWriter, stamp } from '../../src/wire/records/index.ts'
import { ScriptedLink } from '../support/publish-bench.ts'
import { settled, VirtualWorld } from '../support/virtual-world.ts'

const ID = 'uKL0dQXkRR2SsSTNmwGNHg'

function bench(publish: Parameters<typeof resolveOptions>[0]['publish'] = {}) {
  const virtual = new VirtualWorld()
  const link = new ScriptedLink(1, () => virtual.nowMs)
  const options = resolveOptions({ brokers: 'h:1', publish })
  const sender = new Sender({ world: virtual.world, link, publish: options.publish, requestTimeoutMs: 30_000 })
  const told: string[] = []
  const queue = (partition: number) =>
    ({
      topic: 't',
      partition,
      answered: (_: PublishBatch, attempt: number, { errorCode }: { errorCode: number }) =>
        told.push(`${partition}: ${errorCode} #${attempt}`),
      lost: (_: PublishBatch, __: number, reason: string) => told.push(`${partition}: lost, ${reason}`),
      unfit: (_: PublishBatch, __: number, error: SamsaError) => told.push(`${partition}: ${error.code}`)
    }) as unknown as PartitionQueue
  const batch = (bytes = 10) => {
    const writer = new BatchWriter({ limitBytes: 1 << 20 })
    writer.append(1, null, 'x'.repeat(bytes), undefined)
    const sealed = writer.seal(options.publish.compression)
    stamp(sealed, { producerId: -1n, producerEpoch: -1, baseSequence: -1 })
    const made = new PublishBatch({
      topic: 't',
      sealed,
      free: false,
      group: undefined,
      deadlineMs: 1,
      memoryBytes: 1,
      deliveries: [],
      starts: [],
      timestampsMs: []
    })
    made.attempt = 1
    return made
  }
  return { virtual, link, sender, told, queue, batch }
}

test('what several partitions release in one turn goes in one request; two of one partition in two, in order', async () => {
  const { link, sender, queue, batch } = bench()
  const [q0, q1] = [queue(0), queue(1)]
  sender.add(q0, [batch(), batch()], null)
  sender.add(q1, [batch()], null)
  await settled()
  assert.deepEqual(
    link.sent.map(({ batches }) => batches.map(({ partition }) => partition)),
    [[0], [0, 1]]
  )
})

test('a request holds no more than maxRequestBytes, but one batch at least', async () => {
  const { link, sender, queue, batch } = bench({ maxRequestBytes: 100_000 })
  for (let i = 0; i < 4; i++) sender.add(queue(i), [batch(45_000)], null)
  await settled()
  assert.deepEqual(
    link.sent.map(({ batches }) => batches.length),
    [2, 2]
  )
})

test('answers find their partition by name, and by id where both sides name topics so', async () => {
  for (const [version, id] of [
    [11, null],
    [13, ID]
  ] as const) {
    const { link, sender, told, queue, batch } = bench()
    link.produceVersion = version
    sender.add(queue(0), [batch()], id)
    sender.add(queue(1), [batch()], id)
    await settled()
    const partitionResponses = [1, 0].map(index => ({
      index,
      errorCode: index * 6,
      errorMessage: null,
      baseOffset: 0n,
      logAppendTimeMs: -1n
    }))
    const responses = [{ name: id ? '' : 't', topicId: id ?? '', partitionResponses }]
    link.sent[0]!.done(undefined, { throttleTimeMs: 0, responses, nodeEndpoints: [] } as never)
    assert.deepEqual(told, ['1: 6 #1', '0: 0 #1'])
  }
})

test('an answer for a partition that was not asked for is passed over; one that is left out counts as lost', async () => {
  const { link, sender, told, queue, batch } = bench()
  sender.add(queue(0), [batch()], null)
  await settled()
  const responses = [{ name: 't', topicId: '', partitionResponses: [{ index: 7, errorCode: 0, baseOffset: 0n, logAppendTimeMs: -1n }] }]
  link.sent[0]!.done(undefined, { throttleTimeMs: 0, responses, nodeEndpoints: [] } as never)
  assert.deepEqual(told, ['0: lost, the broker did not answer for this partition'])
})

test('a pause that becomes longer while something waits is kept; what was given up meanwhile does not go', async () => {
  const { virtual, link, sender, queue, batch } = bench()
  sender.hold(1_000)
  const gone = batch()
  sender.add(queue(0), [gone], null)
  sender.add(queue(1), [batch()], null)
  sender.hold(2_000)
  gone.attempt++
  await virtual.advance(1_500)
  assert.equal(link.sent.length, 0)
  await virtual.advance(600)
  assert.deepEqual(
    link.sent.map(({ batches }) => batches.map(({ partition }) => partition)),
    [[1]]
  )
})

test('zstd is not sent to a broker whose Produce cannot carry it; what was left unpacked is', async () => {
  const { link, sender, told, queue, batch } = bench({ compression: 'zstd' })
  link.produceVersion = 6
  sender.add(queue(0), [batch(1_000)], null)
  sender.add(queue(1), [batch(1)], null)
  await settled()
  assert.deepEqual(told, ['0: UNSUPPORTED_COMPRESSION'])
  assert.deepEqual(link.sent[0]!.batches[0]!.partition, 1)
})
