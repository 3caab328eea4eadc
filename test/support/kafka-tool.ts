/**
 * Kafka's own clients on a cluster under test, typed: topics, records, offsets, groups, leaders. Each method is one command to
 * `test/java/KafkaTool.java`; an error carries Java's words.
 */
import type { ToolCall } from './tool-process.ts'

export interface TopicSpec {
  /** Default 1. */
  partitions?: number
  /** `Cluster.createTopic`: 3, or as many as there are brokers; else 1. */
  replicationFactor?: number
  /** Replicas of each partition, the preferred leader first, in place of the two above. */
  assignment?: number[][]
  config?: Record<string, string>
}

export interface PartitionInfo {
  partition: number
  /** -1: none. */
  leader: number
  replicas: number[]
  isr: number[]
}

export interface TopicInfo {
  topicId: string
  partitions: PartitionInfo[]
}

export interface PlainRecord {
  key?: string | null
  value: string | null
  partition?: number
  timestamp?: number
  headers?: Record<string, string>
}

export interface ProduceCommand {
  partition?: number
  /** These, as they are. */
  records?: PlainRecord[]
  /** Or so many: keys `k0`…, values `<prefix>0`…, padded with dots to `valueBytes`. */
  count?: number
  prefix?: string
  valueBytes?: number
  /** Default true. */
  keyed?: boolean
  /** Of Java's producer: `compression.type`, `acks`, `batch.size` … */
  config?: Record<string, string>
  transaction?: 'commit' | 'abort'
}

/** Offsets that a write or a read touched in one partition. */
export interface OffsetRange {
  first: number
  last: number
  count: number
}

export interface ConsumeCommand {
  partition?: number
  /** Only committed transactions. */
  committed?: boolean
  /** Give every value as text. */
  values?: boolean
  /** Give every record whole. */
  records?: boolean
  /** Default 30,000. */
  limitMs?: number
}

export interface ReadRecord {
  partition: number
  offset: number
  timestamp: number
  timestampType: string
  key: Buffer | null
  value: Buffer | null
  headers: [string, Buffer | null][]
}

export interface ConsumeResult {
  count: number
  /** How many different values. */
  distinct: number
  /** `crc`: CRC32 of the values in order. */
  partitions: Record<string, OffsetRange & { crc: number }>
  values: string[]
  records: ReadRecord[]
}

export interface ProducerStateInfo {
  producerId: number
  epoch: number
  lastSequence: number
  lastTimestamp: number
}

export interface GroupInfo {
  state: string
  assignor: string
  members: { memberId: string; clientId: string; partitions: string[] }[]
}

export interface Znode {
  data: string | null
  version: number
  /** A session id in hex; "0": it is persistent. */
  ephemeralOwner: string
}

interface RawRecord extends Omit<ReadRecord, 'key' | 'value' | 'headers'> {
  key: string | null
  value: string | null
  headers: [string, string | null][]
}

export class KafkaTool {
  private readonly call: ToolCall

  constructor(call: ToolCall) {
    this.call = call
  }

  brokers(): Promise<{ clusterId: string; controller: number; ids: number[] }> {
    return this.ask('brokers', {})
  }

  topics(options: { internal?: boolean } = {}): Promise<string[]> {
    return this.ask('topics', { ...options })
  }

  /** Asks for it; see `Cluster.createTopic`, which also waits until it can be used. */
  createTopics(specs: Record<string, TopicSpec>): Promise<void> {
    return this.ask('createTopics', { topics: Object.entries(specs).map(([name, spec]) => ({ name, ...spec })) })
  }

  deleteTopics(...topics: string[]): Promise<void> {
    return this.ask('deleteTopics', { topics })
  }

  addPartitions(topic: string, count: number): Promise<void> {
    return this.ask('addPartitions', { topic, count })
  }

  describeAll(topics: string[]): Promise<Record<string, TopicInfo>> {
    return this.ask('describe', { topics })
  }

  async describe(topic: string): Promise<TopicInfo> {
    return (await this.describeAll([topic]))[topic]!
  }

  /** A value of null goes back to the default. */
  alterConfig(what: { topic: string } | { broker: number }, config: Record<string, string | null>): Promise<void> {
    return this.ask('alterConfig', { ...what, config })
  }

  /** Writes with Java's producer; answers with the offsets by partition. */
  produce(topic: string, command: ProduceCommand): Promise<Record<string, OffsetRange>> {
    return this.ask('produce', { topic, ...command })
  }

  /** Reads with Java's consumer from the first offset to where the topic ends now. */
  async consume(topic: string, command: ConsumeCommand = {}): Promise<ConsumeResult> {
    const raw = await this.ask<Omit<ConsumeResult, 'records'> & { records?: RawRecord[] }>('consume', { topic, ...command })
    const records = (raw.records ?? []).map(record => ({
      ...record,
      key: bytes(record.key),
      value: bytes(record.value),
      headers: record.headers.map(([name, value]): [string, Buffer | null] => [name, bytes(value)])
    }))
    return { ...raw, values: raw.values ?? [], records }
  }

  /** Offsets by partition: `latest` (default), `earliest`, `maxTimestamp`, or the first at or after a time. */
  offsets(topic: string, at: 'latest' | 'earliest' | 'maxTimestamp' | number = 'latest'): Promise<Record<string, number>> {
    return this.ask('offsets', { topic, at })
  }

  deleteRecords(topic: string, partition: number, before: number): Promise<void> {
    return this.ask('deleteRecords', { topic, partition, before })
  }

  /** What the leader remembers of idempotent producers. */
  producers(topic: string, partition: number): Promise<ProducerStateInfo[]> {
    return this.ask('producers', { topic, partition })
  }

  /** Moves a partition's replicas and waits until that is done. */
  reassign(topic: string, partition: number, replicas: number[]): Promise<void> {
    return this.ask('reassign', { topic, partition, replicas })
  }

  /** Preferred (or unclean) election, of one partition or of all. */
  electLeaders(of: { topic: string; partition: number } | 'all', options: { unclean?: boolean } = {}): Promise<void> {
    return this.ask('electLeaders', { ...(of === 'all' ? {} : of), ...options })
  }

  /** Kafka's own groups and their states. */
  groups(): Promise<Record<string, string>> {
    return this.ask('groups', {})
  }

  describeGroup(group: string): Promise<GroupInfo> {
    return this.ask('describeGroup', { group })
  }

  /** Committed in Kafka, by topic and partition. */
  groupOffsets(group: string): Promise<Record<string, Record<string, number>>> {
    return this.ask('groupOffsets', { group })
  }

  /** The same with all that was committed, by `topic/partition`. */
  groupCommits(group: string): Promise<Record<string, { offset: number; metadata: string; leaderEpoch: number }>> {
    return this.ask('groupCommits', { group })
  }

  setGroupOffset(group: string, topic: string, partition: number, offset: number): Promise<void> {
    return this.ask('setGroupOffset', { group, topic, partition, offset })
  }

  deleteGroup(group: string): Promise<void> {
    return this.ask('deleteGroup', { group })
  }

  /** Every znode at and below a path (under the chroot), by path; empty when there is none. */
  znodes(path: string): Promise<Record<string, Znode>> {
    return this.ask('znodes', { path })
  }

  /** Creates a znode with its parents, or sets its data. An ephemeral one lives as long as the Java helper. */
  putZnode(path: string, data: string | null, options: { ephemeral?: boolean } = {}): Promise<void> {
    return this.ask('putZnode', { path, data, ...options })
  }

  /** False: it was not there. */
  deleteZnode(path: string): Promise<boolean> {
    return this.ask('deleteZnode', { path })
  }

  /** Ends another client's session, given by its id (hex) and password: that client learns that it has expired. */
  expireSession(sessionId: string, password: Buffer): Promise<void> {
    return this.ask('expireSession', { sessionId, password: password.toString('base64') })
  }

  private async ask<T>(op: string, args: Record<string, unknown>): Promise<T> {
    return (await this.call(op, args)) as T
  }
}

function bytes(base64: string | null): Buffer | null {
  return base64 === null ? null : Buffer.from(base64, 'base64')
}
