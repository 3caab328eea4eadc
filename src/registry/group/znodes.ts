/**
 * The data of a group's znodes, to the byte as Kafka's Scala consumer writes and reads them (kafka.consumer.TopicCount). What peers wrote is
 * input from strangers: a node that cannot be used is told apart, it never throws through.
 */
import { RegistryError } from '../../model/errors.ts'
import { decimal, invalidZnode, parseObject, znodeJson } from '../znodes/fields.ts'
import { isTopicName } from '../znodes/topic.ts'
import type { FilterKind } from './topic-filter.ts'

/** What a member says that it consumes. `streams`: threads, each of which takes part in the assignment. */
export type GroupSubscription =
  | { kind: 'static'; topics: Readonly<Record<string, number>> }
  | { kind: FilterKind; pattern: string; streams: number }

export interface GroupMember {
  memberId: string
  subscription: GroupSubscription
}

const maxStreams = 10_000
const maxOwnerBytes = 4 * 1024
const maxOffset = 2n ** 63n - 1n

/** The Scala consumer's id of a member, from the high 64 bits of a random UUID. */
export function memberIdOf(group: string, host: string, epochMillis: number, high64: Buffer): string {
  const bytes = Buffer.from(high64.subarray(0, 8))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  const hex = bytes.readBigUInt64BE().toString(16).slice(0, 8)
  return `${group}_${host.replace(/[^a-zA-Z0-9._-]/g, '_')}-${epochMillis}-${hex}`
}

/** A thread takes the partitions: `<member id>-<stream>`. */
export function threadIds(memberId: string, streams: number): string[] {
  return Array.from({ length: streams }, (_, stream) => `${memberId}-${stream}`)
}

/** The member of a thread id. */
export function memberOfThread(thread: string): string {
  const dash = thread.lastIndexOf('-')
  return dash > 0 && /^\d+$/.test(thread.slice(dash + 1)) ? thread.slice(0, dash) : thread
}

/** `timestamp` is a string: as a number it fails members of 0.8.2 and 0.10.2. */
export function formatMember(subscription: GroupSubscription, epochMillis: number): Buffer {
  const topics = subscription.kind === 'static' ? subscription.topics : { [subscription.pattern]: subscription.streams }
  return znodeJson({ version: 1, subscription: topics, pattern: subscription.kind, timestamp: String(epochMillis) })
}

/** The node `path` of a member. @throws RegistryError ZNODE_INVALID: to be quarantined. A pattern is not compiled here. */
export function parseMember(path: string, memberId: string, data: Buffer): GroupMember {
  const node = parseObject(path, data)
  const pattern = node.text('pattern', 32)
  const topics = node.object('subscription')
  const entries = topics.names().map(name => [name, topics.int(name, 1, maxStreams)] as const)
  // Of a wildcard only the first entry is read; an empty map is static for Scala, whatever the pattern says.
  if (entries[0] && (pattern === 'white_list' || pattern === 'black_list'))
    return { memberId, subscription: { kind: pattern, pattern: entries[0][0], streams: entries[0][1] } }
  const strange = entries.find(([topic]) => !isTopicName(topic))
  if (strange) throw invalidZnode(path, `subscribes to ${JSON.stringify(strange[0].slice(0, 80))}, which is not a topic name`)
  return { memberId, subscription: { kind: 'static', topics: Object.fromEntries(entries) } }
}

/** The thread id in an owner node; undefined: it holds none. */
export function parseOwner(data: Buffer): string | undefined {
  if (data.length === 0 || data.length > maxOwnerBytes) return undefined
  const text = data.toString('utf8')
  return /^[^\p{Cc}]+$/u.test(text) ? text : undefined
}

/** The next offset to read, as decimal digits. */
export function formatOffset(offset: bigint): Buffer {
  if (offset < 0n || offset > maxOffset) throw new RegistryError('INVALID_OFFSET', `${offset} is not an offset that can be committed.`)
  return Buffer.from(String(offset))
}

/** Undefined: no usable offset (Scala would fail on it; -1, which some clients wrote, means none). */
export function parseOffset(data: Buffer): bigint | undefined {
  if (data.length === 0 || data.length > 20) return undefined
  const text = data.toString('latin1').trim()
  if (!/^\d{1,19}$/.test(text)) return undefined
  const offset = BigInt(text)
  return offset <= maxOffset ? offset : undefined
}

/** Partition numbers among the children of an owners node; others are nobody's. */
export function partitionsOf(children: readonly string[]): number[] {
  return children.map(decimal).filter(number => number !== undefined)
}
