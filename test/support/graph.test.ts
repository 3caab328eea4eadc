/** The runner that walks machines along their graphs, itself put to the test. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assign, fromPromise, raise, setup } from 'xstate'
import { assertEveryTransition, explore, type GraphOptions } from './graph.ts'

/** Dials, waits, asks, gives up: a small machine with all that ours have. */
const callMachine = setup({
  types: {} as {
    context: { tries: number; call: number; answer: string | null }
    events: { type: 'DIAL' } | { type: 'UP'; call: number } | { type: 'DOWN'; call: number } | { type: 'HANG_UP' } | { type: 'RETRY' }
    input: { tries: number }
  },
  actors: { ask: fromPromise(async () => 'yes') },
  actions: { dial: (_, _params: { call: number }) => {}, count: assign(({ context }) => ({ call: context.call + 1 })) },
  guards: {
    current: ({ context, event }) => 'call' in event && event.call === context.call,
    spent: ({ context }) => context.tries === 0
  },
  delays: { pause: ({ context }) => 100 * (context.tries + 1) }
}).createMachine({
  id: 'call',
  context: ({ input }) => ({ tries: input.tries, call: 0, answer: null }),
  initial: 'idle',
  on: { HANG_UP: '.over' },
  states: {
    idle: { on: { DIAL: 'dialing' } },
    dialing: {
      entry: ['count', { type: 'dial', params: ({ context }) => ({ call: context.call }) }],
      on: {
        UP: { guard: 'current', target: 'talking' },
        DOWN: [
          { guard: ({ context, event }) => event.call !== context.call },
          { guard: 'spent', target: 'over' },
          { target: 'waiting', actions: assign({ tries: ({ context }) => context.tries - 1 }) }
        ]
      }
    },
    waiting: { entry: raise({ type: 'RETRY' }, { delay: 5, id: 'retry' }), after: { pause: 'dialing' }, on: { RETRY: {} } },
    talking: {
      invoke: {
        id: 'ask',
        src: 'ask',
        onDone: { target: 'deciding', actions: assign({ answer: ({ event }) => event.output }) },
        onError: 'waiting'
      }
    },
    deciding: { always: [{ guard: ({ context }) => context.answer === 'yes', target: 'over' }, { target: 'idle' }] },
    over: { type: 'final' }
  }
})

const full: GraphOptions<typeof callMachine> = {
  input: { tries: 2 },
  events: [
    { type: 'DIAL' },
    { type: 'HANG_UP' },
    ({ context }) => [
      { type: 'UP', call: context.call },
      { type: 'DOWN', call: context.call },
      { type: 'DOWN', call: context.call - 1 }
    ]
  ],
  identity: ({ tries, answer }) => [tries, answer],
  outputs: { ask: ['yes', 'no'] }
}

describe('assertEveryTransition', () => {
  it('takes every branch: events, guards, timers, delayed raises, ends of children, eventless ones, of the root too', () => {
    const graph = assertEveryTransition(callMachine, full)
    assert.deepEqual(graph.covered, [
      'call ─ HANG_UP → call.over',
      'call.idle ─ DIAL → call.dialing',
      'call.dialing ─ UP [current] → call.talking',
      'call.dialing ─ DOWN #1 [inline]',
      'call.dialing ─ DOWN #2 [spent] → call.over',
      'call.dialing ─ DOWN #3 → call.waiting',
      'call.waiting ─ RETRY',
      'call.waiting ─ xstate.after.pause.call.waiting → call.dialing',
      'call.talking ─ xstate.done.actor.ask → call.deciding',
      'call.talking ─ xstate.error.actor.ask → call.waiting',
      'call.deciding ─ always #1 [inline] → call.over',
      'call.deciding ─ always #2 → call.idle'
    ])
    assert.equal(graph.truncated, false)
    assert.deepEqual([...new Set(graph.nodes.map(({ value }) => value))].sort(), ['dialing', 'idle', 'over', 'talking', 'waiting'])
    const dials = graph.edges.flatMap(({ actions }) => actions.filter(({ type }) => type === 'dial'))
    assert.ok(dials.length > 0 && dials.every(({ params }) => (params as { call: number }).call > 0))
  })

  it('names what was not taken', () => {
    assert.throws(
      () => assertEveryTransition(callMachine, { ...full, outputs: { ask: ['yes'] } }),
      /never taken: call\.deciding ─ always #2 → call\.idle$/m
    )
    assert.throws(
      () => assertEveryTransition(callMachine, { ...full, input: { tries: 100 }, maxNodes: 20 }),
      /stopped at the limit[\s\S]*spent/
    )
  })

  it('lets a branch be listed as unreachable, until it is reached', () => {
    const label = 'call.deciding ─ always #2 → call.idle'
    const only = { ...full, outputs: { ask: ['yes'] } }
    assertEveryTransition(callMachine, { ...only, unreachable: { [label]: 'the answer is always yes here' } })
    assert.throws(() => assertEveryTransition(callMachine, { ...full, unreachable: { [label]: 'no more' } }), /unreachable, but taken/)
    assert.throws(
      () => assertEveryTransition(callMachine, { ...full, unreachable: { nothing: 'x' } }),
      /unreachable, but not a transition: nothing/
    )
  })

  it('fires only timers that are set', () => {
    const graph = explore(callMachine, { ...full, maxDepth: 2 })
    assert.ok(graph.truncated)
    assert.ok(graph.edges.every(({ from, event }) => !event.startsWith('xstate.after') || graph.nodes[from]?.value === 'waiting'))
  })

  it('checks invariants everywhere and tells the way to where one does not hold', () => {
    assert.throws(
      () =>
        assertEveryTransition(callMachine, {
          ...full,
          invariants: [({ context }) => assert.ok(context.tries > 0, 'no try is left')]
        }),
      /After[\s\S]*DIAL[\s\S]*DOWN \{"call":1\}[\s\S]*no try is left/
    )
  })
})

describe('the built-in invariants', () => {
  const machineWith = (entry: unknown, context: object = {}) =>
    setup({ types: {} as { context: object; events: { type: 'GO' } | { type: 'BACK' } } }).createMachine({
      id: 'm',
      context,
      initial: 'a',
      states: { a: { on: { GO: 'b' } }, b: { entry: entry as never, on: { BACK: 'a' } } }
    })
  const walk = (machine: ReturnType<typeof machineWith>) => assertEveryTransition(machine, { events: [{ type: 'GO' }, { type: 'BACK' }] })

  it('pass a plain machine', () => {
    walk(machineWith([]))
  })

  it('refuse a context that is not plain', () => {
    for (const value of [1n, Buffer.from('x'), new Map(), new Error('x'), () => {}, Number.NaN, new Date(0)])
      assert.throws(() => walk(machineWith(assign(() => ({ value })))), /After[\s\S]*context/, String(value))
    assert.throws(() => walk(machineWith(assign(() => ({ password: 'x' })))), /credential/)
  })

  it('refuse a machine that reads chance or a clock', () => {
    let ticks = 0
    assert.throws(() => walk(machineWith(assign(() => ({ at: ticks++ })))), /gave two results/)
  })

  it('tell of a transition that throws', () => {
    const broken = assign(() => {
      throw new Error('broken here')
    })
    assert.throws(() => walk(machineWith(broken)), /After[\s\S]*GO[\s\S]*broken here/)
  })

  it('find a state that is never left', () => {
    const stuck = setup({ types: {} as { events: { type: 'GO' } } }).createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { on: { GO: 'b' } }, b: {} }
    })
    assert.throws(() => assertEveryTransition(stuck, { events: [{ type: 'GO' }] }), /never left, and not final: b/)
    assertEveryTransition(stuck, { events: [{ type: 'GO' }], restsIn: ['b'] })
  })
})
