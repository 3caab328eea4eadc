import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AnyMachineSnapshot, initialTransition, transition } from 'xstate'
import { type IdentityEvent, identityMachine } from '../../src/machines/identity.ts'
import { outboxMachine } from '../../src/machines/outbox.ts'
import { registrySessionMachine } from '../../src/machines/registry-session.ts'
import { SLICE, type TierEvent, tierMachine } from '../../src/machines/tier.ts'
import { assertEveryTransition } from '../support/graph.ts'
import { assertTable } from '../support/graph-table.ts'

const error = (retriable: boolean) => ({ name: 'BrokerError', code: 'X', message: 'm', retriable, details: {} })

test('every transition of the producer identity', () => {
  assertTable(
    'identity',
    assertEveryTransition(identityMachine, {
      input: { instance: 'i', path: 'cluster/identity', retryBackoffMs: 100, retryBackoffMaxMs: 1000 },
      events: [
        { type: 'NEEDED' },
        { type: 'RENEW' },
        ({ context: { round: now } }) =>
          [now, now - 1].flatMap((round): IdentityEvent[] => [
            { type: 'GIVEN', round, producerId: '7', producerEpoch: 0 },
            { type: 'FAILED', round, error: error(true), random: 0 },
            { type: 'FAILED', round, error: error(false), random: 0 }
          ])
      ],
      identity: ({ producerId }) => producerId
    })
  )
})

test('every transition of the outbox', () => {
  assertTable(
    'outbox',
    assertEveryTransition(outboxMachine, {
      input: { instance: 'i', path: 'cluster/outbox', directory: 'd' },
      events: [
        { type: 'OPENED', batches: 2, bytes: 300, damages: 1 },
        { type: 'OPEN_FAILED', error: error(true) },
        { type: 'WRITE_FAILED', reason: 'full' },
        { type: 'WRITE_FAILED', reason: 'no rights' },
        { type: 'WRITTEN' }
      ],
      identity: ({ reason }) => reason
    })
  )
})

test('every transition of the registry session', () => {
  const session = (state: 'connecting' | 'connected' | 'suspended' | 'reconnected' | 'expired' | 'closed') =>
    ({ type: 'SESSION', state, sessionTimeoutMs: 6000, reason: '' }) as const
  assertTable(
    'registry-session',
    assertEveryTransition(registrySessionMachine, {
      input: { instance: 'i', path: 'cluster/registry' },
      events: [
        session('connecting'),
        session('connected'),
        session('suspended'),
        session('reconnected'),
        session('expired'),
        session('closed'),
        { type: 'FAILED', error: error(false) },
        { type: 'CLOSE' }
      ],
      identity: () => null
    })
  )
})

test('every transition of a tier, and of a slice', () => {
  for (const tier of [undefined, 'topics'])
    assertTable(
      tier === undefined ? 'tier' : 'tier-slice',
      assertEveryTransition(tierMachine, {
        input: { instance: 'i', path: 'topics', ...(tier ? { tier } : {}) },
        events: [
          { type: 'ADD', id: 'a', src: 'topic', input: {} },
          ({ context }): TierEvent[] => (context.own > 0 ? [{ type: 'REMOVE', id: 'a' }] : []),
          ({ context }): TierEvent[] => ((context.slices[0] ?? 0) > 0 ? [{ type: 'LEFT', slice: `${context.path}~0` }] : [])
        ],
        restsIn: ['open'],
        maxDepth: 3 * SLICE,
        maxNodes: 300
      })
    )
})

test('a tier never has more than its slice of children, however many are added', () => {
  let [snapshot] = initialTransition(tierMachine, { instance: 'i', path: 'topics' }) as [AnyMachineSnapshot, unknown]
  const spawned = new Map<string, number>()
  for (let i = 0; i < 3000; i++) {
    const [next, actions] = transition(tierMachine, snapshot as never, {
      type: 'ADD',
      id: `t${i}`,
      src: 'topic',
      input: {}
    }) as unknown as [AnyMachineSnapshot, { type: string; params: { path: string } }[]]
    snapshot = next
    for (const action of actions) {
      const where = action.type === 'tell' ? action.params.path : 'topics'
      spawned.set(where, (spawned.get(where) ?? 0) + 1)
    }
  }
  for (const [path, count] of spawned) assert.ok(count <= SLICE, `${path} has ${count}`)
})
