/**
 * The table of what tiers spawn. Imported for its effect by `cluster.ts`.
 */
import { brokerConnectionActor } from './broker-connection.ts'
import { consumedPartitionActor } from './consumed-partition.ts'
import { consumerActor } from './consumer.ts'
import { partitionActor } from './partition.ts'
import { spawnable, tierActor } from './tier.ts'
import { topicActor } from './topics.ts'

spawnable({
  tier: tierActor,
  broker: brokerConnectionActor,
  topic: topicActor,
  partition: partitionActor,
  consumer: consumerActor,
  'consumed-partition': consumedPartitionActor
})
