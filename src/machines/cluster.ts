/**
 * The supervisor of one cluster. Turns what the registry reports into messages for brokers, topics and consumers, and closes
 * everything in order.
 *
 *   opening ──BROKERS (at least one)──► ready.live ⇄ ready.cutOff (the registry is suspended or expired; the data path goes on)
 *      │                                  │ CLOSE
 *      │ REGISTRY failed                  ▼
 *      └──────────► failed     closing.consumers ──► closing.publishes ──► closed (final)
 *
 * PUBLISH never comes here: it reaches the accumulator without a statechart step (`src/actors/cluster.ts`).
 */
import { assign, type EventObject, fromCallback, setup, stopChild } from 'xstate'
import type { PlainError } from '../model/errors.ts'

export interface BrokerEntry {
  host: string
  port: number
  rack: string | null
}

export interface ClusterContext {
  instance: string
  path: string
  brokers: Record<number, BrokerEntry>
  controller: number | null
  clusterId: string | null
  registry: string
  registryReason: string
  /** Paths that are told the names of all topics. */
  topicsFollowers: string[]
  /** Paths of running consumers. */
  consumers: string[]
  consumersMade: number
  closeTimeoutMs: number
  /** Its directory. */
  outbox: string | null
  backoff: Backoff
  error: PlainError | null
}

export type ClusterInternalEvent =
  | { type: 'BROKERS'; brokers: { id: number; host: string; port: number; rack: string | null }[]; quarantined: string[] }
  | { type: 'CONTROLLER'; brokerId: number | null }
  | { type: 'CLUSTER_ID'; clusterId: string | null }
  | { type: 'TOPICS_LEVEL'; topics: string[] }
  | { type: 'REGISTRY'; state: string; reason: string; error: PlainError | null }
  | { type: 'FOLLOW_TOPICS'; path: string }
  | { type: 'UNFOLLOW_TOPICS'; path: string }
  /** A checked SUBSCRIBE; options lie in the instance's table under `path`. */
  | { type: 'CONSUMER_WANTED'; path: string }
  | { type: 'CONSUMER_CLOSED'; path: string }
  | { type: 'UNSUBSCRIBE'; consumer: string }
  | { type: 'PUBLISHES_SETTLED' }
  /** The directory cannot be had; nothing may be published without it. */
  | { type: 'OUTBOX_FAILED'; error: PlainError }
  | { type: 'CLOSE'; timeoutMs?: number }

type Tell = { path: string; event: Record<string, unknown> & { type: string } }
const child = <TMore = object>() => fromCallback<EventObject, { instance: string; path: string } & TMore>(() => {})

interface Backoff {
  retryBackoffMs: number
  retryBackoffMaxMs: number
}

const base = setup({
  types: {} as {
    context: ClusterContext
    events: ClusterInternalEvent
    input: { instance: string; outbox: string | null } & Backoff
    tags: 'ready'
    output: { outcome: 'closed' | 'failed'; error: PlainError | null }
  },
  actors: {
    registrySession: child(),
    identity: child<Backoff>(),
    outbox: child<{ directory: string }>(),
    tier: child(),
    resources: child()
  },
  actions: {
    tell: (_, _params: Tell) => {},
    /** Endpoints for the connections that run; those of brokers that are gone are told so. */
    setBrokers: (_, _params: { brokers: Record<number, BrokerEntry> }) => {},
    startConsumer: (_, _params: { path: string }) => {},
    /** Wanted too late: the cluster closes. Its plane goes, and whoever asked hears CLUSTER_CLOSED. */
    refuseConsumer: (_, _params: { path: string }) => {},
    stopConsumer: (_, _params: { path: string }) => {},
    /** Seals everything that is open and reports PUBLISHES_SETTLED when nothing is left. */
    flushPublishes: () => {},
    /** What is still unsettled ends now, failed or unknown; links are closed, waiters fail. */
    endDataPlane: () => {},
    emitReady: (_, _params: { brokers: number }) => {},
    emitBrokers: (_, _params: { brokers: number[]; appeared: number[]; disappeared: number[] }) => {},
    emitRegistry: (_, _params: { state: string; reason: string }) => {},
    emitTrouble: (_, _params: { where: string; error: PlainError }) => {},
    emitClosed: () => {},
    emitConsumerClosed: (_, _params: { path: string }) => {}
  },
  guards: {
    someBrokers: ({ event }) => event.type === 'BROKERS' && event.brokers.length > 0,
    registryFailed: ({ event }) => event.type === 'REGISTRY' && event.state === 'failed',
    registryLive: ({ event }) => event.type === 'REGISTRY' && event.state === 'live',
    noConsumers: ({ context }) => context.consumers.length === 0
  },
  delays: { closeLimit: ({ context }) => context.closeTimeoutMs }
})

const takeBrokers = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'BROKERS') return
  const brokers: Record<number, BrokerEntry> = {}
  for (const { id, host, port, rack } of event.brokers) brokers[id] = { host, port, rack }
  const before = Object.keys(context.brokers).map(Number)
  const now = Object.keys(brokers).map(Number)
  const appeared = now.filter(id => !(id in context.brokers))
  const disappeared = before.filter(id => !(id in brokers))
  enqueue(assign({ brokers }))
  enqueue({ type: 'setBrokers', params: { brokers } })
  if (appeared.length + disappeared.length > 0) enqueue({ type: 'emitBrokers', params: { brokers: now, appeared, disappeared } })
})

const takeRegistry = base.enqueueActions(({ event, enqueue }) => {
  if (event.type !== 'REGISTRY') return
  enqueue(assign({ registry: event.state, registryReason: event.reason }))
  enqueue({ type: 'emitRegistry', params: { state: event.state, reason: event.reason } })
})

const dropConsumer = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'CONSUMER_CLOSED') return
  enqueue(assign({ consumers: context.consumers.filter(path => path !== event.path) }))
  enqueue({ type: 'stopConsumer', params: { path: event.path } })
  enqueue({ type: 'emitConsumerClosed', params: { path: event.path } })
})

const closeConsumers = base.enqueueActions(({ context, enqueue }) => {
  for (const path of context.consumers) enqueue({ type: 'tell', params: { path, event: { type: 'CLOSE' } } })
})

const tellTopics = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'TOPICS_LEVEL') return
  for (const path of context.topicsFollowers) enqueue({ type: 'tell', params: { path, event: { type: 'TOPICS', topics: event.topics } } })
})

const startOutbox = base.enqueueActions(({ context, enqueue }) => {
  const { instance, outbox } = context
  if (outbox !== null) enqueue.spawnChild('outbox', { id: 'outbox', input: { instance, path: 'cluster/outbox', directory: outbox } })
})

export const clusterMachine = base.createMachine({
  id: 'cluster',
  context: ({ input }) => ({
    instance: input.instance,
    path: 'cluster',
    brokers: {},
    controller: null,
    clusterId: null,
    registry: 'connecting',
    registryReason: '',
    topicsFollowers: [],
    consumers: [],
    consumersMade: 0,
    closeTimeoutMs: 30_000,
    outbox: input.outbox,
    backoff: { retryBackoffMs: input.retryBackoffMs, retryBackoffMaxMs: input.retryBackoffMaxMs },
    error: null
  }),
  initial: 'running',
  output: ({ context }) => ({ outcome: context.error ? 'failed' : 'closed', error: context.error }),
  on: {
    CONTROLLER: { actions: assign({ controller: ({ event }) => event.brokerId }) },
    CLUSTER_ID: { actions: assign({ clusterId: ({ event }) => event.clusterId }) },
    CONSUMER_CLOSED: { actions: dropConsumer }
  },
  states: {
    running: {
      initial: 'opening',
      entry: startOutbox,
      // Children are stopped in this order; `resources` is the last and frees the instance that the others still need.
      invoke: [
        { src: 'tier', id: 'brokers', input: ({ context }) => ({ instance: context.instance, path: 'brokers' }) },
        { src: 'tier', id: 'topics', input: ({ context }) => ({ instance: context.instance, path: 'topics' }) },
        { src: 'tier', id: 'consumers', input: ({ context }) => ({ instance: context.instance, path: 'consumers' }) },
        {
          src: 'identity',
          id: 'identity',
          input: ({ context }) => ({ instance: context.instance, path: 'cluster/identity', ...context.backoff })
        },
        { src: 'registrySession', id: 'registry', input: ({ context }) => ({ instance: context.instance, path: 'cluster/registry' }) },
        { src: 'resources', id: 'resources', input: ({ context }) => ({ instance: context.instance, path: 'cluster/resources' }) }
      ],
      on: {
        TOPICS_LEVEL: { actions: tellTopics },
        FOLLOW_TOPICS: {
          actions: assign({
            topicsFollowers: ({ context, event }) => [...context.topicsFollowers.filter(path => path !== event.path), event.path]
          })
        },
        UNFOLLOW_TOPICS: {
          actions: assign({ topicsFollowers: ({ context, event }) => context.topicsFollowers.filter(path => path !== event.path) })
        },
        CONSUMER_WANTED: {
          actions: [
            assign({
              consumers: ({ context, event }) => [...context.consumers, event.path],
              consumersMade: ({ context }) => context.consumersMade + 1
            }),
            { type: 'startConsumer', params: ({ event }) => ({ path: event.path }) }
          ]
        },
        UNSUBSCRIBE: { actions: { type: 'tell', params: ({ event }) => ({ path: event.consumer, event: { type: 'CLOSE' } }) } },
        BROKERS: { actions: takeBrokers },
        REGISTRY: [
          {
            guard: 'registryFailed',
            target: '.closing.publishes',
            actions: [
              takeRegistry,
              assign({ error: ({ event }) => event.error }),
              { type: 'emitTrouble', params: ({ event }) => ({ where: 'registry', error: event.error! }) }
            ]
          },
          { actions: takeRegistry }
        ],
        OUTBOX_FAILED: {
          target: '.closing.publishes',
          actions: [
            assign({ error: ({ event }) => event.error }),
            { type: 'emitTrouble', params: ({ event }) => ({ where: 'outbox', error: event.error }) }
          ]
        },
        CLOSE: {
          target: '.closing',
          actions: assign({ closeTimeoutMs: ({ context, event }) => event.timeoutMs ?? context.closeTimeoutMs })
        }
      },
      states: {
        opening: { on: { BROKERS: [{ guard: 'someBrokers', target: 'ready', actions: takeBrokers }, { actions: takeBrokers }] } },
        ready: {
          tags: 'ready',
          initial: 'live',
          entry: { type: 'emitReady', params: ({ context }) => ({ brokers: Object.keys(context.brokers).length }) },
          states: {
            live: {
              on: {
                REGISTRY: [
                  {
                    guard: 'registryFailed',
                    target: '#cluster.running.closing.publishes',
                    actions: [takeRegistry, assign({ error: ({ event }) => event.error })]
                  },
                  { guard: 'registryLive', actions: takeRegistry },
                  { target: 'cutOff', actions: takeRegistry }
                ]
              }
            },
            cutOff: {
              on: {
                REGISTRY: [
                  {
                    guard: 'registryFailed',
                    target: '#cluster.running.closing.publishes',
                    actions: [takeRegistry, assign({ error: ({ event }) => event.error })]
                  },
                  { guard: 'registryLive', target: 'live', actions: takeRegistry },
                  { actions: takeRegistry }
                ]
              }
            }
          }
        },
        closing: {
          initial: 'consumers',
          on: {
            CLOSE: {},
            CONSUMER_WANTED: { actions: { type: 'refuseConsumer', params: ({ event }) => ({ path: event.path }) } }
          },
          after: { closeLimit: '#cluster.closed' },
          states: {
            consumers: {
              entry: closeConsumers,
              always: { guard: 'noConsumers', target: 'publishes' },
              on: { CONSUMER_CLOSED: { actions: dropConsumer } }
            },
            publishes: { entry: 'flushPublishes', on: { PUBLISHES_SETTLED: '#cluster.closed' } }
          }
        }
      },
      exit: ['endDataPlane', stopChild('outbox')]
    },
    closed: { type: 'final', entry: 'emitClosed' }
  }
})
