/**
 * Binds the tier: what may be spawned under one, by name.
 */
import { type AnyActorLogic, enqueueActions } from 'xstate'
import { type TierContext, type TierEvent, tierMachine } from '../machines/tier.ts'
import { bind } from './bind.ts'
import { brokerConnectionActor } from './broker-connection.ts'
import { consumedPartitionActor } from './consumed-partition.ts'
import { consumerActor } from './consumer.ts'
import { instanceOf, tell } from './instance.ts'
import { partitionActor } from './partition.ts'
import { topicActor } from './topics.ts'

/** A function, because a tier holds tiers and a consumer holds tiers. */
const logics = (): Record<string, AnyActorLogic> => ({
  tier: tierActor,
  broker: brokerConnectionActor,
  topic: topicActor,
  partition: partitionActor,
  consumer: consumerActor,
  'consumed-partition': consumedPartitionActor
})

export const tierActor: typeof tierMachine = bind(tierMachine, {
  actions: {
    spawn: enqueueActions(({ enqueue }, params: { id: string; src: string; input: Record<string, unknown> }) => {
      const logic = logics()[params.src]
      if (logic) enqueue.spawnChild(logic, { id: params.id, input: params.input })
    }),
    stop: enqueueActions(({ enqueue }, params: { id: string }) => enqueue.stopChild(params.id)),
    tell: ({ context }: { context: TierContext }, { path, event }: { path: string; event: TierEvent }) =>
      void tell(instanceOf(context.instance), path, event)
  }
} as never)
