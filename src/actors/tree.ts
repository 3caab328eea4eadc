/**
 * The table of what tiers spawn; consumers add theirs when they are loaded. Imported for its effect by `cluster.ts`.
 */
import { brokerConnectionActor } from './broker-connection.ts'
import { partitionActor } from './partition.ts'
import { spawnable, tierActor } from './tier.ts'
import { topicActor } from './topics.ts'

spawnable({
  tier: tierActor,
  broker: brokerConnectionActor,
  topic: topicActor,
  partition: partitionActor
})
