/**
 * The embedded ZooKeeper: one state, on one port or several (an ensemble, as a client sees one), and what can happen to it on command.
 */
import { SamsaError } from '../../model/errors.ts'
import type { Listener, Transport, World } from '../../model/world.ts'
import { type AnswerFate, type EventFate, ZooKeeperConnection } from './connection.ts'
import { Core, type CoreOptions } from './core.ts'
import { LocalSession } from './session.ts'
import { restoreTree, snapshotOf } from './snapshot.ts'
import type { WatchedEvent } from './watches.ts'
import { answerWord } from './words.ts'

export interface EmbeddedZooKeeperOptions extends CoreOptions {
  /** 0 (default): any free one, and the same again after a stop. */
  port?: number
  /** Largest request. Default 1,048,575, as `jute.maxbuffer`. */
  maxRequestBytes?: number
  /** Connections beyond it are closed. Default 1,000. */
  maxConnections?: number
  /** A state that `snapshot()` gave. */
  snapshot?: Buffer
}

export class EmbeddedZooKeeper {
  readonly world: World
  readonly core: Core
  readonly maxRequestBytes: number
  /** What becomes of each event of a watch. Default: it is delivered. */
  onEvent: (sessionId: bigint, event: WatchedEvent) => EventFate = () => 'deliver'
  /** What becomes of each answer, when what was asked has been done already. Default: it is delivered. */
  onAnswer: (sessionId: bigint, opcode: number) => AnswerFate = () => 'deliver'
  #connections = new Set<ZooKeeperConnection>()
  #listeners = new Map<number, Listener>()
  #ports: number[] = []
  #maxConnections: number
  #received = 0
  #timers = new Set<object>()

  private constructor(options: EmbeddedZooKeeperOptions) {
    this.world = options.world
    this.core = new Core(options)
    this.maxRequestBytes = options.maxRequestBytes ?? 0xfffff
    this.#maxConnections = options.maxConnections ?? 1_000
    if (options.snapshot) this.core.tree = restoreTree(options.snapshot)
  }

  /** Rejects when the port is taken. */
  static async start(options: EmbeddedZooKeeperOptions): Promise<EmbeddedZooKeeper> {
    const server = new EmbeddedZooKeeper(options)
    await server.listen(options.port ?? 0)
    return server
  }

  /** `host:port`, of the first port; all of them, with commas between, are `addresses`. */
  get address(): string {
    return `127.0.0.1:${this.#ports[0]}`
  }

  get addresses(): string {
    return this.#ports.map(port => `127.0.0.1:${port}`).join(',')
  }

  /** Another server of the ensemble. Answers with its port. */
  async listen(port = 0): Promise<number> {
    const listener: Listener = await this.world.listen(port, transport => this.#accept(transport, listener.port))
    this.#listeners.set(listener.port, listener)
    if (!this.#ports.includes(listener.port)) this.#ports.push(listener.port)
    return listener.port
  }

  /** A session in this process. */
  session(): LocalSession {
    return new LocalSession(this.core)
  }

  /** Ids of the sessions that are open, oldest first. */
  get sessionIds(): bigint[] {
    return [...this.core.sessions.all.keys()]
  }

  // Faults

  /** A session is over, as if nothing had been heard of it for its timeout: its ephemerals go, its connection is closed. */
  expire(sessionId: bigint): void {
    this.#connectionOf(sessionId)
    this.core.sessions.end(sessionId)
  }

  /** Nothing is answered to a session for so long, and it hears nothing. It expires when that is longer than its timeout. */
  suspend(sessionId: bigint, forMs: number): void {
    const connection = this.#connectionOf(sessionId)
    connection?.hold()
    this.later(forMs, () => connection?.release())
  }

  /** Cuts the connection of a session, or all of them. Sessions live on. */
  cut(sessionId?: bigint): void {
    for (const connection of [...this.#connections]) if (sessionId === undefined || connection.sessionId === sessionId) connection.destroy()
  }

  /** One server of the ensemble is gone, with its connections; `listen(port)` brings it back. Sessions live on and may go to another. */
  unlisten(port: number): void {
    this.#listeners.get(port)?.close()
    this.#listeners.delete(port)
    for (const connection of [...this.#connections]) if (connection.port === port) connection.destroy()
  }

  /** No quorum: ports are closed, connections cut, and no session expires until `resume`. */
  suspendAll(): void {
    this.core.sessions.pause(true)
    this.#unlisten()
    this.cut()
  }

  /** On the same ports; every session has its whole timeout again. */
  async resumeAll(): Promise<void> {
    for (const port of this.#ports) if (!this.#listeners.has(port)) await this.listen(port)
    this.core.sessions.pause(false)
  }

  /** Everything that is in the tree, as bytes for `start({ snapshot })`. Sessions are not, nor what is theirs. */
  snapshot(): Buffer {
    return snapshotOf(this.core.tree)
  }

  stop(): void {
    this.#unlisten()
    this.cut()
    for (const timer of this.#timers) this.world.clearTimer(timer)
    this.#timers.clear()
    this.core.close()
  }

  // What a connection asks of it

  word(word: string): string | undefined {
    return answerWord(word, this.core, { connections: this.#connections.size, received: this.#received })
  }

  event(sessionId: bigint, event: WatchedEvent): EventFate {
    return this.onEvent(sessionId, event)
  }

  answer(sessionId: bigint, opcode: number): AnswerFate {
    this.#received++
    return this.onAnswer(sessionId, opcode)
  }

  later(delayMs: number, callback: () => void): void {
    const timer = this.world.setTimer(() => {
      this.#timers.delete(timer)
      callback()
    }, delayMs)
    this.#timers.add(timer)
  }

  closed(connection: ZooKeeperConnection): void {
    this.#connections.delete(connection)
  }

  #accept(transport: Transport, port: number) {
    const connection = new ZooKeeperConnection(this, transport, port)
    this.#connections.add(connection)
    if (this.#connections.size > this.#maxConnections) connection.destroy()
    return connection.handlers
  }

  /** Throws SamsaError NO_SUCH_SESSION. A session in this process has no connection. */
  #connectionOf(sessionId: bigint): ZooKeeperConnection | undefined {
    if (!this.core.sessions.all.has(sessionId))
      throw new SamsaError('NO_SUCH_SESSION', `There is no session 0x${sessionId.toString(16)}; sessionIds lists those that are open.`)
    return [...this.#connections].find(connection => connection.sessionId === sessionId)
  }

  #unlisten(): void {
    for (const listener of this.#listeners.values()) listener.close()
    this.#listeners.clear()
  }
}
