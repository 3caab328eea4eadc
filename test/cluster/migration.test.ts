/**
 * A 3.9.1 cluster goes from ZooKeeper to KRaft while Java's producer and a group of Java's consumers go on: nothing is lost, and each step shows in
 * ZooKeeper, until there is none.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
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

test('from ZooKeeper to KRaft under load: every record is consumed once, and ZooKeeper can go', { timeout: 300_000 }, async () => {
  await using migration = await startMigration()
  const { cluster, bootstrap } = migration
  await cluster.createTopic('load', { partitions: 3 })
  assert.deepEqual(await children(migration, '/brokers/ids'), ['1', '2', '3'])
  const stop = publishing(migration, 'load')
  const member = await startJavaMember({ bootstrap, group: 'workers', topics: ['load'] })
  try {
    await member.waitForRecords(20)
    await migration.toDualWrite()
    assert.deepEqual(await children(migration, '/brokers/ids'), ['1', '2', '3'])
    await cluster.createTopic('dual', { partitions: 1 })
    await until('the copy in ZooKeeper', async () => (await children(migration, '/brokers/topics')).includes('dual'))

    await migration.brokersToKraft()
    assert.deepEqual(await children(migration, '/brokers/ids'), [], 'a broker of KRaft registers with its controller alone')
    await migration.finalize()
    await cluster.createTopic('after', { partitions: 1 })
    assert.ok(!(await children(migration, '/brokers/topics')).includes('after'), 'ZooKeeper is not written to any more')
    await migration.removeZooKeeper()
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
  } finally {
    await stop().catch(() => {})
    await member.kill()
  }
})
