/**
 * Classic groups as Kafka 3.9's coordinator keeps them: joining, syncing, staying, leaving, and each way of being late.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_BYTES } from '../../../src/embedded/kafka/groups/classic-types.ts'
import { GROUP, nameOf, protocolsOf, TestGroups } from './support.ts'

test('a new member of version 4 is told its id first, and joins with it', async () => {
  const groups = new TestGroups()
  const told = (await groups.join({ requireKnownMemberId: true })).now
  assert.equal(nameOf(told.errorCode), 'MEMBER_ID_REQUIRED')
  assert.match(told.memberId, /^c-[0-9a-f-]{36}$/)
  const joined = await groups.join({ memberId: told.memberId })
  await groups.advance(0)
  assert.deepEqual(
    [joined.now.errorCode, joined.now.generationId, joined.now.leader, joined.now.members.map(({ memberId }) => memberId)],
    [0, 1, told.memberId, [told.memberId]]
  )
  assert.equal(groups.state, 'CompletingRebalance')
})

test('a member that does not come again with its id holds a rebalance up until its session is over', async () => {
  const groups = new TestGroups()
  const [first] = await groups.stable(1)
  const told = (await groups.join({ requireKnownMemberId: true, sessionTimeoutMs: 7_000 })).now
  const again = await groups.join({ memberId: first!.memberId })
  await groups.advance(6_900)
  assert.equal(again.value, undefined)
  await groups.advance(200)
  assert.equal(again.now.generationId, 2)
  assert.equal(nameOf((await groups.join({ memberId: told.memberId })).now.errorCode), 'UNKNOWN_MEMBER_ID')
})

test('the first rebalance waits for more members, and again after each that came, up to the rebalance timeout', async () => {
  const groups = new TestGroups({ initialRebalanceDelayMs: 3_000 })
  const first = await groups.join({ rebalanceTimeoutMs: 7_000 })
  await groups.advance(2_000)
  const second = await groups.join({ rebalanceTimeoutMs: 7_000 })
  await groups.advance(2_000)
  assert.equal(first.value, undefined, 'the second one makes it wait again')
  await groups.join({ rebalanceTimeoutMs: 7_000 })
  await groups.advance(2_999)
  assert.equal(first.value, undefined)
  await groups.advance(1)
  assert.deepEqual([first.now.generationId, second.now.generationId, first.now.members.length], [1, 1, 3])
})

test('members get what their leader assigns, and those that it leaves out get nothing', async () => {
  const groups = new TestGroups()
  const joins = [await groups.join(), await groups.join()]
  await groups.advance(0)
  const [leader, follower] = joins.map(each => each.now)
  assert.deepEqual(follower!.members, [])
  const waits = await groups.sync(follower!)
  assert.equal(waits.value, undefined)
  const led = await groups.sync(leader!, { [leader!.memberId]: 'all' })
  assert.deepEqual([String(led.now.assignment), waits.now.assignment], ['all', NO_BYTES])
  assert.equal(groups.state, 'Stable')
  assert.equal(String((await groups.sync(leader!)).now.assignment), 'all', 'asked again')
})

test('a further member makes the others join again, and they hear of it by their heartbeats', async () => {
  const groups = new TestGroups()
  const [first] = await groups.stable(1)
  assert.equal(groups.heartbeat(first!), 'NONE')
  const second = await groups.join()
  assert.equal(groups.heartbeat(first!), 'REBALANCE_IN_PROGRESS')
  assert.equal(nameOf((await groups.sync(first!)).now.errorCode), 'REBALANCE_IN_PROGRESS')
  const again = await groups.join({ memberId: first!.memberId })
  assert.deepEqual([again.now.generationId, second.now.generationId], [2, 2])
  assert.equal(groups.heartbeat(first!), 'ILLEGAL_GENERATION')
})

test('who does not join again in time is out, and another one leads', async () => {
  const groups = new TestGroups()
  const [first, second] = await groups.stable(2, [{ rebalanceTimeoutMs: 5_000 }, { rebalanceTimeoutMs: 5_000 }])
  const again = await groups.join({ memberId: second!.memberId, rebalanceTimeoutMs: 5_000, protocols: protocolsOf('range', 'other') })
  await groups.advance(4_999)
  assert.equal(again.value, undefined)
  await groups.advance(1)
  assert.deepEqual([again.now.leader, again.now.members.length], [second!.memberId, 2 - 1])
  assert.equal(groups.heartbeat(first!), 'UNKNOWN_MEMBER_ID')
})

test('who does not sync in time is out, and the others rebalance', async () => {
  const groups = new TestGroups()
  const short = { rebalanceTimeoutMs: 8_000, sessionTimeoutMs: 100_000 }
  const joins = [await groups.join(short), await groups.join(short)]
  await groups.advance(0)
  const [leader, follower] = joins.map(each => each.now)
  const waits = await groups.sync(follower!)
  await groups.advance(8_000)
  assert.equal(nameOf(waits.now.errorCode), 'REBALANCE_IN_PROGRESS')
  assert.equal(groups.state, 'PreparingRebalance')
  assert.equal(groups.heartbeat(leader!), 'UNKNOWN_MEMBER_ID')
})

test('a session that ends takes the member out; waiting for an answer counts as being there', async () => {
  const groups = new TestGroups()
  const [first, second] = await groups.stable(2)
  await groups.advance(9_000)
  assert.equal(groups.heartbeat(first!), 'NONE')
  await groups.advance(2_000)
  assert.equal(groups.heartbeat(second!), 'UNKNOWN_MEMBER_ID')
  assert.equal(groups.heartbeat(first!), 'REBALANCE_IN_PROGRESS')
  await groups.advance(10_000)
  assert.equal(groups.state, 'Empty')
  const held = await groups.stable(2)
  const waiting = await groups.join({ memberId: held[0]!.memberId })
  await groups.advance(9_000)
  assert.equal(groups.heartbeat(held[1]!), 'REBALANCE_IN_PROGRESS')
  await groups.advance(9_500)
  assert.equal(waiting.value, undefined, 'longer than its session, but it waits for us')
  assert.equal(groups.coordinator.group(GROUP)!.members.size, 2)
})

test('the protocol that all support and most prefer is taken; who supports none of them stays out', async () => {
  const groups = new TestGroups()
  const joins = [
    await groups.join({ protocols: protocolsOf('a', 'b') }),
    await groups.join({ protocols: protocolsOf('c', 'b', 'a') }),
    await groups.join({ protocols: protocolsOf('b', 'a') })
  ]
  await groups.advance(0)
  assert.deepEqual(
    joins.map(each => each.now.protocolName),
    ['b', 'b', 'b']
  )
  assert.equal(nameOf((await groups.join({ protocols: protocolsOf('c') })).now.errorCode), 'INCONSISTENT_GROUP_PROTOCOL')
  assert.equal(nameOf((await groups.join({ protocolType: 'connect' })).now.errorCode), 'INCONSISTENT_GROUP_PROTOCOL')
  const wrong = await groups.sync({ ...joins[0]!.now, protocolName: 'a' })
  assert.equal(nameOf(wrong.now.errorCode), 'INCONSISTENT_GROUP_PROTOCOL')
})

test('requests of strangers, of other generations and to other brokers are refused', async () => {
  const groups = new TestGroups()
  assert.equal(groups.heartbeat({ memberId: 'x', generationId: 1 }), 'UNKNOWN_MEMBER_ID')
  const error = async (given: object) => nameOf((await groups.join(given)).now.errorCode)
  assert.equal(await error({ memberId: 'x' }), 'UNKNOWN_MEMBER_ID')
  assert.equal(await error({ sessionTimeoutMs: 5_999 }), 'INVALID_SESSION_TIMEOUT')
  assert.equal(await error({ groupId: '' }), 'INVALID_GROUP_ID')
  assert.equal(await error({ broker: 2 }), 'NOT_COORDINATOR')
  const [member] = await groups.stable(1)
  assert.equal(groups.heartbeat({ ...member!, generationId: 0 }), 'ILLEGAL_GENERATION')
  assert.equal(nameOf((await groups.sync({ ...member!, generationId: 5 })).now.errorCode), 'ILLEGAL_GENERATION')
  assert.deepEqual(groups.leave({ memberId: 'x' }, { instanceId: 'y' }, {}), Array(3).fill('UNKNOWN_MEMBER_ID'))
})

test('a static member that comes back under a new id gets its place again without a rebalance; its old self is fenced', async () => {
  const groups = new TestGroups()
  const [leader, other] = await groups.stable(2, [{ instanceId: 'one' }, { instanceId: 'two' }])
  const back = (await groups.join({ instanceId: 'one', supportSkippingAssignment: true })).now
  assert.deepEqual([back.errorCode, back.generationId, back.skipAssignment, back.leader], [0, 1, true, back.memberId])
  assert.equal(back.members.length, 2)
  assert.notEqual(back.memberId, leader!.memberId)
  assert.equal(String((await groups.sync(back, {}, { instanceId: 'one' })).now.assignment), 'part 0')
  assert.equal(groups.heartbeat(leader!, { instanceId: 'one' }), 'FENCED_INSTANCE_ID')
  assert.equal(groups.heartbeat(leader!), 'UNKNOWN_MEMBER_ID')
  assert.equal(groups.heartbeat(other!, { instanceId: 'two' }), 'NONE')
  const old = (await groups.join({ instanceId: 'one' })).now
  assert.deepEqual([old.leader, old.members], [back.memberId, []], 'before version 9: another is named as leader, so that nobody assigns')
  assert.deepEqual(groups.leave({ instanceId: 'two' }), ['NONE'])
  assert.equal(groups.state, 'PreparingRebalance')
})

test('a static member that is missing is waited for until its session ends, not thrown out by a rebalance', async () => {
  const groups = new TestGroups()
  const long = { sessionTimeoutMs: 100_000, rebalanceTimeoutMs: 5_000 }
  const [, other] = await groups.stable(2, [long, { ...long, instanceId: 'two' }])
  const first = await groups.join({ ...long })
  await groups.advance(5_000)
  const members = first.now.members.map(({ memberId }) => memberId)
  assert.deepEqual(members, [other!.memberId, first.now.memberId], 'the dynamic one that did not come is out')
})

test('a group that is full takes nobody more', async () => {
  const groups = new TestGroups({ maxSize: 2 })
  await groups.stable(2)
  assert.equal(nameOf((await groups.join()).now.errorCode), 'GROUP_MAX_SIZE_REACHED')
})

test('when the coordinator moves, those who wait are told so, and the new one knows the last settled generation', async () => {
  const groups = new TestGroups({ loadMs: 500 })
  groups.coordinator.follow({ partition: 7, leader: 1, leaderEpoch: 1 })
  await groups.advance(500)
  const members = await groups.stable(2)
  const waiting = await groups.join({ memberId: members[0]!.memberId })
  groups.move(2)
  await groups.advance(0)
  assert.equal(nameOf(waiting.now.errorCode), 'NOT_COORDINATOR')
  assert.equal(groups.heartbeat(members[1]!), 'NOT_COORDINATOR')
  assert.equal(groups.heartbeat(members[1]!, { broker: 2 }), 'NONE', 'while it loads, heartbeats are taken')
  assert.equal(nameOf((await groups.join({ broker: 2 })).now.errorCode), 'COORDINATOR_LOAD_IN_PROGRESS')
  assert.equal(nameOf((await groups.sync(members[0]!, {}, { broker: 2 })).now.errorCode), 'REBALANCE_IN_PROGRESS')
  await groups.advance(500)
  assert.equal(groups.state, 'Stable')
  assert.equal(groups.heartbeat(members[1]!, { broker: 2 }), 'NONE')
  assert.equal(String((await groups.sync(members[0]!, {}, { broker: 2 })).now.assignment), 'part 0')
  await groups.advance(10_001)
  assert.equal(groups.state, 'Empty', 'sessions run at the new one')
})

test('a group that was never settled is gone with its coordinator', async () => {
  const groups = new TestGroups({ initialRebalanceDelayMs: 3_000 })
  const waiting = await groups.join()
  groups.move(2)
  await groups.advance(0)
  assert.equal(nameOf(waiting.now.errorCode), 'NOT_COORDINATOR')
  assert.equal(groups.state, 'none')
  assert.equal(groups.virtual.timers, 0)
})

test('a group without members can be deleted, one with members cannot', async () => {
  const groups = new TestGroups()
  const [member] = await groups.stable(1)
  const error = () => nameOf(groups.coordinator.delete(1, GROUP))
  assert.equal(error(), 'NON_EMPTY_GROUP')
  groups.leave(member!)
  assert.equal(error(), 'NONE')
  assert.equal(error(), 'GROUP_ID_NOT_FOUND')
  assert.equal(groups.virtual.timers, 0)
})

test('on command a group rebalances, loses a member, and is read anew', async () => {
  const groups = new TestGroups()
  const [first, second] = await groups.stable(2)
  assert.equal(groups.coordinator.expel(GROUP, second!.memberId), true)
  assert.equal(groups.heartbeat(second!), 'UNKNOWN_MEMBER_ID')
  const again = await groups.join({ memberId: first!.memberId })
  assert.equal(again.now.generationId, 2)
  await groups.sync(again.now)
  assert.equal(groups.coordinator.rebalance(GROUP), true)
  assert.equal(groups.heartbeat(again.now), 'REBALANCE_IN_PROGRESS')
  groups.coordinator.reload(GROUP, 1_000)
  assert.equal(nameOf((await groups.join()).now.errorCode), 'COORDINATOR_LOAD_IN_PROGRESS')
  await groups.advance(1_000)
  assert.equal(groups.heartbeat(again.now), 'NONE', 'what was settled is what there is')
  assert.equal(groups.coordinator.rebalance('nobody') || groups.coordinator.expel(GROUP, 'x'), false)
})
