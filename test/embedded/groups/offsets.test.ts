/**
 * Committed offsets: who may commit and fetch them, what waits for a transaction, and how they go.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaFault } from '../../../src/embedded/kafka/errors.ts'
import type { Committer } from '../../../src/embedded/kafka/groups/group-offsets.ts'
import { GROUP, nameOf, partsOf, TestGroups } from './support.ts'

const at = (offset: bigint, given: { topic?: string; partition?: number; metadata?: string | null } = {}) => ({
  ...{ topic: 't', partition: 0, offset, leaderEpoch: 3, metadata: '' },
  ...given
})

/** Names of errors; one for all when the whole is refused. */
function commit(groups: TestGroups, who: Partial<Committer>, ...offsets: ReturnType<typeof at>[]): string[] {
  const committer = { groupId: GROUP, memberId: '', instanceId: null, generationId: -1, version: 9, ...who }
  try {
    return groups.coordinator.keeper.commit(committer, offsets).map(nameOf)
  } catch (error) {
    if (error instanceof KafkaFault) return [nameOf(error.errorCode)]
    throw error
  }
}

function fetch(groups: TestGroups, partition = 0, stable = true): bigint | string | undefined {
  const found = groups.coordinator.keeper.fetch(GROUP, 't', partition, stable)
  return found && ('errorCode' in found ? nameOf(found.errorCode) : found.offset)
}

test('a group without members commits what it likes, and is there from then on', () => {
  const groups = new TestGroups()
  assert.equal(fetch(groups), undefined)
  assert.deepEqual(commit(groups, { generationId: 1, memberId: 'm', version: 8 }, at(5n)), ['ILLEGAL_GENERATION'])
  assert.deepEqual(commit(groups, { generationId: 1, memberId: 'm' }, at(5n)), ['GROUP_ID_NOT_FOUND'])
  assert.deepEqual(commit(groups, {}, at(5n), at(6n, { partition: 1, metadata: 'x'.repeat(4_097) })), ['NONE', 'OFFSET_METADATA_TOO_LARGE'])
  assert.deepEqual([fetch(groups), fetch(groups, 1)], [5n, undefined])
  assert.equal(groups.state, 'Empty')
})

test('members of a classic group commit in their generation, and not while it is being made', async () => {
  const groups = new TestGroups()
  const joins = [await groups.join({ instanceId: 'one' }), await groups.join()]
  await groups.advance(0)
  const [first, second] = joins.map(each => each.now)
  const one = { memberId: first!.memberId, instanceId: 'one', generationId: 1 }
  assert.deepEqual(commit(groups, one, at(1n)), ['REBALANCE_IN_PROGRESS'])
  await groups.sync(first!, {}, { instanceId: 'one' })
  await groups.sync(second!)
  assert.deepEqual(commit(groups, one, at(1n)), ['NONE'])
  assert.deepEqual(commit(groups, { ...one, generationId: 2 }, at(1n)), ['ILLEGAL_GENERATION'])
  assert.deepEqual(commit(groups, { ...one, memberId: second!.memberId }, at(1n)), ['FENCED_INSTANCE_ID'])
  assert.deepEqual(commit(groups, { ...one, memberId: 'x', instanceId: null }, at(1n)), ['UNKNOWN_MEMBER_ID'])
  assert.deepEqual(commit(groups, {}, at(1n)), ['UNKNOWN_MEMBER_ID'])
  await groups.join({ memberId: second!.memberId, protocols: [] })
  const again = await groups.join()
  assert.deepEqual(commit(groups, one, at(2n)), ['NONE'], 'others are joining: it may still commit what it has read')
  assert.equal(again.value, undefined)
})

test('members of a KIP-848 group commit and fetch in their epoch', () => {
  const groups = new TestGroups()
  groups.topics.set('t', 1)
  groups.beat('m1', 0)
  assert.deepEqual(commit(groups, { memberId: 'm1', generationId: 1 }, at(1n)), ['NONE'])
  assert.deepEqual(commit(groups, { memberId: 'm1', generationId: 0 }, at(1n)), ['STALE_MEMBER_EPOCH'])
  assert.deepEqual(commit(groups, { memberId: 'm1', generationId: 1, version: 8 }, at(1n)), ['UNSUPPORTED_VERSION'])
  assert.deepEqual(commit(groups, { memberId: 'x', generationId: 1 }, at(1n)), ['UNKNOWN_MEMBER_ID'])
  assert.deepEqual(commit(groups, {}, at(1n)), ['UNKNOWN_MEMBER_ID'])
  assert.deepEqual(commit(groups, { memberId: 'm1', generationId: 0, producerId: 4n }, at(1n)), ['ILLEGAL_GENERATION'])
  const { keeper } = groups.coordinator
  keeper.checkFetch(GROUP, null, -1)
  keeper.checkFetch(GROUP, 'm1', 1)
  assert.throws(() => keeper.checkFetch(GROUP, 'm1', 2), { message: /does not match/ })
})

test('offsets of a transaction count when it is committed, and hold back who wants stable ones', () => {
  const groups = new TestGroups()
  commit(groups, {}, at(1n))
  assert.deepEqual(commit(groups, { producerId: 9n }, at(2n)), ['NONE'])
  assert.deepEqual([fetch(groups), fetch(groups, 0, false)], ['UNSTABLE_OFFSET_COMMIT', 1n])
  groups.coordinator.transactionEnded(8, 9n, true)
  assert.equal(fetch(groups), 'UNSTABLE_OFFSET_COMMIT', 'another partition of __consumer_offsets')
  groups.coordinator.transactionEnded(7, 9n, false)
  assert.equal(fetch(groups), 1n)
  commit(groups, { producerId: 9n }, at(2n))
  groups.move(2)
  groups.coordinator.transactionEnded(7, 9n, true)
  assert.equal(fetch(groups), 2n)
})

test('offsets are deleted unless somebody is subscribed to their topic, and go with their topic', async () => {
  const groups = new TestGroups()
  const { keeper } = groups.coordinator
  const remove = (topic: string) => keeper.delete(GROUP, [{ topic, partition: 0 }]).map(nameOf)
  assert.throws(() => remove('t'), { message: /not found/ })
  commit(groups, {}, at(1n), at(1n, { topic: 'u' }), at(1n, { topic: 'v' }))
  const [member] = await groups.stable(1)
  assert.deepEqual([remove('t'), remove('u')], [['GROUP_SUBSCRIBED_TO_TOPIC'], ['NONE']])
  assert.deepEqual([...keeper.partitions(GROUP).keys()], ['t', 'v'])
  groups.leave(member!)
  await groups.advance(0)
  assert.deepEqual(remove('t'), ['NONE'])
  keeper.forgetTopic('v')
  assert.equal(keeper.partitions(GROUP).size, 0)
  assert.equal(groups.coordinator.group(GROUP), undefined, 'nobody is in it, and it has nothing')
  groups.topics.set('w', 1)
  commit(groups, {}, at(1n, { topic: 'w' }))
  groups.beat('m', 0, { topics: ['w'] })
  assert.deepEqual(remove('w'), ['GROUP_SUBSCRIBED_TO_TOPIC'])
  groups.beat('m', 1, { topics: [], owned: partsOf({}) })
  assert.deepEqual(remove('w'), ['NONE'])
})
