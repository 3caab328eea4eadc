/**
 * Faults under groups of the new protocol (KIP-848), on three Kafka 4 brokers.
 */
import { useCluster } from '../support/use-cluster.ts'
import { testBrokerFaults } from './kafka-broker-suite.ts'
import { testMemberFaults, testStorm } from './kafka-group-suite.ts'

const cluster = await useCluster('kraft3')

testStorm(cluster, 'consumer')
testMemberFaults(cluster, 'consumer')
testBrokerFaults(cluster, 'consumer')
