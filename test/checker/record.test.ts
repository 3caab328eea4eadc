/**
 * What a running client does becomes a history: publishes with their outcomes, what a consumer emits, loops, members elsewhere, faults.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { ConsumerEmitted, ConsumerHandle, Message, Topic } from '../../src/index.ts'
import { MemberView } from '../support/group-member.ts'
import { assertHistory, History } from './record.ts'

/** A consumer that emits what it is told to. */
class Emitter {
  readonly group: string | undefined
  #listeners: ((event: ConsumerEmitted) => void)[] = []

  constructor(group?: string) {
    this.group = group
  }

  on(type: string, listener: (event: ConsumerEmitted) => void): () => void {
    assert.equal(type, '*')
    this.#listeners.push(listener)
    return () => void this.#listeners.splice(this.#listeners.indexOf(listener), 1)
  }

  emit(event: ConsumerEmitted): void {
    for (const listener of this.#listeners) listener(event)
  }

  batch(...messages: Message[]): void {
    const { topic, partition } = messages[0]!
    this.emit({ type: 'message.batch', topic, partition, messages, signal: new AbortController().signal, ack: () => {} })
  }

  get asHandle(): ConsumerHandle {
    return this as unknown as ConsumerHandle
  }
}

const place = { topic: 't', partition: 0 }
const message = (offset: number, value: string | null) =>
  ({ ...place, offset: BigInt(offset), value: value === null ? null : Buffer.from(value) }) as unknown as Message

/** Answers each publish with what is given, in order. */
const topicOf = (...answers: (number | { outcome?: string })[]) =>
  ({
    name: 't',
    publish: async () => {
      const answer = answers.shift()!
      if (typeof answer !== 'number') throw Object.assign(new Error('no'), answer)
      return { ...place, offset: BigInt(answer), timestamp: 0n }
    }
  }) as unknown as Topic

const short = (history: History) => history.sorted().map(({ process, type, f, value }) => [process, type, f, value])

describe('a history of running clients', () => {
  test('publishes end as acked, failed or unknown', async () => {
    const history = new History()
    const topic = topicOf(4, { outcome: 'unknown' }, { outcome: 'failed' }, {}, -1, 5)
    await history.publish(topic, 'a', 'p')
    for (const value of ['b', 'c', 'd']) await assert.rejects(history.publish(topic, { value }, 'p'))
    await history.publish(topic, Buffer.from('e'), 'p')
    await history.publish(topic, ['f', 'g'], 'p')
    const completed = short(history).filter(([, type]) => type !== 'invoke')
    assert.deepEqual(completed, [
      ['p', 'ok', 'send', [['send', 't/0', [4, 'a']]]],
      ['p', 'info', 'send', [['send', 't', [null, 'b']]]],
      ['p', 'fail', 'send', [['send', 't', [null, 'c']]]],
      ['p', 'fail', 'send', [['send', 't', [null, 'd']]]],
      ['p', 'info', 'send', [['send', 't/0', [null, 'e']]]],
      [
        'p',
        'ok',
        'send',
        [
          ['send', 't/0', [5, 'f']],
          ['send', 't/0', [null, 'g']]
        ]
      ]
    ])
    assert.equal(history.operations.length, 12)
  })

  test('what a member emits', () => {
    const history = new History()
    const consumer = new Emitter('g')
    const stop = history.watchConsumer(consumer.asHandle, 'c1')
    consumer.emit({ type: 'partition.assigned', partitions: [place], epoch: 1 })
    consumer.emit({ type: 'partition.position', ...place, offset: '0', why: 'reset' })
    consumer.batch(message(0, 'a'), message(1, null))
    consumer.emit({ type: 'committed', offsets: [{ ...place, offset: '2' }] })
    consumer.emit({ type: 'member.state', state: 'owning', reason: '' })
    consumer.batch(message(2, 'c'))
    const error = { name: 'Error', code: 'X', message: '', retriable: false } as never
    consumer.emit({ type: 'handler.failed', ...place, error, policy: 'retry' })
    consumer.emit({ type: 'partition.revoked', partitions: [place], epoch: 2 })
    consumer.emit({ type: 'partition.lost', partitions: [place], epoch: 3, reason: '' })
    consumer.emit({ type: 'closed' })
    stop()
    consumer.emit({ type: 'closed' })
    assert.deepEqual(short(history), [
      ['c1', 'ok', 'subscribe', { group: 'g' }],
      ['c1', 'ok', 'assigned', { partitions: ['t/0'], epoch: 1 }],
      ['c1', 'ok', 'seek', { offsets: { 't/0': 0 }, exact: true }],
      [
        'c1',
        'ok',
        'poll',
        [
          [
            'poll',
            {
              't/0': [
                [0, 'a'],
                [1, null]
              ]
            }
          ]
        ]
      ],
      ['c1', 'ok', 'commit', { offsets: { 't/0': 2 } }],
      ['c1', 'ok', 'poll', [['poll', { 't/0': [[2, 'c']] }]]],
      ['c1', 'ok', 'seek', { offsets: { 't/0': 2 } }],
      ['c1', 'ok', 'revoked', { partitions: ['t/0'], epoch: 2 }],
      ['c1', 'ok', 'lost', { partitions: ['t/0'], epoch: 3 }],
      ['c1', 'ok', 'close', undefined]
    ])
  })

  test('one whose partitions were given by hand is no member; a loop tells its messages itself', () => {
    const history = new History()
    const consumer = new Emitter('g')
    history.watchConsumer(consumer.asHandle, 'c1', { group: null, from: 'latest' })
    consumer.emit({ type: 'partition.assigned', partitions: [place], epoch: 1 })
    history.delivered('c1', [message(0, 'a')], { textOf: ({ offset }) => `at ${offset}` })
    history.processed('c1', message(0, 'a'))
    consumer.emit({ type: 'partition.revoked', partitions: [place], epoch: 1 })
    history.crash('c1')
    assert.deepEqual(short(history), [
      ['c1', 'ok', 'subscribe', { from: 'latest' }],
      ['c1', 'ok', 'assign', ['t/0']],
      ['c1', 'ok', 'poll', [['poll', { 't/0': [[0, 'at 0']] }]]],
      ['c1', 'ok', 'ack', { offsets: { 't/0': 1 } }],
      ['c1', 'info', 'crash', undefined]
    ])
  })

  test('a member elsewhere, by its own clock, with what it had told before', () => {
    const history = new History()
    const member = new MemberView()
    member.take({ type: 'told', event: { type: 'partition.assigned', partitions: [place], epoch: 1 }, atMs: 10 })
    history.watchMember(member, 'm1', { group: 'g' })
    member.take({ type: 'record', record: { ...place, offset: 0, value: 'a' }, atMs: 30 })
    member.take({ type: 'owned', owned: ['t/0'], atMs: 31 })
    assert.deepEqual(
      history.sorted().map(({ time, f }) => [time, f]),
      [
        [10, 'subscribe'],
        [10, 'assigned'],
        [30, 'poll']
      ]
    )
    assert.equal(member.records.length, 1)
  })

  test('faults are dated, also when what is done fails', async () => {
    const history = new History()
    assert.equal(await history.fault('kill', () => 3), 3)
    await assert.rejects(history.fault('cut', () => Promise.reject(new Error('no'))))
    assert.deepEqual(
      short(history).map(([, , , value]) => value),
      [
        { name: 'kill', phase: 'begin' },
        { name: 'kill', phase: 'end' },
        { name: 'cut', phase: 'begin' },
        { name: 'cut', phase: 'end' }
      ]
    )
  })
})

describe('assertHistory', () => {
  test('lets a right one pass, and gives its report', async () => {
    const history = new History()
    await history.publish(topicOf(0), 'a', 'p')
    history.delivered('r', [message(0, 'a')])
    assert.equal(assertHistory(history, { mode: 'idempotent' }).summary.acked, 1)
  })

  test('names what is wrong, and keeps the history', async () => {
    const history = new History()
    await history.publish(topicOf(0), 'a', 'p')
    const text = thrown(() => assertHistory(history)).message
    assert.match(text, /^unseen: nobody has read a, acked at t\/0@0/)
    const path = /the history is in (.*)$/.exec(text)![1]!
    assert.ok(existsSync(path))
    assert.equal(readFileSync(path, 'utf8').trim().split('\n').length, 2)
    rmSync(path)
  })

  test('one that proves nothing is no proof', () => {
    const text = thrown(() => assertHistory(new History(), { requireFaults: true })).message
    assert.match(text, /proves nothing: no fault fired, no operation was ok/)
    rmSync(/the history is in (.*)$/.exec(text)![1]!)
  })
})

function thrown(body: () => unknown): Error {
  try {
    body()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}
