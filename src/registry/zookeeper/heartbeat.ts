/**
 * Keeps a connected session alive and notices when the server has gone silent: a ping every third of the session timeout,
 * the connection given up after two thirds without a byte (the rule of ZooKeeper's `ClientCnxn`).
 */
import type { Timer, World } from '../../model/world.ts'

export class Heartbeat {
  readonly #world: World
  readonly #ping: () => void
  readonly #silent: (silentMs: number) => void
  #timeoutMs = 0
  #timer: Timer | undefined
  #running = false
  /** A judgement that was deferred by an older run is stale. */
  #run = 0
  #lastPingMs = 0
  /** When the pings went out that are not answered yet, oldest first. */
  #unanswered: number[] = []
  #lastHeardMs = 0
  #leaseFromMs = 0

  constructor(world: World, ping: () => void, silent: (silentMs: number) => void) {
    this.#world = world
    this.#ping = ping
    this.#silent = silent
  }

  /** When the last bytes came. */
  get lastHeardMs(): number {
    return this.#lastHeardMs
  }

  /**
   * When the last request was *sent* that the server has answered: it keeps the session at least a session timeout from there.
   */
  get leaseFromMs(): number {
    return this.#leaseFromMs
  }

  get timeoutMs(): number {
    return this.#timeoutMs
  }

  start(timeoutMs: number): void {
    this.stop()
    this.#timeoutMs = timeoutMs
    this.#running = true
    this.#lastPingMs = this.#world.monotonicMs()
    this.#unanswered = []
    this.#schedule()
  }

  stop(): void {
    this.#running = false
    this.#run++
    if (this.#timer) this.#world.clearTimer(this.#timer)
    this.#timer = undefined
  }

  heard(): void {
    this.#lastHeardMs = this.#world.monotonicMs()
  }

  /** The server answered something that was sent then. */
  answered(sentAtMs: number): void {
    if (sentAtMs > this.#leaseFromMs) this.#leaseFromMs = sentAtMs
  }

  pong(): void {
    const sentAtMs = this.#unanswered.shift()
    if (sentAtMs !== undefined) this.answered(sentAtMs)
  }

  #schedule(): void {
    const dueMs = Math.min(this.#lastPingMs + this.#timeoutMs / 3, this.#silentAtMs())
    this.#timer = this.#world.setTimer(() => this.#beat(), Math.max(1, dueMs - this.#world.monotonicMs()))
  }

  #silentAtMs(): number {
    return Math.min(this.#lastHeardMs + (this.#timeoutMs * 2) / 3, this.#leaseFromMs + this.#timeoutMs)
  }

  #beat(): void {
    this.#timer = undefined
    const nowMs = this.#world.monotonicMs()
    if (nowMs >= this.#lastPingMs + this.#timeoutMs / 3) {
      this.#lastPingMs = nowMs
      this.#unanswered.push(nowMs)
      this.#ping()
    }
    // Judged after this turn's I/O: when the process itself was stopped, what the server had sent meanwhile is read first.
    const run = this.#run
    this.#world.defer(() => {
      if (run === this.#run && this.#running) this.#judge()
    })
  }

  #judge(): void {
    const nowMs = this.#world.monotonicMs()
    if (nowMs < this.#silentAtMs()) this.#schedule()
    else {
      this.stop()
      this.#silent(nowMs - this.#lastHeardMs)
    }
  }
}
