/**
 * Faults under groups of the classic protocol, on three brokers found by their own addresses.
 */
import { useCluster } from '../support/use-cluster.ts'
import { testBrokerFaults } from './kafka-broker-suite.ts'
import { testMemberFaults, testStorm } from './kafka-group-suite.ts'

const cluster = await useCluster('zookeeper')

testStorm(cluster, 'classic')
testMemberFaults(cluster, 'classic')
testBrokerFaults(cluster, 'classic')
