/**
 * Faults at one request: what is asked before a handler is, and may answer in its place, wait, drop the connection, apply and drop the answer,
 * change the answer, or its bytes.
 */
import type { ApiName, RequestOf, ResponseOf } from '../../wire/apis.ts'
import type { Broker } from './broker.ts'

/** A request that has arrived and is not handled yet. */
export interface ControlledRequest<N extends ApiName = ApiName> {
  readonly api: N
  readonly version: number
  readonly correlationId: number
  readonly clientId: string | null
  readonly body: RequestOf<N>
  readonly broker: Broker
  /** Key of the connection. */
  readonly connection: object
  /** Which one this is of those that this control has seen, from 1. */
  readonly nth: number
}

/** What becomes of it; several at once are done in this order. Nothing at all: it is let through. */
export interface Verdict<N extends ApiName = ApiName> {
  /** Wait first; what comes after it on this connection waits too. */
  delayMs?: number
  /** `before`: it is not applied; `after`: it is, and its answer is dropped. The connection is closed with it. */
  drop?: 'before' | 'after'
  /** With `drop`: the connection stays, and what comes after it goes on. */
  stay?: boolean
  /** In place of the handler's. Null: none. */
  answer?: ResponseOf<N> | null
  /** Changes the answer in place, or gives another. */
  change?: (answer: ResponseOf<N>) => ResponseOf<N> | undefined
  /** Wait when the answer is there. */
  answerDelayMs?: number
  /** What is sent in place of this whole frame, its size first. */
  bytes?: (frame: Buffer) => Buffer
  /** Ends the connection behind it. */
  close?: boolean
}

export type ControlHandler<N extends ApiName> = (request: ControlledRequest<N>) => Verdict<N> | undefined | Promise<Verdict<N> | undefined>

interface Control {
  api: ApiName | '*'
  handler: ControlHandler<ApiName>
  left: number
  seen: number
}

/** All controls of a broker, in the order in which they were set. */
export class Controls {
  #controls: Control[] = []

  /** Answers with what takes it away again. */
  add<N extends ApiName>(api: N | '*', handler: ControlHandler<N>, options: { times?: number } = {}): () => void {
    const control = {
      api,
      handler: handler as unknown as ControlHandler<ApiName>,
      left: options.times ?? Number.POSITIVE_INFINITY,
      seen: 0
    }
    this.#controls.push(control)
    return () => {
      this.#controls = this.#controls.filter(each => each !== control)
    }
  }

  get isEmpty(): boolean {
    return this.#controls.length === 0
  }

  /** The first that has something to say decides. `times` counts what was decided. */
  async decide(request: Omit<ControlledRequest, 'nth'>): Promise<Verdict | undefined> {
    for (const control of [...this.#controls]) {
      if ((control.api !== '*' && control.api !== request.api) || control.left <= 0) continue
      control.seen++
      const verdict = await control.handler({ ...request, nth: control.seen })
      if (!verdict) continue
      if (--control.left <= 0) this.#controls = this.#controls.filter(each => each !== control)
      return verdict
    }
    return undefined
  }
}
