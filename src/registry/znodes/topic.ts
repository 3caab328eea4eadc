/**
 * `/brokers/topics/<topic>`: which brokers keep each partition. Versions 1 to 3 (Kafka's `TopicZNode`): v2 adds the replicas that
 * a reassignment adds and removes, v3 the topic id.
 */
import { decimal, type Fields, invalidZnode, parseObject, znodeJson } from './fields.ts'

export const topicsPath = '/brokers/topics'

export interface TopicAssignment {
  version: number
  /** 22 characters of base64url; null before Kafka 2.8. Another id is another topic of the same name. */
  topicId: string | null
  /** By partition number, ascending. */
  partitions: PartitionAssignment[]
}

export interface PartitionAssignment {
  partition: number
  /** The first is the preferred leader. */
  replicas: number[]
  addingReplicas: number[]
  removingReplicas: number[]
}

/** Kafka's rule (`Topic.validate`): what cannot be a topic can never be part of a path. */
export function isTopicName(name: string): boolean {
  return /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..'
}

export function topicPath(topic: string): string {
  return `${topicsPath}/${topic}`
}

/** @throws RegistryError ZNODE_INVALID */
export function parseTopicAssignment(topic: string, data: Uint8Array): TopicAssignment {
  const fields = parseObject(topicPath(topic), data)
  const version = fields.int('version', 1)
  const topicId = fields.optionalText('topic_id', 64)
  if (topicId !== null && !/^[A-Za-z0-9_-]{22}$/.test(topicId)) throw invalidZnode(fields.path, 'has a topic_id that is none')
  const partitions = fields.object('partitions')
  const adding = fields.optionalObject('adding_replicas')
  const removing = fields.optionalObject('removing_replicas')
  const assignments = partitions.names().map(name => ({
    partition: partitionNumber(fields, name),
    replicas: partitions.ids(name),
    addingReplicas: adding?.has(name) ? adding.ids(name) : [],
    removingReplicas: removing?.has(name) ? removing.ids(name) : []
  }))
  return { version, topicId, partitions: assignments.sort((a, b) => a.partition - b.partition) }
}

function partitionNumber(fields: Fields, name: string): number {
  const partition = decimal(name)
  if (partition === undefined) throw invalidZnode(fields.path, `names ${JSON.stringify(name.slice(0, 80))}, which is no partition`)
  return partition
}

/** What Kafka of today writes (v3). */
export function writeTopicAssignment(topic: Omit<TopicAssignment, 'version'>): Buffer {
  const table = (list: (of: PartitionAssignment) => number[], keepEmpty: boolean) =>
    Object.fromEntries(topic.partitions.filter(each => keepEmpty || list(each).length > 0).map(each => [each.partition, list(each)]))
  return znodeJson({
    removing_replicas: table(each => each.removingReplicas, false),
    partitions: table(each => each.replicas, true),
    ...(topic.topicId === null ? {} : { topic_id: topic.topicId }),
    adding_replicas: table(each => each.addingReplicas, false),
    version: 3
  })
}
