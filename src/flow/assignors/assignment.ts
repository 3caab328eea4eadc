/**
 * What both assignors of Kafka's Scala consumer take and give. They are pure: every member computes the whole assignment from the same
 * levels and comes to the same answer, so nobody has to tell anybody (kafka.consumer.AssignmentContext).
 */

/** Who consumes a topic, and which partitions it has. Order does not matter: assignors sort. */
export interface TopicToAssign {
  topic: string
  partitions: readonly number[]
  /** Thread ids (`<member id>-<stream>`) of every member that subscribes to the topic. */
  threads: readonly string[]
}

export interface AssignedPartition {
  topic: string
  partition: number
  /** Thread id of its owner. */
  thread: string
}

/** Topics without partitions or without threads get nothing. */
export type Assign = (topics: readonly TopicToAssign[]) => AssignedPartition[]

/** Order of `java.lang.String.compareTo`, by UTF-16 code units: what JavaScript's `<` does too. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Sorted, each once. */
export function sortedOnce(texts: Iterable<string>): string[] {
  return [...new Set(texts)].sort(compareText)
}
