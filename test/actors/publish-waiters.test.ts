import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PublishWaiters, type Waiter } from '../../src/actors/publish-waiters.ts'
import { PublishError } from '../../src/model/errors.ts'
import { VirtualWorld } from '../support/virtual-world.ts'

function bench() {
  const virtual = new VirtualWorld()
  const told: string[] = []
  const waiters = new PublishWaiters({
    world: virtual.world,
    maxBlockMs: 1_000,
    outbox: false,
    emit: event => told.push(event.type),
    bufferedBytes: () => 7,
    dropped: () => told.push('dropped')
  })
  const add = (topic: string, name: string) =>
    waiters.add({
      topic,
      messages: name,
      nowMs: 0,
      sizeUpperBound: 100,
      delivery: { acked: () => told.push(`acked ${name}`), failed: error => told.push(`${name} ${error.code}`) }
    })
  const entered: string[] = []
  const enter = (waiter: Waiter) => void entered.push(String(waiter.messages))
  return { virtual, waiters, told, add, entered, enter }
}

test('each topic in order; one that must wait does not hold up another', () => {
  const { waiters, add, entered, enter, told } = bench()
  add('a', 'a1')
  add('b', 'b1')
  add('a', 'a2')
  waiters.admit(topic => topic === 'a', enter)
  assert.deepEqual(entered, ['a1', 'a2'])
  assert.deepEqual([waiters.holds('a'), waiters.holds('b'), waiters.isEmpty], [false, true, false])
  waiters.admit(() => true, enter)
  assert.deepEqual(entered, ['a1', 'a2', 'b1'])
  assert.deepEqual(told, ['publish.blocked', 'publish.unblocked'])
})

test('who enters may make room run out: the rest stays, in order', () => {
  const { waiters, add, entered, enter } = bench()
  for (const name of ['1', '2', '3']) add('a', name)
  let room = 2
  waiters.admit(() => room-- > 0, enter)
  assert.deepEqual(entered, ['1', '2'])
  waiters.admit(() => true, enter)
  assert.deepEqual(entered, ['1', '2', '3'])
})

test('each waits maxBlockMs, and then fails without having been written', async () => {
  const { virtual, waiters, add, told } = bench()
  add('a', 'first')
  await virtual.advance(600)
  add('a', 'second')
  await virtual.advance(400)
  assert.deepEqual(told, ['publish.blocked', 'first BLOCKED_TIMEOUT', 'dropped'])
  await virtual.advance(600)
  assert.deepEqual(told.slice(3), ['second BLOCKED_TIMEOUT', 'publish.unblocked', 'dropped'])
  assert.equal(waiters.isEmpty, true)
  assert.equal(virtual.timers, 0)
})

test('a missing topic fails its own, close fails all', () => {
  const { virtual, waiters, add, told } = bench()
  add('a', '1')
  add('b', '2')
  waiters.fail('a', new PublishError('GONE', 'gone', 'failed'))
  assert.ok(told.includes('1 GONE') && !told.includes('2 GONE'))
  waiters.close(new PublishError('CLOSED', 'closed', 'failed'))
  assert.ok(told.includes('2 CLOSED'))
  assert.equal(virtual.timers, 0)
})

test('not without end: more than 100,000 fail at once', () => {
  const { add, told } = bench()
  for (let i = 0; i < 100_000; i++) add('a', 'x')
  add('a', 'one too many')
  assert.equal(told.at(-1), 'one too many BUFFER_FULL')
})
