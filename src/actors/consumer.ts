/**
 * Binds the machine of a consumer: its plane, its member, the tier of its partitions.
 */
import { type EventObject, fromCallback } from 'xstate'
import { type ConsumerContext, consumerMachine, type Owned } from '../machines/consumer.ts'
import { plainError } from '../model/errors.ts'
import { bind } from './bind.ts'
import { chooseMembership } from './choose-membership.ts'
import { classicMemberActor } from './classic-member.ts'
import { consumerMemberActor } from './consumer-member.ts'
import type { ConsumerPlane } from './consumer-plane.ts'
import { groupMemberActor } from './group-member.ts'
import { ensureActor, findInstance, type Instance, instanceOf, stopActor, tell } from './instance.ts'
import { manualMemberActor } from './manual-member.ts'
import { tierActor } from './tier.ts'

/** Refetches of damaged bytes before the partition is parked. */
const CORRUPT_RETRIES = 3

const planeOf = (context: ConsumerContext): ConsumerPlane | undefined => findInstance(context.instance)?.consumers.get(context.path)
const partitionPath = (context: ConsumerContext, { topic, partition }: Owned) => `${context.path}/${topic}/${partition}`

/** Ends the plane when the consumer ends, however it does: closed, stopped, or the cluster with it. */
const planeLeaf = fromCallback<EventObject, { instance: string; path: string }>(({ input }) => () => {
  findInstance(input.instance)?.consumers.get(input.path)?.end(undefined)
})

function stopPartitions(instance: Instance, context: ConsumerContext, partitions: readonly Owned[]): void {
  for (const owned of partitions) stopActor(instance, partitionPath(context, owned))
}

export const consumerActor = bind(consumerMachine, {
  actors: {
    plane: planeLeaf,
    tier: tierActor,
    manualMember: manualMemberActor,
    zookeeperMember: groupMemberActor,
    classicMember: classicMemberActor,
    consumerMember: consumerMemberActor
  } as never,
  actions: {
    tell: ({ context }, { path, event }) => void tell(instanceOf(context.instance), path, event),
    choose: ({ context, self }, { choice, unfit }) => {
      const instance = instanceOf(context.instance)
      chooseMembership(instance, context.subscription.group!, unfit).then(
        chosen => self.send({ type: 'CHOSEN', choice, ...chosen }),
        error => self.send({ type: 'CHOICE_FAILED', choice, error: plainError(error), random: instance.world.random() })
      )
    },
    emitChosen: ({ context }, params) => {
      // A choice that needs no look is made before whoever has asked for this consumer can listen.
      instanceOf(context.instance).world.defer(() => {
        const plane = planeOf(context)
        if (plane && !plane.ended) plane.emit({ type: 'membership.chosen', ...params })
      })
    },
    forgetMember: ({ context }) => planeOf(context)?.forgetMember(),
    claim: ({ context }, { epoch, partitions }) => {
      const instance = instanceOf(context.instance)
      const plane = planeOf(context)
      if (!plane || partitions.length === 0) return
      const { retryBackoffMs, retryBackoffMaxMs, metadataMaxAgeMs } = instance.options
      const claims = plane.claim(epoch, partitions)
      plane.emit({
        type: 'partition.assigned',
        epoch,
        partitions: partitions.map(({ topic, partition }) => ({ topic, partition }))
      })
      for (const claim of claims)
        ensureActor(instance, `${context.path}/partitions`, partitionPath(context, claim), 'consumed-partition', {
          ...claim,
          consumer: context.path,
          epoch,
          from: context.subscription.from,
          retryBackoffMs,
          retryBackoffMaxMs,
          corruptRetries: CORRUPT_RETRIES,
          replicaLeaseMs: metadataMaxAgeMs
        })
    },
    drain: ({ context }, { partitions, limitMs }) => {
      const instance = instanceOf(context.instance)
      for (const owned of partitions) tell(instance, partitionPath(context, owned), { type: 'DRAIN', limitMs } as { type: string })
    },
    interrupt: ({ context }, { epoch, partitions, reason }) => {
      const instance = instanceOf(context.instance)
      for (const owned of partitions) tell(instance, partitionPath(context, owned), { type: 'LOST', reason } as { type: string })
      stopPartitions(instance, context, partitions)
      if (partitions.length > 0) planeOf(context)?.emit({ type: 'partition.lost', partitions, epoch, reason })
    },
    commit: ({ context, self }, { partitions, id }) => {
      const plane = planeOf(context)
      if (id === null) void plane?.commitFor(partitions)
      else void (plane?.lastWord(partitions) ?? Promise.resolve()).then(() => self.send({ type: 'COMMIT_DONE', id }))
    },
    release: ({ context }, { epoch, partitions }) => {
      const instance = instanceOf(context.instance)
      const gone = planeOf(context)?.release(partitions) ?? []
      stopPartitions(instance, context, gone)
      if (gone.length > 0) planeOf(context)?.emit({ type: 'partition.revoked', partitions: gone, epoch })
      tell(instance, `${context.path}/member`, { type: 'RELEASED', epoch, partitions } as { type: string })
    },
    releaseAll: ({ context }) => {
      const gone = planeOf(context)?.release(null) ?? []
      stopPartitions(instanceOf(context.instance), context, gone)
      if (gone.length > 0) planeOf(context)?.emit({ type: 'partition.revoked', partitions: gone, epoch: context.epoch })
    },
    setDelivery: ({ context }, { handOut, commits, epoch }) => planeOf(context)?.setDelivery(handOut, commits, epoch),
    emitSurplus: ({ context }, params) => planeOf(context)?.emit({ type: 'member.surplus', ...params }),
    emitState: ({ context }, params) => planeOf(context)?.emit({ type: 'member.state', ...params }),
    emitFailed: ({ context }, { error }) => {
      const plane = planeOf(context)
      plane?.emit({ type: 'trouble', where: context.path, error })
      findInstance(context.instance)?.emit({ type: 'consumer.failed', id: plane?.requestId, error })
    },
    emitClosed: ({ context }, { error }) => {
      planeOf(context)?.end(error ?? undefined)
      const instance = findInstance(context.instance)
      instance?.consumers.delete(context.path)
      if (instance) tell(instance, 'cluster', { type: 'CONSUMER_CLOSED', path: context.path } as { type: string })
    }
  }
})
