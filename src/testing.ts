/**
 * The door for tests, `samsa/testing`: a cluster in this process, and the faults that can befall it.
 *
 *   const kafka = await startCluster({ brokers: 3, topics: { orders: 6 } })
 *   const cluster = await connect(kafka.url)
 *   kafka.kill(kafka.leaderOf('orders', 0)!.id)
 */
import { EmbeddedCluster } from './embedded/cluster.ts'
import type { EmbeddedOptions } from './embedded/options.ts'
import { nodeWorld } from './world/node.ts'

export { EmbeddedCluster } from './embedded/cluster.ts'
export type { Broker as EmbeddedBroker } from './embedded/kafka/broker.ts'
export type { ControlHandler, ControlledRequest, Verdict } from './embedded/kafka/control.ts'
export { type EmbeddedOptions, parseEmbeddedUrl } from './embedded/options.ts'
export type { EmbeddedZooKeeper } from './embedded/zookeeper/server.ts'

/**
 * Starts brokers (default: 3) and their ZooKeeper, each on a loopback port of its own; resolves when they can be used. Stop it when done, or use
 * `await using`. Throws UsageError on an option that cannot be; rejects when a port that was named is taken.
 */
export function startCluster(options: EmbeddedOptions = {}): Promise<EmbeddedCluster> {
  return EmbeddedCluster.start(options.world ?? nodeWorld(), options)
}
