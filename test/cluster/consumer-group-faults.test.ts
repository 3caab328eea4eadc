/**
 * A group of the new protocol (KIP-848) while its brokers go: whoever coordinates it, nobody's partitions move, nothing is lost,
 * nothing comes twice.
 */
import { afterEach, describe } from 'node:test'
import { useCluster } from '../support/use-cluster.ts'
import { testBrokerFaults, testMemberFaults } from './kafka-group-suite.ts'

const cluster = await useCluster('kraft3')

describe('faults under a group of the consumer protocol', { timeout: 240_000 }, () => {
  afterEach(async () => {
    if (cluster.touched) await cluster.heal()
  })
  testMemberFaults(cluster, 'consumer')
  testBrokerFaults(cluster, 'consumer')
})
