import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createActor, fromCallback } from 'xstate'
import { type ClusterInternalEvent, clusterMachine as machine } from '../../src/machines/cluster.ts'
import { assertEveryTransition } from '../support/graph.ts'
import { assertTable } from '../support/graph-table.ts'
import { runMachine } from '../support/run-machine.ts'

const brokers = (...ids: number[]): ClusterInternalEvent => ({
  type: 'BROKERS',
  brokers: ids.map(id => ({ id, host: 'h', port: id, rack: null })),
  quarantined: []
})
const registry = (state: string): ClusterInternalEvent => ({
  type: 'REGISTRY',
  state,
  reason: '',
  error: state === 'failed' ? error : null
})
const error = { name: 'RegistryError', code: 'CHROOT_EMPTY', message: 'm', retriable: false, details: {} }
const wanted: ClusterInternalEvent = { type: 'CONSUMER_WANTED', path: 'consumers/a' }
const closed: ClusterInternalEvent = { type: 'CONSUMER_CLOSED', path: 'consumers/a' }

const input = { instance: 'i', outbox: null, retryBackoffMs: 100, retryBackoffMaxMs: 1_000 }
const run = (...events: ClusterInternalEvent[]) => runMachine(machine, input, events)

test('every transition of the supervisor', () => {
  assertTable(
    'cluster',
    assertEveryTransition(machine, {
      input,
      events: [
        brokers(),
        brokers(1, 2),
        registry('live'),
        registry('suspended'),
        registry('failed'),
        wanted,
        closed,
        { type: 'CONTROLLER', brokerId: 1 },
        { type: 'CLUSTER_ID', clusterId: 'c' },
        { type: 'TOPICS_LEVEL', topics: ['t'] },
        { type: 'FOLLOW_TOPICS', path: 'f' },
        { type: 'UNFOLLOW_TOPICS', path: 'f' },
        { type: 'UNSUBSCRIBE', consumer: 'consumers/a' },
        { type: 'PUBLISHES_SETTLED' },
        { type: 'OUTBOX_FAILED', error },
        { type: 'CLOSE' }
      ],
      identity: ({ consumers, error: failed }) => ({ consumers: Math.min(consumers.length, 1), failed: failed !== null })
    })
  )
})

test('the producer identity, refused at first by a cluster that is new, is asked for again after a pause of the options', () => {
  let given: unknown
  const identity = fromCallback(({ input: its }) => {
    given = its
  })
  createActor(machine.provide({ actors: { identity: identity as never } }), { input })
    .start()
    .stop()
  assert.deepEqual(given, { instance: 'i', path: 'cluster/identity', retryBackoffMs: 100, retryBackoffMaxMs: 1_000 })
})

test('brokers that come and go are told as such, and the level goes to the connections', () => {
  const { did } = run(brokers(1, 2), brokers(2, 3))
  assert.deepEqual(did('emitBrokers'), [{ brokers: [2, 3], appeared: [3], disappeared: [1] }])
  assert.equal(did('setBrokers').length, 1)
})

test('a suspended registry cuts nothing off: it stays ready', () => {
  const { snapshot } = run(brokers(1), registry('live'), registry('suspended'))
  assert.ok(snapshot.hasTag('ready'))
  assert.deepEqual(snapshot.value, { running: { ready: 'cutOff' } })
})

test('closing: consumers first, then publishes, then the end', () => {
  const closing = run(brokers(1), wanted, { type: 'CLOSE' })
  assert.deepEqual(closing.did('tell'), [{ path: 'consumers/a', event: { type: 'CLOSE' } }])
  assert.deepEqual(run(brokers(1), wanted, { type: 'CLOSE' }, closed).snapshot.value, { running: { closing: 'publishes' } })
  assert.equal(run(brokers(1), wanted, { type: 'CLOSE' }, closed, { type: 'PUBLISHES_SETTLED' }).snapshot.status, 'done')
})

test('a consumer that is wanted while it closes is refused, not started', () => {
  const { actions, did } = run(brokers(1), { type: 'CLOSE' }, wanted)
  assert.deepEqual(actions, ['refuseConsumer'])
  assert.deepEqual(did('refuseConsumer'), [{ path: 'consumers/a' }])
})

test('a registry that fails for good ends the cluster with its error as output', () => {
  const { snapshot } = run(registry('failed'), { type: 'PUBLISHES_SETTLED' })
  assert.deepEqual(snapshot.output, { outcome: 'failed', error })
})
