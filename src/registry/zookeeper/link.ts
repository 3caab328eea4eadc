/**
 * One connection to one ZooKeeper server: dialled through the World, with one deadline over dial and handshake, and the
 * validating framer in front. To the library it looks like the socket that it expects.
 */
import { ConnectionError, TimeoutError } from '../../model/errors.ts'
import type { Timer, Transport, World } from '../../model/world.ts'
import type { ServerName } from './connect-string.ts'
import { FrameReader } from './frames.ts'
import type { LibrarySocket } from './library.ts'

/** Before the handshake is answered nothing longer is accepted: a ConnectResponse has 37 bytes. */
const maxHandshakeBytes = 1024

export interface LinkEvents {
  /** Bytes can be written: say hello. */
  open(): void
  /** A whole frame, head included. A throw drops the link. */
  frame(frame: Buffer): void
  drained(): void
  /** Once, at the end, whoever caused it. Nothing comes after it. */
  lost(reason: Error): void
}

export class Link implements LibrarySocket {
  readonly address: ServerName
  readonly #world: World
  readonly #events: LinkEvents
  readonly #frames: FrameReader
  readonly #maxFrameBytes: number
  #transport: Transport | undefined
  #deadline: Timer | undefined
  #ended = false

  constructor(world: World, address: ServerName, limits: { connectTimeoutMs: number; maxFrameBytes: number }, events: LinkEvents) {
    this.#world = world
    this.address = address
    this.#events = events
    this.#maxFrameBytes = limits.maxFrameBytes
    this.#frames = new FrameReader(maxHandshakeBytes, frame => {
      if (!this.#ended) events.frame(frame)
    })
    this.#deadline = world.setTimer(() => this.drop(this.#tooSlow(limits.connectTimeoutMs)), limits.connectTimeoutMs)
  }

  /** `host:port`, for messages. */
  get name(): string {
    const { host, port } = this.address
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  }

  dial(): void {
    const transport = this.#world.dial(this.address, {
      onConnect: () => this.#ended || this.#events.open(),
      onData: chunk => this.#received(chunk),
      onDrain: () => this.#ended || this.#events.drained(),
      onClose: error =>
        this.drop(error ?? new ConnectionError('ZK_LINK_CLOSED', `${this.name} closed the connection.`, { retriable: true }))
    })
    // A World may refuse at once, inside `dial`.
    if (this.#ended) transport.destroy()
    else this.#transport = transport
  }

  /** The server has answered the handshake: no more deadline, full-sized frames. */
  established(): void {
    this.#clearDeadline()
    this.#frames.limit(this.#maxFrameBytes)
  }

  write(bytes: Buffer): boolean {
    return this.#ended || !this.#transport ? true : this.#transport.write([bytes])
  }

  /** The library's ping timer; ours is `heartbeat.ts`. */
  setTimeout(): void {}

  /** How the library hangs up: it saw an answer that belongs to no request. */
  destroy(): void {
    this.drop(new ConnectionError('ZK_PROTOCOL', `${this.name} answered something that was not asked.`, { retriable: true }))
  }

  /** Ends it now. Idempotent. */
  drop(reason: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#clearDeadline()
    this.#transport?.destroy()
    this.#events.lost(reason)
  }

  /** Ends it without telling anybody. */
  abandon(): void {
    this.#ended = true
    this.#clearDeadline()
    this.#transport?.destroy()
  }

  #received(chunk: Buffer): void {
    if (this.#ended) return
    try {
      this.#frames.push(chunk)
    } catch (error) {
      this.drop(error as Error)
    }
  }

  #clearDeadline(): void {
    if (this.#deadline) this.#world.clearTimer(this.#deadline)
    this.#deadline = undefined
  }

  #tooSlow(limitMs: number): TimeoutError {
    return new TimeoutError('ZK_CONNECT_TIMEOUT', `${this.name} did not complete ZooKeeper's handshake within ${limitMs} ms.`, {
      retriable: true
    })
  }
}
