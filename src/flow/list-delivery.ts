/**
 * One delivery over several batches: acked when all are, with the first one's offset; failed with the first failure.
 * Where a part of a list was written and another was not, the outcome of the whole is unknown: "failed" promises that nothing was written.
 */
import { PublishError } from '../model/errors.ts'
import type { Delivery } from './batch.ts'

export class ListDelivery {
  #whole: Delivery
  #parts = 0
  #open = 0
  #allSealed = false
  #accepted = 0
  #written = 0
  #first: Parameters<Delivery['acked']> | undefined
  #error: PublishError | undefined
  #done = false

  constructor(whole: Delivery) {
    this.#whole = whole
  }

  /** Who waits for the next batch of the list. */
  part(): Delivery {
    const isFirst = this.#parts++ === 0
    this.#open++
    return {
      accepted: () => {
        this.#accepted++
        this.#checkAccepted()
      },
      acked: (...metadata) => {
        this.#written++
        if (isFirst) this.#first = metadata
        this.#settle()
      },
      failed: error => {
        if (!this.#error || (this.#error.outcome === 'failed' && error.outcome === 'unknown')) this.#error = error
        this.#settle()
      }
    }
  }

  /** All batches of the list have been asked for. */
  sealed(): void {
    this.#allSealed = true
    this.#checkAccepted()
    if (this.#open === 0) this.#finish()
  }

  #checkAccepted(): void {
    if (this.#allSealed && this.#accepted === this.#parts) this.#whole.accepted?.()
  }

  #settle(): void {
    this.#open--
    if (this.#open === 0 && this.#allSealed) this.#finish()
  }

  #finish(): void {
    if (this.#done) return
    this.#done = true
    const error = this.#error
    if (!error) this.#whole.acked(...this.#first!)
    else if (error.outcome === 'failed' && this.#written > 0) this.#whole.failed(this.#partly(error))
    else this.#whole.failed(error)
  }

  #partly(error: PublishError): PublishError {
    const what = `${this.#written} of the list's ${this.#parts} batches were written, the rest was not. ${error.message}`
    return new PublishError(error.code, what, 'unknown', {
      cause: error,
      retriable: error.retriable,
      ...(error.kafka ? { kafka: error.kafka } : {}),
      details: error.details
    })
  }
}
