/**
 * A live group moves from ZooKeeper to Kafka on real brokers while messages flow: nothing is lost, nothing committed comes again, and who joins later
 * finds it there.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/index.ts'
import { GroupRun } from '../support/group-run.ts'
import { useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster()

test('a live group moves to Kafka: nothing is lost, nothing comes twice, and Kafka knows its members', async () => {
  await using run = await GroupRun.start(cluster, [6])
  const members = [await run.join(), await run.join()]
  await Promise.all(members.map(member => member.waitForOwned(3)))
  const stream = run.publish()
  await stream.more(200)
  const admin = await connect({ zookeeper: cluster.zookeeper })
  try {
    const groups = admin.admin.zooKeeperGroups!
    const dry = await groups.moveToKafka(run.group, { dryRun: true })
    assert.deepEqual(
      dry.members.map(({ movable }) => movable),
      [true, true]
    )
    const revoked = members.flatMap(member => member.told('partition.revoked')).length

    const moved = await groups.moveToKafka(run.group)
    assert.equal(moved.offsets.length, 6)
    assert.ok(members.flatMap(member => member.told('partition.revoked')).length > revoked)
    await Promise.all(members.map(member => member.waitForOwned(3)))
    for (const member of members)
      assert.deepEqual(
        member
          .told('membership.chosen')
          .map(({ membership }) => membership)
          .slice(-1),
        ['classic']
      )
    await stream.more(200)
    const { state, members: known } = await cluster.tool.describeGroup(run.group)
    assert.deepEqual([state.toLowerCase(), known.length], ['stable', 2])

    // Who comes later, with the very same call, meets them there.
    const third = await run.join()
    await third.waitForOwned(2)
    assert.equal((await cluster.tool.describeGroup(run.group)).members.length, 3)
    assert.deepEqual(await run.allDelivered(), new Map())
    await assert.rejects(groups.moveToKafka(run.group), { code: 'GROUP_MOVED' })
  } finally {
    await admin.close()
  }
})

test('a Scala member cannot follow: it is named, and nobody is asked to leave', async () => {
  await using run = await GroupRun.start(cluster, [2])
  const [ours, scala] = [await run.join(), await run.joinScala()]
  await Promise.all([ours.waitForOwned(1), scala.waitForAssigned(1)])
  const admin = await connect({ zookeeper: cluster.zookeeper })
  try {
    await assert.rejects(admin.admin.zooKeeperGroups!.moveToKafka(run.group), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'GROUP_NOT_MOVABLE')
      assert.ok(error.message.includes(scala.memberId))
      return true
    })
    assert.equal(ours.owned.length, 1)
  } finally {
    await admin.close()
  }
})

test('a consumer that asked for ZooKeeper and nothing else ends with a clear error when its group has moved', async () => {
  await using run = await GroupRun.start(cluster, [1])
  const first = await run.join()
  await first.waitForOwned(1)
  const admin = await connect({ zookeeper: cluster.zookeeper })
  try {
    await admin.admin.zooKeeperGroups!.moveToKafka(run.group)
    const consumer = admin.subscribe({ topic: run.topic, group: run.group, membership: 'zookeeper' })
    await assert.rejects(
      async () => {
        for await (const _ of consumer) assert.fail('it owns nothing')
      },
      { code: 'GROUP_MOVED' }
    )
  } finally {
    await admin.close()
  }
})
