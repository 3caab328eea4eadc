/**
 * `groups reset`: where to and which partitions, out of the command line and out of a file.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CommandLineError, parseCommandLine } from '../../src/cli/arguments.ts'
import { offsetsFile, RESET_OPTIONS, type ResetTarget, resetScope, resetTarget } from '../../src/cli/reset-target.ts'

const NOW = Date.UTC(2026, 2, 10, 12)
const parse = (...args: string[]) => parseCommandLine(args, RESET_OPTIONS, 'groups reset')
const target = (...args: string[]) => resetTarget(parse(...args), NOW, undefined)
const scope = (...args: string[]) => resetScope(parse(...args), { to: 'earliest' })
const refusal = (says: RegExp) => (error: unknown) => error instanceof CommandLineError && says.test(error.message)
const timeOf = (...args: string[]) => {
  const found = target(...args)
  return found.to === 'time' ? new Date(found.timestampMs).toISOString() : assert.fail('no time')
}

describe('where to', () => {
  test('each of the ways', () => {
    const ways: [string[], ResetTarget][] = [
      [['--to-earliest'], { to: 'earliest' }],
      [['--to-latest'], { to: 'latest' }],
      [['--to-current'], { to: 'current' }],
      [['--to-offset', '42'], { to: 'offset', offset: 42n }],
      [['--to-offset', '9223372036854775807'], { to: 'offset', offset: 9_223_372_036_854_775_807n }],
      [['--shift-by', '-100'], { to: 'shift', by: -100n }],
      [['--shift-by', '+7'], { to: 'shift', by: 7n }],
      [['--shift-by=7'], { to: 'shift', by: 7n }]
    ]
    for (const [args, expected] of ways) assert.deepEqual(target(...args), expected, args.join(' '))
  })

  test('none, or two, is refused', () => {
    assert.throws(() => target(), refusal(/to where\? Give one of --to-earliest/))
    assert.throws(() => target('--to-earliest', '--to-latest'), refusal(/--to-earliest and --to-latest cannot both be/))
    assert.throws(() => target('--shift-by', '1', '--to-offset', '1'), refusal(/cannot both be/))
  })

  test('an offset is a whole number from 0 that a log can hold', () => {
    for (const text of ['-1', '1.5', 'x', '', '9223372036854775808', '0x10'])
      assert.throws(() => target(`--to-offset=${text}`), refusal(/--to-offset is/), text)
    for (const text of ['', 'x', '1e3', '--1']) assert.throws(() => target(`--shift-by=${text}`), refusal(/--shift-by is/), text)
  })

  test('a time without a zone is UTC, as in Kafka', () => {
    assert.equal(timeOf('--to-datetime', '2026-03-01T12:30:00'), '2026-03-01T12:30:00.000Z')
    assert.equal(timeOf('--to-datetime', '2026-03-01T12:30:00.250'), '2026-03-01T12:30:00.250Z')
    assert.equal(timeOf('--to-datetime', '2026-03-01T12:30'), '2026-03-01T12:30:00.000Z')
    assert.equal(timeOf('--to-datetime', '2026-03-01'), '2026-03-01T00:00:00.000Z')
    assert.equal(timeOf('--to-datetime', '2026-03-01T12:30:00Z'), '2026-03-01T12:30:00.000Z')
    for (const zone of ['+02:00', '+0200', '+02'])
      assert.equal(timeOf('--to-datetime', `2026-03-01T12:30:00.5${zone}`), '2026-03-01T10:30:00.500Z', zone)
    assert.equal(timeOf('--to-datetime', '2026-03-01T12:30:00-05'), '2026-03-01T17:30:00.000Z')
  })

  test('what is no time is refused', () => {
    for (const text of ['yesterday', '2026-13-01T00:00:00', '2026-03-01 12:00', '1700000000', '2026-03-01T25:00:00', '1969-01-01', ''])
      assert.throws(() => target(`--to-datetime=${text}`), refusal(/--to-datetime is/), text)
  })

  test('a duration is ISO 8601 or short, and counts back from now', () => {
    const back: [string, string][] = [
      ['PT1H', '2026-03-10T11:00:00.000Z'],
      ['PT1H30M', '2026-03-10T10:30:00.000Z'],
      ['P2D', '2026-03-08T12:00:00.000Z'],
      ['P1DT12H', '2026-03-09T00:00:00.000Z'],
      ['PT0.5S', '2026-03-10T11:59:59.500Z'],
      ['pt1m', '2026-03-10T11:59:00.000Z'],
      ['90m', '2026-03-10T10:30:00.000Z'],
      ['1h', '2026-03-10T11:00:00.000Z'],
      ['1000h', '2026-01-27T20:00:00.000Z'],
      ['7d', '2026-03-03T12:00:00.000Z'],
      ['500ms', '2026-03-10T11:59:59.500Z']
    ]
    for (const [text, expected] of back) assert.equal(timeOf('--by-duration', text), expected, text)
    assert.equal(timeOf('--by-duration', 'P999999D'), '1970-01-01T00:00:00.000Z')
    for (const text of ['P', 'PT', 'P1DT', 'PT1D', 'P1H', '1w', 'PT1H30', '-PT1H', ''])
      assert.throws(() => target(`--by-duration=${text}`), refusal(/--by-duration is/), text)
  })
})

describe('which partitions', () => {
  test('topics with all of their partitions, or with some', () => {
    assert.deepEqual(scope('--topic', 'a', '-t', 'b:3,0,3'), {
      topics: [
        { topic: 'a', partitions: null },
        { topic: 'b', partitions: [0, 3] }
      ]
    })
    assert.deepEqual(scope('--all-topics'), { all: true })
  })

  test('none, both ways, twice the same, and no numbers are refused', () => {
    assert.throws(() => scope(), refusal(/of which topics\?/))
    assert.throws(() => scope('--topic', 'a', '--all-topics'), refusal(/cannot both be/))
    assert.throws(() => scope('--topic', 'a:0', '--topic', 'a:1'), refusal(/names a twice/))
    for (const text of ['a:', 'a:x', 'a:0,', 'a:-1', 'a:99999999999'])
      assert.throws(() => scope('--topic', text), refusal(/--topic is/), text)
  })
})

describe('a file of offsets', () => {
  test('is read as it was exported, with or without a head, quotes and Windows line ends', () => {
    const expected = [
      ['orders/0', 5n],
      ['orders/1', 0n],
      ['a.b-c_d/2', 7n]
    ]
    for (const text of [
      'orders,0,5\norders,1,0\na.b-c_d,2,7\n',
      '\ufeffTOPIC,PARTITION,OFFSET\r\n"orders",0,5\r\n orders , 1 , 0 \r\n\r\na.b-c_d,2,7'
    ])
      assert.deepEqual([...offsetsFile('f', text)], expected)
  })

  test('names its partitions itself', () => {
    const args = parse('--from-file', 'offsets.csv')
    const found = resetTarget(args, NOW, 'orders,1,5\nbills,0,6\norders,0,7\n')
    assert.deepEqual(resetScope(args, found), {
      topics: [
        { topic: 'orders', partitions: [1, 0] },
        { topic: 'bills', partitions: [0] }
      ]
    })
    assert.throws(() => resetScope(parse('--from-file', 'f', '--topic', 'orders'), found), refusal(/names its partitions itself/))
  })

  test('with a line that is none, a partition twice, or nothing at all is refused with where', () => {
    for (const line of ['orders', 'orders,0', 'orders,x,1', 'orders,0,-1', ',0,1', 'group,orders,0,1', 'orders,0,9223372036854775808'])
      assert.throws(() => offsetsFile('f.csv', `ok,0,1\n${line}\n`), refusal(/line 2 of f\.csv/), line)
    assert.throws(() => offsetsFile('f.csv', 'a,0,1\na,00,2\n'), refusal(/stands there twice/))
    assert.throws(() => offsetsFile('f.csv', '\n'), refusal(/holds no offsets/))
  })
})
