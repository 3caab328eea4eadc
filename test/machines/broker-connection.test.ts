import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type BrokerConnectionContext,
  type BrokerConnectionEvent,
  brokerConnectionMachine as machine
} from '../../src/machines/broker-connection.ts'
import { assertEveryTransition } from '../support/graph.ts'
import { assertTable } from '../support/graph-table.ts'
import { runMachine } from '../support/run-machine.ts'

const input = {
  instance: 'i',
  path: 'brokers/1/data',
  node: 1,
  purpose: 'data',
  host: 'a',
  port: 1,
  backoffMs: 50,
  backoffMaxMs: 1000,
  drainTimeoutMs: 100
}
const error = { name: 'ConnectionError', code: 'CONNECTION_LOST', message: 'gone', retriable: true, details: {} }

const run = (...events: BrokerConnectionEvent[]) => runMachine<BrokerConnectionContext>(machine, input, events)
const up: BrokerConnectionEvent[] = [{ type: 'WANT' }, { type: 'CONNECTED', link: 1, address: '10.0.0.1' }, { type: 'NEGOTIATED', link: 1 }]

test('every transition of a broker connection', () => {
  assertTable(
    'broker-connection',
    assertEveryTransition(machine, {
      input,
      events: [
        { type: 'WANT' },
        { type: 'UNLISTED' },
        { type: 'RELEASE' },
        { type: 'ENDPOINT', host: 'a', port: 1 },
        { type: 'ENDPOINT', host: 'b', port: 2 },
        // What an older link still says changes nothing.
        ({ context }) =>
          [context.link, context.link - 1].flatMap((link): BrokerConnectionEvent[] => [
            { type: 'CONNECTED', link, address: 'x' },
            { type: 'NEGOTIATED', link },
            { type: 'DRAINED', link },
            { type: 'CLOSED', link, error: null, inFlight: 0, wanted: false, random: 0.5 },
            { type: 'CLOSED', link, error, inFlight: 2, wanted: true, random: 0.5 },
            { type: 'CLOSED', link, error, inFlight: 2, wanted: false, random: 0.5 }
          ])
      ],
      identity: ({ listed, wanted, host }) => ({ listed, wanted, host })
    })
  )
})

test('what an older dial still says is dropped', () => {
  const { snapshot } = run(
    ...up,
    { type: 'ENDPOINT', host: 'b', port: 2 },
    { type: 'NEGOTIATED', link: 1 },
    { type: 'CLOSED', link: 1, error, inFlight: 1, wanted: true, random: 0 }
  )
  assert.deepEqual(snapshot.value, { linked: 'dialing' })
  assert.equal(snapshot.context.link, 2)
})

test('an idle connection that the broker closes is no trouble: no pause, no word, dialled again when it is wanted', () => {
  const { snapshot, actions } = run(...up, { type: 'CLOSED', link: 1, error: null, inFlight: 0, wanted: false, random: 0 })
  assert.equal(snapshot.value, 'idle')
  assert.ok(!actions.includes('note'))
  assert.ok(actions.includes('withdraw'))
})

test('one that is lost with requests in flight is dialled again after a pause that doubles, with jitter, up to its limit', () => {
  const lost = (link: number, random: number): BrokerConnectionEvent => ({ type: 'CLOSED', link, error, inFlight: 1, wanted: true, random })
  const again = { type: 'xstate.after.backoff.broker-connection.backingOff' } as never
  const one = run(...up, lost(1, 0))
  assert.equal(one.snapshot.value, 'backingOff')
  assert.equal(one.snapshot.context.delayMs, 40)
  assert.equal(run(...up, lost(1, 0), again, lost(2, 0)).snapshot.context.delayMs, 80)
  const many = Array.from({ length: 12 }, (_, i) => [again, lost(i + 2, 0.5)]).flat()
  assert.equal(run(...up, lost(1, 0), ...many).snapshot.context.delayMs, 1000)
})

test('each dial in vain is told, so that whoever its partitions are led by is looked for', () => {
  const lost = (link: number): BrokerConnectionEvent => ({ type: 'CLOSED', link, error, inFlight: 0, wanted: true, random: 0 })
  const again = { type: 'xstate.after.backoff.broker-connection.backingOff' } as never
  for (const events of [[lost(1)], [lost(1), again, lost(2)]]) assert.ok(run(...up, ...events).actions.includes('tellUnreachable'))
})

test('a broker that the registry no longer lists keeps its connection while it works, and is given up when it ends', () => {
  const still = run(...up, { type: 'UNLISTED' })
  assert.deepEqual(still.snapshot.value, { linked: 'ready' })
  const gone = run(...up, { type: 'UNLISTED' }, { type: 'CLOSED', link: 1, error, inFlight: 0, wanted: false, random: 0 })
  assert.equal(gone.snapshot.value, 'givenUp')
  assert.ok(gone.actions.includes('failWaiters'), 'whoever waits learns it now, not at a deadline')
  assert.deepEqual(
    run(
      ...up,
      { type: 'UNLISTED' },
      { type: 'CLOSED', link: 1, error, inFlight: 0, wanted: true, random: 0 },
      { type: 'ENDPOINT', host: 'b', port: 2 }
    ).snapshot.value,
    { linked: 'dialing' }
  )
})

test('a release lets what is in flight be answered, for a time', () => {
  const draining = run(...up, { type: 'RELEASE' })
  assert.deepEqual(draining.snapshot.value, { linked: 'draining' })
  assert.equal(run(...up, { type: 'RELEASE' }, { type: 'DRAINED', link: 1 }).snapshot.status, 'done')
})

test('a broker that cannot be reached is not dialled for ever when nobody waits for it', () => {
  const { snapshot } = run(...up, { type: 'CLOSED', link: 1, error, inFlight: 1, wanted: false, random: 0 }, {
    type: 'xstate.after.backoff.broker-connection.backingOff'
  } as never)
  assert.equal(snapshot.value, 'idle')
})
