/**
 * A topic that is deleted and made again: what lay in the old one is excused, what lies in the new one is not, and no offset of the one is taken for the
 * same offset of the other.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { check } from './checker.ts'
import type { Entry, Named, Operation } from './operation.ts'

type Line = [process: string, f: Named, value: unknown]

const send = (key: string, offset: number, value: string): Line => ['p', 'send', [['send', key, [offset, value]]]]
const poll = (process: string, key: string, ...entries: Entry[]): Line => [process, 'poll', [['poll', { [key]: entries }]]]
const deleted = (...entries: Entry[]): Line => ['nemesis', 'deleted', { topic: 't', log: { 't/0': entries } }]
const commit = (process: string, offset: number): Line => [process, 'commit', { offsets: { 't/0': offset } }]
const seek = (process: string, offset: number): Line => [process, 'seek', { offsets: { 't/0': offset } }]
const member = (process: string): Line[] => [
  [process, 'subscribe', { group: 'g' }],
  [process, 'assigned', { partitions: ['t/0'], epoch: 1 }]
]

function found(...lines: Line[]): string[] {
  const operations = lines.map(([process, f, value], index) => ({ index, time: index, process, type: 'ok', f, value }) as Operation)
  return check(operations, { mode: 'idempotent' }).anomalies.map(({ anomaly }) => anomaly)
}

const OLD: Entry[] = [
  [0, 'a'],
  [1, 'b'],
  [2, 'c']
]
const before = [...member('one'), ...OLD.map(([offset, value]) => send('t/0', offset!, value!)), poll('one', 't/0', [0, 'a'])]

describe('a topic deleted and made again', () => {
  test('need not be read to the end, and its offsets are others', () => {
    assert.deepEqual(
      found(...before, deleted(...OLD), send('t/0', 0, 'x'), seek('one', 0), poll('one', 't/0', [0, 'x']), commit('one', 1)),
      []
    )
  })

  test('what was read from it before is told later', () => {
    assert.deepEqual(
      found(...before, deleted(...OLD), send('t/0', 0, 'x'), poll('one', 't/0', [1, 'b'], [2, 'c']), poll('one', 't/0', [0, 'x'])),
      []
    )
  })

  test('an ack that arrives after it was deleted is one of the old topic', () => {
    assert.deepEqual(found(...member('one'), deleted([0, 'a']), send('t/0', 0, 'a'), send('t/0', 0, 'x'), poll('one', 't/0', [0, 'x'])), [])
  })

  test('a message that lay in both is no duplicate', () => {
    const old = [...member('one'), poll('one', 't/0', [0, 'a']), deleted([0, 'a']), send('t/0', 3, 'a'), poll('one', 't/0', [3, 'a'])]
    assert.deepEqual(found(...old), [])
    assert.deepEqual(found(...old, poll('one', 't/0', [4, 'a'])), ['duplicate'])
  })

  test('a jump inside the old one is still a jump', () => {
    assert.deepEqual(found(...before, poll('one', 't/0', [2, 'c']), deleted(...OLD)), ['poll-skip', 'lost-write'])
  })

  test('what nobody has read of the new one is missing', () => {
    assert.deepEqual(found(...before, deleted(...OLD), send('t/0', 0, 'x'), send('t/0', 1, 'y'), poll('one', 't/0', [1, 'y'])), [
      'lost-write'
    ])
    assert.deepEqual(found(...before, deleted(...OLD), send('t/0', 0, 'x')), ['unseen'])
  })

  test('an old position that is committed into the new one is beyond what was given', () => {
    const lines = [
      deleted(...OLD),
      send('t/0', 0, 'x'),
      send('t/0', 1, 'y'),
      seek('one', 0),
      poll('one', 't/0', [0, 'x']),
      commit('one', 3)
    ]
    assert.deepEqual(found(...before, ...lines, poll('one', 't/0', [1, 'y'])), ['commit-beyond-position'])
  })

  test('who has the old one is no second owner, unless it touches the new one', () => {
    const lines = [...before, deleted(...OLD), ...member('two')]
    const old: Line = ['one', 'revoked', { partitions: ['t/0'] }]
    assert.deepEqual(found(...lines, poll('one', 't/0', [1, 'b']), commit('one', 2), old), [])
    const touched = [send('t/0', 0, 'x'), poll('one', 't/0', [0, 'x']), old, poll('two', 't/0', [0, 'x'])]
    assert.deepEqual(found(...lines, ...touched), ['two-owners'])
  })

  test('is owned by its name', () => {
    const lines = [deleted(...OLD), send('t/0', 0, 'x'), poll('one', 't/0', [0, 'x'])]
    assert.deepEqual(found(...before, ...lines), [])
    assert.deepEqual(found(...before, ['one', 'revoked', { partitions: ['t/0'] }], ...lines), ['delivery-outside-ownership'])
  })
})
