/**
 * Binds the machine of a partition's publishing side to the publisher's queues and the links.
 */
import type { Link } from '../flow/link.ts'
import type { ProducerState } from '../flow/recovered.ts'
import { partitionMachine, WINDOW_MAX } from '../machines/partition.ts'
import { asksAgain, brokerError } from '../model/error-classes.ts'
import { SamsaError } from '../model/errors.ts'
import { loadApi } from '../wire/apis.ts'
import { bind } from './bind.ts'
import { ensureActor, type Instance, instanceOf } from './instance.ts'
import { DATA } from './links.ts'
import { followTopic, seekLeader } from './topics.ts'

const linkOf = (instance: Instance, path: string, link?: Link) => {
  if (link) instance.partitionLinks.set(path, link)
  return instance.partitionLinks.get(path)
}

/** What the leader knows of producers (DescribeProducers, KIP-664); undefined: it cannot say, or may not say it to us. */
async function producersOf(link: Link, topic: string, partition: number): Promise<Map<bigint, ProducerState> | undefined> {
  if (link.version('DescribeProducers') === undefined) return undefined
  const answer = await link.request('DescribeProducers', { topics: [{ name: topic, partitionIndexes: [partition] }] })
  const found = answer.topics.find(({ name }) => name === topic)?.partitions.find(({ partitionIndex }) => partitionIndex === partition)
  if (!found)
    throw new SamsaError('NOT_ANSWERED', `Broker ${link.node} did not say what it has of ${topic}/${partition}.`, { retriable: true })
  if (found.errorCode !== 0) {
    // An answer that no repetition betters is the one of a broker that cannot be asked: what is accepted may not wait for it.
    if (!asksAgain('DescribeProducers', found.errorCode)) return undefined
    throw brokerError('DescribeProducers', found.errorCode, `of ${topic}/${partition}`, found.errorMessage)
  }
  return new Map(found.activeProducers.map(one => [one.producerId, one]))
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
      Promise.all([links.acquire(node, DATA, timeoutMs), publisher.identity.needed(), loadApi('Produce')]).then(
        ([link]) => {
          linkOf(instance, context.path, link)
          self.send({ type: 'LINKED', term, ...publisher.levels(topic, partition) })
        },
        (error: Error) => self.send({ type: 'LINK_FAILED', term, reason: error.message, random: world.random() })
      )
    },
    verify: ({ context, self }, { term }) => {
      const instance = instanceOf(context.instance)
      const { publisher, world } = instance
      const { topic, partition } = context
      producersOf(linkOf(instance, context.path)!, topic, partition).then(
        producers => {
          publisher.verify(topic, partition, term, producers)
          self.send({ type: 'VERIFIED', term, ...publisher.levels(topic, partition) })
        },
        (error: Error) => self.send({ type: 'VERIFY_FAILED', term, reason: error.message, random: world.random() })
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
