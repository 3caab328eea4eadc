/**
 * What coordinators write into their internal topics is what a later process finds: offsets, groups, transactions and what was left open in them.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { KafkaFault } from '../../../src/embedded/kafka/errors.ts'
import { Groups } from '../../../src/embedded/kafka/groups/index.ts'
import { InternalLog } from '../../../src/embedded/kafka/groups/internal-log.ts'
import { parts } from '../../../src/embedded/kafka/groups/parts.ts'
import { readRecord } from '../../../src/embedded/kafka/groups/records.ts'
import { ClusterState } from '../../../src/embedded/kafka/state.ts'
import { Transactions } from '../../../src/embedded/kafka/transactions/index.ts'
import { VirtualWorld } from '../../support/virtual-world.ts'
import { nameOf, protocolsOf } from './support.ts'

const T = 't'
const who = { groupId: 'g', memberId: '', instanceId: null, generationId: -1, version: 9 }
const commitOf = (offset: bigint, partition = 0) => [{ topic: T, partition, offset, leaderEpoch: 2, metadata: 'ü' }]

class TestProcess {
  readonly virtual: VirtualWorld
  readonly state: ClusterState

  /** With the logs of one before it. */
  constructor(t: TestContext, before?: TestProcess) {
    this.virtual = before?.virtual ?? new VirtualWorld()
    this.state = new ClusterState({ world: this.virtual.world })
    this.state.processStarted({ id: 1, host: '127.0.0.1', port: 1, rack: null })
    t.after(() => this.state.close())
    if (!before) this.state.createTopic({ name: T, partitions: 4 })
    for (const { name, partitions } of before?.state.topics.values() ?? []) {
      const topic = this.state.createTopic({ name, partitions: partitions.length })
      for (const [index, { log }] of partitions.entries()) {
        for (const batch of log!.batches) topic.partitions[index]!.log!.append(batch)
        topic.partitions[index]!.replicate()
      }
    }
  }

  get groups() {
    return this.state.part(Groups).coordinator
  }

  get transactions() {
    return this.state.part(Transactions).coordinator
  }

  offset(partition = 0, groupId = 'g'): bigint | string | undefined {
    const found = this.groups.keeper.fetch(groupId, T, partition, true)
    return found && ('errorCode' in found ? nameOf(found.errorCode) : found.offset)
  }
}

test('offsets, their deletion and groups with their members are there after a restart', async t => {
  const first = new TestProcess(t)
  const { keeper } = first.groups
  assert.equal(first.groups.check(1, 'g'), 0)
  keeper.commit(who, [...commitOf(5n), ...commitOf(6n, 1), ...commitOf(7n, 2)])
  keeper.commit(who, commitOf(8n))
  keeper.delete('g', [{ topic: T, partition: 1 }])
  keeper.commit({ ...who, groupId: 'gone' }, commitOf(1n))
  assert.equal(first.groups.delete(1, 'gone'), 0)
  const joining = first.groups.join(1, {
    ...{ groupId: 'm', memberId: '', instanceId: 'one', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 20_000, protocolType: 'consumer' },
    ...{ protocols: protocolsOf('range'), clientId: 'c', clientHost: '/127.0.0.1' },
    ...{ requireKnownMemberId: false, supportSkippingAssignment: false }
  })
  await first.virtual.advance(0)
  const member = await joining
  const identity = { memberId: member.memberId, instanceId: 'one' }
  const assignments = [{ memberId: member.memberId, assignment: Buffer.from('mine') }]
  const sync = { groupId: 'm', ...identity, generationId: 1, protocolType: null, protocolName: null, assignments }
  await first.groups.sync(1, sync)

  const second = new TestProcess(t, first)
  assert.deepEqual([second.offset(0), second.offset(1), second.offset(2)], [8n, undefined, 7n])
  assert.deepEqual(second.groups.keeper.fetch('g', T, 0, true), { offset: 8n, leaderEpoch: 2, metadata: 'ü', committedAt: 1_000_000 })
  assert.equal(second.groups.group('gone'), undefined)
  assert.equal(nameOf(second.groups.heartbeat(1, 'm', { ...identity, generationId: 1 })), 'NONE')
  assert.equal(String((await second.groups.sync(1, { ...sync, assignments: [] })).assignment), 'mine')
  await second.virtual.advance(10_001)
  assert.equal(second.groups.group('m')!.state, 'Empty', 'its session ran')
})

test('members of a KIP-848 group are told to join anew, in an epoch that nobody had', async t => {
  const beat = (its: TestProcess, memberEpoch: number) =>
    its.groups.consumerHeartbeat(1, {
      ...{ groupId: 'n', memberId: 'm', memberEpoch, instanceId: null, rackId: null, rebalanceTimeoutMs: 1_000, topics: [T], regex: null },
      ...{ assignor: null, owned: parts([]), clientId: 'c', clientHost: '', requireMemberId: true }
    })
  const first = new TestProcess(t)
  assert.equal(beat(first, 0).memberEpoch, 1)
  const second = new TestProcess(t, first)
  assert.throws(
    () => beat(second, 1),
    (error: KafkaFault) => nameOf(error.errorCode) === 'UNKNOWN_MEMBER_ID'
  )
  assert.equal(beat(second, 0).memberEpoch, 2)
  beat(second, -1)
  assert.equal(second.groups.delete(1, 'n'), 0)
  assert.equal(new TestProcess(t, second).groups.group('n'), undefined)
})

test('a transaction that was open is open after a restart, and ends', async t => {
  const first = new TestProcess(t)
  const id = 'tx'
  const producer = first.transactions.init(1, { transactionalId: id, timeoutMs: 5_000, expected: undefined })
  const at = { topic: '__consumer_offsets', partition: first.state.part(Groups).partitionOf('g') }
  first.transactions.add(1, id, producer, [at])
  assert.equal(first.groups.check(1, 'g'), 0)
  assert.deepEqual(first.groups.keeper.commit({ ...who, ...producer }, commitOf(3n)), [0])
  assert.deepEqual(first.groups.keeper.commit({ ...who, ...producer }, commitOf(4n)), [0])
  const other = first.transactions.init(1, { transactionalId: 'late', timeoutMs: 5_000, expected: undefined })
  first.transactions.add(1, 'late', other, [{ topic: T, partition: 0 }])

  const second = new TestProcess(t, first)
  assert.equal(second.transactions.describe(1, id)!.state, 'Ongoing')
  assert.equal(second.offset(), 'UNSTABLE_OFFSET_COMMIT')
  assert.throws(() => second.transactions.init(1, { transactionalId: 'late', timeoutMs: 5_000, expected: undefined }), {
    message: /another concurrent operation/
  })
  second.transactions.end(1, { transactionalId: id, ...producer, commit: true, bump: false })
  await second.virtual.advance(0)
  assert.equal(second.offset(), 4n)
  const fresh = second.transactions.init(1, { transactionalId: 'new', timeoutMs: 5_000, expected: undefined })
  assert.ok(fresh.producerId > other.producerId, 'ids are not given out twice')

  const third = new TestProcess(t, second)
  assert.equal(third.offset(), 4n)
  assert.equal(third.transactions.describe(1, id)!.state, 'CompleteCommit')
  assert.deepEqual(third.transactions.describe(1, 'late')!.identity, { ...other, producerEpoch: 1 })
})

test('what was overwritten many times is thrown away, what counts stays', t => {
  const its = new TestProcess(t)
  assert.equal(its.groups.check(1, 'g'), 0)
  for (let i = 0; i < 1_100; i++) its.groups.keeper.commit(who, commitOf(BigInt(i), i % 2))
  const partition = its.state.part(Groups).partitionOf('g')
  const { log } = its.state.partition('__consumer_offsets', partition)!
  assert.ok(log!.batches.length < 200, `${log!.batches.length} batches`)
  const records = [...new InternalLog(its.state, '__consumer_offsets').read(partition)].flatMap(batch => batch.records.map(readRecord))
  assert.equal(records.length, 2 + 1_100 - 1_000)
  assert.deepEqual([its.offset(0), its.offset(1)], [1_098n, 1_099n])
})
