import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mustSeek } from '../../src/flow/fetch-locate.ts'
import { EpochFinder } from '../../src/flow/fetch-validate.ts'
import { ScriptedLinks } from '../support/scripted-links.ts'

const answering = (...partitions: object[]) => new ScriptedLinks(() => ({ topics: [{ topic: 't', partitions }] }))
const finderOn = (links: ScriptedLinks) => new EpochFinder(links.instance.world, node => links.instance.links.acquire(node, 'data', 1))

test('asks as a consumer with the leader’s epoch and that of the position; the answer is where that one ends', async () => {
  const links = answering({ partition: 0, errorCode: 0, leaderEpoch: 3, endOffset: 40n })
  assert.deepEqual(await links.run(finderOn(links).find(1, 't', 0, 5, 4)), { epoch: 3, endOffset: 40n })
  assert.deepEqual(links.bodies('OffsetForLeaderEpoch'), [
    { replicaId: -1, topics: [{ topic: 't', partitions: [{ partition: 0, currentLeaderEpoch: 5, leaderEpoch: 4 }] }] }
  ])
})

test('a broker that lets only brokers ask is not asked', async () => {
  for (const version of [2, 0]) {
    const links = answering()
    links.versions.OffsetForLeaderEpoch = version
    assert.equal(await links.run(finderOn(links).find(1, 't', 0, 5, 4)), undefined)
    assert.equal(links.asked.length, 0)
  }
})

test('errors are each partition’s own', async () => {
  const links = answering(
    { partition: 0, errorCode: 74 },
    { partition: 1, errorCode: 0, leaderEpoch: -1, endOffset: -1n },
    { partition: 2, errorCode: 29 }
  )
  const finder = finderOn(links)
  const results = await links.run(Promise.allSettled([0, 1, 2, 3].map(partition => finder.find(1, 't', partition, 5, 4))))
  assert.deepEqual(
    results.map(result => (result.status === 'rejected' ? [result.reason.code, mustSeek(result.reason)] : result.value)),
    [['FENCED_LEADER_EPOCH', true], { epoch: -1, endOffset: -1n }, ['TOPIC_AUTHORIZATION_FAILED', false], ['LEFT_OUT', true]]
  )
  assert.equal(links.asked.length, 1)
})
