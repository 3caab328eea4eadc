/**
 * A group that meets in ZooKeeper has its offsets there, by the names of topics: they outlive a topic, and are no places in the next one of that name.
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Cluster, connect } from '../../src/index.ts'
import { startCluster } from '../../src/testing.ts'

async function read(client: Cluster, count: number): Promise<string[]> {
  const values: string[] = []
  const signal = AbortSignal.timeout(15_000)
  for await (const { value } of client.topic('orders').subscribe({ group: 'workers', membership: 'zookeeper', from: 'earliest', signal })) {
    values.push(String(value))
    if (values.length > count) break
  }
  return values
}

it('a member that never knew the old topic begins the new one at its beginning', async () => {
  const kafka = await startCluster({ brokers: 1, topics: { orders: 1 } })
  const connected: Cluster[] = []
  const client = async () => {
    const one = await connect(kafka.url)
    connected.push(one)
    return one
  }
  try {
    const first = await client()
    for (const value of ['a', 'b', 'c', 'd']) await first.topic('orders').publish(value)
    assert.deepEqual(await read(first, 3), ['a', 'b', 'c', 'd'])
    await first.close()
    kafka.state.deleteTopic('orders')
    kafka.createTopic('orders', { partitions: 1 })
    const second = await client()
    const values = ['e', 'f', 'g', 'h', 'i', 'j']
    for (const value of values) await second.topic('orders').publish(value)
    assert.deepEqual(await read(second, values.length - 1), values)
  } finally {
    for (const each of connected) await each.close({ timeoutMs: 2_000 })
    await kafka.stop()
  }
})
