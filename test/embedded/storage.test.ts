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
import type { World } from '../../src/model/world.ts'
import { type EmbeddedCluster, type EmbeddedOptions, startCluster } from '../../src/testing.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { until } from '../support/until.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'samsa-embedded-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return join(made, 'data')
}

async function withCluster<T>(options: EmbeddedOptions, work: (kafka: EmbeddedCluster, client: Cluster) => Promise<T>): Promise<T> {
  const kafka = await startCluster(options)
  try {
    return await withClient(kafka, client => work(kafka, client))
  } finally {
    await kafka.stop()
    assert.deepEqual(kafka.troubles, [])
  }
}

async function withClient<T>({ url }: EmbeddedCluster, work: (client: Cluster) => Promise<T>): Promise<T> {
  const client = await connect(url)
  try {
    return await work(client)
  } finally {
    await client.close()
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

test('a process that is killed leaves all messages that were acked', { timeout: 60_000 }, async t => {
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
  const acked = told.split('\n').length - 1
  await withCluster({ brokers: 1, directory }, async (kafka, client) => {
    const there = kafka.partition('orders', 0).highWatermark
    assert.ok(there >= acked, `${acked} were acked, ${there} are there`)
    const values = await read(client, 'all', there)
    assert.deepEqual(
      values,
      Array.from({ length: there }, (_, i) => `message ${i}`)
    )
  })
})

test('a producer of the next process is another one: what it writes is no duplicate', async t => {
  const options: EmbeddedOptions = { brokers: 1, directory: folder(t), topics: { orders: 1 } }
  for (const value of ['first', 'second', 'third'])
    await withCluster(options, async (_, client) => void (await client.topic('orders').publish(value)))
  await withCluster(options, async (_, client) => assert.deepEqual(await read(client, 'all', 3), ['first', 'second', 'third']))
})

test('leaders lead in a new epoch after a start, and ZooKeeper says the same as the brokers', async t => {
  const options: EmbeddedOptions = { brokers: 1, directory: folder(t), topics: { orders: 1 } }
  const epochs: number[] = []
  for (let i = 0; i < 3; i++)
    await withCluster(options, async kafka => {
      const session = kafka.zookeeper!.session()
      const { leader_epoch } = JSON.parse(String(session.getData('/brokers/topics/orders/partitions/0/state').data))
      assert.equal(leader_epoch, kafka.partition('orders', 0).leaderEpoch)
      epochs.push(leader_epoch)
      session.close()
    })
  assert.deepEqual(epochs, [0, 1, 2])
})

test('what was deleted at the beginning of a log stays deleted, also where nobody leads it at the end', async t => {
  const options: EmbeddedOptions = { brokers: 1, zookeeper: false, directory: folder(t) }
  await withCluster({ ...options, topics: { orders: 1 } }, async (kafka, client) => {
    await client.topic('orders').publish(['a', 'b', 'c'])
    kafka.partition('orders', 0).deleteBefore(2)
    kafka.kill(1)
  })
  await withCluster(options, async kafka => assert.equal(kafka.partition('orders', 0).logStartOffset, 2))
})

test('a log that was cut and has grown again is written as it is', async t => {
  const options: EmbeddedOptions = { brokers: 2, zookeeper: false, directory: folder(t) }
  await withCluster({ ...options, topics: { orders: 1 } }, async (kafka, client) => {
    const orders = client.topic('orders')
    const partition = kafka.partition('orders', 0)
    const [leader, other] = [partition.leader, partition.leader === 1 ? 2 : 1]
    await orders.publish('a')
    partition.hold(other)
    partition.shrink(other)
    await orders.publish('lost')
    kafka.moveLeader('orders', 0, other, { unclean: true })
    // One who has not seen the other log.
    await withClient(kafka, later => later.topic('orders').publish(['b', 'c']))
    partition.hold(other, false)
    assert.notEqual(partition.leader, leader)
  })
  await withCluster(options, async (_, client) => assert.deepEqual(await read(client, 'all', 3), ['a', 'b', 'c']))
})

test('what cannot be written is not acked, and is there when it can be again', async t => {
  const real = nodeWorld()
  let full = false
  const refuse = () => Promise.reject(new Error('no space left'))
  const append: World['files']['append'] = (...args) => (full ? refuse() : real.files.append(...args))
  const write: World['files']['write'] = (...args) => (full ? refuse() : real.files.write(...args))
  const options: EmbeddedOptions = { brokers: 1, zookeeper: false, directory: folder(t), topics: { orders: 1 } }
  const kafka = await startCluster({ ...options, world: { ...real, files: { ...real.files, append, write } } })
  const client = await connect(kafka.url)
  await client.topic('orders').publish('before')
  full = true
  let acked = false
  const during = client.topic('orders').publish('during')
  void during.then(() => {
    acked = true
  })
  await until('a write that fails', () => kafka.troubles.length > 0)
  assert.equal(acked, false)
  full = false
  await during
  await client.close()
  await kafka.stop()
  await withCluster(options, async (_, next) => assert.deepEqual(await read(next, 'all', 2), ['before', 'during']))
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
  const bytes = readFileSync(log)
  bytes[bytes.length - 1]! ^= 1
  writeFileSync(log, bytes)
  await withCluster(options, async kafka => assert.equal(kafka.partition('orders', 0).highWatermark, 1))
  const good = JSON.parse(readFileSync(join(directory, 'cluster.json'), 'utf8'))
  const bad = [{ ports: undefined }, { ports: { brokers: ['x'] } }, { topics: [{ name: 'a' }] }, { producerIds: 7 }, { clusterId: '../x' }]
  for (const text of ['what', 'null', ...bad.map(each => JSON.stringify({ ...good, ...each }))]) {
    writeFileSync(join(directory, 'cluster.json'), text)
    await assert.rejects(startCluster(options), { code: 'BAD_DIRECTORY' }, text)
  }
})
