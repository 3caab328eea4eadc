/**
 * What lies in the directory of an embedded cluster, and how it is read again: nothing of it is believed before it is looked at.
 */
import { crc32c } from '../wire/records/crc32c.ts'
import { ATTRIBUTES_AT, BATCH_HEADER_BYTES, CRC_AT, LENGTH_AT, LOG_OVERHEAD, MAGIC_AT } from '../wire/records/layout.ts'
import type { Topic } from './kafka/cluster-types.ts'
import type { ClusterState } from './kafka/state.ts'

export interface SavedPartition {
  replicas: number[]
  leaderEpoch: number
  logStartOffset: number
}

export interface SavedTopic {
  name: string
  id: string
  configs: Record<string, string>
  partitions: SavedPartition[]
}

/** `cluster.json`. */
export interface Saved {
  format: 1
  clusterId: string
  /** Of the brokers, in order, and of the ZooKeeper: clients find what they knew. */
  ports: { brokers: number[]; zookeeper?: number | undefined }
  /** Producer ids from this one on were never given out. Decimal. */
  producerIds: string
  topics: SavedTopic[]
}

const ID = /^[\w-]{22}$/

/** Undefined: it is not what we write. */
export function readSaved(bytes: Buffer): Saved | undefined {
  let saved: Saved
  try {
    saved = JSON.parse(String(bytes)) as Saved
  } catch {
    return undefined
  }
  if (!isObject(saved) || saved.format !== 1 || !isText(saved.clusterId, ID)) return undefined
  if (!isText(saved.producerIds, /^\d{1,18}$/) || !isObject(saved.ports)) return undefined
  const { brokers, zookeeper } = saved.ports
  const ports = Array.isArray(brokers) && brokers.every(isPort) && (zookeeper === undefined || isPort(zookeeper))
  return ports && Array.isArray(saved.topics) && saved.topics.every(isTopic) ? saved : undefined
}

/** The name is looked at when the topic is made. */
function isTopic(topic: SavedTopic): boolean {
  if (!isObject(topic) || typeof topic.name !== 'string' || !isText(topic.id, ID) || !isObject(topic.configs)) return false
  const { configs, partitions } = topic
  return (
    Object.values(configs).every(value => typeof value === 'string') &&
    Array.isArray(partitions) &&
    partitions.length > 0 &&
    partitions.every(isPartition)
  )
}

function isPartition(partition: SavedPartition): boolean {
  if (!isObject(partition)) return false
  const { replicas, leaderEpoch, logStartOffset } = partition
  return Array.isArray(replicas) && replicas.length > 0 && [...replicas, leaderEpoch, logStartOffset].every(isCount)
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const isText = (value: unknown, pattern: RegExp) => typeof value === 'string' && pattern.test(value)
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
const isPort = (value: unknown) => isCount(value) && (value as number) <= 0xffff

export function savedTopic(state: ClusterState, { name, id, partitions }: Topic): SavedTopic {
  return {
    ...{ name, id, configs: Object.fromEntries(state.configs.given('topic', name)) },
    partitions: partitions.map(({ replicas, leaderEpoch, logs }) => ({
      ...{ replicas, leaderEpoch },
      // Also of a partition that nobody leads at the moment.
      logStartOffset: Math.max(...[...logs.values()].map(log => log.logStartOffset))
    }))
  }
}

/** The batches that lie whole and unharmed at the beginning of a log's file; the process may have died in the middle of the last one. */
export function* wholeBatches(bytes: Buffer): Generator<Buffer, void, void> {
  for (let at = 0; at + BATCH_HEADER_BYTES <= bytes.length; ) {
    const size = LOG_OVERHEAD + bytes.readInt32BE(at + LENGTH_AT)
    const batch = bytes.subarray(at, at + size)
    if (size < BATCH_HEADER_BYTES || batch.length < size || batch[MAGIC_AT] !== 2) return
    if (batch.readUInt32BE(CRC_AT) !== crc32c(batch, ATTRIBUTES_AT, size)) return
    yield batch
    at += size
  }
}
