/**
 * Every error code of Kafka's protocol (to 4.3): its name, its class, and what it means in our own words.
 * Names and numbers: `org.apache.kafka.common.protocol.Errors`. Classes say what a client does next: `retry` the same again after a pause, `refresh` ask who is
 * responsible first, `rejoin` the group, `abort` the transaction, `fatal` tell the user, `unknown` the request may have been carried out. They are the
 * defaults of `error-classes.ts`, which says what a code means in one API.
 */
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
  [4, 'INVALID_FETCH_SIZE', 'fatal', 'the fetch asked for no bytes or fewer; give positive limits'],
  [5, 'LEADER_NOT_AVAILABLE', 'refresh', 'the partition has no leader at the moment'],
  [6, 'NOT_LEADER_OR_FOLLOWER', 'refresh', 'this broker does not lead the partition'],
  [7, 'REQUEST_TIMED_OUT', 'retry', 'the broker could not finish the request in time; it is tried again'],
  [8, 'BROKER_NOT_AVAILABLE', 'fatal', 'the broker is not there; see that it runs'],
  [9, 'REPLICA_NOT_AVAILABLE', 'refresh', 'this broker has no replica of the partition (yet, or any more)'],
  [10, 'MESSAGE_TOO_LARGE', 'fatal', "the message or batch is larger than the topic's max.message.bytes; publish smaller ones or raise it"],
  [11, 'STALE_CONTROLLER_EPOCH', 'fatal', 'a controller that has been replaced sent this; only brokers see it'],
  [
    12,
    'OFFSET_METADATA_TOO_LARGE',
    'fatal',
    'the text committed along with the offset is too long; shorten it or raise offset.metadata.max.bytes'
  ],
  [13, 'NETWORK_EXCEPTION', 'refresh', 'the broker ended the connection before it answered'],
  [14, 'COORDINATOR_LOAD_IN_PROGRESS', 'retry', 'the coordinator is still loading its state'],
  [15, 'COORDINATOR_NOT_AVAILABLE', 'refresh', 'the coordinator is not there at the moment'],
  [16, 'NOT_COORDINATOR', 'refresh', 'this broker does not coordinate the group (any more)'],
  [
    17,
    'INVALID_TOPIC_EXCEPTION',
    'fatal',
    "the topic's name is not allowed, or the topic is internal; letters, digits, '.', '_' and '-' are, up to 249"
  ],
  [18, 'RECORD_LIST_TOO_LARGE', 'fatal', 'the batch is larger than a log segment; lower publish.batchBytes'],
  [19, 'NOT_ENOUGH_REPLICAS', 'retry', "fewer replicas are in sync than the topic's min.insync.replicas"],
  [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retry', "written, but by fewer replicas than the topic's min.insync.replicas"],
  [21, 'INVALID_REQUIRED_ACKS', 'fatal', 'acks must be 0, 1 or -1 (all)'],
  [22, 'ILLEGAL_GENERATION', 'rejoin', 'the group has moved on to another generation'],
  [
    23,
    'INCONSISTENT_GROUP_PROTOCOL',
    'fatal',
    'no assignor is common to all members of the group; give them one in common, and the same protocol type'
  ],
  [24, 'INVALID_GROUP_ID', 'fatal', "the group's name is empty or not allowed; give it another"],
  [25, 'UNKNOWN_MEMBER_ID', 'rejoin', 'the group does not know this member'],
  [
    26,
    'INVALID_SESSION_TIMEOUT',
    'fatal',
    "the session timeout is outside the broker's group.min.session.timeout.ms to group.max.session.timeout.ms"
  ],
  [27, 'REBALANCE_IN_PROGRESS', 'rejoin', 'the group is rebalancing'],
  [
    28,
    'INVALID_COMMIT_OFFSET_SIZE',
    'fatal',
    "the commit is larger than the broker's offsets topic takes; commit fewer partitions or shorter metadata at once"
  ],
  [29, 'TOPIC_AUTHORIZATION_FAILED', 'fatal', 'this client may not use the topic; have an ACL added for it'],
  [30, 'GROUP_AUTHORIZATION_FAILED', 'fatal', 'this client may not use the group; have an ACL added for it'],
  [31, 'CLUSTER_AUTHORIZATION_FAILED', 'fatal', 'this client may not do that to the cluster; have an ACL added for it'],
  [
    32,
    'INVALID_TIMESTAMP',
    'fatal',
    "a record's timestamp is too far from the broker's clock; see message.timestamp.before.max.ms and message.timestamp.after.max.ms"
  ],
  [33, 'UNSUPPORTED_SASL_MECHANISM', 'fatal', 'the broker does not offer this SASL mechanism; use one that it does'],
  [
    34,
    'ILLEGAL_SASL_STATE',
    'fatal',
    "the request does not belong at this point of the authentication; see that the listener's security protocol is the client's"
  ],
  [35, 'UNSUPPORTED_VERSION', 'fatal', 'the broker does not speak this version of the API; it is too old or too new for this client'],
  [36, 'TOPIC_ALREADY_EXISTS', 'fatal', 'the topic exists already'],
  [37, 'INVALID_PARTITIONS', 'fatal', 'the number of partitions must be above 0, and may only grow'],
  [38, 'INVALID_REPLICATION_FACTOR', 'fatal', 'the replication factor must be above 0 and at most the number of brokers'],
  [
    39,
    'INVALID_REPLICA_ASSIGNMENT',
    'fatal',
    'the assignment of replicas is not possible; name brokers that exist, none twice, for every partition'
  ],
  [40, 'INVALID_CONFIG', 'fatal', "a configuration's name or value is not allowed"],
  [41, 'NOT_CONTROLLER', 'refresh', 'this broker is not the controller'],
  [42, 'INVALID_REQUEST', 'fatal', 'the broker finds the request malformed; its log says why'],
  [
    43,
    'UNSUPPORTED_FOR_MESSAGE_FORMAT',
    'fatal',
    "the topic's message format is too old for this request; raise its message.format.version"
  ],
  [44, 'POLICY_VIOLATION', 'fatal', 'a policy of the broker forbids it (create.topic.policy.class.name or alter.config.policy.class.name)'],
  [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'fatal', 'a batch is missing between this one and the last that the broker has'],
  [46, 'DUPLICATE_SEQUENCE_NUMBER', 'none', 'the broker has this batch already'],
  [47, 'INVALID_PRODUCER_EPOCH', 'abort', 'the broker knows a newer epoch of this producer'],
  [48, 'INVALID_TXN_STATE', 'abort', 'the transaction is not in a state for that'],
  [49, 'INVALID_PRODUCER_ID_MAPPING', 'abort', 'the transactional id belongs to another producer id'],
  [50, 'INVALID_TRANSACTION_TIMEOUT', 'fatal', "the transaction's timeout is above the broker's transaction.max.timeout.ms; lower it"],
  [51, 'CONCURRENT_TRANSACTIONS', 'retry', "the producer's last transaction is still being completed; it is tried again"],
  [52, 'TRANSACTION_COORDINATOR_FENCED', 'fatal', 'the transaction coordinator has been replaced; only brokers see it'],
  [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'abort', 'this client may not use the transactional id; have an ACL added for it'],
  [54, 'SECURITY_DISABLED', 'fatal', 'the broker has no authorizer; configure one to use ACLs'],
  [
    55,
    'OPERATION_NOT_ATTEMPTED',
    'fatal',
    'the broker gave up on the request before it came to this part; ask again once the other error is dealt with'
  ],
  [56, 'KAFKA_STORAGE_ERROR', 'refresh', "the broker's disk failed for this partition"],
  [57, 'LOG_DIR_NOT_FOUND', 'fatal', 'the broker has no such log directory, or it is offline'],
  [58, 'SASL_AUTHENTICATION_FAILED', 'fatal', 'the broker refused the credentials; check user, password and mechanism'],
  [59, 'UNKNOWN_PRODUCER_ID', 'fatal', 'the broker no longer knows this producer'],
  [60, 'REASSIGNMENT_IN_PROGRESS', 'fatal', 'the partition is being reassigned; wait until that is done, or cancel it'],
  [61, 'DELEGATION_TOKEN_AUTH_DISABLED', 'fatal', 'delegation tokens are not enabled; set delegation.token.secret.key on the brokers'],
  [62, 'DELEGATION_TOKEN_NOT_FOUND', 'fatal', 'the broker does not know the delegation token; it may have been removed'],
  [63, 'DELEGATION_TOKEN_OWNER_MISMATCH', 'fatal', "only the token's owner or a renewer of it may do that"],
  [
    64,
    'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED',
    'fatal',
    'delegation tokens cannot be asked for over this connection; it must be authenticated, and not by a token itself'
  ],
  [65, 'DELEGATION_TOKEN_AUTHORIZATION_FAILED', 'fatal', 'this client may not use the delegation token; have an ACL added for it'],
  [66, 'DELEGATION_TOKEN_EXPIRED', 'fatal', 'the delegation token has expired; ask for another'],
  [67, 'INVALID_PRINCIPAL_TYPE', 'fatal', "the principal's type is not supported; use User"],
  [68, 'NON_EMPTY_GROUP', 'fatal', 'the group still has members; stop them first'],
  [69, 'GROUP_ID_NOT_FOUND', 'fatal', 'the broker knows no such group'],
  [70, 'FETCH_SESSION_ID_NOT_FOUND', 'retry', 'the fetch session is gone; a new one is made'],
  [71, 'INVALID_FETCH_SESSION_EPOCH', 'retry', "the fetch session's epoch is wrong; a new one is made"],
  [72, 'LISTENER_NOT_FOUND', 'refresh', 'this broker does not have the listener by which the client came; give every broker that listener'],
  [73, 'TOPIC_DELETION_DISABLED', 'fatal', 'the brokers do not allow topics to be deleted (delete.topic.enable)'],
  [74, 'FENCED_LEADER_EPOCH', 'refresh', "the client's leader epoch is older than the broker's"],
  [75, 'UNKNOWN_LEADER_EPOCH', 'refresh', "the client's leader epoch is newer than the broker's"],
  [
    76,
    'UNSUPPORTED_COMPRESSION_TYPE',
    'fatal',
    'the topic or this version of the API does not take this compression; choose another codec'
  ],
  [77, 'STALE_BROKER_EPOCH', 'fatal', 'a broker of an older registration sent this; only brokers see it'],
  [78, 'OFFSET_NOT_AVAILABLE', 'retry', 'the new leader does not know its high watermark yet; it is tried again'],
  [79, 'MEMBER_ID_REQUIRED', 'rejoin', 'the coordinator has given a member id; join again with it'],
  [80, 'PREFERRED_LEADER_NOT_AVAILABLE', 'refresh', 'the preferred leader is not in sync or not running; elect it later'],
  [81, 'GROUP_MAX_SIZE_REACHED', 'fatal', "the group is full; raise the brokers' group.max.size or use fewer members"],
  [82, 'FENCED_INSTANCE_ID', 'fatal', 'another member with the same group.instance.id has taken its place'],
  [83, 'ELIGIBLE_LEADERS_NOT_AVAILABLE', 'refresh', 'none of the replicas can become the leader; bring one that is in sync back'],
  [84, 'ELECTION_NOT_NEEDED', 'refresh', 'the partition has that leader already; nothing to do'],
  [85, 'NO_REASSIGNMENT_IN_PROGRESS', 'fatal', 'the partition is not being reassigned; nothing to cancel'],
  [86, 'GROUP_SUBSCRIBED_TO_TOPIC', 'fatal', 'the group still subscribes to the topic; unsubscribe before its offsets are deleted'],
  [87, 'INVALID_RECORD', 'fatal', 'the broker refused the record (for a compacted topic: it has no key)'],
  [88, 'UNSTABLE_OFFSET_COMMIT', 'retry', 'an open transaction may still change this offset; it is tried again'],
  [
    89,
    'THROTTLING_QUOTA_EXCEEDED',
    'retry',
    "the quota for changes of the cluster is used up; it is tried again after the broker's throttle time"
  ],
  [90, 'PRODUCER_FENCED', 'abort', "a newer producer has taken this one's place"],
  [91, 'RESOURCE_NOT_FOUND', 'fatal', 'the broker knows no such resource'],
  [92, 'DUPLICATE_RESOURCE', 'fatal', 'the same resource is named twice in one request'],
  [93, 'UNACCEPTABLE_CREDENTIAL', 'fatal', 'the broker does not take these credentials; see its rules for iterations and salts'],
  [94, 'INCONSISTENT_VOTER_SET', 'fatal', 'the voters of the quorum differ between the two sides'],
  [95, 'INVALID_UPDATE_VERSION', 'fatal', "the feature's version is not one that can be changed to"],
  [96, 'FEATURE_UPDATE_FAILED', 'fatal', 'the controller could not change the feature; its log says why'],
  [
    97,
    'PRINCIPAL_DESERIALIZATION_FAILURE',
    'fatal',
    'the forwarded principal could not be read; see that all brokers use the same principal builder'
  ],
  [98, 'SNAPSHOT_NOT_FOUND', 'fatal', 'there is no such snapshot of the metadata'],
  [99, 'POSITION_OUT_OF_RANGE', 'fatal', 'the position is outside the snapshot'],
  [100, 'UNKNOWN_TOPIC_ID', 'refresh', 'this broker has no topic of that id (yet, or any more)'],
  [101, 'DUPLICATE_BROKER_REGISTRATION', 'fatal', 'another live broker is registered under this id; give each broker its own'],
  [102, 'BROKER_ID_NOT_REGISTERED', 'fatal', 'no broker of this id is registered'],
  [103, 'INCONSISTENT_TOPIC_ID', 'refresh', 'the topic was created anew with another id'],
  [104, 'INCONSISTENT_CLUSTER_ID', 'fatal', 'the request names another cluster; check the addresses of the brokers'],
  [105, 'TRANSACTIONAL_ID_NOT_FOUND', 'fatal', 'the brokers know no such transactional id; it may have expired'],
  [106, 'FETCH_SESSION_TOPIC_ID_ERROR', 'retry', 'the fetch session mixes names and ids of topics; a new one is made'],
  [107, 'INELIGIBLE_REPLICA', 'fatal', 'a replica cannot be in sync now (its broker is fenced or shutting down)'],
  [108, 'NEW_LEADER_ELECTED', 'fatal', 'a new leader was elected while the in-sync replicas were changed; only brokers see it'],
  [109, 'OFFSET_MOVED_TO_TIERED_STORAGE', 'fatal', 'the offset has moved to tiered storage; fetch it from there'],
  [110, 'FENCED_MEMBER_EPOCH', 'rejoin', "the coordinator has fenced this member's epoch"],
  [
    111,
    'UNRELEASED_INSTANCE_ID',
    'fatal',
    'another member still uses this group.instance.id; stop it first, or wait for its session to end'
  ],
  [112, 'UNSUPPORTED_ASSIGNOR', 'fatal', 'the group does not take this assignor, or no member has it in common; choose another'],
  [113, 'STALE_MEMBER_EPOCH', 'rejoin', "this member's epoch is stale"],
  [
    114,
    'MISMATCHED_ENDPOINT_TYPE',
    'fatal',
    'the request was meant for another kind of node: brokers and controllers have addresses of their own'
  ],
  [115, 'UNSUPPORTED_ENDPOINT_TYPE', 'fatal', 'this node does not know that kind of endpoint'],
  [116, 'UNKNOWN_CONTROLLER_ID', 'fatal', 'no controller of this id is registered'],
  [117, 'UNKNOWN_SUBSCRIPTION_ID', 'fatal', 'the broker does not know the telemetry subscription; ask for it again'],
  [118, 'TELEMETRY_TOO_LARGE', 'fatal', 'the metrics pushed are larger than the broker takes; push fewer at once'],
  [119, 'INVALID_REGISTRATION', 'fatal', "the controller refused the broker's registration; its log says why"],
  [120, 'TRANSACTION_ABORTABLE', 'abort', 'the transaction cannot be completed; abort it and begin another'],
  [121, 'INVALID_RECORD_STATE', 'fatal', 'the record was acknowledged already, or its lock has ended; it may be delivered again'],
  [122, 'SHARE_SESSION_NOT_FOUND', 'retry', 'the share session is gone; a new one is made'],
  [123, 'INVALID_SHARE_SESSION_EPOCH', 'retry', "the share session's epoch is wrong; a new one is made"],
  [124, 'FENCED_STATE_EPOCH', 'fatal', 'the share coordinator has moved on to another state epoch'],
  [125, 'INVALID_VOTER_KEY', 'fatal', "the voter's key is not that of this node"],
  [126, 'DUPLICATE_VOTER', 'fatal', 'this voter is in the quorum already'],
  [127, 'VOTER_NOT_FOUND', 'fatal', 'this voter is not in the quorum'],
  [128, 'INVALID_REGULAR_EXPRESSION', 'fatal', "the broker cannot compile the regular expression; it takes RE2's syntax"],
  [129, 'REBOOTSTRAP_REQUIRED', 'refresh', 'what this client knows of the cluster is too old; it begins again from its first addresses'],
  [130, 'STREAMS_INVALID_TOPOLOGY', 'fatal', 'the streams topology is not valid'],
  [131, 'STREAMS_INVALID_TOPOLOGY_EPOCH', 'fatal', "the streams topology's epoch is not valid"],
  [132, 'STREAMS_TOPOLOGY_FENCED', 'fatal', "the streams topology is older than the group's"],
  [133, 'SHARE_SESSION_LIMIT_REACHED', 'retry', 'the broker holds as many share sessions as it may; it is tried again']
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
