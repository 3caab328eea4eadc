/**
 * The configurations that Kafka 3.9 knows of topics, and those of brokers that clients look at or that mean something here: type, default, what
 * a value may be.
 */

/** Kafka's numbers for types of configurations, as DescribeConfigs has them. */
export const CONFIG_TYPE = { boolean: 1, string: 2, int: 3, short: 4, long: 5, double: 6, list: 7, class: 8, password: 9 } as const

export interface ConfigDefinition {
  readonly name: string
  readonly type: keyof typeof CONFIG_TYPE
  /** Null: none. */
  readonly value: string | null
  /** Of a topic's: the broker's configuration that its default comes from. */
  readonly broker?: string
  readonly min?: number
  /** A list has any of them. */
  readonly oneOf?: readonly string[]
  /** Only set in server.properties. */
  readonly readOnly?: true
}

const LONG_MAX = '9223372036854775807'
const COMPRESSIONS = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer']

export const TOPIC_CONFIGS: readonly ConfigDefinition[] = [
  { name: 'cleanup.policy', type: 'list', value: 'delete', broker: 'log.cleanup.policy', oneOf: ['compact', 'delete'] },
  { name: 'compression.gzip.level', type: 'int', value: '-1', broker: 'compression.gzip.level' },
  { name: 'compression.lz4.level', type: 'int', value: '9', broker: 'compression.lz4.level' },
  { name: 'compression.type', type: 'string', value: 'producer', broker: 'compression.type', oneOf: COMPRESSIONS },
  { name: 'compression.zstd.level', type: 'int', value: '3', broker: 'compression.zstd.level' },
  { name: 'delete.retention.ms', type: 'long', value: '86400000', broker: 'log.cleaner.delete.retention.ms', min: 0 },
  { name: 'file.delete.delay.ms', type: 'long', value: '60000', broker: 'log.segment.delete.delay.ms', min: 0 },
  { name: 'flush.messages', type: 'long', value: LONG_MAX, broker: 'log.flush.interval.messages', min: 1 },
  { name: 'flush.ms', type: 'long', value: LONG_MAX, broker: 'log.flush.interval.ms', min: 0 },
  { name: 'follower.replication.throttled.replicas', type: 'list', value: '' },
  { name: 'index.interval.bytes', type: 'int', value: '4096', broker: 'log.index.interval.bytes', min: 0 },
  { name: 'leader.replication.throttled.replicas', type: 'list', value: '' },
  { name: 'local.retention.bytes', type: 'long', value: '-2', broker: 'log.local.retention.bytes', min: -2 },
  { name: 'local.retention.ms', type: 'long', value: '-2', broker: 'log.local.retention.ms', min: -2 },
  { name: 'max.compaction.lag.ms', type: 'long', value: LONG_MAX, broker: 'log.cleaner.max.compaction.lag.ms', min: 1 },
  { name: 'max.message.bytes', type: 'int', value: '1048588', broker: 'message.max.bytes', min: 0 },
  { name: 'message.downconversion.enable', type: 'boolean', value: 'true', broker: 'log.message.downconversion.enable' },
  { name: 'message.format.version', type: 'string', value: '3.0-IV1', broker: 'log.message.format.version' },
  { name: 'message.timestamp.after.max.ms', type: 'long', value: LONG_MAX, broker: 'log.message.timestamp.after.max.ms', min: 0 },
  { name: 'message.timestamp.before.max.ms', type: 'long', value: LONG_MAX, broker: 'log.message.timestamp.before.max.ms', min: 0 },
  { name: 'message.timestamp.difference.max.ms', type: 'long', value: LONG_MAX, broker: 'log.message.timestamp.difference.max.ms', min: 0 },
  {
    name: 'message.timestamp.type',
    type: 'string',
    value: 'CreateTime',
    broker: 'log.message.timestamp.type',
    oneOf: ['CreateTime', 'LogAppendTime']
  },
  { name: 'min.cleanable.dirty.ratio', type: 'double', value: '0.5', broker: 'log.cleaner.min.cleanable.ratio', min: 0 },
  { name: 'min.compaction.lag.ms', type: 'long', value: '0', broker: 'log.cleaner.min.compaction.lag.ms', min: 0 },
  { name: 'min.insync.replicas', type: 'int', value: '1', broker: 'min.insync.replicas', min: 1 },
  { name: 'preallocate', type: 'boolean', value: 'false', broker: 'log.preallocate' },
  { name: 'remote.log.copy.disable', type: 'boolean', value: 'false' },
  { name: 'remote.log.delete.on.disable', type: 'boolean', value: 'false' },
  { name: 'remote.storage.enable', type: 'boolean', value: 'false' },
  { name: 'retention.bytes', type: 'long', value: '-1', broker: 'log.retention.bytes' },
  { name: 'retention.ms', type: 'long', value: '604800000', broker: 'log.retention.ms', min: -1 },
  { name: 'segment.bytes', type: 'int', value: '1073741824', broker: 'log.segment.bytes', min: 14 },
  { name: 'segment.index.bytes', type: 'int', value: '10485760', broker: 'log.index.size.max.bytes', min: 4 },
  { name: 'segment.jitter.ms', type: 'long', value: '0', broker: 'log.roll.jitter.ms', min: 0 },
  { name: 'segment.ms', type: 'long', value: '604800000', broker: 'log.roll.ms', min: 1 },
  { name: 'unclean.leader.election.enable', type: 'boolean', value: 'false', broker: 'unclean.leader.election.enable' }
]

/** Broker configurations that no topic's default comes from. */
const OWN: readonly ConfigDefinition[] = [
  { name: 'advertised.listeners', type: 'string', value: null },
  { name: 'auto.create.topics.enable', type: 'boolean', value: 'true', readOnly: true },
  { name: 'broker.id', type: 'int', value: '-1', readOnly: true },
  { name: 'broker.rack', type: 'string', value: null, readOnly: true },
  { name: 'connections.max.idle.ms', type: 'long', value: '600000', readOnly: true },
  { name: 'controlled.shutdown.enable', type: 'boolean', value: 'true', readOnly: true },
  { name: 'default.replication.factor', type: 'int', value: '1', readOnly: true },
  { name: 'delete.topic.enable', type: 'boolean', value: 'true', readOnly: true },
  { name: 'fetch.max.bytes', type: 'int', value: '57671680', min: 1024, readOnly: true },
  { name: 'group.consumer.heartbeat.interval.ms', type: 'int', value: '500', min: 1, readOnly: true },
  { name: 'group.consumer.max.size', type: 'int', value: '2147483647', min: 1, readOnly: true },
  { name: 'group.consumer.session.timeout.ms', type: 'int', value: '45000', min: 1, readOnly: true },
  { name: 'group.initial.rebalance.delay.ms', type: 'int', value: '0', readOnly: true },
  { name: 'group.max.session.timeout.ms', type: 'int', value: '1800000', readOnly: true },
  { name: 'group.max.size', type: 'int', value: '2147483647', min: 1, readOnly: true },
  { name: 'group.min.session.timeout.ms', type: 'int', value: '6000', readOnly: true },
  { name: 'inter.broker.protocol.version', type: 'string', value: '3.9-IV0', readOnly: true },
  { name: 'listeners', type: 'string', value: 'PLAINTEXT://:9092' },
  { name: 'log.dirs', type: 'string', value: '/tmp/kafka-logs', readOnly: true },
  { name: 'log.retention.check.interval.ms', type: 'long', value: '300000', min: 1, readOnly: true },
  { name: 'max.connections', type: 'int', value: '2147483647', min: 0 },
  { name: 'max.incremental.fetch.session.cache.slots', type: 'int', value: '1000', min: 0, readOnly: true },
  { name: 'num.partitions', type: 'int', value: '1', min: 1, readOnly: true },
  { name: 'offset.metadata.max.bytes', type: 'int', value: '4096', readOnly: true },
  { name: 'offsets.retention.minutes', type: 'int', value: '10080', min: 1, readOnly: true },
  { name: 'offsets.topic.num.partitions', type: 'int', value: '50', min: 1, readOnly: true },
  { name: 'offsets.topic.replication.factor', type: 'short', value: '3', min: 1, readOnly: true },
  { name: 'producer.id.expiration.ms', type: 'int', value: '86400000', min: 1 },
  { name: 'replica.lag.time.max.ms', type: 'long', value: '30000', readOnly: true },
  { name: 'socket.request.max.bytes', type: 'int', value: '104857600', min: 1, readOnly: true },
  { name: 'transaction.max.timeout.ms', type: 'int', value: '900000', min: 1, readOnly: true },
  { name: 'transaction.partition.verification.enable', type: 'boolean', value: 'true' },
  { name: 'transaction.state.log.num.partitions', type: 'int', value: '50', min: 1, readOnly: true },
  { name: 'transaction.state.log.replication.factor', type: 'short', value: '3', min: 1, readOnly: true },
  { name: 'transactional.id.expiration.ms', type: 'int', value: '604800000', min: 1, readOnly: true },
  { name: 'zookeeper.connect', type: 'string', value: null, readOnly: true }
]

export const BROKER_CONFIGS: readonly ConfigDefinition[] = [
  ...OWN,
  ...TOPIC_CONFIGS.filter(({ broker }) => broker !== undefined).map(({ broker, ...rest }) => ({ ...rest, name: broker! }))
].sort((a, b) => (a.name < b.name ? -1 : 1))

const topicByName = new Map(TOPIC_CONFIGS.map(each => [each.name, each]))
const brokerByName = new Map(BROKER_CONFIGS.map(each => [each.name, each]))

export function definitionOf(of: 'topic' | 'broker', name: string): ConfigDefinition | undefined {
  return (of === 'topic' ? topicByName : brokerByName).get(name)
}

/** Why a value cannot be; undefined: it can. In Kafka's words. */
export function badValue(definition: ConfigDefinition, value: string): string | undefined {
  const { name, type, min, oneOf } = definition
  const bad = (why: string) => `Invalid value ${value} for configuration ${name}: ${why}`
  const text = value.trim()
  if (type === 'boolean') return /^(true|false)$/i.test(text) ? undefined : bad('Expected value to be either true or false')
  if (type === 'int' || type === 'long' || type === 'short' || type === 'double') {
    const number = Number(text)
    const limit = { int: 2 ** 31, long: 2 ** 63, short: 2 ** 15, double: Number.POSITIVE_INFINITY }[type]
    const isNumber =
      type === 'double' ? text !== '' && Number.isFinite(number) : /^[+-]?\d+$/.test(text) && number <= limit && number >= -limit
    if (!isNumber) return bad(`Not a number of type ${type.toUpperCase()}`)
    return min !== undefined && number < min ? bad(`Value must be at least ${min}`) : undefined
  }
  if (!oneOf) return undefined
  const values = type === 'list' ? text.split(',').map(each => each.trim()) : [text]
  return values.every(each => oneOf.includes(each)) ? undefined : bad(`String must be one of: ${oneOf.join(', ')}`)
}
