/**
 * Members of ours in one group on real brokers and a real ZooKeeper: who owns what, hand-overs without loss or duplicate, a lost session,
 * commits that count, and the copy that Kafka's tools see.
 */
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { type ClusterOptions, connect, openZooKeeper, type SubscribeOptions } from '../../src/index.ts'
import { assertClientReplays, instanceOfClient } from '../support/connected.ts'
import { Gathered } from '../support/gathered.ts'
import { Member, MemberProcess, type MemberView } from '../support/group-member.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'
import { ZooKeeperProxy } from '../support/zookeeper-proxy.ts'

const cluster = await useCluster()

describe('a group of our members', () => {
  const members: Member[] = []

  afterEach(async () => {
    for (const member of members) {
      const client = member.client
      if (instanceOfClient(client)) await assertClientReplays({ client, events: new Gathered(), instance: instanceOfClient(client) })
      await member.close()
    }
    members.length = 0
  })

  async function join(subscribe: SubscribeOptions, options: Partial<ClusterOptions> = {}): Promise<Member> {
    const member = await Member.start(cluster.zookeeper, subscribe, options)
    members.push(member)
    return member
  }
  async function fresh(partitions: number): Promise<{ topic: string; group: string }> {
    const topic = uniqueName('shared')
    await cluster.createTopic(topic, { partitions })
    return { topic, group: uniqueName('group') }
  }
  const owners = async (group: string) => {
    const nodes = await cluster.tool.znodes(`/consumers/${group}/owners`)
    return Object.keys(nodes).filter(path => /\/\d+$/.test(path))
  }
  /** Everything was seen, and nothing twice. */
  const exactlyOnce = (views: readonly MemberView[], count: number) => {
    const seen = views.flatMap(({ records }) => records.map(({ partition, offset }) => `${partition}/${offset}`))
    assert.equal(new Set(seen).size, count, 'nothing is lost')
    assert.equal(seen.length, count, 'nothing comes twice')
  }
  const seenBy = (views: readonly MemberView[]) =>
    new Set(views.flatMap(({ records }) => records.map(({ partition, offset }) => `${partition}/${offset}`))).size

  test('splits the partitions, and hands over in order while messages keep coming', async () => {
    const { topic, group } = await fresh(7)
    const one = await join({ topic, group })
    await one.waitForOwned(7)
    const publisher = await connect({ zookeeper: cluster.zookeeper })
    let published = 0
    let going = true
    const publishing = (async () => {
      while (going) {
        await publisher.topic(topic).publish({ key: `k${published}`, value: `v${published}` })
        published++
      }
    })()
    const two = await join({ topic, group })
    await Promise.all([two.waitForOwned(3), one.waitForOwned(4)])
    const three = await join({ topic, group })
    await Promise.all([three.waitForOwned(2), two.waitForOwned(2), one.waitForOwned(3)])
    assert.equal(new Set([one, two, three].flatMap(({ owned }) => owned)).size, 7)
    assert.equal((await owners(group)).length, 7)
    await until('each of them has read', () => [one, two, three].every(({ records }) => records.length > 20))
    await one.close()
    members.splice(members.indexOf(one), 1)
    await Promise.all([two.waitForOwned(4), three.waitForOwned(3)])
    await until('more was published', () => published > 300)
    going = false
    await publishing
    await publisher.close()
    await until('all was read', () => seenBy([one, two, three]) === published)
    exactlyOnce([one, two, three], published)
    assert.ok(one.told('partition.lost').length === 0 && two.told('commit.failed').length === 0)
  })

  test('lets a member that stays go on with what it keeps', async () => {
    const { topic, group } = await fresh(4)
    const one = await join({ topic, group })
    await one.waitForOwned(4)
    const two = await join({ topic, group })
    await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
    const moved = one.told('partition.revoked').flatMap(({ partitions }) => partitions.length)
    assert.deepEqual(moved, [2])
    assert.equal(one.told('partition.assigned').length, 1)
  })

  test('more members than partitions: the surplus ones say so, and step in when one leaves', async () => {
    const { topic, group } = await fresh(1)
    const one = await join({ topic, group })
    await one.waitForOwned(1)
    const two = await join({ topic, group })
    const surplus = await Promise.race([two.waitFor('member.surplus'), one.waitFor('member.surplus')])
    assert.deepEqual(surplus, { type: 'member.surplus', group, partitions: 1, members: 2 })
    const [owner, spare] = one.owned.length === 1 ? [one, two] : [two, one]
    await owner.close()
    members.splice(members.indexOf(owner), 1)
    await spare.waitForOwned(1)
  })

  test('roundrobin deals all topics of the group', async () => {
    const [a, b] = [await fresh(3), await fresh(3)]
    const subscribe = { topics: [a.topic, b.topic], group: a.group, assignor: 'roundrobin' } as const
    const [one, two] = [await join(subscribe), await join(subscribe)]
    await Promise.all([one.waitForOwned(3), two.waitForOwned(3)])
    assert.equal(new Set([...one.owned, ...two.owned]).size, 6)
  })

  test('a pattern takes up topics that are made later', async () => {
    const { topic, group } = await fresh(2)
    const one = await join({ pattern: `${topic}(\\.more)?`, group })
    await one.waitForOwned(2)
    await cluster.createTopic(`${topic}.more`, { partitions: 2 })
    await one.waitForOwned(4)
    const ids = await cluster.tool.znodes(`/consumers/${group}/ids`)
    const node = Object.values(ids).find(({ data }) => data?.toString().includes('white_list'))
    assert.ok(node?.data?.toString().includes(`{"${topic}([.]more)?":1}`), 'Scala members can read it')
  })

  test('a session that expires: everything stops, and the same member joins anew', async () => {
    const { topic, group } = await fresh(3)
    const [address, chroot] = [cluster.zookeeper.split('/')[0]!, cluster.zookeeper.slice(cluster.zookeeper.indexOf('/'))]
    const proxy = await ZooKeeperProxy.start(Number(address.split(':')[1]))
    const one = await join({ topic, group }, { zookeeper: `127.0.0.1:${proxy.port}${chroot}` })
    await one.waitForOwned(3)
    await cluster.tool.produce(topic, { count: 100 })
    await one.waitForRecords(100)
    await until(
      'it is committed',
      async () => Object.values((await cluster.tool.groupOffsets(group))[topic] ?? {}).reduce((a, b) => a + b, 0) === 100
    )
    const ids = Object.keys(await cluster.tool.znodes(`/consumers/${group}/ids`))
    await proxy.expireSession()
    const lost = await one.waitFor('partition.lost')
    assert.equal(lost.partitions.length, 3)
    await one.waitForOwned(3)
    assert.deepEqual(Object.keys(await cluster.tool.znodes(`/consumers/${group}/ids`)), ids)
    await cluster.tool.produce(topic, { count: 100 })
    await one.waitForRecords(200)
    exactlyOnce([one], 200)
    // And a link that only breaks costs nothing: the same session again, nothing is rebalanced.
    const assignments = one.told('partition.assigned').length
    const resumed = one.events.next(event => event.type === 'told' && event.event.type === 'member.state' && event.event.state === 'owning')
    proxy.cut()
    await resumed
    assert.equal(one.told('partition.assigned').length, assignments)
    await cluster.tool.produce(topic, { count: 50 })
    await one.waitForRecords(250)
    exactlyOnce([one], 250)
    members.splice(members.indexOf(one), 1)
    await one.close()
    await proxy.close()
  })

  test('commits lie in ZooKeeper, and copied in Kafka, where its tools see them', async () => {
    const { topic, group } = await fresh(2)
    await cluster.tool.produce(topic, { count: 60 })
    const one = await join({ topic, group })
    await one.waitForRecords(60)
    members.length = 0
    await one.close()
    const nodes = await cluster.tool.znodes(`/consumers/${group}/offsets/${topic}`)
    const committed = [0, 1].map(partition => Number(nodes[`/consumers/${group}/offsets/${topic}/${partition}`]!.data))
    assert.equal(committed[0]! + committed[1]!, 60)
    assert.deepEqual((await cluster.tool.groupOffsets(group))[topic], { 0: committed[0], 1: committed[1] })
    assert.deepEqual(await owners(group), [])
    assert.equal(Object.keys(await cluster.tool.znodes(`/consumers/${group}/ids`)).length, 1, 'only the parent is left')
    // Where ZooKeeper has none, Kafka's copy tells where to go on.
    const session = openZooKeeper(`zookeeper://${cluster.zookeeper}`)
    for (const partition of [0, 1]) await session.remove(`/consumers/${group}/offsets/${topic}/${partition}`)
    await session.close()
    const two = await join({ topic, group })
    await two.waitForOwned(2)
    await cluster.tool.produce(topic, { count: 10 })
    await two.waitForRecords(10)
    exactlyOnce([one, two], 70)
  })

  test('nothing is committed, by a rebalance or at the end, when automatic commits are off', async () => {
    const { topic, group } = await fresh(2)
    await cluster.tool.produce(topic, { count: 10 })
    const one = await join({ topic, group, autoCommitIntervalMs: false })
    await one.waitForRecords(10)
    const two = await join({ topic, group, autoCommitIntervalMs: false })
    await Promise.all([one.waitForOwned(1), two.waitForOwned(1)])
    members.length = 0
    await Promise.all([one.close(), two.close()])
    const nodes = await cluster.tool.znodes(`/consumers/${group}/offsets`)
    assert.deepEqual(
      Object.keys(nodes).filter(path => /\/\d+$/.test(path)),
      []
    )
  })

  test('a topic that is deleted and made again is read from its beginning, not where the old one was', async () => {
    const { topic, group } = await fresh(1)
    await cluster.tool.produce(topic, { count: 30 })
    const one = await join({ topic, group })
    await one.waitForRecords(30)
    await until('it is committed', async () => (await cluster.tool.groupOffsets(group))[topic]?.[0] === 30)
    members.length = 0
    await one.close()
    await cluster.tool.deleteTopics(topic)
    await until('it is gone', async () => Object.keys(await cluster.tool.znodes(`/brokers/topics/${topic}`)).length === 0, 60_000)
    await cluster.createTopic(topic, { partitions: 1 })
    await cluster.tool.produce(topic, { count: 50 })
    const two = await join({ topic, group })
    await two.waitForRecords(50)
    assert.equal(two.records[0]!.offset, 0)
  })

  test('also under a member that is running: nothing of the old topic is committed into the new one', async () => {
    const { topic, group } = await fresh(1)
    await cluster.tool.produce(topic, { count: 30 })
    const one = await join({ topic, group })
    await one.waitForRecords(30)
    await cluster.tool.deleteTopics(topic)
    await until('it is gone', async () => Object.keys(await cluster.tool.znodes(`/brokers/topics/${topic}`)).length === 0, 60_000)
    await cluster.createTopic(topic, { partitions: 1 })
    await cluster.tool.produce(topic, { count: 50 })
    await one.waitForRecords(80)
    assert.deepEqual(
      one.records.slice(30).map(({ offset }) => offset),
      Array.from({ length: 50 }, (_, i) => i)
    )
    const path = `/consumers/${group}/offsets/${topic}/0`
    await until('it is committed', async () => String((await cluster.tool.znodes(path))[path]?.data) === '50')
  })

  test('while ZooKeeper cannot be reached, delivery ends before anybody else could own, and goes on with the same session', async () => {
    const { topic, group } = await fresh(2)
    const [address, chroot] = [cluster.zookeeper.split('/')[0]!, cluster.zookeeper.slice(cluster.zookeeper.indexOf('/'))]
    const proxy = await ZooKeeperProxy.start(Number(address.split(':')[1]))
    const one = await join({ topic, group }, { zookeeper: `127.0.0.1:${proxy.port}${chroot}`, sessionTimeoutMs: 6_000 })
    await one.waitForOwned(2)
    await cluster.tool.produce(topic, { count: 20 })
    await one.waitForRecords(20)
    const path = instanceOfClient(one.client)
    const stateOf = () => JSON.stringify(path.directory.get(one.handle.id)!.getSnapshot().value)
    const cutAt = performance.now()
    proxy.refuse(true)
    proxy.cut()
    await until('suspended', () => stateOf().includes('suspended'))
    await assert.rejects(async () => {
      await cluster.tool.produce(topic, { count: 10 })
      await one.waitForRecords(30)
      await one.handle.commit()
    }, /not certain/)
    await until('stalled', () => stateOf().includes('stalled'))
    const stalledMs = performance.now() - cutAt
    assert.ok(stalledMs < 4_500, `${stalledMs} ms`)
    proxy.refuse(false)
    await until('goes on', () => stateOf().includes('running'))
    await cluster.tool.produce(topic, { count: 10 })
    await one.waitForRecords(40)
    exactlyOnce([one], 40)
    assert.equal(one.told('partition.lost').length, 0)
    members.splice(members.indexOf(one), 1)
    await one.close()
    await proxy.close()
  })

  test('a storm of members settles, and every partition has one owner', async () => {
    const { topic, group } = await fresh(12)
    const storm = await Promise.all(Array.from({ length: 10 }, () => join({ topic, group }, { recorderMaxBytes: 0 })))
    const whole = () => storm.flatMap(({ owned }) => owned)
    await until('all are owned, evenly', () => whole().length === 12 && storm.every(({ owned }) => owned.length <= 2))
    assert.equal(new Set(whole()).size, 12)
    members.length = 0
    await Promise.all(storm.slice(2).map(member => member.close()))
    await until('two share the rest', () => storm.slice(0, 2).every(({ owned }) => owned.length === 6))
    await Promise.all(storm.slice(0, 2).map(member => member.close()))
    assert.deepEqual(await owners(group), [])
  })

  test('a process that was frozen past its session commits nothing when it thaws, and joins anew', async () => {
    const { topic, group } = await fresh(2)
    const frozen = MemberProcess.start(cluster.zookeeper, { topic, group }, { sessionTimeoutMs: 2_000 })
    try {
      await frozen.waitForOwned(2)
      await cluster.tool.produce(topic, { count: 50 })
      await frozen.waitForRecords(50)
      await until(
        'it is committed',
        async () => Object.values((await cluster.tool.groupOffsets(group))[topic] ?? {}).reduce((a, b) => a + b, 0) === 50
      )
      frozen.freeze()
      const heir = await join({ topic, group })
      await heir.waitForOwned(2)
      await cluster.tool.produce(topic, { count: 50 })
      await heir.waitForRecords(50)
      frozen.thaw()
      await frozen.waitFor('partition.lost')
      await Promise.all([frozen.waitForOwned(1), heir.waitForOwned(1)])
      await cluster.tool.produce(topic, { count: 50 })
      await until('all was read', () => seenBy([frozen, heir]) === 150)
      exactlyOnce([frozen, heir], 150)
      assert.equal(heir.told('trouble').length, 0, 'nobody wrote over its commits')
    } finally {
      frozen.thaw()
      await frozen.close()
    }
  })

  test('partitions assigned by hand commit under the name of the group, in ZooKeeper and in Kafka', async () => {
    const { topic, group } = await fresh(2)
    await cluster.tool.produce(topic, { partition: 1, count: 20 })
    const one = await join({ partitions: [{ topic, partition: 1 }], group })
    await one.waitForRecords(20)
    members.length = 0
    await one.close()
    const path = `/consumers/${group}/offsets/${topic}/1`
    assert.equal(String((await cluster.tool.znodes(path))[path]?.data), '20')
    assert.deepEqual((await cluster.tool.groupOffsets(group))[topic], { 1: 20 })
    assert.deepEqual(await owners(group), [])
    // A member of the group goes on there.
    const two = await join({ topic, group })
    await two.waitForOwned(2)
    await cluster.tool.produce(topic, { partition: 1, count: 5 })
    await two.waitForRecords(5)
    exactlyOnce([one, two], 25)
  })
})
