/**
 * One broker: a port on loopback and the connections to it. What it answers comes from its handlers and the cluster's state; what can happen to it
 * (killed, frozen, slow, started again on the same port) happens here.
 */
import { SamsaError } from '../../model/errors.ts'
import type { Listener, Transport, World } from '../../model/world.ts'
import { type ApiName, loadApi } from '../../wire/apis.ts'
import { BrokerConnection, type ConnectionLimits } from './connection.ts'
import { type ControlHandler, Controls } from './control.ts'
import { FetchSessions } from './fetch-sessions.ts'
import type { Handler } from './handler.ts'
import { HANDLERS } from './handlers.ts'
import type { ClusterState } from './state.ts'
import { type BrokerVersions, offered, type VersionProfile } from './versions.ts'

/** Handlers of any API side by side. */
export type AnyHandler = { [N in ApiName]: Handler<N, ClusterState, Broker> }[ApiName]

export interface BrokerOptions {
  world: World
  state: ClusterState
  id: number
  /** 0 (default): any free one, and the same again after a restart. */
  port?: number
  rack?: string | null
  /** Whose versions it speaks. Default '3.9'. */
  profile?: VersionProfile
  /** The highest version offered by API; -1: the API is not offered. */
  maxVersions?: Partial<Record<ApiName, number>>
  limits?: Partial<ConnectionLimits>
  /** Default: all of this room's. */
  handlers?: readonly AnyHandler[]
  /** A handler has failed in a way that no client can cause. Default: it is kept in `troubles`. */
  onTrouble?: (error: unknown) => void
}

const LIMITS: Omit<ConnectionLimits, 'frameBytes'> = {
  connections: 1_000,
  unauthenticatedFrameBytes: 512 * 1024,
  waitingRequests: 1_000
}

export class Broker {
  readonly id: number
  readonly world: World
  readonly state: ClusterState
  readonly handlers: ReadonlyMap<ApiName, AnyHandler>
  readonly versions: BrokerVersions
  readonly limits: ConnectionLimits
  readonly controls = new Controls()
  /** What went wrong in handlers: always empty, if nothing is wrong with them. */
  readonly troubles: unknown[] = []
  sessions: FetchSessions
  /** Requests wait that long before they are handled. */
  slowMs = 0
  #rack: string | null
  #port: number
  #listener: Listener | undefined
  #connections = new Set<BrokerConnection>()
  #frozen = false
  #onTrouble: (error: unknown) => void

  private constructor(options: BrokerOptions) {
    this.id = options.id
    this.world = options.world
    this.state = options.state
    const handlers = options.handlers ?? HANDLERS
    this.handlers = new Map(handlers.map(handler => [handler.api, handler]))
    this.versions = offered(handlers, options.profile ?? '3.9', options.maxVersions ?? {})
    this.limits = { ...LIMITS, frameBytes: options.state.configs.brokerNumber('socket.request.max.bytes'), ...options.limits }
    this.sessions = this.#noSessions()
    this.#rack = options.rack ?? null
    this.#port = options.port ?? 0
    this.#onTrouble = options.onTrouble ?? (error => void this.troubles.push(error))
  }

  /** Listens, and is a broker of the cluster then. Rejects when the port is taken. */
  static async start(options: BrokerOptions): Promise<Broker> {
    const broker = new Broker(options)
    await Promise.all([...broker.handlers.keys()].map(name => loadApi(name)))
    await broker.#listen()
    return broker
  }

  get host(): string {
    return '127.0.0.1'
  }

  get port(): number {
    return this.#port
  }

  /** As clients are given it. */
  get address(): string {
    return `${this.host}:${this.#port}`
  }

  get running(): boolean {
    return this.#listener !== undefined
  }

  get frozen(): boolean {
    return this.#frozen
  }

  get connections(): number {
    return this.#connections.size
  }

  /** Asks `handler` at each request of an API ('*': of any) before it is handled. The answer takes it away again. */
  control<N extends ApiName>(api: N | '*', handler: ControlHandler<N>, options: { times?: number } = {}): () => void {
    return this.controls.add(api, handler, options)
  }

  /** As `kill -9`: connections are cut, the port is closed. Its logs stay, as they would on disk. */
  kill(): void {
    if (!this.#listener) return
    this.#listener.close()
    this.#listener = undefined
    this.#frozen = false
    this.cut()
    this.state.processEnded(this.id)
  }

  /** After `kill` (or with it), on the same port or another (0: any free one). Fetch sessions are forgotten. */
  async restart(port = this.#port): Promise<void> {
    this.kill()
    this.#port = port
    await this.#listen()
  }

  /** As `kill -STOP`: connections are taken, nothing is answered, and it follows nobody. */
  freeze(): void {
    if (!this.running) return
    this.#frozen = true
    this.state.holdBroker(this.id, true)
  }

  /** Goes on, with all that has arrived meanwhile. */
  thaw(): void {
    if (!this.#frozen) return
    this.#frozen = false
    this.state.holdBroker(this.id, false)
    for (const connection of [...this.#connections]) connection.proceed()
  }

  /** Each request waits that long before it is handled. 0: no more. */
  slow(delayMs: number): void {
    this.slowMs = delayMs
  }

  /** Ends all connections, or those of one client id. */
  cut(clientId?: string): void {
    for (const connection of [...this.#connections]) if (clientId === undefined || connection.clientId === clientId) connection.destroy()
  }

  trouble(error: unknown): void {
    this.#onTrouble(error)
  }

  async #listen(): Promise<void> {
    if (this.#listener) throw new SamsaError('BROKER_RUNNING', `Broker ${this.id} listens on ${this.address} already.`)
    this.#listener = await this.world.listen(this.#port, transport => this.#accept(transport))
    this.#port = this.#listener.port
    this.sessions = this.#noSessions()
    this.state.processStarted({ id: this.id, host: this.host, port: this.#port, rack: this.#rack })
  }

  #noSessions(): FetchSessions {
    return new FetchSessions(this.state.configs.brokerNumber('max.incremental.fetch.session.cache.slots'), this.world)
  }

  #accept(transport: Transport) {
    const connection = new BrokerConnection(this, transport, () => void this.#connections.delete(connection))
    this.#connections.add(connection)
    if (this.#connections.size > this.limits.connections) connection.destroy()
    return connection.handlers
  }
}
