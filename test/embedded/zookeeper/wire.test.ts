/**
 * What every client of a ZooKeeper has to do with on the wire: the handshake, numbers of requests and transactions, and the bad input that is refused.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JuteWriter } from '../../../src/embedded/zookeeper/jute.ts'
import { createBody, pathBody, readStat, serve, strings } from './raw-client.ts'

test('an old client, which says nothing of read-only servers, hears nothing of them', async t => {
  const { raw } = await serve(t)
  const [old, young] = [raw(), raw()]
  const [shorter, longer] = [await old.hello({}, true), await young.hello({})]
  assert.equal(longer.length - shorter.length, 1)
  assert.equal((await old.create('/a')).error, 0)
})

test('a timeout is bound to the range', async t => {
  const { open } = await serve(t, { minSessionTimeoutMs: 1_000, maxSessionTimeoutMs: 5_000 })
  assert.equal((await open({ timeoutMs: 1 })).timeoutMs, 1_000)
  assert.equal((await open({ timeoutMs: -7 })).timeoutMs, 1_000)
  assert.equal((await open({ timeoutMs: 3_000 })).timeoutMs, 3_000)
  assert.equal((await open({ timeoutMs: 90_000 })).timeoutMs, 5_000)
})

test('a session that is over, or a wrong password: timeout 0, and the connection closes', async t => {
  const { server, open } = await serve(t)
  const first = await open()
  const wrong = await open({ id: first.id, password: Buffer.alloc(16, 1) })
  await wrong.closed()
  assert.deepEqual([wrong.timeoutMs, wrong.id], [0, 0n])
  server.expire(first.id)
  await first.closed()
  const late = await open({ id: first.id, password: first.password })
  assert.equal(late.timeoutMs, 0)
  await late.closed()
})

test('a client that has seen more than the server is dropped without an answer', async t => {
  const { raw } = await serve(t)
  const ahead = raw()
  await assert.rejects(ahead.hello({ zxid: 1_000n }), /the server closed/)
})

test('a session that is taken over closes its old connection, and lives on in the new one', async t => {
  const { open } = await serve(t)
  const first = await open()
  await first.create('/mine', { mode: 1 })
  const second = await open({ id: first.id, password: first.password })
  await first.closed()
  assert.equal(second.id, first.id)
  assert.equal(readStat((await second.exists('/mine')).reader).owner, first.id)
})

test('pings, credentials and watches set anew are answered under their own numbers', async t => {
  const { open } = await serve(t)
  const client = await open()
  assert.equal((await client.ask(11, undefined, -2)).error, 0)
  const auth = new JuteWriter().int(0).string('digest').buffer(Buffer.from('u:p'))
  assert.equal((await client.ask(100, auth, -4)).error, 0)
  const none = () => {}
  const watches = new JuteWriter().long(0n).vector([], none).vector([], none).vector([], none)
  assert.equal((await client.ask(101, watches, -8)).error, 0)
  const unknown = new JuteWriter().int(0).string('nonsense').buffer(Buffer.from('x'))
  assert.equal((await client.ask(100, unknown, -4)).error, 0, 'the first answer of that number is found')
  await client.closed()
  assert.equal(client.frames.at(-1)!.error, -115)
})

test('an error is a header alone', async t => {
  const { open } = await serve(t)
  const client = await open()
  const { error, reader } = await client.getData('/none')
  assert.deepEqual([error, reader.remaining], [-101, 0])
})

test('transactions are numbered one by one, those that fail too; reading has the number of the last', async t => {
  const { open } = await serve(t)
  const client = await open()
  const { zxid } = await client.create('/a')
  assert.equal((await client.getData('/a')).zxid, zxid)
  assert.equal((await client.setData('/a', 'x', 5)).error, -103)
  const { zxid: next, reader } = await client.setData('/a', 'x')
  assert.equal(next, zxid + 2n)
  const stat = readStat(reader)
  assert.deepEqual([stat.czxid, stat.mzxid, stat.pzxid, stat.version, stat.dataLength], [zxid, next, zxid, 1, 1])
})

test('requests are answered in their order, however they are cut', async t => {
  const { open } = await serve(t)
  const client = await open()
  const frames = [
    new JuteWriter()
      .int(1)
      .int(1)
      .raw(createBody('/a', 'x', 0).bytes())
      .frame(),
    new JuteWriter().int(2).int(4).raw(pathBody('/a', false).bytes()).frame(),
    new JuteWriter().int(3).int(2).string('/a').int(-1).frame()
  ]
  for (const byte of Buffer.concat(frames)) client.socket.write(Buffer.from([byte]))
  await client.answer(3)
  assert.deepEqual(client.order, ['#1', '#2', '#3'])
  assert.ok(client.frames.every(({ error }) => error === 0))
})

test('an unknown opcode is unimplemented, a request that ends early cannot be read; both leave the connection', async t => {
  const { open } = await serve(t)
  const client = await open()
  for (const opcode of [0, 10, 16, 20, 99, 102, 108, 2 ** 31 - 1, -3]) assert.equal((await client.ask(opcode)).error, -6, String(opcode))
  for (const opcode of [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 17, 18, 19, 21, 22, 101, 103, 104, 105, 106])
    assert.equal((await client.ask(opcode)).error, -5, String(opcode))
  assert.equal((await client.ask(4, new JuteWriter().int(2 ** 31 - 1))).error, -5, 'a string of 2 GiB')
  assert.equal(
    (
      await client.ask(
        1,
        new JuteWriter()
          .string('/a')
          .buffer(null)
          .int(2 ** 31 - 1)
      )
    ).error,
    -5,
    'two billion ACLs'
  )
  assert.equal((await client.create('/a')).error, 0)
})

test('garbage, a request before the handshake, one too short or too long: the connection closes, others go on', async t => {
  const { raw, open, server } = await serve(t)
  const other = await open()
  const bad: Record<string, Buffer> = {
    garbage: Buffer.from('GET / HTTP/1.1\r\nHost: here\r\n\r\n'),
    'a length below zero': new JuteWriter().int(-5).bytes(),
    'a hello of 2 KiB': new JuteWriter().raw(Buffer.alloc(2_048)).frame(),
    'a short hello': new JuteWriter().int(0).long(0n).frame(),
    'a request instead of a hello': new JuteWriter().int(1).int(3).string('/').bool(false).frame()
  }
  for (const [what, bytes] of Object.entries(bad)) {
    const client = raw()
    client.socket.write(bytes)
    await client.closed().catch(() => assert.fail(what))
    assert.equal(client.arrivals.all.length, 1, what)
  }
  const greedy = await open()
  greedy.socket.write(new JuteWriter().int(1 << 20).bytes())
  await greedy.closed()
  const short = await open()
  short.socket.write(new JuteWriter().int(2).raw(Buffer.alloc(2)).bytes())
  await short.closed()
  assert.equal((await other.create('/fine')).error, 0)
  assert.ok(server.sessionIds.includes(greedy.id), 'its session lives until it expires')
})

test('more connections than allowed are closed', async t => {
  const { raw, open } = await serve(t, { maxConnections: 2 })
  await open()
  await open()
  await raw().closed()
})

test('just under a MiB goes, a MiB does not', async t => {
  const { open } = await serve(t)
  const client = await open()
  assert.equal((await client.create('/big', { data: 'x'.repeat(1_048_575 - 8 - 12 - 35) })).error, 0)
  client.post(1, createBody('/bigger', 'x'.repeat(1 << 20), 0))
  await client.closed()
})

test('closing a session ends it with its nodes, and then the connection', async t => {
  const { open } = await serve(t)
  const [client, other] = [await open(), await open()]
  await client.create('/b', { mode: 1 })
  await client.create('/a', { mode: 1 })
  await other.getChildren('/', true)
  const before = (await other.exists('/')).zxid
  assert.equal((await client.ask(-11)).error, 0)
  await client.closed()
  const { reader, zxid } = await other.getChildren('/')
  assert.deepEqual(strings(reader), ['zookeeper'])
  assert.equal(zxid, before + 1n, 'in one transaction')
  assert.deepEqual(other.events, ['children /'])
})

test('what comes behind the end of a session is not looked at', async t => {
  const { open, server } = await serve(t)
  const client = await open()
  const hello = new JuteWriter().int(0).long(0n).int(10_000).long(0n).buffer(Buffer.alloc(16))
  client.socket.write(Buffer.concat([new JuteWriter().int(1).int(-11).frame(), hello.frame()]))
  await client.closed()
  assert.deepEqual(server.sessionIds, [])
})
