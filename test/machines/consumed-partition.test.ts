import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AnyMachineSnapshot, initialTransition, transition } from 'xstate'
import {
  type ConsumedPartitionContext,
  type ConsumedPartitionEvent,
  type ConsumedPartitionInput,
  consumedPartitionMachine as machine
} from '../../src/machines/consumed-partition.ts'
import type { PlainError } from '../../src/model/errors.ts'
import { explore } from '../support/graph.ts'
import { assertTable } from '../support/graph-table.ts'

const input: ConsumedPartitionInput = {
  instance: 'i',
  path: 'consumers/1/t/0',
  consumer: 'consumers/1',
  topic: 't',
  partition: 0,
  epoch: 1,
  offset: '7',
  why: 'committed',
  target: null,
  topicId: null,
  committed: null,
  paused: false,
  from: { at: 'earliest' },
  retryBackoffMs: 100,
  retryBackoffMaxMs: 1000,
  offsetEpoch: null,
  corruptRetries: 3,
  replicaLeaseMs: 300_000
}
const unplaced = { ...input, offset: null }
const error: PlainError = { name: 'E', code: 'X', message: 'm', retriable: true, details: {} }
const leader = (node: number, leaderEpoch: number, topicId: string | null = 'id'): ConsumedPartitionEvent => ({
  type: 'LEADER',
  topic: 't',
  partition: 0,
  node,
  leaderEpoch,
  topicId
})
const noLeader: ConsumedPartitionEvent = { type: 'NO_LEADER', topic: 't', partition: 0, leaderEpoch: 3 }
const corrupt = (term: number): ConsumedPartitionEvent => ({ type: 'CORRUPT', term, error, random: 0.5 })
const failed = (term: number, seek = true): ConsumedPartitionEvent => ({ type: 'FETCH_FAILED', term, reason: 'r', seek, random: 0.5 })
const outOfRange = (term: number): ConsumedPartitionEvent => ({ type: 'OUT_OF_RANGE', term, offset: '7', error })
const validated = (term: number): ConsumedPartitionEvent => ({ type: 'VALIDATED', term })
const diverged = (term: number): ConsumedPartitionEvent => ({ type: 'DIVERGED', term, reason: 'r', random: 0.5 })
const truncated = (term: number, divergentOffset: string | null = '4'): ConsumedPartitionEvent => ({
  type: 'TRUNCATED',
  term,
  position: '7',
  divergentOffset,
  offset: divergentOffset,
  leaderEpoch: divergentOffset === null ? -1 : 1
})
const preferred = (term: number, node = 3): ConsumedPartitionEvent => ({ type: 'PREFERRED', term, node })
const reached = (term: number, node = 3): ConsumedPartitionEvent => ({ type: 'REACHED', term, node })
const paused = { type: 'xstate.after.pause.consumed-partition.active.led.retrying' } as never

function run(from: ConsumedPartitionInput, ...events: ConsumedPartitionEvent[]) {
  let [snapshot, actions] = initialTransition(machine, from) as [AnyMachineSnapshot, { type: string; params?: unknown }[]]
  for (const event of events)
    [snapshot, actions] = transition(machine as never, snapshot as never, event as never) as unknown as [
      AnyMachineSnapshot,
      { type: string; params?: unknown }[]
    ]
  return {
    value: JSON.stringify(snapshot.value),
    context: snapshot.context,
    types: actions.map(({ type }) => type),
    did: (type: string) => actions.find(action => action.type === type)?.params
  }
}

const events = [
  leader(1, 1),
  leader(2, 2),
  leader(2, 3, 'another'),
  noLeader,
  { type: 'PARK', error } as const,
  { type: 'PAUSE' } as const,
  { type: 'SEEK', offset: '5', target: null } as const,
  { type: 'SEEK', offset: null, target: { at: 'latest' } } as const,
  { type: 'SEEK', offset: null, target: null } as const,
  { type: 'RESUME' } as const,
  { type: 'DRAIN', limitMs: 10 } as const,
  { type: 'DRAINED' } as const,
  { type: 'LOST', reason: 'r' } as const,
  // What an older term still says changes nothing.
  ({ context: { term: now } }: { context: { term: number } }) =>
    [now, now - 1].flatMap((term): ConsumedPartitionEvent[] => [
      { type: 'LOCATED', term, offset: '3', leaderEpoch: 1 },
      validated(term),
      truncated(term),
      truncated(term, null),
      { type: 'VALIDATE_FAILED', term, reason: 'r', seek: true, random: 0 },
      { type: 'VALIDATE_FAILED', term, reason: 'r', seek: false, random: 0 },
      { type: 'VALIDATE_FAILED', term, reason: 'r', seek: false, random: 0, final: error },
      diverged(term),
      preferred(term),
      reached(term),
      { type: 'UNREACHED', term, reason: 'r' },
      { type: 'LOCATE_FAILED', term, reason: 'r', seek: true, random: 0 },
      { type: 'LOCATE_FAILED', term, reason: 'r', seek: false, random: 0 },
      { type: 'LOCATE_FAILED', term, reason: 'r', seek: false, random: 0, final: error },
      failed(term),
      failed(term, false),
      { type: 'FETCHED', term },
      outOfRange(term),
      corrupt(term)
    ])
]

/** Counters that only go up are left out; what they decide is kept. */
const identity = ({ located, paused, leader, corrupt, diverged, unvalidated, replica }: ConsumedPartitionContext) => ({
  ...{ located, paused, unvalidated, corrupt, led: leader !== null },
  ...{ follows: replica !== null, diverged: diverged > 0 }
})

test('every transition of a consumed partition', () => {
  // Which branches can be taken depends on the input: the policy, and whether an offset is committed.
  const graphs = (['earliest', 'fail'] as const).flatMap(at =>
    ['7', null].map(offset => explore(machine, { input: { ...input, from: { at }, offset, corruptRetries: 1 }, events, identity }))
  )
  const never = graphs[0]!.uncovered.filter(label => graphs.every(({ uncovered }) => uncovered.includes(label)))
  assert.deepEqual(never, [])
  assertTable('consumed-partition', ...graphs)
  for (const { deadEnds, truncated } of graphs) {
    assert.equal(truncated, false)
    assert.deepEqual(
      deadEnds.filter(value => value !== 'lost' && value !== 'released'),
      []
    )
  }
})

test('a committed offset is where it begins; without one the leader is asked, by the policy', () => {
  assert.deepEqual(run(input).did('begin'), { offset: '7', leaderEpoch: -1, why: 'committed' })
  assert.deepEqual(run(input, leader(1, 4)).did('fetch'), {
    term: 1,
    node: 1,
    leaderEpoch: 4,
    topicId: 'id',
    nearby: true,
    follower: false
  })
  assert.deepEqual(run(unplaced, leader(1, 4)).did('locate'), { term: 1, node: 1, from: { at: 'earliest' } })
  const located = run(unplaced, leader(1, 4), { type: 'LOCATED', term: 1, offset: '3', leaderEpoch: -1 })
  assert.deepEqual(located.did('begin'), { offset: '3', leaderEpoch: -1, why: 'reset' })
  assert.ok(located.did('fetch'))
})

test('with the policy `fail` nothing committed parks it, and so does an offset that is gone', () => {
  const first = run({ ...unplaced, from: { at: 'fail' } })
  assert.equal(first.value, '{"active":"parked"}')
  assert.equal((first.did('park') as { error: PlainError }).error.code, 'NO_COMMITTED_OFFSET')
  const second = run({ ...input, from: { at: 'fail' } }, leader(1, 1), outOfRange(1))
  assert.equal(second.value, '{"active":"parked"}')
})

test('an offset out of range is told and looked up anew by the policy', () => {
  const { value, did } = run(input, leader(1, 1), outOfRange(1))
  assert.equal(value, '{"active":{"led":"locating"}}')
  assert.deepEqual(did('noteTrouble'), { error })
  assert.deepEqual(did('locate'), { term: 2, node: 1, from: { at: 'earliest' } })
})

test('another leader, or another epoch of the same one, begins a new term; the same word again does not', () => {
  assert.equal(run(input, leader(1, 1), leader(1, 1)).context.term, 1)
  assert.deepEqual(run(input, leader(1, 1), leader(2, 2), validated(2)).did('fetch'), {
    term: 2,
    node: 2,
    leaderEpoch: 2,
    topicId: 'id',
    nearby: true,
    follower: false
  })
})

test('what a fetch, a look-up or damage of an older term says is dropped', () => {
  for (const stale of [failed(1), corrupt(1), outOfRange(1), { type: 'LOCATED', term: 1, offset: '0', leaderEpoch: -1 } as const]) {
    const { value, context } = run(input, leader(1, 1), leader(2, 2), validated(2), stale)
    assert.equal(value, '{"active":{"led":{"fetching":"leader"}}}')
    assert.equal(context.attempt, 0)
  }
})

test('a refusal that names another leader asks for it and waits its pause; a LEADER ends the pause', () => {
  const refused = run(input, leader(1, 4), failed(1))
  assert.equal(refused.value, '{"active":{"led":"retrying"}}')
  assert.deepEqual(refused.did('seek'), { leaderEpoch: 4, reason: 'r' })
  assert.ok(refused.types.includes('stopFetching'))
  assert.deepEqual(run(input, leader(1, 4), failed(1), leader(2, 5), validated(2)).did('fetch'), {
    term: 2,
    node: 2,
    leaderEpoch: 5,
    topicId: 'id',
    nearby: true,
    follower: false
  })
  assert.equal(run(input, leader(1, 4), failed(1, false)).did('seek'), undefined)
})

test('the pauses grow, and a good answer forgets them', () => {
  const twice = run(input, leader(1, 1), failed(1), paused, failed(2))
  assert.equal(twice.context.delayMs, 200)
  assert.equal(run(input, leader(1, 1), failed(1), paused, { type: 'FETCHED', term: 2 }, failed(2)).context.delayMs, 100)
})

test('damaged bytes are fetched again three times, then it is parked', () => {
  const events: ConsumedPartitionEvent[] = [leader(1, 1)]
  for (let term = 1; term <= 3; term++) events.push(corrupt(term), paused)
  assert.equal(run(input, ...events).value, '{"active":{"led":{"fetching":"leader"}}}')
  const parked = run(input, ...events, corrupt(4))
  assert.equal(parked.value, '{"active":"parked"}')
  assert.deepEqual(parked.did('park'), { error })
})

test('parked, it stays so whatever leaders do, and can still be drained', () => {
  assert.equal(run(input, leader(1, 1), { type: 'PARK', error }, leader(2, 2), noLeader).value, '{"active":"parked"}')
  assert.equal(run(input, { type: 'PARK', error }, { type: 'DRAIN', limitMs: 1 }, { type: 'DRAINED' }).value, '"released"')
})

test('parked, it comes back when its topic is deleted and made again', () => {
  const { value, did } = run(input, leader(1, 1), { type: 'PARK', error }, leader(1, 0, 'other'))
  assert.equal(value, '{"active":{"led":"locating"}}')
  assert.ok(did('locate'))
})

test('a pause survives a change of leader', () => {
  const { value, did } = run(input, leader(1, 1), { type: 'PAUSE' }, leader(2, 2), validated(2))
  assert.equal(value, '{"active":{"led":"paused"}}')
  assert.ok(did('fetch'))
})

test('revoked, it drains and is released; work that takes too long is abandoned at the limit', () => {
  const draining = run(input, leader(1, 1), { type: 'DRAIN', limitMs: 4000 })
  assert.equal(draining.value, '"draining"')
  assert.ok(draining.types.includes('stopFetching') && draining.types.includes('unfollow'))
  const limit = { type: 'xstate.after.drainLimit.consumed-partition.draining' } as never
  const abandoned = run(input, leader(1, 1), { type: 'DRAIN', limitMs: 4000 }, limit)
  assert.equal(abandoned.value, '"released"')
  assert.deepEqual(
    abandoned.types.filter(type => type === 'abandon' || type === 'reportReleased'),
    ['abandon', 'reportReleased']
  )
})

test('lost, it is interrupted, even while it drains', () => {
  assert.deepEqual(run(input, leader(1, 1), { type: 'LOST', reason: 'expired' }).did('interrupt'), { reason: 'expired' })
  assert.equal(run(input, { type: 'DRAIN', limitMs: 1 }, { type: 'LOST', reason: 'expired' }).value, '"lost"')
})

const another = leader(1, 0, 'another')

test('a topic that was deleted and made again is told, and read by the policy; from its beginning where that is `latest`', () => {
  const at = (from: ConsumedPartitionInput['from']) => run({ ...input, from }, leader(1, 9), another)
  const { did, context } = at({ at: 'latest' })
  assert.deepEqual(did('noteRecreated'), { oldId: 'id', newId: 'another' })
  assert.deepEqual(did('locate'), { term: 2, node: 1, from: { at: 'earliest' } })
  assert.equal(context.topicId, 'another')
  const dated = { at: 'timestamp', timestampMs: 7 } as const
  assert.deepEqual(at(dated).did('locate'), { term: 2, node: 1, from: dated })
  const failing = at({ at: 'fail' })
  assert.equal(failing.value, '{"active":"parked"}')
  assert.ok(failing.did('noteRecreated'))
})

test('once it was read from its beginning, the policy is what it was', () => {
  const latest = { ...input, from: { at: 'latest' } as const }
  const again = run(latest, leader(1, 9), another, { type: 'LOCATED', term: 2, offset: '0', leaderEpoch: -1 }, outOfRange(2))
  assert.deepEqual(again.did('locate'), { term: 3, node: 1, from: { at: 'latest' } })
})

test('a position that was carried over from a topic that is gone does not count: what is committed in the new one does', () => {
  const carried: ConsumedPartitionInput = { ...input, offset: '100', why: 'carried', topicId: 'id', committed: '5' }
  assert.deepEqual(run(carried).did('begin'), { offset: '100', leaderEpoch: -1, why: 'carried' })
  assert.equal(run(carried, leader(1, 1)).context.offset, '100')
  const { did, value } = run(carried, another)
  assert.deepEqual(did('begin'), { offset: '5', leaderEpoch: -1, why: 'committed' })
  assert.equal(value, '{"active":{"led":{"fetching":"leader"}}}')
  // Once the topic was seen to be the same, what was committed at the beginning is a place in that one.
  assert.ok(run(carried, leader(1, 1), another).did('locate'))
})

const sought = (offset: string): ConsumedPartitionEvent => ({ type: 'SEEK', offset, target: null })
const toEnd: ConsumedPartitionEvent = { type: 'SEEK', offset: null, target: { at: 'latest' } }

test('sought at an offset it goes on there in a new term, wherever it was', () => {
  const { value, did, types } = run(input, leader(1, 1), sought('3'))
  assert.equal(value, '{"active":{"led":{"fetching":"leader"}}}')
  assert.deepEqual(did('begin'), { offset: '3', leaderEpoch: -1, why: 'sought' })
  assert.equal((did('fetch') as { term: number }).term, 2)
  assert.ok(types.indexOf('stopFetching') < types.indexOf('begin') && types.indexOf('begin') < types.indexOf('fetch'))
  for (const before of [[failed(1)], [{ type: 'PARK', error } as const], [outOfRange(1)]]) {
    const again = run(input, leader(1, 1), ...before, sought('3'))
    assert.equal(again.value, '{"active":{"led":{"fetching":"leader"}}}')
    assert.equal(again.context.error, null)
  }
})

test('sought by a policy the leader is asked, and the policy is forgotten when it has answered', () => {
  const asked = run(input, leader(1, 1), toEnd)
  assert.deepEqual(asked.did('locate'), { term: 2, node: 1, from: { at: 'latest' } })
  const found: ConsumedPartitionEvent = { type: 'LOCATED', term: 2, offset: '9', leaderEpoch: -1 }
  assert.deepEqual(run(input, leader(1, 1), toEnd, found).did('begin'), { offset: '9', leaderEpoch: -1, why: 'sought' })
  const failedOnce: ConsumedPartitionEvent = { type: 'LOCATE_FAILED', term: 2, reason: 'r', seek: false, random: 0.5 }
  const retried = run(input, leader(1, 1), toEnd, failedOnce, paused)
  assert.deepEqual(retried.did('locate'), { term: 3, node: 1, from: { at: 'latest' } })
  assert.deepEqual(run(input, leader(1, 1), toEnd, found, outOfRange(2)).did('locate'), { term: 3, node: 1, from: { at: 'earliest' } })
})

test('a look-up that no repetition betters parks the partition; one that may go well is told with its pause, and tried again', () => {
  const refused: ConsumedPartitionEvent = { type: 'LOCATE_FAILED', term: 2, reason: 'r', seek: false, random: 0.5, final: error }
  const parked = run(input, leader(1, 1), toEnd, refused)
  assert.equal(parked.value, '{"active":"parked"}')
  assert.deepEqual(parked.did('park'), { error })
  const again = run(input, leader(1, 1), failed(1, false))
  assert.deepEqual(again.did('noteRetry'), { reason: 'r', attempt: 1, delayMs: 100 })
})

test('sought while no leader is known, it begins there and is fetched when there is one; the last seek counts', () => {
  const { value, did } = run(input, leader(1, 1), noLeader, sought('3'))
  assert.equal(value, '{"active":"sought"}')
  assert.deepEqual(did('begin'), { offset: '3', leaderEpoch: -1, why: 'sought' })
  const led = run(input, noLeader, toEnd, sought('3'), leader(1, 4))
  assert.equal(led.value, '{"active":{"led":{"fetching":"leader"}}}')
  assert.equal(run(input, leader(1, 1), toEnd, sought('3'), { type: 'LOCATED', term: 2, offset: '9', leaderEpoch: -1 }).context.offset, '3')
})

test('sought where nothing tells a place, the policy decides, and `fail` parks', () => {
  const nowhere: ConsumedPartitionEvent = { type: 'SEEK', offset: null, target: null }
  assert.deepEqual(run(input, leader(1, 1), nowhere).did('locate'), { term: 2, node: 1, from: { at: 'earliest' } })
  assert.equal(run({ ...input, from: { at: 'fail' } }, leader(1, 1), nowhere).value, '{"active":"parked"}')
})

test('paused it stays when it is sought; parked it learns of leaders, so that a seek finds the one that is there', () => {
  assert.equal(run(input, leader(1, 1), { type: 'PAUSE' }, sought('3')).value, '{"active":{"led":"paused"}}')
  const moved = run(input, leader(1, 1), { type: 'PARK', error }, leader(2, 5), sought('3'))
  assert.deepEqual(moved.did('fetch'), { term: 2, node: 2, leaderEpoch: 5, topicId: 'id', nearby: true, follower: false })
  assert.equal(run(input, leader(1, 1), { type: 'PARK', error }, noLeader, sought('3')).value, '{"active":"sought"}')
})

test('a partition that is given back, or lost, is not sought any more', () => {
  assert.equal(run(input, leader(1, 1), { type: 'DRAIN', limitMs: 10 }, sought('3')).value, '"draining"')
  assert.equal(run(input, { type: 'LOST', reason: 'r' }, sought('3')).value, '"lost"')
})

// ── leader epochs and truncation (KIP-320) ──

const known = { ...input, offsetEpoch: 3 }
const failing = { ...input, from: { at: 'fail' } as const }

test('a committed offset with its leader epoch is compared with the leader before it is fetched; one without is not', () => {
  const { value, did, types } = run(known, leader(1, 4))
  assert.equal(value, '{"active":{"led":"validating"}}')
  assert.deepEqual(did('validate'), { term: 1, node: 1, leaderEpoch: 4 })
  assert.ok(types.includes('stopFetching'))
  assert.deepEqual(run(known).did('begin'), { offset: '7', leaderEpoch: 3, why: 'committed' })
  assert.equal(run(known, leader(1, 4), validated(1)).value, '{"active":{"led":{"fetching":"leader"}}}')
  assert.equal(run(input, leader(1, 4)).value, '{"active":{"led":{"fetching":"leader"}}}')
})

test('what was fetched is compared with every other leader epoch, also after a time without a leader, and only once with each', () => {
  for (const between of [[], [noLeader], [failed(1)], [{ type: 'PAUSE' } as const]])
    assert.equal(run(input, leader(1, 1), ...between, leader(2, 5)).value, '{"active":{"led":"validating"}}')
  assert.equal(run(input, leader(1, 4), noLeader, leader(1, 4)).value, '{"active":{"led":{"fetching":"leader"}}}')
  assert.equal(run(input, leader(1, 1), leader(2, 5), validated(2), failed(2), paused).value, '{"active":{"led":{"fetching":"leader"}}}')
  // Not answered before the next leader came: it is asked in its turn.
  const next = run(input, leader(1, 1), leader(2, 5), leader(1, 6))
  assert.deepEqual(next.did('validate'), { term: 3, node: 1, leaderEpoch: 6 })
  assert.equal(run(input, leader(1, 1), leader(2, 5), leader(1, 6), validated(2)).value, '{"active":{"led":"validating"}}')
})

test('a position that was just looked up, or sought, is not compared', () => {
  const located: ConsumedPartitionEvent = { type: 'LOCATED', term: 1, offset: '3', leaderEpoch: 2 }
  const first = run(unplaced, leader(1, 2), located)
  assert.equal(first.value, '{"active":{"led":{"fetching":"leader"}}}')
  assert.deepEqual(first.did('begin'), { offset: '3', leaderEpoch: 2, why: 'reset' })
  assert.equal(run(known, leader(1, 4), sought('3')).value, '{"active":{"led":{"fetching":"leader"}}}')
  assert.equal(run(unplaced, leader(1, 2), located, leader(2, 3)).value, '{"active":{"led":"validating"}}')
})

test('a comparison that fails is made again after a pause, with another leader where that is due', () => {
  const refused: ConsumedPartitionEvent = { type: 'VALIDATE_FAILED', term: 1, reason: 'r', seek: true, random: 0.5 }
  const { value, did } = run(known, leader(1, 4), refused)
  assert.equal(value, '{"active":{"led":"retrying"}}')
  assert.deepEqual(did('seek'), { leaderEpoch: 4, reason: 'r' })
  assert.deepEqual(run(known, leader(1, 4), refused, paused).did('validate'), { term: 2, node: 1, leaderEpoch: 4 })
})

test('truncated: told, and it goes on at the divergence in the leader’s epoch', () => {
  const { value, did } = run(known, leader(1, 4), truncated(1))
  assert.equal(value, '{"active":{"led":{"fetching":"leader"}}}')
  assert.deepEqual(did('noteTruncated'), { position: '7', divergentOffset: '4' })
  assert.deepEqual(did('begin'), { offset: '4', leaderEpoch: 1, why: 'truncated' })
})

test('truncated, and the leader knows nothing of that epoch: told, and the policy decides', () => {
  const { did } = run(known, leader(1, 4), truncated(1, null))
  assert.deepEqual(did('noteTruncated'), { position: '7', divergentOffset: null })
  assert.deepEqual(did('locate'), { term: 2, node: 1, from: { at: 'earliest' } })
})

test('truncated with the policy `fail`: told and parked, whether the divergence is known or not', () => {
  for (const divergence of ['4', null]) {
    const { value, did } = run({ ...failing, offsetEpoch: 3 }, leader(1, 4), truncated(1, divergence))
    assert.equal(value, '{"active":"parked"}')
    assert.ok(did('noteTruncated'))
    const parked = (did('park') as { error: PlainError }).error
    assert.equal(parked.code, 'LOG_TRUNCATED')
    assert.equal(parked.details.divergentOffset, divergence)
  }
})

test('a fetch that meets another log has the leader asked at once; the second time in a row after a pause', () => {
  const { value, did } = run(input, leader(1, 4), diverged(1))
  assert.equal(value, '{"active":{"led":"validating"}}')
  assert.deepEqual(did('validate'), { term: 2, node: 1, leaderEpoch: 4 })
  assert.equal(run(input, leader(1, 4), diverged(1), validated(2), diverged(2)).value, '{"active":{"led":"retrying"}}')
  const good: ConsumedPartitionEvent = { type: 'FETCHED', term: 2 }
  assert.equal(run(input, leader(1, 4), diverged(1), validated(2), good, diverged(2)).value, '{"active":{"led":"validating"}}')
})

// ── replicas nearby (KIP-392) ──

const near = [leader(1, 4), preferred(1), reached(1)]
const following = '{"active":{"led":{"fetching":"follower"}}}'
const avoiding = '{"active":{"led":{"fetching":"avoiding"}}}'
const slow = { type: 'xstate.after.grace.consumed-partition.active.led.fetching.reaching.waiting' } as never
const avoided = { type: 'xstate.after.avoidance.consumed-partition.active.led.fetching.avoiding' } as never

test('the follower that the leader names is reached, then it is read from there, and told; the leader serves when that takes long', () => {
  const reaching = run(input, leader(1, 4), preferred(1))
  assert.equal(reaching.value, '{"active":{"led":{"fetching":{"reaching":"waiting"}}}}')
  assert.ok(reaching.types.includes('stopFetching'))
  assert.deepEqual(reaching.did('reach'), { term: 1, node: 3 })
  const bridging = run(input, leader(1, 4), preferred(1), slow)
  assert.deepEqual(bridging.did('fetch'), { term: 1, node: 1, leaderEpoch: 4, topicId: 'id', nearby: false, follower: false })
  assert.equal(run(input, leader(1, 4), preferred(1), slow, reached(1)).value, following)
  const { value, did, context } = run(input, ...near)
  assert.equal(value, following)
  assert.deepEqual(did('fetch'), { term: 2, node: 3, leaderEpoch: 4, topicId: 'id', nearby: true, follower: true })
  const { reason, ...told } = did('noteReplica') as { reason: string }
  assert.deepEqual(told, { broker: 3, leader: 1 })
  assert.match(reason, /prefers/)
  assert.deepEqual([context.replica, context.preferred], [3, null])
})

test('a follower that cannot be reached is told and avoided: the leader serves, and may name it again after a pause that grows', () => {
  const unreached = (term: number): ConsumedPartitionEvent => ({ type: 'UNREACHED', term, reason: 'refused' })
  const { value, did, context } = run(input, leader(1, 4), preferred(1), unreached(1))
  assert.equal(value, avoiding)
  assert.deepEqual(did('noteReplica'), { broker: 1, leader: 1, reason: 'follower 3: refused' })
  assert.deepEqual(did('fetch'), { term: 2, node: 1, leaderEpoch: 4, topicId: 'id', nearby: false, follower: false })
  assert.equal(context.avoided, 1)
  const again = run(input, leader(1, 4), preferred(1), unreached(1), avoided)
  assert.deepEqual(again.did('fetch'), { term: 2, node: 1, leaderEpoch: 4, topicId: 'id', nearby: true, follower: false })
  assert.equal(run(input, leader(1, 4), preferred(1), unreached(1), avoided, preferred(2), unreached(2)).context.avoided, 2)
})

test('any trouble of a follower: back to the leader at once, at the same position, and told', () => {
  for (const [event, what] of [
    [failed(2), 'r'],
    [outOfRange(2), 'm'],
    [corrupt(2), 'm']
  ] as const) {
    const { value, did, context } = run(input, ...near, event)
    assert.equal(value, avoiding)
    assert.deepEqual(did('fetch'), { term: 3, node: 1, leaderEpoch: 4, topicId: 'id', nearby: false, follower: false })
    assert.deepEqual(did('noteReplica'), { broker: 1, leader: 1, reason: `follower 3: ${what}` })
    assert.deepEqual([context.replica, context.located, did('seek')], [null, true, undefined])
  }
})

test('with the policy `fail` an offset out of range at a follower is the leader’s to judge', () => {
  assert.equal(run(failing, ...near, outOfRange(2)).value, avoiding)
  assert.equal(run(failing, ...near, outOfRange(2), outOfRange(3)).value, '{"active":"parked"}')
})

test('after its time the leader is asked again; what an older stay still says is dropped', () => {
  const over: ConsumedPartitionEvent = { type: 'LEASE_OVER' }
  const { value, did, context } = run(input, ...near, over)
  assert.equal(value, '{"active":{"led":{"fetching":"leader"}}}')
  assert.deepEqual(did('fetch'), { term: 3, node: 1, leaderEpoch: 4, topicId: 'id', nearby: true, follower: false })
  assert.equal(context.avoided, 0)
  assert.equal(run(input, ...near, failed(1)).value, following)
  assert.equal(run(input, leader(1, 4), preferred(1), { type: 'PAUSE' }, reached(1)).value, '{"active":{"led":"paused"}}')
})

test('a pause keeps the follower until its time is over; another leader ends it', () => {
  const held = [...near, { type: 'PAUSE' } as const]
  assert.equal(run(input, ...held, { type: 'RESUME' }).value, following)
  assert.equal(run(input, ...held, { type: 'LEASE_OVER' }, { type: 'RESUME' }).value, '{"active":{"led":{"fetching":"leader"}}}')
  const moved = run(input, ...near, leader(2, 5), validated(3))
  assert.deepEqual(moved.did('fetch'), { term: 3, node: 2, leaderEpoch: 5, topicId: 'id', nearby: true, follower: false })
  assert.equal(run(input, ...near, noLeader).context.replica, null)
})
