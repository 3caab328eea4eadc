/**
 * Two more clusters of the harness: one Kafka 4 broker in KRaft mode, and an old 1.1.1 broker.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterKind } from '../support/shared-clusters.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

for (const kind of ['kraft', 'old'] satisfies ClusterKind[]) {
  const cluster = await useCluster(kind)
  test(`a topic of the ${kind} cluster takes records and survives a restart of its broker`, async () => {
    const topic = uniqueName('harness')
    await cluster.createTopic(topic, { partitions: 2 })
    await cluster.tool.produce(topic, { count: 50 })
    await cluster.broker(1).stop()
    await cluster.broker(1).start()
    await cluster.heal()
    assert.equal((await cluster.tool.consume(topic)).count, 50)
  })
}
