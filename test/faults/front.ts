/**
 * A TCP proxy in front of a broker that a test may break in the ways in which networks break: refused, reset, silent both ways or one, slow. The broker
 * advertises the proxy's port (`ClusterOptions.fronts`), so that every client that comes by it stays behind it.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'

/** `up`: from the client to the broker. */
export type Way = 'up' | 'down'

interface Pair {
  near: Socket
  far: Socket
}

export class FrontProxy {
  /** Connections and bytes that met the fault that is on: what proves that it was one. */
  hit = { connections: 0, bytes: 0 }
  /** The broker's own port. */
  readonly behind: number
  #server: Server
  #pairs = new Set<Pair>()
  #silent: Record<Way, boolean> = { up: false, down: false }
  #refusing = false
  #slow: { delayMs: number; bytesPerMs: number } | undefined

  private constructor(behind: number) {
    this.behind = behind
    this.#server = createServer(near => this.#accept(near))
  }

  static async start(port: number, behind: number): Promise<FrontProxy> {
    const proxy = new FrontProxy(behind)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject)
      proxy.#server.listen(port, '127.0.0.1', resolve)
    })
    return proxy
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  get open(): number {
    return this.#pairs.size
  }

  /** Resets every connection; new ones are refused, by a reset, until `heal`. */
  refuse(): void {
    this.#begin()
    this.#refusing = true
    this.reset()
  }

  /** Resets every connection; new ones pass. */
  reset(): void {
    this.hit.connections += this.#pairs.size
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
    this.#pairs.clear()
  }

  /** What comes is swallowed: connections stay open, also new ones. What was swallowed is gone, so they are reset by `heal`. */
  silence(...ways: readonly Way[]): void {
    this.#begin()
    for (const way of ways) this.#silent[way] = true
  }

  /** Each piece arrives so much later, and no faster than that. */
  slow(delayMs: number, bytesPerMs = Number.POSITIVE_INFINITY): void {
    this.#begin()
    this.#slow = { delayMs, bytesPerMs }
  }

  heal(): void {
    const lossy = this.#silent.up || this.#silent.down
    this.#silent = { up: false, down: false }
    this.#refusing = false
    this.#slow = undefined
    if (lossy) this.reset()
  }

  async close(): Promise<void> {
    this.reset()
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }

  #begin(): void {
    this.hit = { connections: 0, bytes: 0 }
  }

  #accept(near: Socket): void {
    near.on('error', () => {})
    if (this.#refusing) {
      this.hit.connections++
      return void near.resetAndDestroy()
    }
    near.setNoDelay(true)
    const far = connect(this.behind, '127.0.0.1')
    far.setNoDelay(true)
    far.on('error', () => {})
    const pair = { near, far }
    this.#pairs.add(pair)
    this.#pass('up', near, far)
    this.#pass('down', far, near)
    const end = () => {
      if (!this.#pairs.delete(pair)) return
      near.destroy()
      far.destroy()
    }
    near.on('close', end)
    far.on('close', end)
  }

  /** In order, whatever the speed is at the moment. */
  #pass(way: Way, from: Socket, to: Socket): void {
    const waiting: { dueMs: number; bytes: Buffer }[] = []
    let freeAtMs = 0
    const flush = () => {
      while (waiting.length > 0 && waiting[0]!.dueMs <= performance.now()) {
        const { bytes } = waiting.shift()!
        if (!to.destroyed) to.write(bytes)
      }
      if (waiting.length > 0) setTimeout(flush, Math.ceil(waiting[0]!.dueMs - performance.now()))
    }
    from.on('data', bytes => {
      if (this.#silent[way]) {
        this.hit.bytes += bytes.length
        return
      }
      if (!this.#slow && waiting.length === 0) return void to.write(bytes)
      const { delayMs, bytesPerMs } = this.#slow ?? { delayMs: 0, bytesPerMs: Number.POSITIVE_INFINITY }
      if (this.#slow) this.hit.bytes += bytes.length
      const nowMs = performance.now()
      freeAtMs = Math.max(freeAtMs, nowMs) + bytes.length / bytesPerMs
      waiting.push({ dueMs: Math.max(freeAtMs, nowMs) + delayMs, bytes })
      if (waiting.length === 1) setTimeout(flush, Math.ceil(waiting[0]!.dueMs - nowMs))
    })
  }
}
