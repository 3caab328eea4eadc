/**
 * What each error code means in each API that samsa sends: one table, which all code asks that decides by an error of Kafka's.
 * An API that says nothing of a code takes its default (`kafka-errors.ts`); where there is no membership or transaction, what asks to join again
 * or to abort is fatal. Sources: the response handlers of Kafka's Java clients, `DelayedProduce`, and the KIPs named below.
 */
import { BrokerError } from './errors.ts'
import { type KafkaErrorClass, kafkaError } from './kafka-errors.ts'

/**
 * What is done beyond the class. Produce: `renumber` the flights, under a `newIdentity`; `split` a batch of several messages.
 * Fetch: `reset` the position by the policy, `corrupt` read it a few times more and then park, `session` make a new one.
 * Groups: `rebalance` (a member still), `stale` (another generation), `outcast` (no member any more), `named` (join again
 * with the id that was given), `foreign` (no assignor, or no protocol, in common),
 * `refused` (who commits, not what), `waits` (the same, but its next generation is on its way), `few` (tries: it may be gone for good),
 * `taken` (the name of a static member, until a session ends), `pattern` (match it here), `absent` (there is none, which is an answer).
 * Others: `older` version of the request; `done` already; `usable` all the same; `unasked` may not be asked.
 */
export type Remedy =
  | 'renumber'
  | 'newIdentity'
  | 'split'
  | 'reset'
  | 'corrupt'
  | 'session'
  | 'rebalance'
  | 'stale'
  | 'outcast'
  | 'named'
  | 'foreign'
  | 'refused'
  | 'waits'
  | 'few'
  | 'taken'
  | 'pattern'
  | 'absent'
  | 'older'
  | 'done'
  | 'usable'
  | 'unasked'

export interface ErrorMeaning {
  readonly class: KafkaErrorClass
  readonly remedy: Remedy | undefined
}

interface ApiRow {
  /** It speaks for a member of a group: a code may ask it to join again. Elsewhere those are fatal. */
  readonly member?: true
  /**
   * What an error without a meaning (-1, codes of newer brokers) comes to: `again` where a repetition does no harm, for those who live on (publishers,
   * consumers, members; a call of a user's ends with it); `end` with an error. Where the request `changes` something, that says that its outcome is not known.
   */
  readonly unknown: 'again' | 'end'
  readonly changes?: true
  /** By name, where it differs from the default. */
  readonly codes?: Readonly<Record<string, KafkaErrorClass | readonly [KafkaErrorClass, Remedy]>>
}

/** In KIP-394 and the classic protocol as Java's `AbstractCoordinator` has it; epochs are told to classic members of a group of KIP-848. */
const CLASSIC_MEMBER: ApiRow['codes'] = {
  REBALANCE_IN_PROGRESS: ['rejoin', 'rebalance'],
  ILLEGAL_GENERATION: ['rejoin', 'stale'],
  STALE_MEMBER_EPOCH: ['rejoin', 'stale'],
  FENCED_MEMBER_EPOCH: ['rejoin', 'outcast'],
  UNKNOWN_MEMBER_ID: ['rejoin', 'outcast'],
  MEMBER_ID_REQUIRED: ['rejoin', 'outcast']
}
const GONE = 'absent'

const TABLE = {
  ApiVersions: { unknown: 'end', codes: { UNSUPPORTED_VERSION: ['retry', 'older'] } },
  Metadata: {
    unknown: 'again',
    codes: {
      UNKNOWN_TOPIC_OR_PARTITION: ['refresh', GONE],
      UNKNOWN_TOPIC_ID: ['refresh', GONE],
      // It is being created.
      LEADER_NOT_AVAILABLE: ['refresh', 'waits'],
      // Another replica is away: the leader stands.
      REPLICA_NOT_AVAILABLE: ['refresh', 'usable']
    }
  },
  Produce: {
    unknown: 'again',
    changes: true,
    codes: {
      DUPLICATE_SEQUENCE_NUMBER: 'none',
      // KIP-360: the producer begins a new epoch by itself.
      OUT_OF_ORDER_SEQUENCE_NUMBER: ['retry', 'renumber'],
      UNKNOWN_PRODUCER_ID: ['retry', 'renumber'],
      INVALID_PRODUCER_EPOCH: ['retry', 'newIdentity'],
      PRODUCER_FENCED: ['retry', 'newIdentity'],
      MESSAGE_TOO_LARGE: ['fatal', 'split'],
      RECORD_LIST_TOO_LARGE: ['fatal', 'split']
    }
  },
  Fetch: {
    unknown: 'again',
    codes: {
      OFFSET_OUT_OF_RANGE: ['retry', 'reset'],
      CORRUPT_MESSAGE: ['retry', 'corrupt'],
      FETCH_SESSION_ID_NOT_FOUND: ['retry', 'session'],
      INVALID_FETCH_SESSION_EPOCH: ['retry', 'session'],
      FETCH_SESSION_TOPIC_ID_ERROR: ['retry', 'session']
    }
  },
  ListOffsets: { unknown: 'again' },
  OffsetForLeaderEpoch: { unknown: 'again' },
  InitProducerId: { unknown: 'end' },
  // What cannot be answered is no reason to wait: the outbox has a way without it.
  DescribeProducers: { unknown: 'again', codes: { TOPIC_AUTHORIZATION_FAILED: ['fatal', 'unasked'] } },

  FindCoordinator: { unknown: 'again' },
  JoinGroup: {
    member: true,
    unknown: 'again',
    changes: true,
    codes: { ...CLASSIC_MEMBER, MEMBER_ID_REQUIRED: ['rejoin', 'named'], INCONSISTENT_GROUP_PROTOCOL: ['fatal', 'foreign'] }
  },
  SyncGroup: { member: true, unknown: 'again', changes: true, codes: { ...CLASSIC_MEMBER } },
  Heartbeat: { member: true, unknown: 'again', codes: { ...CLASSIC_MEMBER } },
  LeaveGroup: {
    unknown: 'end',
    changes: true,
    // To somebody who has left already.
    codes: {
      UNKNOWN_MEMBER_ID: ['fatal', GONE],
      FENCED_MEMBER_EPOCH: ['fatal', GONE],
      FENCED_INSTANCE_ID: ['fatal', GONE],
      GROUP_ID_NOT_FOUND: ['fatal', GONE]
    }
  },
  ConsumerGroupHeartbeat: {
    member: true,
    unknown: 'end',
    changes: true,
    codes: {
      UNKNOWN_MEMBER_ID: ['rejoin', 'outcast'],
      FENCED_MEMBER_EPOCH: ['rejoin', 'outcast'],
      STALE_MEMBER_EPOCH: ['rejoin', 'stale'],
      // The group of that name is of another kind, or (for somebody who was in it) there is none any more.
      GROUP_ID_NOT_FOUND: ['rejoin', 'foreign'],
      INCONSISTENT_GROUP_PROTOCOL: ['rejoin', 'foreign'],
      INVALID_REGULAR_EXPRESSION: ['fatal', 'pattern'],
      UNRELEASED_INSTANCE_ID: ['retry', 'taken'],
      // An ACL may still come, as for Java's member, and a broker that fails without a reason may fail once.
      TOPIC_AUTHORIZATION_FAILED: 'retry',
      UNKNOWN_SERVER_ERROR: 'retry'
    }
  },
  OffsetCommit: {
    member: true,
    unknown: 'end',
    changes: true,
    codes: {
      ILLEGAL_GENERATION: ['rejoin', 'refused'],
      UNKNOWN_MEMBER_ID: ['rejoin', 'refused'],
      FENCED_MEMBER_EPOCH: ['rejoin', 'refused'],
      MEMBER_ID_REQUIRED: ['rejoin', 'refused'],
      REBALANCE_IN_PROGRESS: ['rejoin', 'waits'],
      STALE_MEMBER_EPOCH: ['rejoin', 'waits'],
      FENCED_INSTANCE_ID: ['fatal', 'refused'],
      // A topic that is new may be unknown to the coordinator's broker for a moment; one that is deleted stays so.
      UNKNOWN_TOPIC_OR_PARTITION: ['refresh', 'few'],
      UNKNOWN_TOPIC_ID: ['refresh', 'few']
    }
  },
  OffsetFetch: { member: true, unknown: 'again', codes: { ...CLASSIC_MEMBER } },
  // From version 6 on a group that is not there, or is of another kind, is an error (KIP-1043).
  DescribeGroups: { unknown: 'again', codes: { GROUP_ID_NOT_FOUND: ['fatal', GONE] } },
  ConsumerGroupDescribe: { unknown: 'again', codes: { GROUP_ID_NOT_FOUND: ['fatal', GONE], UNSUPPORTED_VERSION: ['fatal', GONE] } },
  ListGroups: { unknown: 'end' },
  OffsetDelete: { unknown: 'end', changes: true, codes: { UNKNOWN_TOPIC_OR_PARTITION: 'fatal' } },
  DeleteGroups: { unknown: 'end', changes: true },

  CreateTopics: { unknown: 'end', changes: true, codes: { TOPIC_ALREADY_EXISTS: ['fatal', 'done'] } },
  // "Unknown" is a final answer here: asking again would only take longer to say so.
  DeleteTopics: { unknown: 'end', changes: true, codes: { UNKNOWN_TOPIC_OR_PARTITION: 'fatal', UNKNOWN_TOPIC_ID: 'fatal' } },
  DescribeConfigs: { unknown: 'end' }
} as const satisfies Record<string, ApiRow>

/** Every API whose answers carry an error code that samsa decides by. */
export type SentApi = keyof typeof TABLE
export const SENT_APIS = Object.keys(TABLE) as SentApi[]

/**
 * Answers of Produce after which the batch may have been written all the same: unexplained, timed out, too few replicas, or the leader stepped
 * down, lost the topic or its disk while it waited for the others (Kafka's `DelayedProduce`).
 */
const OPEN = [
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NOT_LEADER_OR_FOLLOWER',
  'REQUEST_TIMED_OUT',
  'NETWORK_EXCEPTION',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'KAFKA_STORAGE_ERROR'
]

const row = (api: SentApi): ApiRow => TABLE[api]

/** The class of a code in an API, and what is done beyond it. */
export function meaningOf(api: SentApi, code: number): ErrorMeaning {
  const { name, class: byDefault } = kafkaError(code)
  const { codes, member } = row(api)
  const own = codes && Object.hasOwn(codes, name) ? codes[name] : undefined
  if (typeof own === 'string') return { class: own, remedy: undefined }
  if (own) return { class: own[0], remedy: own[1] }
  // samsa's publishers have no transactions: there is nothing to abort.
  const foreign = byDefault === 'abort' || (byDefault === 'rejoin' && !member) || (byDefault === 'none' && code !== 0)
  return { class: foreign ? 'fatal' : byDefault, remedy: undefined }
}

export function errorClass(api: SentApi, code: number): KafkaErrorClass {
  return meaningOf(api, code).class
}

/** The same request may be sent again, here or at whoever is responsible: `retry`, `refresh`, and `unknown` where that does no harm. */
export function asksAgain(api: SentApi, code: number): boolean {
  const found = errorClass(api, code)
  return found === 'retry' || found === 'refresh' || (found === 'unknown' && row(api).unknown === 'again')
}

/** May the request have been carried out although it was answered with this error? */
export function mayBeDone(api: SentApi, code: number): boolean {
  if (!row(api).changes) return false
  return errorClass(api, code) === 'unknown' || (api === 'Produce' && (OPEN.includes(kafkaError(code).name) || code === -1))
}

/** The meaning of an error that a broker answered with; undefined: no answer of an API of the table. */
export function meaningOfError({ kafka }: { kafka?: { code: number; api?: string } | undefined }): ErrorMeaning | undefined {
  return kafka?.api !== undefined && Object.hasOwn(TABLE, kafka.api) ? meaningOf(kafka.api as SentApi, kafka.code) : undefined
}

/**
 * A broker's answer as an error. `context` names what was asked, as "orders" for CreateTopics; `detail`: the broker's own words, which are preferred.
 * Where it may have been carried out all the same, the message says so, and `details.outcome` is `unknown`.
 */
export function brokerError(api: SentApi, code: number, context: string, detail?: string | null): BrokerError {
  const { name, message } = kafkaError(code)
  const { class: found } = meaningOf(api, code)
  const open = mayBeDone(api, code)
  const what = `${api}${context ? ` ${context}` : ''}: ${detail ?? message} (${name}, ${code}).`
  return new BrokerError(name, open ? `${what} Whether it was carried out is not known.` : what, {
    retriable: found === 'retry' || found === 'refresh' || found === 'rejoin',
    kafka: { code, name, api },
    ...(open ? { details: { outcome: 'unknown' } } : {})
  })
}
