/**
 * Binds the machine of a consumed partition to its consumer's plane and to the topic that knows the leader.
 */
import { type ConsumedPartitionContext, consumedPartitionMachine } from '../machines/consumed-partition.ts'
import { bind } from './bind.ts'
import type { ConsumerPlane } from './consumer-plane.ts'
import { findInstance, instanceOf, tell } from './instance.ts'
import { followTopic, seekLeader, unfollowTopic } from './topics.ts'

/** Undefined once the consumer or the cluster has ended: then there is nothing left to be done. */
const planeOf = (context: ConsumedPartitionContext): ConsumerPlane | undefined =>
  findInstance(context.instance)?.consumers.get(context.consumer)

const placeOf = ({ topic, partition }: ConsumedPartitionContext) => ({ topic, partition })

export const consumedPartitionActor = bind(consumedPartitionMachine, {
  actions: {
    follow: ({ context }) => followTopic(instanceOf(context.instance), context.topic, context.path, context.partition),
    unfollow: ({ context }) => {
      const instance = findInstance(context.instance)
      if (instance) unfollowTopic(instance, context.topic, context.path, context.partition)
    },
    seek: ({ context }, { leaderEpoch, reason }) =>
      seekLeader(instanceOf(context.instance), context.topic, context.partition, leaderEpoch, reason),
    begin: ({ context }, { offset, leaderEpoch, why }) => planeOf(context)?.begin(context, offset, why, leaderEpoch),
    locate: ({ context }, { term, node, from }) => planeOf(context)?.locate(context, term, node, context.leaderEpoch, from),
    validate: ({ context }, { term, node, leaderEpoch }) => planeOf(context)?.validate(context, term, node, leaderEpoch),
    fetch: ({ context }, stay) => planeOf(context)?.fetch(context, stay),
    reach: ({ context }, { term, node }) => planeOf(context)?.reach(context, term, node),
    stopFetching: ({ context }) => planeOf(context)?.stopFetching(context),
    drain: ({ context }) => planeOf(context)?.drain(context, context.drainLimitMs),
    abandon: ({ context }, { reason }) => planeOf(context)?.abandon(context, reason),
    interrupt: ({ context }, { reason }) => planeOf(context)?.interrupt(context, reason),
    park: ({ context }, { error }) => planeOf(context)?.park(context, error),
    reportReleased: ({ context }) => {
      const { topic, partition } = context
      tell(instanceOf(context.instance), context.consumer, { type: 'PARTITION_RELEASED', topic, partition } as { type: string })
    },
    noteReplica: ({ context }, params) => planeOf(context)?.emit({ type: 'partition.replica', ...placeOf(context), ...params }),
    noteTruncated: ({ context }, { position, divergentOffset }) =>
      planeOf(context)?.emit({ type: 'partition.truncated', ...placeOf(context), position, divergentOffset }),
    noteRetry: ({ context }, params) => planeOf(context)?.emit({ type: 'partition.retrying', ...placeOf(context), ...params }),
    noteRecreated: ({ context }, { oldId, newId }) => planeOf(context)?.recreated(context, oldId, newId),
    noteTrouble: ({ context }, { error }) => planeOf(context)?.emit({ type: 'trouble', where: context.path, error })
  }
})
