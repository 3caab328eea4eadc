/**
 * One subscription of this process: its member tells what it owns, its partitions do the work, this machine keeps the order of
 * things: nothing is released before it is drained and committed, nothing is committed that is not owned.
 *
 *   choosing ⇄ pausing      (how the members of the group meet; `auto` looks, else it is what was asked for)
 *      │ CHOSEN                        ▲ LEFT after MOVED; a group of the classic protocol after all
 *      ▼                               │
 *   active.starting ──ASSIGNED──► active.running ⇄ active.suspended (no commits) ⇄ active.stalled (nothing handed out)
 *         ▲                            │ REVOKE: drain those → commit them → RELEASED
 *         └────────── LOST ────────────┤
 *   MOVED, CLOSE, HANDLER_STOP: ending.draining ──► ending.committing ──► ending.leaving ──LEFT──► choosing | closed
 *   MEMBER_FAILED: ──► failed
 *
 * Each choice, revocation and commit has a number; an answer to one that is over is dropped.
 */
import { assign, stopChild } from 'xstate'
import {
  base,
  beginChoice,
  type ConsumerContext,
  drainAll,
  dropDrained,
  finishRevocation,
  groupMoved,
  loseAll,
  rememberChoiceFailure,
  spawnMember,
  startRevocation,
  takeAssigned,
  takeChoice,
  takeReleased
} from './consumer-base.ts'

export {
  type Assigned,
  type ConsumerContext,
  type ConsumerEvent,
  type ConsumerInput,
  type House,
  keyOf,
  type Owned
} from './consumer-base.ts'

const setDelivery = (handOut: boolean, commits: boolean) =>
  ({ type: 'setDelivery', params: ({ context }: { context: ConsumerContext }) => ({ handOut, commits, epoch: context.epoch }) }) as const

export const consumerMachine = base.createMachine({
  id: 'consumer',
  context: ({ input }) => ({
    ...input,
    asked: input.subscription.membership,
    unfit: null,
    choice: 0,
    attempt: 0,
    delayMs: 0,
    movingTo: null,
    reason: '',
    epoch: 0,
    owned: [],
    revocations: [],
    nextId: 1,
    closingId: 0,
    closeTimeoutMs: 30_000,
    error: null
  }),
  initial: 'open',
  // `plane` is the last to be stopped: it ends what is still there.
  invoke: [
    { src: 'tier', id: 'partitions', input: ({ context }) => ({ instance: context.instance, path: `${context.path}/partitions` }) },
    { src: 'plane', id: 'plane', input: ({ context }) => ({ instance: context.instance, path: context.path }) }
  ],
  states: {
    open: {
      tags: 'open',
      initial: 'choosing',
      exit: stopChild('member'),
      on: {
        SURPLUS: {
          actions: {
            type: 'emitSurplus',
            params: ({ event }) => ({ group: event.group, partitions: event.partitions, members: event.members })
          }
        },
        MEMBER_STATE: { actions: { type: 'emitState', params: ({ event }) => ({ state: event.state, reason: event.reason }) } },
        MEMBER_FAILED: [
          {
            guard: 'unfit',
            target: '.choosing',
            actions: assign({ unfit: ({ event }) => event.error.message })
          },
          { target: 'failed', actions: assign({ error: ({ event }) => event.error }) }
        ]
      },
      states: {
        choosing: {
          entry: [stopChild('member'), beginChoice],
          always: { guard: 'asked', target: 'active', actions: takeChoice },
          on: {
            CHOSEN: { guard: 'currentChoice', target: 'active', actions: takeChoice },
            CHOICE_FAILED: [
              { guard: 'finalChoice', target: '#consumer.failed', actions: assign({ error: ({ event }) => event.error }) },
              { guard: 'currentChoice', target: 'pausing', actions: rememberChoiceFailure }
            ],
            CLOSE: '#consumer.closed'
          }
        },
        pausing: {
          entry: { type: 'emitState', params: ({ context }) => ({ state: 'choosing', reason: context.reason }) },
          after: { choicePause: 'choosing' },
          on: { CLOSE: '#consumer.closed' }
        },
        active: {
          initial: 'starting',
          entry: spawnMember,
          on: {
            MOVED: [
              { guard: 'asked', target: 'ending', actions: assign({ error: ({ event }) => groupMoved(event.reason) }) },
              {
                target: 'ending',
                actions: [
                  assign({ movingTo: ({ event }) => event.to, reason: ({ event }) => event.reason }),
                  { type: 'emitState', params: ({ event }) => ({ state: 'moving', reason: event.reason }) }
                ]
              }
            ],
            ASSIGNED: [{ guard: 'stale' }, { target: '.running', actions: takeAssigned }],
            REVOKE: { actions: startRevocation },
            PARTITION_RELEASED: { actions: takeReleased },
            COMMIT_DONE: { actions: finishRevocation },
            LOST: [{ guard: 'stale' }, { target: '.starting', actions: loseAll }],
            CLOSE: {
              target: 'ending',
              actions: assign({ closeTimeoutMs: ({ context, event }) => event.timeoutMs ?? context.closeTimeoutMs })
            },
            HANDLER_STOP: { target: 'ending', actions: assign({ error: ({ event }) => event.error }) },
            LEFT: { target: '#consumer.closed' }
          },
          states: {
            starting: {},
            running: {
              initial: 'choosing',
              on: {
                SUSPENDED: 'suspended',
                STALLED: 'stalled'
              },
              states: {
                choosing: { always: [{ guard: 'autoCommits', target: 'counting' }, { target: 'onRequest' }] },
                counting: {
                  after: {
                    autoCommitInterval: {
                      target: 'counting',
                      reenter: true,
                      actions: { type: 'commit', params: ({ context }) => ({ epoch: context.epoch, partitions: null, id: null }) }
                    }
                  }
                },
                onRequest: {}
              }
            },
            suspended: {
              entry: setDelivery(true, false),
              on: {
                STALLED: 'stalled',
                RESUMED: { target: 'running', actions: [assign({ epoch: ({ event }) => event.epoch }), setDelivery(true, true)] }
              }
            },
            stalled: {
              entry: setDelivery(false, false),
              on: {
                RESUMED: { target: 'running', actions: [assign({ epoch: ({ event }) => event.epoch }), setDelivery(true, true)] }
              }
            }
          }
        },
        ending: {
          initial: 'draining',
          on: {
            // Nothing new is begun; a member that revokes meanwhile gets its answer by our leaving.
            CLOSE: { actions: assign({ movingTo: null }) },
            LOST: {
              target: '.leaving',
              actions: loseAll
            }
          },
          after: { closeLimit: [{ guard: 'moves', target: 'choosing' }, { target: '#consumer.closed' }] },
          states: {
            draining: {
              entry: drainAll,
              always: { guard: 'nothingOwned', target: 'committing' },
              on: { PARTITION_RELEASED: { actions: dropDrained }, COMMIT_DONE: { actions: finishRevocation } }
            },
            committing: {
              entry: [
                assign({ closingId: ({ context }) => context.nextId, nextId: ({ context }) => context.nextId + 1 }),
                {
                  type: 'commit',
                  params: ({ context }) => ({ epoch: context.epoch, partitions: null, id: context.closingId })
                }
              ],
              on: { COMMIT_DONE: { guard: 'lastCommit', target: 'leaving' } }
            },
            leaving: {
              entry: [
                'releaseAll',
                { type: 'tell', params: ({ context }) => ({ path: `${context.path}/member`, event: { type: 'CLOSE' } }) }
              ],
              on: { LEFT: [{ guard: 'moves', target: '#consumer.open.choosing' }, { target: '#consumer.closed' }] }
            }
          }
        }
      }
    },
    // Both wait to be stopped by their tier, which the cluster tells to.
    failed: {
      entry: [
        { type: 'emitFailed', params: ({ context }) => ({ error: context.error! }) },
        { type: 'emitClosed', params: ({ context }) => ({ error: context.error }) }
      ]
    },
    closed: { entry: { type: 'emitClosed', params: ({ context }) => ({ error: context.error }) } }
  }
})
