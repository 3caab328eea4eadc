/**
 * The way out of the hardened library: packets are queued, numbered and written here, one bad request never disturbing the others.
 */
import { plainError } from '../../model/errors.ts'
import type { World } from '../../model/world.ts'
import { ZooKeeperError } from './errors.ts'
import {
  type Asker,
  type ConnectionManager,
  type LibraryCallback,
  type LibraryRequest,
  managerState,
  opcode,
  type Packet
} from './library.ts'
import type { Link } from './link.ts'

const lastXid = 0x7fff_ffff
/** A server closes the connection on a longer request (`jute.maxbuffer`, 0xfffff). */
const maxRequestBytes = 0xf_ffff
const lengthBytes = 4

export interface RequestsOwner {
  /** The connection of now. */
  link(): Link | undefined
  /** The error number that the answer at hand really carries, if one is at hand. */
  trueCode(): number | undefined
  callbackThrew(error: ZooKeeperError): void
}

export class Requests {
  readonly #world: World
  readonly #manager: ConnectionManager
  readonly #owner: RequestsOwner
  #asker: Asker | undefined

  constructor(world: World, manager: ConnectionManager, owner: RequestsOwner) {
    this.#world = world
    this.#manager = manager
    this.#owner = owner
  }

  /** What is queued during `call` belongs to `asker`. The library queues a packet before it returns. */
  asking(asker: Asker, call: () => void): void {
    this.#asker = asker
    try {
      call()
    } finally {
      this.#asker = undefined
    }
  }

  queue(request: LibraryRequest, callback: LibraryCallback | undefined): void {
    if (this.#manager.chrootPath && request.payload) request.payload.setChrootPath(this.#manager.chrootPath)
    this.#manager.packetQueue.queue.push(this.packet(request, this.#asker, callback))
    this.pump()
  }

  /** A callback that throws is contained, as it would keep the library from reading the answers behind it. */
  packet(request: LibraryRequest, asker: Asker | undefined, callback: LibraryCallback | undefined): Packet {
    return {
      request,
      asker,
      sentAtMs: 0,
      callback: (error, response) => {
        if (error) error.serverCode = this.#owner.trueCode() ?? error.code
        try {
          callback?.(error, response)
        } catch (thrown) {
          this.#owner.callbackThrew(new ZooKeeperError('ZK_CALLBACK', `A callback threw: ${plainError(thrown).message}`, { cause: thrown }))
        }
      }
    }
  }

  /** These go before the operations that wait. What an earlier handshake that failed had put first is stale. */
  putFirst(packets: Packet[]): void {
    const operations = this.#manager.packetQueue.queue.filter(packet => packet.asker && !packet.asker.settled)
    this.#manager.packetQueue.queue = [...packets, ...operations]
  }

  /** Writes what is queued, as far as the state and the socket allow. */
  pump(): void {
    const manager = this.#manager
    for (;;) {
      const link = this.#owner.link()
      if (!link || (manager.state !== managerState.connected && manager.state !== managerState.closing)) return
      const packet = manager.packetQueue.queue.shift()
      if (!packet || !this.#write(link, packet)) return
    }
  }

  /** False: the socket wants a rest. */
  #write(link: Link, packet: Packet): boolean {
    const { header } = packet.request
    if (packet.asker?.settled || !header) return true
    const hasReply = header.type !== opcode.auth
    if (hasReply) header.xid = this.#nextXid()
    let bytes: Buffer
    try {
      bytes = packet.request.toBuffer()
      if (bytes.length - lengthBytes > maxRequestBytes) throw tooLong(bytes.length)
    } catch (error) {
      packet.asker?.reject(error as Error)
      return true
    }
    packet.sentAtMs = this.#world.monotonicMs()
    if (packet.asker) packet.asker.sent = true
    if (hasReply) this.#manager.pendingQueue.push(packet)
    return link.write(bytes)
  }

  #nextXid(): number {
    const xid = this.#manager.xid
    this.#manager.xid = xid >= lastXid ? 1 : xid + 1
    return xid
  }
}

function tooLong(bytes: number): ZooKeeperError {
  return new ZooKeeperError('ZK_LIMIT', `A request of ${bytes} bytes is over ZooKeeper's limit of ${maxRequestBytes}; send less at once.`, {
    details: { bytes, maxRequestBytes, sent: false }
  })
}
