/**
 * The publishing side of one partition: does it have a leader, is something in flight, is it being tried again.
 * The batches themselves lie in a `PartitionQueue` (src/flow); events carry its levels (`inFlight`, `queued`), never bytes.
 *
 *   sought ──LEADER──► led.linking ──LINKED──► led.idle ◄──ACKED (nothing left)── led.inFlight
 *     ▲  ▲                ▲   │ LINK_FAILED        └────────SEALED────────────────►   │ REFUSED, LINK_LOST
 *     │  └─NO_LEADER─┐    │   ▼                                                       ▼
 *     │          leaderless   led.retrying ◄────────────────────────────────────────── ┘
 *     └─ topic re-created      └── after the pause ──► led.linking (same batch, same sequence)
 *
 *   led.verifying: between linking and inFlight where an earlier process left flights (outbox): the leader is asked which of them it has.
 *   parked: its flights' outcome stayed unknown past the deadline and `onUnknown` says wait; a LEADER or LINKED wakes it.
 *
 * `window`: one in flight until this leader has acked once and after any refusal (a broker takes any first sequence of a producer
 * that it does not know), then up to WINDOW_MAX. `term` numbers the stays with one leader and one link: answers to effects carry it.
 */
import { assign, setup } from 'xstate'

export const WINDOW_MAX = 5

export interface PartitionInput {
  instance: string
  path: string
  topic: string
  partition: number
  retryBackoffMs: number
  retryBackoffMaxMs: number
  windowMax: number
}

export interface PartitionContext extends PartitionInput {
  leader: number | null
  leaderEpoch: number
  window: number
  term: number
  /** Refusals and lost links in a row. */
  attempt: number
  delayMs: number
  reason: string
}

export interface Levels {
  inFlight: number
  queued: number
}

export type PartitionEvent =
  | { type: 'LEADER'; topic: string; partition: number; node: number; leaderEpoch: number; topicId: string | null }
  | { type: 'NO_LEADER'; topic: string; partition: number; leaderEpoch: number }
  | ({ type: 'SEALED' } & Levels)
  /** `unverified`: some flights are an earlier process's, and the leader must say first which of them it has. */
  | ({ type: 'LINKED'; term: number; unverified: boolean } & Levels)
  | ({ type: 'VERIFIED'; term: number } & Levels)
  | { type: 'VERIFY_FAILED'; term: number; reason: string; random: number }
  | { type: 'LINK_FAILED'; term: number; reason: string; random: number }
  | { type: 'LINK_LOST'; term: number; reason: string; random: number }
  /** Before anything was sent on it, the link turned out to be closed. */
  | { type: 'LINK_ENDED'; term: number }
  | ({ type: 'ACKED'; term: number } & Levels)
  /** All flights are answered or lost, and the first of them may go again. `seek`: the leader must be asked for. */
  | ({ type: 'REFUSED'; term: number; reason: string; seek: boolean; random: number } & Levels)
  /** A deadline passed: what could be settled is settled; `waiting`: flights remain whose outcome only the leader can tell. */
  | ({ type: 'EXPIRED'; waiting: boolean } & Levels)
  | { type: 'STOP' }

type Args = { context: PartitionContext; event: PartitionEvent }
const currentTerm = ({ context, event }: Args) => 'term' in event && event.term === context.term
const nothingLeft = ({ event }: Args) => 'queued' in event && event.inFlight + event.queued === 0

export const partitionMachine = setup({
  types: {} as { context: PartitionContext; events: PartitionEvent; input: PartitionInput; tags: 'available' | 'trouble' },
  actions: {
    /** Asks the topic for this partition's leader, now and at every change. */
    follow: (_, _params: { topic: string; partition: number }) => {},
    /** Tells the topic that the leader is not the one we know. */
    seek: (_, _params: { leaderEpoch: number; reason: string }) => {},
    /** Gets the leader's link and the producer identity; answers LINKED or LINK_FAILED with this term. */
    link: (_, _params: { term: number; node: number }) => {},
    /** Asks the leader what it has of recovered flights; answers VERIFIED or VERIFY_FAILED with this term. */
    verify: (_, _params: { term: number }) => {},
    /** Sends what may be sent: flights to be repeated first, then sealed batches, up to the window. */
    drain: (_, _params: { term: number; window: number }) => {},
    /** Unkeyed batches that were never sent go to partitions that have a leader. */
    reroute: (_, _params: { reason: string }) => {},
    /** Whether new unkeyed messages may come here. */
    setAvailable: (_, _params: { available: boolean }) => {},
    noteRetry: (_, _params: { reason: string; attempt: number; delayMs: number }) => {},
    noteLeader: (_, _params: { leader: number | null; leaderEpoch: number }) => {},
    rememberLeader: assign(({ event }) =>
      event.type === 'LEADER' ? { leader: event.node, leaderEpoch: event.leaderEpoch, window: 1, reason: '' } : {}
    ),
    rememberNoLeader: assign(({ event }) =>
      event.type === 'NO_LEADER' ? { leader: null, leaderEpoch: event.leaderEpoch, window: 1 } : {}
    ),
    nextTerm: assign({ term: ({ context }) => context.term + 1 }),
    rememberTrouble: assign(({ context, event }) => {
      if (!('random' in event)) return {}
      const attempt = context.attempt + 1
      const pause = Math.min(context.retryBackoffMaxMs, context.retryBackoffMs * 2 ** Math.min(attempt - 1, 20))
      return { attempt, window: 1, delayMs: Math.round(pause * (0.8 + 0.4 * event.random)), reason: event.reason }
    }),
    widen: assign({ window: ({ context }) => context.windowMax, attempt: 0, reason: '' })
  },
  guards: {
    currentTerm,
    nothingLeft,
    allSettled: args => currentTerm(args) && nothingLeft(args),
    sameLeader: ({ context, event }) =>
      event.type === 'LEADER' && event.node === context.leader && event.leaderEpoch === context.leaderEpoch,
    unverified: args => currentTerm(args) && args.event.type === 'LINKED' && args.event.unverified,
    hasLeader: ({ context }) => context.leader !== null,
    /** What flew is settled, and nobody else will say that the rest may go. */
    leftBehind: ({ event }) => event.type === 'EXPIRED' && event.inFlight === 0 && event.queued > 0,
    waiting: ({ event }) => event.type === 'EXPIRED' && event.waiting,
    seeks: args => currentTerm(args) && args.event.type === 'REFUSED' && args.event.seek
  },
  delays: { pause: ({ context }) => context.delayMs, parkedPause: ({ context }) => context.retryBackoffMaxMs }
}).createMachine({
  id: 'partition',
  context: ({ input }) => ({
    ...input,
    leader: null,
    leaderEpoch: -1,
    window: 1,
    term: 0,
    attempt: 0,
    delayMs: 0,
    reason: 'the leader is not known yet'
  }),
  initial: 'sought',
  on: {
    LEADER: {
      target: '.led',
      actions: ['rememberLeader', { type: 'noteLeader', params: ({ event }) => ({ leader: event.node, leaderEpoch: event.leaderEpoch }) }]
    },
    NO_LEADER: {
      target: '.leaderless',
      actions: ['rememberNoLeader', { type: 'noteLeader', params: ({ event }) => ({ leader: null, leaderEpoch: event.leaderEpoch }) }]
    },
    EXPIRED: { guard: 'waiting', target: '.parked' },
    STOP: '.stopped'
  },
  states: {
    sought: {
      tags: 'trouble',
      entry: { type: 'follow', params: ({ context }) => ({ topic: context.topic, partition: context.partition }) }
    },
    leaderless: {
      tags: 'trouble',
      entry: [
        { type: 'setAvailable', params: { available: false } },
        { type: 'reroute', params: { reason: 'the partition has no leader' } }
      ],
      on: { SEALED: { actions: { type: 'reroute', params: { reason: 'the partition has no leader' } } } }
    },
    led: {
      initial: 'linking',
      on: {
        // The same leader told once more: nothing to do. Another one, or another epoch of it: begin a new term.
        LEADER: [
          { guard: 'sameLeader' },
          {
            target: 'led',
            reenter: true,
            actions: [
              'rememberLeader',
              { type: 'noteLeader', params: ({ event }) => ({ leader: event.node, leaderEpoch: event.leaderEpoch }) }
            ]
          }
        ],
        LINK_ENDED: { guard: 'currentTerm', target: '.linking' },
        LINK_LOST: {
          guard: 'currentTerm',
          target: '.retrying',
          actions: [
            'rememberTrouble',
            { type: 'seek', params: ({ context, event }) => ({ leaderEpoch: context.leaderEpoch, reason: event.reason }) }
          ]
        },
        REFUSED: [
          {
            guard: 'seeks',
            target: '.retrying',
            actions: [
              'rememberTrouble',
              { type: 'seek', params: ({ context, event }) => ({ leaderEpoch: context.leaderEpoch, reason: event.reason }) }
            ]
          },
          { guard: 'currentTerm', target: '.retrying', actions: 'rememberTrouble' }
        ]
      },
      states: {
        linking: {
          entry: ['nextTerm', { type: 'link', params: ({ context }) => ({ term: context.term, node: context.leader! }) }],
          on: {
            LINKED: [
              { guard: 'unverified', target: 'verifying' },
              { guard: 'allSettled', target: 'idle', actions: { type: 'setAvailable', params: { available: true } } },
              { guard: 'currentTerm', target: 'inFlight' }
            ],
            LINK_FAILED: {
              guard: 'currentTerm',
              target: 'retrying',
              actions: [
                'rememberTrouble',
                { type: 'setAvailable', params: { available: false } },
                { type: 'reroute', params: ({ event }) => ({ reason: event.reason }) },
                { type: 'seek', params: ({ context, event }) => ({ leaderEpoch: context.leaderEpoch, reason: event.reason }) }
              ]
            }
          }
        },
        verifying: {
          tags: 'trouble',
          entry: { type: 'verify', params: ({ context }) => ({ term: context.term }) },
          on: {
            VERIFIED: [
              { guard: 'allSettled', target: 'idle', actions: { type: 'setAvailable', params: { available: true } } },
              { guard: 'currentTerm', target: 'inFlight' }
            ],
            VERIFY_FAILED: {
              guard: 'currentTerm',
              target: 'retrying',
              actions: [
                'rememberTrouble',
                { type: 'seek', params: ({ context, event }) => ({ leaderEpoch: context.leaderEpoch, reason: event.reason }) }
              ]
            }
          }
        },
        idle: {
          tags: 'available',
          on: { SEALED: 'inFlight' }
        },
        inFlight: {
          tags: 'available',
          entry: [
            { type: 'setAvailable', params: { available: true } },
            { type: 'drain', params: ({ context }) => ({ term: context.term, window: context.window }) }
          ],
          on: {
            SEALED: { actions: { type: 'drain', params: ({ context }) => ({ term: context.term, window: context.window }) } },
            ACKED: [
              { guard: 'allSettled', target: 'idle', actions: 'widen' },
              {
                guard: 'currentTerm',
                actions: ['widen', { type: 'drain', params: ({ context }) => ({ term: context.term, window: context.window }) }]
              }
            ],
            EXPIRED: [
              { guard: 'waiting', target: '#partition.parked' },
              { guard: 'nothingLeft', target: 'idle' },
              { guard: 'leftBehind', target: 'linking' }
            ]
          }
        },
        retrying: {
          tags: 'trouble',
          entry: {
            type: 'noteRetry',
            params: ({ context }) => ({ reason: context.reason, attempt: context.attempt, delayMs: context.delayMs })
          },
          after: { pause: 'linking' }
        }
      }
    },
    parked: {
      tags: 'trouble',
      entry: [
        { type: 'setAvailable', params: { available: false } },
        { type: 'reroute', params: { reason: 'the partition is parked' } },
        { type: 'seek', params: ({ context }) => ({ leaderEpoch: context.leaderEpoch, reason: 'outcome unknown past the deadline' }) }
      ],
      // Told at every sweep: it must not begin the pause anew.
      on: { EXPIRED: {}, SEALED: { actions: { type: 'reroute', params: { reason: 'the partition is parked' } } } },
      after: { parkedPause: { guard: 'hasLeader', target: 'led' } }
    },
    stopped: { type: 'final' }
  }
})
