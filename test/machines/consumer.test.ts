import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AnyMachineSnapshot, initialTransition, transition } from 'xstate'
import { type ConsumerEvent, type ConsumerInput, consumerMachine as machine } from '../../src/machines/consumer.ts'
import type { PlainError } from '../../src/model/errors.ts'
import { resolveSubscription } from '../../src/model/subscription.ts'
import { explore } from '../support/graph.ts'

const input = (options: object = {}, byZooKeeper = true): ConsumerInput => ({
  instance: 'i',
  path: 'consumers/1',
  subscription: resolveSubscription({ topic: 't', group: 'g', ...options }, byZooKeeper),
  retryBackoffMs: 100,
  retryBackoffMaxMs: 1000
})
const error: PlainError = { name: 'E', code: 'X', message: 'm', retriable: true, details: {} }
const tp = (partition: number) => ({ topic: 't', partition })
const assigned = (epoch: number, ...partitions: number[]): ConsumerEvent => ({
  type: 'ASSIGNED',
  epoch,
  partitions: partitions.map(partition => ({ ...tp(partition), offset: '5' }))
})
const revoke = (epoch: number, ...partitions: number[]): ConsumerEvent => ({
  type: 'REVOKE',
  epoch,
  partitions: partitions.map(tp),
  deadlineMs: 4000
})
const released = (partition: number): ConsumerEvent => ({ type: 'PARTITION_RELEASED', ...tp(partition) })
const lost = (epoch: number): ConsumerEvent => ({ type: 'LOST', epoch, reason: 'expired' })
const done = (id: number): ConsumerEvent => ({ type: 'COMMIT_DONE', id })

type Did = { type: string; params?: unknown }[]
function run(...events: ConsumerEvent[]) {
  let [snapshot, actions] = initialTransition(machine, input()) as [AnyMachineSnapshot, Did]
  for (const event of events)
    [snapshot, actions] = transition(machine as never, snapshot as never, event as never) as unknown as [AnyMachineSnapshot, Did]
  return {
    value: JSON.stringify(snapshot.value),
    context: snapshot.context,
    did: (type: string) => actions.find(action => action.type === type)?.params,
    types: actions.map(({ type }) => type)
  }
}

test('every transition of a consumer', () => {
  const events = [
    assigned(1, 0, 1),
    assigned(0, 3),
    revoke(1, 0),
    revoke(1, 7),
    lost(1),
    lost(0),
    { type: 'SUSPENDED', reason: 'r' } as const,
    { type: 'STALLED', reason: 'r' } as const,
    { type: 'RESUMED', epoch: 1 } as const,
    { type: 'SURPLUS', group: 'g', partitions: 1, members: 2 } as const,
    { type: 'MEMBER_STATE', state: 's', reason: 'r' } as const,
    { type: 'LEFT' } as const,
    { type: 'MEMBER_FAILED', error } as const,
    { type: 'HANDLER_STOP', error } as const,
    { type: 'CLOSE' } as const,
    released(0),
    released(1),
    ({ context: { nextId } }: { context: { nextId: number } }) => [done(nextId - 1), done(nextId - 2)]
  ]
  const identity = (context: AnyMachineSnapshot['context']) => ({
    ...context,
    nextId: 0,
    closingId: 0,
    revocations: context.revocations.map((r: { waiting: string[] }) => r.waiting)
  })
  const graphs = [input(), input({ membership: 'manual', autoCommitIntervalMs: false })].map(given =>
    explore(machine, { input: given, events, identity, maxDepth: 12 })
  )
  assert.deepEqual(
    graphs[0]!.uncovered.filter(label => graphs[1]!.uncovered.includes(label)),
    []
  )
  for (const { deadEnds } of graphs)
    assert.deepEqual(
      deadEnds.filter(value => value !== 'closed' && value !== 'failed'),
      []
    )
})

test('an assignment is claimed and may be committed; told twice it is claimed once', () => {
  const first = run(assigned(1, 0, 1))
  assert.deepEqual(first.did('setDelivery'), { handOut: true, commits: true, epoch: 1 })
  assert.deepEqual(first.did('claim'), { epoch: 1, partitions: [0, 1].map(partition => ({ ...tp(partition), offset: '5' })) })
  const second = run(assigned(1, 0), assigned(2, 0, 1))
  assert.deepEqual(second.did('claim'), { epoch: 2, partitions: [{ ...tp(1), offset: '5' }] })
  assert.deepEqual(second.context.owned, [tp(0), tp(1)])
})

test('revoked: drained, then committed, then released, in that order; the others are left alone', () => {
  const drain = run(assigned(1, 0, 1, 2), revoke(1, 0, 1))
  assert.deepEqual(drain.did('drain'), { partitions: [tp(0), tp(1)], limitMs: 4000 })
  assert.equal(run(assigned(1, 0, 1, 2), revoke(1, 0, 1), released(0)).did('commit'), undefined)
  const commit = run(assigned(1, 0, 1, 2), revoke(1, 0, 1), released(0), released(1))
  assert.deepEqual(commit.did('commit'), { epoch: 1, partitions: [tp(0), tp(1)], id: 1 })
  assert.equal(commit.did('release'), undefined)
  const release = run(assigned(1, 0, 1, 2), revoke(1, 0, 1), released(0), released(1), done(1))
  assert.deepEqual(release.did('release'), { epoch: 1, partitions: [tp(0), tp(1)] })
  assert.deepEqual(release.context.owned, [tp(2)])
})

test('a revocation of what is not owned is answered at once', () => {
  assert.deepEqual(run(assigned(1, 0), revoke(1, 7)).did('release'), { epoch: 1, partitions: [tp(7)] })
})

test('lost: everything is interrupted, nothing is committed, and a commit that ends later changes nothing', () => {
  const gone = run(assigned(1, 0), revoke(1, 0), released(0), lost(1))
  assert.deepEqual(gone.did('interrupt'), { epoch: 1, partitions: [tp(0)], reason: 'expired' })
  assert.equal(gone.did('commit'), undefined)
  assert.deepEqual(gone.did('setDelivery'), { handOut: true, commits: false, epoch: 1 })
  const late = run(assigned(1, 0), revoke(1, 0), released(0), lost(1), assigned(2, 0), done(1))
  assert.equal(late.did('release'), undefined)
  assert.deepEqual(late.context.owned, [tp(0)])
})

test('the word of an older assignment is dropped', () => {
  assert.deepEqual(run(assigned(2, 0), lost(1)).context.owned, [tp(0)])
  assert.equal(run(assigned(2, 0), assigned(1, 5)).did('claim'), undefined)
})

test('suspended stops commits, stalled stops delivery too, resumed begins both again with its epoch', () => {
  assert.deepEqual(run(assigned(1, 0), { type: 'SUSPENDED', reason: 'r' }).did('setDelivery'), { handOut: true, commits: false, epoch: 1 })
  assert.deepEqual(run(assigned(1, 0), { type: 'SUSPENDED', reason: 'r' }, { type: 'STALLED', reason: 'r' }).did('setDelivery'), {
    handOut: false,
    commits: false,
    epoch: 1
  })
  const resumed = run(assigned(1, 0), { type: 'STALLED', reason: 'r' }, { type: 'RESUMED', epoch: 2 })
  assert.deepEqual(resumed.did('setDelivery'), { handOut: true, commits: true, epoch: 2 })
})

test('it commits after each interval, only while it is certain to own', () => {
  const tick = { type: 'xstate.after.autoCommitInterval.consumer.open.active.running.counting' } as never
  assert.deepEqual(run(assigned(1, 0), tick).did('commit'), { epoch: 1, partitions: null, id: null })
  assert.equal(run(assigned(1, 0), { type: 'SUSPENDED', reason: 'r' }, tick).did('commit'), undefined)
})

test('closing: drain everything, commit, then leave', () => {
  const draining = run(assigned(1, 0, 1), { type: 'CLOSE', timeoutMs: 2000 })
  assert.deepEqual(draining.did('drain'), { partitions: [tp(0), tp(1)], limitMs: 2000 })
  assert.equal(run(assigned(1, 0, 1), { type: 'CLOSE' }, released(0)).did('commit'), undefined)
  const committing = run(assigned(1, 0, 1), { type: 'CLOSE' }, released(0), released(1))
  assert.deepEqual(committing.did('commit'), { epoch: 1, partitions: null, id: 1 })
  const leaving = run(assigned(1, 0), { type: 'CLOSE' }, released(0), done(1))
  assert.deepEqual(leaving.did('tell'), { path: 'consumers/1/member', event: { type: 'CLOSE' } })
  assert.ok(leaving.types.includes('releaseAll'))
  assert.equal(run(assigned(1, 0), { type: 'CLOSE' }, released(0), done(1), { type: 'LEFT' }).value, '"closed"')
})

test('closing while a revocation drains waits for it and does not drain it twice', () => {
  const closing = run(assigned(1, 0, 1), revoke(1, 0), { type: 'CLOSE' })
  assert.deepEqual(closing.did('drain'), { partitions: [tp(1)], limitMs: 4000 })
  assert.deepEqual(run(assigned(1, 0), revoke(1, 0), { type: 'CLOSE' }, released(0)).did('commit'), { epoch: 1, partitions: null, id: 2 })
})

test('closing while a revocation commits answers it, then commits the rest', () => {
  const both = run(assigned(1, 0, 1), revoke(1, 0), released(0), { type: 'CLOSE' }, done(1))
  assert.deepEqual(both.did('release'), { epoch: 1, partitions: [tp(0)] })
  assert.equal(both.value, '{"open":{"closing":"draining"}}')
})

test('a close that takes too long ends anyway; a lost session ends it without a commit', () => {
  const limit = { type: 'xstate.after.closeLimit.consumer.open.closing' } as never
  assert.equal(run(assigned(1, 0), { type: 'CLOSE' }, limit).value, '"closed"')
  const gone = run(assigned(1, 0), { type: 'CLOSE' }, lost(1))
  assert.equal(gone.value, '{"open":{"closing":"leaving"}}')
  assert.equal(gone.did('commit'), undefined)
})

test('a handler whose policy is stop closes the consumer with its error', () => {
  const stopped = run(assigned(1, 0), { type: 'HANDLER_STOP', error }, released(0), done(1), { type: 'LEFT' })
  assert.equal(stopped.value, '"closed"')
  assert.deepEqual(stopped.did('emitClosed'), { error })
})

test('a member that cannot be one fails the consumer', () => {
  const failed = run({ type: 'MEMBER_FAILED', error })
  assert.equal(failed.value, '"failed"')
  assert.deepEqual(failed.did('emitFailed'), { error })
})
