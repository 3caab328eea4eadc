/**
 * A ZooKeeper of one test file's own, without any broker, and sessions on it directly or through a proxy that can cut them.
 */
import { join } from 'node:path'
import { openSession, type SessionOptions } from '../../src/registry/zookeeper/open-session.ts'
import type { SessionEvent, ZooKeeperSession } from '../../src/registry/zookeeper/session.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { Gathered } from './gathered.ts'
import { freePort } from './ports.ts'
import type { ServerProcess } from './server-process.ts'
import { zookeeperServer } from './servers.ts'
import { temporaryFolder } from './watchdog.ts'
import { ZooKeeperProxy } from './zookeeper-proxy.ts'

export interface Opened {
  session: ZooKeeperSession
  events: Gathered<SessionEvent>
}

export class ZooKeeperOnly {
  readonly port: number
  readonly chroot: string
  readonly #server: ServerProcess
  readonly #sessions: ZooKeeperSession[] = []
  readonly #proxies: ZooKeeperProxy[] = []

  static async start(chroot = '/kafka', tickMs = 200): Promise<ZooKeeperOnly> {
    const port = await freePort()
    const server = await zookeeperServer(join(temporaryFolder(), 'zookeeper-only'), port, tickMs)
    await server.start()
    const zookeeper = new ZooKeeperOnly(port, chroot, server)
    await (await zookeeper.open({ connectString: `127.0.0.1:${port}` })).session.makePath(chroot)
    return zookeeper
  }

  private constructor(port: number, chroot: string, server: ServerProcess) {
    this.port = port
    this.chroot = chroot
    this.#server = server
  }

  get address(): string {
    return `127.0.0.1:${this.port}${this.chroot}`
  }

  /** A session that is connected. */
  async open(options: Partial<SessionOptions> = {}): Promise<Opened> {
    const session = openSession(nodeWorld(), { connectString: this.address, sessionTimeoutMs: 2_000, ...options })
    this.#sessions.push(session)
    const events = new Gathered<SessionEvent>()
    session.on(event => events.add(event))
    await events.first(event => event.type === 'connected')
    return { session, events }
  }

  async proxy(): Promise<ZooKeeperProxy> {
    const proxy = await ZooKeeperProxy.start(this.port)
    this.#proxies.push(proxy)
    return proxy
  }

  async openThroughProxy(options: Partial<SessionOptions> = {}): Promise<Opened & { proxy: ZooKeeperProxy }> {
    const proxy = await this.proxy()
    return { proxy, ...(await this.open({ connectString: `127.0.0.1:${proxy.port}${this.chroot}`, ...options })) }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sessions.map(session => session.close()))
    await Promise.all(this.#proxies.map(proxy => proxy.close()))
    await this.#server.kill()
  }
}
