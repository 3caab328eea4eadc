/**
 * Every error code of Kafka's protocol (to 4.3): its name, its class, and what it means in our own words.
 * Names and numbers: `org.apache.kafka.common.protocol.Errors`. Classes say what a client does next, whatever the API:
 * `retry` the same again after a pause, `refresh` ask who is responsible first, `rejoin` the group, `abort` the transaction,
 * `fatal` tell the user, `unknown` the request may have been carried out.
 */
import { BrokerError } from './errors.ts'

export type KafkaErrorClass = 'none' | 'retry' | 'refresh' | 'rejoin' | 'fatal' | 'abort' | 'unknown'

export interface KafkaError {
  readonly code: number
  readonly name: string
  readonly class: KafkaErrorClass
  readonly message: string
}

type Row = readonly [code: number, name: string, errorClass: KafkaErrorClass, message: string]

const ROWS: readonly Row[] = [
  [-1, 'UNKNOWN_SERVER_ERROR', 'unknown', 'the broker failed in a way that it does not explain; see its log'],
  [0, 'NONE', 'none', 'none'],
  [1, 'OFFSET_OUT_OF_RANGE', 'fatal', 'the offset is outside what the partition still holds; reset the position'],
  [2, 'CORRUPT_MESSAGE', 'retry', 'the broker found the batch damaged'],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION', 'refresh', 'this broker has no such partition (yet, or any more)'],
  [4, 'INVALID_FETCH_SIZE', 'fatal', 'invalid fetch size'],
  [5, 'LEADER_NOT_AVAILABLE', 'refresh', 'the partition has no leader at the moment'],
  [6, 'NOT_LEADER_OR_FOLLOWER', 'refresh', 'this broker does not lead the partition'],
  [7, 'REQUEST_TIMED_OUT', 'retry', 'the broker could not finish the request in time'],
  [8, 'BROKER_NOT_AVAILABLE', 'fatal', 'broker not available'],
  [9, 'REPLICA_NOT_AVAILABLE', 'refresh', 'this broker has no replica of the partition'],
  [10, 'MESSAGE_TOO_LARGE', 'fatal', "the message or batch is larger than the topic's max.message.bytes; publish smaller ones or raise it"],
  [11, 'STALE_CONTROLLER_EPOCH', 'fatal', 'stale controller epoch'],
  [12, 'OFFSET_METADATA_TOO_LARGE', 'fatal', 'offset metadata too large'],
  [13, 'NETWORK_EXCEPTION', 'refresh', 'the broker ended the connection before it answered'],
  [14, 'COORDINATOR_LOAD_IN_PROGRESS', 'retry', 'the coordinator is still loading its state'],
  [15, 'COORDINATOR_NOT_AVAILABLE', 'refresh', 'the coordinator is not there at the moment'],
  [16, 'NOT_COORDINATOR', 'refresh', 'this broker does not coordinate the group any more'],
  [17, 'INVALID_TOPIC_EXCEPTION', 'fatal', "the topic's name is not allowed, or the topic is internal"],
  [18, 'RECORD_LIST_TOO_LARGE', 'fatal', 'the batch is larger than a log segment; lower publish.batchBytes'],
  [19, 'NOT_ENOUGH_REPLICAS', 'retry', "fewer replicas are in sync than the topic's min.insync.replicas"],
  [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retry', "written, but by fewer replicas than the topic's min.insync.replicas"],
  [21, 'INVALID_REQUIRED_ACKS', 'fatal', 'invalid required acks'],
  [22, 'ILLEGAL_GENERATION', 'rejoin', 'the group has moved on to another generation'],
  [23, 'INCONSISTENT_GROUP_PROTOCOL', 'fatal', 'inconsistent group protocol'],
  [24, 'INVALID_GROUP_ID', 'fatal', 'invalid group id'],
  [25, 'UNKNOWN_MEMBER_ID', 'rejoin', 'the group does not know this member'],
  [26, 'INVALID_SESSION_TIMEOUT', 'fatal', 'invalid session timeout'],
  [27, 'REBALANCE_IN_PROGRESS', 'rejoin', 'the group is rebalancing'],
  [28, 'INVALID_COMMIT_OFFSET_SIZE', 'fatal', 'invalid commit offset size'],
  [29, 'TOPIC_AUTHORIZATION_FAILED', 'fatal', "this client may not use the topic; see the topic's ACLs"],
  [30, 'GROUP_AUTHORIZATION_FAILED', 'fatal', "this client may not use the group; see the group's ACLs"],
  [31, 'CLUSTER_AUTHORIZATION_FAILED', 'fatal', 'this client may not do that to the cluster'],
  [32, 'INVALID_TIMESTAMP', 'fatal', 'invalid timestamp'],
  [33, 'UNSUPPORTED_SASL_MECHANISM', 'fatal', 'unsupported sasl mechanism'],
  [34, 'ILLEGAL_SASL_STATE', 'fatal', 'illegal sasl state'],
  [35, 'UNSUPPORTED_VERSION', 'fatal', 'the broker does not speak this version of the API'],
  [36, 'TOPIC_ALREADY_EXISTS', 'fatal', 'the topic exists already'],
  [37, 'INVALID_PARTITIONS', 'fatal', 'invalid partitions'],
  [38, 'INVALID_REPLICATION_FACTOR', 'fatal', 'invalid replication factor'],
  [39, 'INVALID_REPLICA_ASSIGNMENT', 'fatal', 'invalid replica assignment'],
  [40, 'INVALID_CONFIG', 'fatal', 'invalid config'],
  [41, 'NOT_CONTROLLER', 'refresh', 'this broker is not the controller'],
  [42, 'INVALID_REQUEST', 'fatal', 'invalid request'],
  [43, 'UNSUPPORTED_FOR_MESSAGE_FORMAT', 'fatal', 'unsupported for message format'],
  [44, 'POLICY_VIOLATION', 'fatal', 'policy violation'],
  [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'fatal', 'a batch is missing between this one and the last that the broker has'],
  [46, 'DUPLICATE_SEQUENCE_NUMBER', 'none', 'the broker has this batch already'],
  [47, 'INVALID_PRODUCER_EPOCH', 'abort', 'the broker knows a newer epoch of this producer'],
  [48, 'INVALID_TXN_STATE', 'abort', 'the transaction is not in a state for that'],
  [49, 'INVALID_PRODUCER_ID_MAPPING', 'abort', 'the transactional id belongs to another producer id'],
  [50, 'INVALID_TRANSACTION_TIMEOUT', 'fatal', 'invalid transaction timeout'],
  [51, 'CONCURRENT_TRANSACTIONS', 'retry', 'concurrent transactions'],
  [52, 'TRANSACTION_COORDINATOR_FENCED', 'fatal', 'transaction coordinator fenced'],
  [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'abort', 'this client may not use the transactional id'],
  [54, 'SECURITY_DISABLED', 'fatal', 'security disabled'],
  [55, 'OPERATION_NOT_ATTEMPTED', 'fatal', 'operation not attempted'],
  [56, 'KAFKA_STORAGE_ERROR', 'refresh', "the broker's disk failed for this partition"],
  [57, 'LOG_DIR_NOT_FOUND', 'fatal', 'log dir not found'],
  [58, 'SASL_AUTHENTICATION_FAILED', 'fatal', 'sasl authentication failed'],
  [59, 'UNKNOWN_PRODUCER_ID', 'fatal', 'the broker no longer knows this producer'],
  [60, 'REASSIGNMENT_IN_PROGRESS', 'fatal', 'reassignment in progress'],
  [61, 'DELEGATION_TOKEN_AUTH_DISABLED', 'fatal', 'delegation token auth disabled'],
  [62, 'DELEGATION_TOKEN_NOT_FOUND', 'fatal', 'delegation token not found'],
  [63, 'DELEGATION_TOKEN_OWNER_MISMATCH', 'fatal', 'delegation token owner mismatch'],
  [64, 'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED', 'fatal', 'delegation token request not allowed'],
  [65, 'DELEGATION_TOKEN_AUTHORIZATION_FAILED', 'fatal', 'delegation token authorization failed'],
  [66, 'DELEGATION_TOKEN_EXPIRED', 'fatal', 'delegation token expired'],
  [67, 'INVALID_PRINCIPAL_TYPE', 'fatal', "the principal's type is not supported"],
  [68, 'NON_EMPTY_GROUP', 'fatal', 'non empty group'],
  [69, 'GROUP_ID_NOT_FOUND', 'fatal', 'group id not found'],
  [70, 'FETCH_SESSION_ID_NOT_FOUND', 'retry', 'the fetch session is gone; a new one is made'],
  [71, 'INVALID_FETCH_SESSION_EPOCH', 'retry', "the fetch session's epoch is wrong; a new one is made"],
  [72, 'LISTENER_NOT_FOUND', 'refresh', 'listener not found'],
  [73, 'TOPIC_DELETION_DISABLED', 'fatal', 'topic deletion disabled'],
  [74, 'FENCED_LEADER_EPOCH', 'refresh', "the client's leader epoch is older than the broker's"],
  [75, 'UNKNOWN_LEADER_EPOCH', 'refresh', "the client's leader epoch is newer than the broker's"],
  [76, 'UNSUPPORTED_COMPRESSION_TYPE', 'fatal', 'the broker or the topic does not take this compression'],
  [77, 'STALE_BROKER_EPOCH', 'fatal', 'stale broker epoch'],
  [78, 'OFFSET_NOT_AVAILABLE', 'retry', 'offset not available'],
  [79, 'MEMBER_ID_REQUIRED', 'rejoin', 'the coordinator has given a member id; join again with it'],
  [80, 'PREFERRED_LEADER_NOT_AVAILABLE', 'refresh', 'preferred leader not available'],
  [81, 'GROUP_MAX_SIZE_REACHED', 'fatal', 'group max size reached'],
  [82, 'FENCED_INSTANCE_ID', 'fatal', 'another member with the same group.instance.id has taken its place'],
  [83, 'ELIGIBLE_LEADERS_NOT_AVAILABLE', 'refresh', 'eligible leaders not available'],
  [84, 'ELECTION_NOT_NEEDED', 'refresh', 'election not needed'],
  [85, 'NO_REASSIGNMENT_IN_PROGRESS', 'fatal', 'no reassignment in progress'],
  [86, 'GROUP_SUBSCRIBED_TO_TOPIC', 'fatal', 'group subscribed to topic'],
  [87, 'INVALID_RECORD', 'fatal', 'the broker refused the record (for a compacted topic: it has no key)'],
  [88, 'UNSTABLE_OFFSET_COMMIT', 'retry', 'unstable offset commit'],
  [89, 'THROTTLING_QUOTA_EXCEEDED', 'retry', 'throttling quota exceeded'],
  [90, 'PRODUCER_FENCED', 'abort', "a newer producer has taken this one's place"],
  [91, 'RESOURCE_NOT_FOUND', 'fatal', 'resource not found'],
  [92, 'DUPLICATE_RESOURCE', 'fatal', 'duplicate resource'],
  [93, 'UNACCEPTABLE_CREDENTIAL', 'fatal', 'unacceptable credential'],
  [94, 'INCONSISTENT_VOTER_SET', 'fatal', 'inconsistent voter set'],
  [95, 'INVALID_UPDATE_VERSION', 'fatal', 'invalid update version'],
  [96, 'FEATURE_UPDATE_FAILED', 'fatal', 'feature update failed'],
  [97, 'PRINCIPAL_DESERIALIZATION_FAILURE', 'fatal', 'principal deserialization failure'],
  [98, 'SNAPSHOT_NOT_FOUND', 'fatal', 'snapshot not found'],
  [99, 'POSITION_OUT_OF_RANGE', 'fatal', 'position out of range'],
  [100, 'UNKNOWN_TOPIC_ID', 'refresh', 'this broker has no topic of that id (yet, or any more)'],
  [101, 'DUPLICATE_BROKER_REGISTRATION', 'fatal', 'duplicate broker registration'],
  [102, 'BROKER_ID_NOT_REGISTERED', 'fatal', 'broker id not registered'],
  [103, 'INCONSISTENT_TOPIC_ID', 'refresh', 'the topic was created anew with another id'],
  [104, 'INCONSISTENT_CLUSTER_ID', 'fatal', 'inconsistent cluster id'],
  [105, 'TRANSACTIONAL_ID_NOT_FOUND', 'fatal', 'transactional id not found'],
  [106, 'FETCH_SESSION_TOPIC_ID_ERROR', 'retry', 'fetch session topic id error'],
  [107, 'INELIGIBLE_REPLICA', 'fatal', 'ineligible replica'],
  [108, 'NEW_LEADER_ELECTED', 'fatal', 'new leader elected'],
  [109, 'OFFSET_MOVED_TO_TIERED_STORAGE', 'fatal', 'offset moved to tiered storage'],
  [110, 'FENCED_MEMBER_EPOCH', 'rejoin', "the coordinator has fenced this member's epoch"],
  [111, 'UNRELEASED_INSTANCE_ID', 'fatal', 'unreleased instance id'],
  [112, 'UNSUPPORTED_ASSIGNOR', 'fatal', 'unsupported assignor'],
  [113, 'STALE_MEMBER_EPOCH', 'rejoin', "this member's epoch is stale"],
  [114, 'MISMATCHED_ENDPOINT_TYPE', 'fatal', 'mismatched endpoint type'],
  [115, 'UNSUPPORTED_ENDPOINT_TYPE', 'fatal', 'unsupported endpoint type'],
  [116, 'UNKNOWN_CONTROLLER_ID', 'fatal', 'unknown controller id'],
  [117, 'UNKNOWN_SUBSCRIPTION_ID', 'fatal', 'unknown subscription id'],
  [118, 'TELEMETRY_TOO_LARGE', 'fatal', 'telemetry too large'],
  [119, 'INVALID_REGISTRATION', 'fatal', 'invalid registration'],
  [120, 'TRANSACTION_ABORTABLE', 'abort', 'the transaction must be aborted'],
  [121, 'INVALID_RECORD_STATE', 'fatal', 'invalid record state'],
  [122, 'SHARE_SESSION_NOT_FOUND', 'retry', 'share session not found'],
  [123, 'INVALID_SHARE_SESSION_EPOCH', 'retry', 'invalid share session epoch'],
  [124, 'FENCED_STATE_EPOCH', 'fatal', 'fenced state epoch'],
  [125, 'INVALID_VOTER_KEY', 'fatal', 'invalid voter key'],
  [126, 'DUPLICATE_VOTER', 'fatal', 'duplicate voter'],
  [127, 'VOTER_NOT_FOUND', 'fatal', 'voter not found'],
  [128, 'INVALID_REGULAR_EXPRESSION', 'fatal', 'invalid regular expression'],
  [129, 'REBOOTSTRAP_REQUIRED', 'refresh', 'what the client knows of the cluster is too old'],
  [130, 'STREAMS_INVALID_TOPOLOGY', 'fatal', 'streams invalid topology'],
  [131, 'STREAMS_INVALID_TOPOLOGY_EPOCH', 'fatal', 'streams invalid topology epoch'],
  [132, 'STREAMS_TOPOLOGY_FENCED', 'fatal', 'streams topology fenced'],
  [133, 'SHARE_SESSION_LIMIT_REACHED', 'retry', 'share session limit reached']
]

const BY_CODE = new Map<number, KafkaError>(
  ROWS.map(([code, name, errorClass, message]) => [code, { code, name, class: errorClass, message }])
)

/** All of them, in the order of their codes. */
export const KAFKA_ERRORS: readonly KafkaError[] = [...BY_CODE.values()]

/** The entry of a code. A code that we do not know (a newer broker) is `unknown`. */
export function kafkaError(code: number): KafkaError {
  return (
    BY_CODE.get(code) ?? {
      code,
      name: `ERROR_${code}`,
      class: 'unknown',
      message: `an error code that this client does not know (${code})`
    }
  )
}

/** A broker's answer as an error. `context` names what was asked, as "CreateTopics orders". */
export function brokerError(code: number, context: string, detail?: string | null): BrokerError {
  const { name, class: errorClass, message } = kafkaError(code)
  return new BrokerError(name, `${context}: ${detail ?? message} (${name}, ${code}).`, {
    retriable: errorClass === 'retry' || errorClass === 'refresh' || errorClass === 'rejoin',
    kafka: { code, name }
  })
}
