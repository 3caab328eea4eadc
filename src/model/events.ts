/**
 * What goes into a ClusterActor and what comes out of it. Commands are upper case, emissions dotted lower case
 * (XState's convention, so that wildcards match). Ids that a command carries come back in its emissions.
 */
import type { Assignor, AssignorName } from './assignor.ts'
import type { PlainError } from './errors.ts'
import type { FetchEmitted } from './fetch-events.ts'
import type { Message, OutgoingMessage } from './message.ts'
import type { CommittedPosition, OffsetCommit, PartitionLag, Position, PositionEmitted, SeekPosition, TopicPartition } from './positions.ts'

export type { TopicPartition } from './positions.ts'

/** A consumer of one or more topics. Exactly one of `topic`, `topics`, `pattern` and `partitions`. */
export interface SubscribeOptions {
  topic?: string
  topics?: readonly string[]
  /**
   * A whole-name match over the topics that exist now and later. New ones are heard of at once through ZooKeeper, and in the `consumer` protocol
   * as soon as its coordinator knows; otherwise when metadata is asked for again (`metadataMaxAgeMs`).
   */
  pattern?: string
  /** Manual assignment, without a group's rebalancing: these partitions, now. `group` then only names where offsets are committed. */
  partitions?: readonly { topic: string; partition: number; offset?: bigint }[]
  /** Members of one group share the partitions. Without it: a group of its own, every message of the topic, nothing committed. */
  group?: string
  /**
   * How the members of the group find each other: over `zookeeper`, by Kafka's `classic` protocol, by the `consumer` protocol of
   * Kafka 4 (KIP-848), or not at all (`manual`: every partition for this one). Default with a group: `auto`, which keeps a group in the
   * ZooKeeper that names the cluster unless it has moved, and else takes the newest that the brokers offer; the choice is an event.
   */
  membership?: 'auto' | 'zookeeper' | 'classic' | 'consumer' | 'manual'
  /**
   * Makes this a static member of a Kafka group (KIP-345): it may be away for `groupSessionTimeoutMs` without losing its partitions. Refused with
   * `zookeeper` and `manual`; without effect while `auto` keeps the group in ZooKeeper.
   */
  groupInstanceId?: string
  /**
   * Where to begin when nothing is committed, and when the committed offset is gone. A Date: the first message at or after it;
   * `{ durationMs }`: at or after that long ago (KIP-1106). Default latest.
   */
  from?: 'earliest' | 'latest' | 'fail' | Date | { durationMs: number }
  /** Commit what was processed: after this many ms (default 5,000), on revoke and on close; false: only `commit()` commits. */
  autoCommitIntervalMs?: number | false
  /** Also write committed offsets to Kafka, so that its tools show the lag. Default true. */
  mirrorOffsets?: boolean
  /**
   * Who gets what. Over ZooKeeper: `range` (default) or `roundrobin`, as every other member has it. In a classic group: one or several,
   * own ones too, the preferred one first; default `cooperative-sticky`, or what the group speaks already.
   */
  assignor?: AssignorName | Assignor | readonly (AssignorName | Assignor)[]
  /** The broker's assignor in the `consumer` protocol, such as `uniform` or `range`. Default the broker's. */
  remoteAssignor?: string
  /** Keys roundrobin's order as Scala members from 1.0.0 (`modern`) or to 0.11 (`legacy`) do. Default modern. */
  roundrobinOrder?: 'modern' | 'legacy'
  /** Messages handed out at once, per partition. Default 500. */
  batchMaxMessages?: number
  /** Fetched and not yet processed, per partition; fetching of that partition rests above it. Default 4 MiB. */
  partitionCreditBytes?: number
  fetchMinBytes?: number
  fetchMaxBytes?: number
  fetchMaxWaitMs?: number
  /** Most of one partition in one fetch. Default 1 MiB. */
  partitionFetchMaxBytes?: number
  /**
   * How long a batch in hand may stand still before the member counts as stuck: told as an event, and in Kafka's own groups it leaves
   * until the work goes on (`max.poll.interval.ms`). Default 300,000.
   */
  maxPollIntervalMs?: number
  /**
   * How long a revoked partition may take to finish the work in hand. Default over ZooKeeper 4,000 (a Scala peer gives up after 8 s), in Kafka's
   * own groups `maxPollIntervalMs` (the group waits that long) less `heartbeatIntervalMs` (by which a member hears of it), half of it at least.
   */
  revokeTimeoutMs?: number
  /** A member of a Kafka group that is not heard of for this long is out of it (`session.timeout.ms`). Default 45,000. */
  groupSessionTimeoutMs?: number
  /**
   * How often a member of a classic group is heard of, at least (`heartbeat.interval.ms`); after a generation has begun it asks more often for
   * a while, so that others who join are noticed soon. Default 3,000.
   */
  heartbeatIntervalMs?: number
  /** How often the event `partition.lag` comes, while somebody listens for it. Default 5,000; 0: never. */
  lagIntervalMs?: number
  /** What to do with a batch whose handler threw: hand it out again, stop that partition, or stop the consumer. Default retry. */
  onHandlerError?: 'retry' | 'park' | 'stop'
  /** `read_committed` hides aborted and open transactions. Default read_uncommitted. */
  isolation?: 'read_uncommitted' | 'read_committed'
}

/** Commands of a ClusterActor. */
export type ClusterEvent =
  | {
      type: 'PUBLISH'
      /** Comes back in `published` or `publish.failed`. */
      id?: string | number
      topic: string
      /** A list goes to one partition, in order. */
      messages: OutgoingMessage | readonly OutgoingMessage[]
    }
  | ({ type: 'SUBSCRIBE'; id?: string | number } & SubscribeOptions)
  | { type: 'UNSUBSCRIBE'; consumer: string }
  | { type: 'CLOSE'; timeoutMs?: number }

/** A running consumer, as emissions hand it out. */
export interface ConsumerHandle {
  /** Its path in the tree of actors, unique in the cluster. */
  readonly id: string
  readonly group: string | undefined
  /** Adds a typed listener; returns what removes it. A listener that throws leaves its batch unacked (`onHandlerError`). */
  on<T extends ConsumerEmitted['type'] | '*'>(type: T, listener: (event: EmittedOf<T>) => void | Promise<void>): () => void
  /** Stops fetching and handing out these partitions (default: all, later ones too); what is in hand stays. */
  pause(partitions?: readonly TopicPartition[]): void
  resume(partitions?: readonly TopicPartition[]): void
  isPaused(partition: TopicPartition): boolean
  /** The partitions that are owned now. */
  assignment(): TopicPartition[]
  /**
   * Manual assignment: exactly these from now on. Those that are new begin at their `offset`, else where they were left, at what is committed, or by
   * `from`; those that go are drained and committed; those that stay are not interrupted, unless an `offset` is given: it is sought. Resolves
   * when that is done. Rejects with UsageError NOT_MANUAL when the consumer was not subscribed with `partitions`.
   */
  assign(partitions: readonly { topic: string; partition: number; offset?: bigint }[]): Promise<void>
  /** The next offset to process, of every partition that is owned and located. */
  positions(): Position[]
  /**
   * What the group has committed of these partitions (default: of those that are owned); those without are left out. In a group that meets in
   * ZooKeeper leader epoch and metadata come from Kafka's copy. Rejects with UsageError NO_GROUP.
   */
  committed(partitions?: readonly TopicPartition[]): Promise<CommittedPosition[]>
  /**
   * How far the positions are behind the ends, of these owned partitions (default: all that are located). Ends are known from fetches; those of
   * partitions that are not being fetched (paused, out of credit, parked) are asked for. Rejects with UsageError NOT_ASSIGNED.
   */
  lag(partitions?: readonly TopicPartition[]): Promise<PartitionLag[]>
  /**
   * Goes on somewhere else. At once, before this returns, nothing of the old place is handed out any more; the signal of what is in hand is
   * aborted (SOUGHT) and its acks do not count. What comes next of the partition is the sought message, once a handler that still works on the
   * old place has ended. The next commit says the new position, also when that is a step back. A paused partition stays paused, a parked one
   * goes on. Resolves when the new positions are known; an offset outside of the log is found out later, and `from` acts. Rejects with UsageError
   * NOT_ASSIGNED (before anything is done), NO_GROUP or INVALID_OPTION, with what made a partition go meanwhile, with TimeoutError after
   * `requestTimeoutMs` (it is still tried), and when what is committed cannot be read: then that partition goes on where it was. A broker that
   * waits for messages of other partitions is asked for the new place when it answers, after `fetchMaxWaitMs` at most.
   */
  seek(positions: SeekPosition | readonly SeekPosition[]): Promise<void>
  /**
   * Commits what was processed (acked) so far; or exactly these offsets, whatever was processed (with automatic commits the next one says the
   * position again, so these go with `autoCommitIntervalMs: false`). Commits are carried out in order, one at a time. Rejects with NOT_OWNER,
   * and commits nothing, when one of them is not owned; UsageError METADATA_UNSUPPORTED where a ZooKeeper group without `mirrorOffsets` should
   * carry metadata; SUSPENDED while ownership is not certain; COMMIT_FAILED when some went through and others did not.
   */
  commit(offsets?: OffsetCommit | readonly OffsetCommit[]): Promise<void>
  /** Stop, drain, commit, release, leave. Bounded by `timeoutMs` (default 30,000). */
  close(options?: { timeoutMs?: number }): Promise<void>
}

type EmittedOf<T> = T extends '*' ? ConsumerEmitted : Extract<ConsumerEmitted, { type: T }>

/** What a consumer emits. */
export type ConsumerEmitted =
  | FetchEmitted
  | PositionEmitted
  | {
      type: 'message.batch'
      topic: string
      partition: number
      messages: readonly Message[]
      /** Aborted when the partition is taken away before the work is done. */
      signal: AbortSignal
      /** Processed: all of it, or up to and with this message. Not calling it holds the partition after its credit is used. */
      ack: (upTo?: Message) => void
    }
  | { type: 'partition.assigned'; partitions: TopicPartition[]; epoch: number }
  | { type: 'partition.revoked'; partitions: TopicPartition[]; epoch: number }
  | { type: 'partition.lost'; partitions: TopicPartition[]; epoch: number; reason: string }
  | { type: 'partition.parked'; topic: string; partition: number; error: PlainError }
  | { type: 'member.surplus'; group: string; partitions: number; members: number }
  | { type: 'member.state'; state: string; reason: string }
  /** What `auto` came to, or what was asked for. Again when the group moves house. */
  | { type: 'membership.chosen'; membership: 'zookeeper' | 'classic' | 'consumer' | 'manual'; reason: string }
  | { type: 'commit.failed'; error: PlainError; partitions: TopicPartition[] }
  | { type: 'handler.failed'; topic: string; partition: number; error: PlainError; policy: 'retry' | 'park' | 'stop' }
  | { type: 'batch.unheard'; topic: string; partition: number }
  | { type: 'consumer.stalled'; topic: string; partition: number; sinceMs: number }
  | { type: 'trouble'; where: string; error: PlainError }
  | { type: 'closed' }

/** What a ClusterActor emits. */
export type ClusterEmitted =
  | { type: 'ready'; brokers: number }
  | {
      type: 'published'
      id: string | number | undefined
      topic: string
      partition: number
      offset: bigint
      timestamp: bigint
      count: number
    }
  | { type: 'publish.failed'; id: string | number | undefined; topic: string; outcome: 'failed' | 'unknown'; error: PlainError }
  /** The topic refused a batch as too large (`max.message.bytes`): it goes in parts, and later ones are built no larger than `batchBytes`. */
  | { type: 'publish.split'; topic: string; partition: number; batchBytes: number }
  | { type: 'publish.rerouted'; topic: string; from: number; to: number; count: number; maybeDoubled: boolean; reason: string }
  /** With an outbox: it is on disk, and will be delivered. */
  | { type: 'publish.accepted'; id: string | number | undefined; topic: string; count: number }
  /** A batch goes again with a new identity although an earlier send of it may have been written. */
  | { type: 'publish.maybeDoubled'; topic: string; partition: number; count: number; reason: string }
  /** The outbox takes publishes; `batches` of earlier processes are on their way. */
  | { type: 'outbox.opened'; directory: string; batches: number; bytes: number; damages: number }
  /** What lies in a file of the outbox is not what was written. `mayDouble`: it may have been the identity of a batch, which then goes again under another one. */
  | {
      type: 'outbox.damaged'
      file: string
      at: number
      bytes: number
      topic: string | null
      partition: number | null
      /** An identity may be lost: its batch goes again under another one. */
      mayDouble: boolean
      /** Accepted messages may be lost; the file is kept as `….damaged`. */
      mayLose: boolean
      reason: string
    }
  /** A leader has said which batches of an earlier process it has; the others go again, those behind a gap with a new identity. */
  | { type: 'outbox.verified'; topic: string; partition: number; written: number; again: number; renewed: number; asked: boolean }
  /** A batch of an earlier process is written. `offset` -1: the broker had it already and does not say where. */
  | { type: 'outbox.delivered'; topic: string; partition: number; offset: bigint; count: number }
  /** A batch that no broker will take was put aside, with the reason beside it. */
  | { type: 'outbox.rejected'; topic: string; count: number; outcome: 'failed' | 'unknown'; file: string; error: PlainError }
  /** Nothing is accepted: the outbox cannot be written. */
  | { type: 'outbox.failing'; directory: string; reason: string }
  | { type: 'outbox.writing'; directory: string }
  | { type: 'publish.retrying'; topic: string; partition: number; reason: string; attempt: number; delayMs: number }
  | { type: 'publish.blocked'; bufferedBytes: number }
  | { type: 'publish.unblocked'; bufferedBytes: number }
  | { type: 'leader.changed'; topic: string; partition: number; leader: number | null; leaderEpoch: number }
  | { type: 'topic.state'; topic: string; state: string; reason: string }
  | { type: 'broker.state'; broker: number; purpose: string; state: string; reason: string }
  | { type: 'brokers'; brokers: number[]; appeared: number[]; disappeared: number[] }
  | { type: 'registry.state'; state: string; reason: string }
  /** Who tells of brokers, topics and leaders: the ZooKeeper that names the cluster, or the brokers' Metadata where it falls silent. */
  | { type: 'registry.source'; source: 'zookeeper' | 'metadata'; reason: string }
  | { type: 'throttled'; broker: number; throttleMs: number }
  | { type: 'consumer.started'; id: string | number | undefined; consumer: ConsumerHandle }
  | { type: 'consumer.failed'; id: string | number | undefined; error: PlainError }
  | { type: 'consumer.closed'; consumer: string }
  | { type: 'trouble'; where: string; error: PlainError }
  | { type: 'closed' }
