/**
 * The fault table: what is done to the cluster, and what must hold beyond what holds in every row (nothing lost, nothing doubled, in order, one owner for
 * each partition, recovery unaided). `npm run faults` runs all of it; rows of the `cut` are part of the test command.
 */
import type { SubscribeOptions } from '../../src/index.ts'
import type { CheckOptions } from '../checker/checker.ts'
import { brokerFaults } from './broker-faults.ts'
import type { Figures } from './figures.ts'
import { groupFaults } from './group-faults.ts'
import { networkFaults } from './network-faults.ts'
import type { Stage } from './run.ts'
import { topicFaults } from './topic-faults.ts'

export interface Fault {
  name: string
  does: string
  holds: string
  /** It belongs to the test command. */
  cut?: boolean
  /** How our members meet. Default classic, as Java's. */
  group?: SubscribeOptions['membership']
  /** How ours find the cluster: by ZooKeeper (default), by ZooKeeper through a proxy, or all by the brokers' proxies. */
  by?: 'zookeeper' | 'zookeeper front' | 'fronts'
  /** Does Java's client work beside ours? Default true. */
  java?: boolean
  /** Ours may wait as long as Java's, and a second longer. */
  timed?: boolean
  /** How often a member may be given partitions anew. */
  rebalances?: number
  subscribe?: Partial<SubscribeOptions>
  /** Publishes have little time (3 s): some end as unknown. */
  hurried?: boolean
  check?: CheckOptions
  /** What the ground needs before anybody works on it; answers with what takes it back. */
  before?(stage: Stage): Promise<() => Promise<void>>
  /** Does it, until it is over; answers with what proves that it has happened. Throws when it has not. What it leaves broken is repaired afterwards. */
  befall(stage: Stage): Promise<string>
  /** Throws when what must hold does not. */
  judge?(figures: Figures, stage: Stage): void
}

export interface Result {
  name: string
  figures: Figures
  /** Java's, in the same run. */
  java: Pick<Figures, 'ackMs' | 'readMs' | 'rebalances'> | undefined
  proof: string
  tookMs: number
}

export const FAULTS: readonly Fault[] = [...brokerFaults, ...groupFaults, ...networkFaults, ...topicFaults]
