/**
 * The topics in which coordinators keep what is durable, and the rule by which a name falls on one of their partitions.
 */
import type { Configs } from './configs.ts'
import type { NewTopic } from './topics.ts'

export type CoordinatorKind = 'group' | 'transaction'

export const INTERNAL = { group: '__consumer_offsets', transaction: '__transaction_state' } as const
const CONFIG = {
  group: { partitions: 'offsets.topic.num.partitions', replication: 'offsets.topic.replication.factor', compression: 'producer' },
  transaction: {
    partitions: 'transaction.state.log.num.partitions',
    replication: 'transaction.state.log.replication.factor',
    compression: 'uncompressed'
  }
} as const

export function isInternal(topic: string): boolean {
  return topic === INTERNAL.group || topic === INTERNAL.transaction
}

/** `alive`: on no more brokers than there are. */
export function internalTopic(kind: CoordinatorKind, configs: Configs, alive: number): NewTopic {
  const { partitions, replication, compression } = CONFIG[kind]
  return {
    name: INTERNAL[kind],
    partitions: configs.brokerNumber(partitions),
    replicationFactor: Math.min(alive, configs.brokerNumber(replication)),
    configs: { 'cleanup.policy': 'compact', 'compression.type': compression, 'segment.bytes': '104857600' }
  }
}

/** `Utils.abs(String.hashCode)`. */
export function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash & 0x7fffffff
}
