/**
 * Operations that always settle: each has a deadline, and at the end of the session all that are left end with it.
 */
import type { Timer, World } from '../../model/world.ts'
import { ZooKeeperError } from './errors.ts'
import type { Asker } from './library.ts'

/** One operation under way. The library's packet points at it, so that it knows whether it was sent. */
export class Operation implements Asker {
  readonly name: string
  readonly path: string
  settled = false
  sent = false
  #settle: (error: Error | undefined, value: unknown) => void

  constructor(name: string, path: string, settle: (error: Error | undefined, value: unknown) => void) {
    this.name = name
    this.path = path
    this.#settle = settle
  }

  resolve(value: unknown): void {
    this.#end(undefined, value)
  }

  reject(error: Error): void {
    this.#end(error, undefined)
  }

  #end(error: Error | undefined, value: unknown): void {
    if (this.settled) return
    this.settled = true
    this.#settle(error, value)
  }
}

export class Operations {
  readonly #world: World
  readonly #maxWaiting: number
  readonly #waiting = new Set<Operation>()

  constructor(world: World, maxWaiting: number) {
    this.#world = world
    this.#maxWaiting = maxWaiting
  }

  /** Starts one. What `start` throws rejects it. */
  run<T>(name: string, path: string, timeoutMs: number, start: (operation: Operation) => void): Promise<T> {
    if (this.#waiting.size >= this.#maxWaiting) return Promise.reject(this.#tooMany(name, path))
    return new Promise<T>((resolve, reject) => {
      let timer: Timer | undefined
      const operation = new Operation(name, path, (error, value) => {
        if (timer) this.#world.clearTimer(timer)
        this.#waiting.delete(operation)
        if (error) reject(error)
        else resolve(value as T)
      })
      this.#waiting.add(operation)
      timer = this.#world.setTimer(() => operation.reject(timedOut(operation, timeoutMs)), timeoutMs)
      try {
        start(operation)
      } catch (error) {
        operation.reject(asZooKeeperError(error, name, path))
      }
    })
  }

  /** The session is over: nothing may wait any longer. */
  endAll(errorFor: (operation: Operation) => Error): void {
    for (const operation of [...this.#waiting]) operation.reject(errorFor(operation))
  }

  #tooMany(name: string, path: string): ZooKeeperError {
    return new ZooKeeperError('ZK_LIMIT', `${name} ${path}: ${this.#maxWaiting} operations wait already; wait for some of them.`, {
      retriable: true,
      details: { operation: name, path, sent: false, maxOperations: this.#maxWaiting }
    })
  }
}

function timedOut(operation: Operation, timeoutMs: number): ZooKeeperError {
  const { name, path, sent } = operation
  const what = sent
    ? 'was sent and not answered; its result is unknown, read before writing again'
    : 'was not sent, as there is no connection; try again when the session is connected'
  return new ZooKeeperError('ZK_TIMEOUT', `${name} ${path}: after ${timeoutMs} ms it ${what}.`, {
    retriable: true,
    details: { operation: name, path, sent, timeoutMs }
  })
}

function asZooKeeperError(error: unknown, operation: string, path: string): Error {
  if (error instanceof ZooKeeperError) return error
  const why = error instanceof Error ? error.message : String(error)
  return new ZooKeeperError('ZK_BAD_ARGUMENTS', `${operation} ${path}: ${why}`, { cause: error, details: { operation, path } })
}
