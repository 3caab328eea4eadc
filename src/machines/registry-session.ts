/**
 * The session with the registry: ZooKeeper's, or the Metadata that stands in for it. The leaf holds the Registry itself; levels go
 * straight to whom they concern, this machine tells what they are worth: live, suspended, expired.
 *
 *   connecting ──connected──► live ──suspended──► suspended ──reconnected──► live
 *                               │ expired             │ expired
 *                               └────────► expired ◄──┘ ──connected (a new session)──► live
 *   any ──FAILED──► failed        CLOSE ──► closed (final)
 */
import { assign, type EventObject, fromCallback, setup } from 'xstate'
import type { PlainError } from '../model/errors.ts'

export interface RegistrySessionInput {
  instance: string
  path: string
}

export interface RegistrySessionContext extends RegistrySessionInput {
  sessionTimeoutMs: number | null
  reason: string
  error: PlainError | null
}

export type RegistrySessionEvent =
  | {
      type: 'SESSION'
      state: 'connecting' | 'connected' | 'suspended' | 'reconnected' | 'expired' | 'closed'
      sessionTimeoutMs: number | null
      reason: string
    }
  | { type: 'FAILED'; error: PlainError }
  | { type: 'CLOSE' }

const told =
  (...states: string[]) =>
  ({ event }: { event: RegistrySessionEvent }) =>
    event.type === 'SESSION' && states.includes(event.state)

export const registrySessionMachine = setup({
  types: {} as { context: RegistrySessionContext; events: RegistrySessionEvent; input: RegistrySessionInput },
  actors: { registry: fromCallback<EventObject, RegistrySessionContext>(() => {}) },
  actions: {
    /** Tells the supervisor. */
    report: (_, _params: { state: string; reason: string; error: PlainError | null }) => {},
    remember: assign(({ context, event }) =>
      event.type === 'SESSION' ? { reason: event.reason, sessionTimeoutMs: event.sessionTimeoutMs ?? context.sessionTimeoutMs } : {}
    )
  },
  guards: {
    connected: told('connected', 'reconnected'),
    suspended: told('suspended'),
    expired: told('expired')
  }
}).createMachine({
  id: 'registry-session',
  context: ({ input }) => ({ ...input, sessionTimeoutMs: null, reason: '', error: null }),
  initial: 'active',
  states: {
    active: {
      initial: 'connecting',
      invoke: { src: 'registry', id: 'registry', input: ({ context }) => context },
      on: {
        FAILED: { target: 'failed', actions: assign({ error: ({ event }) => event.error, reason: ({ event }) => event.error.message }) },
        CLOSE: 'closed',
        SESSION: [
          { guard: 'connected', target: '.live', actions: 'remember' },
          { guard: 'suspended', target: '.suspended', actions: 'remember' },
          { guard: 'expired', target: '.expired', actions: 'remember' },
          { actions: 'remember' }
        ]
      },
      states: {
        connecting: {},
        live: { entry: { type: 'report', params: ({ context }) => ({ state: 'live', reason: context.reason, error: null }) } },
        suspended: { entry: { type: 'report', params: ({ context }) => ({ state: 'suspended', reason: context.reason, error: null }) } },
        expired: { entry: { type: 'report', params: ({ context }) => ({ state: 'expired', reason: context.reason, error: null }) } }
      }
    },
    failed: {
      entry: { type: 'report', params: ({ context }) => ({ state: 'failed', reason: context.reason, error: context.error }) },
      on: { CLOSE: 'closed' }
    },
    closed: { type: 'final' }
  }
})
