/**
 * One connection to a broker: frames out, frames in, answers matched in order, every request with a deadline.
 * A plain class on the hot path; its lifecycle is told by the machine `broker-connection`, which holds it in a leaf.
 */
import { ConnectionError, ProtocolError, SamsaError, TimeoutError } from '../model/errors.ts'
import { SOFTWARE } from '../model/software.ts'
import type { Timer, Transport, World } from '../model/world.ts'
import { type Api, type ApiName, loadApi, loadedApi, type RequestOf, type ResponseOf } from './apis.ts'
import { FrameReader } from './frames.ts'
import { type BrokerVersions, chooseVersion, parseApiVersions } from './versions.ts'

export interface ConnectionOptions {
  world: World
  node: number
  purpose: string
  host: string
  port: number
  clientId: string
  maxFrameBytes: number
  requestTimeoutMs: number
  /** The transport is up (not yet negotiated). */
  onConnected: () => void
  /** Once, whatever the reason. `inFlight`: requests that will never be answered (their outcome is unknown). */
  onClosed: (error: SamsaError | undefined, inFlight: number) => void
  /** `throttle_time_ms` of an answer was above zero (KIP-219: the client holds back itself). */
  onThrottled: (throttleMs: number) => void
  /**
   * A callback of ours threw: a mistake in this library, which must not decide what becomes of the connection and of the other requests.
   * Default: thrown again on its own, where the process's handler of uncaught exceptions gets it.
   */
  onDefect?: (error: unknown) => void
}

interface Pending {
  correlationId: number
  api: Api<ApiName>
  version: number
  deadlineMs: number
  done: (error: Error | undefined, response: never) => void
}

export interface RequestLimits {
  timeoutMs?: number
  minVersion?: number
  maxVersion?: number
}

/** An answer to ApiVersions takes a few kilobytes; a peer that announces more before it has given one is not a broker. */
const FIRST_FRAME_MAX_BYTES = 1024 * 1024
const nothing = () => {}

export class Connection {
  readonly node: number
  readonly purpose: string
  open = true
  #options: ConnectionOptions
  #transport: Transport
  #frames: FrameReader
  #versions: BrokerVersions | undefined
  #chosen = new Map<ApiName, number | undefined>()
  #pending: Pending[] = []
  #head = 0
  #correlationId = 0
  #timer: Timer | undefined
  #timerAtMs = 0
  #reason: SamsaError | undefined
  #onIdle: (() => void)[] = []

  constructor(options: ConnectionOptions) {
    this.node = options.node
    this.purpose = options.purpose
    this.#options = options
    const maxFrameBytes = Math.min(options.maxFrameBytes, FIRST_FRAME_MAX_BYTES)
    this.#frames = new FrameReader({ maxFrameBytes, onFrame: frame => this.#onFrame(frame) })
    this.#transport = options.world.dial(
      { host: options.host, port: options.port },
      {
        onConnect: () => options.onConnected(),
        onData: chunk => this.#onData(chunk),
        onDrain: nothing,
        onClose: error => this.#onClose(error)
      }
    )
  }

  /** Requests written and not answered. */
  get inFlight(): number {
    return this.#pending.length - this.#head
  }

  get bufferedBytes(): number {
    return this.#transport.bufferedBytes
  }

  /**
   * Asks the broker which APIs it speaks (KIP-35) and remembers it. Must come first. Rejects with ProtocolError NEGOTIATION_FAILED, or as
   * `request` does; the connection is then of no use.
   */
  async negotiate(timeoutMs: number): Promise<void> {
    const api = await loadApi('ApiVersions')
    let version = api.maxVersion
    for (;;) {
      const answer = await this.#call(api, version, SOFTWARE, timeoutMs)
      const versions = parseApiVersions(answer)
      // A broker that does not know this version answers 35 in the body of version 0, with its own range (KIP-511).
      if (answer.errorCode === 35 && version > 0) {
        version = Math.max(0, Math.min(version - 1, versions.range('ApiVersions')?.max ?? 0))
        continue
      }
      if (answer.errorCode !== 0)
        throw new ProtocolError('NEGOTIATION_FAILED', `Broker ${this.node} answered ApiVersions with error ${answer.errorCode}.`)
      this.#versions = versions
      this.#frames.maxFrameBytes = this.#options.maxFrameBytes
      return
    }
  }

  /** The version both sides would use; undefined: this broker does not offer the API. */
  version(name: ApiName): number | undefined {
    if (!this.#versions) return undefined
    if (!this.#chosen.has(name)) this.#chosen.set(name, this.#versions.highest(name))
    return this.#chosen.get(name)
  }

  /**
   * Rejects with BrokerError UNSUPPORTED_VERSION, UsageError for a body that cannot travel, TimeoutError REQUEST_TIMEOUT, ProtocolError, and
   * ConnectionError CONNECTION_LOST; after the last three the connection is closed and the outcome of the request unknown.
   */
  async request<N extends ApiName>(name: N, body: RequestOf<N>, limits: RequestLimits = {}): Promise<ResponseOf<N>> {
    const api = await loadApi(name)
    if (!this.open) throw this.#lost()
    const version = chooseVersion(this.#versions, name, limits)
    return this.#call(api, version, body, limits.timeoutMs ?? this.#options.requestTimeoutMs)
  }

  /** The hot path: no promise, `done` is called once, with what `request` rejects with. The API must have been loaded. */
  send<N extends ApiName>(
    name: N,
    body: RequestOf<N>,
    limits: number | RequestLimits,
    done: (error: Error | undefined, response: ResponseOf<N> | undefined) => void
  ): void {
    const api = loadedApi(name)
    const bounds: RequestLimits = typeof limits === 'number' ? { timeoutMs: limits } : limits
    const timeoutMs = bounds.timeoutMs ?? this.#options.requestTimeoutMs
    let version: number
    try {
      if (!this.open) throw this.#lost()
      const bounded = bounds.minVersion !== undefined || bounds.maxVersion !== undefined
      version = (bounded ? undefined : this.version(name)) ?? chooseVersion(this.#versions, name, bounds)
    } catch (error) {
      this.#guard(() => done(error as Error, undefined))
      return
    }
    this.#write(api, version, body, timeoutMs, done as Pending['done'])
  }

  /** A request that the broker does not answer: Produce with acks 0. */
  sendUnanswered<N extends ApiName>(name: N, body: RequestOf<N>): boolean {
    const version = this.version(name)
    if (!this.open || version === undefined) return false
    const { chunks } = loadedApi(name).encodeRequest(version, body, { correlationId: this.#nextId(), clientId: this.#options.clientId })
    this.#transport.write(chunks)
    return true
  }

  /** Calls back once nothing is in flight any more (at once when that is so now). Not when the connection ends before that. */
  whenIdle(callback: () => void): void {
    if (this.inFlight === 0) callback()
    else this.#onIdle.push(callback)
  }

  /** Drops the connection now; what is in flight ends with the reason. */
  close(reason?: SamsaError): void {
    if (!this.open) return
    this.#reason = reason
    this.#transport.destroy()
    if (this.open) this.#onClose(undefined)
  }

  #nextId(): number {
    this.#correlationId = (this.#correlationId + 1) & 0x7fffffff
    return this.#correlationId
  }

  #call<N extends ApiName>(api: Api<N>, version: number, body: RequestOf<N>, timeoutMs: number): Promise<ResponseOf<N>> {
    return new Promise((resolve, reject) => {
      if (!this.open) return reject(this.#lost())
      this.#write(api, version, body, timeoutMs, (error, response) => (error ? reject(error) : resolve(response)))
    })
  }

  #write<N extends ApiName>(api: Api<N>, version: number, body: RequestOf<N>, timeoutMs: number, done: Pending['done']): void {
    const correlationId = this.#nextId()
    let chunks: Uint8Array[]
    try {
      chunks = api.encodeRequest(version, body, { correlationId, clientId: this.#options.clientId }).chunks
    } catch (error) {
      this.#guard(() => done(error as Error, undefined as never))
      return
    }
    const deadlineMs = this.#options.world.monotonicMs() + timeoutMs
    this.#pending.push({ correlationId, api: api as unknown as Api<ApiName>, version, deadlineMs, done })
    this.#arm(deadlineMs)
    this.#transport.write(chunks)
  }

  #onData(chunk: Buffer): void {
    if (!this.open) return
    try {
      this.#frames.push(chunk)
    } catch (error) {
      this.close(
        error instanceof SamsaError
          ? error
          : new ProtocolError('BAD_FRAME', `Broker ${this.node} sent bytes that could not be read.`, { cause: error })
      )
    }
  }

  #onFrame(frame: Buffer): void {
    // The answer before this one, out of the same chunk, may have led to the end.
    if (!this.open) return
    const pending = this.#pending[this.#head]
    if (!pending) throw new ProtocolError('UNEXPECTED_RESPONSE', `Broker ${this.node} answered a request that was not sent.`)
    // A broker answers in the order of the requests; anything else means that the stream cannot be trusted any more.
    const correlationId = frame.length >= 4 ? frame.readInt32BE(0) : -1
    if (correlationId !== pending.correlationId)
      throw new ProtocolError(
        'CORRELATION_MISMATCH',
        `Broker ${this.node} answered request ${correlationId} where ${pending.correlationId} was due.`
      )
    const { body } = pending.api.decodeResponse(pending.version, frame)
    this.#pending[this.#head++] = undefined as never
    if (this.#head === this.#pending.length) {
      this.#pending.length = 0
      this.#head = 0
    } else if (this.#head > 1024) {
      this.#pending.splice(0, this.#head)
      this.#head = 0
    }
    const throttleMs = (body as { throttleTimeMs?: number }).throttleTimeMs
    if (throttleMs !== undefined && throttleMs > 0) this.#guard(() => this.#options.onThrottled(throttleMs))
    try {
      pending.done(undefined, body as never)
    } catch (error) {
      this.#defect(error)
    }
    if (this.#onIdle.length > 0 && this.inFlight === 0) for (const callback of this.#onIdle.splice(0)) this.#guard(callback)
  }

  /** Runs a callback of somebody else, whose failure is not the connection's. */
  #guard(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      this.#defect(error)
    }
  }

  #defect(error: unknown): void {
    const { onDefect, world } = this.#options
    if (onDefect) onDefect(error)
    else
      world.defer(() => {
        throw error
      })
  }

  /** One timer for all requests, armed for the earliest deadline that it knows of. */
  #arm(deadlineMs: number): void {
    if (this.#timer !== undefined && this.#timerAtMs <= deadlineMs) return
    const { world } = this.#options
    if (this.#timer !== undefined) world.clearTimer(this.#timer)
    this.#timerAtMs = deadlineMs
    this.#timer = world.setTimer(() => this.#onTimer(), Math.max(1, deadlineMs - world.monotonicMs()))
  }

  #onTimer(): void {
    this.#timer = undefined
    const now = this.#options.world.monotonicMs()
    let earliest = Number.POSITIVE_INFINITY
    for (let i = this.#head; i < this.#pending.length; i++) {
      const { deadlineMs, api } = this.#pending[i]!
      if (deadlineMs <= now) {
        const what = `Broker ${this.node} did not answer ${api.name} in time; the connection is given up.`
        this.close(new TimeoutError('REQUEST_TIMEOUT', what, { retriable: true }))
        return
      }
      earliest = Math.min(earliest, deadlineMs)
    }
    if (earliest !== Number.POSITIVE_INFINITY) this.#arm(earliest)
  }

  #lost(): SamsaError {
    return (
      this.#reason ??
      new ConnectionError('CONNECTION_LOST', `The connection to broker ${this.node} is closed.`, {
        retriable: true,
        details: { broker: this.node }
      })
    )
  }

  #onClose(error: Error | undefined): void {
    if (!this.open) return
    this.open = false
    if (this.#timer !== undefined) this.#options.world.clearTimer(this.#timer)
    this.#timer = undefined
    if (error && !this.#reason)
      this.#reason =
        error instanceof SamsaError
          ? error
          : new ConnectionError('CONNECTION_LOST', `The connection to broker ${this.node} failed: ${error.message}.`, {
              retriable: true,
              cause: error
            })
    const waiting = this.#pending.slice(this.#head)
    this.#pending = []
    this.#head = 0
    this.#onIdle = []
    for (const pending of waiting) this.#guard(() => pending.done(this.#lost(), undefined as never))
    this.#guard(() => this.#options.onClosed(this.#reason, waiting.length))
  }
}
