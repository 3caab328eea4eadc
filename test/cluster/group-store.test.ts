/**
 * What a member does in ZooKeeper, against a real one: its node, claims all or nothing, fenced commits, and everything that can be left behind.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { SamsaError } from '../../src/model/errors.ts'
import { GroupSession } from '../../src/registry/group/group-session.ts'
import type { GroupSubscription } from '../../src/registry/group/znodes.ts'
import { isZooKeeperError } from '../../src/registry/zookeeper/errors.ts'
import type { ZooKeeperSession } from '../../src/registry/zookeeper/session.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { Gathered } from '../support/gathered.ts'
import { uniqueName } from '../support/use-cluster.ts'
import { ZooKeeperOnly } from '../support/zookeeper-only.ts'

type Told =
  | { type: 'group' }
  | { type: 'owner'; topic: string; partition: number; mine: boolean }
  | { type: 'foreign'; topic: string; partition: number }
  | { type: 'moved'; sign: 'moving' | 'moved' }
const subscription: GroupSubscription = { kind: 'static', topics: { t: 1 } }
const t = (...partitions: number[]) => partitions.map(partition => ({ topic: 't', partition }))
const codeOf = (error: unknown) => (error instanceof SamsaError ? error.code : String(error))

describe('a group member in ZooKeeper', () => {
  let zookeeper: ZooKeeperOnly
  /** Plays whoever else writes there. */
  let other: ZooKeeperSession

  before(async () => {
    zookeeper = await ZooKeeperOnly.start()
    other = (await zookeeper.open()).session
    await other.makePath('/brokers/topics/t')
  })
  after(() => zookeeper.stop())

  function memberIn(session: ZooKeeperSession, group: string, memberId = uniqueName(`${group}_h`), movable = false) {
    const told = new Gathered<Told>()
    const events = {
      onGroup: () => told.add({ type: 'group' }),
      onOwner: (topic: string, partition: number, mine: boolean) => told.add({ type: 'owner', topic, partition, mine }),
      onForeignCommit: (topic: string, partition: number) => told.add({ type: 'foreign', topic, partition }),
      onMoved: (sign: 'moving' | 'moved') => told.add({ type: 'moved', sign })
    }
    return { member: new GroupSession({ world: nodeWorld(), session, group, memberId, subscription, movable, events }), told, memberId }
  }
  async function joined(group: string, options: Parameters<ZooKeeperOnly['open']>[0] = {}) {
    const { session } = await zookeeper.open(options)
    const made = memberIn(session, group)
    await made.member.register()
    return { session, ...made }
  }
  const text = async (path: string) => {
    try {
      return (await other.getData(path)).data.toString()
    } catch (error) {
      if (isZooKeeperError(error, 'ZK_NO_NODE')) return undefined
      throw error
    }
  }
  async function claim(member: GroupSession, epoch: number, ...partitions: number[]) {
    const result = await member.claim(epoch, t(...partitions))
    if ('blockedBy' in result) assert.fail(`blocked by ${JSON.stringify(result.blockedBy)}`)
    return result.claimed
  }
  const commit = async (member: GroupSession, epoch: number, partition: number, offset: bigint) => {
    const [result] = await member.commit(epoch, [{ topic: 't', partition, offset }])
    return result!.error ? codeOf(result!.error) : 'written'
  }

  it('registers as a Scala member does, once', async () => {
    const group = uniqueName('g')
    const { member, memberId, session } = await joined(group)
    assert.match(
      (await text(`/consumers/${group}/ids/${memberId}`))!,
      /^\{"version":1,"subscription":\{"t":1\},"pattern":"static","timestamp":"\d{13}"\}$/
    )
    assert.equal((await other.exists(`/consumers/${group}/ids/${memberId}`))!.ephemeralOwner, session.sessionId)
    await member.register()
    assert.deepEqual((await other.getChildren(`/consumers/${group}`)).children.sort(), ['ids', 'offsets', 'owners'])
    assert.ok((await member.members()).registered)
  })

  it('replaces its node from a session that is over', async () => {
    const group = uniqueName('g')
    const old = await joined(group)
    const anew = memberIn((await zookeeper.open()).session, group, old.memberId)
    assert.ok(!(await anew.member.members()).registered)
    await anew.member.register()
    assert.ok((await anew.member.members()).registered)
    await claim(old.member, 1, 0)
    await claim(anew.member, 2, 0)
    assert.equal(
      (await other.exists(`/consumers/${group}/owners/t/0`))!.ephemeralOwner,
      anew.member.session.sessionId,
      'not the one that goes with the old session'
    )
  })

  it('tells when members come and go, and leaves out nodes that cannot be used', async () => {
    const group = uniqueName('g')
    const { member, told } = await joined(group)
    await member.members()
    await other.create(`/consumers/${group}/ids/pykafka`, Buffer.from('t'), 'ephemeral')
    await told.first(({ type }) => type === 'group')
    const { members, quarantined } = await member.members()
    assert.equal(members.length, 1)
    assert.match(quarantined[0]!.problem, /pykafka.*is not JSON/)
    await Promise.all([member.members(), member.members()])
    const before = told.all.length
    await other.remove(`/consumers/${group}/ids/pykafka`)
    await told.count(before + 1)
    assert.equal(told.all.length, before + 1, 'the watch is armed once')
  })

  it('claims owner nodes with its thread id, and gives the committed offsets', async () => {
    const group = uniqueName('g')
    const { member, memberId, session } = await joined(group)
    await other.makePath(`/consumers/${group}/offsets/t`)
    await other.create(`/consumers/${group}/offsets/t/1`, Buffer.from('42'), 'persistent')
    const claimed = await claim(member, 1, 0, 1)
    assert.deepEqual(
      claimed.map(({ partition, offset }) => [partition, offset]),
      [
        [0, null],
        [1, 42n]
      ]
    )
    for (const partition of [0, 1]) {
      assert.equal(await text(`/consumers/${group}/owners/t/${partition}`), `${memberId}-0`)
      assert.equal((await other.exists(`/consumers/${group}/owners/t/${partition}`))!.ephemeralOwner, session.sessionId)
    }
    assert.equal(await text(`/consumers/${group}/offsets/t/0`), undefined, 'an empty node would fail Scala members')
    const { data, stat } = await other.getData(`/consumers/${group}/offsets/t/1`)
    assert.deepEqual([data.toString(), stat.version], ['42', 1], 'written anew, so that a stale version fails')
  })

  it('claims all or nothing, says who is in the way, and tells when that one is gone', async () => {
    const group = uniqueName('g')
    const { member, told } = await joined(group)
    await other.makePath(`/consumers/${group}/owners/t`)
    await other.create(`/consumers/${group}/owners/t/1`, Buffer.from('scala-0'), 'ephemeral')
    assert.deepEqual(await member.claim(1, t(0, 1, 2)), { blockedBy: [{ topic: 't', partition: 1, owner: 'scala-0' }] })
    assert.deepEqual((await other.getChildren(`/consumers/${group}/owners/t`)).children, ['1'])
    assert.deepEqual(member.held, [])
    await other.remove(`/consumers/${group}/owners/t/1`)
    assert.deepEqual(await told.first(({ type }) => type === 'owner'), { type: 'owner', topic: 't', partition: 1, mine: false })
    await claim(member, 1, 0, 1, 2)
  })

  it('undoes earlier parts of a claim that is too big for one transaction', async () => {
    const group = uniqueName('g')
    const { member } = await joined(group)
    const many = Array.from({ length: 450 }, (_, i) => i)
    await other.makePath(`/consumers/${group}/owners/t`)
    await other.create(`/consumers/${group}/owners/t/449`, Buffer.from('scala-0'), 'ephemeral')
    assert.ok('blockedBy' in (await member.claim(1, t(...many))))
    assert.deepEqual((await other.getChildren(`/consumers/${group}/owners/t`)).children, ['449'])
    await other.remove(`/consumers/${group}/owners/t/449`)
    assert.equal((await claim(member, 1, ...many)).length, 450)
  })

  it('two members that want the same: one gets it', async () => {
    const group = uniqueName('g')
    const members = await Promise.all([joined(group), joined(group), joined(group)])
    for (let round = 0; round < 5; round++) {
      const results = await Promise.all(members.map(({ member }) => member.claim(round, t(0, 1, 2))))
      assert.equal(results.filter(result => 'claimed' in result).length, 1)
      await Promise.all(members.map(({ member }) => member.drop()))
      assert.deepEqual((await other.getChildren(`/consumers/${group}/owners/t`)).children, [])
    }
  })

  describe('commits', () => {
    it('are written for what is owned, in the epoch in which it is owned', async () => {
      const group = uniqueName('g')
      const { member } = await joined(group)
      await claim(member, 3, 0)
      assert.equal(await commit(member, 3, 0, 10n), 'written')
      assert.equal(await commit(member, 4, 0, 11n), 'written', 'kept through a later assignment')
      assert.equal(await text(`/consumers/${group}/offsets/t/0`), '11')
      assert.equal(await commit(member, 2, 0, 12n), 'STALE_EPOCH')
      assert.equal(await commit(member, 3, 1, 12n), 'NOT_OWNER')
      assert.equal(await commit(member, 3, 0, -1n), 'INVALID_OFFSET')
      assert.equal(await text(`/consumers/${group}/offsets/t/0`), '11')
      assert.equal(await member.committed('t', 0), 11n)
    })

    it('are refused from the moment in which the partition is let go of', async () => {
      const group = uniqueName('g')
      const { member } = await joined(group)
      await claim(member, 1, 0)
      const releasing = member.release(t(0))
      await releasing
      assert.equal(await commit(member, 1, 0, 5n), 'NOT_OWNER')
      assert.equal(await text(`/consumers/${group}/offsets/t/0`), undefined)
    })

    it('of a stale owner fail by the version that the next claim has made', async () => {
      const group = uniqueName('g')
      const [stale, next] = await Promise.all([joined(group), joined(group)])
      await claim(stale.member, 1, 0)
      assert.equal(await commit(stale.member, 1, 0, 5n), 'written')
      // An owner node that is removed behind its owner's back, and made again by another: its version is 0 again.
      await other.remove(`/consumers/${group}/owners/t/0`)
      await claim(next.member, 1, 0)
      assert.equal(await commit(next.member, 1, 0, 9n), 'written')
      assert.equal(await commit(stale.member, 1, 0, 6n), 'NOT_OWNER')
      assert.equal(await text(`/consumers/${group}/offsets/t/0`), '9')
      assert.deepEqual(await stale.told.first(({ type }) => type === 'owner'), { type: 'owner', topic: 't', partition: 0, mine: true })
    })

    it('also when that session never had an offset node to name', async () => {
      const group = uniqueName('g')
      const [stale, next] = await Promise.all([joined(group), joined(group)])
      await claim(stale.member, 1, 0)
      await other.remove(`/consumers/${group}/owners/t/0`)
      await claim(next.member, 1, 0)
      assert.equal(await commit(next.member, 1, 0, 9n), 'written')
      assert.equal(await commit(stale.member, 1, 0, 6n), 'NOT_OWNER')
      assert.equal(await text(`/consumers/${group}/offsets/t/0`), '9')
    })

    it('of somebody who owns nothing are noticed, told and overwritten', async () => {
      const group = uniqueName('g')
      const { member, told } = await joined(group)
      await claim(member, 1, 0)
      assert.equal(await commit(member, 1, 0, 5n), 'written')
      await other.setData(`/consumers/${group}/offsets/t/0`, Buffer.from('3'))
      assert.equal(await commit(member, 1, 0, 6n), 'written')
      assert.equal(await text(`/consumers/${group}/offsets/t/0`), '6')
      assert.deepEqual(told.all.filter(({ type }) => type === 'foreign').length, 1)
      await other.remove(`/consumers/${group}/offsets/t/0`)
      assert.equal(await commit(member, 1, 0, 7n), 'written')
      assert.equal(await text(`/consumers/${group}/offsets/t/0`), '7')
    })

    it('of a topic that was made again are refused, and its old offsets are dropped', async () => {
      const group = uniqueName('g')
      const topic = uniqueName('topic')
      await other.makePath(`/brokers/topics/${topic}`)
      const { member } = await joined(group)
      const entry = { topic, partition: 0 }
      await member.claim(1, [entry])
      await member.commit(1, [{ ...entry, offset: 50n }])
      await other.remove(`/brokers/topics/${topic}`)
      await other.makePath(`/brokers/topics/${topic}`)
      member.condemn(topic)
      const [result] = await member.commit(1, [{ ...entry, offset: 51n }])
      assert.equal(codeOf(result!.error), 'TOPIC_RECREATED')
      await member.release([entry], [topic])
      assert.equal(await text(`/consumers/${group}/offsets/${topic}/0`), undefined)
      // Nobody was there when it was made again: the offset is older than its topic.
      await other.create(`/consumers/${group}/offsets/${topic}/0`, Buffer.from('50'), 'persistent')
      await other.remove(`/brokers/topics/${topic}`)
      await other.makePath(`/brokers/topics/${topic}`)
      const result2 = await member.claim(2, [entry])
      assert.ok('claimed' in result2 && result2.claimed[0]!.offset === null)
      assert.equal(await text(`/consumers/${group}/offsets/${topic}/0`), undefined)
    })

    it('that cannot be read, as -1 or nothing, are none', async () => {
      const group = uniqueName('g')
      const { member } = await joined(group)
      await other.makePath(`/consumers/${group}/offsets/t`)
      await other.create(`/consumers/${group}/offsets/t/0`, Buffer.from('-1'), 'persistent')
      await other.create(`/consumers/${group}/offsets/t/1`, null, 'persistent')
      assert.deepEqual(
        (await claim(member, 1, 0, 1)).map(({ offset }) => offset),
        [null, null]
      )
      assert.equal(await commit(member, 1, 1, 3n), 'written')
    })
  })

  describe('a broken link', () => {
    it('stops commits at once; the same session again finds its owners, and goes on', async () => {
      const group = uniqueName('g')
      const { session, events, proxy } = await zookeeper.openThroughProxy({ sessionTimeoutMs: 4_000 })
      const { member } = memberIn(session, group)
      await member.register()
      await claim(member, 1, 0, 1)
      proxy.refuse(true)
      proxy.cut()
      await events.first(({ type }) => type === 'suspended')
      await assert.rejects(member.commit(1, [{ topic: 't', partition: 0, offset: 5n }]), (error: unknown) => codeOf(error) === 'SUSPENDED')
      await other.remove(`/consumers/${group}/owners/t/1`)
      proxy.refuse(false)
      await events.first(({ type }) => type === 'reconnected')
      assert.deepEqual(await member.verify(t(0, 1)), { registered: true, lost: t(1) })
      assert.equal(await commit(member, 1, 0, 6n), 'written')
    })

    it('in the middle of a claim leaves nothing behind', async () => {
      const group = uniqueName('g')
      const { session, events, proxy } = await zookeeper.openThroughProxy({ sessionTimeoutMs: 4_000, operationTimeoutMs: 1_000 })
      const { member } = memberIn(session, group)
      await member.register()
      await claim(member, 1, 0)
      await member.release(t(0))
      // The transaction reaches the server, its answer never comes back.
      const arrives = new Gathered<true>()
      await other.exists(`/consumers/${group}/owners/t/0`, () => arrives.add(true))
      const claiming = member.claim(2, t(0)).then(
        () => 'claimed',
        () => 'failed'
      )
      await arrives.count(1)
      proxy.cut()
      await events.first(({ type }) => type === 'reconnected')
      const outcome = await claiming
      await member.verify([])
      assert.equal(await text(`/consumers/${group}/owners/t/0`), undefined, outcome)
    })

    it('at the end of the session, owners and member are gone with it, and nothing can be committed', async () => {
      const group = uniqueName('g')
      const { session, events, proxy } = await zookeeper.openThroughProxy()
      const { member, memberId } = memberIn(session, group)
      await member.register()
      await claim(member, 1, 0)
      await proxy.expireSession()
      await events.first(({ type }) => type === 'expired')
      await assert.rejects(member.commit(1, [{ topic: 't', partition: 0, offset: 5n }]))
      assert.equal(await text(`/consumers/${group}/owners/t/0`), undefined)
      assert.equal(await text(`/consumers/${group}/ids/${memberId}`), undefined)
      await member.retire()
    })
  })

  it('leaves nothing behind in a session that lives on, even when it cannot say goodbye at once', async () => {
    const group = uniqueName('g')
    const { session, events, proxy } = await zookeeper.openThroughProxy({ sessionTimeoutMs: 4_000 })
    const { member, memberId, told } = memberIn(session, group)
    await member.register()
    await member.members()
    await claim(member, 1, 0, 1)
    proxy.refuse(true)
    proxy.cut()
    await events.first(({ type }) => type === 'suspended')
    const retiring = member.retire()
    proxy.refuse(false)
    await retiring
    assert.equal(session.state, 'connected')
    assert.equal(await text(`/consumers/${group}/ids/${memberId}`), undefined)
    assert.deepEqual((await other.getChildren(`/consumers/${group}/owners/t`)).children, [])
    assert.deepEqual(told.all, [], 'its own doing is no news')
  })

  it('removes no owner node that is not its own', async () => {
    const group = uniqueName('g')
    const { member } = await joined(group)
    await claim(member, 1, 0)
    await other.remove(`/consumers/${group}/owners/t/0`)
    await other.create(`/consumers/${group}/owners/t/0`, Buffer.from('scala-0'), 'ephemeral')
    await member.release(t(0))
    await member.drop()
    assert.equal(await text(`/consumers/${group}/owners/t/0`), 'scala-0')
  })

  it("looks after the owners of all: what is nobody's, and what is not its own any more", async () => {
    const group = uniqueName('g')
    const { member, memberId } = await joined(group)
    await claim(member, 1, 0, 1)
    const shares = [
      { thread: `${memberId}-0`, topic: 't', partitions: [0, 1] },
      { thread: 'scala-0', topic: 't', partitions: [2, 3] }
    ]
    await other.create(`/consumers/${group}/owners/t/2`, Buffer.from('scala-0'), 'ephemeral')
    await other.remove(`/consumers/${group}/owners/t/1`)
    assert.deepEqual(await member.audit(t(0, 1), shares), { lost: t(1), unowned: [{ topic: 't', partition: 3, member: 'scala' }] })
  })

  it('nudges the others without ever being away', async () => {
    const group = uniqueName('g')
    const [one, two] = [await joined(group), await joined(group)]
    await two.member.members()
    const before = (await other.exists(`/consumers/${group}/ids/${one.memberId}`))!
    await one.member.nudge()
    await two.told.first(({ type }) => type === 'group')
    const after = (await other.exists(`/consumers/${group}/ids/${one.memberId}`))!
    assert.ok(after.czxid > before.czxid)
    assert.equal((await two.member.members()).members.length, 2)
    assert.ok((await one.member.members()).registered)
  })
})
