/**
 * Membership without a group's rebalancing: the partitions that were named, now or later (ASSIGN), or every partition of the topics, also those
 * that are added later, as long as their topic is there. Speaks the same contract as any member (docs/ARCHITECTURE.md).
 *
 *   settled ──something to claim──► looking ──LOOKED_UP: ASSIGNED──► settled
 *      ▲                               │ LOOKUP_FAILED
 *      └──── after the pause ───── retrying                      CLOSE (anywhere) ──► left
 *
 *   ASSIGN, TOPIC, TOPIC_MISSING (anywhere): what is claimed and not wanted any more: REVOKE; it may be claimed again after its RELEASED
 */
import { assign, setup } from 'xstate'
import type { PlainError } from '../model/errors.ts'
import { revokeLimitMs, type Subscription } from '../model/subscription.ts'
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
  /** What should be owned: as named, or by the topics' last levels. */
  wanted: Owned[]
  /** Told to the consumer as assigned, and not as revoked. */
  claimed: Owned[]
  /** Told as revoked, and not let go of yet. */
  releasing: Owned[]
  /** Numbers the look-ups. */
  lookup: number
  attempt: number
  delayMs: number
}

export type ManualMemberEvent =
  | { type: 'TOPICS'; topics: string[] }
  | { type: 'TOPIC'; topic: string; topicId: string | null; partitions: number[] }
  | { type: 'TOPIC_MISSING'; topic: string }
  /** Exactly these from now on. */
  | { type: 'ASSIGN'; partitions: Owned[] }
  | { type: 'LOOKED_UP'; lookup: number; partitions: Assigned[] }
  | { type: 'LOOKUP_FAILED'; lookup: number; error: PlainError; random: number }
  /** From the consumer. */
  | { type: 'RELEASED'; epoch: number; partitions: Owned[] }
  | { type: 'CLOSE' }

type Told = Record<string, unknown> & { type: string }
/** Nobody else can own these: one epoch for good. */
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
    somePending: ({ context }) => pendingOf(context).length > 0,
    current: ({ context, event }) => 'lookup' in event && event.lookup === context.lookup,
    final: ({ context, event }) => event.type === 'LOOKUP_FAILED' && event.lookup === context.lookup && !event.error.retriable
  },
  delays: { pause: ({ context }) => context.delayMs }
})

/** To be claimed as soon as their committed offsets are known. */
function pendingOf({ wanted, claimed, releasing }: ManualMemberContext): Owned[] {
  return without(wanted, [...claimed, ...releasing])
}

function without<T extends Owned>(list: readonly T[], gone: readonly Owned[]): T[] {
  const keys = new Set(gone.map(keyOf))
  return list.filter(entry => !keys.has(keyOf(entry)))
}

const start = base.enqueueActions(({ context, enqueue }) => {
  const { partitions, pattern, topics } = context.subscription
  if (pattern !== null) enqueue('followNames')
  for (const topic of topics) enqueue({ type: 'followTopic', params: { topic } })
  enqueue(assign({ wanted: (partitions ?? []).map(({ topic, partition }) => ({ topic, partition })) }))
})

/** A topic that matches is followed from now on, also while it is gone for a time. */
const takeNames = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'TOPICS' || context.subscription.pattern === null) return
  const pattern = new RegExp(`^(?:${context.subscription.pattern})$`)
  const added = event.topics.filter(topic => pattern.test(topic) && !context.topics.includes(topic))
  for (const topic of added) enqueue({ type: 'followTopic', params: { topic } })
  enqueue(assign({ topics: [...context.topics, ...added] }))
})

/** What should be owned from now on, by this event. */
function wantedBy({ wanted }: ManualMemberContext, event: ManualMemberEvent): Owned[] {
  if (event.type === 'ASSIGN') return event.partitions
  if (event.type !== 'TOPIC' && event.type !== 'TOPIC_MISSING') return wanted
  const { topic } = event
  const partitions = event.type === 'TOPIC' ? event.partitions : []
  return [...wanted.filter(entry => entry.topic !== topic), ...partitions.map(partition => ({ topic, partition }))]
}

const want = base.enqueueActions(({ context, event, enqueue }) => {
  const wanted = wantedBy(context, event)
  const gone = without(context.claimed, wanted)
  enqueue(assign({ wanted, claimed: without(context.claimed, gone), releasing: [...context.releasing, ...gone] }))
  if (event.type === 'TOPIC_MISSING') {
    const what = gone.length > 0 ? `its ${gone.length} partitions are given back` : 'it is waited for'
    const reason = `topic ${event.topic} does not exist (yet, or any more): ${what}`
    enqueue({ type: 'tellConsumer', params: { event: { type: 'MEMBER_STATE', state: 'waiting', reason } } })
  }
  if (gone.length === 0) return
  const deadlineMs = revokeLimitMs(context.subscription)
  enqueue({ type: 'tellConsumer', params: { event: { type: 'REVOKE', epoch: MANUAL_EPOCH, partitions: gone, deadlineMs } } })
})

const claim = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'LOOKED_UP') return
  const pending = new Set(pendingOf(context).map(keyOf))
  // What is not wanted any more was looked up in vain.
  const partitions = event.partitions.filter(entry => pending.has(keyOf(entry)))
  const added = partitions.map(({ topic, partition }) => ({ topic, partition }))
  enqueue(assign({ claimed: [...context.claimed, ...added], attempt: 0 }))
  if (partitions.length === 0) return
  enqueue({ type: 'tellConsumer', params: { event: { type: 'ASSIGNED', epoch: MANUAL_EPOCH, partitions } } })
})

const leave = base.enqueueActions(({ context, enqueue }) => {
  if (context.subscription.pattern !== null) enqueue('unfollowNames')
  for (const topic of context.topics) enqueue({ type: 'unfollowTopic', params: { topic } })
  enqueue({ type: 'tellConsumer', params: { event: { type: 'LEFT' } } })
})

export const manualMemberMachine = base.createMachine({
  id: 'manual-member',
  context: ({ input }) => ({
    ...input,
    topics: input.subscription.topics,
    wanted: [],
    claimed: [],
    releasing: [],
    lookup: 0,
    attempt: 0,
    delayMs: 0
  }),
  initial: 'joined',
  states: {
    joined: {
      initial: 'settled',
      entry: start,
      on: {
        TOPICS: { actions: takeNames },
        TOPIC: { actions: want },
        TOPIC_MISSING: { actions: want },
        ASSIGN: { actions: want },
        RELEASED: { actions: assign({ releasing: ({ context, event }) => without(context.releasing, event.partitions) }) },
        CLOSE: 'left'
      },
      states: {
        settled: { always: { guard: 'somePending', target: 'looking' } },
        looking: {
          entry: [
            assign({ lookup: ({ context }) => context.lookup + 1 }),
            { type: 'lookUp', params: ({ context }) => ({ lookup: context.lookup, partitions: pendingOf(context) }) }
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
        retrying: { after: { pause: 'settled' } }
      }
    },
    // Both wait to be stopped by the consumer.
    left: { entry: leave },
    failed: { on: { CLOSE: 'left' } }
  }
})
