/**
 * Membership without a group's rebalancing: the partitions that were named, or every partition of the topics, also those that are
 * added later. Speaks the same contract as any member (docs/ARCHITECTURE.md), so that everything behind it is shared.
 *
 *   settled ──partitions to claim──► looking ──LOOKED_UP: ASSIGNED──► settled
 *                                      │  ▲
 *                        LOOKUP_FAILED ▼  │ after the pause         CLOSE (anywhere) ──► left
 *                                    retrying
 */
import { assign, setup } from 'xstate'
import type { PlainError } from '../model/errors.ts'
import type { Subscription } from '../model/subscription.ts'
import { type Assigned, keyOf, type Owned } from './consumer.ts'

export interface ManualMemberInput {
  instance: string
  path: string
  consumer: string
  subscription: Subscription
  retryBackoffMs: number
  retryBackoffMaxMs: number
}

export interface ManualMemberContext extends ManualMemberInput {
  /** Topics that are followed. */
  topics: string[]
  /** To be claimed as soon as their committed offsets are known. */
  pending: Owned[]
  /** Keys of those that are pending or claimed. */
  known: string[]
  /** Numbers the look-ups. */
  lookup: number
  attempt: number
  delayMs: number
}

export type ManualMemberEvent =
  | { type: 'TOPICS'; topics: string[] }
  | { type: 'TOPIC'; topic: string; topicId: string | null; partitions: number[] }
  | { type: 'TOPIC_MISSING'; topic: string }
  | { type: 'LOOKED_UP'; lookup: number; partitions: Assigned[] }
  | { type: 'LOOKUP_FAILED'; lookup: number; error: PlainError; random: number }
  | { type: 'CLOSE' }

type Told = Record<string, unknown> & { type: string }
/** Nobody else can own these: one assignment for good. */
export const MANUAL_EPOCH = 1

const base = setup({
  types: {} as { context: ManualMemberContext; events: ManualMemberEvent; input: ManualMemberInput },
  actions: {
    tellConsumer: (_, _params: { event: Told }) => {},
    followTopic: (_, _params: { topic: string }) => {},
    unfollowTopic: (_, _params: { topic: string }) => {},
    /** The names of all topics, for a pattern. */
    followNames: () => {},
    unfollowNames: () => {},
    /** Reads the committed offsets; answers LOOKED_UP or LOOKUP_FAILED with this number. Without a group there are none. */
    lookUp: (_, _params: { lookup: number; partitions: Owned[] }) => {},
    rememberFailure: assign(({ context, event }) => {
      if (event.type !== 'LOOKUP_FAILED') return {}
      const attempt = context.attempt + 1
      const pause = Math.min(context.retryBackoffMaxMs, context.retryBackoffMs * 2 ** Math.min(attempt - 1, 20))
      return { attempt, delayMs: Math.round(pause * (0.8 + 0.4 * event.random)) }
    })
  },
  guards: {
    somePending: ({ context }) => context.pending.length > 0,
    current: ({ context, event }) => 'lookup' in event && event.lookup === context.lookup,
    final: ({ context, event }) => event.type === 'LOOKUP_FAILED' && event.lookup === context.lookup && !event.error.retriable,
    hasPattern: ({ context }) => context.subscription.pattern !== null
  },
  delays: { pause: ({ context }) => context.delayMs }
})

const start = base.enqueueActions(({ context, enqueue }) => {
  const { partitions, pattern, topics } = context.subscription
  if (pattern !== null) enqueue('followNames')
  for (const topic of topics) enqueue({ type: 'followTopic', params: { topic } })
  if (!partitions) return
  const pending = partitions.map(({ topic, partition }) => ({ topic, partition }))
  enqueue(assign({ pending, known: pending.map(keyOf) }))
})

/** A topic that matches is followed from now on, also while it is gone for a time. */
const takeNames = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'TOPICS' || context.subscription.pattern === null) return
  const pattern = new RegExp(`^(?:${context.subscription.pattern})$`)
  const added = event.topics.filter(topic => pattern.test(topic) && !context.topics.includes(topic))
  for (const topic of added) enqueue({ type: 'followTopic', params: { topic } })
  enqueue(assign({ topics: [...context.topics, ...added] }))
})

const takeTopic = base.assign(({ context, event }) => {
  if (event.type !== 'TOPIC') return {}
  const known = new Set(context.known)
  const added = event.partitions.map(partition => ({ topic: event.topic, partition })).filter(entry => !known.has(keyOf(entry)))
  return { pending: [...context.pending, ...added], known: [...context.known, ...added.map(keyOf)] }
})

const claim = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'LOOKED_UP') return
  const done = new Set(event.partitions.map(keyOf))
  enqueue(assign({ pending: context.pending.filter(entry => !done.has(keyOf(entry))), attempt: 0 }))
  enqueue({ type: 'tellConsumer', params: { event: { type: 'ASSIGNED', epoch: MANUAL_EPOCH, partitions: event.partitions } } })
})

const leave = base.enqueueActions(({ context, enqueue }) => {
  if (context.subscription.pattern !== null) enqueue('unfollowNames')
  for (const topic of context.topics) enqueue({ type: 'unfollowTopic', params: { topic } })
  enqueue({ type: 'tellConsumer', params: { event: { type: 'LEFT' } } })
})

export const manualMemberMachine = base.createMachine({
  id: 'manual-member',
  context: ({ input }) => ({ ...input, topics: input.subscription.topics, pending: [], known: [], lookup: 0, attempt: 0, delayMs: 0 }),
  initial: 'joined',
  states: {
    joined: {
      initial: 'settled',
      entry: start,
      on: {
        TOPICS: { actions: takeNames },
        TOPIC: { actions: takeTopic },
        TOPIC_MISSING: {
          actions: {
            type: 'tellConsumer',
            params: ({ event }) => ({
              event: { type: 'MEMBER_STATE', state: 'waiting', reason: `topic ${event.topic} does not exist (yet, or any more)` }
            })
          }
        },
        CLOSE: 'left'
      },
      states: {
        settled: { always: { guard: 'somePending', target: 'looking' } },
        looking: {
          entry: [
            assign({ lookup: ({ context }) => context.lookup + 1 }),
            { type: 'lookUp', params: ({ context }) => ({ lookup: context.lookup, partitions: context.pending }) }
          ],
          on: {
            LOOKED_UP: { guard: 'current', target: 'settled', actions: claim },
            LOOKUP_FAILED: [
              {
                guard: 'final',
                target: '#manual-member.failed',
                actions: {
                  type: 'tellConsumer',
                  params: ({ event }) => ({ event: { type: 'MEMBER_FAILED', error: event.error } })
                }
              },
              {
                guard: 'current',
                target: 'retrying',
                actions: [
                  'rememberFailure',
                  {
                    type: 'tellConsumer',
                    params: ({ event }) => ({
                      event: {
                        type: 'MEMBER_STATE',
                        state: 'retrying',
                        reason: `committed offsets could not be read: ${event.error.message}`
                      }
                    })
                  }
                ]
              }
            ]
          }
        },
        retrying: { after: { pause: 'looking' } }
      }
    },
    // Both wait to be stopped by the consumer.
    left: { entry: leave },
    failed: { on: { CLOSE: 'left' } }
  }
})
