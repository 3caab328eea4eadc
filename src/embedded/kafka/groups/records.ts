/**
 * What coordinators write into `__consumer_offsets`, in Kafka's own form, so that others can read it there, and what they make of it when they find
 * it again (`GroupMetadataManager`): offsets, classic groups, and the epochs of KIP-848's groups, so that their members know them again and join anew.
 * A null value deletes its key.
 */
import { compile } from '../../../wire/compile.ts'
import type { Definition, FieldDefinition } from '../../../wire/definition.ts'
import { Reader } from '../../../wire/reader.ts'
import { Writer } from '../../../wire/writer.ts'
import type { ClassicSnapshot } from './classic-types.ts'
import type { CommittedOffset } from './offsets.ts'

export interface LogRecord {
  key: Buffer
  value: Buffer | null
}

export type GroupRecord =
  | { type: 'offset'; groupId: string; topic: string; partition: number; value: CommittedOffset | null }
  | { type: 'group'; groupId: string; value: ClassicSnapshot | null }
  | { type: 'epoch'; groupId: string; value: number | null }

/** Versions of keys say what they are keys of. */
const OFFSET_KEY = 1
const OLDEST_OFFSET_KEY = 0
const GROUP_KEY = 2
const CONSUMER_GROUP_KEY = 3
const VALUE_VERSION = 3

const field = (type: FieldDefinition['type'], ...names: string[]): FieldDefinition[] =>
  names.map(name => ({ name, type, versions: [0, 3] }))
const message = (name: string, fields: FieldDefinition[]): Definition => ({ name, versions: [0, 3], flexible: null, fields })
const nullable = (name: string): FieldDefinition => ({ name, type: 'string', versions: [0, 3], nullable: [0, 3] })

const offsetKey = compile(message('OffsetCommitKey', [...field('string', 'group', 'topic'), ...field('int32', 'partition')]), 1)
const groupKey = compile(message('GroupMetadataKey', field('string', 'group')), 2)
const epochValue = compile({ ...message('ConsumerGroupMetadataValue', field('int32', 'epoch')), flexible: [0, 3] }, 0)
const offsetValue = compile(
  message('OffsetCommitValue', [
    ...field('int64', 'offset'),
    ...field('int32', 'leaderEpoch'),
    ...field('string', 'metadata'),
    ...field('int64', 'commitTimestamp')
  ]),
  VALUE_VERSION
)
const groupValue = compile(
  message('GroupMetadataValue', [
    ...field('string', 'protocolType'),
    ...field('int32', 'generation'),
    ...[nullable('protocol'), nullable('leader')],
    ...field('int64', 'currentStateTimestamp'),
    {
      ...{ name: 'members', type: 'struct', array: true, versions: [0, 3] },
      fields: [
        ...field('string', 'memberId'),
        nullable('groupInstanceId'),
        ...field('string', 'clientId', 'clientHost'),
        ...field('int32', 'rebalanceTimeout', 'sessionTimeout'),
        ...field('bytes', 'subscription', 'assignment')
      ]
    }
  ]),
  VALUE_VERSION
)

interface GroupValue {
  protocolType: string
  generation: number
  protocol: string | null
  leader: string | null
  members: {
    memberId: string
    groupInstanceId: string | null
    clientId: string
    clientHost: string
    rebalanceTimeout: number
    sessionTimeout: number
    subscription: Buffer
    assignment: Buffer
  }[]
}

export function writeRecord(record: GroupRecord, now: number): LogRecord {
  if (record.type === 'offset') {
    const { groupId: group, topic, partition, value } = record
    const key = bytes(OFFSET_KEY, offsetKey, { group, topic, partition })
    return { key, value: value && bytes(VALUE_VERSION, offsetValue, { ...value, commitTimestamp: BigInt(value.committedAt) }) }
  }
  if (record.type === 'epoch') {
    const key = bytes(CONSUMER_GROUP_KEY, groupKey, { group: record.groupId })
    return { key, value: record.value === null ? null : bytes(0, epochValue, { epoch: record.value }) }
  }
  const key = bytes(GROUP_KEY, groupKey, { group: record.groupId })
  return { key, value: record.value && bytes(VALUE_VERSION, groupValue, groupOf(record.value, now)) }
}

/** Undefined: a key that we do not write. Throws ProtocolError on bytes that are none of ours. */
export function readRecord({ key, value }: LogRecord): GroupRecord | undefined {
  const version = key.readInt16BE(0)
  if (version === OFFSET_KEY || version === OLDEST_OFFSET_KEY) {
    const { group: groupId, topic, partition } = read(offsetKey, key) as { group: string; topic: string; partition: number }
    if (!value) return { type: 'offset', groupId, topic, partition, value }
    const { commitTimestamp, ...offset } = read(offsetValue, value) as Omit<CommittedOffset, 'committedAt'> & { commitTimestamp: bigint }
    return { type: 'offset', groupId, topic, partition, value: { ...offset, committedAt: Number(commitTimestamp) } }
  }
  if (version !== GROUP_KEY && version !== CONSUMER_GROUP_KEY) return undefined
  const { group: groupId } = read(groupKey, key) as { group: string }
  if (version === CONSUMER_GROUP_KEY)
    return { type: 'epoch', groupId, value: value && (read(epochValue, value) as { epoch: number }).epoch }
  return { type: 'group', groupId, value: value && snapshotOf(read(groupValue, value) as GroupValue) }
}

function groupOf({ protocolType, protocolName, generationId, leaderId, members }: ClassicSnapshot, now: number): object {
  return {
    ...{ protocolType: protocolType ?? '', generation: generationId, protocol: protocolName, leader: leaderId },
    currentStateTimestamp: BigInt(now),
    members: members.map(({ id, instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols, assignment }) => ({
      ...{ memberId: id, groupInstanceId: instanceId, clientId, clientHost },
      ...{ rebalanceTimeout: rebalanceTimeoutMs, sessionTimeout: sessionTimeoutMs, assignment },
      subscription: protocols.find(({ name }) => name === protocolName)?.metadata ?? Buffer.alloc(0)
    }))
  }
}

function snapshotOf({ protocolType, generation, protocol, leader, members }: GroupValue): ClassicSnapshot {
  return {
    ...{ generationId: generation, protocolType: protocolType || null, protocolName: protocol, leaderId: leader },
    members: members.map(
      ({ memberId, groupInstanceId, clientId, clientHost, rebalanceTimeout, sessionTimeout, subscription, assignment }) => ({
        ...{ id: memberId, instanceId: groupInstanceId, clientId, clientHost, assignment },
        ...{ rebalanceTimeoutMs: rebalanceTimeout, sessionTimeoutMs: sessionTimeout },
        protocols: protocol === null ? [] : [{ name: protocol, metadata: subscription }]
      })
    )
  }
}

function bytes(version: number, codec: { encode(writer: Writer, value: object): void }, value: object): Buffer {
  const writer = new Writer()
  writer.int16(version)
  codec.encode(writer, value)
  return Buffer.concat(writer.finish())
}

function read(codec: { decode(reader: Reader): object }, from: Buffer): object {
  return codec.decode(new Reader(from, 2))
}
