/**
 * The live side of a classic member: its coordinator and connection, its assignors, what the leader was told, its offset store, and up to when
 * what it owns is proven. Found by instance and path, as everything live is.
 */
import { builtInAssignors } from '../flow/assignors/kafka/built-in.ts'
import { decodeAssignment, encodeSubscription, PROTOCOL_TYPE } from '../flow/assignors/kafka/consumer-protocol.ts'
import type { Link } from '../flow/link.ts'
import type { ClassicMemberContext, ClassicMemberEvent, Offer, TopicLevel } from '../machines/classic-member-types.ts'
import type { Owned } from '../machines/consumer.ts'
import type { Assignor, MemberToAssign } from '../model/assignor.ts'
import { meaningOfError } from '../model/error-classes.ts'
import { type PlainError, plainError, SamsaError, TimeoutError, UsageError } from '../model/errors.ts'
import type { Timer } from '../model/world.ts'
import { type ApiName, loadApi } from '../wire/apis.ts'
import { divide, membersOf } from './classic-divide.ts'
import { describeGroup, type GroupSight, heartbeat, joinGroup, leaveGroup, syncGroup, verdictOf, type Who } from './classic-requests.ts'
import type { ConsumerPlane } from './consumer-plane.ts'
import { Coordinator } from './coordinator.ts'
import type { Instance } from './instance.ts'
import { KafkaOffsets } from './kafka-offsets.ts'
import { DATA } from './links.ts'

const all = new WeakMap<Instance, Map<string, LiveClassic>>()

export function liveClassic(instance: Instance, path: string): LiveClassic | undefined {
  return all.get(instance)?.get(path)
}

const DEFAULT_ASSIGNOR = 'cooperative-sticky'
/** Loaded while the connection is dialled. */
const APIS: readonly ApiName[] = ['FindCoordinator', 'JoinGroup', 'SyncGroup', 'Heartbeat', 'LeaveGroup', 'OffsetFetch', 'OffsetCommit']
/** A heartbeat that is not answered after this part of the session is tried anew. */
const BEAT_LIMIT = 1 / 3
/** Committed offsets of what was given: a rebalance waits no longer for them. */
const CLAIM_LIMIT_MS = 5_000

type Identity = { memberId: string; generation: number }
type Joining = { offers: readonly string[]; topics: readonly string[]; held: readonly Owned[]; reason: string }
type JoinedEvent = Extract<ClassicMemberEvent, { type: 'JOINED' }>
type Place = Pick<ClassicMemberContext, 'path' | 'consumer' | 'subscription'>

export class LiveClassic {
  readonly instance: Instance
  readonly offsets: KafkaOffsets
  readonly offers: Offer[]
  readonly #place: Place
  readonly #who: Who
  readonly #plane: ConsumerPlane | undefined
  readonly #coordinator: Coordinator
  readonly #purpose: string
  readonly #assignors = new Map<string, Assignor>()
  /** Of the last JoinGroup that made this member the leader. */
  #members: MemberToAssign[] = []
  #divided = new Map<string, Buffer>()
  /** What it was given last, and in which generation: for assignors that remember. */
  #assigned: { partitions: readonly Owned[]; generation: number } = { partitions: [], generation: -1 }
  /** Settles with the member id that a JoinGroup under way brings. */
  #joining: Promise<string | undefined> = Promise.resolve(undefined)
  #provenUntilMs = 0
  #memberId = ''
  #gone = false

  /** @throws UsageError INVALID_OPTION for an assignor that is not there. */
  constructor(instance: Instance, place: Place, send: (event: ClassicMemberEvent) => void) {
    const { path, consumer, subscription } = place
    const group = subscription.group ?? ''
    this.instance = instance
    this.#place = place
    this.#purpose = `group:${consumer}`
    this.#plane = instance.consumers.get(consumer)
    this.#who = {
      group,
      groupInstanceId: subscription.groupInstanceId,
      protocolType: PROTOCOL_TYPE,
      sessionTimeoutMs: subscription.groupSessionTimeoutMs,
      rebalanceTimeoutMs: subscription.maxPollIntervalMs
    }
    const names = subscription.assignors.length > 0 ? subscription.assignors : [DEFAULT_ASSIGNOR]
    this.offers = names.map(name => ({ name, eager: this.#assignor(name).rebalanceProtocol === 'eager' }))
    this.#coordinator = new Coordinator(instance, group, error => this.trouble(error))
    this.offsets = new KafkaOffsets(instance, group, {
      coordinator: this.#coordinator,
      stable: true,
      onRefused: (error, as) => send({ type: 'REFUSED', generation: as.generation, verdict: verdictOf(error), error: error.toJSON() })
    })
    const members = all.get(instance) ?? new Map<string, LiveClassic>()
    all.set(instance, members.set(path, this))
    if (this.#plane) {
      this.#plane.offsets = this.offsets
      this.#plane.provenUntilMs = () => this.#provenUntilMs
    }
    // A failure comes back when the API is used.
    for (const api of APIS) loadApi(api).catch(() => {})
  }

  trouble(error: PlainError): void {
    this.#plane?.emit({ type: 'trouble', where: this.#place.path, error })
  }

  /** The coordinator, with the member's own connection to it. */
  async find(): Promise<number> {
    return (await this.#coordinator.link(this.#purpose)).node
  }

  /** MEMBER_ID_GIVEN or JOINED. Rejects with SamsaError. */
  async join(attempt: number, { memberId, generation }: Identity, given: Joining): Promise<ClassicMemberEvent> {
    const { topics, held, reason } = given
    const protocols = given.offers.map(name => ({ name, metadata: this.#subscription(name, topics, held, generation) }))
    const link = await this.#coordinator.link(this.#purpose)
    this.#gone = false
    const sentMs = this.instance.world.monotonicMs()
    const answering = this.#asked(link.node, joinGroup(link, this.#who, memberId, protocols, reason))
    this.#joining = answering.then(
      answer => answer.memberId,
      () => undefined
    )
    const answer = await answering
    this.#memberId = answer.memberId
    if (answer.kind === 'id') return { type: 'MEMBER_ID_GIVEN', attempt, memberId: answer.memberId }
    this.#proven(sentMs)
    return { ...this.#joined(answer), attempt }
  }

  /** Keeps what the members said for `divide`. */
  #joined(answer: Extract<Awaited<ReturnType<typeof joinGroup>>, { kind: 'joined' }>): Omit<JoinedEvent, 'attempt'> {
    const { memberId, generationId, leader, skipAssignment, protocolName } = answer
    this.#members = membersOf(answer.members, error => this.trouble(error))
    this.#divided = new Map()
    return {
      type: 'JOINED',
      memberId,
      generation: generationId,
      protocol: protocolName ?? '',
      leader: leader === memberId,
      skipAssignment,
      members: this.#members.length,
      groupTopics: [...new Set(this.#members.flatMap(({ topics }) => topics))].sort(),
      // The coordinator begins to count when it answers; a long wait before is no part of the session.
      leaseMs: this.#who.sessionTimeoutMs
    }
  }

  #subscription(name: string, topics: readonly string[], held: readonly Owned[], generation: number): Buffer {
    const { partitions, generation: last } = this.#assigned
    const userData = this.#assignor(name).userData?.(topics, partitions, last) ?? null
    return encodeSubscription({ topics, userData, ownedPartitions: held, generationId: generation, rackId: this.instance.options.rack })
  }

  /** As the leader. `skip`: the coordinator keeps the assignment that it has (KIP-814). Throws UsageError. */
  divide(protocol: string, levels: readonly TopicLevel[], skip: boolean): void {
    this.#divided = skip ? new Map() : divide(this.instance, this.#assignor(protocol), this.#members, levels)
  }

  /** SYNCED, with what this member gets. Rejects with SamsaError. */
  async sync(attempt: number, identity: Identity, protocol: string, topics: readonly string[]): Promise<ClassicMemberEvent> {
    const link = await this.#coordinator.link(this.#purpose)
    const sentMs = this.instance.world.monotonicMs()
    const bytes = await this.#asked(link.node, syncGroup(link, this.#who, identity, protocol, this.#divided))
    this.#proven(sentMs)
    this.#divided = new Map()
    // A leader that leaves somebody out sends nothing at all.
    const { partitions, userData } = bytes.length > 0 ? decodeAssignment(bytes, identity.memberId) : { partitions: [], userData: null }
    this.#assigned = { partitions, generation: identity.generation }
    this.#tellAssignor(protocol, partitions, userData, identity.generation)
    const mine = partitions.filter(({ topic }) => topics.includes(topic))
    if (mine.length < partitions.length) this.#tellUnasked(partitions.filter(({ topic }) => !topics.includes(topic)))
    return { type: 'SYNCED', attempt, partitions: mine, leaseMs: this.#who.sessionTimeoutMs }
  }

  #tellAssignor(protocol: string, partitions: readonly Owned[], userData: Uint8Array | null, generation: number): void {
    try {
      this.#assignor(protocol).onAssignment?.(partitions, userData, generation)
    } catch (cause) {
      const message = `The assignor ${protocol} threw in onAssignment: ${plainError(cause).message} It may divide the next generation worse.`
      this.trouble(new UsageError('ASSIGNOR_FAILED', message, { cause, details: { assignor: protocol } }).toJSON())
    }
  }

  #tellUnasked(partitions: readonly Owned[]): void {
    const named = partitions.slice(0, 5).map(({ topic, partition }) => `${topic}/${partition}`)
    const message = `The group's leader gave this member ${named.join(', ')}, whose topics it does not subscribe to; they are left alone.`
    this.trouble(new SamsaError('UNASKED_ASSIGNMENT', message).toJSON())
  }

  /** What is committed of these, with the leader epochs that were committed along. Rejects with SamsaError. */
  async claim(attempt: number, partitions: readonly Owned[]): Promise<ClassicMemberEvent> {
    const found = await this.offsets.fetch(partitions, CLAIM_LIMIT_MS)
    const claimed = partitions.map(({ topic, partition }) => {
      const committed = found.get(`${topic}/${partition}`)
      if (!committed) return { topic, partition, offset: null, leaderEpoch: null }
      const { offset, leaderEpoch } = committed
      return { topic, partition, offset: String(offset), leaderEpoch: leaderEpoch < 0 ? null : leaderEpoch }
    })
    return { type: 'CLAIMED', attempt, partitions: claimed }
  }

  /** HEARTBEAT. Never rejects. */
  async heartbeat(beat: number, identity: Identity, aside: boolean): Promise<ClassicMemberEvent> {
    const { world, options } = this.instance
    const { sessionTimeoutMs } = this.#who
    const answer = { type: 'HEARTBEAT', beat, random: world.random() } as const
    // What else waits on the shared connection may be slow by right.
    const limitMs = aside ? options.requestTimeoutMs : Math.min(options.requestTimeoutMs, Math.max(1_000, sessionTimeoutMs * BEAT_LIMIT))
    let sentMs = world.monotonicMs()
    try {
      const link = await this.#coordinator.link(aside ? DATA : this.#purpose)
      sentMs = world.monotonicMs()
      await this.#asked(link.node, heartbeat(link, this.#who, identity, limitMs))
      return { ...answer, verdict: 'alive', error: null, leaseMs: this.#proven(sentMs) }
    } catch (error) {
      const verdict = verdictOf(error)
      return { ...answer, verdict, error: plainError(error), leaseMs: verdict === 'rebalance' ? this.#proven(sentMs) : 0 }
    }
  }

  /** LOOKED. Rejects with SamsaError. */
  async look(attempt: number): Promise<ClassicMemberEvent> {
    const { state, protocol, protocolType } = await this.#describe()
    const random = this.instance.world.random()
    if (protocolType !== '' && protocolType !== PROTOCOL_TYPE)
      return { type: 'LOOKED', attempt, protocol: `${protocolType} (${protocol})`, state, offer: null, random }
    const made = builtInAssignors.get(protocol)?.()
    const offer = made ? { name: protocol, eager: made.rebalanceProtocol === 'eager' } : null
    return { type: 'LOOKED', attempt, protocol: protocol || null, state, offer, random }
  }

  /** How many members the group has; 0: it does not say. Never rejects. */
  async countMembers(): Promise<number> {
    try {
      return (await this.#describe()).members
    } catch (error) {
      this.trouble(plainError(error))
      return 0
    }
  }

  #describe(): Promise<GroupSight> {
    const { group } = this.#who
    return this.#coordinator.call(`DescribeGroups of group ${group}`, link => describeGroup(link, group), { limitMs: CLAIM_LIMIT_MS })
  }

  /** Nothing of it is this member's any more, as far as is known. */
  lose(): void {
    this.#provenUntilMs = 0
    this.offsets.lose()
  }

  /** A static member stays one until its session is over (KIP-345). Never rejects. */
  async leave(memberId: string, reason: string, limitMs: number): Promise<void> {
    this.#gone = true
    if (this.#who.groupInstanceId !== null) return
    const { world } = this.instance
    let timer: Timer | undefined
    const late = new Promise<never>((_, reject) => {
      const error = new TimeoutError('LEAVE_TIMEOUT', `It took longer than ${limitMs} ms.`, { retriable: true })
      timer = world.setTimer(() => reject(error), limitMs)
    })
    try {
      await Promise.race([this.#leave(memberId, reason, limitMs), late])
    } catch (error) {
      // It was none any more: what was wanted.
      if (!(error instanceof SamsaError) || meaningOfError(error)?.remedy !== 'absent') this.trouble(leftUnheard(this.#who, error))
    } finally {
      if (timer) world.clearTimer(timer)
    }
  }

  async #leave(memberId: string, reason: string, limitMs: number): Promise<void> {
    // A coordinator of before Kafka 2.2 names a member only when everybody has joined.
    const id = memberId || (await this.#joining)
    const leaving = (link: Link) => leaveGroup(link, this.#who, id!, reason, limitMs)
    if (id) await this.#coordinator.call(`Leaving group ${this.#who.group}`, leaving, { limitMs })
  }

  /** Nothing is told any more. A member that did not leave in order says so, if its coordinator can be told without waiting. */
  stop(): void {
    const node = this.#coordinator.node
    const link = node === undefined ? undefined : this.instance.links.get(node, DATA)
    if (link && !this.#gone && this.#memberId !== '' && this.#who.groupInstanceId === null)
      leaveGroup(link, this.#who, this.#memberId, 'the consumer was stopped', this.instance.options.requestTimeoutMs).catch(() => {})
    this.offsets.stop()
    this.#coordinator.release(this.#purpose)
    const members = all.get(this.instance)
    if (members?.get(this.#place.path) === this) members.delete(this.#place.path)
  }

  /** An answer that another coordinator must be asked makes this one forgotten. */
  async #asked<T>(node: number, answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      if (verdictOf(error) === 'elsewhere') this.#coordinator.forget(node)
      throw error
    }
  }

  /** The coordinator took it for a member at `sentMs` or later. What is left of the session comes back. */
  #proven(sentMs: number): number {
    const untilMs = sentMs + this.#who.sessionTimeoutMs
    this.#provenUntilMs = Math.max(this.#provenUntilMs, untilMs)
    return Math.round(untilMs - this.instance.world.monotonicMs())
  }

  #assignor(name: string): Assignor {
    const known = this.#assignors.get(name) ?? this.#plane?.assignors.get(name) ?? builtInAssignors.get(name)?.()
    if (!known) throw new UsageError('INVALID_OPTION', `There is no assignor ${name}.`, { details: { option: 'assignor' } })
    this.#assignors.set(name, known)
    return known
  }
}

function leftUnheard({ group, sessionTimeoutMs }: Who, cause: unknown): PlainError {
  const message = `Group ${group} was left, but its coordinator did not confirm it; it finds out after ${sessionTimeoutMs} ms: ${plainError(cause).message}`
  return new SamsaError('LEFT_UNHEARD', message, { cause }).toJSON()
}
