/**
 * Consuming from three brokers of Kafka 3.9, found by ZooKeeper.
 */
import { useCluster } from '../support/use-cluster.ts'
import { testConsuming } from './consume-suite.ts'

testConsuming('zookeeper', await useCluster('zookeeper'))
