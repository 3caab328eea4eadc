import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkMessages, choosePartition, copyMessages, singleKey, sizeUpperBound } from '../../src/actors/outgoing.ts'
import { TopicPlane } from '../../src/flow/topic-plane.ts'

const check = (messages: unknown) => checkMessages(messages as never, 42)

test('a bare value stays what it is; a record is taken apart, with its own time or now', () => {
  assert.equal(check('x'), 'x')
  const bytes = Buffer.from([1])
  assert.equal(check(bytes), bytes)
  const record = { key: 'k', value: null, headers: undefined, timestampMs: 7, partition: undefined }
  assert.deepEqual(check({ key: 'k', value: null, timestamp: new Date(7) }), record)
  assert.deepEqual(check(['a', { value: 'b' }]), ['a', { ...record, key: null, value: 'b', timestampMs: 42 }])
})

for (const [what, message] of [
  ['a number', 42],
  ['null', null],
  ['no value', { key: 'k' }],
  ['a value of another type', { value: 5 }],
  ['a key of another type', { key: {}, value: 'x' }],
  ['a time before 1970', { value: 'x', timestamp: -1 }],
  ['a time that is none', { value: 'x', timestamp: new Date('never') }],
  ['a time that no Date can hold', { value: 'x', timestamp: 8.64e15 + 2 }],
  ['one of a list', ['fine', 1n]]
] as const)
  test(`${what} is refused before anything of it is kept`, () => {
    assert.throws(() => check(message), { name: 'UsageError', code: 'INVALID_MESSAGE' })
  })

test('a message larger than a request is refused, also one of a list; the bound is measured only where it must be', () => {
  assert.throws(() => sizeUpperBound('x'.repeat(2_000), 1_000), { code: 'MESSAGE_TOO_LARGE' })
  assert.throws(() => sizeUpperBound(['x', Buffer.alloc(2_000)], 1_000), { code: 'MESSAGE_TOO_LARGE' })
  assert.ok(sizeUpperBound('x'.repeat(900), 1_000) <= 1_000)
  assert.ok(sizeUpperBound(['ü'.repeat(10), 'b'], 1_000) >= 21)
})

test('a copy does not change with the bytes that it was made of', () => {
  const value = Buffer.from('before')
  const copies = copyMessages([value, check({ key: value, value, headers: { h: value, l: [value] } })] as never)
  value.fill(0)
  assert.ok(!JSON.stringify(copies).includes(JSON.stringify(value)))
})

test('a list has one key and one partition; bytes and text of the same key are the same', () => {
  assert.deepEqual(
    singleKey(
      check([
        { key: 'k', value: '1' },
        { key: Buffer.from('k'), value: '2' }
      ])
    ).key,
    'k'
  )
  assert.throws(() => singleKey(check([{ key: 'a', value: '1' }, 'no key'])), { code: 'DIFFERENT_KEYS' })
  assert.throws(
    () =>
      singleKey(
        check([
          { value: '1', partition: 0 },
          { value: '2', partition: 1 }
        ])
      ),
    { code: 'DIFFERENT_KEYS' }
  )
})

test('its own partition goes before the partitioner, that before the key; none of them: wherever it fits', () => {
  const plane = new TopicPlane('t')
  plane.setLevel(null, [0, 1, 2], {})
  const choose = (message: unknown, partitioner?: () => number) => choosePartition(plane, check(message), partitioner)
  assert.equal(
    choose({ value: 'x', key: 'k', partition: 2 }, () => 1),
    2
  )
  assert.equal(
    choose({ value: 'x', key: 'k' }, () => 1),
    1
  )
  assert.equal(typeof choose({ value: 'x', key: 'k' }), 'number')
  assert.equal(choose('x'), undefined)
  assert.throws(() => choose({ value: 'x', partition: 3 }), { code: 'INVALID_PARTITION' })
  assert.throws(() => choose('x', () => 0.5), { code: 'INVALID_PARTITION' })
})
