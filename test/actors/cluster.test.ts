import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createActor } from 'xstate'
import { ClusterActor } from '../../src/actors/cluster.ts'
import type { ClusterEmitted } from '../../src/model/events.ts'

test('a SUBSCRIBE whose side is still being loaded when the cluster closes is refused by name, not forgotten', async () => {
  const cluster = createActor(ClusterActor, { input: { brokers: '127.0.0.1:1' } }).start()
  const failed = new Promise<ClusterEmitted>(resolve => cluster.on('consumer.failed', resolve))
  cluster.send({ type: 'SUBSCRIBE', id: 7, topics: ['t'], group: 'g' })
  cluster.send({ type: 'CLOSE' })
  const event = (await failed) as Extract<ClusterEmitted, { type: 'consumer.failed' }>
  assert.equal(event.id, 7)
  assert.equal(event.error.code, 'CLUSTER_CLOSED')
})
