/**
 * What is printed: messages by format and as NDJSON, tables for people and for programs, events, errors, the window of produce.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CommandLineError } from '../../src/cli/arguments.ts'
import { errorText } from '../../src/cli/errors.ts'
import { eventLine } from '../../src/cli/events.ts'
import { compileFormat, type Formatter, jsonMessage } from '../../src/cli/format.ts'
import { guessKafkaVersion } from '../../src/cli/kafka-version.ts'
import { renderTable } from '../../src/cli/table.ts'
import { Window } from '../../src/cli/window.ts'
import { type Message, SamsaError } from '../../src/index.ts'

const message = (fields: Partial<Message> = {}): Message => ({
  topic: 'orders',
  partition: 2,
  offset: 9_007_199_254_740_993n,
  timestamp: 1_700_000_000_000n,
  key: Buffer.from('k'),
  value: Buffer.from('v'),
  headers: {},
  headerList: [
    ['a', Buffer.from('1')],
    ['a', null]
  ],
  ...fields
})

function print(formatter: Formatter, of: Message): Buffer {
  const out: Buffer[] = []
  formatter(of, out)
  return Buffer.concat(out)
}

describe('a format', () => {
  test('has every field, literals and escapes', () => {
    const format = compileFormat('%t/%p@%o %T %k=%v %K %V %H [%h] 100%%\\t\\x41\\\\\\n')
    assert.equal(String(print(format, message())), 'orders/2@9007199254740993 1700000000000 k=v 1 1 2 [a=1,a=] 100%\tA\\\n')
  })

  test('bytes that are no text pass unchanged, and null prints nothing', () => {
    const value = Buffer.from([0xff, 0x00, 0x0a, 0xc3, 0x28])
    assert.deepEqual(print(compileFormat('%v'), message({ value })), value)
    assert.equal(String(print(compileFormat('<%k|%v|%V>'), message({ key: null, value: null }))), '<||-1>')
  })

  test('text beyond ASCII is printed as it is', () => {
    assert.equal(String(print(compileFormat('→ %v ü\\n'), message())), '→ v ü\n')
  })

  test('what it does not know is refused, not printed', () => {
    for (const format of ['%x', '%', '\\q', '\\', '\\x4', '%v %']) assert.throws(() => compileFormat(format), CommandLineError, format)
    assert.throws(() => compileFormat('%constructor'), /there is no %c/)
  })
})

test('NDJSON is one parsable line with exact offsets; what is no UTF-8 is base64', () => {
  const line = String(print(jsonMessage, message({ key: Buffer.from([0xff]), value: Buffer.from('line\n"ü"') })))
  assert.equal(line.indexOf('\n'), line.length - 1)
  assert.match(line, /"offset":9007199254740993,/)
  const parsed = JSON.parse(line)
  assert.deepEqual(parsed.key, { base64: '/w==' })
  assert.equal(parsed.value, 'line\n"ü"')
  assert.deepEqual(parsed.headers, [
    ['a', '1'],
    ['a', null]
  ])
  assert.equal(JSON.parse(String(print(jsonMessage, message({ value: null })))).value, null)
})

describe('a table', () => {
  const rows = [
    { topic: 'a', end: 5n, inSync: [1, 2], extra: true },
    { topic: 'long\x1b[31m', end: null, inSync: [], extra: false }
  ]
  const columns = ['topic', 'end', 'inSync']
  test('on a terminal is aligned, has a head, and lets no control character through', () => {
    const text = renderTable(rows, columns, { json: false, terminal: true, colour: false })
    assert.equal(text, 'TOPIC         END  IN SYNC\na               5  1,2\nlong\\x1b[31m    -\n')
  })
  test('in a pipe is tab-separated, without a head', () => {
    assert.equal(renderTable(rows, columns, { json: false, terminal: false, colour: false }), 'a\t5\t1,2\nlong\\x1b[31m\t-\t\n')
  })
  test('as NDJSON has every field', () => {
    const lines = renderTable(rows, columns, { json: true, terminal: true, colour: true }).trimEnd().split('\n')
    assert.deepEqual(JSON.parse(lines[0]!), { topic: 'a', end: 5, inSync: [1, 2], extra: true })
    assert.deepEqual(JSON.parse(lines[1]!), { topic: 'long\x1b[31m', end: null, inSync: [], extra: false })
  })
})

test('events are one line each, whatever is in them', () => {
  assert.equal(
    eventLine({ type: 'leader.changed', topic: 't', partition: 1, leader: null, leaderEpoch: 3 }),
    'leader.changed topic=t partition=1 leader=null leaderEpoch=3'
  )
  assert.equal(
    eventLine({
      type: 'partition.assigned',
      partitions: [
        { topic: 't', partition: 0 },
        { topic: 't', partition: 1 }
      ],
      epoch: 1
    }),
    'partition.assigned partitions=t/0,t/1 epoch=1'
  )
  const line = eventLine({
    type: 'trouble',
    where: 'x',
    error: { name: 'E', code: 'BAD', message: 'two\nlines', retriable: false, details: {} }
  })!
  assert.equal(line, 'trouble where=x error="BAD: two\\\\x0alines"')
  assert.equal(eventLine({ type: 'ready', brokers: 3 }), undefined)
})

test('an error says what, its code, and the next command', () => {
  const text = errorText(new SamsaError('UNKNOWN_TOPIC', 'Topic x does not exist.', { details: { topic: 'x' } }))
  assert.equal(text, 'samsa: Topic x does not exist. (UNKNOWN_TOPIC)\n  next: samsa topics create x')
  assert.equal(errorText(new Error('plain')), 'samsa: plain')
  assert.equal(errorText('text'), 'samsa: text')
})

test('the age of a broker is guessed from Fetch', () => {
  const of = (min: number, max: number) => guessKafkaVersion({ Fetch: { min, max } })
  assert.deepEqual(
    [of(0, 17), of(4, 17), of(4, 18), of(0, 7), of(0, 11), of(0, 1)],
    ['3.9', '4.0', '4.1 or newer', '1.1', '2.3 to 2.6', '0.9 or older']
  )
  assert.equal(guessKafkaVersion({}), 'unknown')
})

test('the window holds back by count and by bytes until it is half empty', async () => {
  for (const bytes of [1, 60]) {
    const window = new Window(10, 100)
    const entered = bytes === 1 ? 10 : 2
    await window.room()
    for (let i = 0; i < entered; i++) window.enter(bytes)
    assert.ok(window.isFull)
    let open = false
    const waiting = window.room().then(() => {
      open = true
    })
    window.leave(bytes)
    await Promise.resolve()
    assert.equal(open, false, 'not yet half empty')
    for (let i = 1; i < entered; i++) window.leave(bytes)
    await waiting
    assert.ok(!window.isFull)
  }
})
