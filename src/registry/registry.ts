/**
 * Where brokers, topics and leaders come from: one interface with two implementations, ZooKeeper's watches
 * (`zookeeper.ts`) and the brokers' Metadata (`bootstrap.ts`). It speaks in levels: the whole set as it is now, never an edge.
 */
import type { PlainError } from '../model/errors.ts'
import type { ZooKeeperSession } from './zookeeper/session.ts'

/** A live broker and the address to dial. */
export interface BrokerInfo {
  id: number
  host: string
  port: number
  rack: string | null
  /** Broker epoch where it is known (czxid of its znode, decimal): another one is another life of the same id. */
  epoch?: string
}

export interface PartitionInfo {
  partition: number
  /** Broker ids; the first is the preferred leader. */
  replicas: number[]
}

export interface LeaderInfo {
  partition: number
  /** -1: none at the moment. */
  leader: number
  /** The higher one wins, whatever its source. -1: the source does not tell. */
  leaderEpoch: number
  inSync: number[]
}

/**
 * What a registry reports. Plain and serialisable throughout: these are recorded inputs of state machines.
 * Each carries the whole level of what it speaks of, and is emitted at the first read and when that level has changed.
 */
export type RegistryEvent =
  | {
      type: 'session'
      state: 'connecting' | 'connected' | 'suspended' | 'reconnected' | 'expired' | 'closed'
      sessionTimeoutMs?: number
      detail?: string
    }
  /** All live brokers. `quarantined`: paths whose data cannot be used; a broker known before keeps its last good entry. */
  | { type: 'brokers'; brokers: BrokerInfo[]; quarantined: string[] }
  | { type: 'controller'; brokerId: number | null }
  | { type: 'cluster'; clusterId: string | null }
  /** Names of all topics; only after `watchTopics()`. */
  | { type: 'topics'; topics: string[] }
  | { type: 'topic'; topic: string; topicId: string | null; partitions: PartitionInfo[] }
  /** A watched topic does not exist (yet, or any more). Watching goes on. */
  | { type: 'topic.missing'; topic: string }
  /** All partitions of the topic whose leader is known to the source: one event per topic and burst of changes. */
  /** `topicId`: of the topic that has them, where that is not the one that was told last. */
  | { type: 'leaders'; topic: string; source: 'zookeeper' | 'metadata'; leaders: LeaderInfo[]; topicId?: string | null }
  /** Data that cannot be used; the last good state stands. */
  | { type: 'quarantine'; path: string; error: PlainError }
  /** Survived; told so that nothing is silent. */
  | { type: 'trouble'; error: PlainError }
  /** Who tells of brokers, topics and leaders from now on, and why (`fallback.ts`). */
  | { type: 'source'; source: 'zookeeper' | 'metadata'; reason: string }
  /** Final: nothing will come any more (wrong chroot, refused credentials). */
  | { type: 'failed'; error: PlainError }

export type RegistryListener = (event: RegistryEvent) => void

export interface Registry {
  /** Once. Events come from here on, never before `start` has returned. */
  start(listener: RegistryListener): void
  /** Report the names of all topics from now on. */
  watchTopics(): void
  /** Report this topic's partitions and leaders from now on. Idempotent. */
  watchTopic(topic: string): void
  unwatchTopic(topic: string): void
  /**
   * Read again now: one topic's leaders, or everything. What was asked for is emitted **even when it has not changed**,
   * so that whoever asked gets an answer. Calls in a burst are one read.
   */
  refresh(topic?: string): void
  /**
   * A broker cannot be reached: others may lead its partitions by now. A source that is not told of that looks; what it finds is emitted when it
   * is news.
   */
  brokerUnreachable?(): void
  /** Idempotent, bounded. No event after it but `session closed`. */
  close(): Promise<void>
  /** ZooKeeper's current session, for group membership. Undefined between sessions, and with a source that has none. */
  currentSession?(): ZooKeeperSession | undefined
  /**
   * Tells of each new session as soon as it is made, and of the current one at once if there is one. Returns what removes the
   * listener. Membership registers its own `session.on` there.
   */
  onSession?(listener: (session: ZooKeeperSession) => void): () => void
  /** The brokers run without ZooKeeper; groups may still meet there. */
  readonly brokersWithoutZooKeeper?: boolean
  /** The brokers run without ZooKeeper, and it has not been reached for long: what lived there lives in Kafka now, or nowhere. */
  readonly zooKeeperGone?: boolean
  /** Called once when it is gone. Returns what removes the listener. */
  onZooKeeperGone?(listener: () => void): () => void
}
