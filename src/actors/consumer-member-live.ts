/**
 * The live side of a KIP-848 member: its connection to the coordinator, its offset store, the time up to which its ownership is proven.
 * Found by instance and path, as everything live is.
 */
import type { Link } from '../flow/link.ts'
import type { ConsumerMemberContext, IdPartitions, Said } from '../machines/consumer-member-types.ts'
import { brokerError, meaningOf } from '../model/error-classes.ts'
import { BrokerError, ConnectionError, type PlainError, ProtocolError, plainError, SamsaError } from '../model/errors.ts'
import type { RequestOf, ResponseOf } from '../wire/apis.ts'
import { Coordinator, remedyOf } from './coordinator.ts'
import { findInstance, type Instance } from './instance.ts'
import { KafkaOffsets, type KafkaOffsetsOptions } from './kafka-offsets.ts'

type OnRefused = NonNullable<KafkaOffsetsOptions['onRefused']>
type Place = Pick<ConsumerMemberContext, 'instance' | 'path' | 'consumer' | 'subscription' | 'timing'>

/** Epochs that say goodbye: for good, or (a static member) to come back. */
const LEAVE = -1
const LEAVE_TO_RETURN = -2
/** Resource type of a group's configuration, and the setting (KIP-848). */
const GROUP_RESOURCE = 32
const SESSION_TIMEOUT = 'consumer.session.timeout.ms'
/** From this version of the heartbeat on (Kafka 4.0) groups have a configuration that can be asked for. */
const GROUP_CONFIGS_FROM = 1
/** A heartbeat that is not answered for this part of the session has time for others after it. */
const ANSWER_WITHIN = 1 / 3
/** Brokers that have the protocol and do not have it switched on answer so. */
const UNSUPPORTED_VERSION = 35

const all = new WeakMap<Instance, Map<string, LiveConsumerMember>>()

export interface Answer {
  memberId: string | null
  memberEpoch: number
  heartbeatIntervalMs: number
  assignment: IdPartitions[] | null
}

export class LiveConsumerMember {
  readonly instance: Instance
  readonly group: string
  readonly coordinator: Coordinator
  readonly offsets: KafkaOffsets
  readonly #place: Place
  readonly #purpose: string
  /** Told to the plane: `world.monotonicMs()` up to which what is owned is proven to be. */
  #provenUntilMs = 0
  #node: number | undefined
  /** Under this id the group may have a member; undefined: it has none of ours. */
  #inside: string | undefined
  #leaving: Promise<void> = Promise.resolve()
  #configsRefused = false

  /** The one of this member; it is made when it is first asked for. */
  static of(place: Place, onRefused: OnRefused): LiveConsumerMember | undefined {
    const instance = findInstance(place.instance)
    if (!instance) return undefined
    const members = all.get(instance) ?? new Map<string, LiveConsumerMember>()
    all.set(instance, members)
    const known = members.get(place.path)
    if (known) return known
    const live = new LiveConsumerMember(instance, place, onRefused)
    members.set(place.path, live)
    return live
  }

  private constructor(instance: Instance, place: Place, onRefused: OnRefused) {
    this.instance = instance
    this.#place = place
    this.group = place.subscription.group ?? ''
    this.#purpose = `group:${place.consumer}`
    this.coordinator = new Coordinator(instance, this.group, error => this.trouble(error))
    const stable = place.subscription.isolation === 'read_committed'
    this.offsets = new KafkaOffsets(instance, this.group, { coordinator: this.coordinator, stable, onRefused })
    const plane = instance.consumers.get(place.consumer)
    if (!plane) return
    plane.offsets = this.offsets
    plane.provenUntilMs = () => this.#provenUntilMs
  }

  trouble(error: PlainError): void {
    this.instance.consumers.get(this.#place.consumer)?.emit({ type: 'trouble', where: this.#place.path, error })
  }

  prove(untilMs: number): void {
    this.#provenUntilMs = untilMs
  }

  lose(): void {
    this.#provenUntilMs = 0
    this.offsets.lose()
  }

  /** The connection to the coordinator is there. Rejects as links and FindCoordinator do, and when that broker lacks the protocol. */
  async find(): Promise<{ node: number; version: number; sessionTimeoutMs: number | null }> {
    const link = await this.coordinator.link(this.#purpose)
    const version = link.version('ConsumerGroupHeartbeat')
    if (version === undefined) throw unsupported(link.node)
    this.#node = link.node
    return { node: link.node, version, sessionTimeoutMs: version >= GROUP_CONFIGS_FROM ? await this.#sessionTimeoutMs(link) : null }
  }

  /** One heartbeat. Rejects with the BrokerError of the answer, ProtocolError, or as requests do. */
  async heartbeat(memberId: string | null, memberEpoch: number, said: Said, sessionTimeoutMs: number): Promise<Answer> {
    const { options } = this.instance
    const { groupInstanceId } = this.#place.subscription
    const body: RequestOf<'ConsumerGroupHeartbeat'> = {
      groupId: this.group,
      memberId: memberId ?? '',
      memberEpoch,
      instanceId: groupInstanceId
    }
    if (said.rebalanceTimeoutMs !== null) Object.assign(body, { rebalanceTimeoutMs: said.rebalanceTimeoutMs, rackId: options.rack })
    if (said.topics !== null) body.subscribedTopicNames = said.topics
    if (said.regex !== null) body.subscribedTopicRegex = said.regex
    if (said.remoteAssignor !== null) body.serverAssignor = said.remoteAssignor
    if (said.held !== null) body.topicPartitions = said.held
    this.#inside = memberId ?? this.#inside
    const timeoutMs = Math.min(options.requestTimeoutMs, Math.max(1, sessionTimeoutMs * ANSWER_WITHIN))
    const link = this.#link()
    const answer = await link.request('ConsumerGroupHeartbeat', body, { timeoutMs })
    if (answer.errorCode === UNSUPPORTED_VERSION) throw unsupported(link.node)
    if (answer.errorCode !== 0) throw brokerError('ConsumerGroupHeartbeat', answer.errorCode, `of group ${this.group}`, answer.errorMessage)
    const checked = check(answer)
    this.#inside = checked.memberId ?? this.#inside
    return checked
  }

  /** Rejected requests lead elsewhere, or to the same broker again. */
  remedy(error: unknown): ReturnType<typeof remedyOf> {
    const remedy = remedyOf(error)
    if (remedy === 'elsewhere' && this.#node !== undefined) this.coordinator.forget(this.#node)
    return remedy
  }

  /** Tells the group, as often as `leaveMs` allows. Never rejects. */
  leave(memberId: string | null, stay: boolean): Promise<void> {
    this.#inside = undefined
    if (memberId !== null) this.#leaving = this.#leave(memberId, stay)
    return this.#leaving
  }

  async #leave(memberId: string, stay: boolean): Promise<void> {
    const what = `Leaving group ${this.group}`
    const instanceId = this.#place.subscription.groupInstanceId
    const body: RequestOf<'ConsumerGroupHeartbeat'> = {
      groupId: this.group,
      memberId,
      memberEpoch: stay ? LEAVE_TO_RETURN : LEAVE,
      instanceId
    }
    const ask = async (link: Link) => {
      const { errorCode, errorMessage } = await link.request('ConsumerGroupHeartbeat', body)
      if (errorCode !== 0) throw brokerError('ConsumerGroupHeartbeat', errorCode, `that leaves group ${this.group}`, errorMessage)
    }
    try {
      await this.coordinator.call(what, ask, { purpose: this.#purpose, limitMs: this.#place.timing.leaveMs })
    } catch (error) {
      const plain = plainError(error)
      const gone = plain.kafka && meaningOf('LeaveGroup', plain.kafka.code).remedy === 'absent'
      if (!gone && !this.instance.closed) this.trouble(plain)
    }
  }

  /** Names of topics by their ids, from any broker. */
  async names(topicIds: readonly string[]): Promise<{ topicId: string; topic: string }[]> {
    const link = await this.instance.links.any(this.instance.options.requestTimeoutMs)
    const topics = topicIds.map(topicId => ({ topicId, name: null }))
    const answer = await link.request('Metadata', { topics, allowAutoTopicCreation: false }, { minVersion: 12 })
    const asked = new Set(topicIds)
    return answer.topics.flatMap(({ topicId, name, errorCode }) =>
      errorCode === 0 && name !== null && asked.has(topicId) ? [{ topicId, topic: name }] : []
    )
  }

  /** How many members share how many partitions, and how many are meant for this one. */
  count(memberId: string | null): Promise<{ members: number; partitions: number; due: number }> {
    const what = `ConsumerGroupDescribe of group ${this.group}`
    return this.coordinator.call(what, async link => {
      const answer = await link.request('ConsumerGroupDescribe', { groupIds: [this.group], includeAuthorizedOperations: false })
      const found = answer.groups.find(({ groupId }) => groupId === this.group)
      if (!found) throw new SamsaError('LEFT_OUT', `${what}: broker ${link.node} said nothing of it.`, { retriable: true })
      if (found.errorCode !== 0) throw brokerError('ConsumerGroupDescribe', found.errorCode, `of group ${this.group}`, found.errorMessage)
      const shares = found.members.map(member => ({
        memberId: member.memberId,
        size: member.targetAssignment.topicPartitions.reduce((sum, { partitions }) => sum + partitions.length, 0)
      }))
      return {
        members: shares.length,
        partitions: shares.reduce((sum, { size }) => sum + size, 0),
        due: shares.find(share => share.memberId === memberId)?.size ?? 0
      }
    })
  }

  /** Nothing is told any more. A group that still has this member is told behind it; then the connection goes. */
  stop(): void {
    const members = all.get(this.instance)
    if (members?.get(this.#place.path) === this) members.delete(this.#place.path)
    if (this.#inside !== undefined && !this.instance.closed)
      void this.leave(this.#inside, this.#place.subscription.groupInstanceId !== null)
    this.#provenUntilMs = 0
    this.offsets.stop()
    void this.#leaving.then(() => this.coordinator.release(this.#purpose))
  }

  #link(): Link {
    const link = this.#node === undefined ? undefined : this.instance.links.get(this.#node, this.#purpose)
    if (link) return link
    throw new ConnectionError('CONNECTION_LOST', `The connection to the coordinator of group ${this.group} is lost.`, { retriable: true })
  }

  /** As the broker has it for this group; null: it does not tell, and that is told once. */
  async #sessionTimeoutMs(link: Link): Promise<number | null> {
    const answer = await link.request('DescribeConfigs', {
      resources: [{ resourceType: GROUP_RESOURCE, resourceName: this.group, configurationKeys: [SESSION_TIMEOUT] }],
      includeSynonyms: false,
      includeDocumentation: false
    })
    const [result] = answer.results
    const value = Number(result?.configs.find(({ name }) => name === SESSION_TIMEOUT)?.value ?? Number.NaN)
    if (result?.errorCode === 0 && Number.isSafeInteger(value) && value > 0) return value
    if (!this.#configsRefused) {
      const what = `of group ${this.group}, for ${SESSION_TIMEOUT} (groupSessionTimeoutMs is assumed)`
      this.trouble(brokerError('DescribeConfigs', result?.errorCode ?? -1, what, result?.errorMessage).toJSON())
    }
    this.#configsRefused = true
    return null
  }
}

/** What a member must not believe is refused, and asked for again. */
function check(answer: ResponseOf<'ConsumerGroupHeartbeat'>): Answer {
  const { memberId, memberEpoch, heartbeatIntervalMs, assignment } = answer
  const bad = (what: string) =>
    new ProtocolError('HEARTBEAT_INVALID', `ConsumerGroupHeartbeat was answered with ${what}; it is asked again.`, { retriable: true })
  if (memberEpoch <= 0) throw bad(`member epoch ${memberEpoch}`)
  if (heartbeatIntervalMs <= 0) throw bad(`an interval of ${heartbeatIntervalMs} ms`)
  const seen = new Set<string>()
  for (const { topicId, partitions } of assignment?.topicPartitions ?? [])
    for (const partition of partitions) {
      const key = `${topicId}/${partition}`
      if (partition < 0 || seen.has(key)) throw bad(`partition ${key}${partition < 0 ? '' : ' twice'}`)
      seen.add(key)
    }
  return { memberId: memberId || null, memberEpoch, heartbeatIntervalMs, assignment: assignment?.topicPartitions ?? null }
}

function unsupported(node: number): BrokerError {
  const message =
    `Broker ${node}, the coordinator of the group, does not offer the consumer protocol (KIP-848), or has it switched off: ` +
    'it needs Kafka 4.0 with the feature group.version 1. Use membership classic.'
  return new BrokerError('UNSUPPORTED_VERSION', message, {
    kafka: { code: UNSUPPORTED_VERSION, name: 'UNSUPPORTED_VERSION', api: 'ConsumerGroupHeartbeat' },
    details: { broker: node }
  })
}
