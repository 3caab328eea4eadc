/**
 * One connection to a broker: frames in, one request after the other, each answered before the next is looked at, as a real broker does it. What is
 * no request of Kafka's ends the connection, and only it.
 */
import { ProtocolError } from '../../model/errors.ts'
import type { Transport, TransportHandlers } from '../../model/world.ts'
import { type ApiName, apiNameOf, type Frame, loadedApi, type RequestHead, type ResponseOf, readRequestHead } from '../../wire/apis.ts'
import { FrameReader } from '../../wire/frames.ts'
import type { Broker } from './broker.ts'
import type { Verdict } from './control.ts'
import type { Peer, RequestContext } from './handler.ts'
import { Sasl } from './sasl.ts'
import type { ClusterState } from './state.ts'

export interface ConnectionLimits {
  /** Of one broker, at a time. */
  connections: number
  /** Of a frame of somebody who has yet to show who he is (`sasl.server.max.receive.size`). */
  unauthenticatedFrameBytes: number
  /** Default: `socket.request.max.bytes`. */
  frameBytes: number
  /** Requests that have arrived and wait for those before them; beyond it nothing more is read, nor with `frameBytes` of them. */
  waitingRequests: number
}

/** ApiVersions in a version that nobody knows is answered in this one (KIP-511). */
const APIS_UNKNOWN_VERSION = 0
const LOCALHOST = '/127.0.0.1'

export class BrokerConnection implements Peer {
  clientId: string | null = null
  readonly handlers: Omit<TransportHandlers, 'onConnect'>
  #broker: Broker
  #transport: Transport
  #reader: FrameReader
  #sasl: Sasl
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #busy = false
  #closed = false
  #paused = false
  /** Answers that were ready when the broker was frozen. */
  #held: Frame[] = []
  #drained: (() => void) | undefined
  #onClosed = new Set<() => void>()

  constructor(broker: Broker, transport: Transport, onClosed: () => void) {
    this.#broker = broker
    this.#transport = transport
    this.#sasl = broker.state.part(Sasl)
    this.#onClosed.add(onClosed)
    this.#reader = new FrameReader({ onFrame: frame => this.#take(frame) })
    this.#trust()
    this.handlers = {
      onData: chunk => this.#reader.push(chunk),
      onDrain: () => this.#drained?.(),
      onClose: () => this.#gone()
    }
  }

  get closed(): boolean {
    return this.#closed
  }

  destroy(): void {
    this.#transport.destroy()
    this.#gone()
  }

  onClosed(callback: () => void): () => void {
    if (this.#closed) callback()
    else this.#onClosed.add(callback)
    return () => void this.#onClosed.delete(callback)
  }

  /** The next request, if nothing is being handled. */
  proceed(): void {
    if (this.#closed || this.#broker.frozen) return
    for (const frame of this.#held.splice(0)) this.#transport.write(frame.chunks)
    if (this.#busy) return
    const frame = this.#waiting.shift()
    if (!frame) return
    this.#waitingBytes -= frame.length
    this.#resume()
    this.#busy = true
    this.#handle(frame).then(
      () => {
        this.#busy = false
        this.proceed()
      },
      error => {
        this.#busy = false
        this.destroy()
        if (!(error instanceof ProtocolError)) this.#broker.trouble(error)
      }
    )
  }

  #take(frame: Buffer): void {
    if (this.#closed) return
    this.#waiting.push(frame)
    this.#waitingBytes += frame.length
    const { waitingRequests, frameBytes } = this.#broker.limits
    if (!this.#paused && (this.#waiting.length >= waitingRequests || this.#waitingBytes >= frameBytes)) {
      this.#paused = true
      this.#transport.pause()
    }
    this.proceed()
  }

  #resume(): void {
    const { waitingRequests, frameBytes } = this.#broker.limits
    if (!this.#paused || this.#waiting.length > waitingRequests / 2 || this.#waitingBytes > frameBytes / 2) return
    this.#paused = false
    this.#transport.resume()
  }

  async #handle(frame: Buffer): Promise<void> {
    if (this.#sasl.takesBareTokens(this)) return this.#bareToken(frame)
    const head = readRequestHead(frame)
    const name = apiNameOf(head.apiKey)
    const { versions } = this.#broker
    if (name === undefined || !versions.of(name)) throw new ProtocolError('UNKNOWN_API', `API ${head.apiKey} is not offered.`)
    const known = versions.takes(name, head.apiVersion)
    if (!known && name !== 'ApiVersions')
      throw new ProtocolError('UNSUPPORTED_VERSION', `${name} is not offered in version ${head.apiVersion}.`)
    // A real broker closes without a word, too.
    if (!this.#sasl.mayAsk(this, name)) throw new ProtocolError('NOT_AUTHENTICATED', `${name} was asked before SASL.`)
    // Nothing but its head can be read of ApiVersions in a version that nobody knows.
    const { body, clientId } = known ? loadedApi(name).decodeRequest(head.apiVersion, frame) : { body: {}, clientId: null }
    this.clientId = clientId
    await this.#answer(name, head, body)
  }

  /** After SaslHandshake v0 tokens come without a request around them, and are answered so; a wrong one ends the connection. */
  async #bareToken(token: Buffer): Promise<void> {
    const answer = this.#sasl.step(this, token) ?? Buffer.alloc(0)
    this.#trust()
    const size = Buffer.alloc(4)
    size.writeInt32BE(answer.length)
    await this.#send({ chunks: [size, answer], bytes: size.length + answer.length }, {})
  }

  /** More at once is taken of those who are known. */
  #trust(): void {
    const { frameBytes, unauthenticatedFrameBytes } = this.#broker.limits
    this.#reader.maxFrameBytes = this.#sasl.isKnown(this) ? frameBytes : Math.min(frameBytes, unauthenticatedFrameBytes)
  }

  async #answer(name: ApiName, { apiVersion: version, correlationId }: RequestHead, body: object): Promise<void> {
    const broker = this.#broker
    if (broker.slowMs > 0) await this.#sleep(broker.slowMs)
    const asked = { api: name, version, correlationId, clientId: this.clientId, body: body as never, broker, connection: this }
    const verdict: Verdict = (broker.controls.isEmpty ? undefined : await broker.controls.decide(asked)) ?? {}
    if (verdict.delayMs) await this.#sleep(verdict.delayMs)
    if (this.#closed) return
    if (verdict.drop === 'before') return this.#drop(verdict)
    const answer = verdict.answer === undefined ? await this.#ask(name, version, body) : verdict.answer
    this.#trust()
    if (verdict.answerDelayMs) await this.#sleep(verdict.answerDelayMs)
    if (this.#closed) return
    if (verdict.drop === 'after') return this.#drop(verdict)
    if (answer === null) return
    const changed = verdict.change?.(answer as never) ?? answer
    const told = this.#broker.versions.takes(name, version) ? version : APIS_UNKNOWN_VERSION
    const close = verdict.close || this.#sasl.isRefused(this)
    await this.#send(loadedApi(name).encodeResponse(told, correlationId, changed as never), { ...verdict, close })
  }

  async #ask(name: ApiName, version: number, body: object): Promise<ResponseOf<ApiName> | null> {
    const { handlers, state } = this.#broker
    const context: RequestContext<ClusterState, Broker> = {
      version,
      clientId: this.clientId,
      clientHost: LOCALHOST,
      connection: this,
      broker: this.#broker,
      state
    }
    const answer = await handlers.get(name)!.handle(body as never, context)
    if (answer !== null && state.written) await state.written()
    return answer
  }

  /** Resolves when more may be written: who does not read his answers gets no more of them made. */
  async #send(frame: Frame, verdict: Verdict): Promise<void> {
    if (this.#broker.frozen) {
      this.#held.push(frame)
      return
    }
    const ready = this.#transport.write(verdict.bytes ? [verdict.bytes(Buffer.concat(frame.chunks))] : frame.chunks)
    if (verdict.close) this.#transport.end()
    if (ready || verdict.close) return
    await new Promise<void>(resolve => {
      const stop = this.onClosed(resolve)
      this.#drained = () => {
        stop()
        resolve()
      }
    })
    this.#drained = undefined
  }

  #drop({ stay }: Verdict): void {
    if (!stay) this.destroy()
  }

  /** Or until nobody would hear the answer any more. */
  #sleep(delayMs: number): Promise<void> {
    const { world } = this.#broker
    return new Promise(resolve => {
      let stop = () => {}
      const timer = world.setTimer(end, delayMs)
      stop = this.onClosed(end)
      function end() {
        world.clearTimer(timer)
        stop()
        resolve()
      }
    })
  }

  #gone(): void {
    if (this.#closed) return
    this.#closed = true
    this.#waiting = []
    this.#held = []
    const callbacks = [...this.#onClosed]
    this.#onClosed.clear()
    for (const callback of callbacks) callback()
  }
}
