/**
 * `cluster.admin`: topics, offsets, groups and versions, for tools and scripts. Every call is a question to the brokers, with the
 * cluster's `requestTimeoutMs`; nothing is remembered.
 */
import {
  type BrokerVersions,
  brokerVersions,
  createTopicAs,
  deleteTopic,
  describeCluster,
  describeTopics,
  type GroupListing,
  groupOffsets,
  listGroups,
  listOffsets,
  type TopicDescription,
  type TopicSpec
} from '../actors/admin-calls.ts'
import type { Instance } from '../actors/instance.ts'
import { checkTopicName } from '../model/config.ts'

export type { BrokerVersions, GroupListing, TopicDescription, TopicSpec }

const END = -1n
const BEGINNING = -2n

export class Admin {
  #instance: Instance

  /** Made by a cluster. */
  constructor(instance: Instance) {
    this.#instance = instance
  }

  /** Creates a topic. Rejects with BrokerError TOPIC_ALREADY_EXISTS and others, in the broker's words; UsageError on a bad name. */
  async createTopic(topic: string, spec: TopicSpec = {}): Promise<void> {
    checkTopicName(topic)
    await createTopicAs(this.#instance, topic, spec)
  }

  /** Deletes a topic and all that is in it. Rejects with BrokerError UNKNOWN_TOPIC_OR_PARTITION when there is none. */
  async deleteTopic(topic: string): Promise<void> {
    checkTopicName(topic)
    await deleteTopic(this.#instance, topic)
  }

  /** These topics, or all, as a broker sees them, by name. Those that do not exist are left out. */
  async topics(names?: readonly string[]): Promise<TopicDescription[]> {
    for (const name of names ?? []) checkTopicName(name)
    return describeTopics(this.#instance, names ?? null)
  }

  /** The cluster's id (null before Kafka 0.10.1) and controller. */
  describeCluster(): Promise<{ clusterId: string | null; controller: number | null }> {
    return describeCluster(this.#instance)
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
    return listOffsets(this.#instance, topic, timestamp, partitions)
  }

  /** The groups that Kafka's coordinators know. Groups whose members meet in ZooKeeper are there once they have mirrored an offset. */
  groups(): Promise<GroupListing[]> {
    return listGroups(this.#instance)
  }

  /** The next offsets that a group has committed in Kafka. */
  groupOffsets(group: string): Promise<{ topic: string; partition: number; offset: bigint }[]> {
    return groupOffsets(this.#instance, group)
  }

  /** Which APIs a broker speaks, asked at its advertised address. `timeoutMs`: to reach it, and to answer. Default `requestTimeoutMs`. */
  brokerVersions(node: number, options: { timeoutMs?: number } = {}): Promise<BrokerVersions> {
    return brokerVersions(this.#instance, node, options.timeoutMs ?? this.#instance.options.requestTimeoutMs)
  }
}
