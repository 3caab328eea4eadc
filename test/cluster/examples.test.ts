/**
 * The examples, run as a user runs them: their words and their exit code.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster()
const root = fileURLToPath(new URL('../..', import.meta.url))

/** Its lines; rejects when it ends with another code than 0, or not at all. */
async function run(example: string, topic: string): Promise<string[]> {
  const args = ['--import', 'tsx', `examples/${example}.ts`, `zookeeper://${cluster.zookeeper}`, topic]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 60_000 })
  assert.equal(stderr, '')
  return stdout.trimEnd().split('\n')
}

test('queue.ts: members of a group share the messages', async () => {
  const topic = uniqueName('queue')
  await cluster.createTopic(topic, { partitions: 4 })
  const lines = await run('queue', topic)
  const jobs = lines.slice(0, 2).map((line, index) => Number(new RegExp(`^worker ${index + 1}: (\\d+) jobs$`).exec(line)?.[1]))
  assert.equal(jobs[0]! + jobs[1]!, 60, lines.join('\n'))
  assert.deepEqual(lines.slice(2), ['60 jobs done, each by one worker'])
  assert.equal((await cluster.tool.consume(topic)).distinct, 61)
})

test('topic.ts: consumers without a group get every message each', async () => {
  assert.deepEqual(await run('topic', uniqueName('topic')), ['left: 20 messages', 'right: 20 messages'])
})

test('machine.ts: a cluster lives in a state of a machine', async () => {
  assert.deepEqual(await run('machine', uniqueName('machine')), [
    'ordered: partition 0, offset 0',
    'the shop is shut, and so is its cluster'
  ])
})
