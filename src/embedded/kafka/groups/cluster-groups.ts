/**
 * The groups of a cluster of embedded brokers: what their coordinator needs, taken from the cluster's state. `state.part(Groups)` is the one there is.
 */
import type { ClusterState, Topic } from '../state.ts'
import { GroupCoordinator } from './coordinator.ts'
import type { GroupHost, Place, TopicView } from './host.ts'

export const OFFSETS_TOPIC = '__consumer_offsets'

export class Groups {
  readonly coordinator: GroupCoordinator
  #state: ClusterState

  constructor(state: ClusterState) {
    this.#state = state
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
      topicNames: () => [...state.topics.keys()].sort()
    }
  }
}

function viewOf(topic: Topic | undefined): TopicView | undefined {
  return topic && { name: topic.name, id: topic.id, partitions: topic.partitions.length }
}
