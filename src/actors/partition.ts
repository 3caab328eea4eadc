/**
 * Binds the machine of a partition's publishing side to the publisher's queues and the links.
 */
import type { Link } from '../flow/link.ts'
import { partitionMachine, WINDOW_MAX } from '../machines/partition.ts'
import { loadApi } from '../wire/apis.ts'
import { bind } from './bind.ts'
import { ensureActor, type Instance, instanceOf } from './instance.ts'
import { DATA } from './links.ts'
import { followTopic, seekLeader } from './topics.ts'

const linkOf = (instance: Instance, path: string, link?: Link) => {
  if (link) instance.partitionLinks.set(path, link)
  return instance.partitionLinks.get(path)
}

/** Makes `topics/<topic>/<partition>` run. Its children are kept in tiers of the topics' own kind. */
export function usePartition(instance: Instance, topic: string, partition: number): void {
  const path = `topics/${topic}/${partition}`
  if (instance.directory.has(path)) return
  const { retryBackoffMs, retryBackoffMaxMs, publish } = instance.options
  ensureActor(instance, 'topics', path, 'partition', {
    topic,
    partition,
    retryBackoffMs,
    retryBackoffMaxMs,
    // Only sequences keep the order of several in flight over a repetition.
    windowMax: publish.idempotent ? WINDOW_MAX : 1
  })
}

export const partitionActor = bind(partitionMachine, {
  actions: {
    follow: ({ context }, { topic, partition }) => followTopic(instanceOf(context.instance), topic, context.path, partition),
    seek: ({ context }, { leaderEpoch, reason }) =>
      seekLeader(instanceOf(context.instance), context.topic, context.partition, leaderEpoch, reason),
    link: ({ context, self }, { term, node }) => {
      const instance = instanceOf(context.instance)
      const { links, publisher, options, world } = instance
      const { topic, partition } = context
      // A dial that takes longer than this counts as a leader that cannot be reached: unkeyed batches look for another one.
      const timeoutMs = Math.min(options.requestTimeoutMs, options.dialTimeoutMs)
      Promise.all([links.acquire(node, DATA, timeoutMs), publisher.prepare(), loadApi('Produce')]).then(
        ([link]) => {
          linkOf(instance, context.path, link)
          self.send({ type: 'LINKED', term, ...publisher.levels(topic, partition) })
        },
        (error: Error) => self.send({ type: 'LINK_FAILED', term, reason: error.message, random: world.random() })
      )
    },
    drain: ({ context, self }, { term, window }) => {
      const instance = instanceOf(context.instance)
      const link = linkOf(instance, context.path)
      // Brokers close what is idle; nothing was lost by it, so nothing is said of it.
      if (link && !link.open) self.send({ type: 'LINK_ENDED', term })
      else if (link) instance.publisher.drain(context.topic, context.partition, term, window, link)
    },
    reroute: ({ context }, { reason }) => instanceOf(context.instance).publisher.reroute(context.topic, context.partition, reason),
    setAvailable: ({ context }, { available }) =>
      instanceOf(context.instance).publisher.setAvailable(context.topic, context.partition, available),
    noteRetry: ({ context }, { reason, attempt, delayMs }) =>
      instanceOf(context.instance).emit({
        type: 'publish.retrying',
        topic: context.topic,
        partition: context.partition,
        reason,
        attempt,
        delayMs
      }),
    noteLeader: ({ context }, { leader, leaderEpoch }) =>
      instanceOf(context.instance).emit({ type: 'leader.changed', topic: context.topic, partition: context.partition, leader, leaderEpoch })
  }
})
