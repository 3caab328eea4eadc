/**
 * Brokers that run without ZooKeeper, a group that still meets there, and one process of it that alone loses ZooKeeper for good: it goes over to
 * Kafka by itself, and the others must not stay behind as a second group of that name.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupRun } from '../support/group-run.ts'
import { useCluster } from '../support/use-cluster.ts'
import { ZooKeeperOnly } from '../support/zookeeper-only.ts'

const cluster = await useCluster('kraft')

test('a member that alone lost ZooKeeper for good goes to Kafka, the others follow it, and nothing is lost', async () => {
  const zookeeper = await ZooKeeperOnly.start()
  // What a cluster leaves behind that was migrated.
  const { session } = await zookeeper.open()
  for (const path of ['/brokers/ids', '/brokers/topics']) await session.makePath(path)
  const proxy = await zookeeper.proxy()
  const through = { zookeeper: `127.0.0.1:${proxy.port}${zookeeper.chroot}`, connectTimeoutMs: 5_000 }
  try {
    await using run = await GroupRun.start(cluster, [6], {}, { zookeeper: zookeeper.address, brokers: cluster.bootstrap.join(',') })
    const stays = await run.join()
    const cutOff = await run.join({}, through)
    await Promise.all([stays, cutOff].map(member => member.waitForOwned(3)))
    assert.deepEqual(
      [stays, cutOff].map(member => member.told('membership.chosen').map(({ membership }) => membership)),
      [['zookeeper'], ['zookeeper']]
    )
    const stream = run.publish()
    await stream.more(200)

    proxy.refuse(true)
    proxy.cut()
    await stays.events.first(e => e.type === 'told' && e.event.type === 'membership.chosen' && e.event.membership === 'consumer', 60_000)
    await Promise.all([stays, cutOff].map(member => member.waitForOwned(3)))
    await stream.more(200)
    assert.deepEqual(
      stays.owned.filter(key => cutOff.owned.includes(key)),
      []
    )
    assert.ok(stays.told('trouble').some(({ error }) => error.code === 'GROUP_SPLIT'))
    await run.allDelivered()
  } finally {
    await zookeeper.stop()
  }
})
