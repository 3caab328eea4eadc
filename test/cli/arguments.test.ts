/**
 * The command line: what is understood, what is refused, and what is suggested.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CommandLineError, choice, duration, pair, parseCommandLine, wholeNumber } from '../../src/cli/arguments.ts'
import { nearest } from '../../src/cli/suggest.ts'

const specs = {
  group: { value: 'NAME', short: 'g', help: '' },
  header: { value: 'K=V', multiple: true, help: '' },
  offset: { value: 'O', help: '' },
  json: { help: '' }
}
const parse = (...args: string[]) => parseCommandLine(args, specs, 'consume')
const refusal = (says: RegExp) => (error: unknown) => error instanceof CommandLineError && says.test(error.message)

describe('options', () => {
  test('long, short, with and without an equals sign, among arguments', () => {
    const parsed = parse('one', '-g', 'a', '--json', 'two', '--offset=-5')
    assert.deepEqual(parsed.positionals, ['one', 'two'])
    assert.equal(parsed.one('group'), 'a')
    assert.equal(parsed.one('offset'), '-5')
    assert.ok(parsed.has('json') && !parsed.has('header'))
  })

  test('a negative number is a value', () => {
    assert.equal(parse('--offset', '-10').one('offset'), '-10')
  })

  test('after -- everything is an argument', () => {
    assert.deepEqual(parse('--', '--json').positionals, ['--json'])
  })

  test('an option for many keeps all, in order; another one given twice is refused', () => {
    assert.deepEqual(parse('--header', 'a=1', '--header', 'a=2').all('header'), ['a=1', 'a=2'])
    assert.throws(() => parse('-g', 'a', '--group', 'b'), refusal(/given twice/))
  })

  test('an unknown one is refused with the nearest, and names of objects are unknown too', () => {
    assert.throws(() => parse('--gruop', 'x'), refusal(/--gruop; did you mean --group\?/))
    assert.throws(() => parse('--zzzzzz'), refusal(/no option --zzzzzz$/))
    assert.throws(() => parse('--constructor'), refusal(/no option --constructor/))
    assert.throws(() => parse('--__proto__', 'x'), refusal(/no option/))
  })

  test('a missing value is refused, also when the next option stands in its place', () => {
    assert.throws(() => parse('--group'), refusal(/needs a value: --group NAME/))
    assert.throws(() => parse('--group', '--json'), refusal(/needs a value/))
    assert.equal(parse('--group=--json').one('group'), '--json')
    assert.throws(() => parse('--json=1'), refusal(/takes no value/))
  })
})

describe('values', () => {
  test('times', () => {
    assert.deepEqual(
      ['500ms', '30s', '2m', '1h', '5', '1.5s', '0s'].map(text => duration('timeout', text)),
      [500, 30_000, 120_000, 3_600_000, 5_000, 1_500, 0]
    )
    for (const text of ['', 'soon', '-1s', '1d', '1 s', '99999h'])
      assert.throws(() => duration('timeout', text), refusal(/--timeout is/), text)
  })

  test('whole numbers within bounds', () => {
    assert.equal(wholeNumber('count', '7', 1), 7)
    for (const text of ['', '0', '1.5', '1e3', 'x', '0x10', '9007199254740993'])
      assert.throws(() => wholeNumber('count', text, 1), refusal(/--count is/), text)
    assert.throws(() => wholeNumber('partition', '9', 0, 8), refusal(/from 0 to 8/))
  })

  test('words and pairs', () => {
    assert.equal(choice('acks', 'all', ['all', 'none']), 'all')
    assert.throws(() => choice('compression', 'gzpi', ['gzip', 'zstd']), refusal(/gzip\?/))
    assert.deepEqual(pair('header', 'a=b=c'), ['a', 'b=c'])
    assert.deepEqual(pair('header', 'a='), ['a', ''])
    for (const text of ['a', '=b', '']) assert.throws(() => pair('header', text), refusal(/name=value/))
  })
})

test('the nearest word is one that may have been meant', () => {
  const known = ['produce', 'consume', 'topics', 'groups', 'cluster', 'zk', 'doctor']
  assert.equal(nearest('produse', known), 'produce')
  assert.equal(nearest('cosnume', known), 'consume')
  assert.equal(nearest('topic', known), 'topics')
  assert.equal(nearest('d', known), 'doctor')
  assert.equal(nearest('frobnicate', known), undefined)
  assert.equal(nearest('', known), undefined)
  assert.equal(nearest('x'.repeat(100_000), known), undefined)
})
