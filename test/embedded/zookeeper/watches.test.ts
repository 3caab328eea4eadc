/**
 * Watches of every kind: what each tells, once or always, before the answer to what set it off, and what is told again after a reconnect.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JuteWriter } from '../../../src/embedded/zookeeper/jute.ts'
import { createBody, type RawClient, serve } from './raw-client.ts'

const PERSISTENT = 0
const RECURSIVE = 1
const addWatch = (client: RawClient, path: string, mode: number) => client.ask(106, new JuteWriter().string(path).int(mode))
const check = (client: RawClient, path: string, type: number) => client.ask(17, new JuteWriter().string(path).int(type))
const remove = (client: RawClient, path: string, type: number) => client.ask(18, new JuteWriter().string(path).int(type))

test('an event comes before the answer to what set it off, and events in the order of transactions', async t => {
  const { open } = await serve(t)
  const client = await open()
  await client.exists('/a', true)
  await client.getChildren('/', true)
  await client.create('/a')
  await client.getData('/a', true)
  await client.setData('/a')
  assert.deepEqual(client.order, ['#1', '#2', 'created /a', 'children /', '#3', '#4', 'changed /a', '#5'])
})

test('exists leaves a watch on what is not there; reading data or children does not', async t => {
  const { open } = await serve(t)
  const client = await open()
  assert.equal((await client.getData('/a', true)).error, -101)
  assert.equal((await client.getChildren('/a', true)).error, -101)
  await client.create('/a')
  assert.deepEqual(client.events, [])
  assert.equal((await client.exists('/b', true)).error, -101)
  await client.create('/b')
  assert.deepEqual(client.events, ['created /b'])
})

test('a node that is watched for its data and its children tells once that it is deleted', async t => {
  const { open } = await serve(t)
  const client = await open()
  await client.create('/a')
  await client.exists('/a', true)
  await client.getData('/a', true)
  await client.getChildren('/a', true)
  await client.delete('/a')
  await client.create('/a')
  assert.deepEqual(client.events, ['deleted /a'])
})

test('a persistent watch stays; a recursive one tells of all below, and never of children', async t => {
  const { open } = await serve(t)
  const [plain, deep, other] = [await open(), await open(), await open()]
  await other.create('/top')
  await addWatch(plain, '/top', PERSISTENT)
  await addWatch(deep, '/top', RECURSIVE)
  await other.create('/top/a')
  await other.create('/top/a/b')
  await other.setData('/top/a/b')
  await other.setData('/top')
  await other.create('/topmost')
  await other.delete('/top/a/b')
  await other.delete('/top/a')
  await other.delete('/top')
  await Promise.all([plain.exists('/'), deep.exists('/')])
  assert.deepEqual(plain.events, ['children /top', 'changed /top', 'children /top', 'deleted /top'])
  assert.deepEqual(deep.events, [
    ...['created /top/a', 'created /top/a/b', 'changed /top/a/b', 'changed /top'],
    ...['deleted /top/a/b', 'deleted /top/a', 'deleted /top']
  ])
  await other.create('/top')
  await Promise.all([plain.exists('/'), deep.exists('/')])
  assert.deepEqual([plain.events.at(-1), deep.events.at(-1)], ['created /top', 'created /top'])
})

test('a watch of two kinds tells once', async t => {
  const { open } = await serve(t)
  const client = await open()
  await client.create('/a')
  await client.getData('/a', true)
  await addWatch(client, '/a', PERSISTENT)
  await addWatch(client, '/', RECURSIVE)
  await client.setData('/a')
  await client.setData('/a')
  assert.deepEqual(client.events, ['changed /a', 'changed /a'])
})

test('watches can be looked for and taken off by their kind', async t => {
  const { open } = await serve(t)
  const client = await open()
  await client.create('/a')
  assert.equal((await check(client, '/a', 2)).error, -121)
  await client.getData('/a', true)
  assert.equal((await check(client, '/a', 2)).error, 0)
  assert.equal((await check(client, '/a', 1)).error, -121)
  assert.equal((await remove(client, '/a', 1)).error, -121)
  assert.equal((await remove(client, '/a', 2)).error, 0)
  await client.setData('/a')
  await client.getChildren('/a', true)
  await addWatch(client, '/a', PERSISTENT)
  assert.equal((await remove(client, '/a', 3)).error, 0)
  assert.equal((await remove(client, '/a', 3)).error, -121)
  assert.equal((await remove(client, '/a', 9)).error, -8)
  await client.delete('/a')
  assert.deepEqual(client.events, [])
})

/** A session whose connection breaks. */
async function broken(open: () => Promise<RawClient>, before: (client: RawClient) => Promise<unknown>): Promise<RawClient> {
  const client = await open()
  await before(client)
  client.socket.destroy()
  await client.closed()
  return client
}

test('after a reconnect, watches set anew tell what was missed since, and stay on what was not', async t => {
  const { open } = await serve(t)
  const other = await open()
  const first = await broken(open, async client => {
    for (const path of ['/changed', '/gone', '/same', '/parent', '/quiet']) await client.create(path)
  })
  const { zxid } = await other.exists('/')
  await other.setData('/changed')
  await other.delete('/gone')
  await other.create('/parent/child')
  await other.create('/made')
  const list = (out: JuteWriter, paths: string[]) => out.vector(paths, path => void out.string(path))
  const back = await open({ id: first.id, password: first.password, zxid })
  const body = new JuteWriter().long(zxid)
  list(list(list(body, ['/changed', '/gone', '/same']), ['/made', '/never']), ['/parent', '/quiet'])
  list(list(body, ['/same']), ['/quiet'])
  assert.equal((await back.ask(105, body, -8)).error, 0)
  assert.deepEqual(back.order, ['changed /changed', 'deleted /gone', 'created /made', 'children /parent', '#-8'])
  const missed = back.events.length
  await other.setData('/same')
  await other.setData('/same')
  await other.create('/never')
  await other.create('/quiet/x')
  await other.setData('/changed')
  await back.exists('/')
  assert.deepEqual(back.events.slice(missed), ['changed /same', 'changed /same', 'created /never', 'created /quiet/x', 'children /quiet'])
})

test('a connection that is gone is told nothing, its session none the worse', async t => {
  const { open, server } = await serve(t)
  const first = await broken(open, client => client.exists('/a', true))
  const other = await open()
  await other.create('/a')
  assert.ok(server.core.watches.size === 0)
  const back = await open({ id: first.id, password: first.password })
  assert.equal((await back.exists('/a')).error, 0)
  assert.deepEqual(back.events, [])
})

test('a transaction that fails tells nobody', async t => {
  const { open } = await serve(t)
  const client = await open()
  await client.getChildren('/', true)
  const body = new JuteWriter()
    .int(1)
    .bool(false)
    .int(-1)
    .raw(createBody('/a', '', 0).bytes())
  body.int(13).bool(false).int(-1).string('/none').int(0).int(-1).bool(true).int(-1)
  assert.equal((await client.ask(14, body)).error, 0)
  assert.deepEqual(client.events, [])
})
