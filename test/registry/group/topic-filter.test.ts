/**
 * Wildcard subscriptions: Scala's rules, Java's regular expressions, and patterns that strangers wrote to hurt.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { normalisePattern, topicFilter, writablePattern } from '../../../src/registry/group/topic-filter.ts'

function allows(pattern: string, topic: string, kind: 'white_list' | 'black_list' = 'white_list'): boolean {
  const filter = topicFilter(kind, pattern)
  if ('problem' in filter) assert.fail(`${pattern}: ${filter.problem}`)
  return filter.allows(topic)
}
const refused = (pattern: string) => assert.ok('problem' in topicFilter('white_list', pattern), pattern)
const written = (pattern: string) => {
  const result = writablePattern(pattern)
  if ('problem' in result) assert.fail(`${pattern}: ${result.problem}`)
  return result.pattern
}

describe("Scala's rules", () => {
  it('trim, read a comma as "or", drop spaces and outer quotes', () => {
    assert.equal(normalisePattern(`  "'a, b ,c'" `), 'a|b|c')
    assert.ok(allows('a, b', 'b'))
  })

  it('match the whole name', () => {
    assert.ok(!allows('orders', 'orders.eu'))
    assert.ok(!allows('orders', 'old-orders'))
    assert.ok(allows('orders.*', 'orders.eu'))
    assert.ok(allows('a|bc', 'bc') && !allows('a|bc', 'abc'))
  })

  it("leave Kafka's own topics out of white and black lists alike", () => {
    assert.ok(!allows('.*', '__consumer_offsets'))
    assert.ok(!allows('x', '__transaction_state', 'black_list'))
    assert.ok(allows('.*', '__mine'))
    assert.ok(allows('x', 'y', 'black_list') && !allows('x', 'x', 'black_list'))
  })
})

describe("Java's regular expressions", () => {
  it('mean what they mean in Java', () => {
    const cases: [pattern: string, yes: string[], no: string[]][] = [
      ['a[.]b', ['a.b'], ['axb']],
      ['a\\.b', ['a.b'], ['axb']],
      ['[a-c&&[^b]]', ['a', 'c'], ['b', 'd']],
      ['[a[xy]]', ['a', 'x', 'y'], ['b']],
      ['[^a-y]', ['z', '0'], ['a']],
      ['[a-]', ['a', '-'], ['b']],
      ['[]a]', [']', 'a'], ['b']],
      ['[\\w&&[^_]]+', ['aZ9'], ['a_']],
      ['(?i)orders', ['Orders', 'ORDERS'], ['order']],
      ['\\p{Alpha}+', ['abC'], ['a1']],
      ['\\Qa.b\\E.', ['a.bx'], ['axbx']],
      ['(?:ab)+?', ['ab', 'abab'], ['aba', '']],
      ['a{2}', ['aa'], ['a', 'aaa']],
      ['(?<year>20\\d\\d)-.*', ['2024-x'], ['1999-x']],
      ['^(?!test).*$', ['prod', 'atest'], ['test', 'test2']],
      ['(?=.*eu)orders.*', ['orders.eu'], ['orders.us']],
      ['^a|b$', ['a', 'b'], ['ab']],
      ['\\Aa\\z', ['a'], ['b']],
      ['(|a)b', ['b', 'ab'], ['a']],
      ['', [], ['a']]
    ]
    for (const [pattern, yes, no] of cases) {
      for (const name of yes) assert.ok(allows(pattern, name), `${pattern} takes ${name}`)
      for (const name of no) assert.ok(!allows(pattern, name), `${pattern} does not take ${name}`)
    }
  })

  it('that are broken, or that are not understood exactly, are refused', () => {
    for (const pattern of [
      '(',
      ')',
      'a)',
      '[',
      '[a',
      '*',
      'a**',
      'a*+',
      'a++',
      '\\',
      '\\k',
      '\\1',
      '\\h',
      '\\p{Foo}',
      '(?>a)',
      '(?<=a)b',
      'a(?!b)',
      '(?m)a',
      'a{',
      'a{x}',
      'a{3|2}'
    ])
      refused(pattern)
    refused('a'.repeat(1_001))
    refused('('.repeat(400) + ')'.repeat(400))
    refused('(((a{99}){99}){99}){99}')
  })

  it("agree with JavaScript's where both mean the same", () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      '.',
      '[ab]',
      '[^a]',
      '(a|b)',
      '(ab|a)',
      'a*',
      'b+',
      '(?:ab)?',
      '\\d',
      '[0-9-]',
      'a{2}',
      '(a*b)+'
    )
    const patterns = fc.array(piece, { maxLength: 6 }).map(pieces => pieces.join(''))
    const names = fc.string({ unit: fc.constantFrom('a', 'b', '-', '1', '.'), maxLength: 10 })
    fc.assert(
      fc.property(patterns, names, (pattern, name) => {
        assert.equal(allows(pattern, name), new RegExp(`^(?:${pattern})$`).test(name), `${pattern} on ${name}`)
      }),
      { numRuns: 500, seed: 1 }
    )
  })

  it('never throw, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'ab\\[](){}|?*+^$.&-,QEpd0:!=<>'), maxLength: 30 }),
        pattern => void topicFilter('white_list', pattern)
      ),
      {
        numRuns: 1_500,
        seed: 1
      }
    )
  })

  it('take time in proportion, also those that make backtracking hang', () => {
    const name = `${'a'.repeat(248)}!`
    for (const pattern of ['(a+)+$', '(a|a)*', '(a|aa)+', '(.*)*(.*)*(.*)*x', '([a-z]+)*-']) {
      const started = process.hrtime.bigint()
      assert.ok(!allows(pattern, name))
      assert.ok(Number(process.hrtime.bigint() - started) < 500e6, pattern)
    }
  })
})

describe('patterns as they are written into ZooKeeper', () => {
  it('have no backslash, which Scala 1.1.1 doubles, and no comma, which means "or" there', () => {
    assert.equal(written('orders\\.eu'), 'orders[.]eu')
    assert.equal(written('\\d+'), '[0-9]+')
    assert.equal(written('a{2,4}'), 'a{2}a?a?')
    assert.equal(written('a{1,}'), 'a+')
    assert.equal(written('(x\\-|y)*'), '(x-|y)*')
    assert.equal(written('(?i)eu'), '[Ee][Uu]')
    assert.equal(written('^(?!test\\.).*'), '^(?!test[.]).*'.slice(1))
  })

  it('stay as they are where they can', () => {
    for (const pattern of ['orders', 'orders.*', 'a|b', '[a-z]+[.]x']) assert.equal(written(pattern), pattern)
    assert.equal(written(' a,b '), 'a|b')
  })

  it('are refused with a reason when they cannot be read', () => {
    assert.ok('problem' in writablePattern('(a'))
  })

  it('mean the same after it', () => {
    const piece = fc.constantFrom('a', '\\.', '\\w', '[\\d.]', '(a|\\-)', 'b{1,3}', '(a\\.){0,2}', '\\D*', '[^\\w]', '.')
    const patterns = fc.array(piece, { minLength: 1, maxLength: 5 }).map(pieces => pieces.join(''))
    const names = fc.string({ unit: fc.constantFrom('a', 'b', '-', '1', '.', '_', 'Z'), maxLength: 8 })
    fc.assert(
      fc.property(patterns, names, (pattern, name) => {
        const text = written(pattern)
        assert.ok(!/[\\, ]/.test(text), text)
        assert.equal(allows(text, name), new RegExp(`^(?:${pattern})$`).test(name), `${pattern} → ${text} on ${name}`)
      }),
      { numRuns: 500, seed: 1 }
    )
  })
})
