/**
 * A 3.9.1 cluster goes from ZooKeeper to KRaft under load, step by step, until ZooKeeper is gone. Java's clients are the measure; beside them a
 * publisher of ours and two groups that know nothing but ZooKeeper's address: one is moved in good time, the other is not.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '../../src/index.ts'
import { GroupRun } from '../support/group-run.ts'
import { startJavaMember } from '../support/java-member.ts'
import { type Migration, startMigration } from '../support/migration.ts'
import { until } from '../support/until.ts'

/** Publishes small lots, one after the other, until it is stopped; answers with how many records there are. */
function publishing({ cluster }: Migration, topic: string): () => Promise<number> {
  let [stopped, count] = [false, 0]
  const running = (async () => {
    for (let lot = 0; !stopped; lot++) {
      await cluster.tool.produce(topic, { count: 10, prefix: `lot${lot}-` })
      count += 10
      await delay(200)
    }
  })()
  running.catch(() => {})
  return async () => {
    stopped = true
    await running
    return count
  }
}

const children = async ({ cluster }: Migration, path: string) =>
  Object.keys(await cluster.tool.znodes(path)).flatMap(each =>
    each.startsWith(`${path}/`) ? [each.slice(path.length + 1).split('/')[0]] : []
  )

test('from ZooKeeper to KRaft under load: every record is consumed once, and ZooKeeper can go', { timeout: 550_000 }, async () => {
  await using migration = await startMigration()
  const { cluster, bootstrap } = migration
  await cluster.createTopic('load', { partitions: 3 })
  assert.deepEqual(await children(migration, '/brokers/ids'), ['1', '2', '3'])
  const stop = publishing(migration, 'load')
  const member = await startJavaMember({ bootstrap, group: 'workers', topics: ['load'] })
  // Without ZooKeeper for `connectTimeoutMs` in a cluster of KRaft brokers: then it counts as gone.
  const patience = { connectTimeoutMs: 10_000 }
  await using moved = await GroupRun.start(cluster, [3])
  await using left = await GroupRun.start(cluster, [2])
  try {
    const movers = [await moved.join({}, patience), await moved.join({}, patience)]
    const stayer = await left.join({}, patience)
    const streams = [moved.publish(), left.publish()]
    await Promise.all(streams.map(stream => stream.more(50)))
    await member.waitForRecords(20)
    await migration.toDualWrite()
    assert.deepEqual(await children(migration, '/brokers/ids'), ['1', '2', '3'])
    await cluster.createTopic('dual', { partitions: 1 })
    await until('the copy in ZooKeeper', async () => (await children(migration, '/brokers/topics')).includes('dual'))

    await movers[0]!.client.admin.zooKeeperGroups!.moveToKafka(moved.group)
    await Promise.all(streams.map(stream => stream.more(50)))

    await migration.brokersToKraft()
    await Promise.all(streams.map(stream => stream.more(50)))
    assert.deepEqual(await children(migration, '/brokers/ids'), [], 'a broker of KRaft registers with its controller alone')
    await migration.finalize()
    await cluster.createTopic('after', { partitions: 1 })
    assert.ok(!(await children(migration, '/brokers/topics')).includes('after'), 'ZooKeeper is not written to any more')
    await migration.removeZooKeeper()
    await Promise.all(streams.map(stream => stream.more(50)))
    await assert.rejects(migration.toDualWrite(), /stands at zookeeperGone/)

    await cluster.broker(2).kill()
    await cluster.tool.produce('after', { count: 10 })
    await cluster.heal()
    const count = await stop()
    await member.waitForRecords(count)
    await member.commit()
    const seen = new Set(member.records.map(({ value, partition }) => `${partition} ${value}`))
    assert.deepEqual([seen.size, member.records.length], [count, count])
    assert.deepEqual(member.of('lost'), [])
    assert.equal((await cluster.tool.consume('load')).distinct, count)

    const chosen = (each: typeof stayer) => each.told('membership.chosen').map(({ membership }) => membership)
    await until('the group that stayed is in Kafka', () => chosen(stayer).at(-1) === 'classic', 60_000)
    for (const mover of movers) assert.equal(chosen(mover).at(-1), 'classic')
    assert.deepEqual(await moved.allDelivered(60_000), new Map(), 'the group that was moved got nothing twice')
    assert.deepEqual(await left.allDelivered(60_000), new Map(), 'nor did the one that was not')

    // A process that starts only now needs the brokers beside the old address.
    const late = await connect(`zookeeper://${migration.zookeeper},kafka://${bootstrap.join(',')}`, patience)
    try {
      await late.topic('after').publish('late')
      const consumer = late.subscribe({ topic: moved.topic, group: moved.group })
      await consumer.handle
      await until('it is a member', async () => (await cluster.tool.describeGroup(moved.group)).members.length === 3, 60_000)
    } finally {
      await late.close()
    }
  } finally {
    await stop().catch(() => {})
    await member.kill()
  }
})
