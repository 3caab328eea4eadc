/**
 * Binds the machine of a topic, and the two ways to follow topics: one by name, and the names of all.
 */
import { topicMachine } from '../machines/topic.ts'
import { plainError } from '../model/errors.ts'
import { askMetadata, createTopic } from './admin.ts'
import { bind } from './bind.ts'
import { ensureActor, type Instance, instanceOf, tell } from './instance.ts'

const topicPath = (topic: string) => `topics/${topic}`

/** Makes `topics/<topic>` run. */
export function useTopic(instance: Instance, topic: string): void {
  const { options } = instance
  ensureActor(instance, 'topics', topicPath(topic), 'topic', {
    topic,
    create: options.createTopics,
    retryBackoffMs: options.retryBackoffMs
  })
}

/** `path` is told the levels of this topic, or of one partition of it, from now on (docs/ARCHITECTURE.md). */
export function followTopic(instance: Instance, topic: string, path: string, partition: number | null = null): void {
  useTopic(instance, topic)
  tell(instance, topicPath(topic), { type: 'FOLLOW', path, partition })
}

export function unfollowTopic(instance: Instance, topic: string, path: string, partition: number | null = null): void {
  tell(instance, topicPath(topic), { type: 'UNFOLLOW', path, partition })
}

/** Tells the topic that its leader of this partition is not the one it named, or cannot be reached. */
export function seekLeader(instance: Instance, topic: string, partition: number, leaderEpoch: number, reason: string): void {
  tell(instance, topicPath(topic), { type: 'SEEK_LEADER', partition, leaderEpoch, reason })
}

/** `path` is told `TOPICS {topics}`: the names of all topics, now and at every change. */
export function followTopics(instance: Instance, path: string): void {
  tell(instance, 'cluster', { type: 'FOLLOW_TOPICS', path })
  // The registry tells them when they change; who follows later must not wait for that.
  if (instance.topicNames) tell(instance, path, { type: 'TOPICS', topics: instance.topicNames })
  instance.registry?.watchTopics()
}

export function unfollowTopics(instance: Instance, path: string): void {
  tell(instance, 'cluster', { type: 'UNFOLLOW_TOPICS', path })
}

export const topicActor = bind(topicMachine, {
  actions: {
    tell: ({ context }, { path, event }) => void tell(instanceOf(context.instance), path, event),
    watch: ({ context }, { topic }) => instanceOf(context.instance).registry?.watchTopic(topic),
    ask: ({ context }, { topic }) => {
      const instance = instanceOf(context.instance)
      instance.registry?.refresh(topic)
      // Two sources: a client that is cut off from ZooKeeper alone still follows its leaders. The higher epoch wins in the machine.
      if (instance.options.zookeeper !== null) void askMetadata(instance, topic)
    },
    create: ({ context, self }, { topic }) => {
      createTopic(instanceOf(context.instance), topic).then(
        () => self.send({ type: 'CREATED' }),
        error => self.send({ type: 'CREATE_FAILED', error: plainError(error), final: !plainError(error).retriable })
      )
    },
    setPlane: ({ context }, { topic, topicId, partitions, leaders }) =>
      instanceOf(context.instance).publisher.setTopic(topic, topicId, partitions, leaders),
    setMissing: ({ context }, { topic, error, deleted }) => instanceOf(context.instance).publisher.setTopicMissing(topic, error, deleted),
    note: ({ context }, { topic, state, reason }) => instanceOf(context.instance).emit({ type: 'topic.state', topic, state, reason })
  }
})
