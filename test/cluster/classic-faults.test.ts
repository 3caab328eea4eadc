/**
 * Classic groups of our members while their coordinator is killed, frozen, or restarted with every other broker, and numbered messages are published
 * all the while: the group's state outlives its coordinator, so nobody joins again, and nothing is lost or comes twice.
 */
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { instanceOfClient } from '../support/connected.ts'
import type { Member } from '../support/group-member.ts'
import { GroupRun } from '../support/group-run.ts'
import { until } from '../support/until.ts'
import { useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster()
const membership = 'classic' as const

const joins = (members: readonly Member[]) =>
  members.flatMap(member => member.told('member.state')).filter(({ state }) => state === 'joining').length
const losses = (members: readonly Member[]) => members.flatMap(member => member.told('partition.lost')).length
/** The broker to which its heartbeats go; NaN: there is none at the moment. */
function coordinatorOf(member: Member): number {
  const paths = [...instanceOfClient(member.client).connections.keys()]
  return Number(paths.find(path => path.includes('/group:'))?.split('/')[1])
}
async function two(run: GroupRun): Promise<[Member, Member]> {
  const one = await run.join({ membership })
  await one.waitForOwned(4)
  const other = await run.join({ membership })
  await Promise.all([one.waitForOwned(2), other.waitForOwned(2)])
  return [one, other]
}

describe('faults under a classic group', { timeout: 180_000 }, () => {
  afterEach(async () => {
    if (cluster.touched) await cluster.heal()
  })

  test('a coordinator that is killed: the next one knows the group, nobody joins again', async () => {
    await using run = await GroupRun.start(cluster, [4], {}, { brokers: cluster.bootstrap.join(',') })
    const members = await two(run)
    const stream = run.publish()
    await stream.more(100)
    const before = joins(members)
    const coordinator = coordinatorOf(members[0])
    await cluster.broker(coordinator).kill()
    await until(
      'the members have found the next one',
      () => members.every(member => coordinatorOf(member) >= 0 && coordinatorOf(member) !== coordinator),
      60_000
    )
    await members[0].waitForRecords(members[0].records.length + 100, 60_000)
    await cluster.broker(coordinator).start()
    await stream.more(200)
    assert.deepEqual([joins(members) - before, losses(members)], [0, 0])
    assert.deepEqual([...(await run.allDelivered())], [])
  })

  test('brokers that are restarted one after the other: not one rebalance more', async () => {
    await using run = await GroupRun.start(cluster, [4], {}, { brokers: cluster.bootstrap.join(',') })
    const members = await two(run)
    const stream = run.publish()
    await stream.more(100)
    const before = joins(members)
    for (const broker of cluster.brokers) {
      await broker.stop()
      await broker.start()
      await cluster.heal()
    }
    await stream.more(200)
    assert.deepEqual([joins(members) - before, losses(members)], [0, 0])
    assert.deepEqual([...(await run.allDelivered())], [])
  })
})
