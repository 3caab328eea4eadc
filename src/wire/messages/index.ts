// Made by `npm run schemas` from Kafka's own schemas. Do not edit.
import type { Definition } from '../definition.ts'
import * as apiVersions from './api-versions.ts'
import * as initProducerId from './init-producer-id.ts'
import * as metadata from './metadata.ts'
import * as produce from './produce.ts'

/** Every API's types, by name. */
export interface ApiTypes {
  Produce: { request: import('./produce.ts').ProduceRequest; response: import('./produce.ts').ProduceResponse }
  Fetch: { request: import('./fetch.ts').FetchRequest; response: import('./fetch.ts').FetchResponse }
  ListOffsets: { request: import('./list-offsets.ts').ListOffsetsRequest; response: import('./list-offsets.ts').ListOffsetsResponse }
  Metadata: { request: import('./metadata.ts').MetadataRequest; response: import('./metadata.ts').MetadataResponse }
  OffsetCommit: { request: import('./offset-commit.ts').OffsetCommitRequest; response: import('./offset-commit.ts').OffsetCommitResponse }
  OffsetFetch: { request: import('./offset-fetch.ts').OffsetFetchRequest; response: import('./offset-fetch.ts').OffsetFetchResponse }
  FindCoordinator: { request: import('./find-coordinator.ts').FindCoordinatorRequest; response: import('./find-coordinator.ts').FindCoordinatorResponse }
  JoinGroup: { request: import('./join-group.ts').JoinGroupRequest; response: import('./join-group.ts').JoinGroupResponse }
  Heartbeat: { request: import('./heartbeat.ts').HeartbeatRequest; response: import('./heartbeat.ts').HeartbeatResponse }
  LeaveGroup: { request: import('./leave-group.ts').LeaveGroupRequest; response: import('./leave-group.ts').LeaveGroupResponse }
  SyncGroup: { request: import('./sync-group.ts').SyncGroupRequest; response: import('./sync-group.ts').SyncGroupResponse }
  DescribeGroups: { request: import('./describe-groups.ts').DescribeGroupsRequest; response: import('./describe-groups.ts').DescribeGroupsResponse }
  ListGroups: { request: import('./list-groups.ts').ListGroupsRequest; response: import('./list-groups.ts').ListGroupsResponse }
  SaslHandshake: { request: import('./sasl-handshake.ts').SaslHandshakeRequest; response: import('./sasl-handshake.ts').SaslHandshakeResponse }
  ApiVersions: { request: import('./api-versions.ts').ApiVersionsRequest; response: import('./api-versions.ts').ApiVersionsResponse }
  CreateTopics: { request: import('./create-topics.ts').CreateTopicsRequest; response: import('./create-topics.ts').CreateTopicsResponse }
  DeleteTopics: { request: import('./delete-topics.ts').DeleteTopicsRequest; response: import('./delete-topics.ts').DeleteTopicsResponse }
  DeleteRecords: { request: import('./delete-records.ts').DeleteRecordsRequest; response: import('./delete-records.ts').DeleteRecordsResponse }
  InitProducerId: { request: import('./init-producer-id.ts').InitProducerIdRequest; response: import('./init-producer-id.ts').InitProducerIdResponse }
  OffsetForLeaderEpoch: { request: import('./offset-for-leader-epoch.ts').OffsetForLeaderEpochRequest; response: import('./offset-for-leader-epoch.ts').OffsetForLeaderEpochResponse }
  AddPartitionsToTxn: { request: import('./add-partitions-to-txn.ts').AddPartitionsToTxnRequest; response: import('./add-partitions-to-txn.ts').AddPartitionsToTxnResponse }
  AddOffsetsToTxn: { request: import('./add-offsets-to-txn.ts').AddOffsetsToTxnRequest; response: import('./add-offsets-to-txn.ts').AddOffsetsToTxnResponse }
  EndTxn: { request: import('./end-txn.ts').EndTxnRequest; response: import('./end-txn.ts').EndTxnResponse }
  WriteTxnMarkers: { request: import('./write-txn-markers.ts').WriteTxnMarkersRequest; response: import('./write-txn-markers.ts').WriteTxnMarkersResponse }
  TxnOffsetCommit: { request: import('./txn-offset-commit.ts').TxnOffsetCommitRequest; response: import('./txn-offset-commit.ts').TxnOffsetCommitResponse }
  DescribeAcls: { request: import('./describe-acls.ts').DescribeAclsRequest; response: import('./describe-acls.ts').DescribeAclsResponse }
  CreateAcls: { request: import('./create-acls.ts').CreateAclsRequest; response: import('./create-acls.ts').CreateAclsResponse }
  DeleteAcls: { request: import('./delete-acls.ts').DeleteAclsRequest; response: import('./delete-acls.ts').DeleteAclsResponse }
  DescribeConfigs: { request: import('./describe-configs.ts').DescribeConfigsRequest; response: import('./describe-configs.ts').DescribeConfigsResponse }
  AlterConfigs: { request: import('./alter-configs.ts').AlterConfigsRequest; response: import('./alter-configs.ts').AlterConfigsResponse }
  AlterReplicaLogDirs: { request: import('./alter-replica-log-dirs.ts').AlterReplicaLogDirsRequest; response: import('./alter-replica-log-dirs.ts').AlterReplicaLogDirsResponse }
  DescribeLogDirs: { request: import('./describe-log-dirs.ts').DescribeLogDirsRequest; response: import('./describe-log-dirs.ts').DescribeLogDirsResponse }
  SaslAuthenticate: { request: import('./sasl-authenticate.ts').SaslAuthenticateRequest; response: import('./sasl-authenticate.ts').SaslAuthenticateResponse }
  CreatePartitions: { request: import('./create-partitions.ts').CreatePartitionsRequest; response: import('./create-partitions.ts').CreatePartitionsResponse }
  CreateDelegationToken: { request: import('./create-delegation-token.ts').CreateDelegationTokenRequest; response: import('./create-delegation-token.ts').CreateDelegationTokenResponse }
  RenewDelegationToken: { request: import('./renew-delegation-token.ts').RenewDelegationTokenRequest; response: import('./renew-delegation-token.ts').RenewDelegationTokenResponse }
  ExpireDelegationToken: { request: import('./expire-delegation-token.ts').ExpireDelegationTokenRequest; response: import('./expire-delegation-token.ts').ExpireDelegationTokenResponse }
  DescribeDelegationToken: { request: import('./describe-delegation-token.ts').DescribeDelegationTokenRequest; response: import('./describe-delegation-token.ts').DescribeDelegationTokenResponse }
  DeleteGroups: { request: import('./delete-groups.ts').DeleteGroupsRequest; response: import('./delete-groups.ts').DeleteGroupsResponse }
  ElectLeaders: { request: import('./elect-leaders.ts').ElectLeadersRequest; response: import('./elect-leaders.ts').ElectLeadersResponse }
  IncrementalAlterConfigs: { request: import('./incremental-alter-configs.ts').IncrementalAlterConfigsRequest; response: import('./incremental-alter-configs.ts').IncrementalAlterConfigsResponse }
  AlterPartitionReassignments: { request: import('./alter-partition-reassignments.ts').AlterPartitionReassignmentsRequest; response: import('./alter-partition-reassignments.ts').AlterPartitionReassignmentsResponse }
  ListPartitionReassignments: { request: import('./list-partition-reassignments.ts').ListPartitionReassignmentsRequest; response: import('./list-partition-reassignments.ts').ListPartitionReassignmentsResponse }
  OffsetDelete: { request: import('./offset-delete.ts').OffsetDeleteRequest; response: import('./offset-delete.ts').OffsetDeleteResponse }
  DescribeClientQuotas: { request: import('./describe-client-quotas.ts').DescribeClientQuotasRequest; response: import('./describe-client-quotas.ts').DescribeClientQuotasResponse }
  AlterClientQuotas: { request: import('./alter-client-quotas.ts').AlterClientQuotasRequest; response: import('./alter-client-quotas.ts').AlterClientQuotasResponse }
  DescribeUserScramCredentials: { request: import('./describe-user-scram-credentials.ts').DescribeUserScramCredentialsRequest; response: import('./describe-user-scram-credentials.ts').DescribeUserScramCredentialsResponse }
  AlterUserScramCredentials: { request: import('./alter-user-scram-credentials.ts').AlterUserScramCredentialsRequest; response: import('./alter-user-scram-credentials.ts').AlterUserScramCredentialsResponse }
  DescribeQuorum: { request: import('./describe-quorum.ts').DescribeQuorumRequest; response: import('./describe-quorum.ts').DescribeQuorumResponse }
  UpdateFeatures: { request: import('./update-features.ts').UpdateFeaturesRequest; response: import('./update-features.ts').UpdateFeaturesResponse }
  DescribeCluster: { request: import('./describe-cluster.ts').DescribeClusterRequest; response: import('./describe-cluster.ts').DescribeClusterResponse }
  DescribeProducers: { request: import('./describe-producers.ts').DescribeProducersRequest; response: import('./describe-producers.ts').DescribeProducersResponse }
  UnregisterBroker: { request: import('./unregister-broker.ts').UnregisterBrokerRequest; response: import('./unregister-broker.ts').UnregisterBrokerResponse }
  DescribeTransactions: { request: import('./describe-transactions.ts').DescribeTransactionsRequest; response: import('./describe-transactions.ts').DescribeTransactionsResponse }
  ListTransactions: { request: import('./list-transactions.ts').ListTransactionsRequest; response: import('./list-transactions.ts').ListTransactionsResponse }
  ConsumerGroupHeartbeat: { request: import('./consumer-group-heartbeat.ts').ConsumerGroupHeartbeatRequest; response: import('./consumer-group-heartbeat.ts').ConsumerGroupHeartbeatResponse }
  ConsumerGroupDescribe: { request: import('./consumer-group-describe.ts').ConsumerGroupDescribeRequest; response: import('./consumer-group-describe.ts').ConsumerGroupDescribeResponse }
  GetTelemetrySubscriptions: { request: import('./get-telemetry-subscriptions.ts').GetTelemetrySubscriptionsRequest; response: import('./get-telemetry-subscriptions.ts').GetTelemetrySubscriptionsResponse }
  PushTelemetry: { request: import('./push-telemetry.ts').PushTelemetryRequest; response: import('./push-telemetry.ts').PushTelemetryResponse }
  ListConfigResources: { request: import('./list-config-resources.ts').ListConfigResourcesRequest; response: import('./list-config-resources.ts').ListConfigResourcesResponse }
  DescribeTopicPartitions: { request: import('./describe-topic-partitions.ts').DescribeTopicPartitionsRequest; response: import('./describe-topic-partitions.ts').DescribeTopicPartitionsResponse }
  ShareGroupHeartbeat: { request: import('./share-group-heartbeat.ts').ShareGroupHeartbeatRequest; response: import('./share-group-heartbeat.ts').ShareGroupHeartbeatResponse }
  ShareGroupDescribe: { request: import('./share-group-describe.ts').ShareGroupDescribeRequest; response: import('./share-group-describe.ts').ShareGroupDescribeResponse }
  ShareFetch: { request: import('./share-fetch.ts').ShareFetchRequest; response: import('./share-fetch.ts').ShareFetchResponse }
  ShareAcknowledge: { request: import('./share-acknowledge.ts').ShareAcknowledgeRequest; response: import('./share-acknowledge.ts').ShareAcknowledgeResponse }
  AddRaftVoter: { request: import('./add-raft-voter.ts').AddRaftVoterRequest; response: import('./add-raft-voter.ts').AddRaftVoterResponse }
  RemoveRaftVoter: { request: import('./remove-raft-voter.ts').RemoveRaftVoterRequest; response: import('./remove-raft-voter.ts').RemoveRaftVoterResponse }
  StreamsGroupHeartbeat: { request: import('./streams-group-heartbeat.ts').StreamsGroupHeartbeatRequest; response: import('./streams-group-heartbeat.ts').StreamsGroupHeartbeatResponse }
  StreamsGroupDescribe: { request: import('./streams-group-describe.ts').StreamsGroupDescribeRequest; response: import('./streams-group-describe.ts').StreamsGroupDescribeResponse }
  DescribeShareGroupOffsets: { request: import('./describe-share-group-offsets.ts').DescribeShareGroupOffsetsRequest; response: import('./describe-share-group-offsets.ts').DescribeShareGroupOffsetsResponse }
  AlterShareGroupOffsets: { request: import('./alter-share-group-offsets.ts').AlterShareGroupOffsetsRequest; response: import('./alter-share-group-offsets.ts').AlterShareGroupOffsetsResponse }
  DeleteShareGroupOffsets: { request: import('./delete-share-group-offsets.ts').DeleteShareGroupOffsetsRequest; response: import('./delete-share-group-offsets.ts').DeleteShareGroupOffsetsResponse }
}

/** Every API: its key, and how to load its definitions. */
export const API_TABLE: Record<keyof ApiTypes, { key: number; versions: readonly [number, number]; load: () => Promise<{ request: Definition; response: Definition }> }> = {
  Produce: { key: 0, versions: [0, 13], load: () => Promise.resolve(produce) },
  Fetch: { key: 1, versions: [0, 18], load: () => import('./fetch.ts') },
  ListOffsets: { key: 2, versions: [0, 11], load: () => import('./list-offsets.ts') },
  Metadata: { key: 3, versions: [0, 13], load: () => Promise.resolve(metadata) },
  OffsetCommit: { key: 8, versions: [0, 10], load: () => import('./offset-commit.ts') },
  OffsetFetch: { key: 9, versions: [0, 10], load: () => import('./offset-fetch.ts') },
  FindCoordinator: { key: 10, versions: [0, 6], load: () => import('./find-coordinator.ts') },
  JoinGroup: { key: 11, versions: [0, 9], load: () => import('./join-group.ts') },
  Heartbeat: { key: 12, versions: [0, 4], load: () => import('./heartbeat.ts') },
  LeaveGroup: { key: 13, versions: [0, 5], load: () => import('./leave-group.ts') },
  SyncGroup: { key: 14, versions: [0, 5], load: () => import('./sync-group.ts') },
  DescribeGroups: { key: 15, versions: [0, 6], load: () => import('./describe-groups.ts') },
  ListGroups: { key: 16, versions: [0, 5], load: () => import('./list-groups.ts') },
  SaslHandshake: { key: 17, versions: [0, 1], load: () => import('./sasl-handshake.ts') },
  ApiVersions: { key: 18, versions: [0, 4], load: () => Promise.resolve(apiVersions) },
  CreateTopics: { key: 19, versions: [0, 7], load: () => import('./create-topics.ts') },
  DeleteTopics: { key: 20, versions: [0, 6], load: () => import('./delete-topics.ts') },
  DeleteRecords: { key: 21, versions: [0, 2], load: () => import('./delete-records.ts') },
  InitProducerId: { key: 22, versions: [0, 6], load: () => Promise.resolve(initProducerId) },
  OffsetForLeaderEpoch: { key: 23, versions: [0, 4], load: () => import('./offset-for-leader-epoch.ts') },
  AddPartitionsToTxn: { key: 24, versions: [0, 5], load: () => import('./add-partitions-to-txn.ts') },
  AddOffsetsToTxn: { key: 25, versions: [0, 4], load: () => import('./add-offsets-to-txn.ts') },
  EndTxn: { key: 26, versions: [0, 5], load: () => import('./end-txn.ts') },
  WriteTxnMarkers: { key: 27, versions: [0, 2], load: () => import('./write-txn-markers.ts') },
  TxnOffsetCommit: { key: 28, versions: [0, 5], load: () => import('./txn-offset-commit.ts') },
  DescribeAcls: { key: 29, versions: [0, 3], load: () => import('./describe-acls.ts') },
  CreateAcls: { key: 30, versions: [0, 3], load: () => import('./create-acls.ts') },
  DeleteAcls: { key: 31, versions: [0, 3], load: () => import('./delete-acls.ts') },
  DescribeConfigs: { key: 32, versions: [0, 4], load: () => import('./describe-configs.ts') },
  AlterConfigs: { key: 33, versions: [0, 2], load: () => import('./alter-configs.ts') },
  AlterReplicaLogDirs: { key: 34, versions: [0, 2], load: () => import('./alter-replica-log-dirs.ts') },
  DescribeLogDirs: { key: 35, versions: [0, 5], load: () => import('./describe-log-dirs.ts') },
  SaslAuthenticate: { key: 36, versions: [0, 2], load: () => import('./sasl-authenticate.ts') },
  CreatePartitions: { key: 37, versions: [0, 3], load: () => import('./create-partitions.ts') },
  CreateDelegationToken: { key: 38, versions: [0, 3], load: () => import('./create-delegation-token.ts') },
  RenewDelegationToken: { key: 39, versions: [0, 2], load: () => import('./renew-delegation-token.ts') },
  ExpireDelegationToken: { key: 40, versions: [0, 2], load: () => import('./expire-delegation-token.ts') },
  DescribeDelegationToken: { key: 41, versions: [0, 3], load: () => import('./describe-delegation-token.ts') },
  DeleteGroups: { key: 42, versions: [0, 2], load: () => import('./delete-groups.ts') },
  ElectLeaders: { key: 43, versions: [0, 2], load: () => import('./elect-leaders.ts') },
  IncrementalAlterConfigs: { key: 44, versions: [0, 1], load: () => import('./incremental-alter-configs.ts') },
  AlterPartitionReassignments: { key: 45, versions: [0, 1], load: () => import('./alter-partition-reassignments.ts') },
  ListPartitionReassignments: { key: 46, versions: [0, 0], load: () => import('./list-partition-reassignments.ts') },
  OffsetDelete: { key: 47, versions: [0, 0], load: () => import('./offset-delete.ts') },
  DescribeClientQuotas: { key: 48, versions: [0, 1], load: () => import('./describe-client-quotas.ts') },
  AlterClientQuotas: { key: 49, versions: [0, 1], load: () => import('./alter-client-quotas.ts') },
  DescribeUserScramCredentials: { key: 50, versions: [0, 0], load: () => import('./describe-user-scram-credentials.ts') },
  AlterUserScramCredentials: { key: 51, versions: [0, 0], load: () => import('./alter-user-scram-credentials.ts') },
  DescribeQuorum: { key: 55, versions: [0, 2], load: () => import('./describe-quorum.ts') },
  UpdateFeatures: { key: 57, versions: [0, 2], load: () => import('./update-features.ts') },
  DescribeCluster: { key: 60, versions: [0, 2], load: () => import('./describe-cluster.ts') },
  DescribeProducers: { key: 61, versions: [0, 0], load: () => import('./describe-producers.ts') },
  UnregisterBroker: { key: 64, versions: [0, 0], load: () => import('./unregister-broker.ts') },
  DescribeTransactions: { key: 65, versions: [0, 0], load: () => import('./describe-transactions.ts') },
  ListTransactions: { key: 66, versions: [0, 2], load: () => import('./list-transactions.ts') },
  ConsumerGroupHeartbeat: { key: 68, versions: [0, 1], load: () => import('./consumer-group-heartbeat.ts') },
  ConsumerGroupDescribe: { key: 69, versions: [0, 1], load: () => import('./consumer-group-describe.ts') },
  GetTelemetrySubscriptions: { key: 71, versions: [0, 0], load: () => import('./get-telemetry-subscriptions.ts') },
  PushTelemetry: { key: 72, versions: [0, 0], load: () => import('./push-telemetry.ts') },
  ListConfigResources: { key: 74, versions: [0, 1], load: () => import('./list-config-resources.ts') },
  DescribeTopicPartitions: { key: 75, versions: [0, 0], load: () => import('./describe-topic-partitions.ts') },
  ShareGroupHeartbeat: { key: 76, versions: [0, 1], load: () => import('./share-group-heartbeat.ts') },
  ShareGroupDescribe: { key: 77, versions: [0, 1], load: () => import('./share-group-describe.ts') },
  ShareFetch: { key: 78, versions: [0, 2], load: () => import('./share-fetch.ts') },
  ShareAcknowledge: { key: 79, versions: [0, 2], load: () => import('./share-acknowledge.ts') },
  AddRaftVoter: { key: 80, versions: [0, 1], load: () => import('./add-raft-voter.ts') },
  RemoveRaftVoter: { key: 81, versions: [0, 0], load: () => import('./remove-raft-voter.ts') },
  StreamsGroupHeartbeat: { key: 88, versions: [0, 0], load: () => import('./streams-group-heartbeat.ts') },
  StreamsGroupDescribe: { key: 89, versions: [0, 0], load: () => import('./streams-group-describe.ts') },
  DescribeShareGroupOffsets: { key: 90, versions: [0, 1], load: () => import('./describe-share-group-offsets.ts') },
  AlterShareGroupOffsets: { key: 91, versions: [0, 0], load: () => import('./alter-share-group-offsets.ts') },
  DeleteShareGroupOffsets: { key: 92, versions: [0, 0], load: () => import('./delete-share-group-offsets.ts') }
}
