/**
 * The table of all APIs that a broker answers. A new one is a file under `apis/` and a line here; of two for one API the later counts.
 */
import { alterConfigs } from './apis/alter-configs.ts'
import { apiVersions } from './apis/api-versions.ts'
import { createPartitions } from './apis/create-partitions.ts'
import { createTopics } from './apis/create-topics.ts'
import { deleteRecords } from './apis/delete-records.ts'
import { deleteTopics } from './apis/delete-topics.ts'
import { describeCluster } from './apis/describe-cluster.ts'
import { describeConfigs } from './apis/describe-configs.ts'
import { describeLogDirs } from './apis/describe-log-dirs.ts'
import { describeProducers } from './apis/describe-producers.ts'
import { describeTopicPartitions } from './apis/describe-topic-partitions.ts'
import { electLeaders } from './apis/elect-leaders.ts'
import { fetch } from './apis/fetch.ts'
import { incrementalAlterConfigs } from './apis/incremental-alter-configs.ts'
import { listOffsets } from './apis/list-offsets.ts'
import { metadata } from './apis/metadata.ts'
import { offsetForLeaderEpoch } from './apis/offset-for-leader-epoch.ts'
import { produce } from './apis/produce.ts'
import { saslAuthenticate } from './apis/sasl-authenticate.ts'
import { saslHandshake } from './apis/sasl-handshake.ts'
import type { AnyHandler } from './broker.ts'
import { GROUP_HANDLERS } from './groups/index.ts'
import { TRANSACTION_HANDLERS } from './transactions/index.ts'

export const HANDLERS: readonly AnyHandler[] = [
  apiVersions,
  saslHandshake,
  saslAuthenticate,
  metadata,
  describeCluster,
  describeTopicPartitions,
  produce,
  fetch,
  listOffsets,
  offsetForLeaderEpoch,
  createTopics,
  deleteTopics,
  createPartitions,
  deleteRecords,
  describeConfigs,
  incrementalAlterConfigs,
  alterConfigs,
  describeLogDirs,
  describeProducers,
  electLeaders,
  ...GROUP_HANDLERS,
  ...TRANSACTION_HANDLERS
]
