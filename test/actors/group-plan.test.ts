/** Members, partitions and assignor put together: what must be known first, who gets what, who is left out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf } from '../../src/actors/group-plan.ts'
import type { GroupMember } from '../../src/registry/group/znodes.ts'

const member = (memberId: string, ...topics: string[]): GroupMember => ({
  memberId,
  subscription: { kind: 'static', topics: Object.fromEntries(topics.map(topic => [topic, 1])) }
})
const wildcard = (memberId: string, pattern: string, kind: 'white_list' | 'black_list' = 'white_list', streams = 1): GroupMember => ({
  memberId,
  subscription: { kind, pattern, streams }
})
const level = (topic: string, count: number) => ({ topic, topicId: null, partitions: [...Array(count).keys()] })

function plan(members: GroupMember[], more: Partial<Parameters<typeof planOf>[0]> = {}) {
  return planOf({
    memberId: 'me',
    assignor: 'range',
    roundrobinOrder: 'modern',
    members: { registered: true, members, quarantined: [] },
    levels: [],
    names: null,
    ...more
  })
}
const mine = (result: ReturnType<typeof plan>) => result.mine.map(({ topic, partition }) => `${topic}/${partition}`).join(' ')

test('range needs only the partitions of its own topics', () => {
  const members = [member('me', 't'), member('you', 't', 'u')]
  const before = plan(members)
  assert.deepEqual([before.ready, before.follow, before.names], [false, ['t'], false])
  const after = plan(members, { levels: [level('t', 3)] })
  assert.ok(after.ready)
  assert.equal(mine(after), 't/0 t/1')
  assert.deepEqual(after.shares, [
    { thread: 'me-0', topic: 't', partitions: [0, 1] },
    { thread: 'you-0', topic: 't', partitions: [2] }
  ])
})

test('range with a peer by pattern: its pattern is asked about our topics only', () => {
  const result = plan([member('me', 't'), wildcard('you', '[a-z]')], { levels: [level('t', 2)] })
  assert.deepEqual([result.ready, result.names], [true, false])
  assert.equal(mine(result), 't/0')
})

test('roundrobin needs all topics of the group, and all names when somebody has a pattern', () => {
  const members = [member('me', 't'), wildcard('you', 'u.*')]
  const roundrobin = { assignor: 'roundrobin' as const }
  assert.deepEqual(plan([member('me', 't'), member('you', 'u')], roundrobin).follow, ['t', 'u'])
  assert.deepEqual([plan(members, roundrobin).ready, plan(members, roundrobin).names], [false, true])
  const named = plan(members, { ...roundrobin, names: ['t', 'u1', 'u2', 'x'], levels: [level('t', 1), level('u1', 1)] })
  assert.deepEqual([named.ready, named.follow], [false, ['t', 'u1', 'u2']])
  const all = plan(members, { ...roundrobin, names: ['t', 'u1', 'u2', 'x'], levels: [level('t', 1), level('u1', 1), level('u2', 1)] })
  assert.equal(mine(all), 't/0')
  assert.equal(all.partitions, 1, 'only those of our own topics count as ours to share')
})

test('our own pattern: names first, then partitions; a black list takes the rest, never the internal ones', () => {
  const names = ['a', 'b', '__consumer_offsets']
  assert.deepEqual(plan([wildcard('me', 'a|b')]).names, true)
  assert.deepEqual(plan([wildcard('me', 'a|__.*')], { names }).follow, ['a'])
  assert.deepEqual(plan([wildcard('me', 'a', 'black_list')], { names }).follow, ['b'])
})

test('threads: a peer with more streams gets more', () => {
  const result = plan([member('me', 't'), wildcard('you', 't', 'white_list', 3)], { levels: [level('t', 4)] })
  assert.equal(mine(result), 't/0')
  assert.equal(result.members, 2)
})

test('a member whose pattern cannot be used is left out, with the reason', () => {
  const result = plan([member('me', 't'), wildcard('you', '(a')], { levels: [level('t', 2)] })
  assert.equal(mine(result), 't/0 t/1')
  assert.match(result.quarantined[0]!.problem, /pattern "\(a".*not closed/)
})

test('a topic that does not exist has no partitions, and that is an answer', () => {
  const result = plan([member('me', 't')], { levels: [level('t', 0)] })
  assert.deepEqual([result.ready, result.mine, result.partitions], [true, [], 0])
})

test('topics may be named as things that every object has', () => {
  const names = ['__proto__', 'constructor']
  const result = plan([member('me', ...names)], { levels: names.map(name => level(name, 1)) })
  assert.equal(mine(result), '__proto__/0 constructor/0')
  assert.equal(plan([member('me', 't'), member('you', 'u')], { levels: [level('t', 1)] }).mine.length, 1)
})
