/**
 * The Kafka 4 cluster of the harness: three brokers that are their own controllers, any of which may be killed, and groups whose coordinator moves.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startJavaMember } from '../support/java-member.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster('kraft3')

async function freshTopic() {
  const topic = uniqueName('harness')
  await cluster.createTopic(topic, { partitions: 3 })
  return topic
}

test('each broker is killed in turn, the controller among them: records are taken all the while, and the cluster heals', async () => {
  const topic = await freshTopic()
  for (const [round, broker] of cluster.brokers.entries()) {
    await broker.kill()
    for (const partition of [0, 1, 2]) await cluster.waitForLeader(topic, partition, leader => leader !== broker.id)
    await cluster.tool.produce(topic, { count: 50, prefix: `r${round}-` })
    await cluster.heal()
  }
  const { count, distinct } = await cluster.tool.consume(topic)
  assert.deepEqual([count, distinct], [150, 150])
})

test("a group's coordinator is frozen: another one takes over, and the thawed one is what it was", async () => {
  const topic = await freshTopic()
  const group = uniqueName('group')
  const member = await startJavaMember({ bootstrap: cluster.bootstrap, group, topics: [topic], protocol: 'consumer' })
  try {
    await member.waitForOwned(3)
    const first = await cluster.coordinatorOf(group)
    await first.freeze()
    await cluster.coordinatorOf(group, broker => broker.id !== first.id)
    for (const partition of [0, 1, 2]) await cluster.waitForLeader(topic, partition, leader => leader !== first.id)
    await first.thaw()
    await cluster.heal()
    assert.equal((await cluster.coordinatorOf(group)).id, first.id)
  } finally {
    await member.kill()
  }
})
