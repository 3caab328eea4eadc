/**
 * Classic groups in which Java's consumers and kafkajs are beside ours, with each of Java's assignors and with kafkajs' own, while numbered messages
 * are published: whoever comes, leaves, dies or leads, each partition has one owner, nothing is lost, and only what a dead one had not committed
 * comes again.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Assignor } from '../../src/model/assignor.ts'
import { assertInOrder } from '../support/group-run.ts'
import { startJavaMember } from '../support/java-member.ts'
import { startKafkajsMember } from '../support/kafkajs-member.ts'
import { MixedGroup, type Theirs } from '../support/mixed-group.ts'
import { useCluster } from '../support/use-cluster.ts'

const [withZooKeeper, kraft] = await Promise.all([useCluster('zookeeper'), useCluster('kraft')])

const java = (client: '3.9.1' | '4') => (options: Theirs) => startJavaMember({ ...options, client, commitEach: true })

/** kafkajs' own way, for our members: partitions in order, to members in the order of their ids. */
const kafkajsAssignor: Assignor = {
  name: 'RoundRobinAssigner',
  rebalanceProtocol: 'eager',
  assign({ topics, members }) {
    const ids = members.map(({ id }) => id).sort()
    const given = new Map(ids.map(id => [id, { partitions: [] as { topic: string; partition: number }[] }]))
    const all = [...topics].flatMap(([topic, list]) => list.map(({ partition }) => ({ topic, partition })))
    for (const [index, place] of all.entries()) given.get(ids[index % ids.length]!)!.partitions.push(place)
    return given
  }
}

describe('a classic group shared with Java and kafkajs, under load', { timeout: 480_000 }, () => {
  for (const [assignor, cluster] of [
    ['range', withZooKeeper],
    ['roundrobin', kraft],
    ['sticky', withZooKeeper],
    ['cooperative-sticky', kraft]
  ] as const)
    test(`${assignor}: one owner each, nothing lost, nothing twice but what the dead had not committed`, async () => {
      await using group = await MixedGroup.start(cluster, { assignor })
      const stream = group.run.publish()
      const first = await group.ours()
      const [older, kafkajs] = await Promise.all([group.foreign('java', java('3.9.1')), group.foreign('kafkajs', startKafkajsMember)])
      await group.atRest()
      await stream.more(60)
      // In order: nothing may come twice.
      await group.leave(older)
      await group.atRest()
      const process = group.ourProcess()
      const newer = await group.foreign('java', java('4'))
      await group.atRest()
      await stream.more(60)
      await group.leave(first)
      await group.atRest()
      assert.deepEqual(group.repeated(), [], 'in order, nothing comes twice')
      // A foreign member leads now, or the process of ours does; two of the three die.
      const last = await group.ours()
      await group.atRest()
      await stream.more(60)
      const allowed = await group.kill(process, kafkajs)
      await group.atRest()
      await stream.more(30)
      for (const place of await group.kill(newer)) allowed.add(place)
      await group.atRest()
      await stream.more(30)
      await group.finish(allowed)
      for (const member of [first, last]) {
        assertInOrder(member)
        assert.deepEqual([member.told('commit.failed'), member.told('partition.lost')], [[], []])
      }
    })

  test("kafkajs' own assigner: members of ours and of Java's that divide as it does share its group", async () => {
    await using group = await MixedGroup.start(withZooKeeper, { assignor: kafkajsAssignor })
    const stream = group.run.publish()
    const kafkajs = await group.foreign('kafkajs', startKafkajsMember)
    const [ours] = await Promise.all([group.ours(), group.foreign('java', java('3.9.1'))])
    await group.atRest()
    await stream.more(60)
    // Who led is gone: one of the others divides.
    await group.leave(kafkajs)
    await group.atRest()
    await group.foreign('kafkajs', startKafkajsMember)
    await group.atRest()
    await stream.more(60)
    await group.finish(new Set())
    assertInOrder(ours)
  })
})
