/**
 * Faults of members of Kafka's own groups, all of them ours: storms, bounces, frozen and slow ones, hand-overs. The same for both protocols
 * (`kafka-group-faults.test.ts`, `consumer-group-faults.test.ts`). Every run's history is judged by the checker.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ConsumerEmitted } from '../../src/index.ts'
import type { Cluster } from '../support/cluster.ts'
import { withClient } from '../support/connected.ts'
import { Gathered } from '../support/gathered.ts'
import { type Member, type MemberEvent, type MemberProcess, MemberView } from '../support/group-member.ts'
import { uncommitted } from '../support/group-run.ts'
import { until } from '../support/until.ts'
import { assertOnly, balanced, isTold, moves, type Protocol, roundOf, WatchedRun } from '../support/watched-run.ts'

/** Of members that die or freeze. Long enough for those that live on a machine that is busy. */
const SESSION_TIMEOUT_MS = 6_000

const LIMIT_MS = 180_000
/** Between the commits of a member that is frozen. */
const SELDOM_MS = 1_000

/** What a member knows to have committed itself. */
const committedBy = (committed: readonly Extract<ConsumerEmitted, { type: 'committed' }>[]) =>
  new Map(committed.flatMap(({ offsets }) => offsets.map(each => [`${each.topic}/${each.partition}`, Number(each.offset)] as const)))

const stateOf = (event: MemberEvent) => (event.type === 'told' && event.event.type === 'member.state' ? event.event.state : undefined)

/** Right after a commit: with `SELDOM_MS` between them none is on its way, which the group would rightly take. */
async function freeze(member: MemberProcess): Promise<void> {
  await member.events.next(event => isTold(event, 'committed'))
  member.freeze()
}

/** Many members of few processes come and go at once. */
export function testStorm(cluster: Cluster, membership: Protocol): void {
  test('20 members storm in, half of them leave and some are killed: few rounds, one owner, only the uncommitted comes again', {
    timeout: LIMIT_MS
  }, async t => {
    const partitions = 30
    await using watched = await WatchedRun.start(cluster, membership, partitions, SESSION_TIMEOUT_MS)
    const { run } = watched
    const stream = run.publish()
    const [one, two] = [watched.crowd(5), watched.crowd(5, { autoCommitIntervalMs: 60_000 })]
    const ours = await Promise.all(Array.from({ length: 10 }, () => watched.join()))
    await balanced([...ours, ...one.members, ...two.members], partitions)
    await stream.more(100)
    const joined = roundOf(ours[0]!)
    one.leave(0, 1, 2)
    await Promise.all(ours.slice(3).map(member => run.leave(member)))
    const allowed = await watched.kill(two)
    await balanced([...ours.slice(0, 3), ...one.members.slice(3)], partitions)
    await stream.more(100)
    const repeated = await watched.finish()
    assertOnly(repeated, allowed)
    const rounds = roundOf(ours[0]!)
    t.diagnostic(`${joined} rounds until 20 share, ${rounds - joined} until 5 do; ${repeated.size} uncommitted came again`)
    assert.ok(repeated.size > 0 && repeated.size === allowed.size)
    // At most one for each who comes or goes, and one more for what was given back meanwhile.
    assert.ok(joined <= 2 * 20 && rounds - joined <= 2 * 15, `${joined}, ${rounds}`)
  })
}

/** Faults of members. Most of their time is spent waiting: for sessions to end, for processes to start. */
export function testMemberFaults(cluster: Cluster, membership: Protocol): void {
  const start = (partitions: number, sessionTimeoutMs?: number) => WatchedRun.start(cluster, membership, partitions, sessionTimeoutMs)

  describe(`members of a ${membership} group`, { concurrency: 3, timeout: LIMIT_MS }, () => {
    test('static members are bounced: the others notice nothing, and the same partitions come back', async () => {
      await using watched = await start(6)
      const { run } = watched
      const others = [await watched.join({ groupInstanceId: 'one' }), await watched.join({ groupInstanceId: 'two' })]
      let bounced = watched.spawn({ groupInstanceId: 'three' })
      await balanced([...others, bounced], 6)
      const stream = run.publish()
      await bounced.waitFor('committed')
      const [mine, before, round] = [bounced.owned, others.map(moves), roundOf(others[0]!)]
      // A broker of the new protocol keeps the name of a member that was killed until its session is over.
      const ends = membership === 'classic' ? ['closed', 'killed'] : ['closed', 'closed']
      const allowed = new Set<string>()
      for (const end of ends) {
        if (end === 'killed') for (const place of await watched.kill(bounced)) allowed.add(place)
        else await run.leave(bounced)
        bounced = watched.spawn({ groupInstanceId: 'three' })
        assert.deepEqual(await bounced.waitForOwned(2), mine, end)
        await bounced.waitForRecords(10)
        await bounced.waitFor('committed')
      }
      await stream.more(20)
      assertOnly(await watched.finish(), allowed)
      assert.deepEqual([others.map(moves), roundOf(others[0]!)], [before, membership === 'classic' ? round : roundOf(others[0]!)])
    })

    test('a process is frozen past its session: thawed, it commits nothing, hands out nothing, and joins anew', async () => {
      await using watched = await start(4, SESSION_TIMEOUT_MS)
      const { run } = watched
      const heir = await watched.join()
      const frozen = watched.spawn({ batchMaxMessages: 1, autoCommitIntervalMs: SELDOM_MS })
      await balanced([heir, frozen], 4)
      const stream = run.publish()
      await frozen.waitForRecords(20)
      await freeze(frozen)
      try {
        await heir.waitForOwned(4)
        const allowed = uncommitted(frozen, await run.committedInKafka())
        await heir.waitForRecords(heir.records.length + 20)
        await heir.events.next(event => isTold(event, 'committed'))
        const committed = await run.committedInKafka()
        const told = frozen.events.all.length
        frozen.thaw()
        await frozen.waitFor('partition.lost')
        await balanced([heir, frozen], 4)
        const since = frozen.events.all.slice(told)
        const zombie = since.slice(
          0,
          since.findIndex(event => isTold(event, 'partition.assigned'))
        )
        assert.deepEqual(
          zombie.filter(event => event.type === 'record' || isTold(event, 'committed')),
          []
        )
        for (const [key, next] of await run.committedInKafka())
          assert.ok(next >= (committed.get(key) ?? 0), `${key} was committed back to ${next}`)
        await stream.more(20)
        assertOnly(await watched.finish(), allowed)
        assert.deepEqual(heir.told('commit.failed'), [])
      } finally {
        frozen.thaw()
      }
    })

    test('a consumer that is too slow leaves, drops what it has, commits nothing more, and is back when its work is over', async () => {
      await using watched = await start(4)
      const { run, history } = watched
      const other = await watched.join()
      await withClient({ brokers: cluster.bootstrap.join(',') }, {}, async ({ client }) => {
        const slow = client.subscribe({ ...watched.subscribe, maxPollIntervalMs: 2_000, batchMaxMessages: 5 })
        history.watchConsumer(slow, 'slow', { group: run.group })
        const told = new Gathered<ConsumerEmitted>()
        const view = new MemberView()
        let stale: Extract<ConsumerEmitted, { type: 'message.batch' }> | undefined
        let release = () => {}
        const over = new Promise<void>(resolve => {
          release = resolve
        })
        slow.on('*', event => told.add(event))
        slow.on('message.batch', async batch => {
          for (const { topic, partition, offset, value } of batch.messages)
            view.records.push({ topic, partition, offset: Number(offset), value: String(value) })
          // From then on nothing is processed, so that no commit is on its way when it must leave.
          if (view.records.length > 20) {
            stale ??= batch
            await over
          }
          batch.ack()
        })
        run.readers.push(view)
        await other.waitForOwned(2)
        const stream = run.publish()
        const { reason } = (await told.first(event => event.type === 'partition.lost', 20_000)) as { reason: string }
        assert.match(reason, /longer than maxPollIntervalMs/)
        assert.equal(stale!.signal.aborted, true)
        const [given, at] = [view.records.length, told.all.length]
        const commits = told.all.filter(event => event.type === 'committed')
        const allowed = uncommitted({ records: [...view.records] }, committedBy(commits))
        await other.waitForOwned(4)
        await other.waitForRecords(other.records.length + 20)
        // Its late ack counts for nothing, and what it wants to have committed is refused.
        stale!.ack()
        await slow.commit()
        await assert.rejects(slow.commit({ ...stale!.messages[0]!, offset: stale!.messages[0]!.offset + 1n }))
        assert.equal(view.records.length, given)
        release()
        await other.waitForOwned(2)
        const back = told.all.findIndex((event, index) => index >= at && event.type === 'partition.assigned')
        const meanwhile = told.all.slice(at, back).map(({ type }) => type)
        assert.ok(!meanwhile.includes('committed') && !meanwhile.includes('message.batch'), meanwhile.join())
        await stream.more(20)
        assertOnly(await watched.finish(), allowed)
        await slow.close()
      })
    })

    test('a partition that stays is not interrupted for one message while others come, one is frozen, and goes', async () => {
      await using watched = await start(8, SESSION_TIMEOUT_MS)
      const { run } = watched
      const one = await watched.join()
      await one.waitForOwned(8)
      const aborted = new Set<string>()
      const signals = new WeakSet<AbortSignal>()
      one.handle.on('message.batch', ({ topic, partition, signal }) => {
        if (signals.has(signal)) return
        signals.add(signal)
        signal.addEventListener('abort', () => aborted.add(`${topic}/${partition}`))
      })
      const stream = run.publish()
      const [two, frozen] = [await watched.join(), watched.spawn({ autoCommitIntervalMs: SELDOM_MS })]
      await balanced([one, two, frozen], 8)
      await freeze(frozen)
      try {
        const told = one.events.all.length
        const four = await watched.join()
        // A classic group waits for the frozen one now: every JoinGroup is held.
        if (membership === 'classic') {
          await until('it joins', () => one.events.all.slice(told).some(event => stateOf(event) === 'joining'))
          const at = one.events.all.length
          await one.events.next(event => isTold(event, 'committed'))
          await one.waitForRecords(one.records.length + 10)
          assert.deepEqual(one.events.all.slice(at).map(stateOf).filter(Boolean), [])
        }
        await balanced([one, two, four], 8)
        frozen.thaw()
        await frozen.waitFor('partition.lost')
        await balanced([one, two, four, frozen], 8)
      } finally {
        frozen.thaw()
      }
      await stream.more(50)
      const allowed = uncommitted(frozen, committedBy(frozen.told('committed')))
      assertOnly(await watched.finish(), allowed)
      const revoked = one.told('partition.revoked').flatMap(({ partitions }) => partitions.map(each => `${each.topic}/${each.partition}`))
      assert.equal(new Set(revoked).size, 6)
      assert.deepEqual(one.told('partition.lost'), [])
      for (const key of one.owned) {
        const offsets = one.records.filter(({ topic, partition }) => `${topic}/${partition}` === key).map(({ offset }) => offset)
        assert.deepEqual(offsets, [...offsets.keys()], key)
        assert.equal(one.told('partition.position').filter(({ topic, partition }) => `${topic}/${partition}` === key).length, 1, key)
        assert.ok(!aborted.has(key), key)
      }
    })

    test('10 graceful hand-overs: nothing is lost, nothing comes twice', async () => {
      await using watched = await start(4)
      const { run } = watched
      let one = await watched.join()
      await one.waitForOwned(4)
      const stream = run.publish()
      for (let round = 0; round < 10; round++) {
        const next: Member = await watched.join()
        await balanced([one, next], 4)
        await stream.more(10)
        await run.leave(one)
        await next.waitForOwned(4)
        one = next
      }
      await stream.more(10)
      assertOnly(await watched.finish(['redelivery']))
    })
  })
}
