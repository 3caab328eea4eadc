/**
 * The live side of a group member: the sessions of the registry one after the other, the member in the present one, and its offset store.
 * Found by instance and path, as everything live is.
 */
import type { GroupMemberContext, GroupMemberEvent } from '../machines/group-member-types.ts'
import { type PlainError, plainError, SamsaError, UsageError } from '../model/errors.ts'
import type { Subscription } from '../model/subscription.ts'
import { GroupSession } from '../registry/group/group-session.ts'
import { putUpMoved } from '../registry/group/moved.ts'
import { writablePattern } from '../registry/group/topic-filter.ts'
import { type GroupSubscription, memberIdOf } from '../registry/group/znodes.ts'
import type { ZooKeeperSession } from '../registry/zookeeper/session.ts'
import { GroupOffsets } from './group-offsets.ts'
import type { Instance } from './instance.ts'
import { KafkaOffsets } from './kafka-offsets.ts'

const all = new WeakMap<Instance, Map<string, LiveMember>>()

export function liveMember(instance: Instance, path: string): LiveMember | undefined {
  return all.get(instance)?.get(path)
}

type Send = (event: GroupMemberEvent) => void
type Place = Pick<GroupMemberContext, 'path' | 'consumer' | 'subscription' | 'movable'>

/** Of the session timeout after the last answered ping: from then on nothing is handed out. */
const stallAfter = 2 / 3

export class LiveMember {
  readonly instance: Instance
  readonly path: string
  readonly consumer: string
  readonly memberId: string
  readonly offsets: GroupOffsets
  readonly kafka: KafkaOffsets | undefined
  /** The member in the present session. */
  current: GroupSession | undefined
  #subscription: GroupSubscription
  #movable: boolean
  #group: string
  #send: Send
  #number = 0
  /** A sign that the group moves has been seen. */
  #moves = false
  #stopSessions: () => void
  #stopEvents: () => void = () => {}

  /** @throws UsageError for a pattern that cannot be written, SamsaError when the registry has no sessions. */
  constructor(instance: Instance, { path, consumer, subscription, movable }: Place, send: Send) {
    const { world, registry } = instance
    this.instance = instance
    this.path = path
    this.consumer = consumer
    this.#send = send
    this.#group = subscription.group ?? ''
    this.#subscription = groupSubscription(subscription)
    this.#movable = movable
    this.memberId = memberIdOf(this.#group, world.hostname(), world.now(), world.randomBytes(8))
    this.kafka = subscription.mirrorOffsets ? new KafkaOffsets(instance, this.#group) : undefined
    this.offsets = new GroupOffsets({
      group: () => this.current,
      kafka: this.kafka,
      onTrouble: error => this.trouble(error),
      onMembersInKafka: () => void this.#mendSplit()
    })
    if (!registry?.onSession) throw new SamsaError('NO_ZOOKEEPER', 'Group membership needs a cluster that is named by its ZooKeeper.')
    const members = all.get(instance) ?? new Map<string, LiveMember>()
    all.set(instance, members.set(path, this))
    const plane = instance.consumers.get(consumer)
    if (plane) {
      plane.offsets = this.offsets
      plane.provenUntilMs = () => this.#stallAtMs()
    }
    const stopSessions = registry.onSession(session => this.#begin(session))
    const stopGone = registry.onZooKeeperGone?.(() => this.#send({ type: 'ZOOKEEPER_GONE' }))
    this.#stopSessions = () => {
      stopSessions()
      stopGone?.()
    }
  }

  trouble(error: PlainError): void {
    this.instance.consumers.get(this.consumer)?.emit({ type: 'trouble', where: this.path, error })
  }

  /**
   * Lets go of everything in ZooKeeper, and waits for the copies in Kafka. Where the group moves these come first: with the last member gone its
   * offsets are carried to Kafka, and a copy that is still on its way would write an older one over them. Never rejects.
   */
  async leave(): Promise<void> {
    if (this.#moves) await this.offsets.copied()
    await Promise.all([this.current?.retire(), this.offsets.copied()])
  }

  /** Nothing is told any more; what is still held is let go of behind it. */
  stop(): void {
    this.#stopSessions()
    this.#stopEvents()
    this.#send = () => {}
    // What is not copied by now is not tried again: somebody else may have committed more.
    this.kafka?.stop()
    void this.current?.retire()
    const members = all.get(this.instance)
    if (members?.get(this.path) === this) members.delete(this.path)
  }

  /** When nothing may be handed out any more, unless the server answers before. */
  #stallAtMs(): number {
    const session = this.current?.session
    return session ? session.leaseFromMs + session.negotiatedTimeoutMs * stallAfter : 0
  }

  /**
   * A process that alone has lost a ZooKeeper that others still reach goes over to Kafka by itself once the brokers run without it
   * (`registry/fallback.ts`): the group would be in two places for good. So the sign is put up, and all meet where that one is. While the brokers
   * still need ZooKeeper nobody goes by itself, and members in Kafka are another group of that name.
   */
  async #mendSplit(): Promise<void> {
    const { current, instance } = this
    if (!current || this.#moves || !instance.registry?.brokersWithoutZooKeeper) return
    this.#moves = true
    try {
      await putUpMoved(current.session, this.#group, instance.world.now())
      const message = `Group ${this.#group} has members in Kafka while others meet in ZooKeeper, which the brokers do not use any more; all of them meet in Kafka from now on.`
      this.trouble(plainError(new SamsaError('GROUP_SPLIT', message, { details: { group: this.#group } })))
    } catch (error) {
      this.#moves = false
      this.trouble(plainError(error))
    }
  }

  #begin(session: ZooKeeperSession): void {
    this.#stopEvents()
    const number = ++this.#number
    const { world } = this.instance
    this.current = new GroupSession({
      world,
      session,
      group: this.#group,
      memberId: this.memberId,
      subscription: this.#subscription,
      movable: this.#movable,
      events: {
        onGroup: () => this.#send({ type: 'GROUP_CHANGED', session: number }),
        onOwner: (topic, partition, mine) => this.#send({ type: 'OWNER_CHANGED', session: number, topic, partition, mine }),
        onForeignCommit: (topic, partition) => this.trouble(foreignCommit(this.#group, topic, partition)),
        onMoved: sign => {
          this.#moves = true
          this.#send({ type: 'GROUP_MOVED', session: number, sign })
        }
      }
    })
    const connected = () =>
      this.#send({
        type: 'SESSION_CONNECTED',
        session: number,
        sessionId: `0x${BigInt.asUintN(64, session.sessionId ?? 0n).toString(16)}`,
        negotiatedTimeoutMs: session.negotiatedTimeoutMs
      })
    const suspended = (reason: string) => {
      const stallAtMs = this.#stallAtMs()
      this.#send({
        type: 'SESSION_SUSPENDED',
        session: number,
        reason,
        stallInMs: Math.round(Math.max(0, stallAtMs - world.monotonicMs()))
      })
    }
    const ended = (reason: string) => {
      this.current = undefined
      this.#send({ type: 'SESSION_EXPIRED', session: number, reason })
    }
    this.#stopEvents = session.on(event => {
      if (event.type === 'connected') connected()
      else if (event.type === 'suspended') suspended(event.reason.message)
      else if (event.type === 'reconnected') this.#send({ type: 'SESSION_RECONNECTED', session: number })
      else if (event.type === 'expired')
        ended(event.by === 'server' ? 'the server says so' : 'its time is over and no server could be asked')
      else if (event.type === 'failed') ended(event.error.message)
      else if (event.type === 'closed') ended('it was closed')
    })
    if (session.state === 'connected' || session.state === 'suspended') connected()
    if (session.state === 'suspended') suspended('the connection is lost')
  }
}

/** @throws UsageError INVALID_OPTION */
function groupSubscription({ topics, pattern }: Subscription): GroupSubscription {
  if (pattern === null) return { kind: 'static', topics: Object.fromEntries(topics.map(topic => [topic, 1])) }
  const written = writablePattern(pattern)
  if ('problem' in written)
    throw new UsageError('INVALID_OPTION', `The pattern cannot be shared with the other members of the group: ${written.problem}.`, {
      details: { option: 'pattern' }
    })
  return { kind: 'white_list', pattern: written.pattern, streams: 1 }
}

function foreignCommit(group: string, topic: string, partition: number): PlainError {
  const message = `Somebody else has written the committed offset of ${topic}/${partition} of group ${group}, which is owned here; it is overwritten.`
  return plainError(new SamsaError('FOREIGN_COMMIT', message, { details: { group, topic, partition } }))
}
