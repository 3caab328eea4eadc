/**
 * Every setting of a cluster: one table with its unit, default and bounds. `resolveOptions` checks what a user gave
 * and fills the rest; what it returns is plain data and may lie in a machine's context.
 */
import { UsageError } from './errors.ts'
import { hasCredentials, withoutCredentials } from './redact.ts'

/** What a user may set. Names follow Kafka's Java client where the meaning is the same, units last. */
export interface ClusterOptions {
  /** `host:port[,host:port…][/chroot]`: the ZooKeeper that the brokers use. At least one of `zookeeper` and `brokers`. */
  zookeeper?: string
  /**
   * `host:port[,host:port…]`: any brokers of the cluster; the rest is found by Metadata. For clusters without ZooKeeper; beside `zookeeper`, for
   * the day on which that is silent or gone.
   */
  brokers?: string
  /** Sent to brokers with every request; appears in their logs and quotas. Default `samsa`. */
  clientId?: string
  /** This client's rack (KIP-392). Default none. */
  rack?: string | null
  /** Which of a broker's advertised listeners to dial. Default: the first whose protocol is PLAINTEXT. */
  listenerName?: string | null
  /** `connect` fails after this long without one reachable broker. Default 30,000. */
  connectTimeoutMs?: number
  /** ZooKeeper session timeout that is asked for; the server may clamp it. Default 6,000 (Kafka's `zookeeper.session.timeout.ms`). */
  sessionTimeoutMs?: number
  /** One TCP dial to one address. Default 10,000 (`socket.connection.setup.timeout.ms`). */
  dialTimeoutMs?: number
  /** One request to a broker, from written to answered. Default 30,000 (`request.timeout.ms`). */
  requestTimeoutMs?: number
  /** First pause before a broker is dialled again; doubles, with jitter. Default 50 (`reconnect.backoff.ms`). */
  reconnectBackoffMs?: number
  /** Longest pause between dials. Default 1,000 (`reconnect.backoff.max.ms`). */
  reconnectBackoffMaxMs?: number
  /** First pause before a request is tried again; doubles, with jitter. Default 100 (`retry.backoff.ms`). */
  retryBackoffMs?: number
  /** Longest such pause. Default 1,000 (`retry.backoff.max.ms`). */
  retryBackoffMaxMs?: number
  /** Leaders and brokers are asked for again at least this often. Default 300,000 (`metadata.max.age.ms`). */
  metadataMaxAgeMs?: number
  /** Largest frame that is accepted from a broker. Default 100 MiB. */
  maxFrameBytes?: number
  /** Largest decompressed batch. Default 128 MiB. */
  maxDecompressedBytes?: number
  /** Create topics that a publish names and that do not exist, with the broker's defaults. Default false: a clear error. */
  createTopics?: boolean
  publish?: PublishOptions
  /**
   * A directory in which every batch lies, on disk, from before it counts as accepted until it is acked: the death of this process loses and doubles
   * nothing. One process at a time. What is accepted has no deadline. Needs `publish.idempotent`. Default none.
   */
  outbox?: string | null
  /** So much may be accepted and not yet acked, in memory as on disk (in place of `publish.bufferMemoryBytes`). Default 67,108,864. */
  outboxMaxBytes?: number
  /** False: what is accepted survives the death of the process, not that of the machine. Default true. */
  outboxFsync?: boolean
  /**
   * A directory in which everything that came in is kept beside the ring in memory: `samsa journal` looks at it, live or later. Bounded by
   * `journalMaxBytes`; not waited for. Default none.
   */
  journal?: string | null
  /** All files of the journal together; the oldest make room. Default 67,108,864. */
  journalMaxBytes?: number
  /** In-memory recorder: how many bytes of inputs are kept. Default 4 MiB; 0 turns it off. */
  recorderMaxBytes?: number
}

export interface PublishOptions {
  /** Wait this long for more messages before a batch is sealed. Default 0: what one turn of the event loop publishes goes together. */
  lingerMs?: number
  /** A batch is sealed at this size (uncompressed). Default 131,072. */
  batchBytes?: number
  /** Largest Produce request, and so the largest message. Default 1,048,576 (`max.request.size`). */
  maxRequestBytes?: number
  /** Memory for messages that are not yet acked. Default 67,108,864. */
  bufferMemoryBytes?: number
  /** How long a publish may wait for memory or for the topic to be known. Default 60,000 (`max.block.ms`). */
  maxBlockMs?: number
  /** From sealed to acked, retries included; then failed or unknown. Default 120,000 (`delivery.timeout.ms`). */
  deliveryTimeoutMs?: number
  /** `none`, `gzip`, `snappy`, `lz4` or `zstd`. Default none. */
  compression?: Compression
  /** Broker-side deduplication of retries (KIP-98). Needs acks all. Default true. */
  idempotent?: boolean
  /** `all` (every in-sync replica), `leader`, or `none` (fire and forget: nothing is ever retried). Default all. */
  acks?: 'all' | 'leader' | 'none'
  /**
   * An unkeyed batch that was sent, whose outcome stays unknown past `deliveryTimeoutMs` because its leader does not come back:
   * `reroute` writes it to another partition, flagged as possibly doubled; `wait` goes on waiting for that leader. Default reroute.
   */
  onUnknown?: 'reroute' | 'wait'
  /**
   * Chooses the partition of each message (of a list: for its first message). Must return a number below `partitions`, or undefined for the
   * default: by key as Java's client, without a key spread over the partitions that have a leader.
   */
  partitioner?: Partitioner
}

/** See `PublishOptions.partitioner`. */
export type Partitioner = (
  message: { key: string | Uint8Array | null; value: string | Uint8Array | null },
  topic: { name: string; partitions: number }
) => number | undefined

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

type Filled<T> = { [K in keyof Required<T>]: Exclude<Required<T>[K], undefined> }
export type ResolvedPublishOptions = Filled<Omit<PublishOptions, 'partitioner'>> & { partitioner: Partitioner | undefined }
export type ResolvedOptions = Omit<Filled<ClusterOptions>, 'publish' | 'zookeeper' | 'brokers'> & {
  zookeeper: string | null
  brokers: string | null
  publish: ResolvedPublishOptions
}

const MiB = 1024 * 1024

/** name: [default, least, most], in the unit that ends the name. */
const NUMBERS = {
  connectTimeoutMs: [30_000, 1, 3_600_000],
  sessionTimeoutMs: [6_000, 100, 3_600_000],
  dialTimeoutMs: [10_000, 1, 600_000],
  requestTimeoutMs: [30_000, 100, 3_600_000],
  reconnectBackoffMs: [50, 1, 60_000],
  reconnectBackoffMaxMs: [1_000, 1, 600_000],
  retryBackoffMs: [100, 1, 60_000],
  retryBackoffMaxMs: [1_000, 1, 600_000],
  metadataMaxAgeMs: [300_000, 100, 86_400_000],
  maxFrameBytes: [100 * MiB, 65_536, 1024 * MiB],
  maxDecompressedBytes: [128 * MiB, 65_536, 1024 * MiB],
  recorderMaxBytes: [4 * MiB, 0, 1024 * MiB],
  journalMaxBytes: [64 * MiB, 65_536, 16_384 * MiB],
  outboxMaxBytes: [64 * MiB, 65_536, 16_384 * MiB]
} as const

const PUBLISH_NUMBERS = {
  lingerMs: [0, 0, 600_000],
  batchBytes: [131_072, 128, 100 * MiB],
  maxRequestBytes: [MiB, 1_024, 100 * MiB],
  bufferMemoryBytes: [64 * MiB, 65_536, 16_384 * MiB],
  maxBlockMs: [60_000, 0, 3_600_000],
  deliveryTimeoutMs: [120_000, 100, 86_400_000]
} as const

function fillNumbers<T extends Record<string, readonly [number, number, number]>>(
  table: T,
  given: object,
  prefix: string
): Record<keyof T, number> {
  const out: Record<string, number> = {}
  for (const [name, [fallback, least, most]] of Object.entries(table)) {
    const value = (given as Record<string, unknown>)[name] ?? fallback
    const whole = name.endsWith('Bytes')
    if (typeof value !== 'number' || !(whole ? Number.isInteger(value) : Number.isFinite(value)) || value < least || value > most)
      throw new UsageError(
        'INVALID_OPTION',
        `${prefix}${name} is ${String(value)}; give a ${whole ? 'whole ' : ''}number from ${least} to ${most}.`,
        { details: { option: name } }
      )
    out[name] = value
  }
  return out as Record<keyof T, number>
}

function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T
  throw new UsageError('INVALID_OPTION', `${name} is ${String(value)}; it must be one of ${allowed.join(', ')}.`, {
    details: { option: name }
  })
}

function ofType(name: string, value: unknown, type: 'boolean' | 'string'): void {
  if (typeof value === type || value === undefined || value === null) return
  throw new UsageError('INVALID_OPTION', `${name} is a ${typeof value}; it must be a ${type}.`, { details: { option: name } })
}

function knownNames(given: object, known: readonly string[], prefix: string): void {
  if (typeof given !== 'object' || given === null)
    throw new UsageError('INVALID_OPTION', `The ${prefix ? `${prefix.slice(0, -1)} ` : ''}options must be an object.`)
  for (const name of Object.keys(given))
    if (!known.includes(name))
      throw new UsageError('UNKNOWN_OPTION', `There is no option ${prefix}${name}. Known: ${known.join(', ')}.`, {
        details: { option: name }
      })
}

const TEXTS = ['zookeeper', 'brokers', 'clientId', 'rack', 'listenerName', 'createTopics', 'publish', 'outbox', 'outboxFsync', 'journal']
const PUBLISH_TEXTS = ['compression', 'idempotent', 'acks', 'onUnknown', 'partitioner']

/** Checks and fills the publish options. Throws UsageError. */
export function resolvePublishOptions(given: PublishOptions = {}): ResolvedPublishOptions {
  knownNames(given, [...Object.keys(PUBLISH_NUMBERS), ...PUBLISH_TEXTS], 'publish.')
  const acks = oneOf('publish.acks', given.acks ?? 'all', ['all', 'leader', 'none'] as const)
  ofType('publish.idempotent', given.idempotent, 'boolean')
  const idempotent = given.idempotent ?? acks === 'all'
  if (idempotent && acks !== 'all')
    throw new UsageError('INVALID_OPTION', `publish.idempotent needs publish.acks 'all'; it is '${acks}'.`, { details: { option: 'acks' } })
  if (given.partitioner !== undefined && typeof given.partitioner !== 'function')
    throw new UsageError('INVALID_OPTION', 'publish.partitioner must be a function.', { details: { option: 'partitioner' } })
  return {
    ...fillNumbers(PUBLISH_NUMBERS, given, 'publish.'),
    partitioner: given.partitioner,
    compression: oneOf('publish.compression', given.compression ?? 'none', ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const),
    idempotent,
    acks,
    onUnknown: oneOf('publish.onUnknown', given.onUnknown ?? 'reroute', ['reroute', 'wait'] as const)
  }
}

/** There is no authentication yet, and an address travels: into logs, errors, recordings. So one with a password is refused before it goes anywhere. */
function refuseCredentials(name: string, address: string): void {
  if (!hasCredentials(address)) return
  throw new UsageError(
    'CREDENTIALS_IN_ADDRESS',
    `${name} "${withoutCredentials(address).slice(0, 200)}" has a user or a password in it, which addresses do not take. Leave everything up to the @ out.`,
    { details: { option: name } }
  )
}

/** Checks and fills all options. Throws UsageError with the option's name, what is wrong and what is allowed. */
export function resolveOptions(given: ClusterOptions): ResolvedOptions {
  knownNames(given, [...Object.keys(NUMBERS), ...TEXTS], '')
  for (const name of ['zookeeper', 'brokers', 'rack', 'listenerName', 'outbox', 'journal'] as const) ofType(name, given[name], 'string')
  for (const name of ['createTopics', 'outboxFsync'] as const) ofType(name, given[name], 'boolean')
  const zookeeper = given.zookeeper ?? null
  const brokers = given.brokers ?? null
  refuseCredentials('zookeeper', zookeeper ?? '')
  refuseCredentials('brokers', brokers ?? '')
  if (zookeeper === null && brokers === null)
    throw new UsageError('INVALID_OPTION', 'Name the cluster by `zookeeper` (host:port/chroot), by `brokers` (host:port,…), or by both.')
  const clientId = given.clientId ?? 'samsa'
  if (typeof clientId !== 'string' || clientId.length === 0 || clientId.length > 249)
    throw new UsageError('INVALID_OPTION', 'clientId must be a string of 1 to 249 characters.', { details: { option: 'clientId' } })
  if (given.journal && given.recorderMaxBytes === 0)
    throw new UsageError('INVALID_OPTION', 'A journal keeps what the recorder takes: recorderMaxBytes must not be 0.', {
      details: { option: 'recorderMaxBytes' }
    })
  return {
    zookeeper,
    brokers,
    clientId,
    rack: given.rack ?? null,
    listenerName: given.listenerName ?? null,
    createTopics: given.createTopics ?? false,
    outbox: given.outbox ?? null,
    journal: given.journal ?? null,
    outboxFsync: given.outboxFsync ?? true,
    ...fillNumbers(NUMBERS, given, ''),
    publish: given.outbox ? withOutbox(given) : resolvePublishOptions(given.publish)
  }
}

/** What is accepted is delivered, once, however long it takes: settings that say otherwise are refused. */
function withOutbox({ publish = {}, outboxMaxBytes }: ClusterOptions): ResolvedPublishOptions {
  const resolved = resolvePublishOptions(publish)
  const refuse = (option: string, why: string) => {
    throw new UsageError('INVALID_OPTION', `With an outbox, publish.${option} cannot be given: ${why}`, { details: { option } })
  }
  if (!resolved.idempotent) refuse('idempotent: false', 'brokers could not tell a repetition from a new message.')
  if (publish.deliveryTimeoutMs !== undefined) refuse('deliveryTimeoutMs', 'what is accepted has no deadline.')
  if (publish.onUnknown !== undefined) refuse('onUnknown', 'a batch that was sent waits for its leader, which knows whether it has it.')
  if (publish.bufferMemoryBytes !== undefined) refuse('bufferMemoryBytes', 'set outboxMaxBytes.')
  const bufferMemoryBytes = outboxMaxBytes ?? NUMBERS.outboxMaxBytes[0]
  return { ...resolved, bufferMemoryBytes, deliveryTimeoutMs: Number.POSITIVE_INFINITY, onUnknown: 'wait' }
}

/** `zookeeper://h:2181,h:2181/chroot`, `kafka://h:9092,…`, or the one, a comma, and the other, as options. Throws UsageError on anything else. */
export function parseClusterUrl(url: string): Pick<ClusterOptions, 'zookeeper' | 'brokers'> {
  refuseCredentials('The address', url)
  const out: Pick<ClusterOptions, 'zookeeper' | 'brokers'> = {}
  for (const part of url.split(/,(?=[a-z]+:\/\/)/)) {
    const match = /^([a-z]+):\/\/([^/?#\s]+)(\/[^?#\s]*)?$/.exec(part)
    if (match?.[1] === 'zookeeper' && out.zookeeper === undefined) out.zookeeper = match[2]! + (match[3] === '/' ? '' : (match[3] ?? ''))
    else if (match?.[1] === 'kafka' && out.brokers === undefined && (match[3] === undefined || match[3] === '/')) out.brokers = match[2]!
    else
      throw new UsageError(
        'INVALID_CLUSTER_URL',
        `"${url}" does not name a cluster. Give zookeeper://host:2181[,host:2181][/chroot], kafka://host:9092[,host:9092], or both with a comma between.`
      )
  }
  return out
}

/** A topic name as Kafka allows it (`Topic.validate`). */
export function isTopicName(topic: unknown): topic is string {
  return typeof topic === 'string' && /^[a-zA-Z0-9._-]{1,249}$/.test(topic) && topic !== '.' && topic !== '..'
}

/** Throws UsageError. */
export function checkTopicName(topic: string): void {
  if (isTopicName(topic)) return
  throw new UsageError(
    'INVALID_TOPIC',
    `${JSON.stringify(topic)?.slice(0, 120)} is not a topic name: 1 to 249 of the characters a-z A-Z 0-9 . _ - (and not "." or "..").`
  )
}
