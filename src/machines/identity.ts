/**
 * The producer identity (KIP-98): an id that brokers use to recognise batches that they have already. Asked for when the first
 * batch needs it, and anew when a partition has used up its epochs. Epochs are counted per partition, by the queue that uses them.
 *
 *   none ──NEEDED──► asking ──GIVEN──► known
 *                      ▲  │ FAILED (retriable)         │ RENEW
 *                      │  ▼                            │
 *                   backingOff ◄───────────────────────┘ (straight to asking)
 *                      asking ──FAILED (final)──► refused ──NEEDED──► asking
 */
import { assign, setup } from 'xstate'
import type { PlainError } from '../model/errors.ts'

export interface IdentityInput {
  instance: string
  path: string
  retryBackoffMs: number
  retryBackoffMaxMs: number
}

export interface IdentityContext extends IdentityInput {
  /** Decimal; null until known. */
  producerId: string | null
  producerEpoch: number
  round: number
  failures: number
  delayMs: number
  lastError: PlainError | null
}

export type IdentityEvent =
  | { type: 'NEEDED' }
  | { type: 'RENEW' }
  | { type: 'GIVEN'; round: number; producerId: string; producerEpoch: number }
  | { type: 'FAILED'; round: number; error: PlainError; random: number }

export const identityMachine = setup({
  types: {} as { context: IdentityContext; events: IdentityEvent; input: IdentityInput },
  actions: {
    /** InitProducerId to any broker; answers GIVEN or FAILED with this round. */
    ask: (_, _params: { round: number }) => {},
    give: (_, _params: { producerId: string; producerEpoch: number }) => {},
    /** Those who wait learn why they get none. */
    refuse: (_, _params: { error: PlainError }) => {},
    note: (_, _params: { error: PlainError; delayMs: number }) => {},
    forget: assign({ producerId: null, producerEpoch: -1 }),
    nextRound: assign({ round: ({ context }) => context.round + 1 }),
    rememberFailure: assign(({ context, event }) => {
      if (event.type !== 'FAILED') return {}
      const failures = context.failures + 1
      const pause = Math.min(context.retryBackoffMaxMs, context.retryBackoffMs * 2 ** Math.min(failures - 1, 20))
      return { failures, delayMs: Math.round(pause * (0.8 + 0.4 * event.random)), lastError: event.error }
    })
  },
  guards: {
    current: ({ context, event }) => 'round' in event && event.round === context.round,
    final: ({ context, event }) => event.type === 'FAILED' && event.round === context.round && !event.error.retriable
  },
  delays: { pause: ({ context }) => context.delayMs }
}).createMachine({
  id: 'identity',
  context: ({ input }) => ({ ...input, producerId: null, producerEpoch: -1, round: 0, failures: 0, delayMs: 0, lastError: null }),
  initial: 'none',
  states: {
    none: { on: { NEEDED: 'asking' } },
    asking: {
      entry: ['nextRound', { type: 'ask', params: ({ context }) => ({ round: context.round }) }],
      on: {
        GIVEN: {
          guard: 'current',
          target: 'known',
          actions: assign({
            producerId: ({ event }) => event.producerId,
            producerEpoch: ({ event }) => event.producerEpoch,
            failures: 0,
            lastError: null
          })
        },
        FAILED: [
          { guard: 'final', target: 'refused', actions: 'rememberFailure' },
          { guard: 'current', target: 'backingOff', actions: 'rememberFailure' }
        ]
      }
    },
    backingOff: {
      entry: { type: 'note', params: ({ context }) => ({ error: context.lastError!, delayMs: context.delayMs }) },
      after: { pause: 'asking' }
    },
    known: {
      entry: { type: 'give', params: ({ context }) => ({ producerId: context.producerId!, producerEpoch: context.producerEpoch }) },
      on: { RENEW: { target: 'asking', actions: 'forget' } }
    },
    refused: {
      entry: { type: 'refuse', params: ({ context }) => ({ error: context.lastError! }) },
      on: { NEEDED: 'asking' }
    }
  }
})
