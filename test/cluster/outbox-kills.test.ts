/**
 * The outbox's promise, counted: 300 publishers are killed in the middle of it, and leaders with them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killOnKafka } from '../support/outbox-kills.ts'
import { useCluster } from '../support/use-cluster.ts'

const KILLS = 300
const cluster = await useCluster()

test(`${KILLS} publishers are killed: nothing that was accepted is lost, nothing doubled, every key in order`, {
  timeout: 1_700_000
}, async t => {
  await cluster.heal()
  const figures = await killOnKafka(cluster, KILLS, 300)
  t.diagnostic(JSON.stringify(figures))
  assert.deepEqual([figures.lost, figures.doubled, figures.disordered, figures.maybeDoubled], [[], [], [], []])
  assert.ok(figures.recoveries >= KILLS / 3 && figures.leaderKills >= KILLS / 20, JSON.stringify(figures))
})
