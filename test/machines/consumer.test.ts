import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AnyMachineSnapshot, initialTransition, transition } from 'xstate'
import { type ConsumerEvent, type ConsumerInput, consumerMachine as machine } from '../../src/machines/consumer.ts'
import type { PlainError } from '../../src/model/errors.ts'
import { resolveSubscription } from '../../src/model/subscription.ts'
import { explore } from '../support/graph.ts'
import { assertTable } from '../support/graph-table.ts'

const input = (options: object = {}, byZooKeeper = true): ConsumerInput => ({
  instance: 'i',
  path: 'consumers/1',
  subscription: resolveSubscription({ topic: 't', group: 'g', membership: 'zookeeper', ...options }, byZooKeeper),
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

const chosen = (choice: number, membership: 'classic' | 'consumer' = 'classic'): ConsumerEvent => ({
  type: 'CHOSEN',
  choice,
  membership,
  reason: 'r'
})
const notChosen = (choice: number, retriable = true): ConsumerEvent => ({
  type: 'CHOICE_FAILED',
  choice,
  error: { ...error, retriable },
  random: 0.5
})

type Did = { type: string; params?: unknown }[]
const run = (...events: ConsumerEvent[]) => runWith({}, ...events)
function runWith(options: object, ...events: ConsumerEvent[]) {
  let [snapshot, actions] = initialTransition(machine, input(options)) as [AnyMachineSnapshot, Did]
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
  const owning = [
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
  const moves = { type: 'MOVED', to: 'kafka', reason: 'r' } as const
  const moving = [
    assigned(1, 0),
    revoke(1, 0),
    lost(1),
    { type: 'LEFT' } as const,
    { type: 'MEMBER_FAILED', error } as const,
    { type: 'MEMBER_FAILED', error: { ...error, code: 'GROUP_IS_CLASSIC' } } as const,
    { type: 'CLOSE' } as const,
    moves,
    released(0),
    ({ context: { choice } }: { context: { choice: number } }) => [
      ...[chosen(choice, 'consumer'), chosen(choice - 1)],
      ...[notChosen(choice), notChosen(choice, false)]
    ],
    ({ context: { nextId } }: { context: { nextId: number } }) => [done(nextId - 1)]
  ]
  const identity = (context: AnyMachineSnapshot['context']) => ({
    ...context,
    nextId: 0,
    choice: 0,
    attempt: 0,
    delayMs: 0,
    reason: '',
    closingId: 0,
    revocations: context.revocations.map((r: { waiting: string[] }) => r.waiting)
  })
  // What an owner goes through is the same for every kind; a member that may move is walked with one partition.
  const graphs = [
    explore(machine, { input: input(), events: owning, identity, maxDepth: 12 }),
    explore(machine, {
      input: input({ membership: 'manual', autoCommitIntervalMs: false }),
      events: [...owning, moves],
      identity,
      maxDepth: 6
    }),
    explore(machine, { input: input({ membership: 'auto' }), events: moving, identity, maxDepth: 12 })
  ]
  assert.deepEqual(
    graphs[0]!.uncovered.filter(label => graphs.every(({ uncovered }) => uncovered.includes(label))),
    []
  )
  assertTable('consumer', ...graphs)
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
  assert.equal(both.value, '{"open":{"ending":"draining"}}')
})

test('a close that takes too long ends anyway; a lost session ends it without a commit', () => {
  const limit = { type: 'xstate.after.closeLimit.consumer.open.ending' } as never
  assert.equal(run(assigned(1, 0), { type: 'CLOSE' }, limit).value, '"closed"')
  const gone = run(assigned(1, 0), { type: 'CLOSE' }, lost(1))
  assert.equal(gone.value, '{"open":{"ending":"leaving"}}')
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

test('what was asked for is taken at once, and told; `auto` looks first', () => {
  assert.deepEqual(run().did('emitChosen'), { membership: 'zookeeper', reason: 'asked for' })
  assert.equal(run().did('choose'), undefined)
  const looking = runWith({ membership: 'auto' })
  assert.deepEqual(looking.did('choose'), { choice: 1, unfit: null })
  const found = runWith({ membership: 'auto' }, chosen(1, 'consumer'))
  assert.deepEqual(found.did('emitChosen'), { membership: 'consumer', reason: 'r' })
  assert.equal(found.context.subscription.membership, 'consumer')
  assert.equal(runWith({ membership: 'auto' }, chosen(0)).did('emitChosen'), undefined)
})

test('a choice that fails for now is made again after a pause, one that fails for good ends the consumer', () => {
  assert.match(runWith({ membership: 'auto' }, notChosen(1)).value, /pausing/)
  assert.match(runWith({ membership: 'auto' }, notChosen(1, false)).value, /failed/)
})

test('a group that moves: everything is drained, committed and left, then the members are looked for anew', () => {
  const moved: ConsumerEvent = { type: 'MOVED', to: 'kafka', reason: 'the group has moved' }
  const before = [chosen(1), assigned(3, 0), moved] as const
  const drain = runWith({ membership: 'auto' }, ...before)
  assert.deepEqual(drain.did('drain'), { partitions: [tp(0)], limitMs: 30_000 })
  const again = runWith({ membership: 'auto' }, ...before, released(0), done(1), { type: 'LEFT' })
  assert.deepEqual(again.did('choose'), { choice: 2, unfit: null })
  assert.ok(again.types.includes('forgetMember'))
  // The next member counts its epochs from the beginning.
  const next = runWith({ membership: 'auto' }, ...before, released(0), done(1), { type: 'LEFT' }, chosen(2, 'consumer'), assigned(1, 0))
  assert.deepEqual(next.did('claim'), { epoch: 1, partitions: [{ ...tp(0), offset: '5' }] })
})

test('closed while it moves: it closes', () => {
  const events = [chosen(1), { type: 'MOVED', to: 'kafka', reason: 'r' }, { type: 'CLOSE' }, done(1), { type: 'LEFT' }] as ConsumerEvent[]
  assert.equal(runWith({ membership: 'auto' }, ...events).value, '"closed"')
})

test('where the new protocol was refused, by the group or by its coordinator, the classic one is taken, once, where nothing else was asked for', () => {
  for (const code of ['GROUP_IS_CLASSIC', 'UNSUPPORTED_VERSION']) {
    const failed: ConsumerEvent = { type: 'MEMBER_FAILED', error: { ...error, code, message: 'why' } }
    assert.deepEqual(runWith({ membership: 'auto' }, chosen(1, 'consumer'), failed).did('choose'), { choice: 2, unfit: 'why' })
    assert.equal(runWith({ membership: 'auto' }, chosen(1, 'consumer'), failed, chosen(2, 'classic'), failed).value, '"failed"')
    assert.equal(runWith({ membership: 'consumer' }, failed).value, '"failed"')
  }
})
