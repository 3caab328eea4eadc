/**
 * One connection to one broker for one purpose: dial, negotiate, ready, draining, backing off, given up.
 *
 *            WANT                 CONNECTED              NEGOTIATED
 *   idle ────────────► dialing ────────────► negotiating ──────────► ready ──RELEASE──► draining ──► closed (final)
 *    ▲  ◄───────────────────────────────────── closed in silence, nothing in flight ─┘
 *    │                    ▲ after backoff         │ CLOSED with a reason, or with requests in flight
 *    │  nobody wants it   │                       ▼
 *    └──────────────── backingOff ◄───────────────┘      not listed any more ──► givenUp ──ENDPOINT──► dialing / idle
 *
 * `listed` is the registry's word. A broker that vanishes from the registry keeps its connection while that works.
 * Every dial has its own `link` number; what an older leaf still says is dropped.
 */
import { assign, type EventObject, fromCallback, setup } from 'xstate'
import type { PlainError } from '../model/errors.ts'

export interface BrokerConnectionInput {
  instance: string
  path: string
  node: number
  purpose: string
  host: string
  port: number
  backoffMs: number
  backoffMaxMs: number
  drainTimeoutMs: number
}

export interface BrokerConnectionContext extends BrokerConnectionInput {
  /** Counts dials; the leaf's events carry it. */
  link: number
  /** The registry lists this broker. */
  listed: boolean
  /** Somebody needs the connection: it is dialled again after the pause. */
  wanted: boolean
  failures: number
  delayMs: number
  lastError: PlainError | null
}

export type BrokerConnectionEvent =
  | { type: 'WANT' }
  | { type: 'ENDPOINT'; host: string; port: number }
  | { type: 'UNLISTED' }
  | { type: 'RELEASE' }
  | { type: 'CONNECTED'; link: number; address: string }
  | { type: 'NEGOTIATED'; link: number }
  | { type: 'DRAINED'; link: number }
  /** `wanted`: somebody waits for the link. `random` in [0,1): the jitter of the pause that may follow. */
  | { type: 'CLOSED'; link: number; error: PlainError | null; inFlight: number; wanted: boolean; random: number }

const current = ({ context, event }: { context: BrokerConnectionContext; event: BrokerConnectionEvent }) =>
  'link' in event && event.link === context.link

export const brokerConnectionMachine = setup({
  types: {} as { context: BrokerConnectionContext; events: BrokerConnectionEvent; input: BrokerConnectionInput; tags: 'ready' },
  actors: {
    /** The leaf of one dial: it resolves, dials, negotiates and reports; when it is stopped, the socket is gone. */
    connection: fromCallback<EventObject, BrokerConnectionContext>(() => {})
  },
  actions: {
    /** Lets what is in flight be answered; the leaf reports DRAINED. */
    drain: () => {},
    /** The link may be used from now on: those who wait for it get it. */
    offer: (_, _params: { node: number; purpose: string }) => {},
    /** The link may not be used any more. */
    withdraw: (_, _params: { node: number; purpose: string; error: PlainError | null }) => {},
    /** Nobody will dial for those who wait: they fail now. */
    failWaiters: (_, _params: { node: number; purpose: string; error: PlainError | null }) => {},
    /** Its partitions may be led by others by now. */
    tellUnreachable: (_, _params: { node: number; purpose: string; error: PlainError | null }) => {},
    note: (_, _params: { state: string; reason: string }) => {},
    startDial: assign({ link: ({ context }) => context.link + 1 }),
    rememberFailure: assign(({ context, event }) => {
      if (event.type !== 'CLOSED') return {}
      const failures = context.failures + 1
      const pause = Math.min(context.backoffMaxMs, context.backoffMs * 2 ** Math.min(failures - 1, 20))
      return { failures, delayMs: Math.round(pause * (0.8 + 0.4 * event.random)), lastError: event.error, wanted: event.wanted }
    }),
    rememberEndpoint: assign(({ event }) => (event.type === 'ENDPOINT' ? { host: event.host, port: event.port, listed: true } : {}))
  },
  guards: {
    current,
    moved: ({ context, event }) => event.type === 'ENDPOINT' && (event.host !== context.host || event.port !== context.port),
    /** A broker closes idle connections (`connections.max.idle.ms`): no trouble, no pause, no word. */
    silent: params =>
      current(params) &&
      params.event.type === 'CLOSED' &&
      params.event.inFlight === 0 &&
      params.event.error === null &&
      params.context.listed,
    unlisted: params => current(params) && !params.context.listed,
    wanted: ({ context }) => context.wanted
  },
  delays: {
    backoff: ({ context }) => context.delayMs,
    drainLimit: ({ context }) => context.drainTimeoutMs
  }
}).createMachine({
  id: 'broker-connection',
  context: ({ input }) => ({ ...input, link: 0, listed: true, wanted: false, failures: 0, delayMs: 0, lastError: null }),
  initial: 'idle',
  on: {
    WANT: { actions: assign({ wanted: true }) },
    UNLISTED: { actions: assign({ listed: false }) },
    RELEASE: { target: '.closed' }
  },
  states: {
    idle: {
      entry: assign({ wanted: false }),
      on: {
        WANT: { target: 'linked', actions: assign({ wanted: true }) },
        ENDPOINT: { actions: 'rememberEndpoint' },
        UNLISTED: { target: 'givenUp', actions: assign({ listed: false }) }
      }
    },
    linked: {
      initial: 'dialing',
      entry: 'startDial',
      invoke: { src: 'connection', id: 'connection', input: ({ context }) => context },
      on: {
        ENDPOINT: [
          {
            guard: 'moved',
            target: 'linked',
            reenter: true,
            actions: ['rememberEndpoint', { type: 'note', params: { state: 'dialing', reason: 'address changed' } }]
          },
          { actions: 'rememberEndpoint' }
        ],
        CLOSED: [
          { guard: 'unlisted', target: 'givenUp', actions: 'rememberFailure' },
          { guard: 'current', target: 'backingOff', actions: 'rememberFailure' }
        ]
      },
      states: {
        dialing: { on: { CONNECTED: { guard: 'current', target: 'negotiating' } } },
        negotiating: { on: { NEGOTIATED: { guard: 'current', target: 'ready' } } },
        ready: {
          tags: 'ready',
          entry: [
            assign({ failures: 0, lastError: null }),
            { type: 'offer', params: ({ context }) => ({ node: context.node, purpose: context.purpose }) },
            { type: 'note', params: { state: 'ready', reason: 'negotiated' } }
          ],
          exit: { type: 'withdraw', params: ({ context }) => ({ node: context.node, purpose: context.purpose, error: context.lastError }) },
          on: {
            CLOSED: [
              { guard: 'unlisted', target: '#broker-connection.givenUp', actions: 'rememberFailure' },
              { guard: 'silent', target: '#broker-connection.idle' },
              { guard: 'current', target: '#broker-connection.backingOff', actions: 'rememberFailure' }
            ],
            RELEASE: 'draining'
          }
        },
        draining: {
          entry: 'drain',
          on: {
            RELEASE: {},
            DRAINED: { guard: 'current', target: '#broker-connection.closed' },
            CLOSED: { guard: 'current', target: '#broker-connection.closed' }
          },
          after: { drainLimit: '#broker-connection.closed' }
        }
      }
    },
    backingOff: {
      entry: [
        {
          type: 'note',
          params: ({ context }) => ({
            state: 'backing off',
            reason: `${context.lastError?.message ?? 'closed'} Next dial in ${context.delayMs} ms.`
          })
        },
        {
          type: 'tellUnreachable',
          params: ({ context }) => ({ node: context.node, purpose: context.purpose, error: context.lastError })
        }
      ],
      on: {
        ENDPOINT: [{ guard: 'moved', target: 'linked', actions: 'rememberEndpoint' }, { actions: 'rememberEndpoint' }],
        UNLISTED: { target: 'givenUp', actions: assign({ listed: false }) }
      },
      after: { backoff: [{ guard: 'wanted', target: 'linked' }, { target: 'idle' }] }
    },
    givenUp: {
      entry: [
        { type: 'failWaiters', params: ({ context }) => ({ node: context.node, purpose: context.purpose, error: context.lastError }) },
        { type: 'note', params: { state: 'given up', reason: 'the registry does not list this broker' } }
      ],
      on: {
        // A broker that is not listed is not dialled: whoever wants it learns so at once.
        WANT: {
          actions: {
            type: 'failWaiters',
            params: ({ context }) => ({ node: context.node, purpose: context.purpose, error: context.lastError })
          }
        },
        ENDPOINT: [
          { guard: 'wanted', target: 'linked', actions: ['rememberEndpoint', assign({ failures: 0 })] },
          { target: 'idle', actions: ['rememberEndpoint', assign({ failures: 0 })] }
        ]
      }
    },
    closed: {
      type: 'final',
      entry: [
        { type: 'failWaiters', params: ({ context }) => ({ node: context.node, purpose: context.purpose, error: null }) },
        { type: 'note', params: { state: 'closed', reason: 'released' } }
      ]
    }
  }
})
