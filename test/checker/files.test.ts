/**
 * Histories in files, as the checker by itself reads them: its own lines and those of Kafka's verifiable tools, merged by time; verdicts as exit codes.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { mergeHistories, readHistory } from './files.ts'
import { main } from './main.ts'
import { HistoryError, operationOf, parseOperation } from './operation.ts'
import { Verifiable } from './verifiable.ts'

const folder = mkdtempSync(join(tmpdir(), 'samsa-checker-'))
after(() => rmSync(folder, { recursive: true }))

const file = (name: string, ...lines: (object | string)[]) => {
  const path = join(folder, name)
  writeFileSync(path, lines.map(line => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''))
  return path
}

const run = async (...args: string[]) => {
  const out: string[] = []
  const notes: string[] = []
  const code = await main(
    args,
    line => out.push(line),
    line => notes.push(line)
  )
  return { code, out: out.map(line => JSON.parse(line)), notes: notes.join('\n') }
}

const sent = (offset: number, value: string, time: number) => ({
  process: 'p',
  time,
  type: 'ok',
  f: 'send',
  value: [['send', 't/0', [offset, value]]]
})
const read = (entries: unknown[], time: number) => ({ process: 'c', time, type: 'ok', f: 'poll', value: [['poll', { 't/0': entries }]] })

/** As Kafka 4.3.1's tools print them. */
const producerLines = [
  '{"timestamp":1,"name":"startup_complete"}',
  '{"timestamp":2,"name":"producer_send_success","key":null,"value":"0","offset":0,"topic":"t","partition":0}',
  '{"timestamp":3,"name":"producer_send_success","key":null,"value":"1","offset":1,"topic":"t","partition":0}',
  '{"timestamp":4,"name":"producer_send_error","topic":"t","key":null,"value":"2","exception":"class X","message":"closed"}',
  '{"timestamp":5,"name":"shutdown_complete"}',
  '{"timestamp":6,"name":"tool_data","sent":3,"acked":2,"target_throughput":-1,"avg_throughput":8.06}'
]
const consumerLines = [
  '{"timestamp":1,"name":"startup_complete"}',
  '{"timestamp":2.5,"name":"partitions_assigned","partitions":[{"topic":"t","partition":0}]}',
  '[2026-01-01 00:00:00,000] WARN a line of the log (org.apache.kafka)',
  '{"timestamp":6,"name":"record_data","key":null,"value":"0","topic":"t","partition":0,"offset":0}',
  '{"timestamp":6,"name":"records_consumed","count":1,"partitions":[{"topic":"t","partition":0,"count":1,"minOffset":0,"maxOffset":0}]}',
  '{"timestamp":7,"name":"offsets_committed","offsets":[{"topic":"t","partition":0,"offset":1}],"success":true}',
  '{"timestamp":8,"name":"records_consumed","count":1,"partitions":[{"topic":"t","partition":0,"count":1,"minOffset":1,"maxOffset":1}]}',
  '{"timestamp":9,"name":"offsets_committed","offsets":[{"topic":"t","partition":0,"offset":2}],"error":"no","success":false}',
  '{"timestamp":10,"name":"shutdown_requested"}',
  '{"timestamp":10,"name":"partitions_revoked","partitions":[{"topic":"t","partition":0}]}',
  '{"timestamp":11,"name":"shutdown_complete"}'
]

describe('the checker by itself', () => {
  test('a right history: exit code 0 and a summary', async () => {
    const { code, out } = await run(
      file(
        'right',
        sent(0, 'a', 1),
        sent(1, 'b', 2),
        '',
        read(
          [
            [0, 'a'],
            [1, 'b']
          ],
          3
        )
      )
    )
    assert.equal(code, 0)
    const { valid, operations, acked, read: count, anomalies } = out[0]
    assert.deepEqual({ valid, operations, acked, count, anomalies }, { valid: true, operations: 3, acked: 2, count: 2, anomalies: {} })
  })

  test('a wrong one: exit code 1, an anomaly a line, the summary last', async () => {
    const { code, out } = await run(file('wrong', sent(0, 'a', 1), sent(1, 'b', 2), read([[1, 'b']], 3)))
    assert.equal(code, 1)
    assert.equal(out.length, 2)
    assert.deepEqual([out[0].anomaly, out[0].value, out[0].key, out[0].offsets], ['lost-write', 'a', 't/0', [0]])
    assert.deepEqual([out[1].valid, out[1].anomalies], [false, { 'lost-write': 1 }])
  })

  test('a run that proves nothing, where it must: exit code 2', async () => {
    const path = file('idle', sent(0, 'a', 1), read([[0, 'a']], 3))
    const { code, out } = await run('--require-faults', path)
    assert.deepEqual([code, out[0].valid, out[0].missing], [2, 'unknown', ['no fault fired', 'no outcome was unknown']])
  })

  test('what is legal is told on demand, and options overrule it', async () => {
    const path = file(
      'twice',
      sent(0, 'a', 1),
      read(
        [
          [0, 'a'],
          [1, 'a']
        ],
        2
      )
    )
    assert.deepEqual((await run('--all', path)).out[0].legal, 'duplicate')
    assert.equal((await run('--mode', 'idempotent', path)).code, 1)
    assert.equal((await run('--mode', 'idempotent', '--allow', 'duplicate', path)).code, 0)
    assert.equal((await run('--forbid', 'duplicate', path)).code, 1)
    assert.equal((await run('--not-final', file('begun', sent(0, 'a', 1)))).code, 0)
  })

  test('what cannot be read: exit code 2, with the place', async () => {
    const bad = await run(file('bad', sent(0, 'a', 1), '{"process":"p","type":"ok","f":"sent"}'))
    assert.equal(bad.code, 2)
    assert.match(bad.notes, /bad: line 1: f is "sent"; it is one of send, poll/)
    for (const args of [
      ['/nowhere/at-all'],
      [],
      ['--mode', 'exactly-once', 'x'],
      ['--what'],
      ['--allow', 'everything', 'x'],
      ['--skew-ms', 'a', 'x']
    ])
      assert.equal((await run(...args)).code, 2, args.join(' '))
  })

  test('several files are merged by time', async () => {
    const [one, other] = [file('one', sent(0, 'a', 1), sent(1, 'b', 30)), file('other', read([[0, 'a']], 20), read([[1, 'b']], 40))]
    const times = []
    for await (const { index, time, process } of mergeHistories([readHistory(one), readHistory(other)])) times.push([index, time, process])
    assert.deepEqual(times, [
      [0, 1, 'p'],
      [1, 20, 'c'],
      [2, 30, 'p'],
      [3, 40, 'c']
    ])
    assert.equal((await run(one, other)).code, 0)
  })

  test('what the verifiable tools print is a history', async () => {
    const [producer, consumer] = [file('producer.log', ...producerLines), file('consumer.log', ...consumerLines)]
    const { code, out } = await run('--group', 'g', '--mode', 'idempotent', producer, consumer)
    assert.equal(code, 0, JSON.stringify(out))
    const { acked, unknown, read: count, commits, groups } = out.at(-1)
    assert.deepEqual({ acked, unknown, count, commits, groups }, { acked: 2, unknown: 1, count: 2, commits: 2, groups: 1 })
    const lossy = file(
      'lossy.log',
      ...consumerLines.filter(line => !line.includes('"minOffset":0')).filter(line => !line.includes('record_data'))
    )
    const wrong = (await run('--group', 'g', producer, lossy)).out.at(-1)
    assert.deepEqual(wrong.anomalies, { 'lost-write': 1, 'commit-beyond-position': 1 })
  })
})

describe('lines of the verifiable tools', () => {
  const verifiable = (...lines: object[]) => {
    const reader = new Verifiable('c', { group: 'g' })
    return [...lines.flatMap(line => reader.line(JSON.stringify({ timestamp: 1, ...line }))), ...reader.end()]
  }
  const summary = (count: number, minOffset: number, maxOffset: number) => ({
    name: 'records_consumed',
    count,
    partitions: [{ topic: 't', partition: 0, count, minOffset, maxOffset }]
  })

  test('a summary says which offsets were read, where it can', () => {
    const polled = (line: object) => verifiable(line).map(({ value }) => value)
    assert.deepEqual(polled(summary(3, 4, 6)), [[['poll', { 't/0': [[4], [5], [6]] }]]])
    assert.deepEqual(polled(summary(3, 4, 9)), [[['poll', { 't/0': [[4], [9]] }]]])
    assert.deepEqual(polled({ name: 'records_consumed', count: 0, partitions: [] }), [])
    assert.throws(() => verifiable(summary(2, 0, 2 ** 40)), HistoryError)
  })

  test('records without their summary were consumed all the same', () => {
    const [last] = verifiable({ name: 'record_data', key: null, value: 'a', topic: 't', partition: 0, offset: 7 })
    assert.deepEqual(last?.value, [['poll', { 't/0': [[7, 'a']] }]])
  })

  test('acks 0 promise nothing; our own errors tell what certainly failed', () => {
    const success = { name: 'producer_send_success', key: null, value: 'a', topic: 't', partition: 1, offset: -1 }
    const error = { name: 'producer_send_error', key: null, value: 'b', topic: 't', exception: 'x', message: 'y' }
    const told = verifiable(success, error, { ...error, outcome: 'failed' }, { ...error, outcome: 'unknown' })
    assert.deepEqual(
      told.map(({ type }) => type),
      ['info', 'info', 'fail', 'info']
    )
  })

  test('a line without a time is refused', () => {
    assert.throws(() => new Verifiable('c').line('{"name":"startup_complete"}'), HistoryError)
  })
})

describe('lines of a history', () => {
  const good = { process: 3, type: 'ok', f: 'poll', value: [['poll', { 't/0': [[0, 1], [1]] }]] }

  test('index and time have defaults; numbers become texts', () => {
    const value = [['poll', { 't/0': [[0, '1'], [1]] }]]
    assert.deepEqual(operationOf(good, 7), { index: 7, time: 7, process: '3', type: 'ok', f: 'poll', value })
    const invoked = operationOf({ ...good, type: 'invoke', f: 'send', value: [['send', 't', 5]] }, 0)
    assert.deepEqual(invoked.value, [['send', 't', [null, '5']]])
  })

  test('what is no operation is refused', () => {
    const bad: object[] = [
      { process: undefined },
      { type: 'maybe' },
      { f: 'toString' },
      { time: 'now' },
      { value: 3 },
      { value: [['read', 't/0', [0, 'a']]] },
      { value: [['send', 4, [0, 'a']]] },
      { value: [['send', 't/0', [-1, 'a']]] },
      { value: [['send', 't/0', [0.5, 'a']]] },
      { value: [['send', 't/0', [0, { a: 1 }]]] },
      { value: [['poll', { 't/0': [[null, 'a']] }]] },
      { value: [['poll', { 't/0': 3 }]] },
      { f: 'assigned', value: { partitions: [3] } },
      { f: 'assigned', value: { partitions: [], epoch: 'x' } },
      { f: 'subscribe', value: { from: 'middle' } },
      { f: 'commit', value: { offsets: { 't/0': '3' } } },
      { f: 'fault', value: {} },
      { f: 'assign', value: 't/0' }
    ]
    for (const fields of bad) assert.throws(() => operationOf({ ...good, ...fields }, 0), HistoryError, JSON.stringify(fields))
    assert.throws(() => parseOperation('{', 3), /line 3/)
    assert.throws(() => parseOperation('[]', 3), /line 3: an operation is a JSON object/)
  })
})
