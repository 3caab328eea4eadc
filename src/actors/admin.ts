/**
 * Questions to any broker: Metadata for leaders, and CreateTopics where the options allow it. Asked one at a time per topic.
 */

import type { Link } from '../flow/link.ts'
import { brokerError, meaningOf } from '../model/error-classes.ts'
import { BrokerError, plainError, SamsaError } from '../model/errors.ts'
import { SOFTWARE } from '../model/software.ts'
import { metadataLevels } from '../registry/metadata/levels.ts'
import type { ResponseOf } from '../wire/apis.ts'
import type { Instance } from './instance.ts'
import { DATA } from './links.ts'
import { dispatch } from './registry-session.ts'

/** Metadata for these topics (null: all of the cluster) from a link. Never creates a topic. */
export function requestMetadata(link: Link, topics: readonly string[] | null): Promise<ResponseOf<'Metadata'>> {
  const version = link.version('Metadata') ?? 0
  // In version 0 an empty list means all; from version 1 null does.
  const list = topics === null ? (version === 0 ? [] : null) : topics.map(name => ({ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', name }))
  return link.request('Metadata', {
    topics: list,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false
  })
}

const asking = new WeakMap<Instance, Set<string>>()

/** Asks a broker who leads this topic, and dispatches the leaders as a registry would. Its failure is told, not thrown. */
export async function askMetadata(instance: Instance, topic: string): Promise<void> {
  const busy = asking.get(instance) ?? new Set()
  asking.set(instance, busy)
  if (busy.has(topic)) return
  busy.add(topic)
  try {
    const link = await instance.links.any(instance.options.requestTimeoutMs)
    const response = await requestMetadata(link, [topic])
    // Only leaders: whether a topic or a broker exists is the registry's word.
    const { events } = metadataLevels(response)
    const told = events.find(event => event.type === 'topic')
    for (const event of events) if (event.type === 'leaders') dispatch(instance, { ...event, topicId: told?.topicId ?? null })
  } catch (error) {
    if (!instance.closed) instance.emit({ type: 'trouble', where: `topics/${topic}`, error: plainError(error) })
  } finally {
    busy.delete(topic)
  }
}

/** Metadata for the bootstrap registry: from a known broker, else from one of the addresses that the user gave. */
export async function bootstrapMetadata(instance: Instance, topics: readonly string[] | null): Promise<ResponseOf<'Metadata'>> {
  const { links, options, seeds } = instance
  const timeoutMs = Math.min(options.requestTimeoutMs, options.dialTimeoutMs)
  if (instance.brokers.size > 0) {
    try {
      return await requestMetadata(await links.any(timeoutMs), topics)
    } catch (error) {
      // Every broker that we know may be gone: the addresses of the beginning are asked again (KIP-899).
      instance.emit({ type: 'trouble', where: 'metadata', error: plainError(error) })
    }
  }
  const link = await Promise.any([...seeds.keys()].map(node => links.acquire(node, DATA, timeoutMs))).catch((all: AggregateError) => {
    throw all.errors[0] ?? all
  })
  try {
    return await requestMetadata(link, topics)
  } finally {
    // A seed is known by address only; the brokers that it named are dialled under their ids.
    for (const node of seeds.keys()) links.release(node, DATA)
  }
}

/** Does a broker run without ZooKeeper? In KRaft mode the cluster has a `metadata.version` (KIP-584, KIP-778), with ZooKeeper it has none. */
export async function isKRaft(instance: Instance): Promise<boolean> {
  const link = await instance.links.any(instance.options.requestTimeoutMs)
  const { finalizedFeatures } = await link.request('ApiVersions', SOFTWARE)
  return finalizedFeatures?.some(({ name }) => name === 'metadata.version') ?? false
}

/** From this version on a broker fills in its own defaults where -1 is given (KIP-464). */
const DEFAULTS_FROM = 4
const BROKER_RESOURCE = 4

/** Partitions and replicas of new topics: -1 where the broker knows what that means, else what its configuration says. */
async function topicDefaults(link: Link): Promise<{ numPartitions: number; replicationFactor: number }> {
  if ((link.version('CreateTopics') ?? 0) >= DEFAULTS_FROM) return { numPartitions: -1, replicationFactor: -1 }
  const partitionsKey = 'num.partitions'
  const replicasKey = 'default.replication.factor'
  const answer = await link.request('DescribeConfigs', {
    resources: [{ resourceType: BROKER_RESOURCE, resourceName: String(link.node), configurationKeys: [partitionsKey, replicasKey] }],
    includeSynonyms: false,
    includeDocumentation: false
  })
  const [result] = answer.results
  if (result?.errorCode !== 0) throw brokerError('DescribeConfigs', result?.errorCode ?? -1, `of broker ${link.node}`)
  const setting = (key: string) => Number(result.configs.find(({ name }) => name === key)?.value ?? 1)
  return { numPartitions: setting(partitionsKey), replicationFactor: setting(replicasKey) }
}

/** Creates a topic with the broker's own defaults for partitions and replicas. Resolves when it exists. */
export async function createTopic(instance: Instance, topic: string): Promise<void> {
  const link = await controllerLink(instance)
  const answer = await link.request('CreateTopics', {
    topics: [{ name: topic, ...(await topicDefaults(link)), assignments: [], configs: [] }],
    timeoutMs: instance.options.requestTimeoutMs,
    validateOnly: false
  })
  const code = answer.topics[0]?.errorCode ?? -1
  if (code !== 0 && meaningOf('CreateTopics', code).remedy !== 'done') throw brokerError('CreateTopics', code, topic)
}

/** The controller's link where the registry names it, else any: brokers forward since 2.8 (KIP-590). */
export async function controllerLink(instance: Instance): Promise<Link> {
  const { links, options } = instance
  const controller = instance.controller
  if (controller === null || !instance.brokers.has(controller)) return links.any(options.requestTimeoutMs)
  try {
    return await links.acquire(controller, DATA, options.requestTimeoutMs)
  } catch (error) {
    if (error instanceof BrokerError || error instanceof SamsaError) return links.any(options.requestTimeoutMs)
    throw error
  }
}
