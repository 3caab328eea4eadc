/**
 * The `roundrobin` assignor of Kafka's Scala consumer (kafka.consumer.RoundRobinAssignor): all partitions of all topics of the group, in the order
 * of a Java hash code, are dealt to all threads in turn; a thread that does not subscribe to the topic is passed over.
 */
import { type AssignedPartition, compareText, sortedOnce, type TopicToAssign } from './assignment.ts'

/** How Scala members print a partition before they hash it: `t-0` from Kafka 1.0.0 on, `[t,0]` up to 0.11. */
export type RoundrobinOrder = 'modern' | 'legacy'

export function assignRoundrobin(topics: readonly TopicToAssign[], order: RoundrobinOrder = 'modern'): AssignedPartition[] {
  const threads = sortedOnce(topics.flatMap(topic => topic.threads))
  const subscribed = new Map(topics.map(({ topic, threads: own }) => [topic, new Set(own)]))
  const out: AssignedPartition[] = []
  let turn = 0
  for (const { topic, partition } of dealingOrder(topics, order)) {
    const takers = subscribed.get(topic)
    if (!takers || takers.size === 0) continue
    while (!takers.has(threads[turn]!)) turn = (turn + 1) % threads.length
    out.push({ topic, partition, thread: threads[turn]! })
    turn = (turn + 1) % threads.length
  }
  return out
}

/** Two partitions of one hash code (Scala leaves their order to its hash map) are dealt by topic and number. */
function dealingOrder(topics: readonly TopicToAssign[], order: RoundrobinOrder): { topic: string; partition: number }[] {
  const name = order === 'modern' ? (t: string, p: number) => `${t}-${p}` : (t: string, p: number) => `[${t},${p}]`
  return topics
    .flatMap(({ topic, partitions }) =>
      [...new Set(partitions)].map(partition => ({ topic, partition, hash: javaHashCode(name(topic, partition)) }))
    )
    .sort((a, b) => a.hash - b.hash || compareText(a.topic, b.topic) || a.partition - b.partition)
}

/** `java.lang.String.hashCode`: signed 32 bits, over UTF-16 code units. */
export function javaHashCode(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}
