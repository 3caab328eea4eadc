/**
 * Keeps one thing read from ZooKeeper up to date: a poke (a watch that fired, a refresh) leads to a read, pokes during a read to
 * one more, a failed read to a later one. It never reads twice at once, and nothing of an ended session reaches anybody.
 */
import { plainError, SamsaError } from '../../model/errors.ts'
import type { Timer, World } from '../../model/world.ts'
import { isZooKeeperError } from './errors.ts'
import type { Stat, Watch, ZooKeeperSession } from './session.ts'

/** Watches fire in bursts (a broker dies: all its partitions): what comes within this time is one read, one event. */
const burstMs = 5
const firstRetryMs = 100
const longestRetryMs = 5_000

/** Reads with this session. `current()` turns false when the answer is of no use any more. */
export type Read = (session: ZooKeeperSession, current: () => boolean) => Promise<void>

export class Level {
  readonly #world: World
  readonly #read: Read
  readonly #trouble: (error: SamsaError) => void
  #session: ZooKeeperSession | undefined
  /** Counts attachments: a read of an older one is stale. */
  #era = 0
  #running = false
  #again = false
  #failures = 0
  #timer: Timer | undefined
  #timerDueMs = 0

  constructor(world: World, read: Read, trouble: (error: SamsaError) => void) {
    this.#world = world
    this.#read = read
    this.#trouble = trouble
  }

  /** Reads with this session from now on, and at once. */
  attach(session: ZooKeeperSession): void {
    this.detach()
    this.#session = session
    this.#failures = 0
    this.poke()
  }

  detach(): void {
    this.#era++
    this.#session = undefined
    this.#running = false
    this.#again = false
    this.#clearTimer()
  }

  /** Read again soon. Without a session nothing is lost by ignoring it: attaching reads anyway. */
  poke(): void {
    if (!this.#session) return
    if (this.#running) this.#again = true
    else this.#schedule(burstMs)
  }

  #schedule(delayMs: number): void {
    const dueMs = this.#world.monotonicMs() + delayMs
    if (this.#timer && this.#timerDueMs <= dueMs) return
    this.#clearTimer()
    this.#timerDueMs = dueMs
    this.#timer = this.#world.setTimer(() => {
      this.#timer = undefined
      void this.#run()
    }, delayMs)
  }

  #clearTimer(): void {
    if (this.#timer) this.#world.clearTimer(this.#timer)
    this.#timer = undefined
  }

  async #run(): Promise<void> {
    const session = this.#session
    if (!session) return
    const era = this.#era
    const current = () => era === this.#era
    this.#running = true
    this.#again = false
    let failure: unknown
    try {
      await this.#read(session, current)
    } catch (error) {
      failure = error ?? new Error('a read failed')
    }
    if (!current()) return
    this.#running = false
    if (failure === undefined) this.#failures = 0
    else this.#failed(failure)
    if (this.#again) this.poke()
  }

  #failed(error: unknown): void {
    if (!isToldBySession(error)) this.#trouble(asSamsaError(error))
    const limitMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(this.#failures, 10))
    this.#failures++
    this.#schedule(limitMs * (0.5 + this.#world.random() / 2))
  }
}

/** A lost link is an event of the session itself; the read is simply due again. */
function isToldBySession(error: unknown): boolean {
  if (isZooKeeperError(error, 'ZK_TIMEOUT')) return error.details.sent === false
  return isZooKeeperError(error, 'ZK_CONNECTION_LOSS')
}

function asSamsaError(error: unknown): SamsaError {
  if (error instanceof SamsaError) return error
  return new SamsaError('UNEXPECTED', `Reading from ZooKeeper failed: ${plainError(error).message}`, { cause: error })
}

/** A node's data, or undefined when there is none. Either way `watch` is armed for the next change. */
export async function readData(session: ZooKeeperSession, path: string, watch: Watch): Promise<{ data: Buffer; stat: Stat } | undefined> {
  for (;;) {
    try {
      return await session.getData(path, watch)
    } catch (error) {
      if (!isZooKeeperError(error, 'ZK_NO_NODE')) throw error
    }
    if (!(await session.exists(path, watch))) return undefined
  }
}

/** A node's children, or undefined when it does not exist. Either way `watch` is armed for the next change. */
export async function readChildren(session: ZooKeeperSession, path: string, watch: Watch): Promise<string[] | undefined> {
  for (;;) {
    try {
      return (await session.getChildren(path, watch)).children
    } catch (error) {
      if (!isZooKeeperError(error, 'ZK_NO_NODE')) throw error
    }
    if (!(await session.exists(path, watch))) return undefined
  }
}

/** Lets so many tasks run at once; the others wait their turn. */
export class Lanes {
  readonly #max: number
  #running = 0
  #waiting: (() => void)[] = []

  constructor(max: number) {
    this.#max = max
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#max) await new Promise<void>(resolve => this.#waiting.push(resolve))
    else this.#running++
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}
