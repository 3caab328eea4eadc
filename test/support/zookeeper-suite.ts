/**
 * What a session finds on a ZooKeeper, the real one or ours: operations, versions, watches, and the three ways in which a link can fail.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { isZooKeeperError } from '../../src/registry/zookeeper/errors.ts'
import { openSession, type SessionOptions } from '../../src/registry/zookeeper/open-session.ts'
import type { SessionEvent, WatchEvent, ZooKeeperSession } from '../../src/registry/zookeeper/session.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { Gathered } from './gathered.ts'
import { ZooKeeperProxy } from './zookeeper-proxy.ts'

const world = nodeWorld()

/** Sessions last from 2 to 20 ticks. */
export const tickMs = 200

export interface ServerUnderTest {
  readonly port: number
  kill(): Promise<void>
  /** Again, on the same port, with what it had. */
  start(): Promise<void>
  /** For good; default: `kill`. */
  end?(): Promise<void>
}

export function describeSessions(where: string, serve: () => Promise<ServerUnderTest>): void {
  describe(`a session on ${where}`, () => sessionsOn(serve))
}

function sessionsOn(serve: () => Promise<ServerUnderTest>): void {
  let server: ServerUnderTest
  let port = 0
  const sessions: ZooKeeperSession[] = []

  before(async () => {
    server = await serve()
    port = server.port
    const { session } = await open({ connectString: `127.0.0.1:${port}` })
    await session.makePath('/chroot')
  })

  after(async () => {
    await Promise.all(sessions.map(session => session.close()))
    await (server?.end ?? server?.kill)?.()
  })

  async function open(options: Partial<SessionOptions> = {}) {
    const session = openSession(world, { connectString: `127.0.0.1:${port}/chroot`, sessionTimeoutMs: 2_000, ...options })
    sessions.push(session)
    const events = new Gathered<SessionEvent>()
    session.on(event => events.add(event))
    await events.first(event => event.type === 'connected')
    return { session, events }
  }

  async function openThroughProxy(options: Partial<SessionOptions> = {}) {
    const proxy = await ZooKeeperProxy.start(port)
    return { proxy, ...(await open({ connectString: `127.0.0.1:${proxy.port}/chroot`, ...options })) }
  }

  const failsWith = (code: Parameters<typeof isZooKeeperError>[1]) => (error: unknown) => {
    assert.ok(isZooKeeperError(error, code), `${code} was expected, not ${String(error)}`)
    return true
  }

  it('reads what it wrote, with stats, and names each refusal', async () => {
    const { session } = await open()
    assert.equal(await session.exists('/plain'), undefined)
    await assert.rejects(session.getData('/plain'), failsWith('ZK_NO_NODE'))
    assert.equal(await session.create('/plain', Buffer.from('one'), 'persistent'), '/plain')
    await assert.rejects(session.create('/plain', null, 'persistent'), failsWith('ZK_NODE_EXISTS'))
    const read = await session.getData('/plain')
    assert.equal(read.data.toString(), 'one')
    assert.equal(read.stat.version, 0)
    assert.equal(read.stat.ephemeralOwner, 0n)
    assert.ok(read.stat.czxid > 0n)
    assert.ok(Math.abs(read.stat.ctime - Date.now()) < 60_000)
    assert.equal((await session.setData('/plain', Buffer.from('two'), 0)).version, 1)
    await assert.rejects(session.setData('/plain', Buffer.from('three'), 0), failsWith('ZK_BAD_VERSION'))
    await session.makePath('/plain/a/b')
    assert.deepEqual((await session.getChildren('/plain')).children, ['a'])
    assert.equal((await session.getData('/plain/a')).data.length, 0)
    await assert.rejects(session.remove('/plain'), failsWith('ZK_NOT_EMPTY'))
    await session.remove('/plain/a/b')
    await session.remove('/plain/a', 0)
    await session.remove('/plain')
  })

  it('makes sequential and ephemeral nodes; the ephemeral ones are its own and go with it', async () => {
    const { session } = await open()
    const { session: other } = await open()
    const first = await session.create('/job-', null, 'persistent-sequential')
    const second = await session.create('/job-', Buffer.from('x'), 'ephemeral-sequential')
    assert.match(first, /^\/job-\d{10}$/)
    assert.ok(second > first)
    await session.create('/mine', Buffer.from('x'), 'ephemeral')
    assert.equal((await other.exists('/mine'))?.ephemeralOwner, session.sessionId)
    await assert.rejects(session.create('/mine/child', null, 'persistent'), failsWith('ZK_NO_CHILDREN_FOR_EPHEMERALS'))
    const gone = new Gathered<WatchEvent>()
    await other.exists('/mine', event => gone.add(event))
    await session.close()
    assert.deepEqual(await gone.first(() => true), { type: 'deleted', path: '/mine' })
    await other.remove(first)
  })

  it('honours version 0 in a transaction and names the step that failed', async () => {
    const { session } = await open()
    await session.create('/guard', Buffer.from('a'), 'persistent')
    await session.multi([
      { type: 'check', path: '/guard', version: 0 },
      { type: 'create', path: '/made', data: Buffer.from('m') },
      { type: 'setData', path: '/guard', data: Buffer.from('b'), version: 0 }
    ])
    const stale = [
      [{ type: 'check', path: '/guard', version: 0 }],
      [{ type: 'setData', path: '/guard', data: null, version: 0 }],
      [{ type: 'remove', path: '/guard', version: 0 }]
    ] as const
    for (const [op] of stale) {
      await assert.rejects(session.multi([{ type: 'setData', path: '/made', data: Buffer.from('no') }, op]), error => {
        assert.ok(isZooKeeperError(error, 'ZK_BAD_VERSION'))
        assert.equal(error.details.index, 1)
        assert.equal(error.details.path, '/guard')
        return true
      })
    }
    assert.equal((await session.getData('/made')).data.toString(), 'm', 'a refused transaction changes nothing')
    await session.multi([
      { type: 'remove', path: '/made' },
      { type: 'remove', path: '/guard', version: 1 }
    ])
    await session.multi([])
  })

  it('fires each watch once, for what it was armed', async () => {
    const { session } = await open()
    const { session: other } = await open()
    const events = new Gathered<WatchEvent>()
    const add = (event: WatchEvent) => events.add(event)
    await session.exists('/watched', add)
    await other.create('/watched', null, 'persistent')
    await events.count(1)
    await session.getData('/watched', add)
    await session.getChildren('/watched', add)
    await other.setData('/watched', Buffer.from('x'))
    await events.count(2)
    await other.create('/watched/child', null, 'persistent')
    await events.count(3)
    await other.setData('/watched', Buffer.from('y'))
    await other.remove('/watched/child')
    await session.exists('/watched', add)
    await other.remove('/watched')
    await events.count(4)
    assert.deepEqual(
      events.all.map(event => event.type),
      ['created', 'changed', 'children', 'deleted']
    )
    assert.ok(events.all.every(event => event.path === '/watched'))
  })

  it('comes back as the same session after a cut, keeps its nodes, and its watches tell what they missed', async () => {
    const { proxy, session, events } = await openThroughProxy()
    const { session: other } = await open()
    await session.create('/kept', null, 'ephemeral')
    await other.create('/missed', null, 'persistent')
    const watched = new Gathered<WatchEvent>()
    await session.getData('/missed', event => watched.add(event))
    await session.exists('/appears', event => watched.add(event))
    proxy.refuse(true)
    proxy.cut()
    await events.first(event => event.type === 'suspended')
    assert.equal(session.state, 'suspended')
    const waiting = session.getData('/missed')
    await other.setData('/missed', Buffer.from('while away'))
    await other.create('/appears', null, 'ephemeral')
    assert.equal(watched.all.length, 0)
    proxy.refuse(false)
    const back = await events.first(event => event.type === 'reconnected')
    assert.equal(back.type === 'reconnected' && back.sessionId, session.sessionId)
    assert.equal((await waiting).data.toString(), 'while away')
    await watched.count(2)
    assert.deepEqual(new Set(watched.all.map(event => `${event.type} ${event.path}`)), new Set(['changed /missed', 'created /appears']))
    assert.equal((await other.exists('/kept'))?.ephemeralOwner, session.sessionId)
    await proxy.close()
  })

  it('is told of an expiry as soon as it reaches a server again', async () => {
    const { proxy, session, events } = await openThroughProxy()
    const { session: other } = await open()
    await session.create('/lost', null, 'ephemeral')
    await proxy.expireSession()
    const end = await events.first(event => event.type === 'expired')
    assert.deepEqual(end, { type: 'expired', by: 'server' })
    assert.equal(session.state, 'expired')
    assert.equal(await other.exists('/lost'), undefined)
    await assert.rejects(session.exists('/'), failsWith('ZK_SESSION_EXPIRED'))
    await proxy.close()
  })

  it('ends by its own deadline in a black hole, not before the server could have and not long after', async () => {
    const { proxy, session, events } = await openThroughProxy()
    await session.create('/held', null, 'ephemeral')
    const silentFromMs = world.monotonicMs()
    proxy.silence(true)
    const inFlight = assert.rejects(session.exists('/'), failsWith('ZK_CONNECTION_LOSS'))
    await events.first(event => event.type === 'suspended')
    const suspendedMs = world.monotonicMs() - silentFromMs
    assert.ok(suspendedMs < session.negotiatedTimeoutMs, `suspended after ${suspendedMs} ms`)
    await inFlight
    const waiting = assert.rejects(session.exists('/'), (error: unknown) => isZooKeeperError(error) && error.details.sent === false)
    assert.deepEqual(await events.first(event => event.type === 'expired'), { type: 'expired', by: 'local-deadline' })
    const lease = world.monotonicMs() - session.leaseFromMs
    assert.ok(lease >= session.negotiatedTimeoutMs - 5 && lease < session.negotiatedTimeoutMs + 500, `after ${lease} ms`)
    await waiting
    const dialled = proxy.accepted
    proxy.silence(false)
    const { session: other } = await open()
    const gone = new Gathered<WatchEvent>()
    if (await other.exists('/held', event => gone.add(event))) await gone.first(() => true)
    assert.equal(proxy.accepted, dialled, 'the ended session dials no more')
    assert.equal(proxy.open, 0)
    await proxy.close()
  })

  it('lives on through many session timeouts while it is idle', async () => {
    const { session, events } = await open({ sessionTimeoutMs: 2 * tickMs })
    const leases = new Set<number>()
    const limit = world.monotonicMs() + 40_000
    while (leases.size < 16 && world.monotonicMs() < limit) {
      leases.add(session.leaseFromMs)
      await new Promise<void>(resolve => world.defer(resolve))
    }
    assert.equal(leases.size, 16, 'pings are answered, one after the other')
    assert.equal(session.state, 'connected')
    assert.equal(events.all.length, 1)
  })

  it('takes the timeout that the server grants', async () => {
    const { session } = await open({ sessionTimeoutMs: 600_000 })
    assert.equal(session.negotiatedTimeoutMs, 20 * tickMs)
  })

  it('goes on when the server is killed and started again', async () => {
    const { session, events } = await open({ sessionTimeoutMs: 20 * tickMs })
    await server.kill()
    await events.first(event => event.type === 'suspended')
    await server.start()
    const next = await events.first(event => event.type === 'reconnected' || event.type === 'expired', 20_000)
    if (next.type === 'reconnected') assert.ok(await session.exists('/'))
  })

  it('shows its digest credentials before any operation, on each connection', async () => {
    const auth = { scheme: 'digest', auth: 'canary:secret-canary' }
    const { session, proxy, events } = await openThroughProxy({ auth })
    assert.ok(await session.exists('/'))
    proxy.cut()
    await events.first(event => event.type === 'reconnected')
    assert.ok(await session.exists('/'))
    assert.ok(!JSON.stringify(events.all, (_, value) => (typeof value === 'bigint' ? String(value) : value)).includes('secret-canary'))
    await proxy.close()
    const refused = openSession(world, { connectString: `127.0.0.1:${port}`, auth: { scheme: 'nonsense', auth: 'x' } })
    sessions.push(refused)
    const told = new Gathered<SessionEvent>()
    refused.on(event => told.add(event))
    const failed = await told.first(event => event.type === 'failed')
    assert.equal(failed.type === 'failed' && failed.error.code, 'ZK_AUTH_FAILED')
  })

  it('says which chroot is missing', async () => {
    const { session } = await open({ connectString: `127.0.0.1:${port}/nowhere` })
    await assert.rejects(session.makePath('/a/b'), failsWith('ZK_CHROOT_MISSING'))
  })
}
