/**
 * ClusterActor: the supervisor's machine bound to the world. Spawn it, or invoke it in a machine of your own.
 *
 * PUBLISH is taken here, before the statechart: it goes to the accumulator in a plain call, and its outcome is emitted by the batch
 * that carried it. Emissions leave the same way, so a million messages cost the supervisor not one transition.
 */
import {
  type ActorLogic,
  type ActorRefFrom,
  type ActorSystem,
  type AnyActorRef,
  type AnyEventObject,
  type EventObject,
  fromCallback
} from 'xstate'
import { clusterMachine } from '../machines/cluster.ts'
import { checkTopicName } from '../model/config.ts'
import { PublishError, plainError, SamsaError } from '../model/errors.ts'
import type { ClusterEmitted, ClusterEvent } from '../model/events.ts'
import { bind } from './bind.ts'
import type * as Consumers from './consumers.ts'
import { identityActor } from './identity.ts'
import { findInstance, type Instance, instanceOf, stopActor, tell } from './instance.ts'
import { type ClusterInput, endInstance, makeInstance } from './make-instance.ts'
import { outboxActor } from './outbox.ts'
import { registrySessionActor } from './registry-session.ts'
import { tierActor } from './tier.ts'
import './tree.ts'

/** The consuming side, once it has been loaded: by the first SUBSCRIBE of this process. */
let consuming: typeof Consumers | undefined
/** Who asked for a consumer and waits for that side to be loaded: refuses it. */
const unloaded = new WeakMap<Instance, Set<(error: unknown) => void>>()

const resourcesLeaf = fromCallback<EventObject, { instance: string; path: string }>(
  ({ input }) =>
    () =>
      endInstance(input.instance)
)

const boundCluster = bind(clusterMachine, {
  actors: {
    registrySession: registrySessionActor,
    identity: identityActor,
    outbox: outboxActor,
    tier: tierActor,
    resources: resourcesLeaf
  } as never,
  actions: {
    tell: ({ context }, { path, event }) => void tell(instanceOf(context.instance), path, event),
    setBrokers: ({ context }, { brokers }) => {
      const instance = instanceOf(context.instance)
      instance.brokers = new Map(Object.entries(brokers).map(([id, entry]) => [Number(id), entry]))
      for (const path of instance.directory.keys()) {
        const match = /^brokers\/(\d+)\/[^#]+$/.exec(path)
        if (!match) continue
        const entry = instance.brokers.get(Number(match[1]))
        tell(instance, path, entry ? { type: 'ENDPOINT', host: entry.host, port: entry.port } : { type: 'UNLISTED' })
      }
      instance.links.brokersChanged()
    },
    startConsumer: ({ context }, { path }) => consuming!.startConsumer(instanceOf(context.instance), path),
    refuseConsumer: ({ context }, { path }) => {
      const { consumers, emit } = instanceOf(context.instance)
      const id = consumers.get(path)?.requestId
      consumers.delete(path)
      emit({ type: 'consumer.failed', id, error: plainError(clusterClosed()) })
    },
    stopConsumer: ({ context }, { path }) => stopActor(instanceOf(context.instance), path),
    flushPublishes: ({ context, self }) => instanceOf(context.instance).publisher.settle(() => self.send({ type: 'PUBLISHES_SETTLED' })),
    endDataPlane: ({ context }) => {
      const instance = instanceOf(context.instance)
      instance.closed = true
      const waiting = waitingFor(instance)
      for (const refuse of waiting) refuse(clusterClosed())
      waiting.clear()
      instance.ending.push(instance.publisher.close())
      instance.links.close()
    },
    emitReady: ({ context }, { brokers }) => instanceOf(context.instance).emit({ type: 'ready', brokers }),
    emitBrokers: ({ context }, params) => instanceOf(context.instance).emit({ type: 'brokers', ...params }),
    emitRegistry: ({ context }, { state, reason }) => instanceOf(context.instance).emit({ type: 'registry.state', state, reason }),
    emitTrouble: ({ context }, { where, error }) => instanceOf(context.instance).emit({ type: 'trouble', where, error }),
    emitConsumerClosed: ({ context }, { path }) => instanceOf(context.instance).emit({ type: 'consumer.closed', consumer: path }),
    emitClosed: ({ context }) => findInstance(context.instance)?.emit({ type: 'closed' })
  }
})

const clusterClosed = () => new SamsaError('CLUSTER_CLOSED', 'The cluster is closed.')

interface Scope {
  self: { id: string; send: (event: EventObject) => void }
  emit: (event: EventObject) => void
}

type ClusterSnapshot = ReturnType<typeof clusterMachine.getInitialSnapshot>

/** The logic to spawn: `createActor(ClusterActor, { input: { zookeeper: '127.0.0.1:2181/kafka' } })`. */
export const ClusterActor = Object.create(boundCluster, {
  getInitialSnapshot: {
    value: (scope: Scope, input: ClusterInput) => {
      const instance = makeInstance(input, event => scope.emit(event as EventObject))
      const { outbox, retryBackoffMs, retryBackoffMaxMs } = instance.options
      return boundCluster.getInitialSnapshot(scope as never, { instance: instance.id, outbox, retryBackoffMs, retryBackoffMaxMs } as never)
    }
  },
  transition: {
    value: (snapshot: ClusterSnapshot, event: AnyEventObject, scope: Scope) => {
      switch (event.type) {
        case 'PUBLISH':
          publish(snapshot.context.instance, event as Extract<ClusterEvent, { type: 'PUBLISH' }>, scope)
          return snapshot
        case 'SUBSCRIBE':
          subscribe(snapshot.context.instance, event as Extract<ClusterEvent, { type: 'SUBSCRIBE' }>, scope)
          return snapshot
        default:
          return boundCluster.transition(snapshot as never, event as never, scope as never)
      }
    }
  }
}) as ActorLogic<ClusterSnapshot, ClusterEvent, ClusterInput, ActorSystem<{ actors: Record<string, AnyActorRef> }>, ClusterEmitted>

export type ClusterActorRef = ActorRefFrom<typeof ClusterActor>

function publish(id: string, event: Extract<ClusterEvent, { type: 'PUBLISH' }>, scope: Scope): void {
  const emit = scope.emit as unknown as (event: ClusterEmitted) => void
  const { topic, messages } = event
  const count = Array.isArray(messages) ? messages.length : 1
  const failed = (error: PublishError) =>
    emit({ type: 'publish.failed', id: event.id, topic, outcome: error.outcome, error: plainError(error) })
  try {
    checkTopicName(topic)
    const instance = findInstance(id)
    if (!instance) throw clusterClosed()
    instance.publisher.publish(topic, messages, {
      accepted: () => emit({ type: 'publish.accepted', id: event.id, topic, count }),
      acked: (_, partition, offset, timestampMs) =>
        emit({ type: 'published', id: event.id, topic, partition, offset, timestamp: BigInt(timestampMs), count }),
      failed
    })
  } catch (error) {
    const { code, message } = plainError(error)
    failed(new PublishError(code, message, 'failed', { cause: error }))
  }
}

/** Checks a SUBSCRIBE; the supervisor hears of it as CONSUMER_WANTED. The first one of a process waits until its side is loaded; none overtakes it. */
function subscribe(id: string, event: Extract<ClusterEvent, { type: 'SUBSCRIBE' }>, scope: Scope): void {
  const emit = scope.emit as unknown as (event: ClusterEmitted) => void
  const failed = (error: unknown) => emit({ type: 'consumer.failed', id: event.id, error: plainError(error) })
  const instance = findInstance(id)
  if (!instance) return failed(clusterClosed())
  const want = (side: typeof Consumers) => {
    try {
      const path = side.wantConsumer(instance, event)
      scope.self.send({ type: 'CONSUMER_WANTED', path } as EventObject)
    } catch (error) {
      failed(error)
    }
  }
  if (consuming) return want(consuming)
  const waiting = waitingFor(instance)
  waiting.add(failed)
  const loaded = (then: () => void) => {
    if (waiting.delete(failed)) then() // else the cluster was closed meanwhile, and has said so
  }
  import('./consumers.ts').then(
    side => {
      consuming = side
      loaded(() => want(side))
    },
    error => loaded(() => failed(error))
  )
}

function waitingFor(instance: Instance): Set<(error: unknown) => void> {
  const known = unloaded.get(instance)
  if (known) return known
  const made = new Set<(error: unknown) => void>()
  unloaded.set(instance, made)
  return made
}
