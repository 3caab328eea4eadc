/**
 * A peer on loopback that speaks just enough of ZooKeeper's protocol to set up a situation, and then whatever bytes a test wants.
 * Pings and the end of the session are answered unless it is told not to.
 */
import { createServer, type Server, type Socket } from 'node:net'

export interface Request {
  xid: number
  type: number
  body: Buffer
}

export interface Hello {
  lastZxidSeen: bigint
  timeoutMs: number
  sessionId: bigint
  password: Buffer
}

/** Jute's primitives. */
export const jute = {
  int(value: number): Buffer {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(value)
    return bytes
  },
  long(value: bigint): Buffer {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(value)
    return bytes
  },
  buffer(value: Buffer): Buffer {
    return Buffer.concat([jute.int(value.length), value])
  },
  string(value: string): Buffer {
    return jute.buffer(Buffer.from(value))
  },
  stat(version = 0): Buffer {
    const bytes = Buffer.alloc(68)
    bytes.writeInt32BE(version, 32)
    return bytes
  },
  frame(...parts: Buffer[]): Buffer {
    return jute.buffer(Buffer.concat(parts))
  },
  /** A string inside a request's body; answers with what follows it too. */
  readString(body: Buffer, at = 0): { text: string; next: number } {
    const length = body.readInt32BE(at)
    return { text: body.toString('utf8', at + 4, at + 4 + length), next: at + 4 + length }
  }
}

/** One connection, seen from the peer. Everything is taken in order. */
export class PeerConnection {
  readonly socket: Socket
  answersPings = true
  /** A closeSession is answered at once, unless a test wants to see it. */
  answersClose = true
  pings = 0
  closed = false
  readonly #ended: Promise<void>
  #frames: Buffer[] = []
  #pending = Buffer.alloc(0)
  #waiting: (() => void)[] = []
  #greeted = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', bytes => this.#received(bytes))
    this.#ended = new Promise(resolve =>
      socket.on('close', () => {
        this.closed = true
        resolve()
        this.#wake()
      })
    )
  }

  /** The client has closed the connection; rejects when it does not. */
  get onClose(): Promise<void> {
    let timer: NodeJS.Timeout
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the client keeps the connection open')), 10_000)
    })
    return Promise.race([this.#ended, late]).finally(() => clearTimeout(timer))
  }

  /** Takes the ConnectRequest. */
  async hello(): Promise<Hello> {
    const body = await this.#frame()
    return {
      lastZxidSeen: body.readBigInt64BE(4),
      timeoutMs: body.readInt32BE(12),
      sessionId: body.readBigInt64BE(16),
      password: Buffer.from(body.subarray(28))
    }
  }

  /** Takes the ConnectRequest and answers it. */
  async greet(answer: { timeoutMs?: number; sessionId?: bigint; password?: Buffer } = {}): Promise<Hello> {
    const hello = await this.hello()
    const { timeoutMs = hello.timeoutMs, sessionId = 0x1234n, password = Buffer.alloc(16, 7) } = answer
    this.send(jute.frame(jute.int(0), jute.int(timeoutMs), jute.long(sessionId), jute.buffer(password), Buffer.from([0])))
    return hello
  }

  async request(): Promise<Request> {
    const body = await this.#frame()
    return { xid: body.readInt32BE(0), type: body.readInt32BE(4), body: body.subarray(8) }
  }

  /** Header and body as a frame. */
  reply(xid: number, error: number, body: Buffer = Buffer.alloc(0), zxid = 1n): void {
    this.send(jute.frame(jute.int(xid), jute.long(zxid), jute.int(error), body))
  }

  event(type: number, path: string): void {
    this.reply(-1, 0, Buffer.concat([jute.int(type), jute.int(3), jute.string(path)]), -1n)
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes)
  }

  cut(): void {
    this.socket.resetAndDestroy()
  }

  async #frame(): Promise<Buffer> {
    const limit = Date.now() + 10_000
    for (;;) {
      const frame = this.#frames.shift()
      if (frame) return frame
      if (this.closed) throw new Error('the client has closed the connection')
      if (Date.now() > limit) throw new Error('the client sent nothing for 10 s')
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, 1_000)
        this.#waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  #received(bytes: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, bytes])
    while (this.#pending.length >= 4 && this.#pending.length >= 4 + this.#pending.readInt32BE(0)) {
      const size = 4 + this.#pending.readInt32BE(0)
      this.#take(Buffer.from(this.#pending.subarray(4, size)))
      this.#pending = this.#pending.subarray(size)
    }
    this.#wake()
  }

  #take(frame: Buffer): void {
    if (this.#greeted && frame.length === 8 && frame.readInt32BE(0) === -2) {
      this.pings++
      if (this.answersPings) this.reply(-2, 0)
      return
    }
    if (this.#greeted && this.answersClose && frame.length === 8 && frame.readInt32BE(4) === -11) {
      this.reply(frame.readInt32BE(0), 0)
      this.socket.end()
      return
    }
    this.#greeted = true
    this.#frames.push(frame)
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

export class HostileZooKeeper {
  connections = 0
  readonly live = new Set<PeerConnection>()
  #server: Server
  #arrived: PeerConnection[] = []
  #waiting: ((connection: PeerConnection) => void)[] = []

  private constructor() {
    this.#server = createServer(socket => {
      this.connections++
      const connection = new PeerConnection(socket)
      this.live.add(connection)
      socket.on('close', () => this.live.delete(connection))
      const waiting = this.#waiting.shift()
      if (waiting) waiting(connection)
      else this.#arrived.push(connection)
    })
  }

  static async start(): Promise<HostileZooKeeper> {
    const peer = new HostileZooKeeper()
    await new Promise<void>(resolve => peer.#server.listen(0, '127.0.0.1', resolve))
    return peer
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as { port: number }).port}`
  }

  /** The next connection, in the order of arrival. */
  accept(limitMs = 10_000): Promise<PeerConnection> {
    const arrived = this.#arrived.shift()
    if (arrived) return Promise.resolve(arrived)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no connection within ${limitMs} ms`)), limitMs)
      this.#waiting.push(connection => {
        clearTimeout(timer)
        resolve(connection)
      })
    })
  }

  async close(): Promise<void> {
    for (const connection of this.live) connection.cut()
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }
}
