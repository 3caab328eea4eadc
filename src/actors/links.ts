/**
 * The links of one cluster: which connections are ready, who waits for one, and who is told when one comes or goes.
 * Wishes become WANT events of `broker-connection` machines; every wait has a deadline.
 */
import type { Link } from '../flow/link.ts'
import { ConnectionError, type PlainError, type SamsaError, TimeoutError } from '../model/errors.ts'
import type { Timer, World } from '../model/world.ts'

interface Waiter {
  resolve: (link: Link) => void
  reject: (error: SamsaError) => void
  timer: Timer
  /** For one dial, not for those that follow when it fails. */
  once: boolean
}

interface AcquireOptions {
  /** A dial that fails is the end of the wait (DIAL_FAILED): for who has another broker to look for. Default false. */
  once?: boolean
}

export interface LinksOptions {
  world: World
  /** Makes the machine of this connection run and tells it WANT. False: the registry does not know such a broker. */
  want: (node: number, purpose: string) => boolean
  /** Ends the machine of a connection that only its caller used. */
  release: (node: number, purpose: string) => void
  /** All brokers that the registry lists, in no order. */
  nodes: () => number[]
}

const key = (node: number, purpose: string) => `${node}/${purpose}`
export const DATA = 'data'

export class Links {
  #options: LinksOptions
  #ready = new Map<string, Link>()
  #waiting = new Map<string, Waiter[]>()
  #anyWaiting: Waiter[] = []
  #closed = false
  #turn = 0

  constructor(options: LinksOptions) {
    this.#options = options
  }

  /** The link, if it is ready now. */
  get(node: number, purpose: string): Link | undefined {
    const link = this.#ready.get(key(node, purpose))
    return link?.open ? link : undefined
  }

  /** The link as soon as it is ready. Rejects at the deadline (LINK_TIMEOUT), and at once when the broker is given up (BROKER_UNKNOWN). */
  acquire(node: number, purpose: string, timeoutMs: number, { once = false }: AcquireOptions = {}): Promise<Link> {
    const ready = this.get(node, purpose)
    if (ready) return Promise.resolve(ready)
    if (this.#closed) return Promise.reject(closedError())
    return new Promise((resolve, reject) => {
      const name = key(node, purpose)
      const list = this.#waiting.get(name) ?? []
      this.#waiting.set(name, list)
      list.push(this.#waiter(list, resolve, reject, timeoutMs, `broker ${node}`, once))
      if (!this.#options.want(node, purpose)) this.fail(node, purpose, null)
    })
  }

  /** Any broker's ready `data` link, in turn; dials all of them when none is ready. Rejects at the deadline. */
  any(timeoutMs: number): Promise<Link> {
    const ready = [...this.#ready.values()].filter(link => link.open && link.purpose === DATA)
    if (ready.length > 0) return Promise.resolve(ready[this.#turn++ % ready.length]!)
    if (this.#closed) return Promise.reject(closedError())
    return new Promise((resolve, reject) => {
      this.#anyWaiting.push(this.#waiter(this.#anyWaiting, resolve, reject, timeoutMs, 'any broker'))
      for (const node of this.#options.nodes()) this.#options.want(node, DATA)
    })
  }

  /** The registry listed other brokers: whoever waits for any broker gets them dialled. */
  brokersChanged(): void {
    if (this.#anyWaiting.length > 0) for (const node of this.#options.nodes()) this.#options.want(node, DATA)
  }

  /** Somebody waits for this link. */
  isWanted(node: number, purpose: string): boolean {
    return (this.#waiting.get(key(node, purpose))?.length ?? 0) > 0 || (purpose === DATA && this.#anyWaiting.length > 0)
  }

  release(node: number, purpose: string): void {
    this.#options.release(node, purpose)
  }

  /** From the machine: this link is ready. */
  offer(link: Link): void {
    const name = key(link.node, link.purpose)
    this.#ready.set(name, link)
    for (const waiter of this.#take(this.#waiting.get(name))) waiter.resolve(link)
    this.#waiting.delete(name)
    if (link.purpose === DATA) for (const waiter of this.#take(this.#anyWaiting)) waiter.resolve(link)
  }

  /** From the machine: it is gone. */
  withdraw(node: number, purpose: string): void {
    this.#ready.delete(key(node, purpose))
  }

  /** From the machine: nobody will dial it. */
  fail(node: number, purpose: string, error: PlainError | null): void {
    const name = key(node, purpose)
    const reason = new ConnectionError(
      'BROKER_UNKNOWN',
      `Broker ${node} is not listed by the registry${error ? `; the last connection ended so: ${error.message}` : '.'}`,
      {
        retriable: true,
        details: { broker: node }
      }
    )
    for (const waiter of this.#take(this.#waiting.get(name))) waiter.reject(reason)
    this.#waiting.delete(name)
  }

  /** From the machine: this dial has failed, the next one comes after a pause. */
  dialFailed(node: number, purpose: string, error: PlainError | null): void {
    const list = this.#waiting.get(key(node, purpose)) ?? []
    const gone = list.filter(({ once }) => once)
    if (gone.length === 0) return
    list.splice(0, list.length, ...list.filter(({ once }) => !once))
    const message = `Broker ${node} cannot be reached${error ? `: ${error.message}` : '.'}`
    const reason = new ConnectionError('DIAL_FAILED', message, { retriable: true, details: { broker: node } })
    for (const { reject, timer } of gone) {
      this.#options.world.clearTimer(timer)
      reject(reason)
    }
  }

  /** The cluster closes: every waiter fails. */
  close(): void {
    this.#closed = true
    for (const list of [...this.#waiting.values(), this.#anyWaiting]) for (const waiter of this.#take(list)) waiter.reject(closedError())
    this.#waiting.clear()
    this.#ready.clear()
  }

  #waiter(list: Waiter[], resolve: Waiter['resolve'], reject: Waiter['reject'], timeoutMs: number, whom: string, once = false): Waiter {
    const timer = this.#options.world.setTimer(() => {
      const index = list.indexOf(waiter)
      if (index >= 0) list.splice(index, 1)
      reject(new TimeoutError('LINK_TIMEOUT', `No connection to ${whom} within ${timeoutMs} ms.`, { retriable: true }))
    }, timeoutMs)
    const waiter: Waiter = { resolve, reject, timer, once }
    return waiter
  }

  #take(list: Waiter[] | undefined): Waiter[] {
    const taken = list?.splice(0) ?? []
    for (const waiter of taken) this.#options.world.clearTimer(waiter.timer)
    return taken
  }
}

const closedError = () => new ConnectionError('CLUSTER_CLOSED', 'The cluster is closed.')
