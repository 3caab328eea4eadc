/**
 * `sticky` and `cooperative-sticky` by name: what is kept, who is believed, what waits for its owner, and the three places where Java's
 * own answer would be none and ours is.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CooperativeStickyAssignor, StickyAssignor } from '../../../../src/flow/assignors/kafka/sticky.ts'
import { decodeStickyUserData, encodeGeneration, encodeStickyUserData } from '../../../../src/flow/assignors/kafka/sticky-user-data.ts'
import { groupOf, partitionsOf, shown } from './groups.ts'

const cooperative = (...given: Parameters<typeof groupOf>) => shown(new CooperativeStickyAssignor().assign(groupOf(...given)))
const sticky = (...given: Parameters<typeof groupOf>) => shown(new StickyAssignor().assign(groupOf(...given)))
/** What an eager member says of its last assignment. */
const had = (owns: string, generation: number) => ({ userData: encodeStickyUserData(partitionsOf(owns), generation) })
const inRacks = (...racks: string[]) => racks.map(rack => [...rack])

describe('with equal subscriptions', () => {
  it('deals new partitions in turn', () => {
    assert.deepEqual(sticky({ t: 3, u: 2 }, { a: {}, b: {} }), { a: 't/0 t/2 u/1', b: 't/1 u/0' })
  })

  it('leaves everybody what they had when one leaves, and shares out the rest', () => {
    const members = { a: had('t/0 t/3', 1), b: had('t/1 t/4', 1) }
    assert.deepEqual(sticky({ t: 6 }, members), { a: 't/0 t/3 t/2', b: 't/1 t/4 t/5' })
  })

  it('takes from those that have too much only what the new one needs', () => {
    const members = { a: had('t/0 t/1 t/2', 1), b: had('t/3 t/4 t/5', 1), c: {} }
    assert.deepEqual(sticky({ t: 6 }, members), { a: 't/0 t/1', b: 't/3 t/4', c: 't/2 t/5' })
  })

  it('lets one keep one more where it does not divide evenly', () => {
    assert.deepEqual(sticky({ t: 3 }, { a: had('t/0', 1), b: had('t/1 t/2', 1) }), { a: 't/0', b: 't/1 t/2' })
  })

  it('believes of two claims the newer one', () => {
    const members = { a: { owns: 't/0 t/1', generationId: 2 }, b: { owns: 't/0 t/1', generationId: 3 } }
    assert.deepEqual(cooperative({ t: 2 }, members), { a: '', b: 't/0' })
  })

  it('believes none of two claims of one generation, and gives it to nobody before both have given it back', () => {
    const members = { a: { owns: 't/0 t/1', generationId: 3 }, b: { owns: 't/1 t/2', generationId: 3 } }
    assert.deepEqual(cooperative({ t: 4 }, members), { a: 't/0', b: 't/2 t/3' })
  })

  it('moves what is owned in another rack, as far as shares stay equal', () => {
    const members = { a: { rackId: 'a', ...had('t/1 t/2', 1) }, b: { rackId: 'b', ...had('t/0 t/3', 1) } }
    assert.deepEqual(sticky({ t: inRacks('a', 'b', 'a', 'b') }, members), { a: 't/2 t/0', b: 't/3 t/1' })
    assert.deepEqual(sticky({ t: inRacks('a', 'a', 'a', 'b') }, members), { a: 't/1 t/2', b: 't/3 t/0' })
  })
})

describe('with different subscriptions', () => {
  it('gives to those that have least, partitions with few subscribers first', () => {
    const members = { a: { topics: ['t'] }, b: { topics: ['t', 'u'] }, c: { topics: ['u', 'v'] } }
    assert.deepEqual(sticky({ t: 2, u: 2, v: 1 }, members), { a: 't/0', b: 't/1 u/0', c: 'v/0 u/1' })
  })

  it('takes away what a member does not subscribe to any more', () => {
    const members = { a: { topics: ['u'], ...had('t/0 t/1 u/0', 1) }, b: { topics: ['t'] } }
    assert.deepEqual(sticky({ t: 2, u: 1 }, members), { a: 'u/0', b: 't/0 t/1' })
  })

  it('moves partitions until no move makes shares more equal', () => {
    const members = { a: { topics: ['t'], ...had('t/0 t/1 t/2 t/3', 1) }, b: { topics: ['t', 'u'], ...had('u/0', 1) } }
    assert.deepEqual(sticky({ t: 4, u: 1 }, members), { a: 't/1 t/2 t/3', b: 'u/0 t/0' })
  })

  it('gives back to the owner before the last one', () => {
    const members = {
      a: { topics: ['t'], generationId: 5, ...had('t/0 t/1 t/2 t/3', 5) },
      b: { topics: ['t'], generationId: 5 },
      c: { topics: ['t', 'u'], generationId: 4, ...had('t/0', 4) }
    }
    assert.deepEqual(sticky({ t: 4, u: 1 }, members), { a: 't/2 t/3', b: 't/1', c: 'u/0 t/0' })
  })
})

describe('cooperative', () => {
  it('gives what changes hands to nobody, and to the new owner once it is free', () => {
    const topics = { t: 4 }
    const before = cooperative(topics, { a: { owns: 't/0 t/1 t/2 t/3', generationId: 1 }, b: {} })
    assert.deepEqual(before, { a: 't/0 t/1', b: '' })
    const after = cooperative(topics, { a: { owns: 't/0 t/1', generationId: 2 }, b: { generationId: 2 } })
    assert.deepEqual(after, { a: 't/0 t/1', b: 't/2 t/3' })
  })

  it('does so with different subscriptions, too', () => {
    const b = { topics: ['t', 'u'] }
    const before = cooperative({ t: 3, u: 1 }, { a: { topics: ['t'], owns: 't/0 t/1 t/2', generationId: 1 }, b })
    assert.deepEqual(before, { a: 't/1 t/2', b: 'u/0' })
    const after = cooperative(
      { t: 3, u: 1 },
      { a: { topics: ['t'], owns: 't/1 t/2', generationId: 2 }, b: { ...b, owns: 'u/0', generationId: 2 } }
    )
    assert.deepEqual(after, { a: 't/1 t/2', b: 'u/0 t/0' })
  })

  it('believes an old member that says its generation in its user data', () => {
    const a = { owns: 't/0', generationId: 6 }
    assert.deepEqual(cooperative({ t: 2 }, { a, b: { owns: 't/0', userData: encodeGeneration(7) } }), { a: 't/1', b: 't/0' })
    for (const userData of [encodeGeneration(5), Buffer.from([1]), null])
      assert.deepEqual(cooperative({ t: 2 }, { a, b: { owns: 't/0', userData } }), { a: 't/0', b: 't/1' })
  })
})

describe('where Java would double, misplace or throw', () => {
  it('ignores a claim to a partition that does not exist', () => {
    const members = { a: { owns: 't/0 t/7', generationId: 1 }, b: { owns: 'x/0 t/1', generationId: 1 } }
    assert.deepEqual(cooperative({ t: 3 }, { a: members.a, b: { ...members.b, topics: ['t', 'x'] } }), { a: 't/0 t/2', b: 't/1' })
    assert.deepEqual(cooperative({ t: 3 }, members), { a: 't/0 t/2', b: 't/1' })
  })

  it('gives nothing to a member without topics', () => {
    assert.deepEqual(cooperative({ t: 2 }, { a: { topics: [] }, b: {} }), { a: '', b: 't/0 t/1' })
    assert.deepEqual(cooperative({ t: 2 }, { a: { topics: [] } }), { a: '' })
  })

  it('gives nothing back to a former owner that does not subscribe any more', () => {
    const members = {
      a: { topics: ['t', 'u'], owns: 't/0 t/1 t/2 t/3', generationId: 5 },
      b: { topics: ['t'], generationId: 5 },
      c: { topics: ['u'], owns: 't/0 t/1', generationId: 4 }
    }
    assert.deepEqual(cooperative({ t: 4, u: 1 }, members), { a: 't/2 t/3', b: '', c: 'u/0' })
  })
})

describe('what members of sticky say', () => {
  it('is nothing before the first assignment, and then that and its generation, topics in the order of Java', () => {
    const assignor = new StickyAssignor()
    assert.equal(assignor.userData(), null)
    assignor.onAssignment(partitionsOf('BB/1 Aa/0 BB/0'), null, 3)
    const expected = '00000002 0002 4161 00000001 00000000 0002 4242 00000002 00000001 00000000 00000003'.replaceAll(' ', '')
    assert.equal(Buffer.from(assignor.userData()!).toString('hex'), expected)
  })

  it('comes back, with and without a generation', () => {
    const written = encodeStickyUserData(partitionsOf('t/1 t/0'), 3)
    assert.deepEqual(decodeStickyUserData(written), { partitions: partitionsOf('t/1 t/0'), generation: 3 })
    assert.deepEqual(decodeStickyUserData(written.subarray(0, -4)), { partitions: partitionsOf('t/1 t/0'), generation: null })
  })

  it('is nothing where it cannot be read, and makes nothing large', () => {
    assert.deepEqual(decodeStickyUserData(null), { partitions: [], generation: null })
    assert.deepEqual(decodeStickyUserData(Buffer.alloc(0)), { partitions: [], generation: null })
    for (const hex of ['7fffffff', '00000001', 'ffffffff', '00000001000174 7fffffff'.replace(' ', '')])
      assert.deepEqual(decodeStickyUserData(Buffer.from(hex, 'hex')), { partitions: [], generation: -1 })
  })

  it('of cooperative-sticky is the generation alone', () => {
    const assignor = new CooperativeStickyAssignor()
    assert.equal(Buffer.from(assignor.userData()).toString('hex'), 'ffffffff')
    assignor.onAssignment([], null, 258)
    assert.equal(Buffer.from(assignor.userData()).toString('hex'), '00000102')
  })
})

it('a group without members is assigned nothing', () => {
  assert.equal(new StickyAssignor().assign(groupOf({ t: 1 }, {})).size, 0)
})
