/**
 * Consuming from embedded brokers, written to by Java's producer, with ZooKeeper and without: what holds on real ones holds here.
 */
import { after } from 'node:test'
import { embeddedServers } from '../support/embedded-servers.ts'
import { testConsuming } from './consume-suite.ts'

for (const kind of ['zookeeper', 'kraft'] as const) {
  const cluster = await embeddedServers({ zookeeper: kind === 'zookeeper' })
  after(() => cluster.dispose())
  testConsuming(kind, cluster)
}
