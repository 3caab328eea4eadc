/**
 * Opens a ZooKeeper session: the life of one, from connecting to its end, with the local deadline that ends it even when no
 * server can be asked. Built on the hardened library; `session.ts` says what its users may rely on.
 */
import { plainError, type SamsaError } from '../../model/errors.ts'
import type { Timer, World } from '../../model/world.ts'
import { parseConnectString } from './connect-string.ts'
import { ZooKeeperError } from './errors.ts'
import { defaultMaxFrameBytes } from './frames.ts'
import { HardenedClient } from './hardened-client.ts'
import { Heartbeat } from './heartbeat.ts'
import { type Operation, Operations } from './operations.ts'
import type { SessionEvent, SessionState, ZooKeeperSession } from './session.ts'
import { checkPath, type Runner, SessionOperations } from './session-operations.ts'

export interface SessionOptions {
  /** `h1:2181,h2:2181/chroot`. An IPv6 address stands in brackets. */
  connectString: string
  /** Asked of the server, which may clamp it. Default 6,000 (the Scala consumer's `zookeeper.session.timeout.ms`). */
  sessionTimeoutMs?: number
  /** From dialling one address to its answered handshake. Default a third of the session timeout, between 500 and 10,000. */
  connectTimeoutMs?: number
  /** Of each operation, from the call to its end. Default: the session timeout. */
  operationTimeoutMs?: number
  /** Largest answer that is accepted. Default 4 MiB. */
  maxFrameBytes?: number
  /** Operations that may wait at once; one more is refused with ZK_LIMIT. Default 20,000. */
  maxOperations?: number
  /** For ZooKeeper's ACLs, e.g. scheme `digest`, auth `user:password`. Sent on every connection before anything else. */
  auth?: { scheme: string; auth: string | Buffer }
}

const defaultSessionTimeoutMs = 6_000
const closeLimitMs = 1_000

/**
 * Begins to connect; events come from the next turn on.
 * @throws ZooKeeperError ZK_INVALID_CONNECT_STRING, ZK_BAD_ARGUMENTS for a time that is none.
 */
export function openSession(world: World, options: SessionOptions): ZooKeeperSession {
  return new Session(world, options)
}

class Session implements ZooKeeperSession {
  readonly #world: World
  readonly #client: HardenedClient
  readonly #heartbeat: Heartbeat
  readonly #operations: Operations
  readonly #calls: SessionOperations
  readonly #operationTimeoutMs: number
  readonly #listeners = new Set<(event: SessionEvent) => void>()
  #state: SessionState = 'connecting'
  #sessionId: bigint | undefined
  #timeoutMs: number
  #suspendedAtMs = 0
  #deadline: Timer | undefined
  #closing: Promise<void> | undefined

  constructor(world: World, options: SessionOptions) {
    this.#world = world
    this.#timeoutMs = checkedMs('sessionTimeoutMs', options.sessionTimeoutMs ?? defaultSessionTimeoutMs)
    this.#operationTimeoutMs = checkedMs('operationTimeoutMs', options.operationTimeoutMs ?? this.#timeoutMs)
    this.#operations = new Operations(world, options.maxOperations ?? 20_000)
    this.#client = new HardenedClient(world, clientOptions(options, this.#timeoutMs), {
      connected: (server, askedAtMs) => this.#connected(server, askedAtMs),
      lost: reason => this.#suspend(reason),
      expired: () => this.#end('expired', { type: 'expired', by: 'server' }),
      authFailed: () => this.#authFailed(),
      trouble: error => this.#trouble(error),
      heard: () => this.#heartbeat.heard(),
      answered: sentAtMs => this.#heartbeat.answered(sentAtMs),
      pong: () => this.#heartbeat.pong()
    })
    this.#heartbeat = new Heartbeat(
      world,
      () => this.#client.ping(),
      silentMs => this.#client.drop(silent(silentMs))
    )
    this.#calls = new SessionOperations(
      this.#client,
      (name, path, call) => this.#run(name, path, call),
      call => this.#contain(call)
    )
    world.defer(() => this.#client.start())
  }

  get state(): SessionState {
    return this.#state
  }

  get sessionId(): bigint | undefined {
    return this.#sessionId
  }

  get negotiatedTimeoutMs(): number {
    return this.#timeoutMs
  }

  get lastHeardMs(): number {
    return this.#heartbeat.lastHeardMs
  }

  get leaseFromMs(): number {
    return this.#heartbeat.leaseFromMs
  }

  on(listener: (event: SessionEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  getData: ZooKeeperSession['getData'] = (path, watch) => this.#calls.getData(path, watch)
  exists: ZooKeeperSession['exists'] = (path, watch) => this.#calls.exists(path, watch)
  getChildren: ZooKeeperSession['getChildren'] = (path, watch) => this.#calls.getChildren(path, watch)
  create: ZooKeeperSession['create'] = (path, data, mode) => this.#calls.create(path, data, mode)
  setData: ZooKeeperSession['setData'] = (path, data, version) => this.#calls.setData(path, data, version)
  remove: ZooKeeperSession['remove'] = (path, version) => this.#calls.remove(path, version)
  multi: ZooKeeperSession['multi'] = ops => this.#calls.multi(ops)
  makePath: ZooKeeperSession['makePath'] = path => this.#calls.makePath(path)

  close(): Promise<void> {
    this.#closing ??= new Promise(resolve => {
      const done = () => {
        this.#world.clearTimer(limit)
        this.#end('closed', { type: 'closed' })
        resolve()
      }
      const limit = this.#world.setTimer(done, closeLimitMs)
      if (this.#state === 'connected') this.#client.closeSession(done)
      else done()
    })
    return this.#closing
  }

  get #ended(): boolean {
    return this.#state === 'expired' || this.#state === 'closed' || this.#state === 'failed'
  }

  #run: Runner = (name, path, call) => {
    const refusal = this.#refusal(name, path)
    if (refusal) return Promise.reject(refusal)
    return this.#operations.run(name, path, this.#operationTimeoutMs, operation => {
      checkPath(name, path)
      this.#client.asking(operation, () => call(this.#client.library, operation))
    })
  }

  #refusal(name: string, path: string): ZooKeeperError | undefined {
    if (this.#ended) return endError(this.#state, name, path, false)
    return this.#closing && endError('closed', name, path, false)
  }

  #connected(server: string, askedAtMs: number): void {
    const { manager } = this.#client
    const first = this.#sessionId === undefined
    this.#clearDeadline()
    this.#state = 'connected'
    this.#sessionId = manager.sessionId.readBigInt64BE(0)
    this.#timeoutMs = manager.sessionTimeout
    this.#heartbeat.answered(askedAtMs)
    this.#heartbeat.start(this.#timeoutMs)
    const life = { sessionId: this.#sessionId, negotiatedTimeoutMs: this.#timeoutMs, server }
    const suspendedMs = this.#world.monotonicMs() - this.#suspendedAtMs
    this.#emit(first ? { type: 'connected', ...life } : { type: 'reconnected', ...life, suspendedMs })
  }

  #suspend(reason: Error): void {
    if (this.#ended || this.#closing) return
    this.#heartbeat.stop()
    this.#state = 'suspended'
    this.#suspendedAtMs = this.#world.monotonicMs()
    this.#watchDeadline()
    this.#emit({ type: 'suspended', reason: plainError(reason) })
  }

  /** The server may hand our ephemeral nodes' places to others one session timeout after the last request that it answered. */
  #watchDeadline(): void {
    const dueMs = this.#heartbeat.leaseFromMs + this.#timeoutMs - this.#world.monotonicMs()
    // Judged after this turn's I/O: a handshake that was answered in time but not yet read still counts.
    const judge = () => {
      if (this.#state === 'suspended') this.#end('expired', { type: 'expired', by: 'local-deadline' })
    }
    this.#deadline = this.#world.setTimer(() => this.#world.defer(judge), Math.max(0, dueMs))
  }

  #clearDeadline(): void {
    if (this.#deadline) this.#world.clearTimer(this.#deadline)
    this.#deadline = undefined
  }

  #authFailed(): void {
    const error = new ZooKeeperError(
      'ZK_AUTH_FAILED',
      'ZooKeeper refused the credentials. Check scheme and auth; they are not tried again.'
    )
    this.#end('failed', { type: 'failed', error: error.toJSON() })
  }

  #end(state: 'expired' | 'closed' | 'failed', event: SessionEvent): void {
    if (this.#ended) return
    this.#state = state
    this.#clearDeadline()
    this.#heartbeat.stop()
    this.#client.end()
    this.#operations.endAll((operation: Operation) => endError(state, operation.name, operation.path, operation.sent))
    this.#emit(event)
  }

  #trouble(error: SamsaError): void {
    if (!this.#ended) this.#emit({ type: 'trouble', error: error.toJSON() })
  }

  #emit(event: SessionEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event)
      } catch (error) {
        // A listener that throws at the telling of trouble has had its say.
        if (event.type !== 'trouble') this.#trouble(callbackThrew('A listener of session events', error))
      }
    }
  }

  #contain(call: () => void): void {
    if (this.#ended) return
    try {
      call()
    } catch (error) {
      this.#trouble(callbackThrew('A watch', error))
    }
  }
}

function clientOptions(options: SessionOptions, sessionTimeoutMs: number): ConstructorParameters<typeof HardenedClient>[1] {
  const { auth } = options
  return {
    ...parseConnectString(options.connectString),
    sessionTimeoutMs,
    connectTimeoutMs: checkedMs('connectTimeoutMs', options.connectTimeoutMs ?? Math.min(10_000, Math.max(500, sessionTimeoutMs / 3))),
    maxFrameBytes: options.maxFrameBytes ?? defaultMaxFrameBytes,
    auth: auth && { scheme: auth.scheme, auth: Buffer.from(auth.auth) }
  }
}

function checkedMs(name: string, value: number): number {
  if (Number.isFinite(value) && value >= 1 && value <= 3_600_000) return Math.floor(value)
  throw new ZooKeeperError('ZK_BAD_ARGUMENTS', `${name} is ${value}; give between 1 and 3,600,000 ms.`)
}

function silent(silentMs: number): ZooKeeperError {
  return new ZooKeeperError('ZK_CONNECTION_LOSS', `The ZooKeeper server has been silent for ${Math.round(silentMs)} ms.`, {
    retriable: true
  })
}

function callbackThrew(who: string, error: unknown): ZooKeeperError {
  return new ZooKeeperError('ZK_CALLBACK', `${who} threw: ${plainError(error).message}`, { cause: error })
}

/** Why an operation cannot go on after the session's end. */
function endError(state: SessionState, operation: string, path: string, sent: boolean): ZooKeeperError {
  const known = sent ? 'its result is unknown' : 'it was not sent'
  const details = { operation, path, sent }
  if (state === 'expired')
    return new ZooKeeperError('ZK_SESSION_EXPIRED', `${operation} ${path}: the session has expired, ${known}.`, { details })
  if (state === 'failed') return new ZooKeeperError('ZK_AUTH_FAILED', `${operation} ${path}: the session failed, ${known}.`, { details })
  return new ZooKeeperError('ZK_CLOSED', `${operation} ${path}: the session was closed, ${known}.`, { details })
}
