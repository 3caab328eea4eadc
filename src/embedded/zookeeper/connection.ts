/**
 * One connection: a four-letter word, or a handshake and then requests, each answered in turn. An event of a watch goes out before the answer to
 * whatever set it off.
 */
import { ProtocolError } from '../../model/errors.ts'
import type { Transport, TransportHandlers } from '../../model/world.ts'
import { FrameReader } from '../../wire/frames.ts'
import type { Core } from './core.ts'
import { ZkFault } from './faults.ts'
import { JuteReader, JuteWriter } from './jute.ts'
import { type Client, handle } from './requests.ts'
import type { Holder, Session } from './sessions.ts'
import type { WatchedEvent, Watcher } from './watches.ts'

export interface ConnectionHost {
  readonly core: Core
  /** Not any more when the server has stopped. */
  later(delayMs: number, callback: () => void): void
  /** Largest request, `jute.maxbuffer`. */
  readonly maxRequestBytes: number
  /** The answer to a four-letter word; undefined: that is none. */
  word(word: string): string | undefined
  /** What becomes of an event on its way to a session. */
  event(sessionId: bigint, event: WatchedEvent): EventFate
  /** What becomes of an answer. */
  answer(sessionId: bigint, opcode: number): AnswerFate
  closed(connection: ZooKeeperConnection): void
}

export type EventFate = 'deliver' | 'swallow' | { delayMs: number }
export type AnswerFate = 'deliver' | 'drop' | 'close' | { delayMs: number }

/** More is never needed to say hello. */
const HELLO_BYTES = 1_024
/** Answers that a client leaves unread beyond this cost it its connection. */
const MAX_UNSENT_BYTES = 64 << 20
const XID = { event: -1, ping: -2, auth: -4 } as const
const OPCODE = { ping: 11, auth: 100, closeSession: -11 } as const
const NO_SESSION = { id: 0n, password: Buffer.alloc(16), timeoutMs: 0 }

export class ZooKeeperConnection implements Holder, Watcher {
  readonly handlers: Omit<TransportHandlers, 'onConnect'>
  /** The port that it came to. */
  readonly port: number
  #host: ConnectionHost
  #transport: Transport
  #frames: FrameReader
  #session: Session | undefined
  #word: Buffer | undefined = Buffer.alloc(0)
  #closed = false
  /** The last answer is on its way: what still comes is not looked at. */
  #over = false
  /** What has come, and what is to be told, while nothing may be answered; undefined: go on. */
  #held: { requests: Buffer[]; events: Buffer[] } | undefined
  /** A late answer and what is behind it: nothing overtakes an answer on a connection. */
  #behind: { frame: Buffer; late: boolean }[] = []

  constructor(host: ConnectionHost, transport: Transport, port: number) {
    this.#host = host
    this.port = port
    this.#transport = transport
    this.#frames = new FrameReader({ maxFrameBytes: HELLO_BYTES, onFrame: frame => this.#receive(frame) })
    this.handlers = {
      onData: chunk => this.#push(chunk),
      onDrain: () => {},
      onClose: () => this.#gone()
    }
  }

  get sessionId(): bigint | undefined {
    return this.#session?.id
  }

  /** As if the network had broken: the session lives on. */
  destroy(): void {
    this.#transport.destroy()
    this.#gone()
  }

  /** Nothing is answered, and the session hears nothing, until `release`. */
  hold(): void {
    this.#held ??= { requests: [], events: [] }
  }

  release(): void {
    const held = this.#held
    this.#held = undefined
    for (const frame of held?.events ?? []) this.#write(frame)
    for (const frame of held?.requests ?? []) this.#receive(frame)
  }

  moved(): void {
    this.#session = undefined
    this.destroy()
  }

  expired(): void {
    this.moved()
  }

  watched(event: WatchedEvent): void {
    if (!this.#session) return
    const fate = this.#host.event(this.#session.id, event)
    if (fate === 'swallow') return
    const frame = new JuteWriter().int(XID.event).long(-1n).int(0).int(event.type).int(3).string(event.path).frame()
    if (fate === 'deliver') this.#tell(frame)
    else this.#host.later(fate.delayMs, () => this.#tell(frame))
  }

  #tell(frame: Buffer): void {
    if (this.#held) this.#held.events.push(frame)
    else this.#write(frame)
  }

  /** Until four bytes are there nobody knows whether they are a word or a length. */
  #push(chunk: Buffer): void {
    if (this.#closed) return
    let bytes = chunk
    if (this.#word) {
      bytes = Buffer.concat([this.#word, chunk])
      this.#word = bytes
      if (bytes.length < 4) return
      this.#word = undefined
      const answer = this.#host.word(bytes.toString('latin1', 0, 4))
      if (answer !== undefined) {
        this.#write(Buffer.from(answer))
        this.#transport.end()
        return
      }
    }
    try {
      this.#frames.push(bytes)
    } catch (error) {
      // Too long, cut, or no ZooKeeper's at all: a real server closes without a word.
      if (error instanceof ProtocolError || (error instanceof ZkFault && error.code === 'MARSHALLING_ERROR')) this.destroy()
      else throw error
    }
  }

  #receive(frame: Buffer): void {
    if (this.#closed || this.#over) return
    if (this.#held) {
      // A copy: the frame's memory is the transport's.
      this.#held.requests.push(Buffer.from(frame))
      return
    }
    if (this.#session) this.#request(this.#session, new JuteReader(frame))
    else this.#hello(new JuteReader(frame))
  }

  #hello(reader: JuteReader): void {
    const { core } = this.#host
    reader.int()
    const zxid = reader.long()
    const [timeoutMs, id, password] = [reader.int(), reader.long(), reader.buffer() ?? Buffer.alloc(0)]
    // Old clients do not know of read-only servers, and are answered as they ask.
    const readOnly = reader.remaining > 0
    // It has seen what we have not: we are behind, and it shall look for another.
    if (zxid > core.tree.zxid) return this.destroy()
    const session = id === 0n ? core.sessions.open(timeoutMs) : core.sessions.resume(id, password)
    if (id === 0n) core.opened()
    const told = session ?? NO_SESSION
    const out = new JuteWriter().int(0).int(told.timeoutMs).long(told.id).buffer(told.password)
    this.#write((readOnly ? out.bool(false) : out).frame())
    if (!session) return this.#end()
    session.holder = this
    this.#session = session
    this.#frames.maxFrameBytes = this.#host.maxRequestBytes
  }

  #request(session: Session, reader: JuteReader): void {
    const { core } = this.#host
    const [xid, opcode] = [reader.int(), reader.int()]
    core.sessions.heard(session)
    if (opcode === OPCODE.ping) return this.#answer(session, opcode, XID.ping, 0)
    if (opcode === OPCODE.closeSession) {
      core.sessions.end(session.id, this)
      this.#answer(session, opcode, xid, 0)
      this.#session = undefined
      core.watches.forget(this)
      return this.#end()
    }
    const client: Client = { session, sessionId: session.id, identities: session.identities, watcher: this, address: '127.0.0.1' }
    try {
      const body = handle(opcode, core, client, reader)
      this.#answer(session, opcode, xid, 0, body)
    } catch (error) {
      if (!(error instanceof ZkFault)) throw error
      this.#answer(session, opcode, xid, error.number)
      if (opcode === OPCODE.auth) this.#end()
    }
  }

  #answer(session: Session, opcode: number, xid: number, error: number, body?: JuteWriter): void {
    const out = new JuteWriter().int(xid).long(this.#host.core.tree.zxid).int(error)
    if (body) out.raw(body.bytes())
    const fate = this.#host.answer(session.id, opcode)
    if (fate === 'deliver') this.#write(out.frame())
    else if (fate === 'close') this.destroy()
    else if (fate !== 'drop') this.#writeLate(out.frame(), fate.delayMs)
  }

  /** Closes when all that was answered is written. */
  #end(): void {
    this.#over = true
    if (this.#behind.length === 0) this.#transport.end()
  }

  #writeLate(frame: Buffer, delayMs: number): void {
    const entry = { frame, late: true }
    this.#behind.push(entry)
    this.#host.later(delayMs, () => {
      entry.late = false
      while (this.#behind[0]?.late === false) this.#send(this.#behind.shift()!.frame)
      if (this.#over) this.#end()
    })
  }

  #write(frame: Buffer): void {
    if (this.#behind.length > 0) this.#behind.push({ frame, late: false })
    else this.#send(frame)
  }

  #send(frame: Buffer): void {
    if (this.#closed) return
    this.#transport.write([frame])
    // It asks and does not read.
    if (this.#transport.bufferedBytes > MAX_UNSENT_BYTES) this.destroy()
  }

  #gone(): void {
    if (this.#closed) return
    this.#closed = true
    this.#host.core.watches.forget(this)
    if (this.#session?.holder === this) this.#session.holder = undefined
    this.#session = undefined
    this.#host.closed(this)
  }
}
