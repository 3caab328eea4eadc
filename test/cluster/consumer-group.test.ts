/**
 * Members of ours in a group of the new protocol (KIP-848) on a real Kafka 4: who owns what, hand-overs without loss or duplicate, a death,
 * a fence, a stuck handler, patterns that the broker matches, static members, and groups of another kind.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { connect } from '../../src/index.ts'
import { instanceOfClient, withClient } from '../support/connected.ts'
import type { Member } from '../support/group-member.ts'
import { assertInOrder, GroupRun, uncommitted } from '../support/group-run.ts'
import { startJavaMember } from '../support/java-member.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster('kraft')
const brokers = cluster.bootstrap.join(',')
const membership = 'consumer' as const
/** Members hear of each other soon; a machine that is busy with other tests does not end their sessions. */
const lively = { 'consumer.session.timeout.ms': '10000', 'consumer.heartbeat.interval.ms': '300' }
/** A member that dies is missed soon. */
const mortal = { ...lively, 'consumer.session.timeout.ms': '2000' }
const GROUP_RESOURCE = 32

async function configure(group: string, config: Record<string, string>): Promise<void> {
  const client = await connect({ brokers, recorderMaxBytes: 0 })
  try {
    const link = await instanceOfClient(client).links.any(10_000)
    const configs = Object.entries(config).map(([name, value]) => ({ name, configOperation: 0, value }))
    const { responses } = await link.request('IncrementalAlterConfigs', {
      resources: [{ resourceType: GROUP_RESOURCE, resourceName: group, configs }],
      validateOnly: false
    })
    assert.deepEqual(
      responses.map(({ errorCode, errorMessage }) => [errorCode, errorMessage]),
      [[0, null]]
    )
  } finally {
    await client.close()
  }
}

/** As the classic API sees it: DescribeGroups fails for a group of the new protocol. */
async function describeClassic(group: string): Promise<{ errorCode: number; protocolType: string }> {
  const client = await connect({ brokers, recorderMaxBytes: 0 })
  try {
    const link = await instanceOfClient(client).links.any(10_000)
    return (await link.request('DescribeGroups', { groups: [group], includeAuthorizedOperations: false })).groups[0]!
  } finally {
    await client.close()
  }
}

async function start(partitions: readonly number[], config: Record<string, string> = lively): Promise<GroupRun> {
  const run = await GroupRun.start(cluster, partitions)
  await configure(run.group, config)
  return run
}

const states = (member: Member) => member.told('member.state').map(({ state, reason }) => `${state}: ${reason}`)
const memberOf = (member: Member) => {
  const instance = instanceOfClient(member.client)
  const [path] = [...instance.directory.keys()].filter(name => name.endsWith('/member'))
  return instance.directory.get(path!)!.getSnapshot().context as { memberId: string; memberEpoch: number }
}

describe('a group of the new protocol', { concurrency: 4 }, () => {
  test('one member owns everything, commits, and goes on where it was', async () => {
    await using run = await start([3])
    await cluster.tool.produce(run.topic, { count: 300 })
    const one = await run.join({ membership })
    await one.waitForRecords(300)
    await run.leave(one)
    assert.deepEqual(
      [...(await run.committedInKafka()).values()].reduce((sum, next) => sum + next, 0),
      300
    )
    await cluster.tool.produce(run.topic, { count: 30 })
    const two = await run.join({ membership })
    await two.waitForRecords(30)
    await two.waitForOwned(3)
    assert.equal(two.records.length, 30, 'nothing committed comes again')
  })

  test('auto takes the newest protocol that the brokers offer, and says so', async () => {
    await using run = await start([1])
    const member = await run.join({ membership: 'auto' })
    const chosen = await member.waitFor('membership.chosen')
    assert.equal(chosen.membership, 'consumer')
    await member.waitForOwned(1)
  })

  test('two members share; who leaves hands over, nothing lost, nothing twice; what does not move is not interrupted', async () => {
    await using run = await start([4])
    const stream = run.publish()
    const one = await run.join({ membership })
    await one.waitForOwned(4)
    await stream.more(50)
    const two = await run.join({ membership })
    await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
    await stream.more(100)
    assert.deepEqual(one.told('partition.lost'), [])
    const kept = one.told('partition.position').filter(({ partition }) => one.owned.includes(`${run.topic}/${partition}`))
    assert.equal(kept.length, 2, 'what stayed was located once')
    assert.equal(one.told('partition.revoked').flatMap(({ partitions }) => partitions).length, 2)
    await run.leave(one)
    await two.waitForOwned(4)
    await stream.more(50)
    assert.deepEqual([...(await run.allDelivered())], [])
    assertInOrder(one)
  })

  test('a member that is killed is missed after the session; others go on at its commits', async () => {
    await using run = await start([4], mortal)
    const stream = run.publish()
    const one = await run.join({ membership })
    const two = run.spawn({ membership })
    await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
    await stream.more(100)
    run.forget(two)
    await two.kill()
    const allowed = uncommitted(two, await run.committedInKafka())
    await one.waitForOwned(4, 15_000)
    for (const [place, times] of await run.allDelivered()) {
      assert.ok(allowed.has(place), `${place} was committed and came again`)
      assert.equal(times, 1)
    }
  })

  test('a member that was frozen past its session hands out nothing more, commits nothing, and joins anew', async () => {
    await using run = await start([4], mortal)
    const stream = run.publish()
    const one = await run.join({ membership })
    const two = run.spawn({ membership })
    await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
    await stream.more(100)
    two.freeze()
    await one.waitForOwned(4, 15_000)
    const allowed = uncommitted(two, await run.committedInKafka())
    await stream.more(100)
    const frozenAt = two.events.all.length
    two.thaw()
    await two.waitFor('partition.lost')
    const since = two.events.all.slice(frozenAt)
    const lostAt = since.findIndex(event => event.type === 'told' && event.event.type === 'partition.lost')
    const meanwhile = since
      .slice(0, lostAt)
      .filter(({ type, ...event }) => type === 'record' || ('event' in event && event.event.type === 'committed'))
    assert.deepEqual(meanwhile, [])
    await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
    for (const [place] of await run.allDelivered()) assert.ok(allowed.has(place), `${place} was committed and came again`)
  })

  test('a member that the group has let go of loses everything, and is back under the same id', async () => {
    await using run = await start([2])
    const one = await run.join({ membership })
    await one.waitForOwned(2)
    const { memberId } = memberOf(one)
    const link = await instanceOfClient(one.client).links.any(10_000)
    await link.request('ConsumerGroupHeartbeat', { groupId: run.group, memberId, memberEpoch: -1 })
    const lost = await one.waitFor('partition.lost')
    assert.match(lost.reason, /UNKNOWN_MEMBER_ID/)
    await one.waitForOwned(2)
    assert.equal(memberOf(one).memberId, memberId)
    await cluster.tool.produce(run.topic, { count: 20 })
    await one.waitForRecords(20)
    await until('its commits count again', async () => [...(await run.committedInKafka()).values()].reduce((a, b) => a + b, 0) === 20)
  })

  test('work that stands still for maxPollIntervalMs: others get its partitions, and it is back when that is over', async () => {
    await using run = await start([2])
    await withClient({ brokers }, {}, async ({ client }) => {
      const slow = client.subscribe({ topics: run.topics, group: run.group, membership, from: 'earliest', maxPollIntervalMs: 500 })
      const told: string[] = []
      slow.on('*', event => {
        if (event.type === 'partition.lost') told.push(`lost: ${event.reason}`)
        if (event.type === 'partition.assigned') told.push(`assigned ${event.partitions.length}`)
        if (event.type === 'member.state' && event.state === 'stuck') told.push('stuck')
      })
      let release = () => {}
      let calls = 0
      const held = new Promise<void>(resolve => {
        release = resolve
      })
      slow.on('message.batch', async ({ ack }) => {
        if (++calls === 1) await held
        ack()
      })
      await until('it owns both', () => told.includes('assigned 2'))
      await cluster.tool.produce(run.topic, { partition: 0, count: 5 })
      await until('it is stuck', () => told.includes('stuck'))
      assert.match(told.find(line => line.startsWith('lost'))!, /longer than maxPollIntervalMs/)
      const other = await run.join({ membership })
      await other.waitForOwned(2)
      await other.waitForRecords(5)
      release()
      await other.waitForOwned(1)
      await until('it has one again', () => told.at(-1) === 'assigned 1')
      await slow.close()
      await other.waitForOwned(2)
    })
  })

  test('the broker matches the pattern: a new topic is picked up, one that does not match is not', async () => {
    const prefix = uniqueName('match')
    await cluster.createTopics({ [`${prefix}-a`]: { partitions: 2 } })
    await using run = await start([1])
    const one = await run.join({ membership, pattern: `${prefix}-[a-c]` })
    await one.waitForOwned(2)
    await cluster.createTopics({ [`${prefix}-b`]: { partitions: 1 }, [`${prefix}-d`]: { partitions: 1 } })
    await one.waitForOwned(3, 30_000)
    await cluster.tool.produce(`${prefix}-b`, { count: 5 })
    await one.waitForRecords(5)
    assert.deepEqual(one.owned, [`${prefix}-a/0`, `${prefix}-a/1`, `${prefix}-b/0`])
  })

  test('a pattern that the broker cannot compile is matched here, and that is told', async () => {
    const prefix = uniqueName('match')
    await cluster.createTopics({ [`${prefix}-a`]: { partitions: 1 }, [`${prefix}-b`]: { partitions: 1 } })
    await using run = await start([1])
    // Without ZooKeeper the names of all topics are as new as the last look at them.
    const one = await run.join({ membership, pattern: `${prefix}-(?!b).*` }, { metadataMaxAgeMs: 1_000 })
    await one.waitForOwned(1)
    assert.deepEqual(one.owned, [`${prefix}-a/0`])
    assert.deepEqual(
      one.told('trouble').map(({ error }) => error.code),
      ['INVALID_REGULAR_EXPRESSION']
    )
    await cluster.createTopics({ [`${prefix}-c`]: { partitions: 1 } })
    await one.waitForOwned(2)
  })

  test('a static member that bounces gets back what it had, and nobody else is disturbed', async () => {
    await using run = await start([4])
    const one = await run.join({ membership })
    const two = await run.join({ membership, groupInstanceId: 'static' })
    await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
    const had = two.owned
    const before = one.told('partition.revoked').length
    for (let bounce = 0; bounce < 2; bounce++) {
      const last = run.readers.at(-1) as Member
      await run.leave(last)
      const next = await run.join({ membership, groupInstanceId: 'static' })
      assert.deepEqual(await next.waitForOwned(2), had)
    }
    assert.equal(one.told('partition.revoked').length, before)
    assert.equal(one.owned.length, 2)
  })

  test('the name of a static member that died is waited for; that of one that lives is an error in the end', async () => {
    await using run = await start([1], mortal)
    const dead = run.spawn({ membership, groupInstanceId: 'static' })
    await dead.waitForOwned(1)
    run.forget(dead)
    await dead.kill()
    const next = await run.join({ membership, groupInstanceId: 'static' })
    await next.waitForOwned(1, 15_000)
    assert.ok(
      states(next).some(line => line.includes('UNRELEASED_INSTANCE_ID')),
      states(next).join('\n')
    )
  })

  test('surplus members own nothing and say so, with the numbers', async () => {
    await using run = await start([1])
    const one = await run.join({ membership })
    await one.waitForOwned(1)
    const two = await run.join({ membership })
    const surplus = await two.waitFor('member.surplus')
    assert.deepEqual([surplus.partitions, surplus.members], [1, 2])
    await run.leave(one)
    await two.waitForOwned(1)
  })

  test('a topic that is deleted and made again is another one: it is read from its beginning', async () => {
    await using run = await start([1])
    const one = await run.join({ membership })
    await one.waitForOwned(1)
    await cluster.tool.produce(run.topic, { count: 10, prefix: 'old' })
    await one.waitForRecords(10)
    await cluster.tool.deleteTopics(run.topic)
    await one.waitForOwned(0)
    await cluster.createTopic(run.topic, { partitions: 2 })
    await one.waitForOwned(2)
    await cluster.tool.produce(run.topic, { count: 4, prefix: 'new' })
    await one.waitForRecords(14)
    assert.equal(one.records.filter(({ value }) => value.startsWith('new')).length, 4)
  })

  test('a group of another kind is told by a code of its own', async () => {
    const group = uniqueName('other')
    const topic = uniqueName('other')
    await cluster.createTopic(topic)
    await withClient({ brokers }, {}, async ({ client, instance }) => {
      const link = await instance.links.any(10_000)
      const join = { groupId: group, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, protocolType: 'connect' }
      const protocols = [{ name: 'default', metadata: Buffer.from('x') }]
      const first = await link.request('JoinGroup', { ...join, memberId: '', protocols })
      await link.request('JoinGroup', { ...join, memberId: first.memberId, protocols })
      const consumer = client.subscribe({ topics: [topic], group, membership })
      const failed = await new Promise<{ code: string }>(resolve => client.on('consumer.failed', ({ error }) => resolve(error)))
      assert.equal(failed.code, 'GROUP_IS_CLASSIC')
      await consumer.close().catch(() => {})
    })
  })

  test('a Java member of the same protocol beside ours: they share, and hand over to each other, nothing lost, nothing twice', async () => {
    await using run = await start([4])
    const stream = run.publish()
    const java = await startJavaMember({ bootstrap: cluster.bootstrap, group: run.group, topics: run.topics, protocol: 'consumer' })
    run.readers.push(java)
    try {
      await java.waitForOwned(4)
      await stream.more(50)
      const ours = await run.join({ membership })
      await Promise.all([ours.waitForOwned(2), java.waitForOwned(2)])
      await stream.more(100)
      await java.close()
      await ours.waitForOwned(4)
      await stream.more(50)
      assert.deepEqual([...(await run.allDelivered())], [])
      assert.deepEqual(ours.told('partition.lost'), [])
    } finally {
      await java.kill()
    }
  })

  test('a classic group of Java members is taken over while it runs, and is a classic one again when ours have left', async () => {
    await using run = await start([4])
    const stream = run.publish()
    const java = await startJavaMember({ bootstrap: cluster.bootstrap, group: run.group, topics: run.topics, protocol: 'classic' })
    run.readers.push(java)
    try {
      await java.waitForOwned(4)
      await stream.more(50)
      const ours = await run.join({ membership })
      await Promise.all([ours.waitForOwned(2), java.waitForOwned(2)])
      await stream.more(100)
      await run.leave(ours)
      await java.waitForOwned(4)
      await stream.more(50)
      const { protocolType } = await describeClassic(run.group)
      assert.equal(protocolType, 'consumer')
      assert.deepEqual([...(await run.allDelivered())], [])
    } finally {
      await java.kill()
    }
  })
})
