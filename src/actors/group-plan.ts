/**
 * Who gets what: members, partitions and the assignor, put together as every Scala member of the group does it for itself. Pure.
 */
import { type AssignedPartition, sortedOnce, type TopicToAssign } from '../flow/assignors/assignment.ts'
import { assignRange } from '../flow/assignors/range.ts'
import { assignRoundrobin } from '../flow/assignors/roundrobin.ts'
import type { Plan, Share, TopicLevel } from '../machines/group-member-types.ts'
import type { Subscription } from '../model/subscription.ts'
import type { Members } from '../registry/group/group-session.ts'
import { topicFilter } from '../registry/group/topic-filter.ts'
import { type GroupMember, memberOfThread, threadIds } from '../registry/group/znodes.ts'

export interface PlanInput {
  memberId: string
  assignor: 'range' | 'roundrobin'
  roundrobinOrder: Subscription['roundrobinOrder']
  members: Members
  levels: readonly TopicLevel[]
  names: readonly string[] | null
}

/** A member whose subscription is understood. */
interface Reader {
  memberId: string
  /** Null: by pattern, to be matched with the names. */
  topics: string[] | null
  streamsOf: (topic: string) => number
}

export function planOf(input: PlanInput): Plan {
  const { memberId, assignor, levels, names } = input
  const quarantined = [...input.members.quarantined]
  const readers = input.members.members.flatMap(member => readerOf(member, quarantined))
  const relevant = assignor === 'range' ? readers.filter(reader => reader.memberId === memberId) : readers
  const namesNeeded = relevant.some(({ topics }) => topics === null)
  const follow = sortedOnce(relevant.flatMap(reader => reader.topics ?? names?.filter(name => reader.streamsOf(name) > 0) ?? []))
  const known = new Map(levels.map(({ topic, partitions }) => [topic, partitions]))
  const ready = (!namesNeeded || names !== null) && follow.every(topic => known.has(topic))
  const topics = follow.map(topic => toAssign(topic, known.get(topic) ?? [], readers))
  const assigned = ready ? (assignor === 'range' ? assignRange(topics) : assignRoundrobin(topics, input.roundrobinOrder)) : []
  const own = topics.filter(({ threads }) => threads.some(thread => memberOfThread(thread) === memberId))
  return {
    registered: input.members.registered,
    ready,
    follow,
    names: namesNeeded,
    mine: assigned.filter(({ thread }) => memberOfThread(thread) === memberId).map(({ topic, partition }) => ({ topic, partition })),
    shares: sharesOf(assigned),
    members: readers.length,
    partitions: own.reduce((sum, { partitions }) => sum + partitions.length, 0),
    quarantined
  }
}

function readerOf({ memberId, subscription }: GroupMember, quarantined: { memberId: string; problem: string }[]): Reader[] {
  if (subscription.kind === 'static') {
    const { topics } = subscription
    const streamsOf = (topic: string) => (Object.hasOwn(topics, topic) ? topics[topic]! : 0)
    return [{ memberId, topics: Object.keys(topics), streamsOf }]
  }
  const filter = topicFilter(subscription.kind, subscription.pattern)
  if ('problem' in filter) {
    const pattern = JSON.stringify(subscription.pattern.slice(0, 100))
    quarantined.push({ memberId, problem: `its pattern ${pattern} cannot be used: ${filter.problem}` })
    return []
  }
  return [{ memberId, topics: null, streamsOf: topic => (filter.allows(topic) ? subscription.streams : 0) }]
}

function toAssign(topic: string, partitions: readonly number[], readers: readonly Reader[]): TopicToAssign {
  return { topic, partitions, threads: readers.flatMap(reader => threadIds(reader.memberId, reader.streamsOf(topic))) }
}

function sharesOf(assigned: readonly AssignedPartition[]): Share[] {
  const shares = new Map<string, Share>()
  for (const { topic, partition, thread } of assigned) {
    const key = `${topic}/${thread}`
    const share = shares.get(key) ?? { thread, topic, partitions: [] }
    share.partitions.push(partition)
    shares.set(key, share)
  }
  return [...shares.values()]
}
