/**
 * The `range` assignor of Kafka's Scala consumer (kafka.consumer.RangeAssignor), its default: topic by topic, the sorted threads take
 * sorted partitions in runs; the first ones take one more each when it does not divide evenly.
 */
import { type AssignedPartition, compareText, sortedOnce, type TopicToAssign } from './assignment.ts'

export function assignRange(topics: readonly TopicToAssign[]): AssignedPartition[] {
  return [...topics].sort((a, b) => compareText(a.topic, b.topic)).flatMap(assignTopic)
}

function assignTopic({ topic, partitions, threads }: TopicToAssign): AssignedPartition[] {
  const sorted = [...new Set(partitions)].sort((a, b) => a - b)
  const owners = sortedOnce(threads)
  if (owners.length === 0) return []
  const each = Math.floor(sorted.length / owners.length)
  const withOneMore = sorted.length % owners.length
  return owners.flatMap((thread, position) => {
    const start = each * position + Math.min(position, withOneMore)
    const count = each + (position < withOneMore ? 1 : 0)
    return sorted.slice(start, start + count).map(partition => ({ topic, partition, thread }))
  })
}
