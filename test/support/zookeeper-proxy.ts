/**
 * A TCP proxy in front of a real ZooKeeper that a test can cut, silence and listen through. It notes each session's id and
 * password as they pass, so that a test can make a session expire: a second connection takes it over and closes it.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'

interface Pair {
  near: Socket
  far: Socket
}

export class ZooKeeperProxy {
  readonly targetPort: number
  /** Of each handshake that passed. */
  readonly sessions: { id: bigint; password: Buffer }[] = []
  /** Connections accepted so far. */
  accepted = 0
  #server: Server
  #pairs = new Set<Pair>()
  #refusing = false
  #silent = false

  private constructor(targetPort: number) {
    this.targetPort = targetPort
    this.#server = createServer(near => this.#accept(near))
  }

  static async start(targetPort: number): Promise<ZooKeeperProxy> {
    const proxy = new ZooKeeperProxy(targetPort)
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  /** Of the last handshake that passed. */
  get session(): { id: bigint; password: Buffer } | undefined {
    return this.sessions.at(-1)
  }

  get open(): number {
    return this.#pairs.size
  }

  /** Resets every connection; new ones pass unless `refuse` was called. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy()
      far.destroy()
    }
    this.#pairs.clear()
  }

  /** New connections are reset at once. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing
  }

  /** A black hole: connections stay open and nothing passes, in neither direction. */
  silence(silent: boolean): void {
    this.#silent = silent
  }

  /** Ends the session on the server from a second connection, as an expiry would. */
  async expireSession(): Promise<void> {
    if (!this.session) throw new Error('no session has passed yet')
    await closeSession(this.targetPort, this.session)
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }

  #accept(near: Socket): void {
    this.accepted++
    near.on('error', () => {})
    if (this.#refusing) return void near.resetAndDestroy()
    const far = connect(this.targetPort, '127.0.0.1')
    const pair = { near, far }
    this.#pairs.add(pair)
    let seen: Buffer | undefined = Buffer.alloc(0)
    near.on('data', bytes => this.#silent || far.write(bytes))
    far.on('data', bytes => {
      if (this.#silent) return
      if (seen) {
        seen = Buffer.concat([seen, bytes])
        if (seen.length >= 40) {
          if (seen.readInt32BE(8) > 0) this.sessions.push({ id: seen.readBigInt64BE(12), password: Buffer.from(seen.subarray(24, 40)) })
          seen = undefined
        }
      }
      near.write(bytes)
    })
    far.on('error', () => {})
    const end = () => {
      if (!this.#pairs.delete(pair)) return
      near.destroy()
      far.destroy()
    }
    near.on('close', end)
    far.on('close', end)
  }
}

/** Takes a session over and closes it: what its first owner then sees is an expiry. */
export async function closeSession(port: number, session: { id: bigint; password: Buffer }): Promise<void> {
  const hello = Buffer.alloc(4 + 4 + 8 + 4 + 8 + 4 + 16)
  hello.writeInt32BE(hello.length - 4, 0)
  hello.writeInt32BE(6_000, 16)
  hello.writeBigInt64BE(session.id, 20)
  hello.writeInt32BE(16, 28)
  session.password.copy(hello, 32)
  const goodbye = Buffer.alloc(12)
  goodbye.writeInt32BE(8, 0)
  goodbye.writeInt32BE(1, 4)
  goodbye.writeInt32BE(-11, 8)
  const socket = connect(port, '127.0.0.1')
  socket.write(hello)
  await new Promise<void>((resolve, reject) => {
    socket.once('data', () => socket.write(goodbye))
    socket.on('error', reject)
    socket.on('close', () => resolve())
    socket.setTimeout(10_000, () => socket.destroy(new Error('ZooKeeper did not close the session')))
  })
}
