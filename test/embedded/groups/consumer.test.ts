/**
 * Groups of KIP-848: epochs, assignment by the server, and partitions that move only when they were given up.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaFault } from '../../../src/embedded/kafka/errors.ts'
import type { ConsumerGroup } from '../../../src/embedded/kafka/groups/consumer-group.ts'
import { GROUP, nameOf, partsOf, plain, TestGroups } from './support.ts'

const NOTHING = partsOf({})

function withTopic(partitions = 4): TestGroups {
  const groups = new TestGroups()
  groups.topics.set('t', partitions)
  return groups
}

const groupOf = (groups: TestGroups) => groups.coordinator.group(GROUP) as ConsumerGroup

function refuses(run: () => unknown, name: string): void {
  assert.throws(run, (error: unknown) => {
    assert.ok(error instanceof KafkaFault)
    assert.equal(nameOf(error.errorCode), name)
    return true
  })
}

test('the first member gets everything at once', () => {
  const groups = withTopic()
  const joined = groups.beat('m1', 0)
  assert.deepEqual([joined.memberId, joined.memberEpoch, plain(joined.assignment)], ['m1', 1, { t: [0, 1, 2, 3] }])
  const next = groups.beat('m1', 1, { owned: partsOf({ t: [0, 1, 2, 3] }) })
  assert.deepEqual([next.memberEpoch, next.assignment], [1, null])
  assert.equal(groups.state, 'Stable')
})

test('a partition is given to a new member only when its owner has given it up', () => {
  const groups = withTopic()
  const all = partsOf({ t: [0, 1, 2, 3] })
  groups.beat('m1', 0)
  groups.beat('m1', 1, { owned: all })
  const second = groups.beat('m2', 0)
  assert.deepEqual([second.memberEpoch, plain(second.assignment)], [2, {}], 'nothing is free yet')
  const told = groups.beat('m1', 1, { owned: all })
  assert.deepEqual([told.memberEpoch, plain(told.assignment)], [1, { t: [0, 1] }], 'still in its epoch until it has revoked')
  assert.equal(groups.state, 'Reconciling')
  assert.equal(groups.beat('m2', 2).assignment, null)
  const revoked = groups.beat('m1', 1, { owned: partsOf({ t: [0, 1] }) })
  assert.deepEqual([revoked.memberEpoch, revoked.assignment], [2, null])
  const given = groups.beat('m2', 2, { owned: NOTHING })
  assert.deepEqual([given.memberEpoch, plain(given.assignment)], [2, { t: [2, 3] }])
  assert.equal(groups.state, 'Stable')
})

test('a member that leaves frees its partitions at once', () => {
  const groups = withTopic()
  groups.beat('m1', 0)
  groups.beat('m2', 0)
  groups.beat('m1', 1, { owned: partsOf({ t: [0, 1] }) })
  groups.beat('m1', 1, { owned: partsOf({ t: [0, 1] }) })
  assert.equal(groups.beat('m1', -1).memberEpoch, -1)
  const next = groups.beat('m2', 2, { owned: NOTHING })
  assert.deepEqual([next.memberEpoch, plain(next.assignment)], [3, { t: [0, 1, 2, 3] }])
  groups.beat('m2', -1)
  assert.equal(groups.state, 'Empty')
  assert.equal(groups.virtual.timers, 0)
})

test('a member of another epoch is fenced, unless only the last answer was lost', () => {
  const groups = withTopic()
  groups.beat('m1', 0)
  groups.beat('m2', 0)
  groups.beat('m1', 1, { owned: partsOf({ t: [0, 1] }) })
  assert.equal(groups.beat('m1', 1, { owned: partsOf({ t: [0, 1] }) }).memberEpoch, 2, 'the same again')
  refuses(() => groups.beat('m1', 3), 'FENCED_MEMBER_EPOCH')
  refuses(() => groups.beat('m1', 1, { owned: partsOf({ t: [0, 3] }) }), 'FENCED_MEMBER_EPOCH')
  refuses(() => groups.beat('m1', 1), 'FENCED_MEMBER_EPOCH')
  refuses(() => groups.beat('nobody', 1), 'UNKNOWN_MEMBER_ID')
  const again = groups.beat('m1', 0)
  assert.deepEqual([again.memberEpoch, plain(again.assignment)], [2, { t: [0, 1] }], 'it has lost everything, and begins anew')
})

test('who says nothing for the session timeout is out, and so is who does not revoke in its rebalance timeout', async () => {
  const groups = withTopic()
  groups.beat('m1', 0, { rebalanceTimeoutMs: 20_000 })
  groups.beat('m2', 0)
  const all = partsOf({ t: [0, 1, 2, 3] })
  for (let i = 0; i < 4; i++) {
    groups.beat('m1', 1, { owned: all })
    groups.beat('m2', 2)
    await groups.advance(5_000)
  }
  refuses(() => groups.beat('m1', 1, { owned: all }), 'UNKNOWN_MEMBER_ID')
  assert.deepEqual(plain(groups.beat('m2', 2, { owned: NOTHING }).assignment), { t: [0, 1, 2, 3] })
  await groups.advance(45_001)
  assert.equal(groups.state, 'Empty')
})

test('a static member keeps its place while it is away, under its new id too; another with its instance id must wait', async () => {
  const groups = withTopic()
  const one = { instanceId: 'one' }
  const joined = groups.beat('m1', 0, one)
  refuses(() => groups.beat('m9', 0, one), 'UNRELEASED_INSTANCE_ID')
  groups.beat('m2', 0)
  groups.beat('m1', 1, { ...one, owned: partsOf({ t: [0, 1] }) })
  groups.beat('m1', 1, { ...one, owned: partsOf({ t: [0, 1] }) })
  groups.beat('m2', 2, { owned: NOTHING })
  const { epoch } = groupOf(groups)
  assert.equal(groups.beat(joined.memberId, -2, one).memberEpoch, -2)
  assert.equal(groups.beat('m2', 2).assignment, null, 'nobody else is given what it had')
  const back = groups.beat('m3', 0, one)
  assert.deepEqual([back.memberEpoch, plain(back.assignment), groupOf(groups).epoch], [epoch, { t: [0, 1] }, epoch])
  refuses(() => groups.beat('m1', 2, one), 'FENCED_INSTANCE_ID')
  groups.beat('m3', -2, one)
  await groups.advance(45_001)
  assert.equal(groups.state, 'Empty')
})

test('subscriptions by name and by regular expression follow the topics that there are', () => {
  const groups = withTopic(2)
  groups.beat('m1', 0, { topics: null, regex: 't|new.*' })
  groups.topics.set('new-1', 1)
  groups.topics.set('other', 1)
  const told = groups.beat('m1', 1, { owned: partsOf({ t: [0, 1] }) })
  assert.deepEqual([told.memberEpoch, plain(told.assignment)], [2, { 'new-1': [0], t: [0, 1] }])
  groups.topics.set('t', 3)
  assert.deepEqual(plain(groups.beat('m1', 2).assignment), { 'new-1': [0], t: [0, 1, 2] })
  groups.topics.delete('t')
  groups.beat('m1', 3)
  assert.deepEqual(plain(groups.beat('m1', 3, { owned: partsOf({ 'new-1': [0] }) }).assignment), null)
  assert.equal(groups.state, 'Stable')
  refuses(() => groups.beat('m2', 0, { topics: null, regex: '(' }), 'INVALID_REGULAR_EXPRESSION')
})

test('requests that make no sense are refused with their reason', () => {
  const groups = withTopic()
  refuses(() => groups.beat('', 0), 'INVALID_REQUEST')
  refuses(() => groups.beat('m', 0, { topics: null }), 'INVALID_REQUEST')
  refuses(() => groups.beat('m', 0, { owned: partsOf({ t: [1] }) }), 'INVALID_REQUEST')
  refuses(() => groups.beat('m', 0, { rebalanceTimeoutMs: -1 }), 'INVALID_REQUEST')
  refuses(() => groups.beat('m', -2), 'INVALID_REQUEST')
  refuses(() => groups.beat('m', -3), 'INVALID_REQUEST')
  refuses(() => groups.beat('m', 0, { assignor: 'mine' }), 'UNSUPPORTED_ASSIGNOR')
  refuses(() => groups.beat('m', 5), 'GROUP_ID_NOT_FOUND')
  refuses(() => groups.beat('m', 0, { broker: 3 }), 'NOT_COORDINATOR')
  assert.match(groups.beat('', 0, { requireMemberId: false }).memberId, /^[0-9a-f-]{36}$/)
})

test('the range assignor gives consecutive partitions of each topic', () => {
  const groups = withTopic(5)
  groups.topics.set('u', 3)
  for (const member of ['a', 'b']) groups.beat(member, 0, { topics: ['t', 'u'], assignor: 'range' })
  const group = groupOf(groups)
  assert.deepEqual(plain(group.targetOf('a')), { t: [0, 1, 2], u: [0, 1] })
  assert.deepEqual(plain(group.targetOf('b')), { t: [3, 4], u: [2] })
})

test('the uniform assignor is even, and keeps what it can', () => {
  const groups = withTopic(10)
  groups.topics.set('u', 5)
  const target = (id: string) => groupOf(groups).targetOf(id)
  const sizes = (...ids: string[]) => ids.map(id => [...target(id).values()].flat().length)
  for (const member of ['a', 'b', 'c']) groups.beat(member, 0, { topics: ['t', 'u'] })
  assert.deepEqual(sizes('a', 'b', 'c'), [5, 5, 5])
  const before = plain(target('a'))
  groups.beat('d', 0, { topics: ['t', 'u'] })
  assert.deepEqual(sizes('a', 'b', 'c', 'd').sort(), [3, 4, 4, 4])
  for (const [topic, partitions] of Object.entries(plain(target('a'))!))
    for (const each of partitions) assert.ok(before![topic]!.includes(each))
  groups.beat('e', 0, { topics: ['u'] })
  const mixed = sizes('a', 'b', 'c', 'd', 'e')
  assert.equal(
    mixed.reduce((sum, size) => sum + size),
    15
  )
  assert.ok(Math.min(...mixed) >= 2 && Math.max(...mixed) <= 4, `uneven: ${mixed}`)
  assert.deepEqual(Object.keys(plain(target('e'))!), ['u'])
})

test('the group and its members are there at a new coordinator, and their sessions begin anew', async () => {
  const groups = withTopic()
  groups.beat('m1', 0)
  await groups.advance(40_000)
  groups.move(2)
  refuses(() => groups.beat('m1', 1), 'NOT_COORDINATOR')
  await groups.advance(40_000)
  assert.deepEqual(groups.beat('m1', 1, { broker: 2 }).memberEpoch, 1)
})

test('an empty classic group becomes one of the new protocol, and the other way round', async () => {
  const groups = withTopic()
  const [member] = await groups.stable(1)
  groups.leave(member!)
  assert.equal(groups.beat('m1', 0).memberEpoch, 1)
  groups.beat('m1', -1)
  const joined = await groups.join()
  await groups.advance(0)
  assert.equal(joined.now.generationId, 1)
})

test('on command a group is assigned anew, and loses a member', () => {
  const groups = withTopic()
  groups.beat('m1', 0)
  groups.coordinator.rebalance(GROUP)
  assert.equal(groups.beat('m1', 1).memberEpoch, 2)
  assert.equal(groups.coordinator.expel(GROUP, 'm1'), true)
  refuses(() => groups.beat('m1', 2), 'UNKNOWN_MEMBER_ID')
})
