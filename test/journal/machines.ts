/** Small machines for the tests of the journal. */
import { assign, cancel, enqueueActions, fromCallback, fromPromise, raise, setup, spawnChild, stopChild } from 'xstate'

export const counterMachine = setup({
  types: {} as { context: { instance: string; path: string; total: number }; events: { type: 'ADD'; by: number } | { type: 'FAIL' } },
  actions: {
    fail: () => {},
    failHere: assign(() => {
      throw new Error('an assign that throws')
    })
  }
}).createMachine({
  id: 'counter',
  context: { instance: 'i', path: 'counter', total: 0 },
  initial: 'on',
  states: {
    on: {
      on: {
        ADD: { actions: assign({ total: ({ context, event }) => context.total + event.by }) },
        FAIL: { actions: 'failHere' }
      }
    }
  }
})

/** Everything that XState turns into events of its own: timers, delayed raises, children and their ends. */
export const busyMachine = setup({
  types: {} as {
    context: { instance: string; path: string; log: string[]; pauseMs: number }
    events: { type: 'GO' } | { type: 'LATER' } | { type: 'STOP' } | { type: 'DONE'; random: number } | { type: 'CALLED' }
    input: { path: string }
  },
  actors: { leaf: fromCallback(() => () => {}), answer: fromPromise(async () => 42), child: counterMachine },
  actions: {
    effect: (_, _params: { what: string }) => {},
    log: assign({ log: ({ context, event }) => [...context.log, event.type] })
  },
  guards: { even: ({ context }) => context.log.length % 2 === 0 },
  delays: { pause: ({ context }) => context.pauseMs }
}).createMachine({
  id: 'busy',
  context: ({ input }) => ({ instance: 'i', path: input.path, log: [], pauseMs: 5 }),
  initial: 'idle',
  states: {
    idle: {
      entry: { type: 'effect', params: { what: 'rest' } },
      on: { GO: { target: 'working', actions: ['log', raise({ type: 'CALLED' })] } }
    },
    working: {
      entry: [spawnChild('child', { id: 'counter' }), raise({ type: 'LATER' }, { delay: 3, id: 'later' })],
      exit: [stopChild('counter'), cancel('later')],
      invoke: [
        { src: 'leaf', id: 'leaf' },
        { src: 'answer', id: 'answer', onDone: { actions: 'log' } }
      ],
      after: { pause: { target: 'resting', actions: 'log' } },
      on: {
        CALLED: { actions: 'log' },
        LATER: { actions: 'log' },
        STOP: { target: 'idle', actions: assign({ pauseMs: 50 }) }
      }
    },
    resting: {
      entry: enqueueActions(({ enqueue, check }) => {
        if (check('even')) enqueue('log')
        enqueue({ type: 'effect', params: { what: 'rested' } })
      }),
      always: { guard: 'even', target: 'idle' },
      on: { STOP: 'idle', DONE: 'end' }
    },
    end: { type: 'final' }
  }
})
