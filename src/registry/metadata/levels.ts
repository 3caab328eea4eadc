/**
 * A Metadata response as the events of a registry: a pure conversion. The response is judged as input from a stranger: what cannot
 * be is left out and told, what is out of all proportion is refused whole. Rules of the answer: Kafka's `MetadataResponse`, KIP-516
 * (topic ids), KIP-320 (leader epochs).
 */

import { asksAgain, brokerError, meaningOf } from '../../model/error-classes.ts'
import { LimitError, RegistryError } from '../../model/errors.ts'
import type { ResponseOf } from '../../wire/apis.ts'
import type { BrokerInfo, LeaderInfo, PartitionInfo, RegistryEvent } from '../registry.ts'
import { isTopicName } from '../znodes/topic.ts'

export type MetadataResponse = ResponseOf<'Metadata'>
type MetadataTopic = MetadataResponse['topics'][number]
type MetadataPartition = MetadataTopic['partitions'][number]

/** More than these is no cluster: Kafka's own limits in practice are far below. */
export const maxBrokers = 10_000
export const maxTopics = 200_000
export const maxPartitions = 100_000
const maxReplicas = 1_000
const noTopicId = 'AAAAAAAAAAAAAAAAAAAAAA'

export interface MetadataLevels {
  /** In the order in which they should be told: brokers before the leaders among them. */
  events: RegistryEvent[]
  /** Topics that are worth asking for again soon: one of their leaders is being elected, or the broker could not say. */
  unsettled: string[]
}

export interface LevelsOptions {
  /** All topics were asked for: the answer is the level of topic names as well. Default false. */
  all?: boolean
  /** Topics whose levels are wanted. Default: every one in the response. */
  wanted?: (topic: string) => boolean
}

/**
 * Throws LimitError METADATA_TOO_LARGE, RegistryError METADATA_INVALID (a list that names no broker at all, as a broker that is still
 * starting gives it), or BrokerError with the response's own error code. Then nothing of it counts.
 */
export function metadataLevels(response: MetadataResponse, options: LevelsOptions = {}): MetadataLevels {
  if (response.errorCode !== 0) throw brokerError('Metadata', response.errorCode, '')
  limit('brokers', response.brokers.length, maxBrokers)
  limit('topics', response.topics.length, maxTopics)
  const out: MetadataLevels = { events: [], unsettled: [] }
  addBrokers(out, response)
  out.events.push({ type: 'controller', brokerId: response.controllerId >= 0 ? response.controllerId : null })
  const { clusterId } = response
  if (clusterId === null || (clusterId !== '' && clusterId.length <= 256)) out.events.push({ type: 'cluster', clusterId })
  if (options.all) out.events.push({ type: 'topics', topics: topicNames(response.topics) })
  const seen = new Set<string>()
  const misnamed: string[] = []
  for (const topic of response.topics) {
    const name = topic.name
    if (name === null || !isTopicName(name)) {
      misnamed.push(shown(name))
    } else if (!seen.has(name) && (options.wanted?.(name) ?? true)) {
      seen.add(name)
      addTopic(out, name, topic)
    }
  }
  if (misnamed.length > 0) out.events.push(quarantine('metadata/topics', `${some(misnamed)}: no topic can have such a name`))
  return out
}

function limit(what: string, count: number, most: number): void {
  if (count <= most) return
  throw new LimitError(
    'METADATA_TOO_LARGE',
    `The broker's Metadata lists ${count} ${what}; more than ${most} are not believed. Nothing of it is used. Is this address a broker of your cluster?`,
    { details: { what, count, most } }
  )
}

function quarantine(path: string, problem: string): RegistryEvent {
  const message = `In the Metadata of the cluster ${problem}. It is left out, and what was known before stands.`
  return { type: 'quarantine', path, error: new RegistryError('METADATA_INVALID', message, { details: { path, problem } }).toJSON() }
}

/** The first few: what a stranger sends must not decide how much is told. */
const some = (list: string[]) => (list.length <= 5 ? list.join('; ') : `${list.slice(0, 5).join('; ')}; and ${list.length - 5} more`)

const shown = (value: unknown) => (JSON.stringify(value) ?? String(value)).slice(0, 80)
const isId = (value: number) => Number.isInteger(value) && value >= 0 && value <= 0x7fff_ffff

function addBrokers(out: MetadataLevels, response: MetadataResponse): void {
  const brokers = new Map<number, BrokerInfo>()
  const problems: string[] = []
  const quarantined: string[] = []
  for (const { nodeId, host, port, rack } of response.brokers) {
    const problem = brokerProblem(nodeId, host, port) ?? (brokers.has(nodeId) ? `broker ${nodeId} stands twice` : undefined)
    if (problem === undefined) brokers.set(nodeId, { id: nodeId, host, port, rack })
    else {
      problems.push(problem)
      quarantined.push(`metadata/brokers/${nodeId}`)
    }
  }
  if (problems.length > 0) out.events.push(quarantine('metadata/brokers', some(problems)))
  if (brokers.size === 0)
    throw new RegistryError(
      'METADATA_INVALID',
      'The Metadata lists no broker that can be dialled: the broker is still starting, or advertises no usable address (advertised.listeners).',
      { retriable: true }
    )
  out.events.push({ type: 'brokers', brokers: [...brokers.values()].sort((a, b) => a.id - b.id), quarantined })
}

function brokerProblem(nodeId: number, host: string, port: number): string | undefined {
  if (!isId(nodeId)) return `a broker has the id ${nodeId}`
  if (!/^[0-9A-Za-z._:%-]{1,255}$/.test(host)) return `broker ${nodeId} names the host ${shown(host)}, which is none`
  if (!(Number.isInteger(port) && port >= 1 && port <= 65_535)) return `broker ${nodeId} names the port ${port}`
  return undefined
}

/** Those that exist; the errors of the others do not matter to a list of names. */
function topicNames(topics: readonly MetadataTopic[]): string[] {
  const names = new Set<string>()
  for (const { name, errorCode } of topics) if (errorCode === 0 && name !== null && isTopicName(name)) names.add(name)
  return [...names].sort()
}

function addTopic(out: MetadataLevels, name: string, topic: MetadataTopic): void {
  if (topic.errorCode === 0) return addPartitions(out, name, topic)
  const { remedy } = meaningOf('Metadata', topic.errorCode)
  if (asksAgain('Metadata', topic.errorCode)) out.unsettled.push(name)
  if (remedy === 'absent') out.events.push({ type: 'topic.missing', topic: name })
  // What is being created has nothing to tell yet.
  else if (remedy !== 'waits')
    out.events.push({
      type: 'trouble',
      error: { ...brokerError('Metadata', topic.errorCode, `of topic ${name}`).toJSON(), details: { topic: name } }
    })
}

function addPartitions(out: MetadataLevels, name: string, topic: MetadataTopic): void {
  const problem = partitionsProblem(topic.partitions)
  if (problem !== undefined) {
    out.events.push(quarantine(`metadata/topics/${name}`, `topic ${name} ${problem}`))
    return
  }
  const sorted = [...topic.partitions].sort((a, b) => a.partitionIndex - b.partitionIndex)
  const topicId = topic.topicId === noTopicId || topic.topicId === '' ? null : topic.topicId
  const partitions: PartitionInfo[] = sorted.map(({ partitionIndex, replicaNodes }) => ({
    partition: partitionIndex,
    replicas: replicaNodes
  }))
  const leaders = sorted.map(leaderOf)
  out.events.push({ type: 'topic', topic: name, topicId, partitions }, { type: 'leaders', topic: name, source: 'metadata', leaders })
  if (leaders.length === 0 || leaders.some(({ leader }) => leader === -1)) out.unsettled.push(name)
}

function partitionsProblem(partitions: readonly MetadataPartition[]): string | undefined {
  if (partitions.length > maxPartitions) return `has ${partitions.length} partitions, more than ${maxPartitions}`
  const seen = new Set<number>()
  for (const { partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes } of partitions) {
    if (!isId(partitionIndex)) return `has a partition ${partitionIndex}`
    if (seen.has(partitionIndex)) return `has partition ${partitionIndex} twice`
    seen.add(partitionIndex)
    if (!isId(leaderId) && leaderId !== -1) return `has broker ${leaderId} as a leader`
    if (!isId(leaderEpoch) && leaderEpoch !== -1) return `has a leader epoch of ${leaderEpoch}`
    if (replicaNodes.length > maxReplicas || isrNodes.length > maxReplicas) return `has more than ${maxReplicas} replicas of a partition`
    if (!replicaNodes.every(isId) || !isrNodes.every(isId)) return 'has a replica on a broker that cannot be'
  }
  return undefined
}

/** A leader stands beside REPLICA_NOT_AVAILABLE (another replica is away: no matter); any other error means that there is none to use. */
function leaderOf({ errorCode, partitionIndex, leaderId, leaderEpoch, isrNodes }: MetadataPartition): LeaderInfo {
  const usable = errorCode === 0 || meaningOf('Metadata', errorCode).remedy === 'usable'
  return { partition: partitionIndex, leader: usable ? leaderId : -1, leaderEpoch, inSync: isrNodes }
}
