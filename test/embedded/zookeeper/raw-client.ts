/**
 * A ZooKeeper client by hand: frames in their order, events and answers alike, and whatever bytes a test wants to send.
 */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { JuteReader, JuteWriter } from '../../../src/embedded/zookeeper/jute.ts'
import { EmbeddedZooKeeper, type EmbeddedZooKeeperOptions } from '../../../src/embedded/zookeeper/server.ts'
import { nodeWorld } from '../../../src/world/node.ts'
import { Gathered } from '../../support/gathered.ts'

export type Frame = { type: 'frame'; xid: number; zxid: bigint; error: number; reader: JuteReader }
type Arrival = Frame | { type: 'hello'; bytes: Buffer } | { type: 'closed' }

export interface Hello {
  zxid?: bigint
  timeoutMs?: number
  id?: bigint
  password?: Buffer
  /** Undefined: an old client's, without the byte. */
  readOnly?: boolean
}

export const ANYONE = { perms: 31, scheme: 'world', id: 'anyone' }
const EVENT = -1

export class RawClient {
  id = 0n
  password = Buffer.alloc(16)
  timeoutMs = 0
  readonly arrivals = new Gathered<Arrival>()
  readonly socket: Socket
  #pending = Buffer.alloc(0)
  #greeted = false
  #xid = 0

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port })
    this.socket.setNoDelay()
    this.socket.on('data', chunk => this.#push(chunk))
    this.socket.on('error', () => {})
    this.socket.on('close', () => this.arrivals.add({ type: 'closed' }))
  }

  static async open(port: number, hello: Hello = {}): Promise<RawClient> {
    const client = new RawClient(port)
    await client.hello(hello)
    return client
  }

  /** Answers with the body of the server's answer. */
  async hello(
    { zxid = 0n, timeoutMs = 10_000, id = 0n, password = Buffer.alloc(16), readOnly = false }: Hello,
    old = false
  ): Promise<Buffer> {
    const out = new JuteWriter().int(0).long(zxid).int(timeoutMs).long(id).buffer(password)
    this.send(old ? out : out.bool(readOnly))
    const got = await this.arrivals.first(each => each.type === 'hello' || each.type === 'closed')
    assert.equal(got.type, 'hello', 'the server closed')
    const { bytes } = got as { bytes: Buffer }
    const reader = new JuteReader(bytes)
    reader.int()
    Object.assign(this, { timeoutMs: reader.int(), id: reader.long(), password: reader.buffer() })
    return bytes
  }

  send(body: JuteWriter): void {
    this.socket.write(body.frame())
  }

  /** Sends a request; its xid. */
  post(opcode: number, body = new JuteWriter(), xid = ++this.#xid): number {
    this.send(new JuteWriter().int(xid).int(opcode).raw(body.bytes()))
    return xid
  }

  async ask(opcode: number, body?: JuteWriter, xid?: number): Promise<Frame> {
    const sent = this.post(opcode, body, xid)
    return this.answer(sent)
  }

  async answer(xid: number): Promise<Frame> {
    return (await this.arrivals.first(each => each.type === 'frame' && each.xid === xid)) as Frame
  }

  closed(): Promise<Arrival> {
    return this.arrivals.first(each => each.type === 'closed')
  }

  /** What watches have told so far, as `type path`. */
  get events(): string[] {
    return this.frames.filter(frame => frame.xid === EVENT).map(told)
  }

  get frames(): Frame[] {
    return this.arrivals.all.filter(each => each.type === 'frame')
  }

  /** All in the order of their arrival: events as `type path`, answers as `#xid`. */
  get order(): string[] {
    return this.frames.map(frame => (frame.xid === EVENT ? told(frame) : `#${frame.xid}`))
  }

  // The requests that tests need most

  create(path: string, { data = '', mode = 0, acl = [ANYONE] } = {}): Promise<Frame> {
    return this.ask(1, createBody(path, data, mode, acl))
  }

  delete(path: string, version = -1): Promise<Frame> {
    return this.ask(2, new JuteWriter().string(path).int(version))
  }

  exists(path: string, watch = false): Promise<Frame> {
    return this.ask(3, pathBody(path, watch))
  }

  getData(path: string, watch = false): Promise<Frame> {
    return this.ask(4, pathBody(path, watch))
  }

  setData(path: string, data = '', version = -1): Promise<Frame> {
    return this.ask(5, new JuteWriter().string(path).buffer(Buffer.from(data)).int(version))
  }

  getChildren(path: string, watch = false): Promise<Frame> {
    return this.ask(8, pathBody(path, watch))
  }

  #push(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk])
    while (this.#pending.length >= 4) {
      const size = this.#pending.readInt32BE()
      if (this.#pending.length < 4 + size) return
      const bytes = Buffer.from(this.#pending.subarray(4, 4 + size))
      this.#pending = this.#pending.subarray(4 + size)
      if (!this.#greeted) {
        this.#greeted = true
        this.arrivals.add({ type: 'hello', bytes })
        continue
      }
      const reader = new JuteReader(bytes)
      this.arrivals.add({ type: 'frame', xid: reader.int(), zxid: reader.long(), error: reader.int(), reader })
    }
  }
}

const seen = new WeakMap<Frame, string>()

/** Its reader is at the body, and is read once. */
function told(frame: Frame): string {
  if (!seen.has(frame)) {
    const type = frame.reader.int()
    frame.reader.int()
    seen.set(frame, `${['', 'created', 'deleted', 'changed', 'children'][type]} ${frame.reader.string()}`)
  }
  return seen.get(frame)!
}

export const pathBody = (path: string, watch: boolean) => new JuteWriter().string(path).bool(watch)

export function createBody(path: string, data: string, mode: number, acl = [ANYONE]): JuteWriter {
  const out = new JuteWriter().string(path).buffer(Buffer.from(data))
  return out.vector(acl, ({ perms, scheme, id }) => void out.int(perms).string(scheme).string(id)).int(mode)
}

/** The stat that an answer goes on with. */
export function readStat(reader: JuteReader) {
  const times = { czxid: reader.long(), mzxid: reader.long(), ctime: reader.long(), mtime: reader.long() }
  const versions = { version: reader.int(), cversion: reader.int(), aversion: reader.int() }
  return { ...times, ...versions, owner: reader.long(), dataLength: reader.int(), children: reader.int(), pzxid: reader.long() }
}

export const strings = (reader: JuteReader): string[] => reader.vector(() => reader.string())

/** Whatever is open when the test ends is closed. */
export async function serve(t: TestContext, options: Partial<EmbeddedZooKeeperOptions> = {}) {
  const server = await EmbeddedZooKeeper.start({ world: nodeWorld(), ...options })
  const port = Number(server.address.split(':')[1])
  const clients: RawClient[] = []
  t.after(() => {
    server.stop()
    for (const client of clients) client.socket.destroy()
  })
  const raw = () => {
    const client = new RawClient(port)
    clients.push(client)
    return client
  }
  const open = async (hello: Hello = {}) => {
    const client = raw()
    await client.hello(hello)
    return client
  }
  return { server, port, raw, open }
}
