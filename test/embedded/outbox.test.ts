/**
 * The outbox on embedded brokers, at their worst moments: killed publishers, killed leaders, brokers that forget, brokers that cannot say.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type EmbeddedCluster, startCluster } from '../../src/testing.ts'
import { killPublishers } from '../support/outbox-kills.ts'
import { samsa } from '../support/samsa-command.ts'
import { VirtualWorld } from '../support/virtual-world.ts'

const folder = await mkdtemp(join(tmpdir(), 'samsa-outbox-'))
after(() => rm(folder, { recursive: true, force: true }))

/** Every value in the log, by partition. */
async function readAll(cluster: EmbeddedCluster, topic: string): Promise<string[][]> {
  const ends = [0, 1, 2, 3].map(partition => cluster.partition(topic, partition).highWatermark)
  const count = ends.reduce((sum, end) => sum + end, 0)
  const { lines } = await samsa(['consume', topic, '-b', '-n', String(count), '-f', '%p %v\\n', '--cluster', cluster.url])
  return ends.map((_, partition) => lines.filter(line => line.startsWith(`${partition} `)).map(line => line.slice(line.indexOf(' ') + 1)))
}

test('publishers and leaders are killed: nothing that was accepted is lost, nothing doubled, the order of every key is kept', async () => {
  await using cluster = await startCluster({ brokers: 3, topics: { orders: { partitions: 4, replicationFactor: 3 } } })
  const { random } = new VirtualWorld({ seed: 7 }).world
  const figures = await killPublishers({
    ...{ url: cluster.url, topic: 'orders', directory: join(folder, 'kills'), kills: 12, random },
    killLeader: async () => {
      const leader = cluster.leaderOf('orders', Math.floor(random() * 4))!.id
      cluster.kill(leader)
      await new Promise(resolve => setTimeout(resolve, 500))
      await cluster.restart(leader)
    },
    readAll: () => readAll(cluster, 'orders')
  })
  assert.deepEqual([figures.lost, figures.doubled, figures.disordered, figures.maybeDoubled], [[], [], [], []])
  assert.ok(figures.recoveries >= 3 && figures.leaderKills >= 2 && figures.accepted >= 500, JSON.stringify(figures))
})
