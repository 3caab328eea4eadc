/**
 * The groups of a cluster of embedded brokers: what their coordinator needs, taken from the cluster's state. `state.part(Groups)` is the one there is.
 */

import type { Topic } from '../cluster-types.ts'
import type { ClusterState } from '../state.ts'
import { GroupCoordinator } from './coordinator.ts'
import type { GroupHost, Place, TopicView } from './host.ts'
import { InternalLog } from './internal-log.ts'
import { readRecord, writeRecord } from './records.ts'

export const OFFSETS_TOPIC = '__consumer_offsets'

export class Groups {
  readonly coordinator: GroupCoordinator
  #state: ClusterState
  #log: InternalLog

  constructor(state: ClusterState) {
    this.#state = state
    this.#log = new InternalLog(state, OFFSETS_TOPIC)
    const number = (name: string) => state.configs.brokerNumber(name)
    this.coordinator = new GroupCoordinator(this.#host(), {
      initialRebalanceDelayMs: number('group.initial.rebalance.delay.ms'),
      minSessionTimeoutMs: number('group.min.session.timeout.ms'),
      maxSessionTimeoutMs: number('group.max.session.timeout.ms'),
      maxSize: number('group.max.size'),
      offsetMetadataMaxBytes: number('offset.metadata.max.bytes'),
      consumerHeartbeatIntervalMs: number('group.consumer.heartbeat.interval.ms'),
      consumerSessionTimeoutMs: number('group.consumer.session.timeout.ms'),
      consumerMaxSize: number('group.consumer.max.size')
    })
    this.#restore()
    state.observe(event => {
      if (event.type === 'partition-changed' && event.partition.topic === OFFSETS_TOPIC)
        this.coordinator.follow({
          partition: event.partition.index,
          leader: event.partition.leader,
          leaderEpoch: event.partition.leaderEpoch
        })
      else if (event.type === 'topic-deleted') this.coordinator.keeper.forgetTopic(event.topic.name)
    })
  }

  /** All timers end. */
  close(): void {
    this.coordinator.close()
  }

  /** Which partition of `__consumer_offsets` a group's name falls on. */
  partitionOf(groupId: string): number {
    return this.#state.coordinatorPartition('group', groupId)?.index ?? 0
  }

  /** Logs that are there already, of a process before this one: what they say is what there is. */
  #restore(): void {
    for (let partition = 0; partition < this.#log.partitions; partition++)
      for (const { records, producerId, marker } of this.#log.read(partition)) {
        if (marker) this.coordinator.transactionEnded(partition, producerId, marker.commit)
        for (const each of records) {
          const record = readRecord(each)
          if (record) this.coordinator.restore(record, producerId)
        }
      }
    this.coordinator.restored()
  }

  #host(): GroupHost {
    const state = this.#state
    return {
      world: state.world,
      placeOf(groupId): Place {
        const partition = state.coordinatorPartition('group', groupId)
        return { partition: partition?.index ?? 0, leader: partition?.leader ?? -1, leaderEpoch: partition?.leaderEpoch ?? 0 }
      },
      topic: name => viewOf(state.topic(name)),
      topicById: id => viewOf(state.topicById(id)),
      topicNames: () => [...state.topics.keys()].sort(),
      topicsVersion: () => state.topicsVersion,
      journal: (groupId, records, producer) => {
        const now = state.world.now()
        const partition = this.partitionOf(groupId)
        const written = this.#log.append(
          partition,
          records.map(each => writeRecord(each, now)),
          producer
        )
        const all = () => this.coordinator.records(partition)
        if (this.#log.isLong(partition))
          this.#log.compact(
            partition,
            all()?.map(each => writeRecord(each, now))
          )
        return written
      }
    }
  }
}

function viewOf(topic: Topic | undefined): TopicView | undefined {
  return topic && { name: topic.name, id: topic.id, partitions: topic.partitions.length }
}
