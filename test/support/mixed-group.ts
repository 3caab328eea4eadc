/**
 * A classic group of ours and other clients' members while numbered messages are published: who owns what by every member's word and by the
 * broker's, and a history of it all, which is judged at the end.
 */
import assert from 'node:assert/strict'
import type { SubscribeOptions } from '../../src/index.ts'
import type { Assignor } from '../../src/model/assignor.ts'
import { assertHistory, History } from '../checker/record.ts'
import type { Cluster } from './cluster.ts'
import { watchForeign } from './foreign-history.ts'
import type { ForeignMember } from './foreign-member.ts'
import type { Member, MemberProcess } from './group-member.ts'
import { GroupRun, placeOf, uncommitted } from './group-run.ts'
import { until } from './until.ts'

/** All kinds alike, so that a death is missed soon by all. */
const sessionTimeoutMs = 3_000
const heartbeatIntervalMs = 300

/** What each kind of member is started with, and more. */
export interface Theirs {
  bootstrap: string[]
  group: string
  topics: string[]
  assignors: string[]
  sessionTimeoutMs: number
  heartbeatIntervalMs: number
}

type AnyMember = Member | MemberProcess | ForeignMember

export interface MixedGroupOptions {
  /** Its name for the others; ours take it as it is. */
  assignor: NonNullable<SubscribeOptions['assignor']> & (string | Assignor)
  /** Of its topics. Default two, of 5 and 3. */
  partitions?: readonly number[]
  /** By how much what others tell may be late. Default 5 ms: they date it themselves. */
  skewMs?: number
}

export class MixedGroup implements AsyncDisposable {
  readonly run: GroupRun
  readonly history = new History()
  readonly members = new Map<AnyMember, string>()
  readonly #options: MixedGroupOptions
  readonly #total: number
  readonly #foreign = new Set<ForeignMember>()
  #count = 0

  static async start(cluster: Cluster, options: MixedGroupOptions): Promise<MixedGroup> {
    const { partitions = [5, 3] } = options
    const run = await GroupRun.start(cluster, partitions, {}, { brokers: cluster.bootstrap.join(',') })
    return new MixedGroup(
      run,
      options,
      partitions.reduce((sum, each) => sum + each, 0)
    )
  }

  private constructor(run: GroupRun, options: MixedGroupOptions, total: number) {
    this.run = run
    this.#options = options
    this.#total = total
  }

  get #ours() {
    const { assignor } = this.#options
    return { membership: 'classic' as const, assignor, groupSessionTimeoutMs: sessionTimeoutMs, heartbeatIntervalMs }
  }

  /** In this process. */
  async ours(): Promise<Member> {
    return this.#watched(await this.run.join(this.#ours))
  }

  /** In a process of its own; with one of samsa's assignors only. */
  ourProcess(): MemberProcess {
    return this.#watched(this.run.spawn(this.#ours))
  }

  /** Another client's: `group.foreign('kcat', startKcatMember)`. */
  async foreign(kind: string, start: (options: Theirs) => Promise<ForeignMember>): Promise<ForeignMember> {
    const { cluster, group, topics } = this.run
    const { assignor } = this.#options
    const assignors = [typeof assignor === 'string' ? assignor : assignor.name]
    const member = await start({ bootstrap: cluster.bootstrap, group, topics, assignors, sessionTimeoutMs, heartbeatIntervalMs })
    const name = `${kind}-${++this.#count}`
    this.members.set(member, name)
    this.#foreign.add(member)
    watchForeign(this.history, member, name, group)
    return this.run.adopt(member)
  }

  #watched<T extends Member | MemberProcess>(member: T): T {
    this.members.set(member, `ours-${++this.#count}`)
    this.history.watchMember(member, this.members.get(member)!, { group: this.run.group })
    return member
  }

  async leave(member: AnyMember): Promise<void> {
    await this.run.leave(member)
    this.members.delete(member)
  }

  /**
   * The same with nothing in anybody's hands. For kcat, which drops a message that it gets after it was told to end, and commits it all the same.
   */
  async leaveAtRest(member: AnyMember): Promise<void> {
    await this.run.stream!.whileHeld(async () => {
      await this.run.caughtUp()
      await this.leave(member)
    })
  }

  /** SIGKILL. What may come again comes back. */
  async kill(...killed: (MemberProcess | ForeignMember)[]): Promise<Set<string>> {
    for (const member of killed) {
      await member.kill()
      this.run.forget(member)
      this.history.crash(this.members.get(member)!)
      this.members.delete(member)
    }
    const committed = await this.run.committedInKafka()
    return new Set(killed.flatMap(member => [...uncommitted(member, committed)]))
  }

  /** Until every partition has one owner, each member has some, and the broker says the same of the group. */
  async atRest(): Promise<void> {
    const views = () => [...this.members].map(([member, name]) => ({ name, owned: [...member.owned] }))
    await until(
      `one owner of each partition (${JSON.stringify(views())})`,
      async () => {
        const owned = views().map(each => each.owned)
        if (owned.some(list => list.length === 0) || owned.flat().length !== this.#total || new Set(owned.flat()).size !== this.#total)
          return false
        const { state, members } = await this.run.cluster.tool.describeGroup(this.run.group)
        const named = members.map(each =>
          each.partitions
            .map(place => place.replace(/-(\d+)$/, '/$1'))
            .sort()
            .join()
        )
        return (
          state === 'Stable' &&
          named.sort().join(';') ===
            owned
              .map(list => list.join())
              .sort()
              .join(';')
        )
      },
      30_000
    ).catch(error => {
      const logs = [...this.members.keys()].flatMap(member => ('summary' in member ? [member.summary()] : []))
      assert.fail([error.message, `at last: ${JSON.stringify(views())}`, ...logs].join('\n'))
    })
  }

  /** What came more than once though nobody said that it could not commit it. */
  repeated(): string[] {
    const refused = new Set([...this.#foreign].flatMap(refusedOf))
    return [...this.run.repeated().keys()].filter(place => !refused.has(place))
  }

  /** Everything was delivered; what came again may have. And the checker finds nothing. */
  async finish(allowed: ReadonlySet<string>): Promise<void> {
    await this.run.allDelivered()
    assert.deepEqual(
      this.repeated().filter(place => !allowed.has(place)),
      [],
      'they came again'
    )
    let at = 0
    for (const [value, place] of this.run.stream!.places) {
      const slash = place.lastIndexOf('/')
      this.history.record('publisher', 'ok', 'send', [['send', place.slice(0, slash), [Number(place.slice(slash + 1)), value]]], at++)
    }
    assertHistory(this.history, { skewMs: this.#options.skewMs ?? 5 })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.run[Symbol.asyncDispose]()
  }
}

/** What a member was given and could not commit, by its own word: the next owner is given it again. */
function refusedOf(member: ForeignMember): string[] {
  const [done, refused] = [new Map<string, number>(), new Map<string, number>()]
  for (const { offsets, error } of member.of('committed'))
    for (const [key, next] of Object.entries(offsets)) (error === undefined ? done : refused).set(key, next)
  return member.records
    .filter(({ topic, partition, offset }) => {
      const key = `${topic}/${partition}`
      return offset >= (done.get(key) ?? 0) && offset < (refused.get(key) ?? 0)
    })
    .map(placeOf)
}
