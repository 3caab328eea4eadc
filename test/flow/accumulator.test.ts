import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Accumulator } from '../../src/flow/accumulator.ts'
import type { Delivery } from '../../src/flow/batch.ts'
import type { PartitionQueue } from '../../src/flow/partition-queue.ts'
import { TopicPlane } from '../../src/flow/topic-plane.ts'
import { type PublishOptions, resolveOptions } from '../../src/model/config.ts'
import { VirtualWorld } from '../support/virtual-world.ts'

const silent: Delivery = { acked: () => {}, failed: () => {} }

function bench(publish: PublishOptions = {}, partitions = 2) {
  const virtual = new VirtualWorld()
  const plane = new TopicPlane('t')
  const numbers = Array.from({ length: partitions }, (_, i) => i)
  plane.setLevel(null, numbers, Object.fromEntries(numbers.map(i => [i, { node: 1 }])))
  for (const partition of numbers)
    plane.queues.set(partition, { topic: 't', partition, sealed: [], pendingBytes: 0 } as unknown as PartitionQueue)
  const sealed: number[] = []
  const accumulator = new Accumulator({
    world: virtual.world,
    plane,
    publish: resolveOptions({ brokers: 'h:1', publish }).publish,
    queue: (_, partition) => plane.queues.get(partition)!,
    sealed: queue => void sealed.push(queue.partition)
  })
  let bytes = 0
  const append = (partition: number | undefined, messages: string | string[]) => {
    const size = [messages].flat().reduce((sum, one) => sum + one.length + 40, 0)
    bytes += accumulator.append(partition, messages, 5, size, silent)
  }
  const batches = (partition: number) => plane.queues.get(partition)!.sealed
  return { virtual, plane, sealed, accumulator, append, batches, bytes: () => bytes }
}

test('linger 0: what one turn appends goes together', async () => {
  const { virtual, append, batches, sealed } = bench({ lingerMs: 0 })
  for (let i = 0; i < 10; i++) append(0, `${i}`)
  assert.deepEqual(sealed, [])
  await virtual.advance(0)
  assert.deepEqual(
    batches(0).map(({ count }) => count),
    [10]
  )
})

test('linger: a batch goes when its time is over, a full one at once', async () => {
  const { virtual, append, batches } = bench({ lingerMs: 50, batchBytes: 1_024 })
  append(0, 'x')
  append(1, 'y'.repeat(990))
  append(1, 'next')
  assert.deepEqual([batches(0).length, batches(1).length], [0, 1])
  await virtual.advance(49)
  assert.equal(batches(0).length, 0)
  await virtual.advance(2)
  assert.equal(batches(0).length, 1)
})

test('linger over, but the queue has something sealed: the batch grows until the queue is hungry', async () => {
  const { virtual, append, batches, accumulator, plane } = bench({ lingerMs: 0 })
  append(0, 'a')
  await virtual.advance(0)
  append(0, 'b')
  await virtual.advance(0)
  append(0, 'c')
  await virtual.advance(0)
  assert.equal(batches(0).length, 1)
  batches(0).length = 0
  accumulator.feed(plane.queues.get(0)!)
  assert.deepEqual(
    batches(0).map(({ count }) => count),
    [2]
  )
})

test('unkeyed batches take turns over the available partitions', async () => {
  const { virtual, append, sealed } = bench({ lingerMs: 0 }, 3)
  for (let i = 0; i < 3; i++) {
    append(undefined, 'x')
    await virtual.advance(0)
  }
  assert.deepEqual([...sealed].sort(), [0, 1, 2])
})

test('a list stays whole: in a batch of its own where the open one has no room, over several in one partition where it must', () => {
  const { append, batches, accumulator } = bench({ lingerMs: 1_000, batchBytes: 1_024 })
  append(0, 'x'.repeat(500))
  append(
    0,
    Array.from({ length: 5 }, () => 'y'.repeat(100))
  )
  assert.deepEqual(
    batches(0).map(({ count }) => count),
    [1]
  )
  append(
    undefined,
    Array.from({ length: 30 }, () => 'z'.repeat(100))
  )
  const [where] = [0, 1].filter(partition => batches(partition).some(({ group }) => group))
  const parts = batches(where!).filter(({ group }) => group)
  assert.ok(parts.length > 1)
  assert.equal(
    parts.reduce((sum, { count }) => sum + count, 0),
    30
  )
  assert.equal(new Set(parts.map(({ group }) => group)).size, 1)
  accumulator.flush()
  assert.equal(accumulator.isEmpty, true)
})

test('the memory of the batches is what append has counted, whatever became of them', () => {
  const { append, batches, accumulator, bytes } = bench({ lingerMs: 1_000, batchBytes: 1_024, compression: 'gzip' })
  for (let i = 0; i < 20; i++) append(i % 2, 'x'.repeat(i * 10))
  append(
    undefined,
    Array.from({ length: 30 }, () => 'z'.repeat(100))
  )
  const all = [...batches(0), ...batches(1), ...accumulator.takeAll()]
  assert.equal(
    all.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
    bytes()
  )
})

test('a topic that has refused large batches gets smaller ones', () => {
  const { append, batches, plane } = bench({ lingerMs: 1_000, batchBytes: 10_000 })
  plane.batchBytesMax = 500
  for (let i = 0; i < 10; i++) append(0, 'x'.repeat(200))
  assert.ok(batches(0).length >= 4)
  for (const { sealed } of batches(0)) assert.ok(sealed.uncompressedBytes <= 500)
})
