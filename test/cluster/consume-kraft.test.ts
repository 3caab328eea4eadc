/**
 * Consuming from Kafka 4 in KRaft mode, found by Metadata.
 */
import { useCluster } from '../support/use-cluster.ts'
import { testConsuming } from './consume-suite.ts'

testConsuming('kraft', await useCluster('kraft'))
