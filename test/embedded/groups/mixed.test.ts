/**
 * Groups on their way from the classic protocol to the new one and back, while members are in them (KIP-848's online migration).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SyncResult } from '../../../src/embedded/kafka/groups/classic-types.ts'
import { readAssignment, writeAssignment } from '../../../src/embedded/kafka/groups/subscription.ts'
import { nameOf, partsOf, plain, TestGroups } from './support.ts'

const assigned = ({ assignment }: SyncResult) => readAssignment(assignment)!.assignedPartitions
const all = [{ topic: 't', partitions: [0, 1, 2, 3] }]

/** A classic member that has everything. */
async function classic(options = {}) {
  const groups = new TestGroups(options)
  groups.topics.set('t', 4)
  const joined = await groups.join()
  await groups.advance(0)
  await groups.sync(joined.now, { [joined.now.memberId]: writeAssignment(all, 0).toString('latin1') })
  return { groups, old: joined.now }
}

test('a member of the new protocol takes a classic group over, whose members follow by joining again', async () => {
  const { groups, old } = await classic()
  assert.deepEqual(plain(groups.beat('m1', 0).assignment), {})
  assert.equal(groups.coordinator.group('g')!.type, 'consumer')
  assert.equal(groups.heartbeat(old), 'REBALANCE_IN_PROGRESS')
  const again = (await groups.join({ memberId: old.memberId })).now
  assert.deepEqual([again.errorCode, again.generationId, again.leader, again.protocolName], [0, 2, '', 'range'])
  const mine = (await groups.sync(again)).now
  assert.deepEqual(assigned(mine), [{ topic: 't', partitions: [0, 1] }])
  assert.deepEqual(plain(groups.beat('m1', 2).assignment), { t: [2, 3] })
  assert.equal(groups.heartbeat(again), 'NONE')
  assert.equal(groups.heartbeat(old), 'ILLEGAL_GENERATION')
  assert.equal(groups.state, 'Stable')
})

test('a new classic member joins a group of the new protocol, and hears of it when there is something for it', async () => {
  const groups = new TestGroups()
  groups.topics.set('t', 4)
  groups.beat('m1', 0)
  const told = (await groups.join({ requireKnownMemberId: true })).now
  assert.equal(nameOf(told.errorCode), 'MEMBER_ID_REQUIRED')
  const joined = (await groups.join({ memberId: told.memberId })).now
  assert.deepEqual(assigned((await groups.sync(joined)).now), [])
  assert.equal(groups.heartbeat(joined), 'NONE')
  groups.beat('m1', 1, { owned: partsOf({ t: [0, 1, 2, 3] }) })
  groups.beat('m1', 1, { owned: partsOf({ t: [0, 1] }) })
  assert.equal(groups.heartbeat(joined), 'REBALANCE_IN_PROGRESS')
  const again = (await groups.join({ memberId: told.memberId })).now
  assert.deepEqual(assigned((await groups.sync(again)).now), [{ topic: 't', partitions: [2, 3] }])
  assert.deepEqual(groups.leave({ memberId: told.memberId }, { memberId: 'x' }), ['NONE', 'UNKNOWN_MEMBER_ID'])
})

test('when the last member of the new protocol leaves, the group is a classic one again, and rebalances', async () => {
  const { groups, old } = await classic()
  groups.beat('m1', 0)
  const again = (await groups.join({ memberId: old.memberId })).now
  await groups.sync(again)
  groups.beat('m1', 2)
  groups.beat('m1', -1)
  assert.equal(groups.coordinator.group('g')!.type, 'classic')
  assert.equal(groups.heartbeat({ ...again, generationId: 3 }), 'REBALANCE_IN_PROGRESS')
  const led = (await groups.join({ memberId: old.memberId })).now
  assert.deepEqual([led.leader, led.generationId, led.members.length], [old.memberId, 4, 1])
  groups.leave(led)
  assert.equal(groups.virtual.timers, 0)
})

test('a classic member that does not join again in its rebalance timeout is out', async () => {
  const { groups, old } = await classic()
  groups.beat('m1', 0)
  for (let i = 0; i < 12; i++) {
    groups.heartbeat(old)
    groups.beat('m1', 2)
    await groups.advance(5_000)
  }
  assert.equal(groups.heartbeat(old), 'UNKNOWN_MEMBER_ID')
  assert.deepEqual(plain(groups.beat('m1', 2).assignment), { t: [0, 1, 2, 3] })
})

test('where migration is not allowed, a group with members keeps its protocol', async () => {
  const { groups } = await classic({ migrationPolicy: 'disabled' })
  assert.throws(() => groups.beat('m1', 0), { message: /is not a consumer group/ })
})
