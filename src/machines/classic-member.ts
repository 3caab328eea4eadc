/**
 * A member of a group that Kafka's coordinator keeps by the classic protocol (JoinGroup, SyncGroup, Heartbeat), beside Java's and others'. Everything
 * that changes enters by one door, `stabilizing`; an eager member gives everything back there, a cooperative one nothing that stays (KIP-429).
 *
 *   group  waiting (for names) ─► stabilizing ─► finding ─FOUND─► joining ─JOINED─► (assigning ─► dividing, the leader) ─► syncing
 *                                  ▲  ▲  │ eager: revoking        ▲   └ looking (no common assignor)                          │ SYNCED
 *                                  │  │  ▼                        │                                                           ▼
 *                     backingOff ──┘  └─ revoking ◄── deciding ◄──┼────────────── claiming (committed offsets) ◄──────────────┘
 *                                  ▲                     ▼        │
 *              settling ◄─ topics ─┴─────────────────── steady    └ a rebalance, an unknown generation, a lease that is over
 *   pulse  off ⇄ waiting ⇄ beating (─► pausing: not heard, the coordinator is looked for)
 *   lease  none ⇄ held ─2/3 of the session─► aging (SUSPENDED) ─the rest─► over (LOST)          any answer: held (RESUMED)
 *   STUCK: LOST, out of the group, stuck ─FREE─► stabilizing      CLOSE: leaving ─► left      refused for good: failed
 *
 * Every step and every heartbeat has a number; an answer of an older one is dropped.
 */
import { assign, raise } from 'xstate'
import {
  base,
  loseAll,
  revoke,
  start,
  takeClaimed,
  takeJoined,
  takeNames,
  takeSynced,
  takeTopic,
  tellSurplus,
  unfollowAll
} from './classic-member-base.ts'
import { agingMs, cut, errorOf } from './classic-member-sums.ts'
import { type ClassicMemberContext, type ClassicMemberEvent, firstContext } from './classic-member-types.ts'

export type { ClassicMemberContext, ClassicMemberEvent, ClassicMemberInput } from './classic-member-types.ts'

type In = { context: ClassicMemberContext }
const identity = ({ memberId, generation }: ClassicMemberContext) => ({ memberId, generation })
const say = (type: string, more: (context: ClassicMemberContext) => Record<string, unknown> = () => ({})) =>
  ({ type: 'tellConsumer', params: ({ context }: In) => ({ event: { type, ...more(context) } }) }) as const
const resumed = say('RESUMED', ({ epoch }) => ({ epoch }))
const sayState = (state: string) => say('MEMBER_STATE', ({ reason }) => ({ state, reason }))
const because = (reason: string) => assign<ClassicMemberContext, ClassicMemberEvent, undefined, ClassicMemberEvent, never>({ reason })
const leave = {
  type: 'leave',
  params: ({ context }: In) => ({ attempt: context.attempt, memberId: context.memberId, reason: cut(context.reason) })
} as const

const topicLevels = { TOPIC: { actions: takeTopic }, TOPIC_MISSING: { actions: takeTopic }, TOPICS: { actions: takeNames } } as const

const atRest = say('MEMBER_STATE', ({ generation, protocol, leader, owned }) => ({
  state: 'steady',
  reason: `generation ${generation} by ${protocol}: ${owned.length} partitions${leader ? ', and it leads' : ''}`
}))

/** What is under way will tell. */
const deaf = { HEARTBEAT: {}, REFUSED: {} } as const

/** Of no generation any more, and what it had may be another's. */
const outcast = ['forgetGeneration', loseAll] as const

/** What a step does when it is refused: for good, as somebody whom the group does not know, or for now. */
const failing = (pause: string) =>
  [
    { guard: 'currentFinal', target: '#classic-member.failed' },
    { guard: 'currentOutcast', target: 'backingOff', actions: ['takeFailure', ...outcast] },
    { guard: 'current', target: pause, actions: 'takeFailure' }
  ] as const

export const classicMemberMachine = base.createMachine({
  id: 'classic-member',
  context: ({ input }) => firstContext(input),
  initial: 'beginning',
  entry: start,
  invoke: { src: 'live', id: 'live', input: ({ context }) => context },
  on: { CLOSE: '.leaving' },
  states: {
    beginning: {
      on: {
        ...topicLevels,
        READY: { target: 'joined', actions: 'takeReady' },
        STEP_FAILED: { guard: 'currentFinal', target: 'failed' }
      }
    },
    joined: {
      type: 'parallel',
      on: {
        ...topicLevels,
        RELEASED: { actions: ['takeReleased', { type: 'releaseOffsets', params: ({ event }) => ({ partitions: event.partitions }) }] }
      },
      states: {
        group: {
          initial: 'stabilizing',
          on: {
            HEARTBEAT: [
              { guard: 'beatFinal', target: '#classic-member.failed' },
              { guard: 'beatOutcast', target: '.stabilizing', actions: [...outcast] }
            ],
            REFUSED: [
              { guard: 'beatFinal', target: '#classic-member.failed' },
              { guard: 'beatOutcast', target: '.stabilizing', actions: [...outcast] }
            ],
            LEASE_OVER: { target: '.stabilizing', actions: ['noteLease', ...outcast] },
            STUCK: { target: '.stuck', actions: ['noteStuck', loseAll] }
          },
          states: {
            waiting: {
              entry: [because('the names of the topics are not known yet'), sayState('waiting')],
              always: { guard: 'named', target: 'stabilizing' }
            },
            // The one door.
            stabilizing: {
              entry: 'unblock',
              always: [{ guard: 'waitsForNames', target: 'waiting' }, { guard: 'mustRevoke', target: 'revoking' }, { target: 'finding' }]
            },
            // A moment, so that a burst of changes is one rebalance.
            settling: {
              always: { guard: 'clean', target: 'steady' },
              on: { HEARTBEAT: { guard: 'beatRebalance', target: 'stabilizing', actions: 'noteRebalance' } },
              after: { settle: 'stabilizing' }
            },
            revoking: {
              entry: [revoke, sayState('revoking')],
              always: { guard: 'allDrained', target: 'stabilizing' },
              after: { revokeLimit: { target: 'stabilizing', actions: ['noteOverdue', loseAll] } }
            },
            finding: {
              entry: ['nextAttempt', { type: 'find', params: ({ context }) => ({ attempt: context.attempt }) }],
              on: { FOUND: { guard: 'current', target: 'joining' }, STEP_FAILED: failing('backingOff') }
            },
            joining: {
              entry: [
                'beginJoin',
                'nextAttempt',
                sayState('joining'),
                'changing',
                {
                  type: 'join',
                  params: ({ context }) => ({
                    ...identity(context),
                    attempt: context.attempt,
                    offers: context.offers.map(({ name }) => name),
                    topics: context.topics,
                    held: context.owned,
                    reason: cut(context.reason)
                  })
                }
              ],
              on: {
                MEMBER_ID_GIVEN: { guard: 'current', target: 'joining', reenter: true, actions: 'takeMemberId' },
                JOINED: [
                  { guard: 'leads', target: 'assigning', actions: takeJoined },
                  { guard: 'current', target: 'syncing', actions: takeJoined }
                ],
                STEP_FAILED: [{ guard: 'currentInconsistent', target: 'looking' }, ...failing('backingOff')],
                // Its answer will tell: the generation of before may be refused by now.
                ...deaf,
                LEASE_OVER: { actions: ['noteLease', ...outcast] }
              }
            },
            assigning: {
              entry: sayState('assigning'),
              always: { guard: 'levelsKnown', target: 'dividing' },
              on: { ...deaf, LEASE_OVER: { actions: ['noteLease', loseAll] } },
              after: { learn: 'dividing' }
            },
            dividing: {
              entry: [
                'noteDivided',
                'nextAttempt',
                {
                  type: 'divide',
                  params: ({ context: { attempt, protocol, levels, skipAssignment } }) => ({
                    attempt,
                    protocol,
                    levels,
                    skip: skipAssignment
                  })
                }
              ],
              on: {
                DIVIDED: { guard: 'current', target: 'syncing' },
                STEP_FAILED: failing('backingOff'),
                ...deaf,
                LEASE_OVER: { actions: ['noteLease', loseAll] }
              }
            },
            syncing: {
              entry: [
                'nextAttempt',
                {
                  type: 'sync',
                  params: ({ context }) => ({
                    ...identity(context),
                    attempt: context.attempt,
                    protocol: context.protocol,
                    topics: context.joinedTopics
                  })
                }
              ],
              on: {
                SYNCED: { guard: 'current', target: 'deciding', actions: ['unblock', takeSynced] },
                STEP_FAILED: [{ guard: 'currentRebalance', target: 'stabilizing', actions: 'noteRebalance' }, ...failing('backingOff')],
                ...deaf,
                LEASE_OVER: { actions: ['noteLease', loseAll] }
              }
            },
            deciding: {
              always: [
                { guard: 'somethingAdded', target: 'claiming' },
                { guard: 'drains', target: 'revoking' },
                { guard: 'mustRejoin', target: 'stabilizing' },
                { target: 'steady' }
              ]
            },
            claiming: {
              entry: ['nextAttempt', { type: 'claim', params: ({ context }) => ({ attempt: context.attempt, partitions: context.added }) }],
              on: {
                CLAIMED: { guard: 'current', target: 'deciding', actions: takeClaimed },
                STEP_FAILED: failing('claimingLater'),
                HEARTBEAT: { guard: 'beatRebalance', actions: 'noteRebalance' }
              }
            },
            claimingLater: {
              entry: sayState('claiming'),
              on: { HEARTBEAT: { guard: 'beatRebalance', target: 'stabilizing', actions: 'noteRebalance' } },
              after: { backoff: 'claiming' }
            },
            steady: {
              entry: 'atRest',
              initial: 'choosing',
              always: { guard: 'dirty', target: 'settling' },
              on: {
                HEARTBEAT: { guard: 'beatRebalance', target: 'stabilizing', actions: 'noteRebalance' },
                REFUSED: { guard: 'beatRebalance', target: 'stabilizing', actions: 'noteRebalance' }
              },
              states: {
                choosing: { always: [{ guard: 'surplus', target: 'empty' }, { target: 'resting' }] },
                empty: { after: { surplus: { target: 'resting', actions: tellSurplus } } },
                resting: { entry: atRest }
              }
            },
            looking: {
              entry: ['unblock', 'nextAttempt', { type: 'look', params: ({ context }) => ({ attempt: context.attempt }) }],
              on: {
                LOOKED: [
                  { guard: 'offeredAlready', target: 'backingOff', actions: 'takeLook' },
                  { guard: 'offers', target: 'stabilizing', actions: ['takeOffer', sayState('looking')] },
                  { guard: 'speaksOtherwise', target: '#classic-member.failed' },
                  { guard: 'current', target: 'backingOff', actions: 'takeLook' }
                ],
                STEP_FAILED: failing('backingOff')
              }
            },
            backingOff: { entry: sayState('backingOff'), after: { backoff: 'stabilizing' } },
            // Out of the group until the work goes on.
            stuck: {
              entry: ['unblock', 'nextAttempt', leave, 'forgetMember', sayState('stuck')],
              on: { FREE: { target: 'stabilizing', actions: because('the work goes on') }, STUCK: {} }
            }
          }
        },
        pulse: {
          initial: 'off',
          on: {
            JOINED: { guard: 'current', target: '.choosing' },
            SYNCED: { guard: 'current', target: '.choosing' }
          },
          states: {
            off: { always: { guard: 'beats', target: 'waiting' } },
            choosing: { always: [{ guard: 'beats', target: 'waiting' }, { target: 'off' }] },
            waiting: { always: { guard: 'beatsNot', target: 'off' }, after: { beat: 'beating' } },
            beating: {
              entry: [
                'nextBeat',
                { type: 'heartbeat', params: ({ context }) => ({ ...identity(context), beat: context.beat, aside: context.blocked }) }
              ],
              always: { guard: 'beatsNot', target: 'off' },
              on: {
                HEARTBEAT: [
                  { guard: 'alive', target: 'waiting', actions: 'slower' },
                  {
                    guard: 'unheard',
                    target: 'pausing',
                    actions: ['beatBackoff', { type: 'tellTrouble', params: ({ event }) => ({ error: event.error! }) }]
                  },
                  { guard: 'currentBeat', target: 'waiting' }
                ]
              }
            },
            pausing: { always: { guard: 'beatsNot', target: 'off' }, after: { beatBackoff: 'beating' } }
          }
        },
        lease: {
          initial: 'none',
          on: {
            JOINED: { guard: 'current', target: '.held' },
            SYNCED: { guard: 'current', target: '.held' },
            HEARTBEAT: { guard: 'alive', target: '.held', actions: 'renewLease' }
          },
          states: {
            none: {},
            held: { always: { guard: 'ungenerated', target: 'none' }, after: { suspend: 'aging' } },
            aging: {
              entry: say('SUSPENDED', context => ({ reason: `no heartbeat is answered; the session is over in ${agingMs(context)} ms` })),
              always: { guard: 'ungenerated', target: 'none' },
              on: {
                JOINED: { guard: 'current', target: 'held', actions: resumed },
                SYNCED: { guard: 'current', target: 'held', actions: resumed },
                HEARTBEAT: { guard: 'alive', target: 'held', actions: ['renewLease', resumed] }
              },
              after: { leaseEnd: 'over' }
            },
            over: { entry: raise({ type: 'LEASE_OVER' }), always: { guard: 'ungenerated', target: 'none' } }
          }
        }
      }
    },
    leaving: {
      entry: ['nextAttempt', because('the consumer closes'), leave],
      on: { LEFT_GROUP: { guard: 'current', target: 'left' }, CLOSE: {} },
      after: { leave: 'left' }
    },
    // Both wait to be stopped by the consumer.
    left: { entry: [unfollowAll, say('LEFT')], on: { CLOSE: {} } },
    failed: {
      entry: [
        { type: 'tellConsumer', params: ({ context, event }) => ({ event: { type: 'MEMBER_FAILED', error: errorOf(context, event) } }) },
        'nextAttempt',
        leave
      ]
    }
  }
})
