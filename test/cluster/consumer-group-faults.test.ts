/**
 * A group of the new protocol (KIP-848) while its brokers go: whoever coordinates it, nobody's partitions move, nothing is lost, nothing comes twice.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instanceOfClient } from '../support/connected.ts'
import type { Member } from '../support/group-member.ts'
import { assertInOrder, GroupRun } from '../support/group-run.ts'
import { useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster('kraft3')
const membership = 'consumer' as const

async function shared(run: GroupRun): Promise<Member[]> {
  const members = [await run.join({ membership }), await run.join({ membership })]
  await Promise.all(members.map(member => member.waitForOwned(3)))
  return members
}

/** What was taken from them, or given, since they share. */
const moves = (members: readonly Member[]) =>
  members.flatMap(member => [...member.told('partition.lost'), ...member.told('partition.revoked'), ...member.told('partition.assigned')])

async function coordinatorOf({ client }: Member, group: string): Promise<number> {
  const link = await instanceOfClient(client).links.any(10_000)
  const { coordinators } = await link.request('FindCoordinator', { keyType: 0, coordinatorKeys: [group] })
  return coordinators[0]!.nodeId
}

test('the brokers are restarted one after the other: no rebalance, nothing lost, nothing twice', async () => {
  await using run = await GroupRun.start(cluster, [6])
  const stream = run.publish()
  const members = await shared(run)
  await stream.more(50)
  const before = moves(members).length
  for (const broker of cluster.brokers) {
    await broker.stop()
    await broker.start()
    await stream.more(50, 90_000)
  }
  assert.deepEqual([...(await run.allDelivered(60_000))], [])
  assert.deepEqual(moves(members).slice(before), [])
  for (const member of members) assertInOrder(member)
})

test('the coordinator is killed: another one takes over with the same members', async () => {
  await using run = await GroupRun.start(cluster, [6])
  const stream = run.publish()
  const members = await shared(run)
  await stream.more(50)
  const before = moves(members).length
  const node = await coordinatorOf(members[0]!, run.group)
  const broker = cluster.brokers.find(({ id }) => id === node)!
  await broker.kill()
  // The quorum's only controller may be the one: then nobody takes over before it is back.
  if (node === 1) await broker.start()
  await stream.more(100, 90_000)
  assert.deepEqual([...(await run.allDelivered(60_000))], [])
  assert.deepEqual(moves(members).slice(before), [])
  if (node !== 1) {
    assert.notEqual(await coordinatorOf(members[0]!, run.group), node)
    await broker.start()
  }
})
