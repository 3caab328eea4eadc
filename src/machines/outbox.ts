/**
 * The outbox of a cluster, where there is one: its directory is this process's alone, and takes what is published, or says why it cannot.
 *
 *   opening ──OPENED──► open.writing ⇄ open.failing   (WRITE_FAILED, WRITTEN: nothing is accepted meanwhile)
 *      └────OPEN_FAILED──► failed (final): the cluster ends, as it would otherwise publish without what it was asked for
 *
 * Batches and files are in `src/journal/outbox.ts`; publishes wait until it is open (`src/actors/publish-outbox.ts`).
 */
import { assign, setup } from 'xstate'
import type { PlainError } from '../model/errors.ts'

export interface OutboxInput {
  instance: string
  path: string
  directory: string
}

export interface OutboxContext extends OutboxInput {
  /** Left by earlier processes. */
  recoveredBatches: number
  recoveredBytes: number
  damages: number
  /** Why nothing can be written. */
  reason: string
  error: PlainError | null
}

export type OutboxEvent =
  | { type: 'OPENED'; batches: number; bytes: number; damages: number }
  | { type: 'OPEN_FAILED'; error: PlainError }
  | { type: 'WRITE_FAILED'; reason: string }
  | { type: 'WRITTEN' }

export const outboxMachine = setup({
  types: {} as { context: OutboxContext; events: OutboxEvent; input: OutboxInput },
  actions: {
    /** Opens the directory; answers OPENED or OPEN_FAILED. */
    open: (_, _params: { directory: string }) => {},
    /** Publishes may come; what earlier processes left is on its way. */
    noteOpened: (_, _params: { batches: number; bytes: number; damages: number }) => {},
    noteFailing: (_, _params: { reason: string }) => {},
    noteWriting: () => {},
    /** The cluster hears why it cannot have its outbox. */
    refuse: (_, _params: { error: PlainError }) => {}
  }
}).createMachine({
  id: 'outbox',
  context: ({ input }) => ({ ...input, recoveredBatches: 0, recoveredBytes: 0, damages: 0, reason: '', error: null }),
  initial: 'opening',
  states: {
    opening: {
      entry: { type: 'open', params: ({ context }) => ({ directory: context.directory }) },
      on: {
        OPENED: {
          target: 'open',
          actions: [
            assign({
              recoveredBatches: ({ event }) => event.batches,
              recoveredBytes: ({ event }) => event.bytes,
              damages: ({ event }) => event.damages
            }),
            { type: 'noteOpened', params: ({ event: { batches, bytes, damages } }) => ({ batches, bytes, damages }) }
          ]
        },
        OPEN_FAILED: { target: 'failed', actions: assign({ error: ({ event }) => event.error }) }
      }
    },
    open: {
      initial: 'writing',
      states: {
        writing: {
          on: { WRITE_FAILED: { target: 'failing', actions: assign({ reason: ({ event }) => event.reason }) } }
        },
        failing: {
          entry: { type: 'noteFailing', params: ({ context }) => ({ reason: context.reason }) },
          on: {
            WRITE_FAILED: { actions: assign({ reason: ({ event }) => event.reason }) },
            WRITTEN: { target: 'writing', actions: [assign({ reason: '' }), 'noteWriting'] }
          }
        }
      }
    },
    failed: { type: 'final', entry: { type: 'refuse', params: ({ context }) => ({ error: context.error! }) } }
  }
})
