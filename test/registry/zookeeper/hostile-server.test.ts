/**
 * The session against servers that are silent, hostile or odd: one test per known defect of the library underneath, and then some.
 */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { isZooKeeperError, type ZooKeeperErrorCode } from '../../../src/registry/zookeeper/errors.ts'
import { openSession, type SessionOptions } from '../../../src/registry/zookeeper/open-session.ts'
import type { SessionEvent, WatchEvent, ZooKeeperSession } from '../../../src/registry/zookeeper/session.ts'
import { nodeWorld } from '../../../src/world/node.ts'
import { Gathered } from '../../support/gathered.ts'
import { HostileZooKeeper, jute, type PeerConnection } from '../../support/hostile-zookeeper.ts'

const world = nodeWorld()
const opcode = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  children: 12,
  check: 13,
  multi: 14,
  auth: 100,
  watches: 101,
  close: -11
}

describe('a session with a silent or hostile server', { timeout: 60_000 }, () => {
  let peer: HostileZooKeeper
  let sessions: ZooKeeperSession[]
  const uncaught: unknown[] = []
  const note = (error: unknown) => void uncaught.push(error)

  beforeEach(async () => {
    process.on('uncaughtException', note)
    sessions = []
    peer = await HostileZooKeeper.start()
  })

  afterEach(async () => {
    await Promise.all(sessions.map(session => session.close()))
    await peer.close()
    process.off('uncaughtException', note)
    assert.deepEqual(uncaught.splice(0), [])
  })

  function open(options: Partial<SessionOptions> = {}, chroot = '') {
    const session = openSession(world, { connectString: peer.address + chroot, sessionTimeoutMs: 3_000, ...options })
    sessions.push(session)
    const events = new Gathered<SessionEvent>()
    session.on(event => events.add(event))
    return { session, events }
  }

  async function connected(options: Partial<SessionOptions> = {}, chroot = '') {
    const opened = open(options, chroot)
    const connection = await peer.accept()
    await connection.greet()
    await opened.events.first(event => event.type === 'connected')
    return { ...opened, connection }
  }

  const failsWith = (code: ZooKeeperErrorCode, sent?: boolean) => (error: unknown) => {
    assert.ok(isZooKeeperError(error, code), `${code} was expected, not ${String(error)}`)
    if (sent !== undefined) assert.equal(error.details.sent, sent)
    return true
  }

  /** The session works: one question, one answer. */
  async function works(session: ZooKeeperSession, connection: PeerConnection) {
    const asked = session.exists('/works')
    const { xid, type } = await connection.request()
    assert.equal(type, opcode.exists)
    connection.reply(xid, -101)
    assert.equal(await asked, undefined)
  }

  async function reconnects(session: ZooKeeperSession, events: Gathered<SessionEvent>) {
    const connection = await peer.accept()
    await connection.greet()
    await events.first(event => event.type === 'reconnected')
    await works(session, connection)
  }

  it('defect 1: connects again although the last connection ended inside a frame', async () => {
    const { session, events, connection } = await connected()
    connection.send(Buffer.from([0, 0, 0, 40, 1, 2, 3]))
    connection.socket.end()
    await events.first(event => event.type === 'suspended')
    await reconnects(session, events)
  })

  it('defect 2: gives a connection up on which nothing comes, pings included', async () => {
    const { session, events, connection } = await connected({ sessionTimeoutMs: 600 })
    connection.answersPings = false
    const fromMs = world.monotonicMs()
    const suspended = await events.first(event => event.type === 'suspended')
    assert.match(suspended.type === 'suspended' ? suspended.reason.message : '', /silent/)
    const tookMs = world.monotonicMs() - fromMs
    assert.ok(tookMs > 300 && tookMs < 600, `after ${tookMs} ms`)
    await connection.onClose
    assert.equal(connection.pings >= 1, true)
    await reconnects(session, events)
  })

  it('defect 2: a server that talks but never answers does not count as alive either', async () => {
    const { events, connection } = await connected({ sessionTimeoutMs: 500 })
    connection.answersPings = false
    const chatter = setInterval(() => connection.event(4, '/nobody'), 20)
    try {
      await events.first(event => event.type === 'suspended')
      assert.deepEqual(await events.first(event => event.type === 'expired'), { type: 'expired', by: 'local-deadline' })
    } finally {
      clearInterval(chatter)
    }
  })

  it('defect 3: the connect deadline holds until the handshake is answered', async () => {
    const { session, events } = open({ connectTimeoutMs: 200 })
    const silent = await peer.accept()
    await silent.hello()
    await silent.onClose
    const next = await peer.accept()
    next.send(Buffer.from([0, 0, 0, 37, 0]))
    await next.onClose
    const trouble = await events.first(event => event.type === 'trouble')
    assert.equal(trouble.type === 'trouble' && trouble.error.code, 'ZK_UNREACHABLE')
    const good = await peer.accept()
    await good.greet()
    await events.first(event => event.type === 'connected')
    await works(session, good)
  })

  it('defect 4: operations that wait when the session expires all settle', async () => {
    const { session, events, connection } = await connected()
    const inFlight = assert.rejects(session.getData('/sent'), failsWith('ZK_CONNECTION_LOSS', true))
    await connection.request()
    connection.cut()
    await inFlight
    const waiting = Promise.all([
      assert.rejects(session.getData('/a'), failsWith('ZK_SESSION_EXPIRED', false)),
      assert.rejects(session.create('/b', null, 'ephemeral'), failsWith('ZK_SESSION_EXPIRED', false)),
      assert.rejects(session.multi([{ type: 'check', path: '/c' }]), failsWith('ZK_SESSION_EXPIRED', false))
    ])
    const next = await peer.accept()
    await next.greet({ timeoutMs: 0, sessionId: 0n, password: Buffer.alloc(16) })
    assert.deepEqual(await events.first(event => event.type === 'expired'), { type: 'expired', by: 'server' })
    await waiting
    await assert.rejects(session.exists('/late'), failsWith('ZK_SESSION_EXPIRED', false))
    await next.onClose
  })

  it('defect 4: operations without a connection settle by their own deadline, and are not sent later', async () => {
    const { session, events, connection } = await connected({ operationTimeoutMs: 150 })
    connection.cut()
    await events.first(event => event.type === 'suspended')
    await assert.rejects(session.create('/late', null, 'ephemeral'), failsWith('ZK_TIMEOUT', false))
    const next = await peer.accept()
    await next.greet()
    await works(session, next)
  })

  it('defect 4: an operation that the server never answers settles; its late answer harms nobody', async () => {
    const { session, connection } = await connected({ operationTimeoutMs: 150 })
    const asked = assert.rejects(session.exists('/slow'), failsWith('ZK_TIMEOUT', true))
    const { xid } = await connection.request()
    await asked
    connection.reply(xid, 0, jute.stat())
    await works(session, connection)
  })

  it('defect 5: version 0 travels in a transaction as it was given', async () => {
    const { session, connection } = await connected()
    const asked = session.multi([
      { type: 'check', path: '/a', version: 0 },
      { type: 'setData', path: '/b', data: Buffer.from('x'), version: 0 },
      { type: 'remove', path: '/c', version: 0 },
      { type: 'remove', path: '/d' }
    ])
    const { xid, body } = await connection.request()
    const versions: number[] = []
    let at = 0
    for (let step = 0; step < 4; step++) {
      const type = body.readInt32BE(at)
      at = jute.readString(body, at + 9).next
      if (type === opcode.setData) at = jute.readString(body, at).next
      versions.push(body.readInt32BE(at))
      at += 4
    }
    assert.deepEqual(versions, [0, 0, 0, -1])
    const result = (type: number, payload: Buffer = Buffer.alloc(0)) =>
      Buffer.concat([jute.int(type), Buffer.from([0]), jute.int(0), payload])
    const end = Buffer.concat([jute.int(-1), Buffer.from([1]), jute.int(-1)])
    connection.reply(xid, 0, Buffer.concat([result(13), result(5, jute.stat(1)), result(2), result(2), end]))
    await asked
  })

  it('defect 6: after a reconnect credentials and watches go before operations that waited, once', async () => {
    const { session, connection, events } = await connected({ auth: { scheme: 'digest', auth: 'user:canary' } })
    assert.equal((await connection.request()).type, opcode.auth)
    connection.reply(-4, 0)
    const watched = new Gathered<WatchEvent>()
    const armed = session.getData('/watched', event => watched.add(event))
    const { xid } = await connection.request()
    connection.reply(xid, 0, Buffer.concat([jute.string('data'), jute.stat()]), 77n)
    await armed
    connection.cut()
    await events.first(event => event.type === 'suspended')
    const waiting = session.exists('/waiting')
    const failing = await peer.accept()
    await failing.hello()
    failing.cut()
    const next = await peer.accept()
    const hello = await next.greet()
    assert.equal(hello.lastZxidSeen, 77n)
    assert.equal(hello.sessionId, 0x1234n)
    const auth = await next.request()
    assert.deepEqual([auth.xid, auth.type], [-4, opcode.auth])
    const watches = await next.request()
    assert.equal(watches.type, opcode.watches)
    assert.equal(watches.body.readBigInt64BE(0), 77n)
    assert.equal(watches.body.readInt32BE(8), 1)
    assert.equal(jute.readString(watches.body, 12).text, '/watched')
    const operation = await next.request()
    assert.equal(operation.type, opcode.exists)
    next.reply(-4, 0)
    next.event(3, '/watched')
    next.reply(watches.xid, 0)
    next.reply(operation.xid, -101)
    assert.equal(await waiting, undefined)
    assert.deepEqual(watched.all, [{ type: 'changed', path: '/watched' }])
  })

  it('defect 6: many watches are re-armed in parts that a server accepts', async () => {
    // Thousands of answers, one by one, take longer on a busy machine than the two seconds of silence that a session of 3 s allows.
    const { session, connection, events } = await connected({ sessionTimeoutMs: 30_000 }, '/chroot')
    const count = 3_000
    const path = (i: number) => `/${'long-name-'.repeat(10)}${i}`
    const reads = Array.from({ length: count }, (_, i) => session.exists(path(i), () => {}))
    for (let i = 0; i < count; i++) connection.reply((await connection.request()).xid, -101)
    await Promise.all(reads)
    connection.cut()
    await events.first(event => event.type === 'suspended')
    const next = await peer.accept()
    await next.greet()
    let armed = 0
    while (armed < count) {
      const { xid, type, body } = await next.request()
      assert.equal(type, opcode.watches)
      assert.ok(body.length < 200_000, `a part of ${body.length} bytes`)
      armed += body.readInt32BE(12)
      next.reply(xid, 0)
    }
    assert.equal(armed, count)
    await works(session, next)
  })

  it('defect 7: unknown error numbers and event types are told and survived', async () => {
    const { session, events, connection } = await connected()
    const odd = assert.rejects(session.getData('/odd'), error => {
      assert.ok(isZooKeeperError(error, 'ZK_UNKNOWN_CODE'))
      assert.equal(error.details.zooKeeperCode, -9999)
      return true
    })
    connection.reply((await connection.request()).xid, -9999)
    await odd
    const readOnly = assert.rejects(session.setData('/odd', null), failsWith('ZK_READ_ONLY'))
    connection.reply((await connection.request()).xid, -119)
    await readOnly
    const stepwise = assert.rejects(
      session.multi([
        { type: 'check', path: '/a' },
        { type: 'remove', path: '/b' }
      ]),
      error => {
        assert.ok(isZooKeeperError(error, 'ZK_UNKNOWN_CODE'))
        assert.equal(error.details.index, 1)
        assert.equal(error.details.zooKeeperCode, -4711)
        return true
      }
    )
    const step = (code: number) => Buffer.concat([jute.int(-1), Buffer.from([0]), jute.int(code), jute.int(code)])
    const end = Buffer.concat([jute.int(-1), Buffer.from([1]), jute.int(-1)])
    connection.reply((await connection.request()).xid, 0, Buffer.concat([step(0), step(-4711), end]))
    await stepwise
    connection.event(99, '/odd')
    connection.event(3, 'no-slash')
    connection.reply(-4, -777)
    await works(session, connection)
    assert.equal(events.all.filter(event => event.type === 'trouble').length, 3)
    assert.equal(session.state, 'connected')
  })

  it('defect 8: close before anything was dialled leaves nothing behind', async () => {
    const { session, events } = open()
    const asked = assert.rejects(session.exists('/a'), failsWith('ZK_CLOSED', false))
    await session.close()
    await asked
    assert.deepEqual(
      events.all.map(event => event.type),
      ['closed']
    )
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(peer.connections, 0)
  })

  it('defect 8: close by who is just told of trouble leaves no timer and no socket', async () => {
    const { session, events } = open({ connectTimeoutMs: 50 })
    session.on(event => {
      if (event.type === 'trouble') void session.close()
    })
    const connection = await peer.accept()
    await connection.onClose
    await events.first(event => event.type === 'closed')
    await assert.rejects(peer.accept(400))
    assert.equal(peer.connections, 1)
  })

  it('defect 8: close inside the handshake leaves no socket', async () => {
    const { session, events } = open()
    const connection = await peer.accept()
    await connection.hello()
    await session.close()
    await connection.onClose
    assert.deepEqual(
      events.all.map(event => event.type),
      ['closed']
    )
    assert.equal(session.state, 'closed')
  })

  it('defect 8: close asks the server to end the session, and does not wait for ever', async () => {
    const first = await connected()
    first.connection.answersClose = false
    const closing = first.session.close()
    const refused = assert.rejects(first.session.exists('/late'), failsWith('ZK_CLOSED', false))
    const { xid, type } = await first.connection.request()
    assert.equal(type, opcode.close)
    first.connection.reply(xid, 0)
    await closing
    await refused
    await first.connection.onClose
    const second = await connected()
    second.connection.answersClose = false
    const inFlight = assert.rejects(second.session.exists('/unanswered'), failsWith('ZK_CLOSED', true))
    const fromMs = world.monotonicMs()
    await second.session.close()
    await inFlight
    assert.ok(world.monotonicMs() - fromMs < 2_000)
    await second.connection.onClose
    assert.equal(second.session.close(), second.session.close())
  })

  it('defect 9: a watch or listener that throws is told, and later answers come', async () => {
    const { session, events, connection } = await connected()
    session.on(event => {
      if (event.type === 'suspended') throw new Error('listener broke')
    })
    const armed = session.exists('/a', () => {
      throw new Error('watch broke')
    })
    connection.reply((await connection.request()).xid, -101)
    await armed
    connection.event(1, '/a')
    await works(session, connection)
    connection.cut()
    await reconnects(session, events)
    const messages = events.all.flatMap(event => (event.type === 'trouble' ? [event.error.message] : []))
    assert.equal(messages.length, 2)
    assert.match(messages[0]!, /watch broke/)
    assert.match(messages[1]!, /listener broke/)
  })

  it('defect 10: xids begin with 1', async () => {
    const { session, connection } = await connected()
    void session.exists('/a').catch(() => {})
    assert.equal((await connection.request()).xid, 1)
  })

  const badFrames: Record<string, Buffer> = {
    'a length of -5': jute.int(-5),
    'a length of 2 GiB': jute.int(0x7fff_ffff),
    'an HTTP answer': Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
    'a TLS alert': Buffer.from([0x15, 3, 3, 0, 2, 2, 40]),
    'an empty frame': jute.int(0),
    'half a header': jute.frame(jute.int(1), jute.int(0)),
    'an answer to nothing': jute.frame(jute.int(9), jute.long(1n), jute.int(0)),
    'a watch event with a path of -4 bytes': jute.frame(jute.int(-1), jute.long(-1n), jute.int(0), jute.int(3), jute.int(3), jute.int(-4)),
    'a watch event with a path of 2 GiB': jute.frame(
      jute.int(-1),
      jute.long(-1n),
      jute.int(0),
      jute.int(3),
      jute.int(3),
      jute.int(0x7fff_ffff)
    )
  }
  for (const [name, bytes] of Object.entries(badFrames)) {
    it(`defect 11: ${name} costs the connection and nothing else`, async () => {
      const { session, events, connection } = await connected()
      connection.send(bytes)
      const trouble = await events.first(event => event.type === 'trouble')
      assert.equal(trouble.type === 'trouble' && trouble.error.code, 'ZK_PROTOCOL')
      await events.first(event => event.type === 'suspended')
      await connection.onClose
      await reconnects(session, events)
    })
  }

  const zero = Buffer.alloc(0)
  const handshakes: Record<string, Buffer> = {
    'a password of -7 bytes': jute.frame(jute.int(0), jute.int(3_000), jute.long(1n), jute.int(-7), zero),
    'a password of 2 GiB': jute.frame(jute.int(0), jute.int(3_000), jute.long(1n), jute.int(0x7fff_ffff), zero),
    'a password of 3 bytes': jute.frame(jute.int(0), jute.int(3_000), jute.long(1n), jute.buffer(Buffer.alloc(3))),
    'no session id': jute.frame(jute.int(0), jute.int(3_000), jute.long(0n), jute.buffer(Buffer.alloc(16))),
    'a timeout of 24 days': jute.frame(jute.int(0), jute.int(0x7fff_ffff), jute.long(1n), jute.buffer(Buffer.alloc(16))),
    'a megabyte': jute.int(1_000_000)
  }
  for (const [name, bytes] of Object.entries(handshakes)) {
    it(`defect 11: a handshake with ${name} costs the connection and nothing else`, async () => {
      const { session, events } = open()
      const hostile = await peer.accept()
      await hostile.hello()
      hostile.send(bytes)
      await hostile.onClose
      const trouble = await events.first(event => event.type === 'trouble')
      assert.equal(trouble.type === 'trouble' && trouble.error.code, 'ZK_PROTOCOL')
      const next = await peer.accept()
      await next.greet()
      await events.first(event => event.type === 'connected')
      await works(session, next)
    })
  }

  const answers: Record<string, [ask: (session: ZooKeeperSession) => Promise<unknown>, body: Uint8Array]> = {
    'data of -7 bytes': [session => session.getData('/a'), Buffer.concat([jute.int(-7), jute.stat()])],
    'data of 2 GiB': [session => session.getData('/a'), Buffer.concat([jute.int(0x7fff_ffff), jute.stat()])],
    'half a stat': [session => session.exists('/a'), jute.stat().subarray(0, 30)],
    'two milliards of children': [session => session.getChildren('/a'), Buffer.concat([jute.int(0x7fff_ffff), jute.stat()])],
    'children of -4 bytes, without end': [session => session.getChildren('/a'), Buffer.concat([jute.int(15), jute.int(-4), jute.stat()])],
    'a created path that is null': [session => session.create('/a', null, 'persistent'), jute.int(-1)],
    'a transaction result of no known type': [
      session => session.multi([{ type: 'check', path: '/a' }]),
      Buffer.concat([jute.int(55), Buffer.from([0]), jute.int(0)])
    ],
    'a transaction without an end': [
      session => session.multi([{ type: 'check', path: '/a' }]),
      Buffer.concat([jute.int(13), Buffer.from([0]), jute.int(0)])
    ]
  }
  for (const [name, [ask, body]] of Object.entries(answers)) {
    it(`defect 11: an answer with ${name} costs the connection and nothing else`, async () => {
      const { session, events, connection } = await connected()
      const asked = assert.rejects(ask(session), failsWith('ZK_CONNECTION_LOSS', true))
      connection.reply((await connection.request()).xid, 0, Buffer.from(body))
      await asked
      const trouble = await events.first(event => event.type === 'trouble')
      assert.equal(trouble.type === 'trouble' && trouble.error.code, 'ZK_PROTOCOL')
      await reconnects(session, events)
    })
  }

  it('an answer out of order costs the connection; what was in flight is unknown', async () => {
    const { session, events, connection } = await connected()
    const both = [session.exists('/a'), session.exists('/b')].map(asked => assert.rejects(asked, failsWith('ZK_CONNECTION_LOSS', true)))
    await connection.request()
    connection.reply((await connection.request()).xid, 0, jute.stat())
    await Promise.all(both)
    await reconnects(session, events)
  })

  it('refuses another session than its own when it comes back', async () => {
    const { session, events, connection } = await connected()
    connection.cut()
    const impostor = await peer.accept()
    await impostor.greet({ sessionId: 0x666n })
    await impostor.onClose
    await reconnects(session, events)
    assert.equal(session.sessionId, 0x1234n)
  })

  it('ignores events outside its chroot and refuses paths outside it', async () => {
    const { session, events, connection } = await connected({}, '/kafka')
    const watched = new Gathered<WatchEvent>()
    const armed = session.exists('/a', event => watched.add(event))
    const { xid, body } = await connection.request()
    assert.equal(jute.readString(body).text, '/kafka/a')
    connection.reply(xid, -101)
    await armed
    connection.event(1, '/kafkaesque/a')
    connection.event(1, '/a')
    connection.event(1, '/kafka/a')
    await watched.count(1)
    assert.deepEqual(watched.all, [{ type: 'created', path: '/a' }])
    const made = assert.rejects(session.create('/b', null, 'persistent'), failsWith('ZK_CONNECTION_LOSS'))
    connection.reply((await connection.request()).xid, 0, jute.string('/elsewhere/b'))
    await made
    assert.equal(events.all.filter(event => event.type === 'trouble').length, 3)
  })

  it('takes frames in drips and in heaps', async () => {
    const { session, connection } = await connected()
    const asked = session.getData('/a')
    const body = Buffer.concat([jute.buffer(Buffer.alloc(300, 65)), jute.stat(5)])
    const frame = jute.frame(jute.int((await connection.request()).xid), jute.long(1n), jute.int(0), body)
    for (const byte of frame) connection.send(Buffer.from([byte]))
    assert.equal((await asked).stat.version, 5)
    const event = jute.frame(jute.int(-1), jute.long(-1n), jute.int(0), jute.int(4), jute.int(3), jute.string('/nobody'))
    connection.send(Buffer.concat(Array.from({ length: 50_000 }, () => event)))
    await works(session, connection)
  })

  it('refuses a request that the server would hang up on, and bad arguments, alone', async () => {
    const { session, connection } = await connected()
    const large = Buffer.alloc(700_000)
    const ops = [1, 2].map(i => ({ type: 'create', path: `/large-${i}`, data: large }) as const)
    await assert.rejects(session.multi(ops), failsWith('ZK_LIMIT', false))
    await assert.rejects(session.create('/huge', Buffer.alloc(1_048_570), 'persistent'), failsWith('ZK_LIMIT', false))
    for (const path of ['', 'a', '/a/', '/a//b', '/../a', '/a\u0000b']) {
      await assert.rejects(session.exists(path), failsWith('ZK_BAD_ARGUMENTS', false))
      await assert.rejects(session.multi([{ type: 'check', path }]), failsWith('ZK_BAD_ARGUMENTS', false))
    }
    await assert.rejects(session.setData('/a', null, 1.5), failsWith('ZK_BAD_ARGUMENTS'))
    await works(session, connection)
  })

  it('holds no more operations than its limit', async () => {
    const { session, connection } = await connected({ maxOperations: 3 })
    const held = [1, 2, 3].map(i => session.exists(`/${i}`))
    await assert.rejects(session.exists('/4'), failsWith('ZK_LIMIT', false))
    for (const _ of held) connection.reply((await connection.request()).xid, -101)
    await Promise.all(held)
    await works(session, connection)
  })

  it('refused credentials end the session, and no message carries them', async () => {
    const { session, events } = open({ auth: { scheme: 'digest', auth: 'user:canary-secret' } })
    const waiting = assert.rejects(session.exists('/a'), error => {
      assert.ok(isZooKeeperError(error))
      assert.ok(!`${error.message}${JSON.stringify(error)}`.includes('canary'))
      return true
    })
    const connection = await peer.accept()
    await connection.greet()
    await connection.request()
    connection.reply(-4, -115)
    const failed = await events.first(event => event.type === 'failed')
    assert.equal(failed.type === 'failed' && failed.error.code, 'ZK_AUTH_FAILED')
    await waiting
    await connection.onClose
    const shown = JSON.stringify(events.all, (_, value) => (typeof value === 'bigint' ? String(value) : value))
    assert.ok(!shown.includes('canary'))
    assert.equal(session.state, 'failed')
  })

  it('does not hammer a server that accepts and hangs up', async () => {
    const { events } = open({ sessionTimeoutMs: 10_000 })
    const limitMs = world.monotonicMs() + 1_000
    while (world.monotonicMs() < limitMs) {
      const connection = await peer.accept()
      await connection.greet()
      connection.cut()
    }
    assert.ok(peer.connections <= 8, `${peer.connections} connections in a second`)
    assert.ok(events.all.some(event => event.type === 'reconnected'))
  })
})
