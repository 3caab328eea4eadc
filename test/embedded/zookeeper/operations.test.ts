/**
 * Nodes and transactions as a client sees them: names, numbers, kinds of nodes, rights, and what is asked of them side by side.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JuteWriter } from '../../../src/embedded/zookeeper/jute.ts'
import { EmbeddedZooKeeper } from '../../../src/embedded/zookeeper/server.ts'
import { VirtualWorld } from '../../support/virtual-world.ts'
import { ANYONE, createBody, pathBody, type RawClient, readStat, serve, strings } from './raw-client.ts'

const FAILED = { type: -1, done: true, error: -1 }

function multiBody(...steps: [type: number, body: JuteWriter][]): JuteWriter {
  const out = new JuteWriter()
  for (const [type, body] of steps) out.int(type).bool(false).int(-1).raw(body.bytes())
  return out.int(-1).bool(true).int(-1)
}

const versioned = (path: string, version: number) => new JuteWriter().string(path).int(version)
const setBody = (path: string, data: string, version = -1) => new JuteWriter().string(path).buffer(Buffer.from(data)).int(version)
const nameOf = async (client: RawClient, path: string, mode: number) => (await client.create(path, { mode })).reader.string()

test('a sequence counts the nodes ever made below, whatever became of them; the visible version counts both ways', async t => {
  const { open } = await serve(t)
  const client = await open()
  await client.create('/p')
  assert.equal(await nameOf(client, '/p/n-', 2), '/p/n-0000000000')
  assert.equal(await nameOf(client, '/p/n-', 3), '/p/n-0000000001')
  await client.create('/p/plain')
  await client.delete('/p/n-0000000000')
  assert.equal(await nameOf(client, '/p/', 2), '/p/0000000003')
  const stat = readStat((await client.exists('/p')).reader)
  assert.deepEqual([stat.cversion, stat.children], [2 * 4 - 3, 3])
})

test('paths that are none are bad arguments, and children of ephemeral nodes are refused', async t => {
  const { open } = await serve(t)
  const client = await open()
  for (const path of ['', 'a', '/a/', '//', '/a//b', '/./a', '/a/..', '/a\u0000b', '/\u001f', '/\ud800'])
    assert.equal((await client.create(path)).error, -8, JSON.stringify(path))
  assert.equal((await client.create('/')).error, -110)
  assert.equal((await client.delete('/')).error, -8)
  assert.equal((await client.create('/a/b')).error, -101)
  await client.create('/e', { mode: 1 })
  assert.equal((await client.create('/e/x')).error, -108)
  assert.equal((await client.create('/ok', { mode: 9 })).error, -8)
  await client.create('/full')
  await client.create('/full/x')
  assert.equal((await client.delete('/full')).error, -111)
  assert.equal((await client.delete('/full/x', 3)).error, -103)
})

test('a transaction has one number, and each step its result', async t => {
  const { open } = await serve(t)
  const client = await open()
  const answer = await client.ask(
    14,
    multiBody(
      [1, createBody('/a', 'x', 0)],
      [15, createBody('/a/n-', '', 2)],
      [5, setBody('/a', 'y', 0)],
      [13, versioned('/a', 1)],
      [2, versioned('/a/n-0000000000', -1)]
    )
  )
  const { reader, zxid } = answer
  const header = () => ({ type: reader.int(), done: reader.bool(), error: reader.int() })
  assert.equal(answer.error, 0)
  assert.deepEqual([header().type, reader.string()], [1, '/a'])
  assert.deepEqual([header().type, reader.string(), readStat(reader).czxid], [15, '/a/n-0000000000', zxid])
  assert.deepEqual([header().type, readStat(reader).mzxid], [5, zxid])
  assert.equal(header().type, 13)
  assert.equal(header().type, 2)
  assert.deepEqual(header(), FAILED)
  assert.equal(reader.remaining, 0)
})

test('a transaction that fails leaves nothing, in counts and owners either', async t => {
  const { open, server } = await serve(t)
  const client = await open()
  for (const path of ['/p', '/p/a', '/p/b', '/p/c']) await client.create(path)
  await client.create('/p/e', { mode: 1 })
  const before = server.snapshot()
  const stat = readStat((await client.exists('/p')).reader)
  const { error, reader } = await client.ask(
    14,
    multiBody(
      [2, versioned('/p/a', -1)],
      [2, versioned('/p/e', -1)],
      [1, createBody('/p/e', '', 0)],
      [5, setBody('/p', 'changed')],
      [1, createBody('/p/n-', '', 3)],
      [13, versioned('/p', 0)],
      [2, versioned('/p/b', -1)]
    )
  )
  assert.equal(error, 0)
  const codes = Array.from({ length: 7 }, () => [reader.int(), reader.bool(), reader.int(), reader.int()].at(-1))
  assert.deepEqual(codes, [0, 0, 0, 0, 0, -103, -2])
  assert.deepEqual(strings((await client.getChildren('/p')).reader).sort(), ['a', 'b', 'c', 'e'])
  assert.deepEqual(readStat((await client.exists('/p')).reader), stat)
  assert.deepEqual(strings((await client.ask(103, new JuteWriter().string('/'))).reader), ['/p/e'])
  // But for its number, which is used up.
  const after = server.snapshot()
  assert.equal(after.readBigInt64BE(4), before.readBigInt64BE(4) + 1n)
  assert.equal(after.length, before.length)
})

test('several questions at once: each has its own answer or its own error', async t => {
  const { open } = await serve(t)
  const client = await open()
  await client.create('/a', { data: 'x' })
  const { reader } = await client.ask(22, multiBody([4, pathBody('/a', false)], [4, pathBody('/none', false)], [8, pathBody('/', false)]))
  const header = () => ({ type: reader.int(), done: reader.bool(), error: reader.int() })
  assert.deepEqual([header().type, reader.buffer()?.toString(), readStat(reader).version], [4, 'x', 0])
  assert.deepEqual([header(), reader.int()], [{ type: -1, done: false, error: -101 }, -101])
  assert.deepEqual([header().type, strings(reader)], [8, ['zookeeper', 'a']])
  assert.deepEqual(header(), FAILED)
})

test('the other questions: create2, sync, ephemerals, the number below, who one is', async t => {
  const { open } = await serve(t)
  const client = await open()
  const { reader, zxid } = await client.ask(15, createBody('/a', 'xy', 0))
  assert.deepEqual([reader.string(), readStat(reader).czxid], ['/a', zxid])
  assert.equal((await client.ask(9, new JuteWriter().string('/a'))).reader.string(), '/a')
  await client.create('/a/e', { mode: 1 })
  await client.create('/e', { mode: 1 })
  assert.deepEqual(strings((await client.ask(103, new JuteWriter().string('/a'))).reader), ['/a/e'])
  assert.equal((await client.ask(104, new JuteWriter().string('/a'))).reader.int(), 1)
  const children = await client.ask(12, pathBody('/a', false))
  assert.deepEqual([strings(children.reader), readStat(children.reader).children], [['e'], 1])
  await client.ask(100, new JuteWriter().int(0).string('digest').buffer(Buffer.from('me:secret')), -4)
  const who = (await client.ask(107)).reader
  assert.deepEqual(
    who.vector(() => [who.string(), who.string()]),
    [
      ['ip', '127.0.0.1'],
      ['digest', 'me']
    ]
  )
})

test('rights: who may read, write, create, delete and administrate', async t => {
  const { open } = await serve(t)
  const [owner, other] = [await open(), await open()]
  const auth = new JuteWriter().int(0).string('digest').buffer(Buffer.from('super:test'))
  assert.equal((await owner.create('/none', { acl: [] })).error, -114)
  assert.equal((await owner.create('/none', { acl: [{ perms: 31, scheme: 'auth', id: '' }] })).error, -114, 'it is nobody yet')
  assert.equal((await owner.create('/none', { acl: [{ perms: 31, scheme: 'nonsense', id: 'x' }] })).error, -114)
  await owner.ask(100, auth, -4)
  assert.equal((await owner.create('/mine', { acl: [{ perms: 31, scheme: 'auth', id: '' }] })).error, 0)
  assert.equal((await other.getData('/mine')).error, -102)
  assert.equal((await other.setData('/mine', 'x')).error, -102)
  assert.equal((await other.create('/mine/x')).error, -102)
  assert.equal((await other.getChildren('/mine')).error, -102)
  assert.equal((await other.exists('/mine')).error, 0, 'that something is there is no secret')
  assert.equal((await owner.create('/mine/x')).error, 0)
  assert.equal((await other.delete('/mine/x')).error, -102)
  const { reader } = await owner.ask(6, new JuteWriter().string('/mine'))
  const [entry] = reader.vector(() => [reader.int(), reader.string(), reader.string()])
  assert.deepEqual(entry, [31, 'digest', 'super:D/InIHSb7yEEbrWz8b9l71RjZJU='])
  const open1 = new JuteWriter().string('/mine').vector([{ ...ANYONE, perms: 1 }], each => void new JuteWriter().int(each.perms))
  assert.equal((await other.ask(7, open1)).error, -5)
  const readable = new JuteWriter().string('/mine').int(1).int(1).string('world').string('anyone')
  assert.equal((await other.ask(7, new JuteWriter().raw(readable.bytes()).int(-1))).error, -102)
  assert.equal((await owner.ask(7, new JuteWriter().raw(readable.bytes()).int(4))).error, -103)
  assert.equal(readStat((await owner.ask(7, new JuteWriter().raw(readable.bytes()).int(0))).reader).aversion, 1)
  assert.equal((await other.getData('/mine')).error, 0)
  assert.equal((await owner.setData('/mine', 'x')).error, -102, 'it has taken its own right away')
})

test('containers and nodes for a time go when they are empty and their time is over', async () => {
  const virtual = new VirtualWorld({ world: { listen: async () => ({ host: '127.0.0.1', port: 1, close: () => {} }) } })
  const server = await EmbeddedZooKeeper.start({ world: virtual.world, containerCheckMs: 1_000 })
  const { core } = server
  const asker = { sessionId: 1n, identities: [], watcher: { watched: () => {} } }
  const { change } = await import('../../../src/embedded/zookeeper/operations.ts')
  const create = (path: string, mode: number, ttlMs?: bigint) =>
    change(core, asker, { type: 'create', path, data: null, acl: [ANYONE], mode, ...(ttlMs === undefined ? {} : { ttlMs }) })
  create('/unused', 4)
  create('/used', 4)
  create('/used/child', 0)
  create('/short', 5, 2_500n)
  create('/long', 5, 60_000n)
  assert.throws(() => create('/never', 5, 0n), { code: 'BAD_ARGUMENTS' })
  assert.throws(() => create('/never', 5), { code: 'BAD_ARGUMENTS' })
  await virtual.advance(2_000)
  change(core, asker, { type: 'delete', path: '/used/child', version: -1 })
  assert.ok(core.tree.nodes.has('/short'))
  await virtual.advance(1_500)
  assert.deepEqual(
    ['/unused', '/used', '/short', '/long'].filter(path => core.tree.nodes.has(path)),
    ['/unused', '/long']
  )
  server.stop()
  assert.equal(virtual.timers, 0)
})
