/**
 * The coordinator of a Kafka group: the broker that keeps its members and its committed offsets. It is found when it is needed, forgotten when it
 * says that it is another one or its connection ends, and asked again until a limit of time; every try that is followed by another one is told.
 */
import type { Link } from '../flow/link.ts'
import { brokerError, meaningOfError } from '../model/error-classes.ts'
import { type PlainError, plainError, SamsaError } from '../model/errors.ts'
import type { Timer } from '../model/world.ts'
import type { Instance } from './instance.ts'
import { DATA } from './links.ts'

/** A connection may take this long before the coordinator is looked for again; a dial that fails, as that of a dead broker, ends the wait. */
const LINK_WAIT_MS = 2_000
/** From version 4 FindCoordinator takes several groups at once (KIP-699). */
const BATCHED_FROM = 4

/** What a failed request to the coordinator asks for: the same `again`, another broker (`elsewhere`), or nothing that a retry could mend. */
export type Remedy = 'again' | 'elsewhere' | 'none'

export function remedyOf(error: unknown): Remedy {
  if (!(error instanceof SamsaError)) return 'none'
  // Not an answer: the connection could not be had, or ended, or was silent. Whether the request was carried out is not known.
  if (!error.kafka) return error.retriable ? 'elsewhere' : 'none'
  const errorClass = meaningOfError(error)?.class ?? 'fatal'
  return errorClass === 'refresh' ? 'elsewhere' : errorClass === 'retry' ? 'again' : 'none'
}

export interface CoordinatorCall {
  /** Of the connection: `data`, or one of the caller's own for what blocks. */
  purpose?: string
  /** After this long the last error is final. Default `requestTimeoutMs`. */
  limitMs?: number
}

export class Coordinator {
  readonly group: string
  readonly #instance: Instance
  readonly #onRetry: (error: PlainError) => void
  readonly #pauses = new Map<Timer, () => void>()
  /** Where a connection of the caller's own may be, by its purpose. */
  readonly #used = new Map<string, number>()
  #node: number | undefined
  #finding: Promise<number> | undefined
  #stopped = false

  /** `onRetry`: why something is tried again, and when. Default: a `trouble` of the cluster. */
  constructor(instance: Instance, group: string, onRetry?: (error: PlainError) => void) {
    this.#instance = instance
    this.group = group
    this.#onRetry = onRetry ?? (error => instance.emit({ type: 'trouble', where: `groups/${group}`, error }))
  }

  /** Its broker, as far as is known. */
  get node(): number | undefined {
    return this.#node
  }

  /** Asks any broker, once; whoever asks meanwhile shares the answer. Rejects with BrokerError (GROUP_AUTHORIZATION_FAILED …) and as links do. */
  find(): Promise<number> {
    if (this.#node !== undefined) return Promise.resolve(this.#node)
    this.#finding ??= this.#ask().finally(() => {
      this.#finding = undefined
    })
    return this.#finding
  }

  /** Its connection for this purpose, once it is found. One try. */
  async link(purpose: string = DATA): Promise<Link> {
    const node = await this.find()
    const { links, options, registry } = this.#instance
    this.#use(node, purpose)
    try {
      return await links.acquire(node, purpose, Math.min(LINK_WAIT_MS, options.requestTimeoutMs), { once: true })
    } catch (error) {
      this.forget(node)
      // A broker that is newer than what the registry has told.
      if (error instanceof SamsaError && error.code === 'BROKER_UNKNOWN') registry?.refresh()
      throw error
    }
  }

  /** It is not (known to be) this broker any more. */
  forget(node: number): void {
    if (this.#node === node) this.#node = undefined
  }

  /** Asks it, and again while that can help. `ask` rejects with the BrokerError of the answer. */
  async call<T>(what: string, ask: (link: Link) => Promise<T>, { purpose = DATA, limitMs }: CoordinatorCall = {}): Promise<T> {
    const { world, options } = this.#instance
    const untilMs = world.monotonicMs() + (limitMs ?? options.requestTimeoutMs)
    for (let attempt = 1; ; attempt++) {
      let node: number | undefined
      try {
        const link = await this.link(purpose)
        node = link.node
        return await ask(link)
      } catch (error) {
        const remedy = remedyOf(error)
        if (remedy === 'elsewhere' && node !== undefined) this.forget(node)
        const pauseMs = this.#pauseMs(attempt)
        if (remedy === 'none' || this.#stopped || this.#instance.closed || world.monotonicMs() + pauseMs >= untilMs) throw error
        this.#onRetry(retryOf(what, error, pauseMs, attempt))
        await this.#pause(pauseMs)
        if (this.#stopped) throw error
      }
    }
  }

  /** Ends the connection that only this purpose used. */
  release(purpose: string): void {
    const node = this.#used.get(purpose)
    if (node !== undefined) this.#instance.links.release(node, purpose)
    this.#used.delete(purpose)
  }

  /** What is tried again now fails with what it has. */
  stop(): void {
    this.#stopped = true
    for (const [timer, resolve] of this.#pauses) {
      this.#instance.world.clearTimer(timer)
      resolve()
    }
    this.#pauses.clear()
  }

  async #ask(): Promise<number> {
    const { links, options } = this.#instance
    const link = await links.any(options.requestTimeoutMs)
    const batched = (link.version('FindCoordinator') ?? 0) >= BATCHED_FROM
    const answer = await link.request('FindCoordinator', batched ? { coordinatorKeys: [this.group] } : { key: this.group })
    const found = batched ? answer.coordinators.find(({ key }) => key === this.group) : answer
    const what = `of group ${this.group}`
    if (!found) throw new SamsaError('LEFT_OUT', `FindCoordinator ${what}: broker ${link.node} said nothing of it.`, { retriable: true })
    if (found.errorCode !== 0) throw brokerError('FindCoordinator', found.errorCode, what, found.errorMessage)
    this.#node = found.nodeId
    return found.nodeId
  }

  /** One connection per purpose: where it was before the coordinator moved it is let go of. */
  #use(node: number, purpose: string): void {
    if (purpose === DATA) return
    if (this.#used.get(purpose) !== node) this.release(purpose)
    this.#used.set(purpose, node)
  }

  #pauseMs(attempt: number): number {
    const { world, options } = this.#instance
    return Math.min(options.retryBackoffMaxMs, options.retryBackoffMs * 2 ** Math.min(attempt - 1, 20)) * (0.8 + 0.4 * world.random())
  }

  #pause(pauseMs: number): Promise<void> {
    return new Promise(resolve => {
      const timer = this.#instance.world.setTimer(() => {
        this.#pauses.delete(timer)
        resolve()
      }, pauseMs)
      this.#pauses.set(timer, resolve)
    })
  }
}

function retryOf(what: string, error: unknown, delayMs: number, attempt: number): PlainError {
  const plain = plainError(error)
  const message = `${what} is tried again in ${Math.round(delayMs)} ms: ${plain.message}`
  return { ...plain, message, details: { ...plain.details, attempt, delayMs: Math.round(delayMs) } }
}
