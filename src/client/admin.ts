/**
 * `cluster.admin`: topics, offsets, groups and versions, for tools and scripts. Every call is a question to the brokers, with the
 * cluster's `requestTimeoutMs`; nothing is remembered.
 */
import type { BrokerVersions, TopicDescription, TopicSpec } from '../actors/admin-calls.ts'
import type { GroupOffset } from '../actors/admin-group-offsets.ts'
import type { GroupDescription, GroupListing } from '../actors/admin-groups.ts'
import type { Instance } from '../actors/instance.ts'
import { checkTopicName } from '../model/config.ts'
import { UsageError } from '../model/errors.ts'
import { ZooKeeperGroups } from './zookeeper-groups.ts'

export type { GroupMemberDescription } from '../actors/admin-groups.ts'
export type { BrokerVersions, GroupDescription, GroupListing, GroupOffset, TopicDescription, TopicSpec }

/** Loaded when first asked: tools need them, who publishes and consumes does not. */
const calls = () => import('../actors/admin-calls.ts')
const groupCalls = () => import('../actors/admin-groups.ts')
const offsetCalls = () => import('../actors/admin-group-offsets.ts')

/** An offset for a group: the **next** one to read. Default metadata: none. */
export interface GroupOffsetToSet {
  topic: string
  partition: number
  offset: bigint
  metadata?: string
}

const END = -1n
const BEGINNING = -2n

export class Admin {
  #instance: Instance
  #zooKeeperGroups: ZooKeeperGroups | null

  /** Made by a cluster. */
  constructor(instance: Instance) {
    this.#instance = instance
    this.#zooKeeperGroups = instance.options.zookeeper === null ? null : new ZooKeeperGroups(instance)
  }

  /** Groups whose members meet in ZooKeeper; null for a cluster that is not named by one, or has outlived it. */
  get zooKeeperGroups(): ZooKeeperGroups | null {
    return this.#instance.registry?.zooKeeperGone ? null : this.#zooKeeperGroups
  }

  /** Creates a topic. Rejects with BrokerError TOPIC_ALREADY_EXISTS and others, in the broker's words; UsageError on a bad name. */
  async createTopic(topic: string, spec: TopicSpec = {}): Promise<void> {
    checkTopicName(topic)
    await (await calls()).createTopicAs(this.#instance, topic, spec)
  }

  /** Deletes a topic and all that is in it. Rejects with BrokerError UNKNOWN_TOPIC_OR_PARTITION when there is none. */
  async deleteTopic(topic: string): Promise<void> {
    checkTopicName(topic)
    await (await calls()).deleteTopic(this.#instance, topic)
  }

  /** These topics, or all, as a broker sees them, by name. Those that do not exist are left out. */
  async topics(names?: readonly string[]): Promise<TopicDescription[]> {
    for (const name of names ?? []) checkTopicName(name)
    return (await calls()).describeTopics(this.#instance, names ?? null)
  }

  /** The cluster's id (null before Kafka 0.10.1) and controller. */
  async describeCluster(): Promise<{ clusterId: string | null; controller: number | null }> {
    return (await calls()).describeCluster(this.#instance)
  }

  /**
   * Offsets by partition: where the topic begins, where it ends (the next one to be written), or the first at or after a time
   * (-1n: there is none). Rejects with UsageError UNKNOWN_TOPIC.
   */
  async listOffsets(
    topic: string,
    at: 'earliest' | 'latest' | Date = 'latest',
    partitions?: readonly number[]
  ): Promise<Map<number, bigint>> {
    checkTopicName(topic)
    const timestamp = at === 'latest' ? END : at === 'earliest' ? BEGINNING : BigInt(at.getTime())
    return (await calls()).listOffsets(this.#instance, topic, timestamp, partitions)
  }

  /** The groups that Kafka's coordinators know. Groups whose members meet in ZooKeeper are there once they have mirrored an offset. */
  async groups(): Promise<GroupListing[]> {
    return (await groupCalls()).listGroups(this.#instance)
  }

  /**
   * A group as its coordinator sees it: state, members, what they subscribe to and own. Both of Kafka's protocols. Undefined: there is no group of
   * consumers of that name. Rejects with BrokerError (GROUP_AUTHORIZATION_FAILED …), or when no coordinator answered within `requestTimeoutMs`.
   */
  async describeGroup(group: string): Promise<GroupDescription | undefined> {
    checkGroup(group)
    return (await groupCalls()).describeGroup(this.#instance, group)
  }

  /** The next offsets that a group has committed in Kafka, in order; empty for a group that is not there. */
  async groupOffsets(group: string): Promise<GroupOffset[]> {
    checkGroup(group)
    return (await offsetCalls()).groupOffsets(this.#instance, group)
  }

  /**
   * Commits for a group without members, in Kafka; one that is not there yet comes to be. Rejects with BrokerError NON_EMPTY_GROUP while it has
   * members, and with UNKNOWN_TOPIC_OR_PARTITION and others when the coordinator refused some partitions: the others are written.
   */
  async alterGroupOffsets(group: string, offsets: readonly GroupOffsetToSet[]): Promise<void> {
    checkGroup(group)
    for (const { topic, partition, offset } of offsets) {
      checkTopicName(topic)
      if (offset < 0n || !Number.isInteger(partition) || partition < 0)
        throw new UsageError('INVALID_OPTION', `Offset ${offset} of ${topic}/${partition}: give numbers of at least 0.`)
    }
    await (await offsetCalls()).alterGroupOffsets(this.#instance, group, offsets)
  }

  /**
   * Has Kafka forget a group without members, and its offsets. Rejects with BrokerError NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND; with
   * UNSUPPORTED_VERSION before Kafka 1.1.
   */
  async deleteGroup(group: string): Promise<void> {
    checkGroup(group)
    await (await offsetCalls()).deleteGroup(this.#instance, group)
  }

  /**
   * Has Kafka forget what a group has committed of these partitions. Rejects with BrokerError GROUP_SUBSCRIBED_TO_TOPIC while members subscribe
   * to their topic, GROUP_ID_NOT_FOUND; with UNSUPPORTED_VERSION before Kafka 2.4.
   */
  async deleteGroupOffsets(group: string, partitions: readonly { topic: string; partition: number }[]): Promise<void> {
    checkGroup(group)
    for (const { topic } of partitions) checkTopicName(topic)
    await (await offsetCalls()).deleteGroupOffsets(this.#instance, group, partitions)
  }

  /** Which APIs a broker speaks, asked at its advertised address. `timeoutMs`: to reach it, and to answer. Default `requestTimeoutMs`. */
  async brokerVersions(node: number, options: { timeoutMs?: number } = {}): Promise<BrokerVersions> {
    return (await calls()).brokerVersions(this.#instance, node, options.timeoutMs ?? this.#instance.options.requestTimeoutMs)
  }
}

/** Kafka takes any text but none. */
function checkGroup(group: string): void {
  if (typeof group !== 'string' || group === '') throw new UsageError('INVALID_OPTION', 'A group has a name that is not empty.')
}
