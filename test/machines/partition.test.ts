import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partitionMachine as machine, type PartitionContext, type PartitionEvent } from '../../src/machines/partition.ts'
import { assertEveryTransition } from '../support/graph.ts'
import { assertTable } from '../support/graph-table.ts'
import { runMachine } from '../support/run-machine.ts'

const input = { instance: 'i', path: 'topics/t/0', topic: 't', partition: 0, retryBackoffMs: 100, retryBackoffMaxMs: 1000, windowMax: 5 }
const leader = (node: number, leaderEpoch: number): PartitionEvent => ({
  type: 'LEADER',
  topic: 't',
  partition: 0,
  node,
  leaderEpoch,
  topicId: null
})
const noLeader: PartitionEvent = { type: 'NO_LEADER', topic: 't', partition: 0, leaderEpoch: 1 }
const linked = (term: number, queued = 1, unverified = false): PartitionEvent => ({ type: 'LINKED', term, inFlight: 0, queued, unverified })
const verified = (term: number, queued = 1): PartitionEvent => ({ type: 'VERIFIED', term, inFlight: 0, queued })
const acked = (term: number, inFlight = 0, queued = 0): PartitionEvent => ({ type: 'ACKED', term, inFlight, queued })
const refused = (term: number, seek: boolean): PartitionEvent => ({
  type: 'REFUSED',
  term,
  reason: 'r',
  seek,
  random: 0,
  inFlight: 1,
  queued: 0
})

function run(...events: PartitionEvent[]) {
  const { value, context, did } = runMachine<PartitionContext>(machine, input, events)
  return { value, context, did: (type: string) => did(type)[0] }
}

test('every transition of a partition', () => {
  assertTable(
    'partition',
    assertEveryTransition(machine, {
      input,
      events: [
        leader(1, 1),
        leader(2, 2),
        noLeader,
        { type: 'STOP' },
        { type: 'SEALED', inFlight: 0, queued: 1 },
        { type: 'EXPIRED', waiting: false, inFlight: 0, queued: 0 },
        { type: 'EXPIRED', waiting: false, inFlight: 0, queued: 1 },
        { type: 'EXPIRED', waiting: true, inFlight: 1, queued: 0 },
        // What an older term still says changes nothing.
        ({ context: { term: now } }) =>
          [now, now - 1].flatMap((term): PartitionEvent[] => [
            linked(term),
            linked(term, 0),
            linked(term, 1, true),
            verified(term),
            verified(term, 0),
            { type: 'VERIFY_FAILED', term, reason: 'r', random: 0 },
            acked(term),
            acked(term, 1, 1),
            refused(term, true),
            refused(term, false),
            { type: 'LINK_FAILED', term, reason: 'r', random: 0 },
            { type: 'LINK_LOST', term, reason: 'r', random: 0 },
            { type: 'LINK_ENDED', term }
          ])
      ],
      identity: ({ leader, window }) => ({ leader, window })
    })
  )
})

test('flights of an earlier process: the leader is asked before anything is sent, a new leader anew', () => {
  const asked = run(leader(1, 1), linked(1, 1, true))
  assert.deepEqual([asked.value, asked.did('verify'), asked.did('drain')], [{ led: 'verifying' }, { term: 1 }, undefined])
  const more = run(leader(1, 1), linked(1, 1, true), { type: 'SEALED', inFlight: 2, queued: 3 })
  assert.deepEqual([more.value, more.did('drain')], [{ led: 'verifying' }, undefined])
  const told = run(leader(1, 1), linked(1, 1, true), verified(1))
  assert.deepEqual([told.value, told.did('drain')], [{ led: 'inFlight' }, { term: 1, window: 1 }])
  const stale = run(leader(1, 1), linked(1, 1, true), leader(2, 2), linked(2, 1, true), verified(1))
  assert.deepEqual([stale.value, stale.did('drain')], [{ led: 'verifying' }, undefined])
  const failed = run(leader(1, 1), linked(1, 1, true), { type: 'VERIFY_FAILED', term: 1, reason: 'not the leader', random: 0 })
  assert.deepEqual([failed.value, failed.did('seek')], [{ led: 'retrying' }, { leaderEpoch: 1, reason: 'not the leader' }])
})

test('one batch in flight until this leader has acked once, then up to five; one again after a refusal', () => {
  assert.deepEqual(run(leader(1, 1), linked(1)).did('drain'), { term: 1, window: 1 })
  assert.deepEqual(run(leader(1, 1), linked(1), acked(1, 0, 3)).did('drain'), { term: 1, window: 5 })
  assert.equal(run(leader(1, 1), linked(1), acked(1, 0, 3), refused(1, false)).context.window, 1)
})

test('another leader, or another epoch of the same one, begins a new term; the same word again does not', () => {
  assert.deepEqual(run(leader(1, 1), linked(1), leader(1, 1)).value, { led: 'inFlight' })
  const moved = run(leader(1, 1), linked(1), leader(2, 2))
  assert.deepEqual(moved.value, { led: 'linking' })
  assert.deepEqual(moved.did('link'), { term: 2, node: 2 })
})

test('answers of an older term are dropped', () => {
  const { value, context } = run(leader(1, 1), linked(1), leader(2, 2), refused(1, true), linked(1))
  assert.deepEqual(value, { led: 'linking' })
  assert.equal(context.attempt, 0)
})

test('a refusal that tells of another leader makes it ask for one, and the batch waits its pause', () => {
  const { value, did } = run(leader(1, 4), linked(1), refused(1, true))
  assert.deepEqual(value, { led: 'retrying' })
  assert.deepEqual(did('seek'), { leaderEpoch: 4, reason: 'r' })
})

test('without a leader unkeyed batches go elsewhere, also those sealed later', () => {
  assert.ok(run(leader(1, 1), noLeader).did('reroute'))
  assert.ok(run(leader(1, 1), noLeader, { type: 'SEALED', inFlight: 0, queued: 1 }).did('reroute'))
})

test('a leader whose broker cannot be reached counts as none for unkeyed batches', () => {
  const { did } = run(leader(1, 1), { type: 'LINK_FAILED', term: 1, reason: 'refused', random: 0 })
  assert.deepEqual(did('setAvailable'), { available: false })
  assert.ok(did('reroute'))
})

test('parked, it tries its leader again after a pause, and a new leader wakes it at once', () => {
  const parked = [leader(1, 1), linked(1), { type: 'EXPIRED', waiting: true, inFlight: 1, queued: 0 } as const] as const
  assert.equal(run(...parked).value, 'parked')
  assert.deepEqual(run(...parked, leader(2, 2)).value, { led: 'linking' })
  assert.deepEqual(run(...parked, { type: 'xstate.after.parkedPause.partition.parked' } as never).value, { led: 'linking' })
})

test('a link that was closed while idle is replaced without a pause and without a word', () => {
  const { value, did, context } = run(leader(1, 1), linked(1), { type: 'LINK_ENDED', term: 1 })
  assert.deepEqual(value, { led: 'linking' })
  assert.equal(context.attempt, 0)
  assert.equal(did('noteRetry'), undefined)
})

test('when flights were given up at their deadline, what is queued behind them goes on', () => {
  const { value } = run(leader(1, 1), linked(1), { type: 'EXPIRED', waiting: false, inFlight: 0, queued: 2 })
  assert.deepEqual(value, { led: 'linking' })
  assert.deepEqual(run(leader(1, 1), linked(1), { type: 'EXPIRED', waiting: false, inFlight: 1, queued: 2 }).value, { led: 'inFlight' })
})

test('parked, a further sweep does not begin the pause anew', () => {
  const expired: PartitionEvent = { type: 'EXPIRED', waiting: true, inFlight: 1, queued: 0 }
  const { value, did } = run(leader(1, 1), linked(1), expired, expired)
  assert.equal(value, 'parked')
  assert.equal(did('seek'), undefined, 'nothing was entered again')
})
