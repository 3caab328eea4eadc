/**
 * Committed offsets of Kafka's own groups, for who is no member of them: read, written (only while the group has no members), deleted, and the
 * group with them.
 */
import type { Link } from '../flow/link.ts'
import type { OffsetToCommit } from '../flow/offset-store.ts'
import { asksAgain, brokerError, meaningOf } from '../model/error-classes.ts'
import { BrokerError } from '../model/errors.ts'
import { kafkaError } from '../model/kafka-errors.ts'
import { Coordinator } from './coordinator.ts'
import type { Instance } from './instance.ts'
import { commitOffsets, fetchOffsets } from './offset-requests.ts'

export interface GroupOffset {
  topic: string
  partition: number
  /** The **next** offset to read. */
  offset: bigint
  /** Of the message before it (KIP-320); null: not told. */
  leaderEpoch: number | null
  /** What was committed along with it; empty: nothing. */
  metadata: string
}

/** What a group has committed in Kafka, in order. Empty for a group that is not there. */
export async function groupOffsets(instance: Instance, group: string): Promise<GroupOffset[]> {
  const all = await new Coordinator(instance, group).call(`Reading the offsets of group ${group}`, link =>
    fetchOffsets(link, group, null, false)
  )
  return [...all]
    .map(([key, { offset, leaderEpoch, metadata }]) => {
      const slash = key.lastIndexOf('/')
      const epoch = leaderEpoch >= 0 ? leaderEpoch : null
      return { topic: key.slice(0, slash), partition: Number(key.slice(slash + 1)), offset, leaderEpoch: epoch, metadata }
    })
    .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}

/** Writes offsets as nobody in particular, which the coordinator takes only of a group without members (both protocols). */
export async function alterGroupOffsets(instance: Instance, group: string, offsets: readonly OffsetToCommit[]): Promise<void> {
  if (offsets.length === 0) return
  const codes = await new Coordinator(instance, group).call(`Writing the offsets of group ${group}`, async link => {
    const answered = await commitOffsets(link, group, null, offsets)
    again('OffsetCommit', [...answered.values()], group)
    return answered
  })
  refuse(
    offsets.map(({ topic, partition }) => ({ where: `${topic}/${partition}`, code: codes.get(`${topic}/${partition}`) ?? -1 })),
    'OffsetCommit',
    group
  )
}

/** Forgets what a group has committed of these partitions (KIP-496, Kafka 2.4). The group may have members that do not subscribe to them. */
export async function deleteGroupOffsets(
  instance: Instance,
  group: string,
  partitions: readonly { topic: string; partition: number }[]
): Promise<void> {
  if (partitions.length === 0) return
  const codes = await new Coordinator(instance, group).call(`Deleting offsets of group ${group}`, link => deleteAt(link, group, partitions))
  refuse(
    partitions.map(({ topic, partition }) => ({ where: `${topic}/${partition}`, code: codes.get(`${topic}/${partition}`) ?? -1 })),
    'OffsetDelete',
    group
  )
}

async function deleteAt(
  link: Link,
  group: string,
  partitions: readonly { topic: string; partition: number }[]
): Promise<Map<string, number>> {
  const names = [...new Set(partitions.map(({ topic }) => topic))]
  const answer = await link.request('OffsetDelete', {
    groupId: group,
    topics: names.map(name => ({
      name,
      partitions: partitions.filter(({ topic }) => topic === name).map(({ partition }) => ({ partitionIndex: partition }))
    }))
  })
  if (answer.errorCode !== 0) throw brokerError('OffsetDelete', answer.errorCode, `of group ${group}`)
  const codes = new Map<string, number>()
  for (const topic of answer.topics)
    for (const { partitionIndex, errorCode } of topic.partitions) codes.set(`${topic.name}/${partitionIndex}`, errorCode)
  again('OffsetDelete', [...codes.values()], group)
  return codes
}

/** Deletes a group without members, with all that it has committed (KIP-229, Kafka 1.1). */
export function deleteGroup(instance: Instance, group: string): Promise<void> {
  return new Coordinator(instance, group).call(`Deleting group ${group}`, async link => {
    const answer = await link.request('DeleteGroups', { groupsNames: [group] })
    const code = answer.results.find(({ groupId }) => groupId === group)?.errorCode ?? -1
    if (code !== 0) throw brokerError('DeleteGroups', code, group)
  })
}

/** Answers that ask for another try are thrown, for the whole: doing it twice does no harm. A partition that is not there stays so. */
function again(api: 'OffsetCommit' | 'OffsetDelete', codes: readonly number[], group: string): void {
  for (const code of codes)
    if (asksAgain(api, code) && meaningOf(api, code).remedy !== 'few') throw brokerError(api, code, `of group ${group}`)
}

const SHOWN = 5

/** Throws one error for all partitions that were refused. */
function refuse(answers: readonly { where: string; code: number }[], api: 'OffsetCommit' | 'OffsetDelete', group: string): void {
  const refused = answers.filter(({ code }) => code !== 0)
  const first = refused[0]
  if (!first) return
  const { name, message } = kafkaError(first.code)
  const shown = refused.slice(0, SHOWN).map(({ where }) => where)
  const where = `${shown.join(', ')}${refused.length > SHOWN ? ` and ${refused.length - SHOWN} more` : ''}`
  // To a commit without a member id a group that has members says that it does not know that member.
  const live = meaningOf(api, first.code).class === 'rejoin' || name === 'NON_EMPTY_GROUP'
  const why = live ? 'the group has members, and only they may commit while they are there; stop them first' : message
  const error = brokerError(api, first.code, `for group ${group} (${where})`, why)
  throw new BrokerError(live ? 'NON_EMPTY_GROUP' : name, error.message, {
    kafka: error.kafka!,
    details: { ...error.details, partitions: refused.length }
  })
}
