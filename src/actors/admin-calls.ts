/**
 * The administrative requests behind `cluster.admin`: topics, offsets, versions. Each asks the broker that must answer it
 * (controller, leader, coordinator, all), and asks again, a few times, where a broker says that it is another one.
 */

import { brokerError, type SentApi } from '../model/error-classes.ts'
import { BrokerError, UsageError } from '../model/errors.ts'
import { SOFTWARE } from '../model/software.ts'
import { API_NAMES, type ResponseOf } from '../wire/apis.ts'
import { API_TABLE } from '../wire/messages/index.ts'
import { controllerLink, requestMetadata } from './admin.ts'
import type { Instance } from './instance.ts'
import { DATA } from './links.ts'

/** How often a question is asked again, when the answer is that another broker is responsible now. */
const ATTEMPTS = 5
/** Error message and topic-wide defaults by -1 (KIP-464). */
const CREATE_DEFAULTS_FROM = 4
/** From here DeleteTopics has structs in place of names (KIP-516). */
const DELETE_STRUCTS_FROM = 6
const LEADER_NOT_AVAILABLE = 5
const noTopicId = 'AAAAAAAAAAAAAAAAAAAAAA'

export interface TopicSpec {
  /** Default: the broker's `num.partitions`. */
  partitions?: number
  /** Default: the broker's `default.replication.factor`. */
  replicationFactor?: number
  /** Topic settings by name, e.g. `retention.ms`. */
  configs?: Readonly<Record<string, string>>
}

export interface TopicDescription {
  name: string
  /** Null before Kafka 2.8. */
  topicId: string | null
  internal: boolean
  partitions: { partition: number; leader: number | null; leaderEpoch: number; replicas: number[]; inSync: number[] }[]
}

export interface BrokerVersions {
  node: number
  /** By API name; those that samsa does not know are left out. */
  apis: Record<string, { min: number; max: number }>
}

/** Runs `call` until it does not end with an error that asks for another broker or another moment; each repetition is told as `trouble`. */
export async function persist<T>(instance: Instance, call: () => Promise<T>): Promise<T> {
  const { world, options } = instance
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof BrokerError) || !error.retriable || attempt === ATTEMPTS || instance.closed) throw error
      const delayMs = options.retryBackoffMs * 2 ** attempt
      const plain = error.toJSON()
      const message = `It is tried again in ${delayMs} ms: ${plain.message}`
      instance.emit({ type: 'trouble', where: 'admin', error: { ...plain, message, details: { ...plain.details, attempt, delayMs } } })
      await new Promise<void>(resolve => void world.setTimer(resolve, delayMs))
    }
  }
}

/** Creates it. Rejects with BrokerError (TOPIC_ALREADY_EXISTS, INVALID_REPLICATION_FACTOR …) and the broker's own words. */
export function createTopicAs(instance: Instance, topic: string, spec: TopicSpec): Promise<void> {
  return persist(instance, async () => {
    const link = await controllerLink(instance)
    const { partitions = -1, replicationFactor = -1, configs = {} } = spec
    if ((partitions < 0 || replicationFactor < 0) && (link.version('CreateTopics') ?? 0) < CREATE_DEFAULTS_FROM)
      throw new UsageError(
        'INVALID_OPTION',
        'This Kafka is older than 2.4 and has no defaults for new topics: give partitions and replicationFactor.'
      )
    const answer = await link.request('CreateTopics', {
      topics: [
        {
          name: topic,
          numPartitions: partitions,
          replicationFactor,
          assignments: [],
          configs: Object.entries(configs).map(([name, value]) => ({ name, value }))
        }
      ],
      timeoutMs: instance.options.requestTimeoutMs,
      validateOnly: false
    })
    const result = answer.topics.find(({ name }) => name === topic)
    throwUnlessDone('CreateTopics', result?.errorCode, result?.errorMessage, topic)
  })
}

/** Deletes it. Rejects with BrokerError (UNKNOWN_TOPIC_OR_PARTITION, TOPIC_DELETION_DISABLED …). */
export async function deleteTopic(instance: Instance, topic: string): Promise<void> {
  await persist(instance, async () => {
    const link = await controllerLink(instance)
    const body =
      (link.version('DeleteTopics') ?? 0) >= DELETE_STRUCTS_FROM
        ? { topics: [{ name: topic, topicId: noTopicId }] }
        : { topicNames: [topic] }
    const answer = await link.request('DeleteTopics', { ...body, timeoutMs: instance.options.requestTimeoutMs })
    const result = answer.responses.find(({ name }) => name === topic)
    throwUnlessDone('DeleteTopics', result?.errorCode, result?.errorMessage, topic)
  })
}

function throwUnlessDone(api: SentApi, code: number | undefined, message: string | null | undefined, what: string): void {
  if (code === 0) return
  const error = brokerError(api, code ?? -1, what)
  if (!message) throw error
  throw new BrokerError(error.code, `${error.message} The broker says: ${message}`, {
    kafka: error.kafka!,
    retriable: error.retriable,
    details: error.details
  })
}

async function metadata(instance: Instance, topics: readonly string[] | null): Promise<ResponseOf<'Metadata'>> {
  return requestMetadata(await instance.links.any(instance.options.requestTimeoutMs), topics)
}

/** Cluster id (null before 0.10.1) and controller as a broker tells them. */
export async function describeCluster(instance: Instance): Promise<{ clusterId: string | null; controller: number | null }> {
  const { clusterId, controllerId } = await metadata(instance, [])
  return { clusterId, controller: controllerId >= 0 ? controllerId : null }
}

/** These topics, or all, by name. Those that do not exist are left out. */
export async function describeTopics(instance: Instance, names: readonly string[] | null): Promise<TopicDescription[]> {
  const { topics } = await metadata(instance, names)
  return topics
    .filter(topic => topic.name !== null && (topic.errorCode === 0 || topic.partitions.length > 0))
    .map(topic => ({
      name: topic.name!,
      topicId: topic.topicId === noTopicId ? null : (topic.topicId ?? null),
      internal: topic.isInternal ?? false,
      partitions: topic.partitions
        .map(each => ({
          partition: each.partitionIndex,
          leader: each.leaderId >= 0 ? each.leaderId : null,
          leaderEpoch: each.leaderEpoch,
          replicas: each.replicaNodes,
          inSync: each.isrNodes
        }))
        .sort((a, b) => a.partition - b.partition)
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * Offsets of these partitions (default: all) at a time: -1n the end, -2n the beginning, else the first at or after that many ms
 * (KIP-79); -1n in the answer: none. Rejects when one has no leader.
 */
export function listOffsets(
  instance: Instance,
  topic: string,
  timestamp: bigint,
  partitions?: readonly number[]
): Promise<Map<number, bigint>> {
  return persist(instance, async () => {
    const found = (await describeTopics(instance, [topic]))[0]
    if (!found) throw new UsageError('UNKNOWN_TOPIC', `Topic ${topic} does not exist.`, { details: { topic } })
    const byLeader = new Map<number, number[]>()
    for (const { partition, leader } of found.partitions) {
      if (partitions && !partitions.includes(partition)) continue
      if (leader === null) throw brokerError('ListOffsets', LEADER_NOT_AVAILABLE, `of ${topic}/${partition}`)
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition])
    }
    const answers = await Promise.all([...byLeader].map(([node, list]) => offsetsAt(instance, node, topic, timestamp, list)))
    return new Map(answers.flat().sort(([a], [b]) => a - b))
  })
}

async function offsetsAt(
  instance: Instance,
  node: number,
  topic: string,
  timestamp: bigint,
  partitions: number[]
): Promise<[number, bigint][]> {
  const { links, options } = instance
  const link = await links.acquire(node, DATA, options.requestTimeoutMs)
  const asked = partitions.map(partitionIndex => ({ partitionIndex, timestamp }))
  const answer = await link.request(
    'ListOffsets',
    { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions: asked }], timeoutMs: options.requestTimeoutMs },
    { minVersion: 1 }
  )
  const told = answer.topics.find(({ name }) => name === topic)?.partitions ?? []
  return partitions.map(partition => {
    const entry = told.find(({ partitionIndex }) => partitionIndex === partition)
    if (entry?.errorCode !== 0) throw brokerError('ListOffsets', entry?.errorCode ?? -1, `of ${topic}/${partition}`)
    return [partition, entry.offset]
  })
}

/** The APIs of one broker (KIP-35), from its advertised listener: proof that it can be reached there. */
export async function brokerVersions(instance: Instance, node: number, timeoutMs: number): Promise<BrokerVersions> {
  const link = await instance.links.acquire(node, DATA, timeoutMs)
  const answer = await link.request('ApiVersions', SOFTWARE, { timeoutMs })
  if (answer.errorCode !== 0) throw brokerError('ApiVersions', answer.errorCode, `at broker ${node}`)
  const names = new Map(API_NAMES.map(name => [API_TABLE[name].key as number, name as string]))
  const apis: BrokerVersions['apis'] = {}
  for (const { apiKey, minVersion, maxVersion } of answer.apiKeys) {
    const name = names.get(apiKey)
    if (name) apis[name] = { min: minVersion, max: maxVersion }
  }
  return { node, apis }
}
