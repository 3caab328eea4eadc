/**
 * A cluster in a directory: what one process has taken the next one has, on the same ports, and a crash costs at most what was not acked.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Cluster, connect } from '../../src/index.ts'
import { type EmbeddedCluster, type EmbeddedOptions, startCluster } from '../../src/testing.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'samsa-embedded-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return join(made, 'data')
}

async function withCluster<T>(options: EmbeddedOptions, work: (kafka: EmbeddedCluster, client: Cluster) => Promise<T>): Promise<T> {
  const kafka = await startCluster(options)
  const client = await connect(kafka.url)
  try {
    return await work(kafka, client)
  } finally {
    await client.close()
    await kafka.stop()
    assert.deepEqual(kafka.troubles, [])
  }
}

async function read(client: Cluster, group: string, count: number): Promise<string[]> {
  const values: string[] = []
  for await (const { value } of client.topic('orders').subscribe({ group, from: 'earliest', signal: AbortSignal.timeout(10_000) })) {
    values.push(String(value))
    if (values.length === count) break
  }
  return values
}

for (const zookeeper of [true, false])
  test(`topics, messages, offsets and ports are there again (${zookeeper ? 'with' : 'without'} ZooKeeper)`, async t => {
    const options: EmbeddedOptions = { brokers: 2, zookeeper, directory: folder(t) }
    const first = await withCluster(options, async (kafka, client) => {
      kafka.createTopic('orders', { partitions: 2, config: { 'retention.ms': '1000000' } })
      for (let i = 0; i < 20; i++) await client.topic('orders').publish({ key: `k${i}`, value: `message ${i}` })
      assert.equal((await read(client, 'workers', 11)).length, 11)
      const { id } = kafka.state.topic('orders')!
      return { id, bootstrap: kafka.bootstrap, url: kafka.url, clusterId: kafka.state.clusterId }
    })
    await withCluster(options, async (kafka, client) => {
      const { id } = kafka.state.topic('orders')!
      assert.deepEqual({ id, bootstrap: kafka.bootstrap, url: kafka.url, clusterId: kafka.state.clusterId }, first)
      assert.equal(kafka.state.configs.topic('orders', 'retention.ms'), '1000000')
      // The one in hand at the break comes again.
      const rest = await read(client, 'workers', 10)
      assert.equal(new Set(rest).size, 10)
      await client.topic('orders').publish({ key: 'k0', value: 'later' })
      assert.equal((await read(client, 'others', 21)).length, 21)
    })
  })

test('a process that is killed leaves its messages, but for the very last', { timeout: 60_000 }, async t => {
  const directory = folder(t)
  const program = `
    const { startCluster } = await import('./src/testing.ts')
    const { connect } = await import('./src/index.ts')
    const kafka = await startCluster({ brokers: 1, directory: process.argv[1], topics: { orders: 1 } })
    const client = await connect(kafka.url)
    for (let i = 0; ; i++) {
      await client.topic('orders').publish('message ' + i)
      process.stdout.write(i + '\\n')
    }`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program, directory], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let told = ''
  for await (const chunk of child.stdout) {
    told += String(chunk)
    if (told.split('\n').length > 200) break
  }
  child.kill('SIGKILL')
  await once(child, 'exit')
  // An ack does not wait for the disk: what was acked while the last writes were under way may be missing.
  const acked = told.split('\n').length - 1
  await withCluster({ brokers: 1, directory }, async (kafka, client) => {
    const there = kafka.partition('orders', 0).highWatermark
    assert.ok(there >= acked - 20, `${acked} were acked, ${there} are there`)
    const values = await read(client, 'all', there)
    assert.deepEqual(
      values,
      Array.from({ length: there }, (_, i) => `message ${i}`)
    )
  })
})

test('a torn end of a log is left out, and another file than ours is refused', async t => {
  const directory = folder(t)
  const options: EmbeddedOptions = { brokers: 1, zookeeper: false, directory }
  await withCluster({ ...options, topics: { orders: 1 } }, async (_, client) => {
    for (let i = 0; i < 3; i++) await client.topic('orders').publish(`message ${i}`)
  })
  const log = join(directory, 'orders-0.log')
  const { size } = statSync(log)
  truncateSync(log, size - 1)
  await withCluster(options, async kafka => assert.equal(kafka.partition('orders', 0).highWatermark, 2))
  appendFileSync(log, Buffer.alloc(30))
  await withCluster(options, async (_, client) => assert.deepEqual(await read(client, 'all', 2), ['message 0', 'message 1']))
  assert.ok(readdirSync(directory).every(name => !name.endsWith('.new')))
  assert.equal(JSON.parse(readFileSync(join(directory, 'cluster.json'), 'utf8')).format, 1)
  writeFileSync(join(directory, 'cluster.json'), 'what')
  await assert.rejects(startCluster(options), { code: 'BAD_DIRECTORY' })
})
