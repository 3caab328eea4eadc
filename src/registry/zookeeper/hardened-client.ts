/**
 * The only file that reaches into node-zookeeper-client: it replaces the methods of one connection manager that trust the peer,
 * have no deadline, or lose callbacks. What stays the library's: its records, its reply queue, its watch tables, its states.
 *
 * | the library's defect | cured by |
 * |---|---|
 * | a partial frame survives a reconnect | a new framer per connection (`link.ts`) |
 * | no read timeout; the connect deadline ends at TCP connect | `heartbeat.ts`; one deadline over dial and handshake (`link.ts`) |
 * | operations queued at expiry or close never call back | `operations.ts` ends all; `end()` empties the queues |
 * | `transaction.check(path, 0)` drops its guard | `session-operations.ts` fills `transaction.ops` itself |
 * | credentials and watches go after queued operations, and once more for each failed handshake | `Requests.putFirst`, once |
 * | all watches in one request, over the server's 1 MiB with many of them | `rearm.ts` sends parts |
 * | unknown error numbers and event types throw | `replies.ts` replaces them; `#notification` skips them |
 * | close before or while connecting throws or leaks | `end()`, in any state |
 * | a callback that throws stalls later replies | `Requests.packet` contains it |
 * | xid starts at 0 and overflows | `requests.ts` counts from 1 and begins again |
 * | lengths are believed | `frames.ts`, `replies.ts` |
 * | a request that cannot be written, or is too large, disturbs all others | `requests.ts` refuses it alone |
 */
import { plainError, type SamsaError } from '../../model/errors.ts'
import type { World } from '../../model/world.ts'
import { Addresses } from './addresses.ts'
import type { ConnectString, ServerName } from './connect-string.ts'
import { ZooKeeperError } from './errors.ts'
import {
  type Asker,
  type ConnectionManager,
  type Library,
  type LibraryClient,
  loadLibrary,
  managerState,
  opcode,
  type Packet,
  xidOf
} from './library.ts'
import { Link } from './link.ts'
import { authRequest, watchRequests } from './rearm.ts'
import {
  broken,
  checkConnectAnswer,
  checkNotification,
  checkReply,
  isUnder,
  type ReplyHead,
  readReplyHead,
  replaceUnknownCodes
} from './replies.ts'
import { Requests } from './requests.ts'

const authFailedCode = -115
/** A connection that held this long was a good one: the next pause is short. */
const goodAfterMs = 1_000

export interface ClientOptions extends ConnectString {
  sessionTimeoutMs: number
  connectTimeoutMs: number
  maxFrameBytes: number
  auth: { scheme: string; auth: Buffer } | undefined
}

export interface ClientEvents {
  /** The handshake is done, for the first time or again. `askedAtMs`: when it was begun. */
  connected(server: string, askedAtMs: number): void
  lost(reason: Error): void
  expired(): void
  authFailed(): void
  trouble(error: SamsaError): void
  heard(): void
  answered(sentAtMs: number): void
  pong(): void
}

export class HardenedClient {
  readonly library: LibraryClient
  readonly manager: ConnectionManager
  /** The true error numbers of the answer that is being handed out: of the whole, and per step of a transaction. */
  codes: { reply: number; steps: number[] } | undefined
  readonly #jute: Library
  readonly #world: World
  readonly #options: ClientOptions
  readonly #events: ClientEvents
  readonly #addresses: Addresses
  readonly #requests: Requests
  #link: Link | undefined
  #askedAtMs = 0
  #connectedAtMs: number | undefined
  #failures: string[] = []
  #ended = false

  constructor(world: World, options: ClientOptions, events: ClientEvents) {
    this.#world = world
    this.#options = options
    this.#events = events
    this.#jute = loadLibrary()
    this.library = this.#jute.createClient(`server.invalid:1${options.chroot}`, { sessionTimeout: options.sessionTimeoutMs, retries: 0 })
    this.manager = this.library.connectionManager
    this.#addresses = new Addresses(world, options.servers, options.connectTimeoutMs, {
      dial: address => this.#dial(address),
      unresolved: (server, why) => this.#failed(`${server.host} cannot be looked up: ${why}`),
      roundEnded: pauseMs => this.#roundEnded(pauseMs)
    })
    this.#requests = new Requests(world, this.manager, {
      link: () => this.#link,
      trueCode: () => this.codes?.reply,
      callbackThrew: error => events.trouble(error)
    })
    this.#patch()
  }

  /** Replaces what the header's table names. */
  #patch(): void {
    const manager = this.manager
    manager.xid = 1
    manager.connect = () => this.#connect()
    manager.queue = (request, callback) => this.#requests.queue(request, callback)
    manager.onPacketQueueReadable = () => this.#requests.pump()
    manager.packetQueue.removeAllListeners('readable')
    for (const kind of ['Data', 'Child', 'Existence'] as const) {
      const register = manager[`register${kind}Watcher`].bind(manager)
      const table = manager.watcherManager[`${kind.toLowerCase() as 'data' | 'child' | 'existence'}Watchers`]
      manager[`register${kind}Watcher`] = (path, watcher) => {
        register(path, watcher)
        // Any number may watch one node; Node would print a warning from the eleventh on.
        table[path]?.setMaxListeners(0)
      }
    }
    manager.on('state', state => this.#stateChanged(state))
  }

  start(): void {
    if (!this.#ended) this.manager.connect()
  }

  /** Runs a call of the library whose packet belongs to `asker`. */
  asking(asker: Asker, call: () => void): void {
    this.#requests.asking(asker, call)
  }

  ping(): void {
    this.#link?.write(new this.#jute.Request(new this.#jute.protocol.RequestHeader(xidOf.ping, opcode.ping), null).toBuffer())
  }

  /** Gives this connection up; the session may go on with another. */
  drop(reason: Error): void {
    this.#link?.drop(reason)
  }

  /** Asks the server to end the session. `done`: it did, or the connection ended. Only while connected. */
  closeSession(done: () => void): void {
    this.manager.setState(managerState.closing)
    this.manager.queue(new this.#jute.Request(new this.#jute.protocol.RequestHeader(0, opcode.closeSession), null), done)
  }

  /** Leaves nothing behind, in whatever state it is. No event comes after it. */
  end(): void {
    this.#ended = true
    this.#addresses.stop()
    this.#link?.abandon()
    this.#link = undefined
    this.manager.packetQueue.queue = []
    this.manager.pendingQueue = []
    this.manager.state = managerState.closed
  }

  #connect(): void {
    if (this.#ended) return
    this.manager.setState(managerState.connecting)
    this.#addresses.next()
  }

  #dial(address: ServerName): void {
    const link: Link = new Link(this.#world, address, this.#options, {
      open: () => this.#hello(link),
      frame: frame => this.#frame(link, frame),
      drained: () => this.#requests.pump(),
      lost: reason => this.#lost(link, reason)
    })
    this.#link = link
    this.manager.socket = link
    this.manager.pendingBuffer = null
    link.dial()
  }

  #hello(link: Link): void {
    const { manager } = this
    const { ConnectRequest } = this.#jute.protocol
    const hello = new ConnectRequest(0, manager.zxid, manager.sessionTimeout, manager.sessionId, manager.sessionPassword)
    this.#askedAtMs = this.#world.monotonicMs()
    this.#requests.putFirst(this.#firstPackets())
    link.write(new this.#jute.Request(null, hello).toBuffer())
  }

  #firstPackets(): Packet[] {
    const auth = authRequest(this.#jute, this.#options.auth)
    const watches = watchRequests(this.#jute, this.manager).map(request =>
      this.#requests.packet(request, undefined, error => {
        if (error && this.codes) this.#trouble('ZK_PROTOCOL', `ZooKeeper did not re-arm the watches (error ${this.codes.reply}).`)
      })
    )
    return auth ? [this.#requests.packet(auth, undefined, undefined), ...watches] : watches
  }

  /** One whole frame. What it throws drops the link. */
  #frame(link: Link, frame: Buffer): void {
    if (link !== this.#link) return
    if (this.manager.state === managerState.connecting) this.#handshake(link, frame)
    else this.#answer(frame)
  }

  #answer(frame: Buffer): void {
    const head = readReplyHead(frame)
    this.#events.heard()
    if (head.xid === xidOf.ping) this.#events.pong()
    else if (head.xid === xidOf.notification) this.#notification(frame)
    else if (head.xid === xidOf.auth) this.#authAnswer(frame, head)
    else this.#reply(frame, head)
  }

  #handshake(link: Link, frame: Buffer): void {
    const answer = checkConnectAnswer(frame)
    const mine = this.manager.sessionId.readBigInt64BE(0)
    if (answer.timeoutMs > 0 && mine !== 0n && answer.sessionId !== mine) throw broken('a session that is not the one asked for')
    this.#events.heard()
    link.established()
    this.manager.onSocketData(frame)
  }

  #reply(frame: Buffer, head: ReplyHead): void {
    const { manager } = this
    const packet = manager.pendingQueue[0]
    const due = packet?.request.header
    if (!packet || !due) throw broken(`an answer (xid ${head.xid}) to nothing`)
    if (due.xid !== head.xid) throw broken(`answer ${head.xid} where ${due.xid} was due`)
    if (head.err === 0) checkReply(frame, due.type, manager.chrootPath ?? '')
    this.codes = replaceUnknownCodes(frame, head, due.type)
    const seenZxid = manager.zxid
    try {
      this.#events.answered(packet.sentAtMs)
      manager.onSocketData(frame)
    } catch (error) {
      packet.asker?.reject(broken(`something that cannot be read: ${plainError(error).message}`))
      throw error
    } finally {
      this.codes = undefined
      if (head.zxid <= 0n) manager.zxid = seenZxid
    }
  }

  #notification(frame: Buffer): void {
    const { type, path } = checkNotification(frame)
    if (type >= 1 && type <= 4 && isUnder(path, this.manager.chrootPath ?? '')) this.manager.onSocketData(frame)
    else this.#trouble('ZK_PROTOCOL', `A watch event of type ${type} for ${JSON.stringify(path.slice(0, 120))} was ignored.`)
  }

  #authAnswer(frame: Buffer, head: ReplyHead): void {
    if (head.err === authFailedCode) this.manager.onSocketData(frame)
    else if (head.err !== 0) this.#trouble('ZK_AUTH_FAILED', `ZooKeeper answered the credentials with error ${head.err}.`)
  }

  #stateChanged(state: number): void {
    if (this.#ended) return
    if (state === managerState.connected) {
      this.#connectedAtMs = this.#world.monotonicMs()
      this.#failures = []
      this.#events.connected(this.#link?.name ?? '', this.#askedAtMs)
    } else if (state === managerState.expired) this.#events.expired()
    else if (state === managerState.authFailed) this.#events.authFailed()
  }

  #lost(link: Link, reason: Error): void {
    if (link !== this.#link || this.#ended) return
    this.#link = undefined
    const connectedAtMs = this.#connectedAtMs
    this.#connectedAtMs = undefined
    if (plainError(reason).code === 'ZK_PROTOCOL') this.#events.trouble(reason as SamsaError)
    if (connectedAtMs === undefined) this.#failed(`${link.name}: ${reason.message}`)
    else {
      if (this.#world.monotonicMs() - connectedAtMs >= goodAfterMs) this.#addresses.succeeded()
      this.#events.lost(reason)
    }
    // Ends what was in flight with CONNECTION_LOSS, and connects anew unless it is closing.
    if (!this.#ended) this.manager.onSocketClosed(false)
  }

  #failed(why: string): void {
    if (this.#failures.length < 16) this.#failures.push(why)
  }

  #roundEnded(pauseMs: number): void {
    if (this.#failures.length === 0) return
    const why = this.#failures.join('; ')
    this.#failures = []
    const message = `No ZooKeeper server could be reached; trying again in ${Math.round(pauseMs)} ms. ${why}`
    this.#events.trouble(new ZooKeeperError('ZK_UNREACHABLE', message, { retriable: true }))
  }

  #trouble(code: ZooKeeperError['code'], message: string, cause?: unknown): void {
    this.#events.trouble(new ZooKeeperError(code, message, cause === undefined ? {} : { cause }))
  }
}
