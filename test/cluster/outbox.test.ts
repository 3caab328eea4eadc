/**
 * The outbox on real brokers, in short: `outbox-kills.test.ts` goes on for longer.
 */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { killOnKafka } from '../support/outbox-kills.ts'
import { useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster()

describe('what is accepted outlives the publisher', { timeout: 300_000 }, () => {
  beforeEach(() => cluster.heal())

  test('publishers are killed in the middle, and leaders with them: nothing lost, nothing doubled, every key in order', async t => {
    const figures = await killOnKafka(cluster, 12, 1)
    t.diagnostic(JSON.stringify(figures))
    assert.deepEqual([figures.lost, figures.doubled, figures.disordered, figures.maybeDoubled], [[], [], [], []])
    assert.ok(figures.recoveries >= 4 && figures.leaderKills >= 1 && figures.accepted >= 500, JSON.stringify(figures))
  })
})
