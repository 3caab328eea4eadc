/**
 * Both assignors against the rules of Kafka's Scala consumer: vectors worked out by hand, and properties that hold for any group.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Assign, TopicToAssign } from '../../../src/flow/assignors/assignment.ts'
import { assignRange } from '../../../src/flow/assignors/range.ts'
import { assignRoundrobin, javaHashCode } from '../../../src/flow/assignors/roundrobin.ts'

const count = (n: number) => Array.from({ length: n }, (_, i) => i)
/** `thread: topic/partition …`, for comparing. */
function byThread(assignment: ReturnType<Assign>): Record<string, string[]> {
  const out: Record<string, string[]> = {}
  for (const { topic, partition, thread } of assignment) (out[thread] ??= []).push(`${topic}/${partition}`)
  return out
}

describe('range', () => {
  it('gives the first threads one more each when it does not divide evenly', () => {
    const threads = ['g_b-1-0', 'g_a-1-0', 'g_a-1-1']
    assert.deepEqual(byThread(assignRange([{ topic: 't', partitions: count(8), threads }])), {
      'g_a-1-0': ['t/0', 't/1', 't/2'],
      'g_a-1-1': ['t/3', 't/4', 't/5'],
      'g_b-1-0': ['t/6', 't/7']
    })
  })

  it('sorts partitions as numbers and threads as text by UTF-16 code unit', () => {
    const partitions = [10, 2, 1, 0, 11]
    // As text, stream 10 comes before stream 2; an astral character (two surrogates) before U+FF5E.
    const threads = ['m-2', 'm-10', '\uff5e-0', '\u{1f600}-0']
    assert.deepEqual(byThread(assignRange([{ topic: 't', partitions, threads }])), {
      'm-10': ['t/0', 't/1'],
      'm-2': ['t/2'],
      '\u{1f600}-0': ['t/10'],
      '\uff5e-0': ['t/11']
    })
  })

  it('leaves surplus threads without anything', () => {
    assert.deepEqual(byThread(assignRange([{ topic: 't', partitions: [0, 1], threads: ['a-0', 'b-0', 'c-0'] }])), {
      'a-0': ['t/0'],
      'b-0': ['t/1']
    })
  })

  it('is undisturbed by topics without partitions or without threads', () => {
    assert.deepEqual(
      assignRange([
        { topic: 'empty', partitions: [], threads: ['a-0'] },
        { topic: 'lonely', partitions: [0], threads: [] }
      ]),
      []
    )
  })
})

describe('roundrobin', () => {
  it('hashes as java.lang.String does', () => {
    const known: [string, number][] = [
      ['', 0],
      ['t-0', 112919],
      ['[t,0]', 87540032],
      ['polygenelubricants', -2147483648],
      ['Aa', 2112],
      ['BB', 2112]
    ]
    for (const [text, hash] of known) assert.equal(javaHashCode(text), hash, text)
  })

  it('deals in the order of the hash codes, signed', () => {
    // "t-0".hashCode() is 112919 and each next partition one more, up to t-9; "t-10" comes last.
    const topics = [{ topic: 't', partitions: [10, ...count(10)], threads: ['b-0', 'a-0'] }]
    assert.deepEqual(byThread(assignRoundrobin(topics)), {
      'a-0': ['t/0', 't/2', 't/4', 't/6', 't/8', 't/10'],
      'b-0': ['t/1', 't/3', 't/5', 't/7', 't/9']
    })
    const order = (topic: string) => [...count(12)].sort((a, b) => javaHashCode(`${topic}-${a}`) - javaHashCode(`${topic}-${b}`))
    const negative = assignRoundrobin([{ topic: 'orders.eu', partitions: count(12), threads: ['a-0'] }])
    assert.deepEqual(
      negative.map(({ partition }) => partition),
      order('orders.eu')
    )
  })

  it('prints partitions as old Scala members do when it is told to', () => {
    const topics = [
      { topic: 'a', partitions: count(11), threads: ['x-0', 'y-0'] },
      { topic: 'bb', partitions: count(11), threads: ['x-0', 'y-0'] }
    ]
    const legacy = assignRoundrobin(topics, 'legacy')
    const hashes = legacy.map(({ topic, partition }) => javaHashCode(`[${topic},${partition}]`))
    assert.deepEqual(
      hashes,
      [...hashes].sort((a, b) => a - b)
    )
    assert.notDeepEqual(legacy, assignRoundrobin(topics, 'modern'))
  })

  it('passes over threads that do not subscribe, and steps past the one that took', () => {
    const topics = [
      { topic: 'a', partitions: [0, 1], threads: ['x-0'] },
      { topic: 'b', partitions: [0, 1, 2], threads: ['x-0', 'y-0', 'z-0'] }
    ]
    // a-0, a-1 (both x: the turn passes y and z), then b-0 → y, b-1 → z, b-2 → x.
    assert.deepEqual(byThread(assignRoundrobin(topics)), { 'x-0': ['a/0', 'a/1', 'b/2'], 'y-0': ['b/0'], 'z-0': ['b/1'] })
  })
})

const groups = fc
  .record({
    partitions: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 }),
    members: fc.array(
      fc.record({ id: fc.string({ minLength: 1, maxLength: 8 }), streams: fc.integer({ min: 1, max: 3 }), mask: fc.nat(63) }),
      {
        minLength: 1,
        maxLength: 8
      }
    )
  })
  .map(({ partitions, members }): TopicToAssign[] =>
    partitions.map((n, index) => ({
      topic: `topic${index}`,
      partitions: count(n),
      threads: members
        .filter(({ mask }) => (mask >> index) & 1)
        .flatMap(({ id, streams }, i) => count(streams).map(stream => `${id}${i}-${stream}`))
    }))
  )

const assignors: [string, Assign][] = [
  ['range', assignRange],
  ['roundrobin', assignRoundrobin],
  ['roundrobin, legacy', topics => assignRoundrobin(topics, 'legacy')]
]
for (const [name, assign] of assignors)
  describe(`${name}, for any group`, () => {
    it('gives each partition that has a subscriber to exactly one thread that subscribes to it', () => {
      fc.assert(
        fc.property(groups, topics => {
          const assignment = assign(topics)
          const wanted = topics.filter(({ threads }) => threads.length > 0).flatMap(t => t.partitions.map(p => `${t.topic}/${p}`))
          assert.deepEqual(assignment.map(({ topic, partition }) => `${topic}/${partition}`).sort(), wanted.sort())
          for (const { topic, thread } of assignment) assert.ok(topics.find(each => each.topic === topic)!.threads.includes(thread))
        })
      )
    })

    it('comes to the same whatever the order of what it is told', () => {
      fc.assert(
        fc.property(groups, topics => {
          const mixed = [...topics]
            .reverse()
            .map(t => ({ ...t, partitions: [...t.partitions].reverse(), threads: [...t.threads].reverse() }))
          assert.deepEqual(assign(mixed), assign(topics))
        })
      )
    })
  })

describe('evenness', () => {
  it('range: per topic, the loads of two threads differ by one at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 12 }), (partitions, members) => {
        const threads = count(members).map(i => `m${i}-0`)
        const loads = byThread(assignRange([{ topic: 't', partitions: count(partitions), threads }]))
        const sizes = threads.map(thread => loads[thread]?.length ?? 0)
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1)
      })
    )
  })
})
