/**
 * Groups of our members while sessions, processes, brokers and topics come to an end and numbered messages are published all the while: every
 * one is delivered, and only what was given and not yet committed may come again.
 */
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import type { Member } from '../support/group-member.ts'
import { assertInOrder, GroupRun, type Reader, uncommitted } from '../support/group-run.ts'
import { until } from '../support/until.ts'
import { useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster()

/** What a member knows to be committed by itself. */
const committedBy = (member: Member) =>
  new Map(
    member
      .told('committed')
      .flatMap(({ offsets }) => offsets.map(({ topic, partition, offset }) => [`${topic}/${partition}`, Number(offset)] as const))
  )
/** What it has been given so far. */
const givenTo = (member: Reader): Reader => ({ records: [...member.records] })
const nextState = (member: Member, state: string, limitMs = 20_000) =>
  member.events.next(event => event.type === 'told' && event.event.type === 'member.state' && event.event.state === state, limitMs)
const assertOnly = (repeated: ReadonlyMap<string, number>, allowed: ReadonlySet<string>) => {
  for (const [place, times] of repeated) assert.ok(times === 1 && allowed.has(place), `${place} came ${times + 1} times`)
}

describe('faults under a group', { timeout: 120_000 }, () => {
  afterEach(async () => {
    if (cluster.touched) await cluster.heal()
  })

  test('a session that expires: others take over what was committed, the member joins anew, nothing is lost', async () => {
    await using run = await GroupRun.start(cluster, [6])
    const { proxy, url } = await run.proxy()
    const one = await run.join({}, { zookeeper: url })
    const two = await run.join()
    await Promise.all([one.waitForOwned(3), two.waitForOwned(3)])
    const stream = run.publish()
    await one.waitForRecords(100)
    await one.waitFor('committed')
    await proxy.expireSession()
    const { partitions } = await one.waitFor('partition.lost')
    const allowed = uncommitted(givenTo(one), committedBy(one))
    assert.equal(partitions.length, 3)
    await Promise.all([one.waitForOwned(3), two.waitForOwned(3)])
    await stream.more(200)
    assertOnly(await run.allDelivered(), allowed)
    const owners = await run.owners()
    assert.deepEqual([...owners.keys()].sort(), [...one.owned, ...two.owned].sort())
    await run.leave(one)
    await run.leave(two)
    assert.equal((await run.owners()).size, 0, 'no owner node is left behind')
  })

  test('a link to ZooKeeper that breaks: no rebalance; delivery goes on, commits stop and go on', async () => {
    await using run = await GroupRun.start(cluster, [4])
    const { proxy, url } = await run.proxy()
    const one = await run.join({ autoCommitIntervalMs: 50 }, { zookeeper: url })
    const two = await run.join()
    await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
    const stream = run.publish()
    await one.waitFor('committed')
    const suspended = nextState(one, 'suspended')
    proxy.refuse(true)
    proxy.cut()
    await suspended
    const commits = one.told('committed').length
    await one.waitForRecords(one.records.length + 50)
    await assert.rejects(one.handle.commit(), /not certain/)
    assert.equal(one.told('committed').length, commits)
    const owning = nextState(one, 'owning')
    proxy.refuse(false)
    await owning
    await one.events.next(event => event.type === 'told' && event.event.type === 'committed')
    await stream.more(100)
    assert.equal((await run.allDelivered()).size, 0, 'nothing comes twice')
    for (const member of [one, two]) assert.deepEqual(member.told('partition.lost'), [])
    assert.deepEqual([one.told('partition.assigned').length, two.told('partition.assigned').length], [1, 1])
  })

  test('ZooKeeper falls silent: delivery ends at 2/3 of the session, before another owns; then the member is lost and joins anew', async () => {
    await using run = await GroupRun.start(cluster, [1])
    const { proxy, url } = await run.proxy()
    const sessionTimeoutMs = 3_000
    const one = await run.join({}, { zookeeper: url, sessionTimeoutMs })
    await one.waitForOwned(1)
    const two = await run.join()
    await two.waitFor('member.surplus')
    const stream = run.publish()
    await one.waitForRecords(50)
    await one.waitFor('committed')
    const stalled = nextState(one, 'stalled')
    const lost = one.waitFor('partition.lost')
    const taken = two.waitForOwned(1)
    const silentAtMs = performance.now()
    proxy.silence(true)
    await stalled
    const stalledAtMs = performance.now()
    const given = givenTo(one)
    assert.ok(given.records.length > 0 && stalledAtMs - silentAtMs < (sessionTimeoutMs * 2) / 3 + 500, `${stalledAtMs - silentAtMs} ms`)
    await taken
    assert.ok(performance.now() > stalledAtMs)
    await lost
    assert.equal(one.records.length, given.records.length, 'nothing was handed out any more')
    const allowed = uncommitted(given, committedBy(one))
    await two.waitForRecords(50)
    proxy.silence(false)
    // It is the older member, so the partition is its own again.
    await one.waitForOwned(1)
    await stream.more(100)
    const repeated = await run.allDelivered()
    assertOnly(repeated, allowed)
    assert.equal(repeated.size, allowed.size, 'what was not committed comes again')
  })

  test('a process is killed: its heir takes over after the session, and goes on exactly where it had committed', async () => {
    await using run = await GroupRun.start(cluster, [4])
    const one = await run.join()
    const two = run.spawn({ autoCommitIntervalMs: 400 }, { sessionTimeoutMs: 2_000 })
    await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
    const stream = run.publish()
    await two.waitFor('committed')
    await two.waitForRecords(two.records.length + 100)
    const { owned } = two
    await two.kill()
    run.forget(two)
    const committed = await run.committed()
    await one.waitForOwned(4, 8_000)
    await stream.more(100)
    const repeated = await run.allDelivered()
    const again = uncommitted(two, new Map(owned.map(key => [key, committed.get(key) ?? 0])))
    assert.deepEqual([...repeated.keys()].sort(), [...again].sort())
    assertOnly(repeated, again)
  })

  test('a process is frozen past its session: thawed, it hands out nothing of what it had fetched, and joins anew', async () => {
    await using run = await GroupRun.start(cluster, [4])
    // Its one message in hand it may finish.
    const frozen = run.spawn({ autoCommitIntervalMs: 400, batchMaxMessages: 1 }, { sessionTimeoutMs: 2_000 })
    await frozen.waitForOwned(4)
    const stream = run.publish()
    await frozen.waitFor('committed')
    await frozen.waitForRecords(frozen.records.length + 50)
    frozen.freeze()
    try {
      const heir = await run.join()
      await heir.waitForOwned(4)
      await heir.waitForRecords(50)
      const given = givenTo(frozen).records.length
      const lost = frozen.waitFor('partition.lost')
      frozen.thaw()
      await lost
      const zombie = frozen.events.all
        .slice(
          0,
          frozen.events.all.findIndex(event => event.type === 'told' && event.event.type === 'partition.lost')
        )
        .filter(({ type }) => type === 'record').length
      assert.ok(zombie - given <= 1, `${zombie - given} records after the thaw`)
      await Promise.all([frozen.waitForOwned(2), heir.waitForOwned(2)])
      await stream.more(50)
      await run.allDelivered()
      assert.deepEqual([heir.told('trouble'), heir.told('commit.failed')], [[], []], 'nobody wrote over its commits')
    } finally {
      frozen.thaw()
    }
  })

  test('a leader is killed: no rebalance, nothing lost, nothing twice, in order', async () => {
    await using run = await GroupRun.start(cluster, [6])
    const members = [await run.join(), await run.join()]
    await Promise.all(members.map(member => member.waitForOwned(3)))
    const moves = () => members.map(member => [member.told('partition.assigned').length, member.told('partition.revoked').length])
    const before = moves()
    const stream = run.publish()
    await stream.more(200)
    const leader = await cluster.waitForLeader(run.topic, 0)
    await cluster.broker(leader).kill()
    await cluster.waitForLeader(run.topic, 0, id => id !== leader)
    await stream.more(500)
    assert.equal((await run.allDelivered()).size, 0, 'nothing comes twice')
    for (const member of members) {
      assertInOrder(member)
      assert.deepEqual([member.told('partition.lost'), member.told('commit.failed')], [[], []])
    }
    assert.deepEqual(moves(), before, 'no rebalance')
  })

  test('a topic is deleted under its consumers: it is let go of and told, the other one goes on', async () => {
    await using run = await GroupRun.start(cluster, [2, 2])
    const members = [await run.join(), await run.join()]
    await Promise.all(members.map(member => member.waitForOwned(2)))
    const [gone, stays] = run.topics as [string, string]
    const stream = run.publish([stays])
    await cluster.tool.produce(gone, { count: 100 })
    await until(
      'the records of the other',
      () => members.reduce((sum, { records }) => sum + records.filter(r => r.topic === gone).length, 0) === 100
    )
    await cluster.tool.deleteTopics(gone)
    for (const member of members) {
      await member.waitForOwned(1)
      assert.deepEqual(
        member.owned.map(key => key.split('/')[0]),
        [stays]
      )
      assert.ok(
        member.told('member.state').some(({ reason }) => reason.includes(`topic ${gone} does not exist`)),
        JSON.stringify(member.told('member.state'))
      )
    }
    await stream.more(200)
    assert.equal((await run.allDelivered()).size, 0, 'nothing comes twice')
  })

  test('a foreign member whose node is a bare topic name is reported and left out', async () => {
    await using run = await GroupRun.start(cluster, [3])
    const [before, later] = ['samsa', 'pykafka'].map(name => `${run.group}_${name}`) as [string, string]
    const nodeOf = (member: string) => `/consumers/${run.group}/ids/${member}`
    await cluster.tool.putZnode(nodeOf(before), run.topic)
    const one = await run.join()
    const first = await one.waitFor('trouble')
    assert.equal(first.error.code, 'MEMBER_QUARANTINED')
    assert.ok(first.error.message.includes(before))
    await one.waitForOwned(3)
    const stream = run.publish()
    await stream.more(50)
    const told = one.events.next(
      event => event.type === 'told' && event.event.type === 'trouble' && event.event.error.message.includes(later)
    )
    await cluster.tool.putZnode(nodeOf(later), run.topic)
    await told
    const two = await run.join()
    await until('they share', () => one.owned.length + two.owned.length === 3 && two.owned.length === 1)
    await stream.more(50)
    assert.equal((await run.allDelivered()).size, 0, 'nothing comes twice')
    await Promise.all([before, later].map(member => cluster.tool.deleteZnode(nodeOf(member))))
  })
})
