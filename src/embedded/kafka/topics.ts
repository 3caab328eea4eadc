/**
 * The rules for new topics: their names, and which brokers have their replicas. Errors as Kafka answers them.
 */
import type { Configs } from './configs.ts'
import { KafkaFault } from './errors.ts'

export interface NewTopic {
  name: string
  /** Default: the broker's `num.partitions`. */
  partitions?: number
  /** Default: the broker's `default.replication.factor`. */
  replicationFactor?: number
  /** Replicas by partition, the preferred leader first; instead of the two above. */
  assignments?: readonly number[][]
  configs?: Readonly<Record<string, string>>
  /** Only where a topic comes back. Default: random. */
  id?: string
}

const NAME_MAX = 249
/** At once, as a KRaft controller has it (`ReplicationControlManager.MAX_PARTITIONS_PER_BATCH`). */
const NEW_PARTITIONS_MAX = 10_000
/** Of all topics together: each costs memory. */
const PARTITIONS_MAX = 200_000

/** `Topic.validate`, and no two names that differ in dots and underscores alone: they would share their metrics. */
export function checkTopicName(name: string, others: Iterable<string>): void {
  const why = badName(name)
  if (why) throw new KafkaFault('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${why}`)
  if (!/[._]/.test(name)) return
  const alike = name.replaceAll('.', '_')
  const collides = [...others].filter(other => other !== name && other.replaceAll('.', '_') === alike)
  if (collides.length > 0)
    throw new KafkaFault('INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topics: ${collides.join(', ')}`)
}

export function badName(name: string): string | undefined {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > NAME_MAX) return `the length of '${name}' is longer than the max allowed length ${NAME_MAX}`
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  return undefined
}

/** Throws POLICY_VIOLATION. `there`: how many the cluster has. */
export function checkRoom(more: number, there: number): void {
  if (more > NEW_PARTITIONS_MAX)
    throw new KafkaFault(
      'POLICY_VIOLATION',
      `Excessively large number of partitions per request: ${more}, not up to ${NEW_PARTITIONS_MAX}.`
    )
  if (there + more > PARTITIONS_MAX)
    throw new KafkaFault('POLICY_VIOLATION', `An embedded cluster has up to ${PARTITIONS_MAX} partitions; there are ${there}.`)
}

/** Replicas of a new topic, by partition. `from`: which broker is the first to lead; `there`: how many partitions the cluster has. Throws KafkaFault. */
export function placed(
  spec: NewTopic,
  { alive, configs, from, there }: { alive: readonly number[]; configs: Configs; from: number; there: number }
): readonly number[][] {
  if (spec.assignments) {
    checkRoom(spec.assignments.length, there)
    checkAssignments(spec.assignments, alive)
    return spec.assignments
  }
  const partitions = spec.partitions ?? configs.brokerNumber('num.partitions')
  const width = spec.replicationFactor ?? configs.brokerNumber('default.replication.factor')
  if (partitions <= 0) throw new KafkaFault('INVALID_PARTITIONS', 'Number of partitions must be larger than 0.')
  checkRoom(partitions, there)
  if (width <= 0) throw new KafkaFault('INVALID_REPLICATION_FACTOR', 'Replication factor must be larger than 0.')
  if (width > alive.length)
    throw new KafkaFault('INVALID_REPLICATION_FACTOR', `Replication factor: ${width} larger than available brokers: ${alive.length}.`)
  return assign(alive, partitions, width, from)
}

/** Replicas on consecutive brokers, each partition's leader on the next one. */
export function assign(brokers: readonly number[], partitions: number, width: number, from: number): number[][] {
  const at = (index: number) => brokers[index % brokers.length]!
  return Array.from({ length: partitions }, (_, p) => Array.from({ length: Math.min(width, brokers.length) }, (_, r) => at(from + p + r)))
}

/** Assignments that a client gives. `of`: for partitions that are added to a topic. */
export function checkAssignments(assignments: readonly number[][], alive: readonly number[], of?: { count: number; width: number }): void {
  if (of && assignments.length !== of.count)
    throw new KafkaFault(
      'INVALID_REPLICA_ASSIGNMENT',
      `Increasing the number of partitions by ${of.count} but ${assignments.length} assignments provided.`
    )
  const width = of?.width ?? assignments[0]?.length ?? 0
  for (const [partition, ids] of assignments.entries()) {
    if (ids.length === 0) throw new KafkaFault('INVALID_REPLICA_ASSIGNMENT', 'Cannot have replication factor of 0 for a partition.')
    if (new Set(ids).size !== ids.length)
      throw new KafkaFault(
        'INVALID_REPLICA_ASSIGNMENT',
        `Duplicate brokers not allowed in replica assignment: ${ids.join(', ')} for partition id ${partition}.`
      )
    const unknown = ids.filter(id => !alive.includes(id))
    if (unknown.length > 0)
      throw new KafkaFault('INVALID_REPLICA_ASSIGNMENT', `Unknown broker(s) in replica assignment: ${unknown.join(', ')}.`)
    if (ids.length !== width)
      throw new KafkaFault('INVALID_REPLICA_ASSIGNMENT', `Inconsistent replication factor between partitions: ${ids.length} and ${width}.`)
  }
}
