/**
 * A listener that is added in the turn in which somebody subscribes misses nothing, however soon there is something to tell.
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { connect } from '../../src/index.ts'
import { startCluster } from '../../src/testing.ts'
import { until } from '../support/until.ts'

it('a consumer with partitions by hand tells its listeners of the first assignment', async () => {
  const kafka = await startCluster({ brokers: 1, zookeeper: false, topics: { orders: 2 } })
  const client = await connect(kafka.url)
  try {
    for (const round of ['first', 'second']) {
      const heard: string[] = []
      const consumer = client.subscribe({ partitions: [0, 1].map(partition => ({ topic: 'orders', partition })), from: 'earliest' })
      consumer.on('*', ({ type }) => void heard.push(type))
      const remove = consumer.on('partition.assigned', () => void heard.push('nobody listens any more'))
      remove()
      await until('positions', () => heard.filter(type => type === 'partition.position').length === 2)
      assert.equal(heard.filter(type => type === 'partition.assigned').length, 1, `${round}: ${heard}`)
      assert.ok(!heard.includes('nobody listens any more'))
      await consumer.close()
    }
  } finally {
    await client.close({ timeoutMs: 2_000 })
    await kafka.stop()
  }
})
