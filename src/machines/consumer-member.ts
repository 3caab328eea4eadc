/**
 * A member of a group of Kafka's new protocol (KIP-848): the broker decides who gets what, each member follows at its own pace. Three
 * things go on at once while it is in the group: what is said to the coordinator, what becomes of its share, how long it is proven.
 *
 *   joined ┬ line:  finding ─FOUND─► (learning) ─► sending ─ANSWERED─► resting ─pause, or something to say─► sending
 *          │           ▲                              │ fails
 *          │           └────────── pausing ◄──────────┘
 *          ├ share: outside ─► settled ─► revoking ─RELEASED─► settled ─► taking ─LOOKED_UP: ASSIGNED─► settled
 *          │                     ├─ ids without a name ─► naming ⇄ namingLater
 *          │                     └─ it has nothing ─► counting: SURPLUS
 *          └ proof: none ─ANSWERED─► fresh ─2/3 of the session without an answer─► suspended ─the rest─► LOST
 *
 *   fenced, unknown, expired: LOST ─► rejoining ─► joined (epoch 0, the same member id)
 *   STUCK: LOST ─► stuck (departing ─► waiting) ─FREE─► joined
 *   CLOSE: leaving ─► left                                    refused for good: failed
 *
 * What is given up is acknowledged by the first heartbeat that does not name it any more, sent as soon as it is released; what is added is
 * taken after that. A heartbeat says what has changed, and everything after a failure. Each request has a number; late answers are dropped.
 */
import { assign } from 'xstate'
import {
  base,
  dropAll,
  failureOf,
  leaveBehind,
  revoke,
  start,
  takeAdded,
  takeAnswer,
  takeReleased,
  tellRest,
  tellSurplus,
  unfollowAll
} from './consumer-member-base.ts'
import { toTake, unnamed } from './consumer-member-sets.ts'
import { type ConsumerMemberContext, type ConsumerMemberInput, defaultTiming } from './consumer-member-types.ts'
import { list } from './group-member-sets.ts'

export type { ConsumerMemberContext, ConsumerMemberEvent, ConsumerMemberInput } from './consumer-member-types.ts'

type In = { context: ConsumerMemberContext }
const say = (type: string, more: (context: ConsumerMemberContext) => Record<string, unknown> = () => ({})) =>
  ({ type: 'tellConsumer', params: ({ context }: In) => ({ event: { type, ...more(context) } }) }) as const
const sayState = (state: string, reason: (context: ConsumerMemberContext) => string = context => context.reason) =>
  say('MEMBER_STATE', context => ({ state, reason: reason(context) }))
const plain = ({ topic, partition }: { topic: string; partition: number }) => ({ topic, partition })

/** Until the broker says how often it wants to hear of the member. */
const FIRST_INTERVAL_MS = 5_000

/** What moves comes first, whatever else is being looked up. */
const revokeFirst = { guard: 'mustRevoke', target: 'revoking' } as const
const moves = [revokeFirst, { guard: 'mustTake', target: 'taking' }] as const

function firstContext(input: ConsumerMemberInput): ConsumerMemberContext {
  return {
    ...input,
    timing: { ...defaultTiming, ...input.timing },
    memberId: null,
    memberEpoch: 0,
    version: 0,
    matchesHere: false,
    followed: [],
    allTopics: null,
    names: [],
    target: null,
    owned: [],
    draining: [],
    lastIds: [],
    attempt: 0,
    lookup: 0,
    tries: 0,
    delayMs: 0,
    taken: 0,
    full: true,
    saying: null,
    heard: null,
    nudged: false,
    inside: false,
    heartbeatIntervalMs: FIRST_INTERVAL_MS,
    beatMs: FIRST_INTERVAL_MS,
    sessionTimeoutMs: input.subscription.groupSessionTimeoutMs,
    tookMs: 0,
    epoch: 0,
    countedEpoch: 0,
    surplusTold: '',
    stuck: false,
    reason: 'it begins'
  }
}

export const consumerMemberMachine = base.createMachine({
  id: 'consumer-member',
  context: ({ input }) => firstContext(input),
  initial: 'member',
  entry: start,
  invoke: { src: 'live', id: 'live', input: ({ context }) => context },
  states: {
    member: {
      initial: 'joined',
      on: {
        TOPIC: { actions: 'takeId' },
        TOPIC_MISSING: {
          actions: {
            type: 'tellConsumer',
            params: ({ event }) => ({
              event: { type: 'MEMBER_STATE', state: 'waiting', reason: `topic ${event.topic} does not exist (yet, or any more)` }
            })
          }
        },
        TOPICS: { actions: 'takeNames' },
        RELEASED: { actions: takeReleased },
        FREE: { actions: 'takeFree' },
        CLOSE: 'leaving'
      },
      states: {
        joined: {
          type: 'parallel',
          on: {
            ASK_FAILED: [
              { guard: 'isFenced', target: 'rejoining', actions: ['noteFenced', dropAll] },
              { guard: 'isEnd', target: '#consumer-member.failed' }
            ],
            COMMIT_REFUSED: { guard: 'refusedNow', actions: 'nudge' },
            STUCK: { guard: 'holds', target: 'stuck', actions: ['noteStuck', dropAll] }
          },
          states: {
            line: {
              initial: 'finding',
              states: {
                finding: {
                  entry: ['nextAttempt', { type: 'find', params: ({ context }) => ({ attempt: context.attempt }) }],
                  on: {
                    FOUND: { guard: 'current', target: 'found', actions: 'takeFound' },
                    ASK_FAILED: { guard: 'isRetry', target: 'pausing', actions: 'takeFailure' }
                  }
                },
                found: { always: [{ guard: 'mustLearn', target: 'learning' }, { target: 'sending' }] },
                learning: {
                  entry: ['followNames', sayState('learning', () => 'the names of the topics are not known yet')],
                  always: { guard: ({ context }) => context.allTopics !== null, target: 'sending' }
                },
                sending: {
                  entry: [
                    'nextAttempt',
                    'beginSaying',
                    {
                      type: 'heartbeat',
                      params: ({ context: { attempt, memberId, memberEpoch, sessionTimeoutMs, saying } }) => ({
                        attempt,
                        memberId,
                        memberEpoch,
                        sessionTimeoutMs,
                        said: saying!
                      })
                    }
                  ],
                  on: {
                    ANSWERED: { guard: 'current', target: 'resting', actions: takeAnswer },
                    ASK_FAILED: [
                      {
                        guard: 'isPattern',
                        target: 'learning',
                        actions: ['matchHere', { type: 'tellTrouble', params: ({ event }) => ({ error: event.error }) }]
                      },
                      { guard: 'isRetry', target: 'pausing', actions: 'takeFailure' }
                    ]
                  }
                },
                resting: {
                  always: { guard: 'urgent', target: 'sending' },
                  after: { beat: 'sending' }
                },
                pausing: { entry: sayState('backingOff'), after: { pause: 'finding' } }
              }
            },
            share: {
              initial: 'outside',
              states: {
                outside: {
                  entry: sayState('joining'),
                  always: { guard: 'isMember', target: 'settled' }
                },
                settled: {
                  initial: 'arriving',
                  always: [...moves, { guard: 'mustName', target: 'naming' }],
                  // Another epoch: what there is for this member may be another thing now.
                  on: { ANSWERED: { guard: 'epochMoves', target: 'settled', reenter: true } },
                  states: {
                    arriving: { always: { guard: 'atRest', target: 'looking' } },
                    looking: { entry: tellRest, after: { surplusLook: { guard: 'hasNothing', target: 'counting' } } },
                    counting: {
                      entry: [
                        'nextLookup',
                        'noteCounted',
                        { type: 'count', params: ({ context }) => ({ lookup: context.lookup, memberId: context.memberId }) }
                      ],
                      on: {
                        COUNTED: { guard: 'currentLookup', target: 'counted', actions: tellSurplus },
                        LOOKUP_FAILED: {
                          guard: 'currentLookup',
                          target: 'counted',
                          actions: { type: 'tellTrouble', params: ({ event }) => ({ error: event.error }) }
                        }
                      }
                    },
                    counted: {}
                  }
                },
                revoking: {
                  entry: [revoke, sayState('revoking', ({ draining }) => `it lets go of ${list(draining)}`)],
                  always: { guard: 'allDrained', target: 'settled' }
                },
                taking: {
                  entry: [
                    'nextLookup',
                    sayState('taking', context => `it takes ${list(toTake(context))}`),
                    { type: 'lookUp', params: ({ context }) => ({ lookup: context.lookup, partitions: toTake(context).map(plain) }) }
                  ],
                  always: [revokeFirst, { guard: 'nothingToTake', target: 'settled' }],
                  on: {
                    LOOKED_UP: { guard: 'currentLookup', target: 'settled', actions: takeAdded },
                    LOOKUP_FAILED: [
                      { guard: 'finalLookup', target: '#consumer-member.failed' },
                      { guard: 'currentLookup', target: 'takingLater', actions: 'takeLookupFailure' }
                    ]
                  }
                },
                takingLater: {
                  entry: sayState('backingOff'),
                  always: [revokeFirst, { guard: 'nothingToTake', target: 'settled' }],
                  after: { pause: 'taking' }
                },
                // Never dropped silently: the broker speaks of topics that nobody here has a name for.
                naming: {
                  entry: [
                    'nextLookup',
                    { type: 'name', params: ({ context }) => ({ lookup: context.lookup, topicIds: unnamed(context) }) }
                  ],
                  always: [...moves, { guard: 'allNamed', target: 'settled' }],
                  on: {
                    NAMED: { guard: 'currentLookup', target: 'named', actions: ['takeNamed', 'takeUnnamed'] },
                    LOOKUP_FAILED: { guard: 'currentLookup', target: 'namingLater', actions: 'takeLookupFailure' }
                  }
                },
                named: { always: [{ guard: 'mustName', target: 'namingLater' }, { target: 'settled' }] },
                namingLater: {
                  entry: sayState('learning'),
                  always: [...moves, { guard: 'allNamed', target: 'settled' }],
                  after: { pause: 'naming' }
                }
              }
            },
            proof: {
              initial: 'none',
              states: {
                none: { on: { ANSWERED: { guard: 'current', target: 'fresh' } } },
                fresh: {
                  after: { suspend: 'suspended' },
                  on: { ANSWERED: { guard: 'current', target: 'fresh', reenter: true } }
                },
                suspended: {
                  entry: [say('SUSPENDED', ({ reason }) => ({ reason })), sayState('suspended')],
                  on: {
                    ANSWERED: { guard: 'current', target: 'fresh', actions: say('RESUMED', ({ epoch }) => ({ epoch })) }
                  },
                  after: { expire: { target: '#consumer-member.member.rejoining', actions: ['noteExpired', dropAll] } }
                }
              }
            }
          }
        },
        rejoining: { entry: sayState('rejoining'), after: { pause: 'joined' } },
        // Its partitions go to others while a handler still runs; it comes back when that is over.
        stuck: {
          initial: 'departing',
          entry: sayState('stuck'),
          states: {
            departing: {
              entry: [
                'nextAttempt',
                'noteOutside',
                {
                  type: 'leave',
                  params: ({ context }) => ({ attempt: context.attempt, memberId: context.memberId, stay: false })
                }
              ],
              on: { DEPARTED: { guard: 'current', target: 'waiting' } },
              after: { leaveLimit: 'waiting' }
            },
            waiting: {
              always: {
                guard: 'free',
                target: '#consumer-member.member.joined',
                actions: assign({ reason: 'the work that was stuck is over' })
              }
            }
          }
        }
      }
    },
    leaving: {
      initial: 'deciding',
      after: { leaveLimit: 'left' },
      states: {
        deciding: {
          always: [{ guard: 'outside', target: '#consumer-member.left' }, { guard: 'nameless', target: 'awaiting' }, { target: 'telling' }]
        },
        // The broker gives the id, and has not yet.
        awaiting: {
          on: {
            ANSWERED: { guard: 'current', target: 'telling', actions: 'takeMemberId' },
            ASK_FAILED: { guard: 'current', target: '#consumer-member.left' }
          }
        },
        telling: {
          entry: [
            'nextAttempt',
            {
              type: 'leave',
              params: ({ context }) => ({
                attempt: context.attempt,
                memberId: context.memberId,
                stay: context.subscription.groupInstanceId !== null
              })
            }
          ],
          on: { DEPARTED: { guard: 'current', target: '#consumer-member.left' } }
        }
      }
    },
    // Both wait to be stopped by the consumer.
    left: { entry: [unfollowAll, say('LEFT')] },
    failed: {
      entry: [
        leaveBehind,
        {
          type: 'tellConsumer',
          params: ({ context, event }) => ({ event: { type: 'MEMBER_FAILED', error: failureOf(context, event) } })
        }
      ],
      on: { CLOSE: 'left' }
    }
  }
})
