/**
 * A run of one of Kafka's own groups whose whole history is kept and judged: every publish, delivery, assignment, commit and death of every
 * member, in this process and in others. `finish` waits until everything was delivered and lets the checker look.
 */
import assert from 'node:assert/strict'
import type { ConsumerEmitted, SubscribeOptions } from '../../src/index.ts'
import type { AnomalyType } from '../checker/anomalies.ts'
import { assertHistory, History } from '../checker/record.ts'
import type { Cluster } from './cluster.ts'
import { instanceOfClient } from './connected.ts'
import { configureGroup } from './group-config.ts'
import type { Member, MemberEvent, MemberProcess, MemberView } from './group-member.ts'
import { GroupRun, uncommitted } from './group-run.ts'
import { MemberCrowd } from './member-crowd.ts'
import { until } from './until.ts'

export type Protocol = 'classic' | 'consumer'

/** A member's own heartbeat interval in groups of the new protocol is its broker's to say. */
const HEARTBEAT_INTERVAL_MS = 300

export class WatchedRun implements AsyncDisposable {
  readonly history = new History()
  readonly run: GroupRun
  readonly #subscribe: Partial<SubscribeOptions>
  readonly #crowds = new Set<MemberCrowd>()
  readonly #names = new Map<MemberView, string>()

  /** `sessionTimeoutMs`: after which a member that is not heard of is out of the group. */
  static async start(cluster: Cluster, membership: Protocol, partitions: number, sessionTimeoutMs = 30_000): Promise<WatchedRun> {
    const brokers = cluster.bootstrap.join(',')
    const run = await GroupRun.start(cluster, [partitions], {}, { brokers })
    if (membership === 'consumer')
      await configureGroup(brokers, run.group, {
        'consumer.session.timeout.ms': String(sessionTimeoutMs),
        'consumer.heartbeat.interval.ms': String(HEARTBEAT_INTERVAL_MS)
      })
    return new WatchedRun(run, { membership, groupSessionTimeoutMs: sessionTimeoutMs })
  }

  private constructor(run: GroupRun, subscribe: Partial<SubscribeOptions>) {
    this.run = run
    this.#subscribe = subscribe
  }

  /** What every member of the run subscribes with. */
  get subscribe(): SubscribeOptions {
    const { group, topics } = this.run
    return { group, topics, from: 'earliest', autoCommitIntervalMs: 200, ...this.#subscribe }
  }

  /** In this process. */
  async join(subscribe: Partial<SubscribeOptions> = {}): Promise<Member> {
    const member = await this.run.join({ ...this.#subscribe, ...subscribe })
    this.#watch(member)
    return member
  }

  /** In a process of its own. */
  spawn(subscribe: Partial<SubscribeOptions> = {}): MemberProcess {
    const member = this.run.spawn({ ...this.#subscribe, ...subscribe })
    this.#watch(member)
    return member
  }

  /** So many in a process of their own. */
  crowd(count: number, subscribe: Partial<SubscribeOptions> = {}): MemberCrowd {
    const crowd = new MemberCrowd({ where: this.run.where, subscribe: { ...this.subscribe, ...subscribe }, options: {}, count })
    this.#crowds.add(crowd)
    for (const member of crowd.members) {
      this.run.readers.push(member)
      this.#watch(member)
    }
    return crowd
  }

  #watch(member: MemberView): void {
    const name = `member-${this.#names.size + 1}`
    this.#names.set(member, name)
    this.history.watchMember(member, name, { group: this.run.group })
  }

  /** SIGKILL. What may come again comes back: what was given to its members and not committed. */
  async kill(killed: MemberProcess | MemberCrowd): Promise<Set<string>> {
    const members = killed instanceof MemberCrowd ? killed.members : [killed]
    await killed.kill()
    for (const member of members) this.history.crash(this.#names.get(member)!)
    if (killed instanceof MemberCrowd) this.#crowds.delete(killed)
    else this.run.forget(killed)
    const committed = await this.run.committedInKafka()
    return new Set(members.flatMap(member => [...uncommitted(member, committed)]))
  }

  /** Stops publishing; ends when every message was delivered and the checker has found nothing. What came again comes back. */
  async finish(forbid: readonly AnomalyType[] = []): Promise<ReadonlyMap<string, number>> {
    const repeated = await this.run.allDelivered()
    let at = 0
    for (const [value, place] of this.run.stream!.places) {
      const slash = place.lastIndexOf('/')
      const send = ['send', place.slice(0, slash), [Number(place.slice(slash + 1)), value]]
      this.history.record('publisher', 'ok', 'send', [send], at++)
    }
    assertHistory(this.history, { forbid })
    return repeated
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.run[Symbol.asyncDispose]()
    } finally {
      await Promise.all([...this.#crowds].map(crowd => crowd.close()))
    }
  }
}

/** The generation (classic) or member epoch (KIP-848) of a member in this process. */
export function roundOf({ client }: Member): number {
  const { directory } = instanceOfClient(client)
  const [path] = [...directory.keys()].filter(name => name.endsWith('/member'))
  const { generation, memberEpoch } = directory.get(path!)!.getSnapshot().context as { generation?: number; memberEpoch?: number }
  return generation ?? memberEpoch!
}

const placed = (members: readonly MemberView[]) => members.reduce((sum, { owned }) => sum + owned.length, 0)

/** Until all partitions are owned by these, and none has more than one more than another. */
export function balanced(members: readonly MemberView[], partitions: number, limitMs = 30_000): Promise<unknown> {
  const least = Math.floor(partitions / members.length)
  const fair = ({ owned: { length } }: MemberView) => length === least || length === least + 1
  return until(`${members.length} share ${partitions}`, () => placed(members) === partitions && members.every(fair), limitMs)
}

/** What a member was told of its partitions, and how often it joined: no more of it later means that it was left alone. */
export const moves = (member: MemberView) => ({
  assigned: member.told('partition.assigned').flatMap(({ partitions }) => partitions).length,
  revoked: member.told('partition.revoked').length,
  lost: member.told('partition.lost').length,
  joins: member.told('member.state').filter(({ state }) => state === 'joining').length
})

/** What came again, once each, is among these. */
export function assertOnly(repeated: ReadonlyMap<string, number>, allowed: ReadonlySet<string> = new Set()): void {
  for (const [place, times] of repeated) assert.ok(times === 1 && allowed.has(place), `${place} came ${times + 1} times`)
}

export const isTold = (event: MemberEvent, type: ConsumerEmitted['type']) => event.type === 'told' && event.event.type === type
