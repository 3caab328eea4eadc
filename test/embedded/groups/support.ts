/**
 * A groups' coordinator under a virtual clock, without brokers or sockets: brokers are numbers, topics a map, and who coordinates is said by the test.
 */
import { ERROR } from '../../../src/embedded/kafka/errors.ts'
import type { JoinRequest, JoinResult, SyncResult } from '../../../src/embedded/kafka/groups/classic-types.ts'
import type { ConsumerBeat, ConsumerHeartbeat } from '../../../src/embedded/kafka/groups/consumer-coordinator.ts'
import { GroupCoordinator } from '../../../src/embedded/kafka/groups/coordinator.ts'
import type { GroupHost, GroupOptions } from '../../../src/embedded/kafka/groups/host.ts'
import { fromWire, type Parts, parts } from '../../../src/embedded/kafka/groups/parts.ts'
import { compile } from '../../../src/wire/compile.ts'
import { consumerProtocolSubscription } from '../../../src/wire/messages/consumer-protocol-subscription.ts'
import { Writer } from '../../../src/wire/writer.ts'
import { settled, VirtualWorld } from '../../support/virtual-world.ts'

export const GROUP = 'g'
export const BROKER = 1

export const nameOf = (code: number): string => Object.entries(ERROR).find(([, each]) => each === code)?.[0] ?? String(code)

/** An answer that may still be waited for. */
export class Pending<T> {
  value: T | undefined

  constructor(promise: Promise<T>) {
    promise.then(value => {
      this.value = value
    })
  }

  /** Throws when it is not there yet. */
  get now(): T {
    if (this.value === undefined) throw new Error('it still waits')
    return this.value
  }
}

export class TestGroups {
  readonly virtual = new VirtualWorld()
  readonly topics = new Map<string, number>()
  readonly coordinator: GroupCoordinator
  leader = BROKER

  constructor(options: Partial<GroupOptions> = {}) {
    const view = (name: string) => {
      const partitions = this.topics.get(name)
      return partitions === undefined ? undefined : { name, id: `id-${name}`, partitions }
    }
    const host: GroupHost = {
      world: this.virtual.world,
      placeOf: () => ({ partition: 7, leader: this.leader, leaderEpoch: this.leader }),
      topic: view,
      topicById: id => view(id.slice(3)),
      topicNames: () => [...this.topics.keys()].sort(),
      // The same as nothing: they are looked at each time.
      topicsVersion: () => Number.NaN
    }
    this.coordinator = new GroupCoordinator(host, options)
  }

  move(to: number): void {
    this.leader = to
    this.coordinator.follow({ partition: 7, leader: to, leaderEpoch: to })
  }

  advance(ms: number): Promise<void> {
    return this.virtual.advance(ms)
  }

  async join(given: Partial<JoinRequest> & { broker?: number } = {}): Promise<Pending<JoinResult>> {
    const { broker = BROKER, ...request } = given
    const pending = new Pending(
      this.coordinator.join(broker, {
        ...{
          groupId: GROUP,
          memberId: '',
          instanceId: null,
          sessionTimeoutMs: 10_000,
          rebalanceTimeoutMs: 60_000,
          protocolType: 'consumer'
        },
        ...{ protocols: protocolsOf('range'), clientId: 'c', clientHost: '/127.0.0.1' },
        ...{ requireKnownMemberId: false, supportSkippingAssignment: false },
        ...request
      })
    )
    await settled()
    return pending
  }

  async sync(
    member: JoinResult,
    assignments: Record<string, string> = {},
    given: { instanceId?: string; broker?: number } = {}
  ): Promise<Pending<SyncResult>> {
    const pending = new Pending(
      this.coordinator.sync(given.broker ?? BROKER, {
        ...{ groupId: GROUP, generationId: member.generationId, memberId: member.memberId, instanceId: given.instanceId ?? null },
        ...{ protocolType: member.protocolType, protocolName: member.protocolName },
        assignments: Object.entries(assignments).map(([memberId, text]) => ({ memberId, assignment: Buffer.from(text, 'latin1') }))
      })
    )
    await settled()
    return pending
  }

  heartbeat(member: Pick<JoinResult, 'memberId' | 'generationId'>, given: { instanceId?: string; broker?: number } = {}): string {
    const { memberId, generationId } = member
    return nameOf(
      this.coordinator.heartbeat(given.broker ?? BROKER, GROUP, { memberId, generationId, instanceId: given.instanceId ?? null })
    )
  }

  leave(...members: { memberId?: string; instanceId?: string }[]): string[] {
    const told = members.map(({ memberId = '', instanceId = null }) => ({ memberId, instanceId: instanceId as string | null }))
    return this.coordinator.leave(BROKER, GROUP, told).members.map(nameOf)
  }

  /** A Stable group of this many members, the leader first. */
  async stable(count: number, given: Partial<JoinRequest>[] = []): Promise<JoinResult[]> {
    const joins: Pending<JoinResult>[] = []
    for (let i = 0; i < count; i++) joins.push(await this.join(given[i]))
    await this.advance(this.coordinator.options.initialRebalanceDelayMs * 2)
    const members = joins.map(each => each.now)
    const assignments = Object.fromEntries(members.map(({ memberId }, i) => [memberId, `part ${i}`]))
    for (const member of members) await this.sync(member, member.leader === member.memberId ? assignments : {})
    return members
  }

  get state(): string {
    return this.coordinator.group(GROUP)?.state ?? 'none'
  }

  /** ConsumerGroupHeartbeat; an error's name is thrown. */
  beat(memberId: string, memberEpoch: number, given: Partial<ConsumerHeartbeat> & { broker?: number } = {}): ConsumerBeat {
    const { broker = BROKER, ...request } = given
    const joining = memberEpoch === 0
    return this.coordinator.consumerHeartbeat(broker, {
      ...{ groupId: GROUP, memberId, memberEpoch, instanceId: null, rackId: null, rebalanceTimeoutMs: joining ? 60_000 : -1 },
      ...{ topics: joining ? ['t'] : null, regex: null, assignor: null, owned: joining ? parts([]) : null },
      ...{ clientId: 'c', clientHost: '/127.0.0.1', requireMemberId: true },
      ...request
    })
  }
}

export function protocolsOf(...names: string[]) {
  return names.map(name => ({ name, metadata: subscription(['t']) }))
}

export function subscription(topics: string[]): Buffer {
  const writer = new Writer()
  writer.int16(0)
  compile(consumerProtocolSubscription, 0).encode(writer, { topics, userData: null, ownedPartitions: [], generationId: -1, rackId: null })
  return Buffer.concat(writer.finish())
}

/** `{ t: [0, 1] }` */
export const partsOf = (topics: Record<string, number[]>): Parts =>
  fromWire(Object.entries(topics).map(([topic, partitions]) => ({ topicId: `id-${topic}`, partitions })))
export const plain = (of: Parts | null): Record<string, readonly number[]> | null =>
  of && Object.fromEntries([...of].map(([id, partitions]) => [id.slice(3), partitions]))
