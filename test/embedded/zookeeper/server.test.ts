/**
 * The server as a whole: sessions in this process, faults on command, servers of an ensemble, four-letter words, its state as bytes.
 */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { EmbeddedZooKeeper } from '../../../src/embedded/zookeeper/server.ts'
import { nodeWorld } from '../../../src/world/node.ts'
import { Gathered } from '../../support/gathered.ts'
import { RawClient, readStat, serve, strings } from './raw-client.ts'

type Done = (error: Error | null, value?: unknown) => void
type Step = (path: string, data: Buffer, version?: number) => Transaction
interface Transaction {
  create: Step
  setData: Step
  commit(done: Done): void
}
/** As it comes, without what samsa mends in it. */
interface PlainClient {
  once(event: 'connected', listener: () => void): void
  connect(): void
  close(): void
  mkdirp(path: string, done: Done): void
  getChildren(path: string, watch: (event: { getPath(): string }) => void, done: Done): void
  getData(path: string, done: Done): void
  remove(path: string, version: number, done: Done): void
  transaction(): Transaction
}
const { createClient } = createRequire(import.meta.url)('node-zookeeper-client') as {
  createClient(connectString: string, options: { sessionTimeout: number }): PlainClient
}

const none = Buffer.alloc(0)
const word = (port: number, ...parts: string[]) => {
  const socket = connect({ host: '127.0.0.1', port })
  for (const part of parts) socket.write(part)
  return text(socket)
}

test('a session in this process sees what those on sockets do, and they what it does', async t => {
  const { server, open } = await serve(t)
  const [local, remote] = [server.session(), await open()]
  const told = new Gathered<string>()
  assert.equal(
    local.exists('/a', () => told.add('made')),
    undefined
  )
  await remote.create('/a', { data: 'x' })
  await told.count(1)
  assert.equal(local.getData('/a', () => told.add('changed')).data.toString(), 'x')
  local.getChildren('/a', () => told.add('children'))
  await remote.exists('/a/mine', true)
  assert.equal(local.create('/a/mine', none, { ephemeral: true }), '/a/mine')
  assert.equal(local.create('/a/n-', none, { sequential: true }), '/a/n-0000000001')
  await remote.setData('/a', 'y')
  await told.count(3)
  assert.deepEqual(told.all, ['made', 'children', 'changed'])
  assert.equal(readStat((await remote.exists('/a/mine')).reader).owner, local.id)
  assert.throws(() => local.setData('/a', none, 0), { code: 'BAD_VERSION' })
  const failing = [
    { type: 'create', path: '/b', data: none },
    { type: 'check', path: '/a', version: 0 }
  ] as const
  assert.throws(() => local.multi(failing), { code: 'BAD_VERSION', path: '/a' })
  assert.equal(local.exists('/b'), undefined)
  assert.equal(local.multi([failing[0], { type: 'delete', path: '/b' }])[0]!.path, '/b')
  local.close()
  assert.equal((await remote.exists('/a/mine')).error, -101)
  assert.deepEqual(remote.events, ['created /a/mine'])
  assert.throws(() => local.exists('/'), { code: 'SESSION_EXPIRED' })
})

test('a session in this process that is expired hears of it, and of nothing more', async t => {
  const { server } = await serve(t)
  const [one, other] = [server.session(), server.session()]
  const told: string[] = []
  one.onExpired(() => told.push('expired'))
  one.exists('/a', () => told.push('made'))
  one.create('/mine', none, { ephemeral: true })
  server.expire(one.id)
  other.create('/a', none)
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(told, ['expired'])
  assert.equal(other.exists('/mine'), undefined)
  assert.throws(() => server.expire(one.id), { code: 'NO_SUCH_SESSION' })
})

test('a session that is not heard of expires; one that pings does not', async t => {
  const { server, open } = await serve(t)
  const [quiet, alive] = [await open({ timeoutMs: 150 }), await open({ timeoutMs: 150 })]
  await quiet.create('/mine', { mode: 1 })
  await alive.exists('/mine', true)
  const pings = setInterval(() => alive.post(11, undefined, -2), 30)
  t.after(() => clearInterval(pings))
  await quiet.closed()
  await alive.exists('/mine')
  assert.deepEqual(alive.events, ['deleted /mine'])
  assert.deepEqual(server.sessionIds, [alive.id])
})

test('a suspended session is answered nothing and hears nothing, and then all of it', async t => {
  const { server, open } = await serve(t)
  const [held, other] = [await open(), await open()]
  await held.exists('/a', true)
  server.suspend(held.id, 80)
  const asked = held.create('/b')
  await other.create('/a')
  assert.equal(held.frames.length, 1)
  assert.equal((await other.exists('/b')).error, -101)
  await asked
  assert.deepEqual(held.order, ['#1', 'created /a', '#2'])
})

test('one that is suspended for longer than its timeout expires', async t => {
  const { server, open } = await serve(t)
  const held = await open({ timeoutMs: 100 })
  await held.create('/mine', { mode: 1 })
  server.suspend(held.id, 60_000)
  const pings = setInterval(() => held.post(11, undefined, -2), 20)
  t.after(() => clearInterval(pings))
  await held.closed()
  assert.equal(server.session().exists('/mine'), undefined)
})

test('events are swallowed or late, answers are lost though it was done, as the test says', async t => {
  const { server, open } = await serve(t)
  const [client, other] = [await open(), await open()]
  server.onEvent = (_, { path }) => (path === '/lost' ? 'swallow' : { delayMs: 20 })
  for (const path of ['/lost', '/late']) await client.exists(path, true)
  for (const path of ['/late', '/lost']) await other.create(path)
  await client.exists('/')
  assert.deepEqual(client.events, [])
  await client.arrivals.first(each => each.type === 'frame' && each.xid === -1)
  assert.deepEqual(client.events, ['created /late'])
  server.onAnswer = (id, opcode) => (id === client.id && opcode === 1 ? 'close' : 'deliver')
  client.post(1)
  await client.closed()
  const again = await open()
  server.onAnswer = (id, opcode) => (id === again.id && opcode === 2 ? 'drop' : 'deliver')
  again.post(2, undefined)
  again.post(2)
  assert.equal((await again.exists('/')).error, 0)
  assert.deepEqual(again.order, ['#3'])
})

test('a late answer is overtaken by nothing: events, answers and the end wait behind it', async t => {
  const { server, open } = await serve(t)
  const [client, other] = [await open(), await open()]
  await client.exists('/a', true)
  const deleted = new Promise<void>(resolve => {
    server.onAnswer = (id, opcode) => {
      if (opcode === 2) resolve()
      return id !== client.id || opcode < 0 ? 'deliver' : { delayMs: opcode === 1 ? 40 : 5 }
    }
  })
  const late = client.create('/mine')
  const later = client.delete('/mine')
  await deleted
  await other.create('/a')
  client.post(-11)
  await client.closed()
  assert.deepEqual([(await late).error, (await later).error], [0, 0])
  assert.deepEqual(client.order, ['#1', '#2', '#3', 'created /a', '#4'])
})

test('servers of an ensemble stop one by one, and sessions go from one to another', async t => {
  const { server, port, open } = await serve(t)
  const second = await server.listen()
  assert.equal(server.addresses, `127.0.0.1:${port},127.0.0.1:${second}`)
  const client = await open()
  await client.create('/mine', { mode: 1 })
  const other = await RawClient.open(second)
  server.unlisten(port)
  await client.closed()
  await new RawClient(port).closed()
  const moved = await RawClient.open(second, { id: client.id, password: client.password })
  assert.deepEqual(strings((await moved.getChildren('/')).reader), ['zookeeper', 'mine'])
  assert.equal(await server.listen(port), port)
  assert.equal((await (await open()).exists('/mine')).error, 0)
  assert.equal((await other.exists('/mine')).error, 0)
})

test('without a quorum nobody is served and nobody expires; afterwards all have their whole timeout', async t => {
  const { server, port, open } = await serve(t)
  const client = await open({ timeoutMs: 100 })
  await client.create('/mine', { mode: 1 })
  server.suspendAll()
  await client.closed()
  await new RawClient(port).closed()
  await new Promise(resolve => setTimeout(resolve, 250))
  assert.deepEqual(server.sessionIds, [client.id])
  await server.resumeAll()
  const back = await open({ id: client.id, password: client.password })
  assert.equal((await back.exists('/mine')).error, 0)
  await back.closed()
  assert.deepEqual(server.sessionIds, [], 'it expires as ever')
})

test('four-letter words', async t => {
  const { server, port, open } = await serve(t)
  const client = await open()
  await client.create('/mine', { mode: 1 })
  assert.equal(await word(port, 'ruok'), 'imok')
  assert.equal(await word(port, 'ru', 'ok'), 'imok')
  assert.equal(await word(port, 'ruok\n'), 'imok')
  assert.equal(await word(port, 'isro'), 'rw')
  assert.match(
    await word(port, 'srvr'),
    /^Zookeeper version: [\s\S]*^Connections: 2$[\s\S]*^Zxid: 0x2$[\s\S]*^Mode: standalone$[\s\S]*^Node count: 5$/m
  )
  assert.match(await word(port, 'stat'), /Clients:\n \/127/)
  assert.match(await word(port, 'mntr'), /^zk_ephemerals_count\t1$/m)
  assert.match(await word(port, 'cons'), new RegExp(`sid=0x${client.id.toString(16)}`))
  assert.match(await word(port, 'envi'), /^zookeeper.version=3\.8\.4-/m)
  assert.match(await word(port, 'dump'), /^\t\/mine$/m)
  assert.equal(server.sessionIds.length, 1)
})

test('its state goes into bytes and comes back, without what belongs to sessions', async t => {
  const { server, open } = await serve(t)
  const client = await open()
  await client.create('/a', { data: 'x' })
  await client.setData('/a', 'y')
  await client.create('/a/n-', { mode: 2 })
  await client.create('/a/e', { mode: 1 })
  const bytes = server.snapshot()
  const { open: openSecond } = await serve(t, { snapshot: bytes })
  const second = await openSecond()
  const read = await second.getData('/a')
  assert.equal(read.reader.buffer()?.toString(), 'y')
  const stat = readStat(read.reader)
  assert.deepEqual([stat.version, stat.children], [1, 1])
  assert.equal((await second.create('/a/n-', { mode: 2 })).reader.string(), '/a/n-0000000002')
  assert.ok((await second.exists('/')).zxid > (await client.exists('/')).zxid)
  const start = (snapshot: Buffer) => EmbeddedZooKeeper.start({ world: nodeWorld(), snapshot })
  await assert.rejects(start(Buffer.from('something else')), { code: 'BAD_SNAPSHOT' })
  for (const length of [0, 4, 12, 20, bytes.length - 1]) await assert.rejects(start(bytes.subarray(0, length)), { code: 'BAD_SNAPSHOT' })
})

test('node-zookeeper-client itself works with it, under a chroot', async t => {
  const { port, open } = await serve(t)
  await (await open()).create('/chroot')
  const client = createClient(`127.0.0.1:${port}/chroot`, { sessionTimeout: 5_000 })
  t.after(() => client.close())
  const connected = new Promise<void>(resolve => client.once('connected', () => resolve()))
  client.connect()
  await connected
  const events = new Gathered<{ getPath(): string }>()
  const promised = (ask: (done: Done) => void) =>
    new Promise<unknown>((resolve, reject) => ask((error, value) => (error ? reject(error) : resolve(value))))
  await promised(done => client.mkdirp('/x/y', done))
  assert.deepEqual(await promised(done => client.getChildren('/', event => events.add(event), done)), ['x'])
  await promised(done => client.transaction().create('/made', Buffer.from('1')).setData('/x', Buffer.from('2'), -1).commit(done))
  await events.count(1)
  assert.equal(events.all[0]!.getPath(), '/')
  assert.equal(String(await promised(done => client.getData('/x', done))), '2')
  await promised(done => client.remove('/made', -1, done))
  await assert.rejects(
    promised(done => client.remove('/made', -1, done)),
    /NO_NODE/
  )
})
