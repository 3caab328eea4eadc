/**
 * The order of Java's hash tables: what Java 17 answers for a few sets (more of them in assignors.java.test.ts).
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { JavaHashSet, partitionHashCode } from '../../../../src/flow/assignors/kafka/java-order.ts'

describe('a hash set of Java', () => {
  it('is walked by slot, not by age', () => {
    assert.deepEqual([...JavaHashSet.ofTexts(['orders', 'clicks', 'audit', 'b', 'a'])], ['a', 'b', 'audit', 'clicks', 'orders'])
  })

  it('keeps what shares a slot in the order of its coming, and turns it round where it was computed', () => {
    assert.deepEqual([...JavaHashSet.ofTexts(['BB', 'Aa'])], ['BB', 'Aa'])
    const computed = JavaHashSet.ofTexts()
    for (const text of ['BB', 'Aa', 'BB']) computed.computeIfAbsent(text)
    assert.deepEqual([...computed], ['Aa', 'BB'])
  })

  it('holds each key once, and never becomes smaller', () => {
    const texts = Array.from({ length: 13 }, (_, i) => `t${i}`)
    const set = JavaHashSet.ofTexts([...texts, ...texts])
    assert.equal(set.size, 13)
    for (const text of texts) if (text !== 't7' && text !== 't10') set.delete(text)
    set.delete('not there')
    assert.deepEqual([...set], ['t7', 't10'])
    assert.deepEqual([...JavaHashSet.ofTexts(['t7', 't10'])], ['t10', 't7'])
  })

  it('hashes a partition as Java does', () => {
    assert.equal(partitionHashCode('orders', 7), -1_008_769_153)
  })
})
