/**
 * Classic groups of librdkafka's members (kcat), kafka-python's and ours, while numbered messages are published: who comes, leaves or dies, each
 * partition has one owner, nothing is lost, and only what a dead one had not committed comes again. On real brokers and on embedded ones.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { embeddedServers } from '../support/embedded-servers.ts'
import type { ForeignMember } from '../support/foreign-member.ts'
import { assertInOrder } from '../support/group-run.ts'
import { startPythonMember } from '../support/kafka-python.ts'
import { startKcatMember } from '../support/kcat.ts'
import { MixedGroup, type Theirs } from '../support/mixed-group.ts'
import { useCluster } from '../support/use-cluster.ts'

const [withZooKeeper, kraft] = await Promise.all([useCluster('zookeeper'), useCluster('kraft')])
const embedded = await embeddedServers()
after(() => embedded.dispose())
const judges = { kcat: startKcatMember, 'kafka-python': startPythonMember }

describe('a classic group shared with librdkafka and kafka-python, under load', { timeout: 240_000 }, () => {
  for (const { assignor, places, kinds } of [
    { assignor: 'range', places: { withZooKeeper, embedded }, kinds: ['kcat', 'kafka-python'] },
    { assignor: 'roundrobin', places: { kraft, embedded }, kinds: ['kcat', 'kafka-python'] },
    // librdkafka has no eager sticky assignor.
    { assignor: 'sticky', places: { withZooKeeper, embedded }, kinds: ['kafka-python', 'kafka-python'] },
    { assignor: 'cooperative-sticky', places: { kraft, embedded }, kinds: ['kcat', 'kafka-python'] }
  ] as const)
    for (const [place, cluster] of Object.entries(places))
      test(`${assignor}: ${kinds.join(' and ')} beside ours (${place})`, async () => {
        // kcat's words are dated when they are read.
        await using group = await MixedGroup.start(cluster, { assignor, skewMs: 500 })
        const join = (kind: keyof typeof judges) => group.foreign(kind, (options: Theirs) => judges[kind](options))
        const leave = (member: ForeignMember) => (kinds[0] === 'kcat' ? group.leaveAtRest(member) : group.leave(member))
        const stream = group.run.publish()
        // A judge leads first.
        const leader = await join(kinds[0])
        await leader.waitForOwned(8)
        const [ours, other] = [await group.ours(), await join(kinds[1])]
        await group.atRest()
        await stream.more(60)
        await leave(leader)
        await group.atRest()
        await stream.more(60)
        const again = await join(kinds[0])
        await group.atRest()
        assert.deepEqual(group.repeated(), [], 'in order, nothing comes twice')
        const allowed = await group.kill(other)
        await group.atRest()
        await stream.more(30)
        await leave(again)
        await group.atRest()
        await stream.more(30)
        await group.finish(allowed)
        assertInOrder(ours)
        assert.deepEqual([ours.told('commit.failed'), ours.told('partition.lost')], [[], []])
      })
})
