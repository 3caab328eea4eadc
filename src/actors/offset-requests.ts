/**
 * OffsetCommit and OffsetFetch as calls, for a member of a group or for nobody in particular. Commits name topics by id where the broker can
 * and all ids are known, so that an offset of a topic that is gone does not become one of another topic of that name.
 */
import type { Link } from '../flow/link.ts'
import type { CommittedOffset, OffsetToCommit } from '../flow/offset-store.ts'
import type { Owned } from '../machines/consumer.ts'
import { brokerError } from '../model/error-classes.ts'
import { SamsaError } from '../model/errors.ts'
import type { RequestOf, ResponseOf } from '../wire/apis.ts'

/** From version 8 OffsetFetch takes several groups; from 10 both APIs name topics by id only. */
const GROUPS_FROM = 8
const NAMES_UP_TO = 9
const IDS_FROM = 10
/** KIP-447. A broker without it has no transactions that could be open over a group's offsets either, or answers as it always did. */
const STABLE_FROM = 7
/** The first versions that keep offsets in Kafka, and the first whose answer tells of all partitions. */
const COMMIT_FROM = 2
const FETCH_FROM = 1
const FETCH_ALL_FROM = 2

/** Who commits, as the coordinator knows it: a classic member by its generation, one of the new protocol by its epoch. */
export interface CommitAs {
  /** The contract's epoch that this belongs to. */
  epoch: number
  memberId: string
  /** `generationId`, or `memberEpoch` (KIP-848). */
  generation: number
  groupInstanceId: string | null
}

/** Error codes by `topic/partition`; one that the answer leaves out is not there. `as` null: a group without members. */
export async function commitOffsets(
  link: Link,
  group: string,
  as: CommitAs | null,
  offsets: readonly OffsetToCommit[]
): Promise<Map<string, number>> {
  const byId = (link.version('OffsetCommit') ?? 0) >= IDS_FROM && offsets.every(({ topicId }) => topicId)
  const named = offsets.map(entry => ({ ...entry, key: byId ? entry.topicId! : entry.topic }))
  const names = new Map(named.map(({ key, topic }) => [key, topic]))
  const topics = [...byTopic(named, ({ key }) => key)].map(([key, list]) => ({
    ...(byId ? { topicId: key } : { name: key }),
    partitions: list.map(({ partition, offset, leaderEpoch, metadata }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch ?? -1,
      committedMetadata: metadata ?? ''
    }))
  }))
  const member = as && {
    memberId: as.memberId,
    generationIdOrMemberEpoch: as.generation,
    ...(as.groupInstanceId === null ? {} : { groupInstanceId: as.groupInstanceId })
  }
  const body: RequestOf<'OffsetCommit'> = { groupId: group, topics, ...member }
  const maxVersion = byId ? IDS_FROM : NAMES_UP_TO
  const answer = await link.request('OffsetCommit', body, { minVersion: COMMIT_FROM, maxVersion })
  const codes = new Map<string, number>()
  for (const topic of answer.topics) {
    const name = names.get(byId ? topic.topicId : topic.name)
    for (const { partitionIndex, errorCode } of topic.partitions) codes.set(`${name}/${partitionIndex}`, errorCode)
  }
  return codes
}

/**
 * What is committed, by `topic/partition` (null: everything); one that is not there has nothing. `stable`: an offset that an open
 * transaction may still change is refused with UNSTABLE_OFFSET_COMMIT. Rejects with BrokerError.
 */
export async function fetchOffsets(
  link: Link,
  group: string,
  partitions: readonly Owned[] | null,
  stable: boolean
): Promise<Map<string, CommittedOffset>> {
  const topics =
    partitions && [...byTopic(partitions)].map(([name, list]) => ({ name, partitionIndexes: list.map(({ partition }) => partition) }))
  const version = link.version('OffsetFetch') ?? 0
  const grouped = version >= GROUPS_FROM
  const who: RequestOf<'OffsetFetch'> = grouped ? { groups: [{ groupId: group, topics }] } : { groupId: group, topics }
  const body = stable && version >= STABLE_FROM ? { ...who, requireStable: true } : who
  const answer = await link.request('OffsetFetch', body, { minVersion: topics ? FETCH_FROM : FETCH_ALL_FROM, maxVersion: NAMES_UP_TO })
  return committedOf(answer, group, grouped)
}

function committedOf(answer: ResponseOf<'OffsetFetch'>, group: string, grouped: boolean): Map<string, CommittedOffset> {
  const found = grouped ? answer.groups.find(({ groupId }) => groupId === group) : answer
  if (!found) throw new SamsaError('LEFT_OUT', `The coordinator said nothing of group ${group}.`, { retriable: true })
  if (found.errorCode !== 0) throw brokerError('OffsetFetch', found.errorCode, `of group ${group}`)
  const out = new Map<string, CommittedOffset>()
  for (const topic of found.topics)
    for (const { partitionIndex, errorCode, committedOffset, committedLeaderEpoch, metadata } of topic.partitions) {
      if (errorCode !== 0) throw brokerError('OffsetFetch', errorCode, `of ${topic.name}/${partitionIndex} for group ${group}`)
      if (committedOffset < 0n) continue
      out.set(`${topic.name}/${partitionIndex}`, { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata: metadata ?? '' })
    }
  return out
}

function byTopic<T extends Owned>(list: readonly T[], keyOf: (entry: T) => string = ({ topic }) => topic): Map<string, T[]> {
  const out = new Map<string, T[]>()
  for (const entry of list) {
    const known = out.get(keyOf(entry))
    if (known) known.push(entry)
    else out.set(keyOf(entry), [entry])
  }
  return out
}
