/**
 * The public door: everything that users import.
 */

export type {
  GroupSubscription,
  ZooKeeperGroup,
  ZooKeeperGroupListing,
  ZooKeeperGroupMember,
  ZooKeeperGroupPartition
} from './actors/admin-zookeeper-groups.ts'
export { ClusterActor, type ClusterActorRef } from './actors/cluster.ts'
export type { ClusterInput } from './actors/make-instance.ts'
export { type OpenZooKeeperOptions, openZooKeeper } from './actors/open-zookeeper.ts'
export type { OutboxView } from './actors/publish-outbox.ts'
export {
  Admin,
  type BrokerVersions,
  type GroupDescription,
  type GroupListing,
  type GroupMemberDescription,
  type GroupOffset,
  type GroupOffsetToSet,
  type TopicDescription,
  type TopicSpec
} from './client/admin.ts'
export { type Broker, Cluster, type ConnectOptions, connect } from './client/cluster.ts'
export { Consumer } from './client/consumer.ts'
export { publish, publishLogic, relayLogic } from './client/logic.ts'
export { type Partition, Topic } from './client/topic.ts'
export { ZooKeeperGroups } from './client/zookeeper-groups.ts'
export { type ClusterOptions, type Compression, type Partitioner, type PublishOptions, parseClusterUrl } from './model/config.ts'
export {
  BrokerError,
  ConnectionError,
  LimitError,
  type PlainError,
  ProtocolError,
  PublishError,
  type PublishOutcome,
  RegistryError,
  SamsaError,
  TimeoutError,
  UsageError
} from './model/errors.ts'
export type {
  ClusterEmitted,
  ClusterEvent,
  ConsumerEmitted,
  ConsumerHandle,
  SubscribeOptions,
  TopicPartition
} from './model/events.ts'
export type { AcceptedPublish, Headers, HeaderValue, Message, OutgoingMessage, OutgoingRecord, RecordMetadata } from './model/message.ts'
export type { CommittedPosition, OffsetCommit, PartitionLag, Position, SeekPosition, SeekTarget } from './model/positions.ts'
export type { Stat, WatchEvent, ZooKeeperSession } from './registry/zookeeper/session.ts'
