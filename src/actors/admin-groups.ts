/**
 * What Kafka's coordinators know of groups: which there are, and of one its state, members and who owns what. Both protocols: the classic one
 * (DescribeGroups) and that of KIP-848 (ConsumerGroupDescribe). Groups that meet in ZooKeeper are in `admin-zookeeper-groups.ts`.
 */
import type { Link } from '../flow/link.ts'
import { brokerError, meaningOf } from '../model/error-classes.ts'
import { plainError, SamsaError } from '../model/errors.ts'
import type { ResponseOf } from '../wire/apis.ts'
import { persist } from './admin-calls.ts'
import { decodeMember, type TopicPartitions } from './admin-group-members.ts'
import { Coordinator } from './coordinator.ts'
import type { Instance } from './instance.ts'
import { DATA } from './links.ts'

export interface GroupListing {
  group: string
  /** `classic`, `consumer` (KIP-848), `share`, `streams`; empty before Kafka 3.8, where every group is a classic one. */
  type: string
  /** `Stable`, `Empty` …; empty before Kafka 2.6. */
  state: string
  /** `consumer` for consumers. Empty: a group that only commits. */
  protocolType: string
  /** Broker that coordinates it. */
  coordinator: number
}

/** A member of one of Kafka's own groups. */
export interface GroupMemberDescription {
  memberId: string
  /** A static member's name (KIP-345). */
  groupInstanceId: string | null
  clientId: string
  /** Address, as the broker sees it. */
  host: string
  /** KIP-392 and KIP-881; null where it is not told. */
  rackId: string | null
  /** KIP-848; null in a classic group, where the generation is the group's and is not told. */
  memberEpoch: number | null
  /** What it subscribes to: topics by name, or a regular expression that the broker evaluates. Null: not told (rebalancing), or not readable. */
  subscription: { topics: string[]; regex: string | null } | null
  /** What it owns, by topic and partition. */
  assignment: TopicPartitions[]
  /** KIP-848: what it is to own once everybody has let go of what moves; null in a classic group. */
  target: TopicPartitions[] | null
  /** Which protocol the member itself speaks: a group of KIP-848 may hold classic members while it is migrated. */
  protocol: 'classic' | 'consumer'
  /** Why what it told could not be read; null: nothing wrong. */
  problem: string | null
}

/** A group at its coordinator. */
export interface GroupDescription {
  group: string
  type: 'classic' | 'consumer'
  /** `Empty`, `Stable`; classic: `PreparingRebalance`, `CompletingRebalance`; KIP-848: `Assigning`, `Reconciling`. */
  state: string
  /** Broker id. */
  coordinator: number
  /** `consumer`; another one is no consumer (Connect …); empty: a group that only commits. */
  protocolType: string
  /** Who decides who owns what, e.g. `range`, `uniform`; empty: not decided. */
  assignor: string
  /** KIP-848; null in a classic group. */
  groupEpoch: number | null
  /** KIP-848: of the newest assignment; it follows `groupEpoch`. Null in a classic group. */
  assignmentEpoch: number | null
  members: GroupMemberDescription[]
}

const CLASSIC_MEMBER = 0

/** Every group that Kafka's coordinators know. A broker that does not answer is told as `trouble`; rejects when none does. */
export async function listGroups(instance: Instance): Promise<GroupListing[]> {
  const nodes = [...instance.brokers.keys()]
  const answers = await Promise.allSettled(nodes.map(node => groupsAt(instance, node)))
  const groups = new Map<string, GroupListing>()
  let failure: unknown
  for (const [index, answer] of answers.entries())
    if (answer.status === 'fulfilled') for (const listing of answer.value) groups.set(listing.group, listing)
    else {
      failure = answer.reason
      instance.emit({ type: 'trouble', where: `brokers/${nodes[index]}`, error: plainError(answer.reason) })
    }
  if (answers.every(({ status }) => status === 'rejected')) throw failure ?? new SamsaError('NO_BROKERS', 'The cluster has no live broker.')
  return [...groups.values()].sort((a, b) => (a.group < b.group ? -1 : 1))
}

function groupsAt(instance: Instance, node: number): Promise<GroupListing[]> {
  return persist(instance, () => listAt(instance, node))
}

async function listAt(instance: Instance, node: number): Promise<GroupListing[]> {
  const link = await instance.links.acquire(node, DATA, instance.options.requestTimeoutMs)
  const answer = await link.request('ListGroups', {})
  if (answer.errorCode !== 0) throw brokerError('ListGroups', answer.errorCode, `at broker ${node}`)
  return answer.groups.map(({ groupId, groupType, groupState, protocolType }) => ({
    group: groupId,
    type: (groupType ?? '').toLowerCase(),
    state: groupState ?? '',
    protocolType,
    coordinator: node
  }))
}

/** The group as its coordinator sees it; undefined: it knows none of that name (or one that is no group of consumers). */
export function describeGroup(instance: Instance, group: string): Promise<GroupDescription | undefined> {
  return new Coordinator(instance, group).call(`The description of group ${group}`, async link => {
    // As Java's admin does: a broker that has KIP-848 is asked for such a group first, because it calls any other "not found".
    const newer = link.version('ConsumerGroupDescribe') === undefined ? undefined : await consumerGroup(link, group)
    return newer ?? classicGroup(link, group)
  })
}

async function consumerGroup(link: Link, group: string): Promise<GroupDescription | undefined> {
  const answer = await link.request('ConsumerGroupDescribe', { groupIds: [group], includeAuthorizedOperations: false })
  const found = theOne(answer.groups, group, 'ConsumerGroupDescribe')
  if (meaningOf('ConsumerGroupDescribe', found.errorCode).remedy === 'absent') return undefined
  if (found.errorCode !== 0) throw brokerError('ConsumerGroupDescribe', found.errorCode, `of group ${group}`, found.errorMessage)
  return {
    group,
    type: 'consumer',
    state: found.groupState,
    coordinator: link.node,
    protocolType: 'consumer',
    assignor: found.assignorName,
    groupEpoch: found.groupEpoch,
    assignmentEpoch: found.assignmentEpoch,
    members: found.members.map(consumerMember).sort(byMemberId)
  }
}

type ConsumerMember = ResponseOf<'ConsumerGroupDescribe'>['groups'][number]['members'][number]

function consumerMember(member: ConsumerMember): GroupMemberDescription {
  return {
    memberId: member.memberId,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    host: hostOf(member.clientHost),
    rackId: member.rackId,
    memberEpoch: member.memberEpoch,
    subscription: { topics: [...member.subscribedTopicNames].sort(), regex: member.subscribedTopicRegex || null },
    assignment: flat(member.assignment),
    target: flat(member.targetAssignment),
    protocol: member.memberType === CLASSIC_MEMBER ? 'classic' : 'consumer',
    problem: null
  }
}

async function classicGroup(link: Link, group: string): Promise<GroupDescription | undefined> {
  const answer = await link.request('DescribeGroups', { groups: [group], includeAuthorizedOperations: false })
  const found = theOne(answer.groups, group, 'DescribeGroups')
  // Before version 6 a group that is not there is a dead one (KIP-1043).
  const absent = meaningOf('DescribeGroups', found.errorCode).remedy === 'absent'
  if (absent || (found.errorCode === 0 && found.groupState === 'Dead')) return undefined
  if (found.errorCode !== 0) throw brokerError('DescribeGroups', found.errorCode, `of group ${group}`, found.errorMessage)
  return {
    group,
    type: 'classic',
    state: found.groupState,
    coordinator: link.node,
    protocolType: found.protocolType,
    assignor: found.protocolData,
    groupEpoch: null,
    assignmentEpoch: null,
    members: found.members
      .map(member => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId ?? null,
        clientId: member.clientId,
        host: hostOf(member.clientHost),
        memberEpoch: null,
        target: null,
        protocol: 'classic' as const,
        ...decodeMember(found.protocolType, member.memberId, member.memberMetadata, member.memberAssignment)
      }))
      .sort(byMemberId)
  }
}

function theOne<T extends { groupId: string }>(groups: readonly T[], group: string, what: string): T {
  const found = groups.find(({ groupId }) => groupId === group)
  if (!found) throw new SamsaError('LEFT_OUT', `${what}: the coordinator said nothing of group ${group}.`, { retriable: true })
  return found
}

/** Java's InetAddress puts a slash before an address without a name. */
const hostOf = (host: string) => host.replace(/^\//, '')

const flat = ({ topicPartitions }: ConsumerMember['assignment']): TopicPartitions[] =>
  topicPartitions
    .map(({ topicName, partitions }) => ({ topic: topicName, partitions: [...partitions].sort((a, b) => a - b) }))
    .sort(byTopic)

const byTopic = (a: TopicPartitions, b: TopicPartitions) => (a.topic < b.topic ? -1 : 1)
const byMemberId = (a: GroupMemberDescription, b: GroupMemberDescription) => (a.memberId < b.memberId ? -1 : 1)
