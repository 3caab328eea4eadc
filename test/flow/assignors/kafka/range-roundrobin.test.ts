/**
 * `range` and `roundrobin`: worked out by hand after Java's rules, with static members and racks.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RangeAssignor } from '../../../../src/flow/assignors/kafka/range.ts'
import { RoundRobinAssignor } from '../../../../src/flow/assignors/kafka/roundrobin.ts'
import { groupOf, shown } from './groups.ts'

const range = (...given: Parameters<typeof groupOf>) => shown(new RangeAssignor().assign(groupOf(...given)))
const roundrobin = (...given: Parameters<typeof groupOf>) => shown(new RoundRobinAssignor().assign(groupOf(...given)))
/** A replica in each of these racks. */
const inRacks = (...racks: string[]) => racks.map(rack => [...rack])

describe('range', () => {
  it('gives runs, topic by topic, the first members one more', () => {
    assert.deepEqual(range({ t: 5, u: 3 }, { b: {}, a: {} }), { a: 't/0 t/1 t/2 u/0 u/1', b: 't/3 t/4 u/2' })
  })

  it('leaves surplus members without anything, and passes over topics that do not exist', () => {
    assert.deepEqual(range({ t: 1 }, { a: { topics: ['t', 'none'] }, b: {} }), { a: 't/0', b: '' })
  })

  it('counts for each topic only those that subscribe to it', () => {
    assert.deepEqual(range({ t: 2, u: 2 }, { a: { topics: ['t'] }, b: { topics: ['u', 't'] } }), { a: 't/0', b: 't/1 u/0 u/1' })
  })

  it('puts static members first, by their instance ids', () => {
    const members = { a: {}, z: { groupInstanceId: 'i2' }, y: { groupInstanceId: 'i3' }, x: { groupInstanceId: 'i1' } }
    assert.deepEqual(range({ t: 4 }, members), { x: 't/0', z: 't/1', y: 't/2', a: 't/3' })
  })

  it('gives within racks what can be, without making shares unequal', () => {
    const topics = { t: inRacks('a', 'b', 'a', 'b') }
    assert.deepEqual(range(topics, { m1: { rackId: 'b' }, m2: { rackId: 'a' } }), { m1: 't/1 t/3', m2: 't/0 t/2' })
    assert.deepEqual(range({ t: inRacks('a', 'a', 'a', 'b') }, { m1: { rackId: 'b' }, m2: { rackId: 'a' } }), {
      m1: 't/2 t/3',
      m2: 't/0 t/1'
    })
  })

  it('gives the same numbers of copartitioned topics to one member, in its rack where both have it', () => {
    const topics = { t: inRacks('a', 'b', 'c'), u: inRacks('a', 'b', 'c') }
    const members = { m1: { rackId: 'c' }, m2: { rackId: 'a' }, m3: { rackId: 'b' } }
    assert.deepEqual(range(topics, members), { m1: 't/2 u/2', m2: 't/0 u/0', m3: 't/1 u/1' })
    assert.deepEqual(range({ ...topics, u: inRacks('b', 'b', 'c') }, members), { m1: 't/2 u/2', m2: 't/0 u/0', m3: 't/1 u/1' })
  })

  it('does not look at racks that all partitions have, or that no member has', () => {
    const members = { m1: { rackId: 'b' }, m2: { rackId: 'a' } }
    const plain = { m1: 't/0', m2: 't/1' }
    assert.deepEqual(range({ t: inRacks('ab', 'ba') }, members), plain)
    assert.deepEqual(range({ t: inRacks('c', 'd') }, members), plain)
    assert.deepEqual(range({ t: inRacks('a', 'b') }, { m1: {}, m2: {} }), plain)
    assert.deepEqual(range({ t: [[null], [null]] }, members), plain)
    assert.deepEqual(range({ t: inRacks('a', 'b') }, { m1: { rackId: '' }, m2: { rackId: '' } }), plain)
  })
})

describe('roundrobin', () => {
  it('deals all partitions in turn, by topic and number', () => {
    assert.deepEqual(roundrobin({ u: 3, t: 2 }, { b: {}, a: {} }), { a: 't/0 u/0 u/2', b: 't/1 u/1' })
  })

  it('passes over members that do not subscribe', () => {
    const members = { a: { topics: ['t'] }, b: { topics: ['t', 'u'] }, c: { topics: ['u', 'none'] } }
    assert.deepEqual(roundrobin({ t: 1, u: 3 }, members), { a: 't/0', b: 'u/0 u/2', c: 'u/1' })
  })

  it('puts static members first, by their instance ids', () => {
    assert.deepEqual(roundrobin({ t: 3 }, { a: {}, z: { groupInstanceId: 'i1' }, b: { groupInstanceId: 'i2' } }), {
      z: 't/0',
      b: 't/1',
      a: 't/2'
    })
  })
})
