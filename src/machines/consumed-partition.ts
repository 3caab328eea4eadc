/**
 * One partition of one consumer, from claimed to released. Positions, buffers and the ledger lie in the consumer's plane;
 * this machine decides who is fetched from, from where, and when it ends.
 *
 *   sought ──LEADER──► led.choosing ─┬─ no position ──────────► locating ──LOCATED──────┐
 *     ▲  ▲              ▲            ├─ another leader epoch ─► validating ──VALIDATED──┤   (TRUNCATED: told, and the position is
 *     │  └NO_LEADER┐    │            └──────────────────────────────────────────────────┴► fetching ⇄ paused        set back, or parked)
 *     │       leaderless│ retrying ◄── failed, CORRUPT ── any of them  (after the pause, or at once with a LEADER)
 *     └── from anywhere ┘              fetching ── OUT_OF_RANGE: locating, or parked when the policy is `fail`; DIVERGED: validating
 *   parked: stays so until it is sought elsewhere, drained or lost
 *   SEEK, and a LEADER of another topic under the same name: ──► placing ──► led (a leader is known) or sought; out of `parked` too
 *   DRAIN (anywhere) ──► draining ──DRAINED or the limit──► released         LOST (anywhere) ──► lost
 *
 *   in fetching:  leader ──PREFERRED──► reaching ──REACHED──► follower ──LEASE_OVER──► leader
 *                   ▲      (waiting ► bridging)  │ UNREACHED     │ any trouble
 *                   └──── after a pause ─────── avoiding ◄───────┘
 *   The leader serves in `leader`, `avoiding`, and in `bridging`: when the follower cannot be reached within a moment.
 *
 * `term` numbers the stays with one broker and one position: what a fetch, a look-up or a timer of an older one says is dropped.
 */
import { assign, cancel, not, raise } from 'xstate'
import {
  base,
  type ConsumedPartitionContext,
  logTruncated,
  noOffset,
  noteError,
  noteTruncated,
  policyOf,
  rememberError,
  rememberFinal,
  seekAction,
  whyFound
} from './consumed-partition-base.ts'

export type { ConsumedPartitionContext, ConsumedPartitionEvent, ConsumedPartitionInput, PositionReason } from './consumed-partition-base.ts'

const fetchFrom = (nearby: boolean, follower: boolean) =>
  ({
    type: 'fetch',
    params: ({ context }: { context: ConsumedPartitionContext }) => ({
      term: context.term,
      node: follower ? context.replica! : context.leader!,
      leaderEpoch: context.leaderEpoch,
      topicId: context.topicId,
      nearby,
      follower
    })
  }) as const
const fromLeader = (nearby: boolean) => fetchFrom(nearby, false)

/** Back to the leader, with what is said of the follower. */
const leaveFollower = base.enqueueActions(({ context, event, enqueue }) => {
  const inTime = event.type === 'LEASE_OVER'
  const what = 'error' in event ? event.error.message : 'reason' in event ? event.reason : event.type
  const reason = inTime ? 'it is time to ask the leader again' : `follower ${context.replica ?? context.preferred}: ${what}`
  enqueue({ type: 'noteReplica', params: { broker: context.leader!, leader: context.leader!, reason } })
  enqueue.cancel('lease')
  enqueue.assign({ avoided: inTime ? 0 : context.avoided + 1 })
  enqueue('forgetReplica')
  enqueue('nextTerm')
})

export const consumedPartitionMachine = base.createMachine({
  id: 'consumed-partition',
  context: ({ input }) => ({
    ...input,
    leader: null,
    leaderEpoch: -1,
    term: 0,
    located: input.offset !== null,
    unvalidated: input.offset !== null && input.offsetEpoch !== null,
    fetchedEpoch: null,
    replica: null,
    preferred: null,
    avoided: 0,
    attempt: 0,
    corrupt: 0,
    diverged: 0,
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
      exit: ['unfollow', 'stopFetching', cancel('lease')],
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
              'rememberLeader',
              cancel('lease')
            ]
          },
          { target: '.led', actions: ['rememberLeader', cancel('lease')] }
        ],
        NO_LEADER: {
          target: '.leaderless',
          actions: [
            assign({ leader: null, leaderEpoch: ({ context, event }) => Math.max(context.leaderEpoch, event.leaderEpoch) }),
            'forgetReplica',
            cancel('lease')
          ]
        },
        LEASE_OVER: { actions: 'forgetReplica' }
      },
      states: {
        placing: {
          always: [
            {
              guard: 'located',
              target: 'placed',
              actions: {
                type: 'begin',
                params: ({ context }) => ({ offset: context.offset!, leaderEpoch: context.offsetEpoch ?? -1, why: context.why })
              }
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
              always: [{ guard: 'unvalidated', target: 'validating' }, { guard: 'located', target: 'fetching' }, { target: 'locating' }]
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
                    {
                      type: 'begin',
                      params: ({ context, event }) => ({ offset: event.offset, leaderEpoch: event.leaderEpoch, why: whyFound(context) })
                    },
                    assign({ located: true, target: null, offset: ({ event }) => event.offset }),
                    'forgetTrouble'
                  ]
                },
                LOCATE_FAILED: [
                  { guard: 'isFinal', target: '#consumed-partition.active.parked', actions: rememberFinal() },
                  { guard: 'seeks', target: 'retrying', actions: ['rememberTrouble', seekAction()] },
                  { guard: 'current', target: 'retrying', actions: 'rememberTrouble' }
                ]
              }
            },
            validating: {
              entry: [
                'stopFetching',
                {
                  type: 'validate',
                  params: ({ context }) => ({ term: context.term, node: context.leader!, leaderEpoch: context.leaderEpoch })
                }
              ],
              on: {
                VALIDATED: { guard: 'current', target: 'fetching', actions: assign({ attempt: 0, reason: '' }) },
                VALIDATE_FAILED: [
                  { guard: 'isFinal', target: '#consumed-partition.active.parked', actions: rememberFinal() },
                  { guard: 'seeks', target: 'retrying', actions: ['rememberTrouble', seekAction()] },
                  { guard: 'current', target: 'retrying', actions: 'rememberTrouble' }
                ],
                TRUNCATED: [
                  {
                    guard: 'resetIsForbidden',
                    target: '#consumed-partition.active.parked',
                    actions: [noteTruncated, assign({ error: ({ context, event }) => logTruncated(context, event) })]
                  },
                  {
                    guard: 'goesOn',
                    target: 'fetching',
                    actions: [
                      noteTruncated,
                      {
                        type: 'begin',
                        params: ({ event }) => ({ offset: event.offset!, leaderEpoch: event.leaderEpoch, why: 'truncated' as const })
                      },
                      assign({ offset: ({ event }) => event.offset, attempt: 0, reason: '' })
                    ]
                  },
                  { guard: 'current', target: 'choosing', actions: [noteTruncated, 'forgetPosition'] }
                ]
              }
            },
            fetching: {
              initial: 'picking',
              entry: assign({ unvalidated: false, fetchedEpoch: ({ context }) => context.leaderEpoch }),
              always: { guard: 'paused', target: 'paused' },
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
                  { guard: 'resetIsForbidden', target: '#consumed-partition.active.parked', actions: rememberError() },
                  { guard: 'current', target: 'choosing', actions: ['stopFetching', 'forgetPosition', noteError()] }
                ],
                // The leader is asked where the logs part; twice in a row without a good fetch in between: after a pause.
                DIVERGED: [
                  { guard: 'divergedAgain', target: 'retrying', actions: ['rememberTrouble', 'countDiverged'] },
                  { guard: 'current', target: 'choosing', actions: 'countDiverged' }
                ]
              },
              states: {
                picking: { always: [{ guard: 'readFromFollower', target: 'follower' }, { target: 'leader' }] },
                leader: {
                  entry: fromLeader(true),
                  on: { PREFERRED: { guard: 'current', target: 'reaching', actions: 'takePreferred' } }
                },
                reaching: {
                  initial: 'waiting',
                  entry: { type: 'reach', params: ({ context }) => ({ term: context.term, node: context.preferred! }) },
                  on: {
                    REACHED: {
                      guard: 'current',
                      target: 'follower',
                      actions: [
                        'takeReplica',
                        'nextTerm',
                        cancel('lease'),
                        raise({ type: 'LEASE_OVER' }, { id: 'lease', delay: 'replicaLease' }),
                        {
                          type: 'noteReplica',
                          params: ({ context }) => ({
                            broker: context.replica!,
                            leader: context.leader!,
                            reason: 'the leader prefers it for the rack of this client'
                          })
                        }
                      ]
                    },
                    UNREACHED: { guard: 'current', target: 'avoiding', actions: leaveFollower }
                  },
                  states: {
                    waiting: { entry: 'stopFetching', after: { grace: 'bridging' } },
                    bridging: { entry: fromLeader(false) }
                  }
                },
                follower: {
                  entry: fetchFrom(true, true),
                  on: {
                    LEASE_OVER: { target: 'leader', actions: leaveFollower },
                    FETCH_FAILED: { guard: 'current', target: 'avoiding', actions: leaveFollower },
                    // A follower may lag behind, or begin later: the leader's word counts (KIP-392).
                    OUT_OF_RANGE: { guard: 'current', target: 'avoiding', actions: leaveFollower },
                    CORRUPT: { guard: 'current', target: 'avoiding', actions: [noteError(), leaveFollower] }
                  }
                },
                avoiding: { entry: fromLeader(false), after: { avoidance: 'leader' } }
              }
            },
            paused: {
              // What is on its way may still arrive, and its trouble counts when fetching goes on.
              on: { RESUME: { target: 'choosing', actions: assign({ paused: false }) } }
            },
            retrying: {
              entry: [
                'stopFetching',
                { type: 'noteRetry', params: ({ context: { reason, attempt, delayMs } }) => ({ reason, attempt, delayMs }) }
              ],
              after: { pause: 'choosing' }
            }
          }
        },
        parked: {
          entry: ['stopFetching', { type: 'park', params: ({ context }) => ({ error: context.error! }) }],
          // Of another topic under its name: that is one to be read from its beginning on.
          on: {
            LEADER: { guard: not('recreated'), actions: 'rememberLeader' },
            NO_LEADER: { actions: assign({ leader: null }) },
            PARK: {}
          }
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
