/**
 * What the group coordinators need of their cluster, and nothing more: clock and timers, who coordinates which name, which topics there are.
 */
import type { World } from '../../../model/world.ts'
import type { GroupRecord } from './records.ts'

/** Where a name's state lives: a partition of an internal topic. */
export interface Place {
  partition: number
  /** Broker that leads the partition; -1: none. */
  leader: number
  leaderEpoch: number
}

export interface TopicView {
  name: string
  id: string
  partitions: number
}

export interface GroupHost {
  readonly world: World
  /** Of `__consumer_offsets`, by the hash of the group's name. */
  placeOf(groupId: string): Place
  topic(name: string): TopicView | undefined
  topicById(id: string): TopicView | undefined
  /** In an order that does not depend on chance. */
  topicNames(): Iterable<string>
  /** Another number whenever a topic is made, deleted or gets more partitions. */
  topicsVersion(): number
  /** Writes down what is durable. `producer`: it counts when this producer's transaction is committed. An error code. */
  journal?(groupId: string, records: readonly GroupRecord[], producer?: { producerId: bigint; producerEpoch: number }): number
}

/** Kafka's broker settings by their own names, in camel case. */
export interface GroupOptions {
  /** `group.initial.rebalance.delay.ms`. Kafka: 3000; here 0. */
  initialRebalanceDelayMs: number
  minSessionTimeoutMs: number
  maxSessionTimeoutMs: number
  maxSize: number
  /** `offset.metadata.max.bytes`. */
  offsetMetadataMaxBytes: number
  consumerSessionTimeoutMs: number
  /** `group.consumer.heartbeat.interval.ms`. Kafka: 5000; here 500, so that a group settles within a test's patience. */
  consumerHeartbeatIntervalMs: number
  consumerMaxSize: number
  /** `group.consumer.migration.policy`: whether groups change their protocol while members are in them. */
  migrationPolicy: 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled'
  /** How long a new coordinator reads (COORDINATOR_LOAD_IN_PROGRESS). */
  loadMs: number
}

export const GROUP_DEFAULTS: GroupOptions = {
  initialRebalanceDelayMs: 0,
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  maxSize: 2_147_483_647,
  offsetMetadataMaxBytes: 4_096,
  consumerSessionTimeoutMs: 45_000,
  consumerHeartbeatIntervalMs: 500,
  consumerMaxSize: 2_147_483_647,
  migrationPolicy: 'bidirectional',
  loadMs: 0
}

/** Who asks, as members show it. */
export interface Client {
  clientId: string
  clientHost: string
}

/** A random UUID in Kafka's usual text form. */
export function randomUuid(world: World): string {
  const bytes = world.randomBytes(16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
