import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topicMachine as machine, type TopicContext, type TopicEvent } from '../../src/machines/topic.ts'
import { assertEveryTransition } from '../support/graph.ts'
import { assertTable } from '../support/graph-table.ts'
import { runMachine } from '../support/run-machine.ts'

const input = { instance: 'i', path: 'topics/t', topic: 't', create: false, retryBackoffMs: 100 }
const level = (topicId: string | null = 'A', partitions = [0, 1]): TopicEvent => ({ type: 'TOPIC_LEVEL', topicId, partitions })
const leaders = (...list: [partition: number, leader: number, leaderEpoch: number][]): TopicEvent => ({
  type: 'LEADERS_LEVEL',
  leaders: list.map(([partition, leader, leaderEpoch]) => ({ partition, leader, leaderEpoch }))
})
const follow = (partition: number | null): TopicEvent => ({ type: 'FOLLOW', path: `f${partition ?? ''}`, partition })
const seek = (leaderEpoch: number): TopicEvent => ({ type: 'SEEK_LEADER', partition: 0, leaderEpoch, reason: 'r' })
const error = { name: 'BrokerError', code: 'X', message: 'm', retriable: false, details: {} }

function run(...events: TopicEvent[]) {
  const { value, context, did, actions } = runMachine<TopicContext>(machine, input, events)
  return { value, context, told: did('tell').map(told => (told as { event: { type: string } }).event), did: actions }
}

for (const create of [false, true])
  test(`every transition of a topic, ${create ? 'created where it is missing' : 'never created'}`, () => {
    const never = 'never taken with this option'
    assertTable(
      create ? 'topic-created' : 'topic',
      assertEveryTransition(machine, {
        input: { ...input, create },
        events: [
          level(),
          level('B', [0]),
          leaders([0, 1, 1]),
          leaders([0, -1, 2]),
          { type: 'LEADERS_LEVEL', topicId: 'Z', leaders: [{ partition: 0, leader: 3, leaderEpoch: 3 }] },
          follow(0),
          follow(null),
          { type: 'UNFOLLOW', path: 'f0', partition: 0 },
          seek(0),
          seek(9),
          { type: 'TOPIC_GONE' },
          { type: 'CREATED' },
          { type: 'CREATE_FAILED', error, final: true },
          { type: 'CREATE_FAILED', error, final: false }
        ],
        identity: ({ topicId, ids, leaders: known, followers }) => ({ topicId, ids, known, followers: followers.length }),
        restsIn: ['missing'],
        unreachable: create
          ? { 'topic.asking ─ TOPIC_GONE #2 → topic.missing': never }
          : {
              'topic.asking ─ TOPIC_GONE #1 [mayCreate] → topic.creating': never,
              'topic.creating ─ TOPIC_LEVEL → topic.known': never,
              'topic.creating ─ CREATED': never,
              'topic.creating ─ CREATE_FAILED #1 [isFinal] → topic.missing': never,
              'topic.creating ─ CREATE_FAILED #2': never,
              'topic.creating ─ xstate.after.pause.topic.creating → topic.creating': never
            }
      })
    )
  })

test('the higher leader epoch wins, whichever source is later', () => {
  const { context } = run(level(), leaders([0, 1, 5]), leaders([0, 2, 4]))
  assert.deepEqual(context.leaders[0], { node: 1, leaderEpoch: 5 })
  assert.deepEqual(run(level(), leaders([0, 1, 5]), leaders([0, 2, 6])).context.leaders[0], { node: 2, leaderEpoch: 6 })
})

test('a source that tells no epochs (brokers before 2.1) does not overrule one that does', () => {
  assert.deepEqual(run(level(), leaders([0, 1, 5]), leaders([0, 2, -1])).context.leaders[0], { node: 1, leaderEpoch: 5 })
  assert.deepEqual(run(level(), leaders([0, 1, -1]), leaders([0, 2, -1])).context.leaders[0], { node: 2, leaderEpoch: -1 })
})

test('a follower is told what is known at once, and changes of its own partition only', () => {
  assert.deepEqual(run(level(), leaders([0, 1, 1]), follow(0)).told, [
    { type: 'LEADER', topic: 't', partition: 0, node: 1, leaderEpoch: 1, topicId: 'A' }
  ])
  assert.deepEqual(run(level(), leaders([0, 1, 1]), follow(0), leaders([1, 2, 1])).told, [])
  assert.deepEqual(run(level(), leaders([0, 1, 1]), follow(0), leaders([0, -1, 2])).told, [
    { type: 'NO_LEADER', topic: 't', partition: 0, leaderEpoch: 2 }
  ])
})

test('a topic that was created anew (another id) begins with new epochs', () => {
  const { context } = run(level('A'), leaders([0, 1, 7]), level('B'), leaders([0, 2, 0]))
  assert.deepEqual(context.leaders[0], { node: 2, leaderEpoch: 0 })
})

test('a broker that lags and still speaks of the topic that is gone is not believed', () => {
  const ofA: TopicEvent = { type: 'LEADERS_LEVEL', topicId: 'A', leaders: [{ partition: 0, leader: 1, leaderEpoch: 9 }] }
  const made = [level('A'), leaders([0, 1, 7]), follow(0), level('B'), leaders([0, 2, 0])]
  const late = run(...made, level('A', [0, 1, 2]), ofA)
  assert.equal(late.context.topicId, 'B')
  assert.deepEqual(late.context.partitions, [0, 1])
  assert.deepEqual(late.context.leaders[0], { node: 2, leaderEpoch: 0 })
  assert.deepEqual(late.told, [])
  const gone = run(level('A'), level('B'), { type: 'TOPIC_GONE' }, level('A'))
  assert.equal(gone.value, 'missing')
  // Gone and there again with the same id: it was a broker that did not know it.
  assert.deepEqual(run(level('A'), { type: 'TOPIC_GONE' }, level('A')).value, { known: 'settled' })
})

test('leaders of a topic that is gone do not become those of the next one', () => {
  const { context } = run(level('A'), leaders([0, 1, 7]), { type: 'TOPIC_GONE' }, leaders([0, 1, 7]), level('B'), leaders([0, 2, 0]))
  assert.deepEqual(context.leaders[0], { node: 2, leaderEpoch: 0 })
})

test('one question per pause, however many partitions seek their leader', () => {
  assert.ok(run(level(), leaders([0, 1, 1]), seek(1)).did.includes('ask'))
  assert.ok(!run(level(), leaders([0, 1, 1]), seek(1), seek(1)).did.includes('ask'))
})

test('who seeks with an older epoch than is known causes no question', () => {
  assert.ok(!run(level(), leaders([0, 1, 3]), seek(2)).did.includes('ask'))
})

test('a deleted topic is told to its followers, and its publishes fail', () => {
  const gone = run(level(), leaders([0, 1, 1]), follow(0), follow(null), { type: 'TOPIC_GONE' })
  assert.deepEqual(
    gone.told.map(event => event.type),
    ['NO_LEADER', 'TOPIC_MISSING']
  )
  assert.ok(gone.did.includes('setMissing'))
})
