/**
 * One partition of one consumer, from claimed to released. Positions, buffers and the ledger lie in the consumer's plane;
 * this machine decides who is fetched from, from where, and when it ends.
 *
 *   sought ──LEADER──► led.locating ──LOCATED──► led.fetching ⇄ led.paused
 *     ▲  ▲               ▲      │ failed           │ FETCH_FAILED, CORRUPT
 *     │  └NO_LEADER┐     └──── led.retrying ◄──────┘   (after the pause, or at once with a LEADER)
 *     │       leaderless                           │ OUT_OF_RANGE: led.locating, or parked when the policy is `fail`
 *     └──── from anywhere ────                     ▼
 *                                               parked ── stays so until it is sought elsewhere, drained or lost
 *   SEEK, and a LEADER of another topic under the same name: ──► placing ──► led (a leader is known) or sought; out of `parked` too
 *   DRAIN (anywhere) ──► draining ──DRAINED or the limit──► released         LOST (anywhere) ──► lost
 *
 * `term` numbers the stays with one leader and one position: what a fetch, a look-up or a timer of an older one says is dropped.
 */
import { assign, setup } from 'xstate'
import type { PlainError } from '../model/errors.ts'
import type { ResetPolicy } from '../model/subscription.ts'

export type PositionReason = 'committed' | 'reset' | 'carried' | 'given' | 'sought'

export interface ConsumedPartitionInput {
  instance: string
  path: string
  /** Path of the consumer. */
  consumer: string
  topic: string
  partition: number
  /** The assignment's epoch. */
  epoch: number
  /** Where to begin, decimal; null: the reset policy decides. */
  offset: string | null
  why: PositionReason
  /** How a place that was sought for is to be looked up; null: by the reset policy. */
  target: ResetPolicy | null
  /** Id of the topic in which `offset` is a place; null: not known, whatever topic has the name. */
  topicId: string | null
  /** What is committed, decimal, where `offset` is another place; null: nothing, or it is `offset`. */
  committed: string | null
  paused: boolean
  from: ResetPolicy
  retryBackoffMs: number
  retryBackoffMaxMs: number
  /** Refetches of a batch whose bytes are damaged, before the partition is parked. */
  corruptRetries: number
}

export interface ConsumedPartitionContext extends ConsumedPartitionInput {
  leader: number | null
  leaderEpoch: number
  term: number
  /** The plane knows the position. */
  located: boolean
  /** Troubles in a row. */
  attempt: number
  corrupt: number
  delayMs: number
  reason: string
  error: PlainError | null
  drainLimitMs: number
}

export type ConsumedPartitionEvent =
  | { type: 'LEADER'; topic: string; partition: number; node: number; leaderEpoch: number; topicId: string | null }
  | { type: 'NO_LEADER'; topic: string; partition: number; leaderEpoch: number }
  | { type: 'LOCATED'; term: number; offset: string }
  | { type: 'LOCATE_FAILED'; term: number; reason: string; seek: boolean; random: number }
  /** The fetch loop could not fetch this partition, or could not reach its leader. */
  | { type: 'FETCH_FAILED'; term: number; reason: string; seek: boolean; random: number }
  /** The first good answer after a trouble. */
  | { type: 'FETCHED'; term: number }
  | { type: 'OUT_OF_RANGE'; term: number; offset: string; error: PlainError }
  | { type: 'CORRUPT'; term: number; error: PlainError; random: number }
  /** Not worth another try: a limit of ours, missing rights, a handler's policy. */
  | { type: 'PARK'; error: PlainError }
  /** Go on somewhere else: at this offset, or where this policy finds one. */
  | { type: 'SEEK'; offset: string | null; target: ResetPolicy | null }
  | { type: 'PAUSE' }
  | { type: 'RESUME' }
  | { type: 'DRAIN'; limitMs: number }
  | { type: 'DRAINED' }
  | { type: 'LOST'; reason: string }

const policyOf = ({ target, from }: ConsumedPartitionContext): ResetPolicy => target ?? from
const whyFound = ({ why }: ConsumedPartitionContext): PositionReason => (why === 'sought' ? 'sought' : 'reset')

type Args = { context: ConsumedPartitionContext; event: ConsumedPartitionEvent }
const current = ({ context, event }: Args) => 'term' in event && event.term === context.term

export const consumedPartitionMachine = setup({
  types: {} as { context: ConsumedPartitionContext; events: ConsumedPartitionEvent; input: ConsumedPartitionInput; tags: 'active' },
  actions: {
    follow: () => {},
    unfollow: () => {},
    /** Tells the topic that its word on the leader does not hold. */
    seek: (_, _params: { leaderEpoch: number; reason: string }) => {},
    /** Sets the plane's position. What was buffered of another one is dropped. */
    begin: (_, _params: { offset: string; why: PositionReason }) => {},
    /** Asks the leader for the offset of the reset policy; answers LOCATED or LOCATE_FAILED with this term. */
    locate: (_, _params: { term: number; node: number; from: ResetPolicy }) => {},
    /** Joins the fetch loop of this leader. */
    fetch: (_, _params: { term: number; node: number; leaderEpoch: number; topicId: string | null }) => {},
    stopFetching: () => {},
    /** Nothing more is handed out; what is buffered is dropped; DRAINED comes when nothing is in hand any more. */
    drain: () => {},
    /** The limit has passed: aborts the signal of what is in hand; its acks do not count any more. */
    abandon: (_, _params: { reason: string }) => {},
    interrupt: (_, _params: { reason: string }) => {},
    park: (_, _params: { error: PlainError }) => {},
    /** Tells the consumer that nothing is in hand any more. */
    reportReleased: () => {},
    noteTrouble: (_, _params: { error: PlainError }) => {},
    /** The topic is another one under the same name: what is known of the old one is worth nothing. */
    noteRecreated: (_, _params: { oldId: string; newId: string }) => {},
    nextTerm: assign({ term: ({ context }) => context.term + 1 }),
    rememberLeader: assign(({ context, event }) =>
      event.type === 'LEADER'
        ? {
            leader: event.node,
            leaderEpoch: event.leaderEpoch,
            topicId: event.topicId ?? context.topicId,
            committed: null,
            attempt: 0,
            reason: ''
          }
        : {}
    ),
    rememberTrouble: assign(({ context, event }) => {
      if (!('random' in event)) return {}
      const attempt = context.attempt + 1
      const pause = Math.min(context.retryBackoffMaxMs, context.retryBackoffMs * 2 ** Math.min(attempt - 1, 20))
      const reason = event.type === 'CORRUPT' ? event.error.message : event.reason
      return { attempt, delayMs: Math.round(pause * (0.8 + 0.4 * event.random)), reason }
    }),
    forgetTrouble: assign({ attempt: 0, corrupt: 0, reason: '' }),
    countCorrupt: assign({ corrupt: ({ context }) => context.corrupt + 1 }),
    forgetPosition: assign({ located: false, offset: null, target: null, why: 'reset' }),
    takeSeek: assign(({ event }) =>
      event.type === 'SEEK'
        ? { offset: event.offset, target: event.target, located: event.offset !== null, why: 'sought', attempt: 0, corrupt: 0, error: null }
        : {}
    ),
    /**
     * Goes on in the new topic: where somebody has committed in it before this partition was assigned, else by the reset policy. Whoever reads from
     * the end on was there before the first message of it.
     */
    restart: assign(({ context: { committed, from } }) => ({
      offset: committed,
      located: committed !== null,
      why: committed === null ? 'reset' : 'committed',
      target: from.at === 'latest' ? { at: 'earliest' } : null
    }))
  },
  guards: {
    current,
    sameLeader: ({ context, event }) =>
      event.type === 'LEADER' &&
      event.node === context.leader &&
      event.leaderEpoch === context.leaderEpoch &&
      (event.topicId === null || event.topicId === context.topicId),
    recreated: ({ context, event }) =>
      event.type === 'LEADER' && context.topicId !== null && event.topicId !== null && event.topicId !== context.topicId,
    located: ({ context }) => context.located,
    led: ({ context }) => context.leader !== null,
    paused: ({ context }) => context.paused,
    seeks: args => current(args) && 'seek' in args.event && args.event.seek,
    failsWithoutOffset: ({ context }) => policyOf(context).at === 'fail',
    outOfRangeIsFinal: args => current(args) && args.context.from.at === 'fail',
    corruptOnceTooOften: args => current(args) && args.context.corrupt >= args.context.corruptRetries
  },
  delays: { pause: ({ context }) => context.delayMs, drainLimit: ({ context }) => context.drainLimitMs }
}).createMachine({
  id: 'consumed-partition',
  context: ({ input }) => ({
    ...input,
    leader: null,
    leaderEpoch: -1,
    term: 0,
    located: input.offset !== null,
    attempt: 0,
    corrupt: 0,
    delayMs: 0,
    reason: 'the leader is not known yet',
    error: null,
    drainLimitMs: 0
  }),
  initial: 'active',
  on: {
    LOST: '.lost'
  },
  states: {
    active: {
      tags: 'active',
      initial: 'placing',
      entry: 'follow',
      exit: ['unfollow', 'stopFetching'],
      on: {
        DRAIN: { target: 'draining', actions: assign({ drainLimitMs: ({ event }) => event.limitMs }) },
        PARK: { target: '.parked', actions: assign({ error: ({ event }) => event.error }) },
        PAUSE: { actions: assign({ paused: true }) },
        RESUME: { actions: assign({ paused: false }) },
        SEEK: { target: '.placing', actions: ['stopFetching', 'takeSeek'] },
        LEADER: [
          { guard: 'sameLeader' },
          {
            // Deleted and made again: offsets begin anew.
            guard: 'recreated',
            target: '.placing',
            actions: [
              { type: 'noteRecreated', params: ({ context, event }) => ({ oldId: context.topicId!, newId: event.topicId! }) },
              'stopFetching',
              'restart',
              'rememberLeader'
            ]
          },
          { target: '.led', actions: 'rememberLeader' }
        ],
        NO_LEADER: {
          target: '.leaderless',
          actions: assign({ leader: null, leaderEpoch: ({ context, event }) => Math.max(context.leaderEpoch, event.leaderEpoch) })
        }
      },
      states: {
        placing: {
          always: [
            {
              guard: 'located',
              target: 'placed',
              actions: { type: 'begin', params: ({ context }) => ({ offset: context.offset!, why: context.why }) }
            },
            {
              guard: 'failsWithoutOffset',
              target: 'parked',
              actions: assign({ error: ({ context }) => noOffset(context) })
            },
            { target: 'placed' }
          ]
        },
        placed: { always: [{ guard: 'led', target: 'led' }, { target: 'sought' }] },
        sought: {},
        leaderless: { entry: 'stopFetching' },
        led: {
          initial: 'choosing',
          states: {
            choosing: {
              entry: 'nextTerm',
              always: [{ guard: 'located', target: 'fetching' }, { target: 'locating' }]
            },
            locating: {
              entry: {
                type: 'locate',
                params: ({ context }) => ({ term: context.term, node: context.leader!, from: policyOf(context) })
              },
              on: {
                LOCATED: {
                  guard: 'current',
                  target: 'fetching',
                  actions: [
                    { type: 'begin', params: ({ context, event }) => ({ offset: event.offset, why: whyFound(context) }) },
                    assign({ located: true, target: null, offset: ({ event }) => event.offset }),
                    'forgetTrouble'
                  ]
                },
                LOCATE_FAILED: [
                  { guard: 'seeks', target: 'retrying', actions: ['rememberTrouble', seekAction()] },
                  { guard: 'current', target: 'retrying', actions: 'rememberTrouble' }
                ]
              }
            },
            fetching: {
              always: { guard: 'paused', target: 'paused' },
              entry: {
                type: 'fetch',
                params: ({ context }) => ({
                  term: context.term,
                  node: context.leader!,
                  leaderEpoch: context.leaderEpoch,
                  topicId: context.topicId
                })
              },
              on: {
                PAUSE: { target: 'paused', actions: assign({ paused: true }) },
                FETCHED: { guard: 'current', actions: 'forgetTrouble' },
                FETCH_FAILED: [
                  { guard: 'seeks', target: 'retrying', actions: ['rememberTrouble', seekAction()] },
                  { guard: 'current', target: 'retrying', actions: 'rememberTrouble' }
                ],
                CORRUPT: [
                  { guard: 'corruptOnceTooOften', target: '#consumed-partition.active.parked', actions: rememberError() },
                  { guard: 'current', target: 'retrying', actions: ['rememberTrouble', 'countCorrupt', noteError()] }
                ],
                OUT_OF_RANGE: [
                  { guard: 'outOfRangeIsFinal', target: '#consumed-partition.active.parked', actions: rememberError() },
                  { guard: 'current', target: 'choosing', actions: ['stopFetching', 'forgetPosition', noteError()] }
                ]
              }
            },
            paused: {
              // What is on its way may still arrive, and its trouble counts when fetching goes on.
              on: { RESUME: { target: 'choosing', actions: assign({ paused: false }) } }
            },
            retrying: { entry: 'stopFetching', after: { pause: 'choosing' } }
          }
        },
        parked: {
          entry: ['stopFetching', { type: 'park', params: ({ context }) => ({ error: context.error! }) }],
          on: { LEADER: { actions: 'rememberLeader' }, NO_LEADER: { actions: assign({ leader: null }) }, PARK: {} }
        }
      }
    },
    draining: {
      entry: 'drain',
      on: { DRAINED: 'released' },
      after: {
        drainLimit: {
          target: 'released',
          actions: {
            type: 'abandon',
            params: ({ context }) => ({ reason: `the work in hand was not done within ${context.drainLimitMs} ms` })
          }
        }
      }
    },
    // Both wait to be stopped by their tier.
    released: { entry: 'reportReleased' },
    lost: {
      on: { LOST: {} },
      entry: {
        type: 'interrupt',
        params: ({ event }) => ({ reason: event.type === 'LOST' ? event.reason : 'the partition was lost' })
      }
    }
  }
})

function seekAction() {
  return {
    type: 'seek',
    params: ({ context }: { context: ConsumedPartitionContext }) => ({ leaderEpoch: context.leaderEpoch, reason: context.reason })
  } as const
}

function noteError() {
  return { type: 'noteTrouble', params: ({ event }: { event: { error: PlainError } }) => ({ error: event.error }) } as const
}

function rememberError() {
  return assign<ConsumedPartitionContext, { type: string; error: PlainError }, undefined, ConsumedPartitionEvent, never>({
    error: ({ event }) => event.error
  })
}

function noOffset(context: ConsumedPartitionContext): PlainError {
  return {
    name: 'UsageError',
    code: 'NO_COMMITTED_OFFSET',
    message: `Nothing is committed for ${context.topic}/${context.partition} and \`from\` is fail. Commit an offset, or choose earliest, latest or a Date.`,
    retriable: false,
    details: { topic: context.topic, partition: context.partition }
  }
}
