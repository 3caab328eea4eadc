import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AnyMachineSnapshot, initialTransition, transition } from 'xstate'
import { type ManualMemberContext, type ManualMemberEvent, manualMemberMachine as machine } from '../../src/machines/manual-member.ts'
import type { PlainError } from '../../src/model/errors.ts'
import { resolveSubscription } from '../../src/model/subscription.ts'
import { explore, type Sample } from '../support/graph.ts'
import { assertTable } from '../support/graph-table.ts'

const input = (options: object) => ({
  instance: 'i',
  path: 'consumers/1/member',
  consumer: 'consumers/1',
  subscription: resolveSubscription(options, false),
  retryBackoffMs: 100,
  retryBackoffMaxMs: 1000
})
const byTopic = input({ topic: 't' })
const error = (retriable: boolean): PlainError => ({ name: 'E', code: 'X', message: 'm', retriable, details: {} })
const topic = (name: string, ...partitions: number[]): ManualMemberEvent => ({ type: 'TOPIC', topic: name, topicId: null, partitions })
const found = (lookup: number, ...partitions: number[]): ManualMemberEvent => ({
  type: 'LOOKED_UP',
  lookup,
  partitions: partitions.map(partition => ({ topic: 't', partition, offset: null }))
})

function run(given: ReturnType<typeof input>, ...events: ManualMemberEvent[]) {
  let [snapshot, actions] = initialTransition(machine, given) as [AnyMachineSnapshot, { type: string; params?: unknown }[]]
  for (const event of events)
    [snapshot, actions] = transition(machine as never, snapshot as never, event as never) as unknown as [
      AnyMachineSnapshot,
      { type: string; params?: unknown }[]
    ]
  const all = (type: string) => actions.filter(action => action.type === type).map(({ params }) => params)
  return { value: JSON.stringify(snapshot.value), context: snapshot.context, all, did: (type: string) => all(type)[0] }
}

test('every transition of a manual member', () => {
  const events: readonly Sample<typeof machine>[] = [
    topic('t', 0, 1),
    { type: 'TOPICS', topics: ['t', 'u'] } as const,
    { type: 'TOPIC_MISSING', topic: 't' } as const,
    { type: 'CLOSE' } as const,
    { type: 'ASSIGN', partitions: [{ topic: 't', partition: 0 }] } as const,
    ({ context: { releasing } }): ManualMemberEvent[] => [{ type: 'RELEASED', epoch: 1, partitions: releasing }],
    // What an older look-up still says changes nothing.
    ({ context: { lookup: now, wanted } }) =>
      [now, now - 1].flatMap((lookup): ManualMemberEvent[] => [
        { type: 'LOOKED_UP', lookup, partitions: wanted.map(entry => ({ ...entry, offset: null })) },
        { type: 'LOOKUP_FAILED', lookup, error: error(true), random: 0 },
        { type: 'LOOKUP_FAILED', lookup, error: error(false), random: 0 }
      ])
  ]
  const identity = ({ topics, wanted, claimed, releasing }: ManualMemberContext) => ({ topics, wanted, claimed, releasing })
  const inputs = [byTopic, input({ pattern: 't.*' }), input({ partitions: [{ topic: 't', partition: 1 }] })]
  const graphs = inputs.map(given => explore(machine, { input: given, events, identity }))
  assertTable('manual-member', ...graphs)
  for (const { uncovered, deadEnds } of graphs) {
    assert.deepEqual(uncovered, [])
    assert.deepEqual(deadEnds, ['left'])
  }
})

test('every partition of the topic is claimed once its committed offset is known, also one that is added later', () => {
  assert.deepEqual(run(byTopic).did('followTopic'), { topic: 't' })
  assert.deepEqual(run(byTopic, topic('t', 0, 1)).did('lookUp'), {
    lookup: 1,
    partitions: [0, 1].map(partition => ({ topic: 't', partition }))
  })
  const claimed = run(byTopic, topic('t', 0), found(1, 0)).did('tellConsumer')
  assert.deepEqual(claimed, { event: { type: 'ASSIGNED', epoch: 1, partitions: [{ topic: 't', partition: 0, offset: null }] } })
  assert.deepEqual(run(byTopic, topic('t', 0), found(1, 0), topic('t', 0, 1)).did('lookUp'), {
    lookup: 2,
    partitions: [{ topic: 't', partition: 1 }]
  })
})

test('partitions that come while a look-up runs are looked up after it', () => {
  const { did, all } = run(byTopic, topic('t', 0), topic('t', 0, 1), found(1, 0))
  assert.equal(all('tellConsumer').length, 1)
  assert.deepEqual(did('lookUp'), { lookup: 2, partitions: [{ topic: 't', partition: 1 }] })
})

test('a look-up that fails is made again after a pause, and the stale answer is dropped', () => {
  const failed: ManualMemberEvent = { type: 'LOOKUP_FAILED', lookup: 1, error: error(true), random: 0.5 }
  const pause = { type: 'xstate.after.pause.manual-member.joined.retrying' } as never
  const retrying = run(byTopic, topic('t', 0), failed)
  assert.equal(retrying.value, '{"joined":"retrying"}')
  assert.equal((retrying.did('tellConsumer') as { event: { type: string } }).event.type, 'MEMBER_STATE')
  assert.equal(run(byTopic, topic('t', 0), failed, pause, found(1, 0)).did('tellConsumer'), undefined)
  assert.ok(run(byTopic, topic('t', 0), failed, pause, found(2, 0)).did('tellConsumer'))
})

test('a look-up that can never succeed fails the consumer', () => {
  const { did } = run(byTopic, topic('t', 0), { type: 'LOOKUP_FAILED', lookup: 1, error: error(false), random: 0 })
  assert.deepEqual(did('tellConsumer'), { event: { type: 'MEMBER_FAILED', error: error(false) } })
})

const partition = (number: number) => ({ topic: 't', partition: number })
const given = input({ partitions: [partition(1)] })
const assign = (...numbers: number[]): ManualMemberEvent => ({ type: 'ASSIGN', partitions: numbers.map(partition) })
const released = (...numbers: number[]): ManualMemberEvent => ({ type: 'RELEASED', epoch: 1, partitions: numbers.map(partition) })
const revoke = (...numbers: number[]) => ({
  event: { type: 'REVOKE', epoch: 1, partitions: numbers.map(partition), deadlineMs: 4_000 }
})

test('another assignment: what is new is looked up and claimed, what goes is revoked, what stays is not named', () => {
  const changed = run(given, found(1, 1), assign(1, 2))
  assert.deepEqual(changed.did('lookUp'), { lookup: 2, partitions: [partition(2)] })
  assert.equal(changed.did('tellConsumer'), undefined)
  assert.deepEqual(run(given, found(1, 1), assign(2)).did('tellConsumer'), revoke(1))
  assert.deepEqual(run(given, found(1, 1), assign()).all('tellConsumer'), [revoke(1)])
})

test('what was revoked is claimed again only after it was let go of', () => {
  const back = run(given, found(1, 1), assign(), assign(1))
  assert.equal(back.did('lookUp'), undefined)
  assert.deepEqual(run(given, found(1, 1), assign(), assign(1), released(1)).did('lookUp'), { lookup: 2, partitions: [partition(1)] })
  assert.equal(run(given, found(1, 1), assign(), released(1)).did('lookUp'), undefined)
})

test('what is not wanted any more when it was looked up is not claimed', () => {
  assert.equal(run(given, assign(2), found(1, 1)).did('tellConsumer'), undefined)
  assert.deepEqual(run(given, assign(2), found(1, 1)).did('lookUp'), { lookup: 2, partitions: [partition(2)] })
})

test('a topic that is gone: its partitions are given back, and claimed again when it is there again', () => {
  const missing: ManualMemberEvent = { type: 'TOPIC_MISSING', topic: 't' }
  const [state, told] = run(byTopic, topic('t', 0), found(1, 0), missing).all('tellConsumer') as { event: { reason: string } }[]
  assert.match(state!.event.reason, /given back/)
  assert.deepEqual(told, revoke(0))
  const there = [topic('t', 0), found(1, 0), missing, topic('t', 0, 1)]
  assert.deepEqual(run(byTopic, ...there).did('lookUp'), { lookup: 2, partitions: [partition(1)] })
  assert.deepEqual(run(byTopic, ...there, found(2, 1), released(0)).did('lookUp'), { lookup: 3, partitions: [partition(0)] })
})

test('a topic that was made again with fewer partitions keeps those that it has', () => {
  assert.deepEqual(run(byTopic, topic('t', 0, 1), found(1, 0, 1), topic('t', 0)).all('tellConsumer'), [revoke(1)])
})

test('a pattern matches whole names, and follows each topic once', () => {
  const first = run(input({ pattern: 'a.*' }), { type: 'TOPICS', topics: ['ab', 'ba', 'a'] })
  assert.deepEqual(first.all('followTopic'), [{ topic: 'ab' }, { topic: 'a' }])
  const names: ManualMemberEvent = { type: 'TOPICS', topics: ['ab'] }
  assert.deepEqual(run(input({ pattern: 'a.*' }), names, names).all('followTopic'), [])
})

test('leaving, it unfollows everything and says so', () => {
  const { all } = run(byTopic, { type: 'CLOSE' })
  assert.deepEqual(all('unfollowTopic'), [{ topic: 't' }])
  assert.deepEqual(all('tellConsumer'), [{ event: { type: 'LEFT' } }])
})
