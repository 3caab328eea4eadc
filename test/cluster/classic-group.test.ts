/**
 * Members of ours in groups of the classic protocol on real brokers, found by their own addresses: hand-overs without loss or duplicate, a death,
 * a bounced static member, a frozen one that comes back, stuck work, and groups that speak another assignor.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ConsumerEmitted } from '../../src/index.ts'
import { withClient } from '../support/connected.ts'
import { Gathered } from '../support/gathered.ts'
import type { Member } from '../support/group-member.ts'
import { assertInOrder, GroupRun, uncommitted } from '../support/group-run.ts'
import { until } from '../support/until.ts'
import { useCluster } from '../support/use-cluster.ts'

const [withZooKeeper, kraft, old] = await Promise.all([useCluster('zookeeper'), useCluster('kraft'), useCluster('old')])
const membership = 'classic' as const
/** Test brokers grant as little (`group.min.session.timeout.ms`). */
const groupSessionTimeoutMs = 2_000

const start = (partitions: readonly number[], cluster = kraft) =>
  GroupRun.start(cluster, partitions, {}, { brokers: cluster.bootstrap.join(',') })
const joins = (member: Member) => member.told('member.state').filter(({ state }) => state === 'joining').length
const taken = (member: Member) =>
  [...member.told('partition.revoked'), ...member.told('partition.lost')].flatMap(({ partitions }) => partitions)

/** It fails with this error, which its end tells too. */
async function endsWith(run: GroupRun, member: Member, code: string): Promise<Error> {
  await until(`${code}`, () => member.told('trouble').some(({ error }) => error.code === code), 15_000)
  const error = await run.leave(member).then(
    () => assert.fail('it closed as if all were well'),
    (reason: Error) => reason
  )
  assert.equal((error as { code?: string }).code, code)
  await member.client.close()
  return error
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}

for (const [name, cluster] of [
  // Before MEMBER_ID_REQUIRED, static members and rejoin reasons: the oldest requests of the protocol that the tests meet.
  ['Kafka 1.1.1', old],
  ['Kafka 3.9 with ZooKeeper', withZooKeeper],
  ['Kafka 4', kraft]
] as const)
  test(`${name}: two members share; who leaves in order hands over, nothing lost, nothing twice; what stays is not interrupted`, async () => {
    await using run = await start([4], cluster)
    const stream = run.publish()
    const one = await run.join({ membership })
    await one.waitForOwned(4)
    await stream.more(20)
    const two = await run.join({ membership })
    await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
    await stream.more(50)
    assert.equal(taken(one).length, 2)
    assert.deepEqual(one.told('partition.lost'), [])
    const located = one.told('partition.position').filter(({ partition }) => one.owned.includes(`${run.topic}/${partition}`))
    assert.equal(located.length, 2, 'what stayed was located once')
    await run.leave(one)
    await two.waitForOwned(4)
    await stream.more(20)
    assert.deepEqual([...(await run.allDelivered())], [])
    assertInOrder(one)
    assertInOrder(two)
  })

test('with an eager assignor everything is given back, and nothing is lost or doubled either', async () => {
  await using run = await start([4])
  const stream = run.publish()
  const one = await run.join({ membership, assignor: 'range' })
  await one.waitForOwned(4)
  await stream.more(50)
  const two = await run.join({ membership, assignor: ['range', 'cooperative-sticky'] })
  await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
  assert.equal(taken(one).length, 4)
  await stream.more(100)
  await run.leave(two)
  await one.waitForOwned(4)
  assert.deepEqual([...(await run.allDelivered())], [])
})

test('a member that dies is missed after its session; the other one goes on at its commits', async () => {
  await using run = await start([4])
  const stream = run.publish()
  const one = await run.join({ membership, groupSessionTimeoutMs })
  const two = run.spawn({ membership, groupSessionTimeoutMs })
  await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
  await stream.more(100)
  run.forget(two)
  await two.kill()
  const allowed = uncommitted(two, await run.committedInKafka())
  await one.waitForOwned(4, 20_000)
  for (const [place, times] of await run.allDelivered()) {
    assert.ok(allowed.has(place), `${place} was committed and came again`)
    assert.equal(times, 1)
  }
})

test('a static member that is bounced gets what it had, and nobody else notices', async () => {
  await using run = await start([4], withZooKeeper)
  const stream = run.publish()
  const one = await run.join({ membership, groupInstanceId: 'one' })
  const two = await run.join({ membership, groupInstanceId: 'two' })
  const [kept, mine] = await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
  const before = { taken: taken(one).length, joins: joins(one) }
  await stream.more(50)
  await run.leave(two)
  const back = await run.join({ membership, groupInstanceId: 'two' })
  assert.deepEqual(await back.waitForOwned(2), mine)
  await stream.more(50)
  assert.deepEqual([one.owned, taken(one).length, joins(one)], [kept, before.taken, before.joins])
  assert.deepEqual([...(await run.allDelivered())], [])
})

test('a second static member of one name fences the first, which says so and is at its end', async () => {
  await using run = await start([2])
  const one = await run.join({ membership, groupInstanceId: 'same' })
  await one.waitForOwned(2)
  const two = await run.join({ membership, groupInstanceId: 'same' })
  await two.waitForOwned(2)
  await endsWith(run, one, 'FENCED_INSTANCE_ID')
})

test('a frozen member that comes back commits nothing and is given nothing that is not its own', async () => {
  await using run = await start([2])
  const stream = run.publish()
  const frozen = run.spawn({ membership, groupSessionTimeoutMs, autoCommitIntervalMs: 100, batchMaxMessages: 1 })
  await frozen.waitForOwned(2)
  await stream.more(50)
  frozen.freeze()
  const other = await run.join({ membership, groupSessionTimeoutMs, autoCommitIntervalMs: 100 })
  await other.waitForOwned(2, 20_000)
  await stream.more(100)
  await until('it commits', async () => [...(await run.committedInKafka()).values()].some(next => next > 0))
  const before = await run.committedInKafka()
  const given = frozen.records.length
  frozen.thaw()
  await frozen.waitFor('partition.lost')
  await Promise.all([frozen.waitForOwned(1), other.waitForOwned(1)])
  const after = await run.committedInKafka()
  for (const [key, next] of before) assert.ok((after.get(key) ?? 0) >= next, `${key} was committed back from ${next} to ${after.get(key)}`)
  const late = frozen.told('partition.lost')[0]!
  assert.equal(late.partitions.length, 2)
  const lost = frozen.events.all.findIndex(event => event.type === 'told' && event.event === late)
  const between = frozen.events.all.slice(0, lost).filter(({ type }) => type === 'record').length - given
  assert.ok(between <= 1, `beside the message in hand it hands nothing out between its thawing and its loss, not ${between}`)
  await run.allDelivered()
})

test('work that stands still leaves the group, and joins again when it goes on', async () => {
  await using run = await start([2])
  await kraft.tool.produce(run.topic, { count: 100 })
  const one = await run.join({ membership, from: 'latest' })
  await one.waitForOwned(2)
  await withClient({ brokers: kraft.bootstrap.join(',') }, {}, async ({ client }) => {
    const { promise: work, resolve: goOn } = withResolvers()
    const { group, topic } = run
    const slow = await client.subscribe({ topic, group, membership, from: 'earliest', maxPollIntervalMs: 1_000 }).handle
    const events = new Gathered<ConsumerEmitted>()
    slow.on('*', event => events.add(event))
    slow.on('message.batch', async ({ ack }) => {
      await work
      ack()
    })
    await events.first(({ type }) => type === 'partition.assigned')
    await one.waitForOwned(1)
    await kraft.tool.produce(topic, { count: 100 })
    await events.first(({ type }) => type === 'partition.lost', 15_000)
    const stuck = await events.first(event => event.type === 'member.state' && event.state === 'stuck')
    assert.match((stuck as { reason: string }).reason, /longer than maxPollIntervalMs/)
    await one.waitForOwned(2, 15_000)
    const again = events.next(({ type }) => type === 'partition.assigned', 15_000)
    goOn()
    await Promise.all([again, one.waitForOwned(1, 15_000)])
    await slow.close()
  })
})

describe('a group that speaks another assignor', () => {
  test('is joined with it, where the user names none, and that is told', async () => {
    await using run = await start([4])
    const one = await run.join({ membership, assignor: 'roundrobin' })
    await one.waitForOwned(4)
    const two = await run.join({ membership })
    await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
    assert.ok(two.told('member.state').some(({ reason }) => /the group speaks roundrobin/.test(reason)))
  })

  test('is a final error that names it, where the user has chosen', async () => {
    await using run = await start([1])
    const one = await run.join({ membership, assignor: 'range' })
    await one.waitForOwned(1)
    const two = await run.join({ membership, assignor: 'sticky' })
    const { message } = await endsWith(run, two, 'INCONSISTENT_GROUP_PROTOCOL')
    assert.match(message, /it offers sticky, the group speaks range/)
  })
})

test('a pattern picks up what comes, also before it exists, and every member hears of it', async () => {
  await using run = await start([2, 2])
  const prefix = run.topic.replace(/-0$/, '')
  const options = { metadataMaxAgeMs: 500 }
  const one = await run.join({ membership, pattern: `${prefix}-[0-9]` }, options)
  await one.waitForOwned(4)
  const two = await run.join({ membership, pattern: `${prefix}-[0-9]` }, options)
  await Promise.all([one.waitForOwned(2), two.waitForOwned(2)])
  await kraft.createTopic(`${prefix}-7`, { partitions: 4 })
  await Promise.all([one.waitForOwned(4, 20_000), two.waitForOwned(4, 20_000)])
})

test('a surplus member owns nothing, and says so with how many share', async () => {
  await using run = await start([1])
  const one = await run.join({ membership })
  await one.waitForOwned(1)
  const two = await run.join({ membership })
  const { partitions, members } = await two.waitFor('member.surplus')
  assert.deepEqual([partitions, members], [1, 2])
})
