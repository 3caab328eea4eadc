/**
 * Rows of the fault table that change what clients know: a topic is deleted, made again, grown; a broker has another address, or a full disk.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { statfsSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../support/ports.ts'
import { until } from '../support/until.ts'
import { ASSIGNMENT, type Stage } from './run.ts'
import type { Fault } from './table.ts'

const DISK_BYTES = 48 * 1024 * 1024

/** Everything that lies in the topic, when nothing more comes. */
async function logOf({ ground, topic }: Stage): Promise<Record<string, [number, string][]>> {
  let before = -1
  const { records } = await until('the log to stand still', async () => {
    const read = await ground.cluster.tool.consume(topic, { records: true })
    const still = read.count === before
    before = read.count
    return still && read
  })
  const log: Record<string, [number, string][]> = {}
  for (const { partition, offset, value } of records) (log[`${topic}/${partition}`] ??= []).push([offset, String(value)])
  return log
}

async function makeAgain(stage: Stage): Promise<string> {
  const { ground, ours, history, topic, flowing } = stage
  const { cluster } = ground
  const { topicId } = await cluster.tool.describe(topic)
  // What it has sent is in the log before that is read, and what it sends next goes to the new topic.
  process.kill(ours.producer.pid, 'SIGSTOP')
  const log = await logOf(stage)
  history.record('nemesis', 'info', 'deleted', { topic, log })
  ours.topicIsGone(log)
  await cluster.tool.deleteTopics(topic)
  await until('the topic to go', async () => !(await cluster.tool.topics()).includes(topic))
  await until('the topic anew', () => cluster.createTopic(topic, { assignment: ASSIGNMENT, config: { 'min.insync.replicas': '2' } }))
  process.kill(ours.producer.pid, 'SIGCONT')
  await flowing()
  const { topicId: now } = await cluster.tool.describe(topic)
  assert.notEqual(now, topicId)
  return `topic id ${topicId}, then ${now}; ${Object.values(log).flat().length} messages were in it`
}

/** The broker's data on a disk of its own, which is full for a while. */
async function fillDisk({ ground, leader, flowing, topic }: Stage): Promise<string> {
  const { cluster, folder } = ground
  const broker = cluster.broker(leader)
  const data = join(folder, `data-${leader}`)
  const filler = join(data, 'filler')
  await until('the disk is full and the broker ends', async () => {
    try {
      process.kill(broker.pid, 0)
    } catch {
      return true
    }
    const { bavail, bsize } = statfsSync(data)
    if (bavail > 0) writeFileSync(filler, Buffer.alloc(Math.max(1, bavail * bsize)), { flag: 'a' })
    return false
  })
  // It has gone by itself: the handle learns of it here.
  await broker.kill()
  const now = await cluster.waitForLeader(
    topic,
    ASSIGNMENT.findIndex(([first]) => first === leader),
    id => id !== leader
  )
  await flowing()
  unlinkSync(filler)
  return `broker ${leader} ended with its disk of ${DISK_BYTES >> 20} MiB full; broker ${now} leads in its place`
}

export const topicFaults: readonly Fault[] = [
  {
    name: 'topic deleted and made again',
    does: 'the topic is deleted under the members and made anew',
    holds: 'read on from the beginning of the new one, by its id',
    ...{ group: 'zookeeper', java: false },
    befall: makeAgain
  },
  {
    name: 'topic grown',
    does: 'two partitions more',
    holds: 'published to, picked up by the watch, owned and read from the beginning',
    ...{ group: 'zookeeper', java: false, rebalances: 1 },
    befall: async ({ ground, ours, topic, flowing }) => {
      const partitions = ours.options.partitions + 2
      await ground.cluster.tool.addPartitions(topic, partitions)
      ours.options.partitions = partitions
      await flowing()
      return `${partitions} partitions, all written, owned and read`
    }
  },
  {
    name: 'broker’s address changed',
    does: 'a leader advertises another port, and nothing listens on the one before',
    holds: 'followed without help; back within the Java client’s time + 1 s',
    ...{ by: 'fronts', timed: true },
    befall: async ({ ground, leader, flowing }) => {
      const [before, now] = await ground.moveFront(leader, await freePort())
      await flowing()
      return `broker ${leader}: port ${before}, then ${now}, with ${ground.fronts.get(leader)!.open} connections`
    }
  },
  {
    name: 'disk full',
    does: 'the disk of a leader (a tmpfs) is full: the broker ends by itself; later there is room, and it starts again',
    holds: 'other leaders; back within the Java client’s time + 1 s; no rebalance',
    ...{ timed: true, rebalances: 0 },
    before: async ({ ground, leader }) => {
      const { cluster, folder } = ground
      const broker = cluster.broker(leader)
      await broker.stop()
      const data = join(folder, `data-${leader}`)
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', data], { stdio: 'pipe' })
      await broker.start()
      await cluster.waitInSync()
      await cluster.tool.electLeaders('all')
      return async () => {
        await cluster.broker(leader).kill()
        execFileSync('umount', [data])
        await cluster.heal()
      }
    },
    befall: fillDisk
  }
]
