/**
 * Our members and real Scala 1.1.1 members in one group: the same split computed on both sides, hand-overs without loss or duplicate, and
 * recovery from each other's crash.
 */
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { openZooKeeper, type SubscribeOptions } from '../../src/index.ts'
import { Member, MemberProcess } from '../support/group-member.ts'
import { ScalaMember, type ScalaMemberOptions } from '../support/scala-member.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster()
type Recorded = { records: readonly { topic: string; partition: number; offset: number }[] }

describe('a group shared with Scala 1.1.1', () => {
  const open: { close(): Promise<void> }[] = []
  afterEach(async () => {
    await Promise.all(open.map(member => member.close()))
    open.length = 0
  })

  const ours = async (subscribe: SubscribeOptions) => {
    const member = await Member.start(cluster.zookeeper, subscribe)
    open.push(member)
    return member
  }
  const scala = async (options: Omit<ScalaMemberOptions, 'zookeeper'>) => {
    const member = await ScalaMember.start({ zookeeper: cluster.zookeeper, autoCommitIntervalMs: 500, ...options })
    open.push(member)
    return member
  }
  const gone = async (member: { close(): Promise<void> }) => {
    open.splice(open.indexOf(member), 1)
    await member.close()
  }
  async function fresh(partitions: number) {
    const topic = uniqueName('mixed')
    await cluster.createTopic(topic, { partitions })
    return { topic, group: uniqueName('group') }
  }
  const named = (assigned: Record<string, number[]>) =>
    Object.entries(assigned).flatMap(([topic, list]) => list.map(partition => `${topic}/${partition}`))
  const keys = (views: readonly Recorded[]) =>
    views.flatMap(({ records }) => records.map(({ topic, partition, offset }) => `${topic}/${partition}/${offset}`))
  const allSeen = (views: readonly Recorded[], count: number) => until(`${count} records in all`, () => new Set(keys(views)).size >= count)
  /** Owners in ZooKeeper: thread id by partition. */
  const owners = async (group: string) => {
    const nodes = await cluster.tool.znodes(`/consumers/${group}/owners`)
    return Object.fromEntries(
      Object.entries(nodes).flatMap(([path, { data }]) => {
        const match = /\/owners\/(.+\/\d+)$/.exec(path)
        return match ? [[match[1]!, String(data)]] : []
      })
    )
  }

  test('range: both sides split alike, hand over in order, and each goes on exactly where the other was', async () => {
    const { topic, group } = await fresh(5)
    const peer = await scala({ group, topics: { [topic]: 1 } })
    await peer.waitForAssigned(5)
    const mine = await ours({ topic, group })
    await until(
      'the split',
      () => mine.owned.length + named(peer.assigned).length === 5 && mine.owned.length >= 2 && mine.owned.length <= 3
    )
    const split = await owners(group)
    assert.deepEqual(Object.keys(split).sort(), [...mine.owned, ...named(peer.assigned)].sort())
    assert.ok(named(peer.assigned).every(partition => split[partition] === `${peer.memberId}-0`))
    await cluster.tool.produce(topic, { count: 300, prefix: 'a' })
    await allSeen([peer, mine], 300)
    // The Scala member leaves: we take all, from where it was.
    await gone(peer)
    await mine.waitForOwned(5)
    await cluster.tool.produce(topic, { count: 300, prefix: 'b' })
    await allSeen([peer, mine], 600)
    // Another one comes, and we leave: it takes all, from where we were.
    const next = await scala({ group, topics: { [topic]: 1 } })
    await until('the split', () => mine.owned.length + named(next.assigned).length === 5 && mine.owned.length <= 3)
    await cluster.tool.produce(topic, { count: 300, prefix: 'c' })
    await allSeen([peer, mine, next], 900)
    await gone(mine)
    await next.waitForAssigned(5)
    await cluster.tool.produce(topic, { count: 300, prefix: 'd' })
    await allSeen([peer, mine, next], 1_200)
    const all = keys([peer, mine, next])
    assert.equal(new Set(all).size, 1_200, 'nothing is lost')
    assert.equal(all.length, 1_200, 'nothing comes twice')
  })

  test('a Scala member that is killed is recovered from, and ours by it: nothing is lost', async () => {
    const { topic, group } = await fresh(4)
    const peer = await scala({ group, topics: { [topic]: 1 }, sessionTimeoutMs: 2_000 })
    const mine = MemberProcess.start(cluster.zookeeper, { topic, group }, { sessionTimeoutMs: 2_000 })
    open.push(mine)
    await until('the split', () => mine.owned.length === 2 && named(peer.assigned).length === 2)
    await cluster.tool.produce(topic, { count: 200 })
    await allSeen([peer, mine], 200)
    await mine.kill()
    open.splice(open.indexOf(mine), 1)
    await cluster.tool.produce(topic, { count: 200, prefix: 'b' })
    await peer.waitForAssigned(4)
    await allSeen([peer, mine], 400)
    const heir = await ours({ topic, group })
    await heir.waitForOwned(2)
    await peer.kill()
    open.splice(open.indexOf(peer), 1)
    await cluster.tool.produce(topic, { count: 200, prefix: 'c' })
    await heir.waitForOwned(4)
    await allSeen([peer, mine, heir], 600)
  })

  test('wildcards and several streams are split alike', async () => {
    const { topic, group } = await fresh(6)
    const peer = await scala({ group, whitelist: `${topic}.*`, streams: 2 })
    const mine = await ours({ pattern: `${topic}(\\.x)?`, group })
    await until('the split', () => mine.owned.length === 2 && named(peer.assigned).length === 4)
    await cluster.createTopic(`${topic}.x`, { partitions: 3 })
    await until('the new topic', () => mine.owned.length === 3 && named(peer.assigned).length === 6)
    assert.equal(new Set([...mine.owned, ...named(peer.assigned)]).size, 9)
    assert.equal(Object.keys(await owners(group)).length, 9)
  })

  test('roundrobin is dealt alike', async () => {
    const [a, b] = [await fresh(4), await fresh(3)]
    const { group } = a
    const peer = await scala({ group, topics: { [a.topic]: 1, [b.topic]: 2 }, strategy: 'roundrobin' })
    const mine = await ours({ topics: [a.topic, b.topic], group, assignor: 'roundrobin' })
    await until('the deal', async () => mine.owned.length > 0 && mine.owned.length + named(peer.assigned).length === 7)
    const owned = await owners(group)
    assert.equal(Object.keys(owned).length, 7)
    for (const partition of mine.owned) assert.ok(!owned[partition]!.startsWith(peer.memberId))
    for (const partition of named(peer.assigned)) assert.ok(owned[partition]!.startsWith(peer.memberId))
  })

  test('a Scala member that has given up is nudged until it takes what is its own', async () => {
    const { topic, group } = await fresh(3)
    const session = openZooKeeper(`zookeeper://${cluster.zookeeper}`)
    open.push(session)
    // A member that comes first in the order, takes partition 0, and leaves without letting go of it.
    const squatter = `${group}_0aa`
    for (const path of ['ids', `owners/${topic}`]) await session.makePath(`/consumers/${group}/${path}`)
    const node = JSON.stringify({ version: 1, subscription: { [topic]: 1 }, pattern: 'static', timestamp: '1' })
    await session.create(`/consumers/${group}/ids/${squatter}`, Buffer.from(node), 'ephemeral')
    await session.create(`/consumers/${group}/owners/${topic}/0`, Buffer.from(`${squatter}-0`), 'ephemeral')
    const peer = await scala({ group, topics: { [topic]: 1 }, consumerId: '1aa' })
    const mine = await ours({ topic, group })
    await mine.waitForOwned(1)
    await peer.waitForAssigned(1)
    assert.deepEqual([peer.assigned[topic], mine.owned], [[1], [`${topic}/2`]])
    const givenUp = peer.timesGivenUp
    await session.remove(`/consumers/${group}/ids/${squatter}`)
    // Not when its fourth attempt begins: that one would still succeed.
    await until('it has given up', () => peer.timesGivenUp > givenUp, 40_000)
    assert.deepEqual([Object.keys(await owners(group)).length, mine.told('trouble')], [2, []])
    const before = peer.events.length
    await session.remove(`/consumers/${group}/owners/${topic}/0`)
    const nudge = await mine.waitFor('trouble', 60_000)
    assert.equal(nudge.error.code, 'PEER_GAVE_UP')
    assert.ok(nudge.error.message.includes(`${topic}/1 is due to ${group}_1aa`), nudge.error.message)
    await until(
      'it owns its own again',
      () => peer.events.slice(before).some(({ type }) => type === 'assigned') && peer.assigned[topic]?.length === 2
    )
    await until(
      'in ZooKeeper too',
      async () => Object.values(await owners(group)).filter(thread => thread === `${group}_1aa-0`).length === 2
    )
    assert.ok(
      mine.told('member.state').some(({ reason }) => reason.includes(`owned by nobody: ${topic}`)),
      'it was told before'
    )
    assert.equal(mine.told('partition.revoked').length, 0, 'what we own was never touched')
  })
})
