/**
 * Groups of our members and real Scala 1.1.1 members while numbered messages are published all the while: every one is delivered, and what
 * comes twice is counted and has its reason.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GroupRun, placeOf, uncommitted } from '../support/group-run.ts'
import type { ScalaMember } from '../support/scala-member.ts'
import { until } from '../support/until.ts'
import { useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster()

const countOf = ({ assigned }: ScalaMember) => Object.values(assigned).flat().length
/**
 * The one message that a stream of the Scala consumer has in hand when a rebalance comes is handed out by it and counts as not consumed
 * (kafka.consumer.ConsumerIterator): one for each of its streams and rebalances.
 */
const allowedBy = ({ events }: ScalaMember, streams: number) => events.filter(({ type }) => type === 'releasing').length * streams

describe('a group shared with Scala 1.1.1, under load', { timeout: 120_000 }, () => {
  test('range and topics by name: members of both kinds come and go in order', async () => {
    await using run = await GroupRun.start(cluster, [6])
    const one = await run.join()
    await one.waitForOwned(6)
    const stream = run.publish()
    await stream.more(100)
    const scala = await run.joinScala()
    await until('the split in two', () => one.owned.length === 3 && countOf(scala) === 3)
    await stream.more(100)
    const two = await run.join()
    await until('the split in three', () => one.owned.length === 2 && two.owned.length === 2 && countOf(scala) === 2)
    await stream.more(100)
    await run.leave(one)
    await until('two are left', () => two.owned.length === 3 && countOf(scala) === 3)
    await stream.more(100)
    await run.leave(scala)
    await two.waitForOwned(6)
    await stream.more(100)
    const repeated = await run.allDelivered()
    assert.ok(repeated.size <= allowedBy(scala, 1), `${repeated.size} came twice`)
    const given = new Set(scala.records.map(placeOf))
    for (const [place, times] of repeated) assert.ok(times === 1 && given.has(place), `${place} is not the Scala member's doing`)
    for (const member of [one, two]) assert.deepEqual([member.told('commit.failed'), member.told('partition.lost')], [[], []])
  })

  test('roundrobin and patterns over several topics', async () => {
    await using run = await GroupRun.start(cluster, [3, 4])
    const whitelist = `${run.topic.slice(0, -2)}-.*`
    const scala = await run.joinScala({ whitelist, streams: 2, strategy: 'roundrobin' })
    await scala.waitForAssigned(7)
    const stream = run.publish()
    await stream.more(100)
    const one = await run.join({ pattern: whitelist, assignor: 'roundrobin' })
    await until('the deal', () => one.owned.length > 0 && one.owned.length + countOf(scala) === 7)
    const threads = new Map<string, number>()
    for (const thread of (await run.owners()).values()) threads.set(thread, (threads.get(thread) ?? 0) + 1)
    assert.deepEqual([...threads.values()].sort(), [2, 2, 3], 'three threads share seven partitions')
    await stream.more(100)
    await run.leave(scala)
    await one.waitForOwned(7)
    await stream.more(100)
    const last = await run.joinScala({ whitelist, strategy: 'roundrobin' })
    await until('the deal', () => one.owned.length >= 3 && one.owned.length <= 4 && one.owned.length + countOf(last) === 7)
    await stream.more(100)
    await run.leave(one)
    await last.waitForAssigned(7)
    await stream.more(100)
    const repeated = await run.allDelivered()
    assert.ok(repeated.size <= allowedBy(scala, 2) + allowedBy(last, 1), `${repeated.size} came twice`)
  })

  test('a Scala member is killed: what it was given after its last commit comes again, and nothing else does', async () => {
    await using run = await GroupRun.start(cluster, [4])
    const one = await run.join()
    const scala = await run.joinScala({ autoCommitIntervalMs: false, sessionTimeoutMs: 2_000 })
    await until('the split', () => one.owned.length === 2 && countOf(scala) === 2)
    const stream = run.publish()
    await scala.waitForRecords(50)
    await scala.commit()
    await scala.waitForRecords(scala.records.length + 50)
    const theirs = Object.entries(scala.assigned).flatMap(([topic, list]) => list.map(partition => `${topic}/${partition}`))
    await scala.kill()
    run.forget(scala)
    const committed = await run.committed()
    const again = uncommitted(scala, new Map(theirs.map(key => [key, committed.get(key)!])))
    assert.ok(again.size >= 50)
    await one.waitForOwned(4)
    await stream.more(100)
    const repeated = await run.allDelivered()
    assert.deepEqual([...repeated.keys()].sort(), [...again].sort())
    assert.ok([...repeated.values()].every(times => times === 1))
  })

  test('ours is killed: the Scala member takes over after the session, and goes on where we had committed', async () => {
    await using run = await GroupRun.start(cluster, [4])
    const scala = await run.joinScala()
    await scala.waitForAssigned(4)
    const one = run.spawn({ autoCommitIntervalMs: 400 }, { sessionTimeoutMs: 2_000 })
    await until('the split', () => one.owned.length === 2 && countOf(scala) === 2)
    const stream = run.publish()
    await one.waitFor('committed')
    await one.waitForRecords(one.records.length + 100)
    const { owned } = one
    await one.kill()
    run.forget(one)
    const committed = await run.committed()
    await scala.waitForAssigned(4)
    await stream.more(100)
    const repeated = await run.allDelivered()
    const again = uncommitted(one, new Map(owned.map(key => [key, committed.get(key) ?? 0])))
    const others = [...repeated.keys()].filter(place => !again.has(place))
    assert.deepEqual(
      [...again].filter(place => !repeated.has(place)),
      [],
      'whatever was not committed comes again'
    )
    assert.ok(others.length <= allowedBy(scala, 1), `${others} came twice`)
  })
})
