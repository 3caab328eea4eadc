/**
 * The foreign members of the harness: Java's consumers of both versions and of both protocols share groups, are killed, frozen, kept busy, and
 * what they tell is what happened.
 */
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import type { ForeignMember } from '../support/foreign-member.ts'
import { configureGroup } from '../support/group-config.ts'
import { type JavaMemberOptions, startJavaMember } from '../support/java-member.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const zookeeper = await useCluster('zookeeper')
const kraft = await useCluster('kraft')

describe('foreign members', () => {
  const open: ForeignMember[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map(member => member.kill()))
  })
  async function fresh(cluster: typeof kraft, partitions: number) {
    const topic = uniqueName('foreign')
    await cluster.createTopic(topic, { partitions })
    const common = { bootstrap: cluster.bootstrap, group: uniqueName('group'), topics: [topic] }
    const java = async (options: Partial<JavaMemberOptions>) => {
      const member = await startJavaMember({ ...common, ...options })
      open.push(member)
      return member
    }
    return { topic, group: common.group, java }
  }
  const values = (...members: ForeignMember[]) => members.flatMap(({ records }) => records.map(({ value }) => value))

  test('Java 3.9.1 and 4 share a classic group, cooperatively: what stays is not taken away, what leaves is taken over', async () => {
    const { topic, group, java } = await fresh(zookeeper, 4)
    await zookeeper.tool.produce(topic, { count: 100 })
    const one = await java({ assignors: ['cooperative-sticky'] })
    await one.waitForRecords(100)
    const two = await java({ assignors: ['cooperative-sticky'], client: '4', commitEach: true })
    await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
    assert.equal(new Set([...one.owned, ...two.owned]).size, 4)
    assert.deepEqual(
      one.of('revoked').map(({ partitions }) => partitions.length),
      [2]
    )
    assert.deepEqual(Object.keys(await one.commit()), one.owned)
    await one.close()
    await two.waitForOwned(4)
    await zookeeper.tool.produce(topic, { count: 50, prefix: 'w' })
    await two.waitForRecords(50)
    assert.deepEqual([values(one, two).length, new Set(values(one, two)).size], [150, 150])
    const committed = await until('all committed', async () => {
      const offsets = Object.values((await zookeeper.tool.groupOffsets(group))[topic] ?? {})
      return offsets.reduce((sum, each) => sum + each, 0) === 150 && offsets
    })
    assert.equal(committed.length, 4)
  })

  test('a static member that is killed and comes back in time keeps its partitions, and nobody is disturbed', async () => {
    const { java } = await fresh(zookeeper, 4)
    const one = await java({ groupInstanceId: 'one' })
    const two = await java({ groupInstanceId: 'two' })
    await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
    const [before, calm] = [two.owned, one.events.length]
    await two.kill()
    const again = await java({ groupInstanceId: 'two' })
    assert.deepEqual(await again.waitForOwned(2), before)
    assert.deepEqual(
      one.events.slice(calm).filter(({ type }) => type === 'assigned' || type === 'revoked'),
      []
    )
  })

  test('one that is busy for longer than max.poll.interval.ms is put out and may not commit', async () => {
    const { topic, java } = await fresh(zookeeper, 2)
    await zookeeper.tool.produce(topic, { count: 10 })
    const one = await java({ maxPollIntervalMs: 2_000, autoCommitIntervalMs: false })
    await one.waitForRecords(10)
    one.stall(6_000)
    const refused = assert.rejects(one.commit(), /CommitFailedException/)
    const two = await java({})
    await two.waitForOwned(2)
    await refused
    await Promise.all([one.waitForOwned(1), two.waitForOwned(1)])
    assert.equal(one.of('lost').length, 1)
  })

  test('a group of the new protocol: one by topic, one by a pattern that the broker matches, and what the one leaves the other takes', async () => {
    const { topic, group, java } = await fresh(kraft, 4)
    await configureGroup(kraft.bootstrap.join(','), group, { 'consumer.heartbeat.interval.ms': '300' })
    const one = await java({ protocol: 'consumer' })
    const two = await java({ protocol: 'consumer', topics: [], serverPattern: `${topic}.*` })
    await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
    await kraft.tool.produce(topic, { count: 100 })
    await until('all records', () => values(one, two).length === 100)
    await kraft.createTopic(`${topic}.more`, { partitions: 3 })
    await Promise.all([one.waitForOwned(3), two.waitForOwned(4)])
    assert.equal(two.owned.filter(place => place.includes('.more/')).length, 3)
    await two.close()
    await one.waitForOwned(4)
  })
})
