/**
 * A member of a group whose membership lives in ZooKeeper, beside Kafka's Scala consumers. Everything that changes enters by one door,
 * `stabilizing`; only partitions that move are let go of.
 *
 *   waiting ─SESSION_CONNECTED─► registering ─► stabilizing ─► reading ─PLANNED─► (learning) ─► deciding
 *      ▲                                            ▲  ▲                                           │
 *      │ SESSION_EXPIRED: LOST                      │  └── backingOff ◄─ blocked, failed ──┐       ▼
 *      │                                            │                                     │  revoking ─RELEASED─► releasing
 *   any ─SESSION_SUSPENDED─► suspended ─► stalled   │ anything has changed                │       ▼                  │
 *                               └─RECONNECTED─► verifying                        claiming ◄──────┴──────────────────┘
 *                                                   │ RESUMED                        ▼
 *   dropping (LOST, all owner nodes removed) ◄──────┴── an owner node is gone ── owning: holding │ surplus
 *   CLOSE: leaving ─► left                              a step is refused for good: failed
 *
 * Every step has a number; an answer of an older one is dropped, and `verify` finds what it may have left behind in ZooKeeper.
 */
import { assign } from 'xstate'
import {
  base,
  revoke,
  sayMoved,
  start,
  takeClaimed,
  takePlan,
  takeTopic,
  tellSurplus,
  tellUnowned,
  unfollowAll
} from './group-member-base.ts'
import { stillUnowned, toClaim } from './group-member-sets.ts'
import { defaultTiming, type GroupMemberContext, type GroupMemberInput } from './group-member-types.ts'

export type { GroupMemberContext, GroupMemberEvent, GroupMemberInput } from './group-member-types.ts'

type In = { context: GroupMemberContext }
const attempt = ({ context }: In) => ({ attempt: context.attempt })
const say = (type: string, more: (context: GroupMemberContext) => Record<string, unknown> = () => ({})) =>
  ({ type: 'tellConsumer', params: ({ context }: In) => ({ event: { type, ...more(context) } }) }) as const
const sayState = (state: string) => say('MEMBER_STATE', ({ reason }) => ({ state, reason }))
const lost = say('LOST', ({ epoch, reason }) => ({ epoch, reason }))

/** What a step does when ZooKeeper refuses it: for good, or for now. */
const failing = (pause: string) =>
  [
    { guard: 'currentFinal', target: '#group-member.failed' },
    { guard: 'current', target: pause, actions: 'takeFailure' }
  ] as const

function firstContext(input: GroupMemberInput): GroupMemberContext {
  return {
    ...input,
    movable: input.movable ?? false,
    timing: { ...defaultTiming, ...input.timing },
    session: 0,
    memberId: null,
    registered: false,
    attempt: 0,
    tries: 0,
    delayMs: 0,
    stallMs: 0,
    epoch: 0,
    levels: [],
    followed: [],
    namesFollowed: false,
    names: null,
    dirty: false,
    owned: [],
    draining: [],
    drained: [],
    target: [],
    condemned: [],
    shares: [],
    members: 0,
    partitions: 0,
    quarantined: [],
    blockedBy: [],
    unowned: [],
    nudgeRest: 0,
    surplusTold: '',
    reason: 'there is no ZooKeeper session yet'
  }
}

export const groupMemberMachine = base.createMachine({
  id: 'group-member',
  context: ({ input }) => firstContext(input),
  initial: 'joined',
  entry: start,
  invoke: { src: 'sessions', id: 'sessions', input: ({ context }) => context },
  states: {
    joined: {
      initial: 'waiting',
      on: {
        SESSION_CONNECTED: [
          { guard: 'hasSession', target: '.registering', actions: ['forgetSession', lost, 'takeSession'] },
          { target: '.registering', actions: ['forgetSession', 'takeSession'] }
        ],
        SESSION_EXPIRED: { guard: 'ofSession', target: '.waiting', actions: ['forgetSession', lost] },
        SESSION_SUSPENDED: { guard: 'ofSession', target: '.suspended', actions: 'takeSuspension' },
        TOPIC: { actions: takeTopic },
        TOPIC_MISSING: { actions: takeTopic },
        TOPICS: { actions: 'takeNames' },
        GROUP_MOVED: { guard: 'ofSession', actions: sayMoved },
        ZOOKEEPER_GONE: { actions: sayMoved },
        GROUP_CHANGED: { guard: 'ofSession', actions: 'groupChanged' },
        OWNER_CHANGED: { guard: 'lostOwner', target: '.dropping', actions: 'noteLost' },
        RELEASED: { actions: 'takeReleased' },
        CLOSE: 'leaving'
      },
      states: {
        waiting: { entry: sayState('waiting'), on: { STEP_FAILED: { guard: 'currentFinal', target: '#group-member.failed' } } },
        registering: {
          entry: ['nextAttempt', { type: 'register', params: attempt }],
          on: {
            REGISTERED: { guard: 'current', target: 'stabilizing', actions: 'takeRegistered' },
            STEP_FAILED: failing('backingOff')
          }
        },
        // The one door. Waits a moment, so that a burst of changes is one rebalance.
        stabilizing: { after: { settle: 'reading' } },
        reading: {
          entry: [
            'clean',
            'nextAttempt',
            { type: 'read', params: ({ context }) => ({ attempt: context.attempt, levels: context.levels, names: context.names }) }
          ],
          on: {
            PLANNED: [
              { guard: 'planReady', target: 'deciding', actions: takePlan },
              { guard: 'current', target: 'learning', actions: takePlan }
            ],
            STEP_FAILED: failing('backingOff')
          }
        },
        learning: {
          entry: [assign({ reason: 'the partitions of its topics are not known yet' }), sayState('learning')],
          always: { guard: 'dirty', target: 'stabilizing' },
          after: { learn: 'stabilizing' }
        },
        deciding: {
          always: [
            { guard: 'unregistered', target: 'registering' },
            { guard: 'mustRevoke', target: 'revoking' },
            { guard: 'mustClaim', target: 'claiming' },
            { target: 'owning' }
          ]
        },
        revoking: {
          entry: [sayState('revoking'), revoke],
          always: { guard: 'allDrained', target: 'releasing' },
          after: { revokeLimit: { target: 'dropping', actions: 'noteOverdue' } }
        },
        releasing: {
          entry: [
            'nextAttempt',
            {
              type: 'release',
              params: ({ context }) => ({ attempt: context.attempt, partitions: context.drained, dropOffsets: context.condemned })
            }
          ],
          on: { GIVEN_BACK: { guard: 'current', target: 'released', actions: 'takeGivenBack' }, STEP_FAILED: failing('backingOff') }
        },
        released: {
          always: [
            { guard: 'dirty', target: 'stabilizing', actions: takeClaimed },
            { guard: 'mustClaim', target: 'claiming' },
            { target: 'owning', actions: takeClaimed }
          ]
        },
        claiming: {
          entry: [
            sayState('claiming'),
            'nextAttempt',
            {
              type: 'claim',
              params: ({ context }) => ({ attempt: context.attempt, epoch: context.epoch + 1, partitions: toClaim(context) })
            }
          ],
          on: {
            CLAIMED: { guard: 'current', target: 'owning', actions: takeClaimed },
            CLAIM_BLOCKED: { guard: 'current', target: 'backingOff', actions: 'takeBlocked' },
            STEP_FAILED: failing('backingOff')
          }
        },
        backingOff: {
          entry: sayState('backingOff'),
          always: { guard: 'dirty', target: 'stabilizing' },
          on: {
            OWNER_CHANGED: [
              { guard: 'lostOwner', target: 'dropping', actions: 'noteLost' },
              { guard: 'ofSession', target: 'stabilizing' }
            ]
          },
          after: { backoff: 'stabilizing' }
        },
        owning: {
          entry: 'atRest',
          initial: 'choosing',
          always: { guard: 'dirty', target: 'stabilizing' },
          on: {
            AUDITED: [
              { guard: 'someLost', target: 'dropping', actions: 'noteLost' },
              {
                guard: 'peersGaveUp',
                target: '.resting',
                actions: [
                  {
                    type: 'nudge',
                    params: ({ context, event }) => ({
                      reason: stillUnowned(context.unowned, event.unowned)
                        .map(({ topic, partition, member }) => `${topic}/${partition} is due to ${member} and owned by nobody`)
                        .slice(0, 5)
                        .join(', ')
                    })
                  },
                  'takeNudged'
                ]
              },
              { guard: 'current', target: '.resting', actions: [tellUnowned, 'takeAudit'] }
            ],
            STEP_FAILED: {
              guard: 'current',
              target: '.resting',
              actions: { type: 'tellTrouble', params: ({ event }) => ({ error: event.error }) }
            }
          },
          states: {
            choosing: {
              always: [
                { guard: 'surplus', target: 'resting', actions: tellSurplus },
                { target: 'resting', actions: sayState('owning') }
              ]
            },
            resting: { after: { audit: 'auditing' } },
            auditing: {
              entry: [
                'nextAttempt',
                {
                  type: 'audit',
                  params: ({ context }) => ({ attempt: context.attempt, mine: context.owned, shares: context.shares })
                }
              ]
            }
          }
        },
        suspended: {
          // What was asked before the link broke may still be done; its answer no longer counts.
          entry: ['nextAttempt', say('SUSPENDED', ({ reason }) => ({ reason })), sayState('suspended')],
          after: { stall: 'stalled' },
          on: { SESSION_RECONNECTED: { guard: 'ofSession', target: 'verifying' } }
        },
        stalled: {
          entry: [say('STALLED', ({ reason }) => ({ reason })), sayState('stalled')],
          on: { SESSION_RECONNECTED: { guard: 'ofSession', target: 'verifying' } }
        },
        verifying: {
          entry: [
            'nextAttempt',
            { type: 'verify', params: ({ context }) => ({ attempt: context.attempt, partitions: [...context.owned, ...context.draining] }) }
          ],
          on: {
            VERIFIED: [
              { guard: 'someLost', target: 'dropping', actions: ['takeVerified', 'noteLost'] },
              { guard: 'current', target: 'resumed', actions: ['takeVerified', say('RESUMED', ({ epoch }) => ({ epoch }))] }
            ],
            STEP_FAILED: failing('verifyingLater')
          }
        },
        verifyingLater: { entry: sayState('verifying'), after: { backoff: 'verifying' } },
        resumed: { always: [{ guard: 'unregistered', target: 'registering' }, { target: 'stabilizing' }] },
        // Something that was ours is not, or is not let go of: nothing is certain, so all of it goes.
        dropping: {
          entry: ['forgetHeld', lost, sayState('dropping'), 'nextAttempt', { type: 'drop', params: attempt }],
          on: {
            DROPPED: { guard: 'current', target: 'resumed' },
            STEP_FAILED: failing('droppingLater')
          }
        },
        droppingLater: { entry: sayState('dropping'), after: { backoff: 'dropping' } }
      }
    },
    leaving: {
      entry: ['nextAttempt', { type: 'leave', params: attempt }],
      on: { UNREGISTERED: { guard: 'current', target: 'left' }, SESSION_EXPIRED: 'left' },
      after: { leave: 'left' }
    },
    // Both wait to be stopped by the consumer.
    left: { entry: [unfollowAll, say('LEFT')] },
    failed: {
      entry: {
        type: 'tellConsumer',
        params: ({ event }) => ({ event: { type: 'MEMBER_FAILED', error: event.type === 'STEP_FAILED' ? event.error : null } })
      },
      on: { CLOSE: 'leaving' }
    }
  }
})
