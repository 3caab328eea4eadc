import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Bag } from '../../src/flow/bag.ts'

describe('a bag', () => {
  it('holds what was put in until it is taken out, in no order', () => {
    const bag = new Bag<string>()
    for (const item of ['a', 'b', 'c']) bag.add(item)
    assert.equal(bag.delete('a'), true)
    assert.equal(bag.delete('a'), false)
    assert.deepEqual([...bag].sort(), ['b', 'c'])
    assert.equal(bag.size, 2)
    assert.equal(bag.delete('b'), true)
    assert.equal(bag.delete('c'), true)
    assert.deepEqual([bag.size, bag.delete('c')], [0, false])
  })

  it('may change while it is looked through', () => {
    const bag = new Bag<number>()
    for (const item of [1, 2, 3]) bag.add(item)
    const seen: number[] = []
    for (const item of bag) {
      seen.push(item)
      bag.clear()
    }
    assert.deepEqual(seen.sort(), [1, 2, 3])
    assert.equal(bag.size, 0)
  })
})
