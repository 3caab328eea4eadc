import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Accumulator, type CheckedMessage, type CheckedRecord } from '../../src/flow/accumulator.ts'
import { PartitionQueue } from '../../src/flow/partition-queue.ts'
import { TopicPlane } from '../../src/flow/topic-plane.ts'
import { type PublishOptions, resolvePublishOptions } from '../../src/model/config.ts'
import { decodeRecords, RecordBatch, stamp } from '../../src/wire/records/index.ts'
import { VirtualWorld } from '../support/virtual-world.ts'

const nobody = new Proxy({}, { get: (_, name) => () => assert.fail(`nobody calls ${String(name)}`) })
const record = (value: string, timestampMs: number, key: string | null = null): CheckedRecord => ({
  key,
  value,
  headers: undefined,
  timestampMs,
  partition: undefined
})

/** An accumulator of a topic with three partitions, and what it has sealed, in order. */
function bench(publish: PublishOptions) {
  const plane = new TopicPlane('t')
  plane.setLevel(null, [0, 1, 2], { 0: { node: 1 }, 1: { node: 1 }, 2: { node: 1 } })
  const sealed: { partition: number; messages: [value: string, timestamp: number][] }[] = []
  const accumulator = new Accumulator({
    world: new VirtualWorld().world,
    plane,
    publish: resolvePublishOptions(publish),
    queue: (_, partition) =>
      plane.queues.get(partition) ??
      new PartitionQueue({ topic: 't', partition, path: `topics/t/${partition}`, idempotent: true, events: nobody as never }),
    sealed: queue => {
      plane.queues.set(queue.partition, queue)
      const { sealed: bytes } = queue.sealed.at(-1)!
      stamp(bytes, { producerId: 7n, producerEpoch: 0, baseSequence: 0 })
      const from = { topic: 't', partition: queue.partition }
      const messages = decodeRecords(new RecordBatch(bytes.buffer), from, 0n, { maxDecompressedBytes: 1_000_000 })
      sealed.push({ partition: queue.partition, messages: messages.map(one => [String(one.value), Number(one.timestamp)]) })
    }
  })
  const acked: string[] = []
  const delivery = (name: string) => ({
    acked: (_: string, partition: number, offset: bigint) => void acked.push(`${name} ${partition}/${offset}`),
    failed: assert.fail
  })
  /** `bound`: what the caller knows of its size; three bytes a character unless said otherwise. */
  const append = (messages: CheckedMessage | readonly CheckedMessage[], partition?: number, bound?: number) => {
    const list = Array.isArray(messages) ? (messages as readonly CheckedMessage[]) : [messages as CheckedMessage]
    const size = bound ?? list.reduce((sum, one) => sum + 32 + 3 * (typeof one === 'string' ? one.length : 100), 0)
    return accumulator.append(partition, messages, 42, size, delivery(`m${acked.length}`))
  }
  return { plane, accumulator, sealed, append, acked }
}

test('bare values and records lie in one batch in their order; bare ones have the time of the publish', () => {
  const { accumulator, sealed, append } = bench({ batchBytes: 10_000 })
  append('a')
  append(Buffer.from('b'))
  append(record('c', 7))
  append(['d', record('e', 9), Buffer.from('f')])
  accumulator.flush()
  assert.deepEqual(
    sealed.map(({ messages }) => messages),
    [
      [
        ['a', 42],
        ['b', 42],
        ['c', 7],
        ['d', 42],
        ['e', 9],
        ['f', 42]
      ]
    ]
  )
})

test('each delivery hears the offset of its first message', () => {
  const { plane, accumulator, sealed, append, acked } = bench({ batchBytes: 10_000 })
  append('a', 1)
  append(['b', 'c'], 1)
  append('d', 1)
  accumulator.flush()
  assert.equal(sealed.length, 1)
  plane.queues.get(1)!.sealed[0]!.acked(1, 100n, -1)
  assert.deepEqual(
    acked.map(one => one.split(' ')[1]),
    ['1/100', '1/101', '1/103']
  )
})

test('a bound that is too high does not seal early, and makes no list long: then it is measured', () => {
  const { accumulator, sealed, append } = bench({ batchBytes: 1_024 })
  const list = Array.from({ length: 5 }, () => 'x'.repeat(80)) // 550 bytes at most, by its bound 1,360
  append('y'.repeat(80))
  append(list)
  accumulator.flush()
  assert.deepEqual(
    sealed.map(({ messages }) => messages.length),
    [6]
  )
})

test('what does not fit any more goes into the next batch, whole', () => {
  const { accumulator, sealed, append } = bench({ batchBytes: 1_024 })
  append('x'.repeat(600), 2)
  append(['y'.repeat(300), 'z'.repeat(300)], 2)
  append('ü'.repeat(200), 2) // 400 bytes: over it
  accumulator.flush()
  assert.deepEqual(
    sealed.map(({ partition, messages }) => [partition, messages.map(([value]) => value[0]).join('')]),
    [
      [2, 'x'],
      [2, 'yz'],
      [2, 'ü']
    ]
  )
})

test('a list larger than a batch goes in parts to one partition, behind what came before; its bytes add up', () => {
  const { accumulator, sealed, append } = bench({ batchBytes: 1_024 })
  const before = append('first')
  const bytes = append([...'abcdef'].map(letter => letter.repeat(400)))
  accumulator.flush()
  assert.deepEqual(
    sealed.map(({ messages }) => messages.map(([value]) => value[0]).join('')),
    ['f', 'ab', 'cd', 'ef']
  )
  assert.equal(new Set(sealed.slice(1).map(({ partition }) => partition)).size, 1)
  assert.ok(before > 5 && before < 20 && bytes > 2_400 && bytes < 2_500, `${before} and ${bytes} bytes`)
})
