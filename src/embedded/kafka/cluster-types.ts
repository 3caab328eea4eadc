/**
 * What the shared state of a cluster consists of, and what is told of its changes.
 */
import type { World } from '../../model/world.ts'
import type { ConfigResource } from './configs.ts'
import type { Partition } from './partition.ts'

export interface BrokerNode {
  readonly id: number
  host: string
  port: number
  rack: string | null
  /** Its process runs. */
  running: boolean
  /** The controller knows it as alive: `/brokers/ids/N` is there. */
  registered: boolean
  /** A fault keeps it from following leaders (frozen, or cut off from them). */
  held: boolean
}

export interface Topic {
  readonly name: string
  readonly id: string
  readonly internal: boolean
  readonly partitions: Partition[]
  /** Until then Metadata shows no leader (`leaderDelayMs`). World's clock. */
  leadersFrom: number
}

/** What somebody who mirrors the cluster (into ZooKeeper, into files) hears of. */
export type ClusterEvent =
  | { type: 'topic-created' | 'topic-deleted' | 'partitions-added'; topic: Topic }
  | { type: 'partition-changed'; partition: Partition }
  | { type: 'log-changed'; partition: Partition; brokerId: number }
  | { type: 'config-changed'; resource: ConfigResource; name: string }
  | { type: 'broker-up' | 'broker-down' | 'controller-changed'; brokerId: number }
  | { type: 'producer-ids' }

/** Which transactions may write; the transactions' coordinator puts itself here. */
export interface TransactionDoor {
  /**
   * Before a transactional batch is appended: an error code (0: go on). `join`: the partition joins the transaction by the write itself
   * (Produce from v12, KIP-890); without it the partition must have been added.
   */
  mayWrite(batch: {
    transactionalId: string
    producerId: bigint
    producerEpoch: number
    topic: string
    partition: number
    join: boolean
  }): number | Promise<number>
}

export interface ClusterStateOptions {
  world: World
  /** 22 characters, as Kafka's. Default: random. */
  clusterId?: string
  /** Default 0. */
  firstProducerId?: bigint
  /** Of every broker, as in server.properties. */
  config?: Readonly<Record<string, string>>
  /** Passwords by user: whoever connects must show one by SASL (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512). Default: nobody needs to. */
  users?: Readonly<Record<string, string>>
  /** How long a new topic has no leaders in Metadata (LEADER_NOT_AVAILABLE), ms. Default 0. */
  leaderDelayMs?: number
  /** Deaths of brokers are answered by elections here and at once (default), or by a controller that calls `brokerDown` and `brokerUp`. */
  governed?: 'here' | 'elsewhere'
}
