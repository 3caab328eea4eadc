import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mustSeek, OffsetFinder } from '../../src/flow/fetch-locate.ts'
import type { ResetPolicy } from '../../src/model/subscription.ts'
import { type Answer, connectionLost, ScriptedLinks } from '../support/scripted-links.ts'

type Asked = { name: string; partitions: { partitionIndex: number; timestamp: bigint; currentLeaderEpoch: number }[] }

/** Answers by partition; those left out are not spoken of. */
const answers =
  (by: Record<string, (timestamp: bigint) => object>): Answer =>
  ({ body }) => ({
    topics: (body.topics as Asked[]).map(({ name, partitions }) => ({
      name,
      partitions: partitions
        .filter(({ partitionIndex }) => by[`${name}/${partitionIndex}`])
        .map(({ partitionIndex, timestamp }) => ({
          partitionIndex,
          errorCode: 0,
          leaderEpoch: 3,
          ...by[`${name}/${partitionIndex}`]!(timestamp)
        }))
    }))
  })

function finderOn(links: ScriptedLinks, isolation: 'read_committed' | 'read_uncommitted' = 'read_uncommitted'): OffsetFinder {
  const { world } = links.instance
  return new OffsetFinder({ world, isolation, requestTimeoutMs: 30_000, acquire: node => links.instance.links.acquire(node, 'data', 1) })
}

const at0 = (links: ScriptedLinks, policy: ResetPolicy) => links.run(finderOn(links).locate(1, 't', 0, 5, policy))

test('each policy asks for its time; the offset comes with its leader epoch', async () => {
  const policies: [ResetPolicy, bigint][] = [
    [{ at: 'earliest' }, -2n],
    [{ at: 'latest' }, -1n],
    [{ at: 'timestamp', timestampMs: 1_700_000_000_000 }, 1_700_000_000_000n]
  ]
  for (const [policy, timestamp] of policies) {
    const links = new ScriptedLinks(answers({ 't/0': () => ({ offset: 7n }) }))
    assert.deepEqual(await at0(links, policy), { offset: 7n, leaderEpoch: 3 })
    assert.deepEqual(links.bodies('ListOffsets')[0].topics, [
      { name: 't', partitions: [{ partitionIndex: 0, currentLeaderEpoch: 5, timestamp }] }
    ])
  }
})

test('a duration counts back from the moment of each question, and never to before 1970', async () => {
  const links = new ScriptedLinks(answers({ 't/0': () => ({ offset: 7n }) }))
  const finder = finderOn(links)
  const asked = () => links.bodies('ListOffsets').at(-1).topics[0].partitions[0].timestamp as bigint
  const first = BigInt(links.instance.world.now())
  await links.run(finder.find(1, 't', 0, 5, { at: 'duration', durationMs: 60_000 }))
  assert.ok(asked() <= first - 60_000n + 50n && asked() >= first - 60_000n)
  const before = asked()
  await links.virtual.advance(10_000)
  await links.run(finder.find(1, 't', 0, 5, { at: 'duration', durationMs: 60_000 }))
  assert.ok(asked() >= before + 10_000n)
  await links.run(finder.find(1, 't', 0, 5, { at: 'duration', durationMs: Number.MAX_SAFE_INTEGER }))
  assert.equal(asked(), 0n)
})

test('with no message as late as that, it is the end', async () => {
  const links = new ScriptedLinks(answers({ 't/0': timestamp => ({ offset: timestamp === -1n ? 40n : -1n }) }))
  assert.equal((await at0(links, { at: 'duration', durationMs: 1_000 })).offset, 40n)
  assert.equal(links.asked.length, 2)
})

test('what is asked of one broker in one turn goes in one request', async () => {
  const links = new ScriptedLinks(answers({ 't/0': () => ({ offset: 1n }), 't/1': () => ({ offset: 2n }), 'u/0': () => ({ offset: 3n }) }))
  const finder = finderOn(links, 'read_committed')
  const found = [
    ['t', 0],
    ['u', 0],
    ['t', 1]
  ].map(([topic, partition]) => finder.find(1, topic as string, partition as number, 5, { at: 'earliest' }))
  assert.deepEqual(await links.run(Promise.all(found)), [1n, 3n, 2n])
  assert.equal(links.asked.length, 1)
  assert.equal(links.asked[0]!.body.isolationLevel, 1)
})

test('an error is one partition’s; whether another leader is to be looked for is told; one left out is told', async () => {
  const links = new ScriptedLinks(
    answers({ 't/0': () => ({ errorCode: 6 }), 't/1': () => ({ errorCode: 78 }), 't/2': () => ({ offset: 2n }) })
  )
  const finder = finderOn(links)
  const results = await links.run(Promise.allSettled([0, 1, 2, 3].map(partition => finder.find(1, 't', partition, 5, { at: 'latest' }))))
  const errors = results.map(result => (result.status === 'rejected' ? [result.reason.code, mustSeek(result.reason)] : result.value))
  assert.deepEqual(errors, [['NOT_LEADER_OR_FOLLOWER', true], ['OFFSET_NOT_AVAILABLE', false], 2n, ['LEFT_OUT', true]])
})

test('a broker that cannot be reached, or hangs up, is told to everybody who waits, and another leader is to be looked for', async () => {
  const links = new ScriptedLinks(() => {
    throw connectionLost()
  })
  const finder = finderOn(links)
  const results = await links.run(Promise.allSettled([0, 1].map(partition => finder.find(1, 't', partition, 5, { at: 'latest' }))))
  for (const result of results) assert.ok(result.status === 'rejected' && mustSeek(result.reason))
})
