/**
 * Binds the member of a manual assignment: topics are followed like anybody's, committed offsets lie where `manual-offsets.ts` says.
 */

import { type Assigned, keyOf, type Owned } from '../machines/consumer.ts'
import { type ManualMemberContext, manualMemberMachine } from '../machines/manual-member.ts'
import { plainError } from '../model/errors.ts'
import { bind } from './bind.ts'
import { type Instance, instanceOf, tell } from './instance.ts'
import { manualOffsets } from './manual-offsets.ts'
import { followTopic, followTopics, unfollowTopic, unfollowTopics } from './topics.ts'

/** The committed offsets of these. The store of a group is put into the consumer's plane the first time. */
async function lookUp(instance: Instance, context: ManualMemberContext, partitions: readonly Owned[]): Promise<Assigned[]> {
  const { group, mirrorOffsets } = context.subscription
  if (group === null) return partitions.map(entry => ({ ...entry, offset: null }))
  const plane = instance.consumers.get(context.consumer)
  const store = manualOffsets(instance, group, mirrorOffsets, error => plane?.emit({ type: 'trouble', where: context.path, error }))
  if (plane) plane.offsets ??= store
  const found = await store.fetch(partitions)
  return partitions.map(entry => {
    const committed = found.get(keyOf(entry))
    return committed ? { ...entry, offset: String(committed.offset), leaderEpoch: committed.leaderEpoch } : { ...entry, offset: null }
  })
}

export const manualMemberActor = bind(manualMemberMachine, {
  actions: {
    tellConsumer: ({ context }, { event }) => void tell(instanceOf(context.instance), context.consumer, event),
    followTopic: ({ context }, { topic }) => followTopic(instanceOf(context.instance), topic, context.path),
    unfollowTopic: ({ context }, { topic }) => unfollowTopic(instanceOf(context.instance), topic, context.path),
    followNames: ({ context }) => followTopics(instanceOf(context.instance), context.path),
    unfollowNames: ({ context }) => unfollowTopics(instanceOf(context.instance), context.path),
    lookUp: ({ context, self }, { lookup, partitions }) => {
      const instance = instanceOf(context.instance)
      lookUp(instance, context, partitions).then(
        found => self.send({ type: 'LOOKED_UP', lookup, partitions: found }),
        error => self.send({ type: 'LOOKUP_FAILED', lookup, error: plainError(error), random: instance.world.random() })
      )
    }
  }
})
