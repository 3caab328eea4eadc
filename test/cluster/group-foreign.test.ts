/**
 * Classic groups in which Java's consumers and kafkajs are beside ours, with each of Java's assignors and with kafkajs' own, while numbered messages
 * are published: whoever comes, leaves, dies or leads, each partition has one owner, nothing is lost, and only what a dead one had not committed
 * comes again.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Assignor } from '../../src/model/assignor.ts'
import { assertHistory, History } from '../checker/record.ts'
import type { Cluster } from '../support/cluster.ts'
import { watchForeign } from '../support/foreign-history.ts'
import type { ForeignMember } from '../support/foreign-member.ts'
import type { Member, MemberProcess } from '../support/group-member.ts'
import { assertInOrder, GroupRun, type Reader, uncommitted } from '../support/group-run.ts'
import { type JavaMemberOptions, startJavaMember } from '../support/java-member.ts'
import { startKafkajsMember } from '../support/kafkajs-member.ts'
import { until } from '../support/until.ts'
import { useCluster } from '../support/use-cluster.ts'

const [withZooKeeper, kraft] = await Promise.all([useCluster('zookeeper'), useCluster('kraft')])
const partitions = [5, 3]
const total = 8
/** All kinds alike, so that a death is missed soon by all. */
const sessionTimeoutMs = 3_000
const heartbeatIntervalMs = 300

type AnyMember = Member | MemberProcess | ForeignMember
type AssignorName = 'range' | 'roundrobin' | 'sticky' | 'cooperative-sticky' | 'RoundRobinAssigner'

/** kafkajs' own way, for our members: partitions in order, to members in the order of their ids. */
const kafkajsAssignor: Assignor = {
  name: 'RoundRobinAssigner',
  rebalanceProtocol: 'eager',
  assign({ topics, members }) {
    const ids = members.map(({ id }) => id).sort()
    const given = new Map(ids.map(id => [id, { partitions: [] as { topic: string; partition: number }[] }]))
    const all = [...topics].flatMap(([topic, list]) => list.map(({ partition }) => ({ topic, partition })))
    for (const [index, place] of all.entries()) given.get(ids[index % ids.length]!)!.partitions.push(place)
    return given
  }
}

/** A group of all kinds, every event of which goes into a history. */
class MixedGroup implements AsyncDisposable {
  readonly run: GroupRun
  readonly history = new History()
  readonly members = new Map<AnyMember, string>()
  readonly #assignor: AssignorName
  #count = 0

  static async start(cluster: Cluster, assignor: AssignorName): Promise<MixedGroup> {
    return new MixedGroup(await GroupRun.start(cluster, partitions, {}, { brokers: cluster.bootstrap.join(',') }), assignor)
  }

  private constructor(run: GroupRun, assignor: AssignorName) {
    this.run = run
    this.#assignor = assignor
  }

  get #ours() {
    const assignor = this.#assignor === 'RoundRobinAssigner' ? kafkajsAssignor : this.#assignor
    return { membership: 'classic' as const, assignor, groupSessionTimeoutMs: sessionTimeoutMs, heartbeatIntervalMs }
  }

  get #theirs() {
    const { cluster, group, topics } = this.run
    return { bootstrap: cluster.bootstrap, group, topics, assignors: [this.#assignor], sessionTimeoutMs, heartbeatIntervalMs }
  }

  async ours(): Promise<Member> {
    return this.#watched(await this.run.join(this.#ours))
  }

  /** In a process of its own. */
  ourProcess(): MemberProcess {
    return this.#watched(this.run.spawn(this.#ours))
  }

  async java(client: JavaMemberOptions['client']): Promise<ForeignMember> {
    return this.#foreign(await startJavaMember({ ...this.#theirs, client, commitEach: true }), `java-${client}`)
  }

  async kafkajs(): Promise<ForeignMember> {
    return this.#foreign(await startKafkajsMember(this.#theirs), 'kafkajs')
  }

  #watched<T extends Member | MemberProcess>(member: T): T {
    this.members.set(member, `ours-${++this.#count}`)
    this.history.watchMember(member, this.members.get(member)!, { group: this.run.group })
    return member
  }

  #foreign(member: ForeignMember, kind: string): ForeignMember {
    this.members.set(member, `${kind}-${++this.#count}`)
    watchForeign(this.history, member, this.members.get(member)!, this.run.group)
    return this.run.adopt(member)
  }

  async leave(member: AnyMember): Promise<void> {
    await this.run.leave(member)
    this.members.delete(member)
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
        if (owned.some(list => list.length === 0) || owned.flat().length !== total || new Set(owned.flat()).size !== total) return false
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
    ).catch(error => assert.fail(`${error.message}\nat last: ${JSON.stringify(views())}`))
  }

  /** Everything was delivered; what came again may have. And the checker finds nothing. */
  async finish(allowed: ReadonlySet<string>): Promise<void> {
    for (const [place, times] of await this.run.allDelivered()) {
      assert.ok(allowed.has(place), `${place} came again`)
      assert.equal(times, 1, `${place} came again more than once`)
    }
    let at = 0
    for (const [value, place] of this.run.stream!.places) {
      const slash = place.lastIndexOf('/')
      this.history.record('publisher', 'ok', 'send', [['send', place.slice(0, slash), [Number(place.slice(slash + 1)), value]]], at++)
    }
    assertHistory(this.history, { skewMs: 5 })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.run[Symbol.asyncDispose]()
  }
}

describe('a classic group shared with Java and kafkajs, under load', { timeout: 480_000 }, () => {
  for (const [assignor, cluster] of [
    ['range', withZooKeeper],
    ['roundrobin', kraft],
    ['sticky', withZooKeeper],
    ['cooperative-sticky', kraft]
  ] as const)
    test(`${assignor}: one owner each, nothing lost, nothing twice but what the dead had not committed`, async () => {
      await using group = await MixedGroup.start(cluster, assignor)
      const stream = group.run.publish()
      const first = await group.ours()
      const [java, kafkajs] = await Promise.all([group.java('3.9.1'), group.kafkajs()])
      await group.atRest()
      await stream.more(60)
      // In order: nothing may come twice.
      await group.leave(java)
      await group.atRest()
      const process = group.ourProcess()
      const newer = await group.java('4')
      await group.atRest()
      await stream.more(60)
      await group.leave(first)
      await group.atRest()
      assert.deepEqual([...group.run.repeated()], [], 'in order, nothing comes twice')
      // A foreign member leads now, or the process of ours does; two of the three die.
      const last = await group.ours()
      await group.atRest()
      await stream.more(60)
      const allowed = await group.kill(process, kafkajs)
      await group.atRest()
      await stream.more(30)
      for (const place of await group.kill(newer)) allowed.add(place)
      await group.atRest()
      await stream.more(30)
      await group.finish(allowed)
      for (const member of [first, last]) {
        assertInOrder(member satisfies Reader)
        assert.deepEqual([member.told('commit.failed'), member.told('partition.lost')], [[], []])
      }
    })

  test("kafkajs' own assigner: members of ours and of Java's that divide as it does share its group", async () => {
    await using group = await MixedGroup.start(withZooKeeper, 'RoundRobinAssigner')
    const stream = group.run.publish()
    const kafkajs = await group.kafkajs()
    const [ours] = await Promise.all([group.ours(), group.java('3.9.1')])
    await group.atRest()
    await stream.more(60)
    // Who led is gone: one of the others divides.
    await group.leave(kafkajs)
    await group.atRest()
    await group.kafkajs()
    await group.atRest()
    await stream.more(60)
    await group.finish(new Set())
    assertInOrder(ours)
  })
})
