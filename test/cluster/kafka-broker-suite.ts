/**
 * Faults of brokers under Kafka's own groups, all members ours, and messages flowing: restarts in turn, a coordinator that dies. The same for both
 * protocols (`kafka-group-faults.test.ts`, `consumer-group-faults.test.ts`). Every run's history is judged by the checker.
 */
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import type { Cluster } from '../support/cluster.ts'
import type { MemberEvent } from '../support/group-member.ts'
import { assertOnly, balanced, isTold, moves, type Protocol, roundOf, WatchedRun } from '../support/watched-run.ts'

const LIMIT_MS = 180_000

const isRecordOf = (event: MemberEvent, key: string) => event.type === 'record' && `${event.record.topic}/${event.record.partition}` === key

/** A message is published all the while, one after the other. */
export function testBrokerFaults(cluster: Cluster, membership: Protocol): void {
  const three = async () => {
    const watched = await WatchedRun.start(cluster, membership, 6)
    const members = [await watched.join(), await watched.join(), await watched.join()]
    await balanced(members, 6)
    const stream = watched.run.publish()
    await stream.more(20)
    return { watched, members, stream, before: members.map(moves), round: roundOf(members[0]!) }
  }

  describe(`brokers under a ${membership} group`, { timeout: LIMIT_MS }, () => {
    afterEach(async () => {
      if (cluster.touched) await cluster.heal()
    })

    test('brokers are restarted one after the other: no rebalance, nothing lost, nothing twice', async () => {
      const { watched, members, stream, before, round } = await three()
      await using _ = watched
      for (const broker of cluster.brokers)
        await watched.history.fault(`restart ${broker.name}`, async () => {
          await broker.stop()
          await stream.more(20)
          await broker.start()
          await cluster.heal()
        })
      await Promise.all(members.map(member => member.events.next(event => isTold(event, 'committed'), 30_000)))
      await stream.more(20)
      assertOnly(await watched.finish(['redelivery']))
      assert.deepEqual([members.map(moves), roundOf(members[0]!)], [before, round])
      assert.deepEqual(
        members.flatMap(member => member.told('commit.failed')),
        []
      )
    })

    test('the coordinator is killed: at most one rejoin, commits go on, nothing lost, nothing twice', async t => {
      const { watched, members, stream, before, round } = await three()
      await using _ = watched
      const coordinator = await cluster.coordinatorOf(watched.run.group)
      await watched.history.fault(`kill ${coordinator.name}`, async () => {
        await coordinator.kill()
        await cluster.coordinatorOf(watched.run.group, broker => broker.id !== coordinator.id)
        // It led partitions too: whoever waits for its connection to come back waits for half a minute.
        const again = members.flatMap(member => member.owned.map(key => member.events.next(event => isRecordOf(event, key), 15_000)))
        const commits = members.map(member => member.events.next(event => isTold(event, 'committed'), 15_000))
        await Promise.all([...again, ...commits])
        await stream.more(50)
      })
      assertOnly(await watched.finish(['redelivery']))
      const after = members.map(moves)
      t.diagnostic(`rounds: ${roundOf(members[0]!) - round}; joins: ${after.map(({ joins }, index) => joins - before[index]!.joins)}`)
      assert.ok(roundOf(members[0]!) - round <= 1)
      for (const [index, now] of after.entries()) {
        assert.ok(now.joins - before[index]!.joins <= 1)
        assert.deepEqual({ ...now, joins: 0 }, { ...before[index]!, joins: 0 })
      }
    })
  })
}
