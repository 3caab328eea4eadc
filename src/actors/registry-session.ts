/**
 * Binds the machine of the registry session: makes the Registry that the options name, and carries its levels to whom they concern.
 */
import { type EventObject, fromCallback } from 'xstate'
import { type RegistrySessionContext, registrySessionMachine } from '../machines/registry-session.ts'
import { meaningOfError } from '../model/error-classes.ts'
import { BootstrapRegistry } from '../registry/bootstrap.ts'
import { FallbackRegistry } from '../registry/fallback.ts'
import type { Registry, RegistryEvent } from '../registry/registry.ts'
import { ZooKeeperRegistry } from '../registry/zookeeper.ts'
import { bootstrapMetadata, isKRaft } from './admin.ts'
import { bind } from './bind.ts'
import { type Instance, instanceOf, tell } from './instance.ts'

/** ZooKeeper is silent for so many session timeouts before the brokers' Metadata stands in for it. */
const SILENT_SESSIONS = 2
/** The same before the first session, where brokers are named beside ZooKeeper. */
const FIRST_WAIT_MS = 2_000

function makeRegistry(instance: Instance): Registry {
  const { options, world } = instance
  if (options.zookeeper !== null)
    return new FallbackRegistry({
      world,
      zookeeper: new ZooKeeperRegistry(world, {
        connectString: options.zookeeper,
        sessionTimeoutMs: options.sessionTimeoutMs,
        listenerName: options.listenerName
      }),
      metadata: bootstrapRegistry(instance),
      canAsk: () => instance.seeds.size > 0 || instance.brokers.size > 0,
      isKRaft: () => isKRaft(instance),
      silentMs: SILENT_SESSIONS * options.sessionTimeoutMs,
      firstWaitMs: Math.min(FIRST_WAIT_MS, options.connectTimeoutMs / 2),
      goneMs: options.connectTimeoutMs
    })
  return bootstrapRegistry(instance)
}

function bootstrapRegistry(instance: Instance): BootstrapRegistry {
  const { options, world } = instance
  return new BootstrapRegistry(world, {
    ask: topics => bootstrapMetadata(instance, topics),
    metadataMaxAgeMs: options.metadataMaxAgeMs,
    retryBackoffMs: options.retryBackoffMs,
    retryBackoffMaxMs: options.retryBackoffMaxMs
  })
}

interface TopicIds {
  /** That each topic was told with last: leaders that are told after it belong to that topic. */
  last: Map<string, string | null>
  /** Names that have had another one before. */
  reused: Set<string>
}

const topicIds = new WeakMap<Instance, TopicIds>()

/** One report of a registry, or of brokers that were asked by Metadata, to the actors that it concerns. */
export function dispatch(instance: Instance, event: RegistryEvent): void {
  carry(instance, event)
  for (const look of [...instance.onLevel]) look()
}

/** The registry has told that the topic of this name is another one than the one with this id. */
export function isAnotherTopic(instance: Instance, { topic, topicId }: { topic: string; topicId?: string | null }): boolean {
  const now = topicIds.get(instance)?.last.get(topic) ?? null
  return now !== null && (topicId ?? null) !== null && now !== topicId
}

/** The topic of this name was deleted and made again while this process looked on. */
export function wasMadeAgain(instance: Instance, topic: string): boolean {
  return topicIds.get(instance)?.reused.has(topic) ?? false
}

function idsOf(instance: Instance): TopicIds {
  let ids = topicIds.get(instance)
  if (!ids) topicIds.set(instance, (ids = { last: new Map(), reused: new Set() }))
  return ids
}

function rememberId(instance: Instance, topic: string, topicId: string | null): void {
  const { last, reused } = idsOf(instance)
  if (isAnotherTopic(instance, { topic, topicId })) reused.add(topic)
  last.set(topic, topicId ?? last.get(topic) ?? null)
}

function carry(instance: Instance, event: RegistryEvent): void {
  switch (event.type) {
    case 'session':
      tell(instance, 'cluster/registry', {
        type: 'SESSION',
        state: event.state,
        sessionTimeoutMs: event.sessionTimeoutMs ?? null,
        reason: event.detail ?? ''
      })
      return
    case 'brokers':
      tell(instance, 'cluster', { type: 'BROKERS', brokers: event.brokers, quarantined: event.quarantined })
      return
    case 'controller':
      instance.controller = event.brokerId
      tell(instance, 'cluster', { type: 'CONTROLLER', brokerId: event.brokerId })
      return
    case 'cluster':
      tell(instance, 'cluster', { type: 'CLUSTER_ID', clusterId: event.clusterId })
      return
    case 'topics':
      instance.topicNames = event.topics
      tell(instance, 'cluster', { type: 'TOPICS_LEVEL', topics: event.topics })
      return
    case 'topic':
      instance.topicDetails.set(event.topic, event.partitions)
      rememberId(instance, event.topic, event.topicId)
      tell(instance, `topics/${event.topic}`, {
        type: 'TOPIC_LEVEL',
        topicId: event.topicId,
        partitions: event.partitions.map(({ partition }) => partition)
      })
      return
    case 'topic.missing':
      instance.topicDetails.delete(event.topic)
      tell(instance, `topics/${event.topic}`, { type: 'TOPIC_GONE' })
      return
    case 'leaders':
      instance.leaderDetails.set(event.topic, event.leaders)
      tell(instance, `topics/${event.topic}`, {
        type: 'LEADERS_LEVEL',
        topicId: event.topicId === undefined ? (idsOf(instance).last.get(event.topic) ?? null) : event.topicId,
        leaders: event.leaders.map(({ partition, leader, leaderEpoch }) => ({ partition, leader, leaderEpoch }))
      })
      return
    case 'source':
      instance.emit({ type: 'registry.source', source: event.source, reason: event.reason })
      return
    case 'quarantine':
      instance.emit({ type: 'trouble', where: event.path, error: event.error })
      return
    case 'trouble':
      instance.emit({ type: 'trouble', where: 'registry', error: event.error })
      // What no repetition betters ends those who wait for the topic.
      if (typeof event.error.details.topic === 'string' && meaningOfError(event.error)?.class === 'fatal')
        instance.publisher.refuseTopic(event.error.details.topic, event.error)
      return
    case 'failed':
      tell(instance, 'cluster/registry', { type: 'FAILED', error: event.error })
  }
}

const registryLeaf = fromCallback<EventObject, RegistrySessionContext>(({ input }) => {
  const instance = instanceOf(input.instance)
  const registry = makeRegistry(instance)
  instance.registry = registry
  registry.start(event => dispatch(instance, event))
  return () => {
    instance.registry = undefined
    instance.ending.push(registry.close())
  }
})

export const registrySessionActor = bind(registrySessionMachine, {
  actors: { registry: registryLeaf },
  actions: {
    report: ({ context }, { state, reason, error }) =>
      void tell(instanceOf(context.instance), 'cluster', { type: 'REGISTRY', state, reason, error })
  }
})
