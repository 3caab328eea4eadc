/**
 * Consuming while leaders move and die and topics are made anew: nothing lost, in order, going on without help.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Message } from '../../src/model/message.ts'
import { withClient } from '../support/connected.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster('zookeeper')
const url = `zookeeper://${cluster.zookeeper}`
const manual = { membership: 'manual', from: 'earliest' } as const

/** The offsets of each partition without a hole, from 0 on. */
function assertWhole(messages: readonly Message[], partitions: number, perPartition: number): void {
  for (let partition = 0; partition < partitions; partition++)
    assert.deepEqual(
      messages.filter(message => message.partition === partition).map(({ offset }) => Number(offset)),
      [...Array(perPartition).keys()],
      `partition ${partition}`
    )
}

describe('faults while consuming', () => {
  const fresh = async (assignment: number[][]) => {
    const topic = uniqueName('consume-faults')
    await cluster.createTopic(topic, { assignment })
    return topic
  }

  test('a leader that moves, and one that is killed', { timeout: 90_000 }, async () => {
    const topic = await fresh([
      [1, 2, 3],
      [2, 3, 1]
    ])
    const produce = async () => {
      for (const partition of [0, 1]) await cluster.tool.produce(topic, { partition, count: 200 })
    }
    await produce()
    await withClient(url, {}, async ({ client }) => {
      const messages: Message[] = []
      const iterator = client.topic(topic).subscribe(manual)[Symbol.asyncIterator]()
      const readTo = async (count: number) => {
        while (messages.length < count) messages.push((await iterator.next()).value as Message)
      }
      await readTo(400)
      const moved = iterator.next()
      await cluster.moveLeader(topic, 0, 3)
      await produce()
      messages.push((await moved).value as Message)
      await readTo(800)
      const waiting = iterator.next()
      await cluster.broker(2).kill()
      await cluster.waitForLeader(topic, 1, leader => leader !== 2)
      await produce()
      messages.push((await waiting).value as Message)
      await readTo(1_200)
      await iterator.return!()
      assertWhole(messages, 2, 600)
    })
    await cluster.heal()
  })

  test('a topic that is deleted and made again is read from its new beginning', { timeout: 60_000 }, async () => {
    const topic = await fresh([[1, 2, 3]])
    await cluster.tool.produce(topic, { partition: 0, records: [{ value: 'a' }, { value: 'b' }] })
    await withClient(url, {}, async ({ client }) => {
      const consumer = client.topic(topic).subscribe(manual)
      const iterator = consumer[Symbol.asyncIterator]()
      for (const value of ['a', 'b']) assert.equal(String((await iterator.next()).value.value), value)
      await cluster.tool.deleteTopics(topic)
      await until('the topic anew', () => cluster.createTopic(topic, { assignment: [[2, 3, 1]] }))
      await cluster.tool.produce(topic, { partition: 0, records: ['c', 'd', 'e'].map(value => ({ value })) })
      for (const value of ['c', 'd', 'e']) assert.equal(String((await iterator.next()).value.value), value)
      await iterator.return!()
    })
  })
})
