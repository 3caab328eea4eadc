/**
 * The producer id under which this cluster publishes, as the identity's machine has it, and those who wait for it.
 */
import type { SamsaError } from '../model/errors.ts'

export interface PublishIdentityOptions {
  idempotent: boolean
  /** Tells the identity's machine. */
  tell: (event: { type: 'NEEDED' | 'RENEW' }) => void
}

export class PublishIdentity {
  current: { producerId: bigint; epoch: number } | undefined
  #options: PublishIdentityOptions
  #waiters: { resolve: () => void; reject: (error: SamsaError) => void }[] = []

  constructor(options: PublishIdentityOptions) {
    this.#options = options
  }

  /** Resolves when there is one, or none is needed. Rejects when none can be had. */
  async needed(): Promise<void> {
    if (!this.#options.idempotent || this.current) return
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.#options.tell({ type: 'NEEDED' })
    })
  }

  give(producerId: bigint, epoch: number): void {
    this.current = { producerId, epoch }
    for (const waiter of this.#waiters.splice(0)) waiter.resolve()
  }

  refuse(error: SamsaError): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
  }

  /** A partition has used up the epochs of this one. */
  renew(): void {
    this.current = undefined
    this.#options.tell({ type: 'RENEW' })
  }
}
