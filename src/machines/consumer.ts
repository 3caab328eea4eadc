/**
 * One subscription of this process: its member tells what it owns, its partitions do the work, this machine keeps the order of
 * things: nothing is released before it is drained and committed, nothing is committed that is not owned.
 *
 *   active.starting ──ASSIGNED──► active.running ⇄ active.suspended (no commits) ⇄ active.stalled (nothing handed out)
 *         ▲                            │ REVOKE: drain those → commit them → RELEASED
 *         └────────── LOST ────────────┤
 *   CLOSE, HANDLER_STOP: closing.draining ──► closing.committing ──► closing.leaving ──LEFT──► closed
 *   MEMBER_FAILED: ──► failed
 *
 * Each revocation and each commit has a number; an answer to one that is over is dropped.
 */
import { assign, type EventObject, fromCallback, setup, stopChild } from 'xstate'
import type { PlainError } from '../model/errors.ts'
import type { Subscription } from '../model/subscription.ts'

export interface Owned {
  topic: string
  partition: number
}

export interface Assigned extends Owned {
  /** Committed next offset, decimal. */
  offset: string | null
}

interface Revocation {
  id: number
  epoch: number
  partitions: Owned[]
  /** Keys of those that still have work in hand. */
  waiting: string[]
}

export interface ConsumerInput {
  instance: string
  path: string
  subscription: Subscription
  retryBackoffMs: number
  retryBackoffMaxMs: number
}

export interface ConsumerContext extends ConsumerInput {
  epoch: number
  owned: Owned[]
  revocations: Revocation[]
  nextId: number
  /** The commit that closing waits for. */
  closingId: number
  closeTimeoutMs: number
  error: PlainError | null
}

export type ConsumerEvent =
  | { type: 'ASSIGNED'; epoch: number; partitions: Assigned[] }
  /** `deadlineMs`: how long the work in hand may take from now on. */
  | { type: 'REVOKE'; epoch: number; partitions: Owned[]; deadlineMs: number }
  | { type: 'LOST'; epoch: number; reason: string }
  | { type: 'SUSPENDED'; reason: string }
  | { type: 'STALLED'; reason: string }
  | { type: 'RESUMED'; epoch: number }
  | { type: 'SURPLUS'; group: string; partitions: number; members: number }
  | { type: 'MEMBER_STATE'; state: string; reason: string }
  | { type: 'LEFT' }
  | { type: 'MEMBER_FAILED'; error: PlainError }
  | { type: 'PARTITION_RELEASED'; topic: string; partition: number }
  /** The commit of a revocation, or the last one, is over, well or not (the plane told its listeners which). */
  | { type: 'COMMIT_DONE'; id: number }
  /** A handler threw and the policy is `stop`. */
  | { type: 'HANDLER_STOP'; error: PlainError }
  | { type: 'CLOSE'; timeoutMs?: number }

type Tell = { path: string; event: Record<string, unknown> & { type: string } }
export const keyOf = ({ topic, partition }: Owned) => `${topic}/${partition}`
const child = () => fromCallback<EventObject, Record<string, unknown>>(() => {})

const base = setup({
  types: {} as {
    context: ConsumerContext
    events: ConsumerEvent
    input: ConsumerInput
    tags: 'open'
  },
  actors: { plane: child(), tier: child(), manualMember: child(), zookeeperMember: child() },
  actions: {
    tell: (_, _params: Tell) => {},
    /** Starts a machine for each of these; the plane knows what this process itself has processed of them before. */
    claim: (_, _params: { epoch: number; partitions: Assigned[] }) => {},
    /** Stops fetching them; each says PARTITION_RELEASED when nothing of it is in hand any more. */
    drain: (_, _params: { partitions: Owned[]; limitMs: number }) => {},
    /** Aborts what is in hand; nothing of it is committed. */
    interrupt: (_, _params: { epoch: number; partitions: Owned[]; reason: string }) => {},
    /** Commits what was processed of these (null: of all); answers COMMIT_DONE when it has an id. */
    commit: (_, _params: { epoch: number; partitions: Owned[] | null; id: number | null }) => {},
    /** Forgets them in the plane, tells the listeners and the member so (RELEASED). */
    release: (_, _params: { epoch: number; partitions: Owned[] }) => {},
    /** The last ones, before leaving. */
    releaseAll: () => {},
    setDelivery: (_, _params: { handOut: boolean; commits: boolean; epoch: number }) => {},
    emitSurplus: (_, _params: { group: string; partitions: number; members: number }) => {},
    emitState: (_, _params: { state: string; reason: string }) => {},
    emitFailed: (_, _params: { error: PlainError }) => {},
    /** The last word to listeners, to `close()` and to the cluster. */
    emitClosed: (_, _params: { error: PlainError | null }) => {}
  },
  guards: {
    autoCommits: ({ context }) => context.subscription.autoCommitIntervalMs !== null,
    nothingOwned: ({ context }) => context.owned.length === 0,
    /** An older assignment's word. */
    stale: ({ context, event }) => 'epoch' in event && event.epoch < context.epoch,
    lastCommit: ({ context, event }) => event.type === 'COMMIT_DONE' && event.id === context.closingId
  },
  delays: {
    autoCommitInterval: ({ context }) => context.subscription.autoCommitIntervalMs ?? 0,
    closeLimit: ({ context }) => context.closeTimeoutMs
  }
})

const takeAssigned = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'ASSIGNED') return
  const owned = new Set(context.owned.map(keyOf))
  // Told twice is claimed once: what runs already goes on from where it is.
  const added = event.partitions.filter(entry => !owned.has(keyOf(entry)))
  enqueue(
    assign({
      epoch: event.epoch,
      owned: [...context.owned, ...added.map(({ topic, partition }) => ({ topic, partition }))]
    })
  )
  enqueue({ type: 'setDelivery', params: { handOut: true, commits: true, epoch: event.epoch } })
  enqueue({ type: 'claim', params: { epoch: event.epoch, partitions: added } })
})

const startRevocation = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'REVOKE') return
  const owned = new Set(context.owned.map(keyOf))
  const busy = new Set(context.revocations.flatMap(other => other.waiting))
  const partitions = event.partitions.filter(entry => owned.has(keyOf(entry)) && !busy.has(keyOf(entry)))
  const revocation = { id: context.nextId, epoch: event.epoch, partitions: event.partitions, waiting: partitions.map(keyOf) }
  if (partitions.length === 0) {
    enqueue({ type: 'release', params: { epoch: event.epoch, partitions: event.partitions } })
    return
  }
  enqueue(assign({ revocations: [...context.revocations, revocation], nextId: context.nextId + 1 }))
  enqueue({ type: 'drain', params: { partitions, limitMs: event.deadlineMs } })
})

/** One partition has nothing in hand any more: the revocation that waited for it last goes on to its commit. */
const takeReleased = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'PARTITION_RELEASED') return
  const key = keyOf(event)
  const revocations = context.revocations.map(revocation => {
    if (!revocation.waiting.includes(key)) return revocation
    const waiting = revocation.waiting.filter(other => other !== key)
    if (waiting.length === 0)
      enqueue({ type: 'commit', params: { epoch: revocation.epoch, partitions: revocation.partitions, id: revocation.id } })
    return { ...revocation, waiting }
  })
  enqueue(assign({ revocations }))
})

const finishRevocation = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'COMMIT_DONE') return
  const revocation = context.revocations.find(other => other.id === event.id)
  if (!revocation) return
  const gone = new Set(revocation.partitions.map(keyOf))
  enqueue(
    assign({
      revocations: context.revocations.filter(other => other !== revocation),
      owned: context.owned.filter(entry => !gone.has(keyOf(entry)))
    })
  )
  enqueue({ type: 'release', params: { epoch: revocation.epoch, partitions: revocation.partitions } })
})

const loseAll = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'LOST') return
  enqueue({ type: 'interrupt', params: { epoch: event.epoch, partitions: context.owned, reason: event.reason } })
  enqueue({ type: 'setDelivery', params: { handOut: true, commits: false, epoch: event.epoch } })
  enqueue(assign({ owned: [], revocations: [], epoch: event.epoch }))
})

/** Everything at once; partitions that a revocation drains already are waited for with it. */
const drainAll = base.enqueueActions(({ context, enqueue }) => {
  const busy = new Set(context.revocations.flatMap(revocation => revocation.waiting))
  const partitions = context.owned.filter(entry => !busy.has(keyOf(entry)))
  const limitMs = Math.min(context.subscription.revokeTimeoutMs, context.closeTimeoutMs)
  enqueue({ type: 'drain', params: { partitions, limitMs } })
})

const dropDrained = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'PARTITION_RELEASED') return
  const key = keyOf(event)
  const left = context.owned.filter(entry => keyOf(entry) !== key)
  enqueue(assign({ owned: left }))
})

const setDelivery = (handOut: boolean, commits: boolean) =>
  ({ type: 'setDelivery', params: ({ context }: { context: ConsumerContext }) => ({ handOut, commits, epoch: context.epoch }) }) as const

export const consumerMachine = base.createMachine({
  id: 'consumer',
  context: ({ input }) => ({
    ...input,
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
      initial: 'active',
      entry: base.enqueueActions(({ context, enqueue }) => {
        const input = {
          instance: context.instance,
          path: `${context.path}/member`,
          consumer: context.path,
          subscription: context.subscription,
          retryBackoffMs: context.retryBackoffMs,
          retryBackoffMaxMs: context.retryBackoffMaxMs
        }
        if (context.subscription.membership === 'zookeeper') enqueue.spawnChild('zookeeperMember', { id: 'member', input })
        else enqueue.spawnChild('manualMember', { id: 'member', input })
      }),
      exit: stopChild('member'),
      on: {
        SURPLUS: {
          actions: {
            type: 'emitSurplus',
            params: ({ event }) => ({ group: event.group, partitions: event.partitions, members: event.members })
          }
        },
        MEMBER_STATE: { actions: { type: 'emitState', params: ({ event }) => ({ state: event.state, reason: event.reason }) } },
        MEMBER_FAILED: { target: 'failed', actions: assign({ error: ({ event }) => event.error }) }
      },
      states: {
        active: {
          initial: 'starting',
          on: {
            ASSIGNED: [{ guard: 'stale' }, { target: '.running', actions: takeAssigned }],
            REVOKE: { actions: startRevocation },
            PARTITION_RELEASED: { actions: takeReleased },
            COMMIT_DONE: { actions: finishRevocation },
            LOST: [{ guard: 'stale' }, { target: '.starting', actions: loseAll }],
            CLOSE: {
              target: 'closing',
              actions: assign({ closeTimeoutMs: ({ context, event }) => event.timeoutMs ?? context.closeTimeoutMs })
            },
            HANDLER_STOP: { target: 'closing', actions: assign({ error: ({ event }) => event.error }) },
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
        closing: {
          initial: 'draining',
          on: {
            // Nothing new is begun; a member that revokes meanwhile gets its answer by our leaving.
            CLOSE: {},
            LOST: {
              target: '.leaving',
              actions: loseAll
            }
          },
          after: { closeLimit: '#consumer.closed' },
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
              on: { LEFT: '#consumer.closed' }
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
