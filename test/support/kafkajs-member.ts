/**
 * A kafkajs 2.2.4 consumer as a member of a classic group. It is eager, and what it is called by others depends on its assigner: its own one is
 * `RoundRobinAssigner`; under a name of Java's it joins groups of Java's (`kafkajs-program.ts` says how it divides when it leads).
 */
import { fileURLToPath } from 'node:url'
import { ForeignMember } from './foreign-member.ts'
import { npmPackages } from './npm.ts'

export interface KafkajsMemberOptions {
  bootstrap: string[]
  group: string
  topics: string[]
  /** In order of preference. Default its own, `RoundRobinAssigner`. */
  assignors?: string[]
  /** Default 6000. */
  sessionTimeoutMs?: number
  /** Default a third of the session's, at most 300: it hears of a rebalance by its heartbeats alone. */
  heartbeatIntervalMs?: number
  /** How long it may take to join again. Default 10,000. */
  rebalanceTimeoutMs?: number
  /** Where it starts without a committed offset. Default earliest. */
  reset?: 'earliest' | 'latest'
  clientId?: string
}

const version = '2.2.4'

/** Joins; resolves when it is in the group, with or without partitions. It commits after each batch. */
export async function startKafkajsMember(options: KafkajsMemberOptions): Promise<ForeignMember> {
  const folder = await npmPackages('npm', `kafkajs-${version}`, { kafkajs: version })
  return ForeignMember.run({
    name: `the kafkajs member${options.clientId ? ` (${options.clientId})` : ''}`,
    command: process.execPath,
    args: ['--import', 'tsx', fileURLToPath(new URL('./kafkajs-program.ts', import.meta.url)), folder, JSON.stringify(options)],
    environment: { KAFKAJS_NO_PARTITIONER_WARNING: '1' }
  })
}
