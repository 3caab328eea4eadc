/**
 * One topic in use: does it exist, how many partitions has it, who leads them. Tells its followers; the higher leader epoch wins.
 *
 *   asking ──TOPIC_LEVEL──► known ⇄ known.seeking (SEEK_LEADER; asks again until the pause is over)
 *     │  ▲                    │
 *     │  └──── TOPIC_LEVEL ───┤ TOPIC_GONE
 *     └─ TOPIC_GONE ──► missing (──CREATE──► creating ──TOPIC_LEVEL──► known)
 *
 * A topic that was deleted and made again has another id: its leader epochs begin anew, so all that was known is dropped. A broker that lags
 * may still speak of the old one: ids never come back, so what it says is not believed.
 */
import { assign, setup } from 'xstate'
import type { PlainError } from '../model/errors.ts'

export interface Follower {
  path: string
  /** null: follows the topic as a whole. */
  partition: number | null
}

export interface Leader {
  /** null: none at the moment. */
  node: number | null
  leaderEpoch: number
}

export interface TopicInput {
  instance: string
  path: string
  topic: string
  create: boolean
  retryBackoffMs: number
}

export interface TopicContext extends TopicInput {
  topicId: string | null
  /** Ids that this name had, the last one included; the newest last. */
  ids: string[]
  partitions: number[]
  leaders: Record<number, Leader>
  followers: Follower[]
  reason: string
}

export type TopicEvent =
  | { type: 'FOLLOW'; path: string; partition: number | null }
  | { type: 'UNFOLLOW'; path: string; partition: number | null }
  | { type: 'SEEK_LEADER'; partition: number; leaderEpoch: number; reason: string }
  | { type: 'TOPIC_LEVEL'; topicId: string | null; partitions: number[] }
  /** `topicId`: of the topic that has them; null or absent: not known. */
  | { type: 'LEADERS_LEVEL'; topicId?: string | null; leaders: { partition: number; leader: number; leaderEpoch: number }[] }
  | { type: 'TOPIC_GONE' }
  | { type: 'CREATED' }
  | { type: 'CREATE_FAILED'; error: PlainError; final: boolean }

type Tell = { path: string; event: Record<string, unknown> & { type: string } }

function levelFor(context: TopicContext, follower: Follower): Tell | null {
  const { topic } = context
  if (follower.partition === null)
    return { path: follower.path, event: { type: 'TOPIC', topic, topicId: context.topicId, partitions: context.partitions } }
  const leader = context.leaders[follower.partition]
  if (!leader) return null
  const { partition, path } = { partition: follower.partition, path: follower.path }
  return leader.node === null
    ? { path, event: { type: 'NO_LEADER', topic, partition, leaderEpoch: leader.leaderEpoch } }
    : { path, event: { type: 'LEADER', topic, partition, node: leader.node, leaderEpoch: leader.leaderEpoch, topicId: context.topicId } }
}

/** -1 means that the source does not tell epochs (brokers before 2.1, KIP-320): such a word only counts where no epoch is known. */
function isNewer(known: Leader | undefined, told: Leader): boolean {
  if (!known) return true
  if (told.leaderEpoch !== known.leaderEpoch) return told.leaderEpoch > known.leaderEpoch
  return told.node !== known.node
}

/** More than any name is ever deleted and made again while a broker lags. */
const IDS_KEPT = 16

const sameTopic = (context: TopicContext, topicId: string | null) =>
  context.topicId === null || topicId === null || context.topicId === topicId

const base = setup({
  types: {} as { context: TopicContext; events: TopicEvent; input: TopicInput },
  actions: {
    tell: (_, _params: Tell) => {},
    /** Makes the registry report this topic. */
    watch: (_, _params: { topic: string }) => {},
    /** Asks the registry and the brokers for the leaders now. */
    ask: (_, _params: { topic: string; reason: string }) => {},
    create: (_, _params: { topic: string }) => {},
    /** The data plane's copy: how many partitions, which have leaders. */
    setPlane: (_, _params: { topic: string; topicId: string | null; partitions: number[]; leaders: Record<number, Leader> }) => {},
    /** Publishes that wait for this topic fail. */
    setMissing: (_, _params: { topic: string; error: PlainError | null; deleted: boolean }) => {},
    note: (_, _params: { topic: string; state: string; reason: string }) => {},
    rememberReason: assign(({ event }) =>
      event.type === 'SEEK_LEADER' ? { reason: event.reason } : event.type === 'CREATE_FAILED' ? { reason: event.error.message } : {}
    )
  },
  guards: {
    mayCreate: ({ context }) => context.create,
    /** Somebody asks who has not heard what is known already: it gets that, no question is needed. */
    knowsBetter: ({ context, event }) =>
      event.type === 'SEEK_LEADER' && (context.leaders[event.partition]?.leaderEpoch ?? -1) > event.leaderEpoch,
    /** Of a topic of this name that is gone. */
    ofFormer: ({ context, event }) => {
      if (event.type === 'TOPIC_LEVEL') return event.topicId !== null && context.ids.slice(0, -1).includes(event.topicId)
      return event.type === 'LEADERS_LEVEL' && !sameTopic(context, event.topicId ?? null)
    },
    isFinal: ({ event }) => event.type === 'CREATE_FAILED' && event.final
  },
  delays: { pause: ({ context }) => context.retryBackoffMs }
})

const follow = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'FOLLOW') return
  const follower = { path: event.path, partition: event.partition }
  const others = context.followers.filter(other => other.path !== follower.path || other.partition !== follower.partition)
  enqueue(assign({ followers: [...others, follower] }))
})

const unfollow = base.assign(({ context, event }) =>
  event.type === 'UNFOLLOW'
    ? { followers: context.followers.filter(other => other.path !== event.path || other.partition !== event.partition) }
    : {}
)

const answerFollower = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'FOLLOW') return
  const level = levelFor(context, { path: event.path, partition: event.partition })
  if (level) enqueue({ type: 'tell', params: level })
})

const takeTopic = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'TOPIC_LEVEL') return
  const leaders = sameTopic(context, event.topicId) ? context.leaders : {}
  const next: TopicContext = { ...context, topicId: event.topicId ?? context.topicId, partitions: event.partitions, leaders }
  const ids = event.topicId === null ? context.ids : [...context.ids.filter(id => id !== event.topicId), event.topicId].slice(-IDS_KEPT)
  enqueue(assign({ topicId: next.topicId, ids, partitions: next.partitions, leaders, reason: '' }))
  enqueue({ type: 'setPlane', params: { topic: context.topic, topicId: next.topicId, partitions: next.partitions, leaders } })
  for (const follower of context.followers) if (follower.partition === null) enqueue({ type: 'tell', params: levelFor(next, follower)! })
})

const takeLeaders = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'LEADERS_LEVEL') return
  const leaders = { ...context.leaders }
  const changed = new Set<number>()
  for (const { partition, leader, leaderEpoch } of event.leaders) {
    const told = { node: leader < 0 ? null : leader, leaderEpoch }
    if (!isNewer(leaders[partition], told)) continue
    leaders[partition] = told
    changed.add(partition)
  }
  if (changed.size === 0) return
  const next = { ...context, leaders }
  enqueue(assign({ leaders }))
  enqueue({ type: 'setPlane', params: { topic: context.topic, topicId: context.topicId, partitions: context.partitions, leaders } })
  for (const follower of context.followers)
    if (follower.partition !== null && changed.has(follower.partition)) enqueue({ type: 'tell', params: levelFor(next, follower)! })
})

const tellMissing = base.enqueueActions(({ context, enqueue }) => {
  for (const { path, partition } of context.followers)
    enqueue({
      type: 'tell',
      params: {
        path,
        event:
          partition === null
            ? { type: 'TOPIC_MISSING', topic: context.topic }
            : { type: 'NO_LEADER', topic: context.topic, partition, leaderEpoch: -1 }
      }
    })
})

const forget = base.assign({ topicId: null, partitions: [], leaders: {} })

export const topicMachine = base.createMachine({
  id: 'topic',
  context: ({ input }) => ({ ...input, topicId: null, ids: [], partitions: [], leaders: {}, followers: [], reason: '' }),
  initial: 'asking',
  entry: { type: 'watch', params: ({ context }) => ({ topic: context.topic }) },
  on: {
    FOLLOW: { actions: follow },
    UNFOLLOW: { actions: unfollow }
  },
  states: {
    asking: {
      on: {
        TOPIC_LEVEL: { target: 'known', actions: takeTopic },
        TOPIC_GONE: [{ guard: 'mayCreate', target: 'creating' }, { target: 'missing' }]
      }
    },
    creating: {
      entry: [
        { type: 'create', params: ({ context }) => ({ topic: context.topic }) },
        {
          type: 'note',
          params: ({ context }) => ({ topic: context.topic, state: 'creating', reason: 'it does not exist and createTopics is set' })
        }
      ],
      on: {
        TOPIC_LEVEL: { target: 'known', actions: takeTopic },
        CREATED: { actions: { type: 'ask', params: ({ context }) => ({ topic: context.topic, reason: 'created' }) } },
        CREATE_FAILED: [
          {
            guard: 'isFinal',
            target: 'missing',
            actions: [
              'rememberReason',
              { type: 'setMissing', params: ({ context, event }) => ({ topic: context.topic, error: event.error, deleted: false }) }
            ]
          },
          { actions: 'rememberReason' }
        ]
      },
      // Not there yet, or refused for now: once more. A topic that exists already counts as created.
      after: { pause: { target: 'creating', reenter: true } }
    },
    missing: {
      entry: [
        tellMissing,
        { type: 'setMissing', params: ({ context }) => ({ topic: context.topic, error: null, deleted: false }) },
        {
          type: 'note',
          params: ({ context }) => ({ topic: context.topic, state: 'missing', reason: context.reason || 'it does not exist' })
        }
      ],
      on: {
        TOPIC_LEVEL: [{ guard: 'ofFormer' }, { target: 'known', actions: takeTopic }],
        FOLLOW: { actions: [follow, tellMissing] },
        SEEK_LEADER: { actions: { type: 'ask', params: ({ context, event }) => ({ topic: context.topic, reason: event.reason }) } }
      }
    },
    known: {
      initial: 'settled',
      entry: {
        type: 'note',
        params: ({ context }) => ({ topic: context.topic, state: 'known', reason: `${context.partitions.length} partitions` })
      },
      on: {
        FOLLOW: { actions: [follow, answerFollower] },
        TOPIC_LEVEL: [{ guard: 'ofFormer' }, { actions: takeTopic }],
        LEADERS_LEVEL: [{ guard: 'ofFormer' }, { actions: takeLeaders }],
        TOPIC_GONE: {
          target: 'missing',
          actions: [forget, { type: 'setMissing', params: ({ context }) => ({ topic: context.topic, error: null, deleted: true }) }]
        }
      },
      states: {
        settled: {
          on: {
            SEEK_LEADER: [
              { guard: 'knowsBetter' },
              {
                target: 'seeking',
                actions: [
                  'rememberReason',
                  { type: 'ask', params: ({ context, event }) => ({ topic: context.topic, reason: event.reason }) }
                ]
              }
            ]
          }
        },
        // One question per pause, however many partitions ask; those that still need an answer ask again after their own pause.
        seeking: { after: { pause: 'settled' } }
      }
    }
  }
})
