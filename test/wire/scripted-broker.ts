/**
 * A connection whose other end is the test: a World with a clock that is set by hand and a transport that keeps what was written and says
 * what it is told to.
 */

import type { SamsaError } from '../../src/model/errors.ts'
import type { Timer, TransportHandlers, World } from '../../src/model/world.ts'
import { type ApiName, apiNameOf, loadApi, type RequestOf, type ResponseOf } from '../../src/wire/apis.ts'
import { Connection, type ConnectionOptions } from '../../src/wire/connection.ts'

export interface Asked {
  name: ApiName
  version: number
  correlationId: number
  frame: Buffer
}

/** A size in front. */
export function framed(body: Uint8Array): Buffer {
  const out = Buffer.alloc(4 + body.length)
  out.writeInt32BE(body.length)
  out.set(body, 4)
  return out
}

/** What a broker says to ApiVersions, in version 0: every API with all of our versions, but for those named. */
export const versionsAnswer = (apiKeys: { apiKey: number; minVersion: number; maxVersion: number }[], errorCode = 0) =>
  ({ errorCode, apiKeys, throttleTimeMs: 0 }) as unknown as ResponseOf<'ApiVersions'>

export class ScriptedBroker {
  nowMs = 0
  timers = new Map<object, { atMs: number; callback: () => void }>()
  deferred: (() => void)[] = []
  handlers!: TransportHandlers
  written: Buffer[] = []
  destroyed = 0
  closed: { error: SamsaError | undefined; inFlight: number }[] = []
  throttled: number[] = []
  defects: unknown[] = []
  connected = 0
  readonly connection: Connection

  constructor(options: Partial<ConnectionOptions> = {}) {
    const world = {
      now: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      setTimer: (callback: () => void, delayMs: number) => {
        const timer = {}
        this.timers.set(timer, { atMs: this.nowMs + delayMs, callback })
        return timer
      },
      clearTimer: (timer: Timer) => void this.timers.delete(timer),
      defer: (callback: () => void) => void this.deferred.push(callback),
      dial: (_target: unknown, handlers: TransportHandlers) => {
        this.handlers = handlers
        return {
          write: (chunks: readonly Uint8Array[]) => {
            this.written.push(Buffer.concat(chunks))
            return true
          },
          bufferedBytes: 0,
          pause: () => {},
          resume: () => {},
          end: () => {},
          destroy: () => void this.destroyed++
        }
      }
    } as unknown as World
    this.connection = new Connection({
      world,
      node: 7,
      purpose: 'test',
      host: 'broker',
      port: 9092,
      clientId: 'me',
      maxFrameBytes: 64 * 1024 * 1024,
      requestTimeoutMs: 1_000,
      onConnected: () => void this.connected++,
      onClosed: (error, inFlight) => void this.closed.push({ error, inFlight }),
      onThrottled: ms => void this.throttled.push(ms),
      onDefect: error => void this.defects.push(error),
      ...options
    })
  }

  /** Moves the clock, running what is due in between. */
  advance(ms: number): void {
    const until = this.nowMs + ms
    for (;;) {
      const due = [...this.timers].filter(([, { atMs }]) => atMs <= until).sort((a, b) => a[1].atMs - b[1].atMs)[0]
      if (!due) break
      this.timers.delete(due[0])
      this.nowMs = Math.max(this.nowMs, due[1].atMs)
      due[1].callback()
    }
    this.nowMs = until
  }

  /** The requests written so far and not asked for yet. */
  asked(): Asked[] {
    return this.written.splice(0).map(bytes => ({
      name: apiNameOf(bytes.readInt16BE(4))!,
      version: bytes.readInt16BE(6),
      correlationId: bytes.readInt32BE(8),
      frame: bytes.subarray(4)
    }))
  }

  /** The next request: waits for the turns of the loop that loading its definitions takes. */
  async next(): Promise<Asked> {
    for (let turn = 0; turn < 1_000; turn++) {
      if (this.written.length > 0) {
        const [first, ...rest] = this.written
        this.written = [first!]
        const [one] = this.asked()
        this.written = rest
        return one!
      }
      await new Promise(resolve => setImmediate(resolve))
    }
    throw new Error('nothing was asked')
  }

  say(bytes: Uint8Array): void {
    this.handlers.onData(Buffer.from(bytes))
  }

  async answer<N extends ApiName>(name: N, version: number, correlationId: number, body: ResponseOf<N>): Promise<void> {
    this.say(await answerBytes(name, version, correlationId, body))
  }

  /** Negotiates as a broker that speaks all that we do, or only what is given. */
  async negotiate(apiKeys?: { apiKey: number; minVersion: number; maxVersion: number }[]): Promise<void> {
    const negotiated = this.connection.negotiate(1_000)
    const { version, correlationId } = await this.next()
    const all = Array.from({ length: 100 }, (_, apiKey) => ({ apiKey, minVersion: 0, maxVersion: 100 }))
    await this.answer('ApiVersions', version, correlationId, versionsAnswer(apiKeys ?? all))
    await negotiated
  }
}

export async function answerBytes<N extends ApiName>(name: N, version: number, id: number, body: ResponseOf<N>): Promise<Buffer> {
  return Buffer.concat((await loadApi(name)).encodeResponse(version, id, body).chunks)
}

export const heartbeat: RequestOf<'Heartbeat'> = { groupId: 'g', generationId: 1, memberId: 'm' }
export const alive: ResponseOf<'Heartbeat'> = { throttleTimeMs: 0, errorCode: 0 }
